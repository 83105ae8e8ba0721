"""The source rows of records, and the contexts in which records are written, with the record as it was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.resolve.table_ids import rows_key, stood_key
from formatspec.model.records import Category, Origin

NOT_READ = 1 << 60
"""The position of a record that was not read from a table: behind all others."""


def context_of(record: Any, up: WriteContext, index: int, rows: int) -> WriteContext:
    """Return the context of a record; its `as_read` is the context of the record as it was read."""
    context = WriteContext(up.setting, up.item, record, up, index, rows)
    origin = getattr(record, "origin", None)
    if up.as_read is not None and origin is not None and origin.as_read is not None:
        context.as_read = WriteContext(up.setting, up.as_read.item, origin.as_read, up.as_read, origin.index, rows)
    return context


def contexts_of(records: list[Any], context: WriteContext) -> list[WriteContext]:
    """Return the contexts of a table's records, each with its index and the number of records."""
    return [context_of(record, context, index, len(records)) for index, record in enumerate(records)]


def source_of(record: Any, number: int, file: str) -> tuple[int, Any] | None:
    """Return the position of a record's row in its table and the row; for an item, the row in this file."""
    origin = getattr(record, "origin", None)
    if origin is None:
        return None
    found: tuple[int, Any] | None = origin.rows.get((number, file), origin.rows.get(number))
    return _under_another_name(origin, number) if found is None and file else found


def _under_another_name(origin: Origin, number: int) -> tuple[int, Any] | None:
    """Return the only row of a table that a record was read from, if its file has another name now."""
    rows = [row for key, row in origin.rows.items() if isinstance(key, tuple) and key[0] == number]
    return rows[0] if len(rows) == 1 else None


def source_count(record: Any, number: int) -> int:
    """Return how many rows of a table a record was read from."""
    origin = getattr(record, "origin", None)
    if origin is None or number not in origin.rows:
        return 0
    return len(origin.rows.get(rows_key(number), ())) or 1


def stands_in(record: Any, numbers: Iterable[int], source: Any, part: int) -> bool:
    """Whether a record's row belongs in this list, where several rows of an item each hold such a list.

    A record that was read from another of the lists stays there. A record that was read from none goes into the first.

    Args:
        record: The record.
        numbers: The tables whose rows are in the list.
        source: The list as it was read.
        part: The position, from 1, of the item's row that holds the list.
    """
    own = [row for number in numbers for row in _rows_of(record, number)]
    return any(_is_among(row, source) for row in own) if own else part == 1


def _rows_of(record: Any, number: int) -> Sequence[Any]:
    """Return the rows of a table that a record was read from, unchanged."""
    rows = {} if getattr(record, "origin", None) is None else record.origin.rows
    if number not in rows:
        return ()
    return [row for _, row in rows.get(rows_key(number), (rows.get(stood_key(number), rows[number]),))]


def _is_among(row: Any, source: Any) -> bool:
    return isinstance(source, list) and any(row is one for one in source)


def each_row(context: WriteContext, number: int, source: Any, part: int) -> list[WriteContext]:
    """Return one context of a record for each row of a table that it was read from; its own if there was none or one.

    part: the number of the list, if several rows of the item hold such lists: only rows that are in `source` are given;
    else 0.
    """
    contexts = [context, *repeated(context, number)]
    rows = _rows_of(context.record, number)
    if not part or not rows:
        return contexts
    return [one for one, row in zip(contexts, rows, strict=False) if _is_among(row, source)]


def repeated(context: WriteContext, number: int) -> list[WriteContext]:
    """Return the contexts of a record for the second and further rows of a table that it was read from."""
    origin = getattr(context.record, "origin", None)
    if origin is None:
        return []
    found = []
    for row in origin.rows.get(rows_key(number), ())[1:]:
        own = Origin({number: row}, index=origin.index)
        own.as_read = None if origin.as_read is None else msgspec.structs.replace(origin.as_read, origin=own)
        record = msgspec.structs.replace(context.record, origin=own)
        again = WriteContext(context.setting, context.item, record, context.up, context.index, context.rows)
        if context.as_read is not None:
            then = context.as_read
            again.as_read = WriteContext(then.setting, then.item, own.as_read, then.up, then.index, then.rows)
        found.append(again)
    return found


def position_of(record: Any, number: int, file: str = "") -> int:
    """Return the position of a record's row in its table; one behind all others if it was not read from there."""
    found = source_of(record, number, file)
    return NOT_READ if found is None else found[0]


def is_elsewhere(record: Any, number: int, context: WriteContext) -> bool:
    """Whether a category was read from other tables only, so that the table of this number does not list it."""
    rows = record.origin.rows if context.as_read is not None and isinstance(record, Category) and record.origin else {}
    return bool(rows) and number not in rows


def lists_again(numbers: set[int], context: WriteContext) -> bool:
    """Whether no category was read from the tables of these numbers, because another list defines them."""
    origins = [one.origin for one in context.setting.categories.listed if one.origin is not None]
    return bool(origins) and not any(numbers & origin.rows.keys() for origin in origins)
