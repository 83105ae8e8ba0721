"""Rows in two parts: one under their own key, one under the same key in another table of the document.

The field `[TABLE]` of a row under a key stands for what TABLE has under that key, if the field's rule is a mapping.
Rules see it as a part of the row. In the file it stands in TABLE, once for all rows with the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.documents.around import Around
from formatspec.files.document import FileError
from formatspec.language.rules import STEP_OF, MapRule, TableRule

_NOTED = "entries"


class Elsewhere(msgspec.Struct, frozen=True):
    """Another table with an entry under a row's key: the row's field, and the keys that lead to the table."""

    field: str
    table: tuple[str, ...]


def elsewhere_of(rules: Sequence[TableRule]) -> tuple[Elsewhere, ...]:
    """Return the other tables in which the rows of one table have entries."""
    found: dict[str, Elsewhere] = {}
    for rule in rules:
        for field in rule.row.fields:
            matched = STEP_OF.fullmatch(field.keys[0])
            if matched is not None and isinstance(field.rule, MapRule):
                found[field.keys[0]] = Elsewhere(field.keys[0], tuple(matched["list"].split(".")))
    return tuple(found.values())


def with_entries(row: dict[str, Any], key: Any, tables: Sequence[Elsewhere], around: Around) -> dict[str, Any]:
    """Return a row with the entries of other tables under its key."""
    found = dict(row)
    for one in tables:
        table: Any = around.root
        for name in one.table:
            table = table.get(name) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping) and key in table:
            found[one.field] = table[key]
    return found


def note_entries(row: Mapping[str, Any], key: Any, tables: Sequence[Elsewhere], around: Around) -> None:
    """Note a written row's entries in other tables. Raises FileError if another row has a different entry."""
    for one in tables:
        entry = row.get(one.field)
        if entry is None:
            continue
        noted = around.known.setdefault(_NOTED, {}).setdefault(one.table, {})
        if noted.setdefault(key, entry) != entry:
            words = f"two rows under the key {key!r} differ in what {'.'.join(one.table)} says of it"
            raise FileError(f"{words}: {noted[key]!r} and {entry!r}")


def with_noted(document: Any, around: Around) -> Any:
    """Return a document with the noted entries in their tables; other entries stay."""
    for way, entries in around.known.get(_NOTED, {}).items():
        document = _put(document, way, entries)
    return document


def _put(document: Any, way: Sequence[str], entries: Mapping[Any, Any]) -> dict[Any, Any]:
    own = dict(document) if isinstance(document, Mapping) else {}
    return {**own, **entries} if not way else {**own, way[0]: _put(own.get(way[0]), way[1:], entries)}
