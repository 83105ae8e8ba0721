"""Notes which records were written and which of their slots the rows hold; losses are counted from these notes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.resolve.held_slots import WRITTEN, record_mark


def hold(context: WriteContext, bits: int) -> None:
    """Note that a context's record is written and that its row holds these slots."""
    hold_mark(context, record_mark(context.record), bits)


def hold_all(context: WriteContext, records: Sequence[Any], bits: int) -> None:
    """Note that several objects are written and that their rows hold these slots."""
    held = context.setting.held
    for one in map(id, records):
        held[one] = held.get(one, 0) | bits
    if bits & WRITTEN:
        context.setting.claims += len(records)


def hold_no_more(context: WriteContext, record: Any) -> None:
    """Remove the note that a record is written."""
    context.setting.held.pop(record_mark(record), None)


def take_back(context: WriteContext, claims: int, write_again: Callable[[], object]) -> None:
    """Remove the notes that were made while rows were written that a file then could not hold.

    Args:
        context: A context of the rows' item.
        claims: How many rows the writers had given before.
        write_again: Writes the rows once more, so that the notes are known.
    """
    setting = context.setting
    held, refused = setting.held, setting.refused
    setting.held, setting.refused = {}, []
    try:
        write_again()
    finally:
        made, setting.held, setting.refused, setting.claims = setting.held, held, refused, claims
    for mark, bits in made.items():
        held[mark] = held.get(mark, 0) & ~bits


def refuse(context: WriteContext, names: Iterable[str]) -> None:
    """Note that a row leaves out what these names say of a context's record, because the row cannot spell it.

    If the context is that of an attribute with a row of its own, the record is the one that has the attribute.
    """
    record = context.record
    if isinstance(record, tuple) and context.up is not None:
        record, names = context.up.record, (f"attributes.{record[0]}",)
    context.setting.refused.append((record_mark(record), tuple(names)))


def hold_mark(context: WriteContext, one: Hashable, bits: int) -> None:
    """Note that the record with a mark (`record_mark`) is written and that its row holds these slots."""
    if bits:
        held = context.setting.held
        held[one] = held[one] | bits if one in held else bits
        if bits & WRITTEN:
            context.setting.claims += 1
