"""Numbers of groups of rows: those that groups state are kept, and groups made anew get free ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from formatspec.engine.documents.around import Around
from formatspec.language.rules import GROUPED_BY, Level


def group_numbers(
    others: Sequence[Any], groups: Mapping[tuple[Any, ...], Sequence[Any]], level: Level, name: str, around: Around
) -> dict[int, Any]:
    """The numbers of groups that are made anew, by the identity of the list of their rows.

    A number that a group states is kept where it is free. Groups that state none, or one that is taken, get others.
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
    """Whether a row that is made anew says nothing of which group it is of."""
    return any(f"{GROUPED_BY}{number}" not in head for number in range(len(level.each.by)))


def _holder(group: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping of a group that has a key: the group itself, or what holds an element's attributes."""
    inner = group.get("@")
    return inner if key not in group and isinstance(inner, dict) else group


def _number_of(value: Any) -> Any:
    """Give a number in the form in which numbers are compared: a text that spells a number becomes that number."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int | str) else repr(value)


def put_number(group: dict[str, Any], key: str, number: Any) -> None:
    """Let a group have a number; a text where its attributes are texts."""
    if "@" in group:
        group["@"] = {**group["@"], key: str(number)}
    else:
        group.update({key: number})
