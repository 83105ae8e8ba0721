"""Rows whose pixels share one list of runs: [value, count, value, count, ...] over the image, row by row.

    {"numbers": {"a": 1, "b": 2}, "runs": [0, 3, 1, 2, 2, 1], "total": 6}

holds two rows, {"numbers": "a", "runs": [0, 3, 1, 2, 0, 1], "total": 6} and {"numbers": "b", "runs": [0, 5, 1, 1],
"total": 6}: a mapping says which value in the runs is whose, 0 is nobody's, and what else stands there is said of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

EXPECTED = "a mapping from names to numbers from 1, beside one list of value and count that has no other numbers"


def rows_of_runs(value: Any) -> list[dict[str, Any]] | None:
    """Return the rows of a mapping with their names and the runs of all; None if it is no such mapping.

    An empty mapping has no rows.
    """
    if value == {}:
        return []
    keys = _keys(value)
    if keys is None:
        return None
    names, runs = keys
    numbers, pairs = value[names], value[runs]
    whole = [*numbers.values(), *pairs]
    if len(pairs) % 2 or not all(type(one) is int and one >= 0 for one in whole):
        return None
    own: dict[int, list[int]] = {number: [] for number in numbers.values()}
    if 0 in own or len(own) < len(numbers):
        return None
    ends = dict.fromkeys(own, 0)
    total = 0
    for number, count in zip(pairs[::2], pairs[1::2], strict=True):
        if number in own and count:
            found = own[number]
            if ends[number] == total and found:
                found[-1] += count
            else:
                gap = total - ends[number]
                found += [0, gap, 1, count] if gap else [1, count]
            ends[number] = total + count
        elif number and count:
            return None
        total += count
    rows = []
    for name, number in numbers.items():
        rest = total - ends[number]
        rows.append({**value, names: name, runs: [*own[number], 0, rest] if rest else own[number]})
    return rows


def runs_of_rows(rows: Sequence[Mapping[str, Any]], names: str, source: Any) -> dict[str, Any]:
    """Return the mapping for rows: the inverse of `rows_of_runs`. Where rows overlap, the later one has the pixels.

    Args:
        rows: Rows with the same keys, each with its name and its own runs of 0 and 1.
        names: The key of the name.
        source: The mapping that the rows came from, whose numbers are kept; any other value if there was none.

    Returns:
        The mapping. Without rows, it is the source's with all pixels free, or an empty one if there was no source.
    """
    import numpy as np

    before = source if _keys(source) is not None else {}
    old = before.get(names, {})
    if not rows:
        empty = {key: [0, sum(part[1::2])] if isinstance(part, list) else part for key, part in before.items()}
        return {**empty, names: {}} if before else {}
    runs = next(key for key, part in rows[0].items() if isinstance(part, list))
    pixels = np.zeros(sum(rows[0][runs][1::2]), np.int64)
    numbers: dict[str, int] = {}
    free = max(old.values(), default=0)
    for row in rows:
        name = row[names]
        free += name not in old
        numbers[name] = old.get(name, free)
        inside = np.repeat(np.array(row[runs][::2], bool), row[runs][1::2])
        pixels[inside] = numbers[name]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(pixels)) + 1)) if pixels.size else np.zeros(0, np.int64)
    counts = np.diff(np.append(starts, pixels.size))
    shared = [int(one) for pair in zip(pixels[starts], counts, strict=True) for one in pair]
    return {
        **rows[0],
        names: {name: numbers[name] for name in [*(n for n in old if n in numbers), *numbers]},
        runs: shared,
    }


def _keys(value: Any) -> tuple[str, str] | None:
    """Return the keys of the names and of the runs in a mapping that has one of each."""
    if not isinstance(value, dict):
        return None
    names = [key for key, part in value.items() if isinstance(part, dict)]
    runs = [key for key, part in value.items() if isinstance(part, list)]
    return (names[0], runs[0]) if len(names) == len(runs) == 1 else None
