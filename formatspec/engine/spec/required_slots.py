"""Slots that rows of objects require and other datasets seldom have; objects without them are not written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.spec.compiled import Format
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, leaf_writer
from formatspec.language.errors import Place, Problem
from formatspec.language.leaf import Bind, Leaf, Text
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.model.records import Item, Object

_SELDOM_STATED = frozenset({"track", "group", "score", "order", "text", "parent", "single", "tags", "level"})
"""Slots of an object, besides attributes, that most datasets do not have; missing ids are made."""


class _Required(NamedTuple):
    """A leaf that must have a value: its key in the document, its slot, and its place."""

    key: str
    slot: str
    place: Place


def required_slots(form: Format) -> Iterator[Problem]:
    """Yield notes on tables of objects whose rows need more than a category and a geometry."""
    for role in form.documents:
        if role.kind != "pixels" and not role.kept:
            for _, tables in role.lists:
                each = [_lacking(table, role.scope) for table in tables]
                found = each[0] if all(each) and any(one.each.table == "objects" for one in tables) else []
                if found:
                    yield _note([*dict.fromkeys(o if role.kind != "lines" else o._replace(key=o.slot) for o in found)])


def _lacking(rule: Rule, scope: Scope, key: str = "") -> list[_Required]:
    """Return the required leaves of a rule for which an object with just a class and a geometry has no value.

    A rule with an alternative that needs no such leaf lacks nothing.
    """
    if isinstance(rule, OneOf):
        each = [_lacking(choice, scope, key) for choice in rule.alternatives]
        return [] if not all(each) else each[0]
    if isinstance(rule, TableRule):
        skipped = rule.each.kept or rule.each.overlap or rule.each.table != "objects" or rule.each.where is not None
        return [] if skipped else _lacking(rule.row, scope.inside(rule.each.table))
    if isinstance(rule, MapRule):
        found = [one for field in rule.fields if not field.optional for one in _of_field(field, scope)]
        return found + [one for choice in rule.alternatives for one in _lacking(choice, scope, key)]
    return [] if rule.leaf is None else _of_leaf(rule.leaf, rule.place, scope, key)


def _of_field(field: Field, scope: Scope) -> list[_Required]:
    inner = scope if isinstance(field.rule, LeafRule) else scope.below()
    return [] if isinstance(field.rule, TableRule) else _lacking(field.rule, inner, ", ".join(field.keys))


def _of_leaf(leaf: Leaf, place: Place, scope: Scope, key: str) -> list[_Required]:
    if isinstance(leaf, Text):
        template = text_template(leaf, scope, place)
        parts = [part for name, part in template.leaves.items() if name not in template.optional]
        return [one for part in parts for one in _of_leaf(part, place, scope, "")]
    if (
        not isinstance(leaf, Bind)
        or leaf.optional
        or leaf.default is not None
        or not all(_is_seldom_stated(name) for name in leaf.names)
    ):
        return []
    context = WriteContext(WriteSetting({}, None, dict(scope.options)), Item(key=""), Object())
    try:
        leaf_writer(leaf, place, scope, len(key.split(", ")), True)(context, NO_SOURCE)
    except LackingError:
        return [_Required(key or ", ".join(leaf.names), ", ".join(leaf.names), place)]
    return []


def _is_seldom_stated(name: str) -> bool:
    return name in _SELDOM_STATED or name.startswith("attributes.")


def _note(found: list[_Required]) -> Problem:
    names = [f"`{one.key}`" for one in found]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    are, have = ("is", "has") if len(names) == 1 else ("are", "have")
    return Problem(
        f"{listed} {are} required and {have} no `else`, so that objects without "
        f"{'it' if len(names) == 1 else 'them'} are not written from other formats",
        found[0].place,
        hint=f"mark what may be absent (`{found[0].key}?`), or say what to write then (`… else 0`)",
    )
