"""The tables in a rule: where they stand, and what their rows are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formatspec.language.expression import Name
from formatspec.language.leaf import Bind, Constant, Keep, names_of
from formatspec.language.rules import (
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    inside,
    is_mapping_or_rows,
    within,
)
from formatspec.model.slots import TABLES

NOT_OF_ITEMS = frozenset({"category", "attribute"})
"""Kinds of records whose rows tell of no item."""

OUTLINES = frozenset({"polygon", "polygons", "region"})
"""Slots of an object's outline or pixels."""

OF_OBJECTS = frozenset({"objects", "children"})
"""The tables whose rows are objects."""


def tables_within(rule: Rule) -> Iterator[TableRule]:
    """Yield the tables of a rule, including nested ones."""
    return (one for one in within(rule) if isinstance(one, TableRule))


def up_to_tables(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and the rules in it, the tables among them, but nothing of what stands inside tables."""
    yield rule
    for one in inside(rule) if not isinstance(rule, TableRule) else ():
        yield from up_to_tables(one)


def certain(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and the rules in it that apply whichever alternatives are taken, without what stands in tables."""
    yield rule
    inner = [field.rule for field in rule.fields]
    if isinstance(rule, MapRule) and isinstance(rule.rest, LeafRule):
        inner.append(rule.rest)
    elif isinstance(rule, OneOf) and len(rule.alternatives) == 1:
        inner += rule.alternatives
    elif isinstance(rule, ListRule):
        inner += rule.rules
    for one in inner:
        yield from certain(one)


def holds_tables(rule: Rule) -> bool:
    """Return whether a rule contains tables, at any depth; a table does not contain itself."""
    return any(table is not rule for table in tables_within(rule))


def outer_tables(rule: Rule, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], tuple[TableRule, ...]]]:
    """Yield the outermost tables of a rule, those of one list together, with the keys that lead there."""
    if rule.tables:
        yield at, rule.tables
    elif isinstance(rule, OneOf):
        for choice in rule.alternatives:
            yield from outer_tables(choice, at)
    for field in rule.fields:
        yield from outer_tables(field.rule, (*at, field.keys[0]))
    for alternatives in rule.alternatives if isinstance(rule, MapRule) else ():
        for choice in alternatives.alternatives:
            yield from outer_tables(choice, at)


def takes_null(rule: Rule, at: Sequence[str | int]) -> bool:
    """Return whether null may stand under the last of some keys, in place of rows or of the mapping that holds them."""
    if isinstance(rule, OneOf):
        return any(takes_null(choice, at) for choice in rule.alternatives)
    if not isinstance(rule, MapRule) or not at:
        return not at and rule.leaf == Constant(None)
    if any(takes_null(choices, at) for choices in rule.alternatives):
        return True
    key, *rest = at
    found = [one for one in rule.fields if one.keys[0] == key]
    optional = not rest and any(one.optional and is_mapping_or_rows(one.rule) for one in found)
    return optional or any(takes_null(one.rule, rest) for one in found)


def object_tables(rule: Rule) -> Iterator[TableRule]:
    """Yield the tables of objects in a rule."""
    return (one for one in tables_within(rule) if one.each.table == "objects")


def is_by(key: tuple[str, ...], rule: Rule) -> bool:
    """Return whether rows of a rule are objects identified by this key."""
    return any(one.each.by == key and not one.each.overlap for one in object_tables(rule))


def lists_objects(rule: Rule) -> bool:
    """Return whether rows of a rule are new objects, not additions to others."""
    return any(not one.each.overlap for one in object_tables(rule))


def bound_names(rule: Rule, tables: frozenset[str] | None = None) -> Iterator[str]:
    """Yield the names that the leaves of a rule bind; with `tables`, only in rows of these."""
    rules = [rule] if tables is None else [one.row for one in tables_within(rule) if one.each.table in tables]
    return (name for row in rules for one in within(row) for name in names_of(one.leaf))


def states_areas(rule: Rule) -> bool:
    """Return whether a row of an object states its area, which follows from its shape."""
    leaves = (field.rule.leaf for one in object_tables(rule) for field in one.row.fields)
    return any(isinstance(leaf, Keep) and leaf.default == Name("area") for leaf in leaves)


def states_outlines(rule: Rule) -> bool:
    """Return whether a row of an object states both its box and an outline."""
    rows = [one.row for one in object_tables(rule) if not one.each.kept and isinstance(one.row, MapRule)]
    return any(
        any("bbox" in bound_names(field.rule) for field in row.fields)
        and (
            any(OUTLINES & set(bound_names(field.rule)) for field in row.fields)
            or any(all(OUTLINES & set(bound_names(one)) for one in choice.alternatives) for choice in row.alternatives)
        )
        for row in rows
    )


def states_numbers(rule: Rule) -> bool:
    """Return whether documents of a rule number items or objects."""
    return any(name in ("id", "track") for name in bound_names(rule))


def holds_pairs(rule: Rule) -> bool:
    """Return whether a rule is a table of attributes whose rows say nothing but keys and values."""
    if not isinstance(rule, TableRule) or rule.each.table != "attributes" or rule.each.by or rule.each.kept:
        return False
    if rule.keyed or rule.levels or rule.each.folded or rule.each.along is not None:
        return False
    return not holds_tables(rule.row)


def bound_attributes(rule: Rule) -> Iterator[str]:
    """Yield the single attributes that a rule binds; `*: attributes` does not write them again."""
    yield from (n.removeprefix("attributes.") for n in names_of(rule.leaf) if n.startswith("attributes."))
    choices = rule.alternatives if isinstance(rule, MapRule | OneOf) else ()
    for one in (*(field.rule for field in rule.fields), *choices):
        yield from bound_attributes(one)


def needs_columns(rule: Rule) -> bool:
    """Whether a row can only be written when the names of all columns are known."""
    if isinstance(rule, MapRule):
        return any(needs_columns(field.rule) for field in rule.fields)
    calls = rule.leaf.calls if isinstance(rule.leaf, Bind) else ()
    return any(argument.value == "columns" for call in calls for argument in call.arguments)


def tables_told(rule: Rule) -> Iterator[str]:
    """Yield the tables whose records a rule describes, in rows of their own or as a list of one of their slots."""
    for one in up_to_tables(rule):
        if isinstance(one, TableRule):
            yield one.each.table
        heads = (name.partition(".")[0] for name in names_of(one.leaf))
        yield from (head for head in heads if head in TABLES)
