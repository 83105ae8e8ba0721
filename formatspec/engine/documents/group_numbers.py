"""Numbers groups of rows: numbers that groups state are kept, and new groups get free ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from formatspec.engine.documents.around import Around
from formatspec.language.rules import GROUPED_BY, Level


def group_numbers(
    others: Sequence[Any], groups: Mapping[tuple[Any, ...], Sequence[Any]], level: Level, name: str, around: Around
) -> dict[int, Any]:
    """Return the numbers of new groups, by the identity of their list of rows.

    A number that a group states is kept if it is free. Other groups get the next free numbers.
    """
    key = level.each.numbered
    if not key:
        return {}
    heads = [group for group in others if isinstance(group, dict)]
    heads += [members[0][name] for (place, *_), members in groups.items() if place is not None]
    taken = {_number_of(_holder(head, key).get(key)) for head in heads}
    found: dict[int, Any] = {}
    without: list[Sequence[Any]] = []
    for (place, *_), members in groups.items():
        if place is not None:
            continue
        stated = None if is_alone(members[0][name], level) else _holder(members[0][name], key).get(key)
        if stated is None or _number_of(stated) in taken:
            around.renumbered += len(members) if stated is not None else 0
            without.append(members)
            continue
        taken.add(_number_of(stated))
        found[id(members)] = stated
    fresh = max((value for value in taken if type(value) is int), default=0)
    return {**found, **{id(members): max(fresh, 0) + n for n, members in enumerate(without, 1)}}


def is_alone(head: Mapping[str, Any], level: Level) -> bool:
    """Return whether a new row states nothing about its group."""
    return any(f"{GROUPED_BY}{number}" not in head for number in range(len(level.each.by)))


def _holder(group: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping of a group that holds a key: the group itself, or the one with an element's attributes."""
    inner = group.get("@")
    return inner if key not in group and isinstance(inner, dict) else group


def _number_of(value: Any) -> Any:
    """Return a number in a form that can be compared: a text that spells a number becomes that number."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int | str) else repr(value)


def put_number(group: dict[str, Any], key: str, number: Any) -> None:
    """Set the number of a group; as text if its attributes are texts."""
    if "@" in group:
        group["@"] = {**group["@"], key: str(number)}
    else:
        group.update({key: number})
