"""Counts the rows of the tables in a finished document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs.regions.shared_runs import rows_of_runs
from formatspec.language.leaf import Constant
from formatspec.language.rules import BARE, KEY, ListRule, MapRule, OneOf, Rule, TableRule, is_derived

RowCounter = Callable[[Any], int]
"""Counts the rows in the part of a document that a rule describes."""


def row_counter(rule: Rule) -> RowCounter | None:
    """Return a function that counts the rows of a document's tables, including rows inside rows; None without tables.

    Rows that only repeat what other rows say, and rows that are computed, are no records and are not counted.
    """
    if isinstance(rule, TableRule):
        return _table_counter(rule)
    if isinstance(rule, OneOf):
        return _choice_counter(rule)
    if isinstance(rule, MapRule):
        return _map_counter(rule)
    if isinstance(rule, ListRule):
        parts = [(place, count) for place, one in enumerate(rule.rules) if (count := row_counter(one)) is not None]
        return (lambda document: _of_places(parts, document)) if parts else None
    return None


def _of_places(parts: Sequence[tuple[int, RowCounter]], document: Any) -> int:
    """Count the rows at some positions of a list."""
    if not isinstance(document, list | tuple):
        return 0
    return sum(count(document[place]) for place, count in parts if place < len(document))


def _is_counted(rule: TableRule) -> bool:
    return not (rule.each.overlap or is_derived(rule.row))


def _table_counter(rule: TableRule) -> RowCounter | None:
    inner, counted, runs = row_counter(rule.row), _is_counted(rule), rule.each.runs
    if inner is None and not counted:
        return None

    def count(document: Any) -> int:
        rows = _rows(document) if not runs else rows_of_runs(document) or []
        return (len(rows) if counted else 0) + (sum(map(inner, rows)) if inner is not None else 0)

    return count


def _choice_counter(rule: OneOf) -> RowCounter | None:
    """Return a counter for the rows of alternatives; where several tables share a list, each row is tested."""
    any_of = _most([row_counter(one) for one in rule.alternatives])
    tables = [one for one in rule.alternatives if isinstance(one, TableRule)]
    if not tables:
        return any_of
    counted = int(any(map(_is_counted, tables)))
    inside = {id(one): inner for one in tables if (inner := row_counter(one.row)) is not None}
    leads = [_leading(one.row) for one in tables]
    leading = frozenset[str]().union(*(one for one in leads if one is not None))
    tells = None not in leads

    def count(document: Any) -> int:
        if not isinstance(document, list | tuple):
            return any_of(document) if any_of is not None else 0
        own = counted * len(document)
        if not inside:
            return own
        for row in document:
            if tells and row.__class__ is dict:
                for key in leading:
                    if key in row:
                        break
                else:
                    continue  # such a row holds no tables
            own += max((inside[id(one)](row) for one in _holding(tables, row) if id(one) in inside), default=0)
        return own

    return count


def _leading(row: Rule) -> frozenset[str] | None:
    """Return the keys of a row under which it holds tables; None if other parts of it may hold some."""
    if not isinstance(row, MapRule):
        return None if row_counter(row) is not None else frozenset()
    if any(row_counter(one) is not None for one in row.alternatives):
        return None
    return frozenset(field.keys[0] for field in row.fields if row_counter(field.rule) is not None)


def _map_counter(rule: MapRule) -> RowCounter | None:
    fields = [(field.keys[0], inner) for field in rule.fields if (inner := row_counter(field.rule)) is not None]
    choice = _most([row_counter(one) for one in rule.alternatives])
    if not fields and choice is None:
        return None

    def count(document: Any) -> int:
        if not isinstance(document, dict):
            return 0
        own = 0 if choice is None else choice(document)
        for key, inner in fields:
            if key in document:
                own += inner(document[key])
        return own

    return count


def _most(counters: Sequence[RowCounter | None]) -> RowCounter | None:
    """Return a counter that gives the largest count of several counters; None if there is none."""
    some = [count for count in counters if count is not None]
    if len(some) == 1:
        return some[0]
    return (lambda document: max(count(document) for count in some)) if some else None


def _holding(tables: Sequence[TableRule], row: Any) -> Sequence[TableRule]:
    """Return the tables that may hold a row: only the first if its rows are only kept and it matches."""
    fitting = [one for one in tables if _has_constants(one.row, row)]
    return fitting[:1] if fitting and fitting[0].each.kept else fitting or tables


def _has_constants(rule: Rule, value: Any) -> bool:
    """Return whether a value has the constants and keys that a rule requires, as far as the rule's own mappings go."""
    if isinstance(rule.leaf, Constant):
        return bool(value == rule.leaf.value) or str(value) == str(rule.leaf.value)
    if isinstance(rule, ListRule) and not rule.rules:
        return not value
    if not isinstance(rule, MapRule):
        return True
    return isinstance(value, dict) and all(
        (field.optional and not (field.is_excluded and field.keys[0] in value))
        or (field.keys[0] in value and _has_constants(field.rule, value[field.keys[0]]))
        for field in rule.fields
        if len(field.keys) == 1 and field.keys[0] not in (KEY, BARE)
    )


def _rows(document: Any) -> list[Any]:
    """Return the rows of a table's part of a document, which is a list of rows or a mapping of columns."""
    if isinstance(document, list | tuple):
        return list(document)
    if isinstance(document, dict):
        columns = [column for column in document.values() if isinstance(column, list)]
        count = max(map(len, columns), default=0)
        return [{key: part[at] for key, part in document.items() if isinstance(part, list)} for at in range(count)]
    return []
