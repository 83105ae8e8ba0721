"""Rows that stand in a mapping, each under a key of its own: to the rules they are a list, the key a field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from formatspec.engine.base.faults import DocumentPath
from formatspec.files.document import FileError
from formatspec.language.rules import BARE, KEY, MapRule, OneOf, Rule, TableRule

Change = Callable[[Any], Any]


class ChangeRows(Protocol):
    """Rows in a mapping to a list of rows, or back; `bare`: what stands under a key is no mapping."""

    def __call__(self, document: Any, bare: bool) -> Any: ...


def rows_from_mapping(rule: Rule) -> Change | None:
    """A function that makes lists of a document's keyed rows; None where the rule has none."""
    return _change(rule, _to_list)


def mapping_from_rows(rule: Rule) -> Change | None:
    """The inverse of `listing`.  The function raises FileError where two rows have one key."""
    return _change(rule, _to_mapping)


def file_path(document: Any, path: DocumentPath) -> DocumentPath:
    """A path through lists of rows as one through the document as it is in the file."""
    found: list[str | int] = []
    for part in path:
        if isinstance(document, dict) and isinstance(part, int):
            part = next((key for place, key in enumerate(document) if place == part), part)
        if part == KEY:
            break
        if part == BARE and not (isinstance(document, dict) and BARE in document):
            continue
        found.append(part)
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
    return tuple(found)


def _to_list(document: Any, bare: bool) -> Any:
    if not isinstance(document, dict):
        return document
    if bare:
        return [{KEY: key, BARE: row} for key, row in document.items()]
    if not all(isinstance(row, dict) for row in document.values()):
        return document
    return [{KEY: key, **row} for key, row in document.items()]


def _to_mapping(document: Any, bare: bool) -> Any:
    if not isinstance(document, list):
        return document
    if bare:
        made = {row[KEY]: row[BARE] for row in document}
    else:
        made = {row[KEY]: {key: part for key, part in row.items() if key != KEY} for row in document}
    if len(made) < len(document):
        raise FileError("two rows would stand under one key")
    return made


def _is_bare(rule: Rule) -> bool:
    """Whether what stands under a key is the row's one value itself, not a mapping."""
    return isinstance(rule, MapRule) and any(one.keys == (BARE,) for one in rule.fields)


def _change(rule: Rule, rows: ChangeRows) -> Change | None:
    if isinstance(rule, TableRule):
        inner = _change(rule.row, rows)
        return _of_rows(inner, partial(rows, bare=_is_bare(rule.row)) if rule.keyed else None)
    if isinstance(rule, OneOf):
        return next((change for one in rule.alternatives if (change := _change(one, rows)) is not None), None)
    if isinstance(rule, MapRule):
        fields = {one.keys[0]: change for one in rule.fields if (change := _change(one.rule, rows)) is not None}
        return _of_fields(fields, [change for one in rule.alternatives if (change := _change(one, rows)) is not None])
    return None


def _of_rows(inner: Change | None, rows: Change | None) -> Change | None:
    if inner is None:
        return rows

    def change(document: Any) -> Any:
        if isinstance(document, dict) and rows is not None:
            document = rows(document)
        changed = [inner(row) for row in document] if isinstance(document, list) else document
        return rows(changed) if rows is not None else changed

    return change


def _of_fields(fields: dict[str, Change], others: Sequence[Change]) -> Change | None:
    if not fields and not others:
        return None

    def change(document: Any) -> Any:
        if isinstance(document, dict):
            document = {key: fields[key](part) if key in fields else part for key, part in document.items()}
            for other in others:
                document = other(document)
        return document

    return change
