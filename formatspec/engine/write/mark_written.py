"""Notes of the records that were written and of their slots that the rows hold; losses are counted from them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.resolve.held_slots import WRITTEN, record_mark


def hold(context: WriteContext, bits: int) -> None:
    """Note that a context's record is written, with these slots."""
    hold_mark(context, record_mark(context.record), bits)


def hold_all(context: WriteContext, records: Sequence[Any], bits: int) -> None:
    """Likewise of several objects."""
    held = context.setting.held
    for one in map(id, records):
        held[one] = held.get(one, 0) | bits
    if bits & WRITTEN:
        context.setting.claims += len(records)


def hold_no_more(context: WriteContext, record: Any) -> None:
    """Note that a record is not written after all."""
    context.setting.held.pop(record_mark(record), None)


def refuse(context: WriteContext, names: Iterable[str]) -> None:
    """Note that what these names say of a context's record is left out of its row, since it cannot be spelled there.

    Of an attribute that has a row of its own, its record is the one around it.
    """
    record = context.record
    if isinstance(record, tuple) and context.up is not None:
        record, names = context.up.record, (f"attributes.{record[0]}",)
    context.setting.refused.append((record_mark(record), tuple(names)))


def hold_mark(context: WriteContext, one: Hashable, bits: int) -> None:
    """Likewise of the record with a mark (`record_mark`), in the setting of a context."""
    if bits:
        held = context.setting.held
        held[one] = held.get(one, 0) | bits
        if bits & WRITTEN:
            context.setting.claims += 1
