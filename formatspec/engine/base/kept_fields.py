"""Fields of rows that a format keeps or does not know, noted in records where the rows themselves are not held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from formatspec.engine.base.faults import Record

KEPT = "$kept"
"""Where a record holds the keys of its kept and unknown fields that hold a value."""
AREA = "$area"
"""Where an object's record holds the area that its row states."""
KEPT_ROWS = "$kept_rows"
"""Where an item's record holds the names of rows that are only carried along."""


def note_kept(record: Record, key: str) -> None:
    """Note in a record that a kept or unknown field of its row holds a value."""
    record[KEPT] = (*record.get(KEPT, ()), key)


def note_all_kept(record: Record, keys: Sequence[str]) -> None:
    """Note several fields at once.

    Adding them one by one to a tuple would take time that grows with the square of their number.
    """
    if keys:
        record[KEPT] = (*record.get(KEPT, ()), *keys)


def take_kept(record: Record, other: Record) -> None:
    """Let a record have what was noted of another, which becomes part of it."""
    if KEPT in other:
        record[KEPT] = (*record.get(KEPT, ()), *other[KEPT])


def holds_value(value: Any, textual: bool = False) -> bool:
    """Whether a kept field holds anything: null is nothing, nor is an empty text where all values are texts."""
    if type(value) is Raw:
        return bytes(value) != b"null"
    return value is not None and not (textual and value == "")


def name_of_row(row: Any, table: str) -> str:
    """How a row that is only carried along is named: by its table's key, and by the first text in it."""
    values = row.values() if isinstance(row, dict) else ()
    kind = next((value for value in values if isinstance(value, str) and value), "")
    return f"{table} {kind}".strip()


def kept_of_item(record: Record) -> list[tuple[str, str]]:
    """What an item's own rows keep, for the loss report, with the unit in which it is counted."""
    fields = [(f"kept fields: {key}", "items") for key in dict.fromkeys(record.get(KEPT, ()))]
    return [*fields, *((f"kept rows: {name}", "rows") for name in record.get(KEPT_ROWS, ()))]
