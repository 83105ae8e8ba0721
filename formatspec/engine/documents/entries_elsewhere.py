"""Rows that are told in two places: under their own key, and under the same key in another table of the document.

The field `[TABLE]` of a row that stands under a key, where its rule is a mapping, is what TABLE has under that key. To
the rules it is a part of the row; in the file it stands in TABLE, once for all rows with the key.
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
    """Another table that has an entry under the key of a row: the row's field, and the keys that lead to the table."""

    field: str
    table: tuple[str, ...]


def elsewhere_of(rules: Sequence[TableRule]) -> tuple[Elsewhere, ...]:
    """The other tables that the rows of one table have entries in."""
    found: dict[str, Elsewhere] = {}
    for rule in rules:
        for field in rule.row.fields if isinstance(rule.row, MapRule) else ():
            matched = STEP_OF.fullmatch(field.keys[0])
            if matched is not None and isinstance(field.rule, MapRule):
                found[field.keys[0]] = Elsewhere(field.keys[0], tuple(matched["list"].split(".")))
    return tuple(found.values())


def with_entries(row: dict[str, Any], key: Any, tables: Sequence[Elsewhere], around: Around) -> dict[str, Any]:
    """A row with what other tables of the document have under its key."""
    found = dict(row)
    for one in tables:
        table: Any = around.root
        for name in one.table:
            table = table.get(name) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping) and key in table:
            found[one.field] = table[key]
    return found


def note_entries(row: Mapping[str, Any], key: Any, tables: Sequence[Elsewhere], around: Around) -> None:
    """Note what a written row says of itself in other tables.  Raises FileError where another row says otherwise."""
    for one in tables:
        entry = row.get(one.field)
        if entry is None:
            continue
        noted = around.known.setdefault(_NOTED, {}).setdefault(one.table, {})
        if noted.setdefault(key, entry) != entry:
            words = f"two rows under the key {key!r} differ in what {'.'.join(one.table)} says of it"
            raise FileError(f"{words}: {noted[key]!r} and {entry!r}")


def with_noted(document: Any, around: Around) -> Any:
    """A document with the noted entries in their tables; entries that no row notes stay as they are."""
    for way, entries in around.known.get(_NOTED, {}).items():
        document = _put(document, way, entries)
    return document


def _put(document: Any, way: Sequence[str], entries: Mapping[Any, Any]) -> dict[Any, Any]:
    own = dict(document) if isinstance(document, Mapping) else {}
    return {**own, **entries} if not way else {**own, way[0]: _put(own.get(way[0]), way[1:], entries)}
