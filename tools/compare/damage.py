"""Small seeded damage to a dataset's files or to a spec: the same random numbers give the same broken files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
WRONG_NUMBERS = (b"-7", b"1e9", b"seven", b"", b"0.5", b"99999999999999999999")
WRONG_VALUES: tuple[Any, ...] = (None, "wrong", -1, 1e9, 0.5, True, [], {}, [[]], "")

Change = Callable[[bytes, Random], bytes | None]
"""Gives a file's new contents, or None where it cannot damage this file."""


def _nodes(value: Any) -> list[Any]:
    """All objects and arrays of a JSON value that are not empty, the value itself first."""
    found, todo = [], [value]
    while todo:
        node = todo.pop()
        if isinstance(node, dict | list) and node:
            found.append(node)
            todo += list(node.values()) if isinstance(node, dict) else node
    return found


def _json_change(change: Callable[[Any, Random], bool]) -> Change:
    """A change of a file that is one JSON document; `change` edits the value and tells whether it could."""

    def changed(data: bytes, rng: Random) -> bytes | None:
        try:
            value = json.loads(data)
        except ValueError:
            return None
        return json.dumps(value, ensure_ascii=False).encode("utf-8") if change(value, rng) else None

    return changed


def _drop_key(value: Any, rng: Random) -> bool:
    objects = [node for node in _nodes(value) if isinstance(node, dict)]
    if not objects:
        return False
    node = rng.choice(objects)
    del node[rng.choice(list(node))]
    return True


def _wrong_value(value: Any, rng: Random) -> bool:
    nodes = _nodes(value)
    if not nodes:
        return False
    node = rng.choice(nodes)
    node[rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))] = rng.choice(WRONG_VALUES)
    return True


def _repeat_entry(value: Any, rng: Random) -> bool:
    arrays = [node for node in _nodes(value) if isinstance(node, list)]
    if not arrays:
        return False
    node = rng.choice(arrays)
    node.insert(rng.randrange(len(node) + 1), rng.choice(node))
    return True


def _drop_entry(value: Any, rng: Random) -> bool:
    arrays = [node for node in _nodes(value) if isinstance(node, list)]
    if not arrays:
        return False
    node = rng.choice(arrays)
    del node[rng.randrange(len(node))]
    return True


def _text_change(change: Callable[[list[bytes], Random], None]) -> Change:
    """A change of the lines of a file that is text."""

    def changed(data: bytes, rng: Random) -> bytes | None:
        try:
            data.decode("utf-8")
        except ValueError:
            return None
        lines = data.splitlines(keepends=True)
        if not lines:
            return None
        change(lines, rng)
        return b"".join(lines)

    return changed


def _drop_line(lines: list[bytes], rng: Random) -> None:
    del lines[rng.randrange(len(lines))]


def _repeat_line(lines: list[bytes], rng: Random) -> None:
    number = rng.randrange(len(lines))
    lines.insert(number, lines[number])


def _swap_lines(lines: list[bytes], rng: Random) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _cut_line(lines: list[bytes], rng: Random) -> None:
    number = rng.randrange(len(lines))
    text = lines[number].rstrip(b"\r\n")
    lines[number] = text[: rng.randrange(len(text) + 1)] + lines[number][len(text) :]


def _wrong_number(data: bytes, rng: Random) -> bytes | None:
    places = list(NUMBER.finditer(data)) if b"\0" not in data else []
    if not places:
        return None
    place = rng.choice(places)
    return data[: place.start()] + rng.choice(WRONG_NUMBERS) + data[place.end() :]


def _not_utf8(data: bytes, rng: Random) -> bytes | None:
    if b"\0" in data:
        return None
    place = rng.randrange(len(data) + 1)
    return data[:place] + b"\xff\xfe" + data[place:]


def _truncate(data: bytes, rng: Random) -> bytes | None:
    return data[: rng.randrange(len(data))] if data else None


def _empty(data: bytes, rng: Random) -> bytes | None:
    del rng
    return b"" if data else None


def _flip(data: bytes, rng: Random) -> bytes | None:
    if not data:
        return None
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


TEXT_CHANGES: dict[str, Change] = {
    "a line is dropped": _text_change(_drop_line),
    "a line stands twice": _text_change(_repeat_line),
    "two lines are swapped": _text_change(_swap_lines),
    "a line is cut": _text_change(_cut_line),
    "a number is wrong": _wrong_number,
}
CHANGES: dict[str, Change] = {
    "a key is dropped": _json_change(_drop_key),
    "a value is wrong": _json_change(_wrong_value),
    "an entry stands twice": _json_change(_repeat_entry),
    "an entry is dropped": _json_change(_drop_entry),
    **TEXT_CHANGES,
    "a text is not UTF-8": _not_utf8,
    "a file is truncated": _truncate,
    "a file is empty": _empty,
    "a bit is flipped": _flip,
}


def _remove(file: Path, others: list[Path], rng: Random) -> bool:
    del others, rng
    file.unlink()
    return True


def _rename(file: Path, others: list[Path], rng: Random) -> bool:
    del others, rng
    file.rename(file.with_name(f"other_{file.name}"))
    return True


def _stray(file: Path, others: list[Path], rng: Random) -> bool:
    del others, rng
    file.with_name(f"stray_{file.name}").write_bytes(file.read_bytes())
    return True


def _swap(file: Path, others: list[Path], rng: Random) -> bool:
    alike = [f for f in others if f.suffix == file.suffix and f.read_bytes() != file.read_bytes()]
    if not alike:
        return False
    other = rng.choice(alike)
    mine, its = file.read_bytes(), other.read_bytes()
    file.write_bytes(its)
    other.write_bytes(mine)
    return True


MOVES: dict[str, Callable[[Path, list[Path], Random], bool]] = {
    "a file is missing": _remove,
    "a file has another name": _rename,
    "a file stands twice": _stray,
    "two files are swapped": _swap,
}
KINDS = (*CHANGES, *MOVES)
"""All kinds of damage to a dataset, by what they do."""


def damage(folder: Path, kind: str, rng: Random) -> bool:
    """Damage one file of a dataset in one way.

    Args:
        folder: The dataset; it is changed where it lies.
        kind: One of KINDS.
        rng: Chooses the file and the place in it.

    Returns:
        Whether some file could be damaged so; if not, nothing was changed.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rng.shuffle(files)
    for file in files:
        if kind in MOVES:
            if MOVES[kind](file, sorted(set(files) - {file}), rng):
                return True
            continue
        before = file.read_bytes()
        after = CHANGES[kind](before, rng)
        if after is not None and after != before:
            file.write_bytes(after)
            return True
    return False


def damage_text(text: bytes, kind: str, rng: Random) -> bytes:
    """Damage a text in one way, one of TEXT_CHANGES.  Raises ValueError where a text cannot be damaged so."""
    for _ in range(100):
        damaged = TEXT_CHANGES[kind](text, rng)
        if damaged is not None and damaged != text:
            return damaged
    raise ValueError(f"the text cannot be damaged so that {kind}")
