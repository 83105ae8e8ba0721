"""Compares two documents value by value, and finds the leaf of a spec for each place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from formatspec.engine.spec.compiled import Role
from formatspec.files.document import Pointer
from formatspec.language.errors import Place
from formatspec.language.load import place_text
from formatspec.language.rules import Field, LeafRule, LineRule, ListRule, MapRule, OneOf, Rule, TableRule, inside
from formatspec.testing.carry import close

SHOWN = 80
"""How many characters of a value are shown."""


class _Absent:
    """Stands for a value that is absent."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def compared(there: Any, written: Any, at: Pointer) -> Iterator[tuple[Pointer, Any, Any]]:
    """Yield the places at which two documents differ, each with both values."""
    if isinstance(there, dict) and isinstance(written, dict):
        for key in there:
            yield from compared(there[key], written.get(key, ABSENT), (*at, key))
        for key in written.keys() - there.keys():
            yield (*at, key), ABSENT, written[key]
    elif isinstance(there, list) and isinstance(written, list) and len(there) == len(written):
        for place, (one, other) in enumerate(zip(there, written, strict=True)):
            yield from compared(one, other, (*at, place))
    elif not close(there, written):
        yield at, there, written


def role_text(role: Role) -> str:
    """Return a role's name in messages, with its place in the spec."""
    return f"the role {role.name!r} ({place_text(role.place)})"


def leaf_for(role: Role, pointer: Pointer, lost: bool) -> tuple[str, str]:
    """Return the leaf of the spec for a place of a document, in words, and what to try."""
    found = _at(role.document_rule, tuple(pointer)) if role.kind != "lines" else None
    if found is None:
        hint = 'no leaf is for it: name it, or say `"*": keep` in its mapping' if lost else "look at the rule above it"
        return (role_text(role), hint)
    place = place_text(found)
    hint = (
        "the leaf reads another value than it writes: another codec, or `keep` in its place"
        if not lost
        else "the leaf does not write it again: `else` says what is written where there is no value"
    )
    return f"by the leaf at {place}", hint


def _at(rule: Rule, pointer: Pointer) -> Place | None:
    """Return the place in the spec of the leaf for a place of a document."""
    if isinstance(rule, LeafRule | LineRule):
        return rule.place
    if isinstance(rule, TableRule):
        depth = 1 + len(rule.levels)
        return _at(rule.row, pointer[depth:]) if len(pointer) >= depth else rule.place
    if isinstance(rule, MapRule):
        return _at_key(rule, pointer)
    if isinstance(rule, OneOf):
        return next((found for one in rule.alternatives if (found := _at(one, pointer)) is not None), None)
    if isinstance(rule, ListRule) and pointer and isinstance(pointer[0], int) and pointer[0] < len(rule.rules):
        return _at(rule.rules[pointer[0]], pointer[1:])
    return next((found for one in inside(rule) if (found := _at(one, pointer)) is not None), None)


def _at_key(rule: MapRule, pointer: Pointer) -> Place | None:
    if not pointer:
        return rule.place
    fields: tuple[Field, ...] = rule.fields
    for field in fields:
        if pointer[0] in field.keys:
            return _at(field.rule, pointer[1:]) or field.place
    for choice in rule.alternatives:
        found = _at(choice, pointer)
        if found is not None:
            return found
    return rule.rest.place if isinstance(rule.rest, LeafRule) else None


def short(value: Any) -> str:
    """Return a value for messages, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
