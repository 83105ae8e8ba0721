"""Notes in records which kept and unknown fields their rows have, for when the rows themselves are not kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from formatspec.engine.base.faults import Record

KEPT = "$kept"
"""The key in a record for the keys of its kept and unknown fields that hold a value."""
AREA = "$area"
"""The key in an object's record for the area that its row states."""
RESTATES = "$restates"
"""The key in a record of which a kept field is still to be compared with the value that would be made."""
KEPT_ROWS = "$kept_rows"
"""The key in an item's record for the names of rows that are only kept."""


def note_kept(record: Record, key: str) -> None:
    """Note in a record that a kept or unknown field of its row holds a value."""
    record[KEPT] = (*record.get(KEPT, ()), key)


def note_all_kept(record: Record, keys: Sequence[str]) -> None:
    """Note several fields at once.

    Adding them to a tuple one by one would take quadratic time.
    """
    if keys:
        record[KEPT] = (*record.get(KEPT, ()), *keys)


def take_kept(record: Record, other: Record) -> None:
    """Add the notes of another record, which becomes part of this one."""
    if KEPT in other:
        record[KEPT] = (*record.get(KEPT, ()), *other[KEPT])


def forget_kept(kept: Sequence[str], key: str) -> tuple[str, ...]:
    """Return the notes of a record without one of those of a field."""
    at = kept.index(key)
    return (*kept[:at], *kept[at + 1 :])


def holds_value(value: Any, textual: bool = False) -> bool:
    """Return whether a kept field holds anything: null is nothing, and so is an empty text if all values are texts."""
    if type(value) is Raw:
        return bytes(value) != b"null"
    return value is not None and not (textual and value == "")


def name_of_row(row: Any, table: str) -> str:
    """Return the name of a row that is only kept: its table's key, and the first text in it."""
    values = row.values() if isinstance(row, dict) else ()
    kind = next((value for value in values if isinstance(value, str) and value), "")
    return f"{table} {kind}".strip()


def kept_of_item(record: Record) -> list[tuple[str, str]]:
    """Return what an item's own rows keep, for the loss report, each with the unit in which it is counted."""
    fields = [(f"kept fields: {key}", "items") for key in dict.fromkeys(record.get(KEPT, ()))]
    return [*fields, *((f"kept rows: {name}", "rows") for name in record.get(KEPT_ROWS, ()))]
