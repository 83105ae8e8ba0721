"""The tables of objects in a rule, and the names that their rows bind."""

from __future__ import annotations

from collections.abc import Iterator

from formatspec.language.expression import Name
from formatspec.language.leaf import Keep, bindings
from formatspec.language.rules import LeafRule, LineRule, MapRule, Rule, TableRule, inside

OF_OBJECTS = frozenset({"objects", "children"})
"""The tables whose rows are objects."""


def is_by(key: tuple[str, ...], rule: Rule) -> bool:
    """Return whether rows of a rule are objects identified by this key."""
    return any(one.each.by == key and not one.each.overlap for one in object_tables(rule))


def lists_objects(rule: Rule) -> bool:
    """Return whether rows of a rule are new objects, not additions to others."""
    return any(not one.each.overlap for one in object_tables(rule))


def table_rules(rule: Rule) -> Iterator[TableRule]:
    """Yield the tables of a rule, including nested ones."""
    if isinstance(rule, TableRule):
        yield rule
    for one in inside(rule):
        yield from table_rules(one)


def object_tables(rule: Rule) -> Iterator[TableRule]:
    """Yield the tables of objects in a rule."""
    return (one for one in table_rules(rule) if one.each.table == "objects")


def bound_names(rule: Rule, tables: frozenset[str] | None = None) -> Iterator[str]:
    """Yield the names that the leaves of a rule bind; with `tables`, only in rows of these."""
    if tables is not None and isinstance(rule, TableRule):
        yield from bound_names(rule.row) if rule.each.table in tables else ()
        return
    if isinstance(rule, LeafRule | LineRule):
        for bind in bindings(rule.leaf):
            yield from bind.names
    for one in inside(rule):
        yield from bound_names(one, tables)


def states_areas(rule: Rule) -> bool:
    """Return whether a row of an object states its area, which follows from its shape."""
    rows = [one.row for one in object_tables(rule) if isinstance(one.row, MapRule)]
    leaves = [field.rule.leaf for row in rows for field in row.fields if isinstance(field.rule, LeafRule)]
    return any(isinstance(leaf, Keep) and leaf.default == Name("area") for leaf in leaves)


def states_outlines(rule: Rule) -> bool:
    """Return whether a row of an object states both its box and an outline."""
    rows = [one.row for one in object_tables(rule) if not one.each.kept and isinstance(one.row, MapRule)]
    return any(
        any("bbox" in bound_names(field.rule) for field in row.fields)
        and (
            any(_OUTLINES & set(bound_names(field.rule)) for field in row.fields)
            or any(all(_OUTLINES & set(bound_names(one)) for one in choice.alternatives) for choice in row.alternatives)
        )
        for row in rows
    )


_OUTLINES = {"polygon", "polygons", "region"}


def states_numbers(rule: Rule) -> bool:
    """Return whether documents of a rule number items or objects."""
    return any(name in ("id", "track") for name in bound_names(rule))
