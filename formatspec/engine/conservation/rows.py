"""Counts the rows of the tables in a finished document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from formatspec.codecs.regions.shared_runs import rows_of_runs
from formatspec.language.leaf import Constant
from formatspec.language.rules import BARE, KEY, LeafRule, ListRule, MapRule, OneOf, Rule, TableRule, is_derived


def rows_in(rule: Rule, document: Any) -> int:
    """Count the rows of a document's tables, those of nested tables included.

    Rows that only look up values of other rows, and rows that are printed from other records, are not records and are
    not counted.
    """
    if isinstance(rule, TableRule):
        rows = _rows(document) if not rule.each.runs else rows_of_runs(document) or []
        own = 0 if rule.each.overlap or is_derived(rule.row) else len(rows)
        return own + sum(rows_in(rule.row, row) for row in rows)
    if isinstance(rule, OneOf):
        tables = [one for one in rule.alternatives if isinstance(one, TableRule)]
        if not tables or not isinstance(document, list | tuple):
            return max((rows_in(one, document) for one in rule.alternatives), default=0)
        counted = any(not one.each.overlap and not is_derived(one.row) for one in tables)
        return sum(int(counted) + max(rows_in(one.row, row) for one in _holding(tables, row)) for row in document)
    if isinstance(rule, MapRule) and isinstance(document, dict):
        fields = sum(rows_in(field.rule, document[field.keys[0]]) for field in rule.fields if field.keys[0] in document)
        return fields + max((rows_in(choice, document) for choice in rule.alternatives), default=0)
    if isinstance(rule, ListRule) and isinstance(document, list | tuple):
        return sum(rows_in(one, part) for one, part in zip(rule.rules, document, strict=False))
    return 0


def _holding(tables: Sequence[TableRule], row: Any) -> Sequence[TableRule]:
    """Return the tables that may hold a row: only the first if its rows are only kept and it matches."""
    fitting = [one for one in tables if _has_constants(one.row, row)]
    return fitting[:1] if fitting and fitting[0].each.kept else fitting or tables


def _has_constants(rule: Rule, value: Any) -> bool:
    """Return whether a value has the constants and keys that a rule requires, as far as the rule's own mappings go."""
    if isinstance(rule, LeafRule) and isinstance(rule.leaf, Constant):
        return bool(value == rule.leaf.value) or str(value) == str(rule.leaf.value)
    if not isinstance(rule, MapRule):
        return True
    return isinstance(value, dict) and all(
        field.optional or (field.keys[0] in value and _has_constants(field.rule, value[field.keys[0]]))
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
