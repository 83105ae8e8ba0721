"""Rows of shared files: which records of an item have a row in a table, and the rows put there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from formatspec.engine.base.scratch_records import mark
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.export.gather_rows import LAST_PLACE, Gathered, Shared, gather_row
from formatspec.engine.export.lost.lost_records import ONE_PER_ITEM
from formatspec.engine.export.memberships import has_moved
from formatspec.engine.export.shard_output import SharedShard, TableShard, once
from formatspec.engine.export.shared_tables import rows_of_groups
from formatspec.engine.resolve.row_counters import Relative
from formatspec.engine.resolve.table_ids import beside_key
from formatspec.engine.spec.compiled import Format
from formatspec.engine.write.geometry_choice import too_flat, without_flat
from formatspec.engine.write.mark_written import hold, take_back
from formatspec.engine.write.source_rows import context_of, source_of
from formatspec.engine.write.table_rows import RowWriter, without
from formatspec.files.document import FileError
from formatspec.model.records import Item
from formatspec.model.slots import TABLES

Lost = dict[int, LostRow]
"""The records without a row, by their identity."""


class RowSpool:
    """Puts the rows of items into the tables of shared files.

    Attributes:
        numbers: For each object, by its identity: its number, if several files describe it and must use the same
            number.
    """

    def __init__(self, target: Format, numbering: Relative) -> None:
        """Take the target, and how rows are numbered."""
        self.target = target
        self.numbering = numbering
        self.numbers: dict[int, int] = {}
        self._of_groups = rows_of_groups(target)

    def rows(self, taking: Gathered, shared: Shared, item: Item, context: WriteContext) -> int:
        """Put an item's rows of a table into its shared file; return how many rows these are.

        A row that stands for several items is put there once, and counts for each of them.
        """
        part, table = shared.part, taking.table
        if (part.role, table.key) not in self._of_groups:
            return self._rows(taking, shared, item, context)
        made, counts = Gathered(table, TableShard()), part.counts
        part.counts = dict(counts)
        count = self._rows(made, shared, item, context)
        taking.rows.nulls += made.rows.nulls
        new = once(made.rows, shared.groups.setdefault(table.key, {}), mark(item.key))
        if not new.texts:
            part.counts = counts
        for place, text in enumerate(new.texts):
            taking.rows.add_text(text, new.sizes[place], new.places[place] if new.places else -1)
        return count

    def _rows(self, taking: Gathered, shared: Shared, item: Item, context: WriteContext) -> int:
        table, gathered = taking.table, taking.rows
        done: set[int] = set()  # each record gets one row, of the first alternative that can hold it
        lost: Lost = {}
        beside = 0
        for row in table.beside:
            beside += self._beside(row, shared, gathered, item, context)
        fitting: dict[int, Sequence[Any] | None] = {}
        for row, which in table.turns if context.as_read is not None else table.turns_anew:
            if id(row) not in fitting:
                fitting[id(row)] = self._fitting(row, context)
            own = fitting[id(row)]
            if own and done:
                own = [one for one in own if id(one) not in done]
            if own and which:
                own = [one for one in own if table.holds(row, which, context, one)]
            if own is None:
                self._each(taking, row, which, shared, item, context, done, lost)
            elif own:
                self._anew(row, own, shared, gathered, context, done, lost)
        if lost:
            context.setting.lost.extend(found for key, found in lost.items() if key not in done)
        return len(done) + beside

    def _beside(
        self, row: RowWriter, shared: Shared, gathered: TableShard, item: Item, context: WriteContext
    ) -> int:  # fmt: skip
        """Put the kept rows that stood beside an item's own row into their table, as they were; return how many."""
        if context.as_read is None or item.origin is None:
            return 0
        codec = self.target.roles[shared.part.role].codec
        assert codec is not None
        rows = item.origin.rows.get(beside_key(row.number, context.setting.file), ())
        for position, document in rows:
            gathered.add([document], min(position, LAST_PLACE), codec)
        return len(rows)

    def _fitting(self, row: RowWriter, context: WriteContext) -> Sequence[Any] | None:
        """Return the records that fulfil a row's condition; None if a record needs a context of its own."""
        if context.as_read is not None or row.kept:
            return None
        records: Sequence[Any] = tuple(row.select(context))
        whole = TABLES[row.table] == "item"
        if not records and not whole:
            return ()
        if row.plain is None or row.late or row.rule.each.by == ("item",) or (whole and row.where is not None):
            return None
        if whole:
            return (context.item,)
        if row.shape:
            records = without_flat(row.shape, records)
        return row.fitting(records, context)

    def _anew(
        self, row: RowWriter, records: Sequence[Any], shared: Shared, gathered: TableShard, context: WriteContext,
        done: set[int], lost: Lost,
    ) -> None:  # fmt: skip
        """Put the rows of records that have no source into their table; all are written by one alternative."""
        counts, setting = shared.part.counts, context.setting
        codec = self.target.roles[shared.part.role].codec
        assert codec is not None
        before, claims, refused = counts.get(row.table, 0), setting.claims, len(setting.refused)
        documents = self._documents(row, records, shared, context, done, lost)
        if not documents:
            return
        try:
            gathered.add(documents, -1, codec, row.counting)
        except FileError as error:
            counts[row.table] = before
            del setting.refused[refused:]
            take_back(context, claims, lambda: row.rows_anew(records, repeat(0), 0, context, []))
            done.difference_update(map(id, records))
            if len(records) == 1:
                lost.setdefault(id(records[0]), LostRow(row.table, records[0], error.message))
                return
            for record in records:  # one by one, so that only the rows that cannot be written are lost
                self._anew(row, (record,), shared, gathered, context, done, lost)

    def _documents(
        self, row: RowWriter, records: Sequence[Any], shared: Shared, context: WriteContext, done: set[int], lost: Lost
    ) -> list[Any]:
        """Return the rows of records that have no source, and note which records have one; count the rows."""
        counts, documents = shared.part.counts, list[Any]()
        indices = self._indices(records, row.table, shared.part, documents)
        lacking = row.rows_anew(records, indices, 0, context, documents)
        for record, reason in lacking:
            lost.setdefault(id(record), LostRow(row.table, record, f"no {reason}"))
        done.update(map(id, without(records, lacking)))
        counts[row.table] = counts.get(row.table, 0) + len(documents)
        return documents

    def _indices(
        self, records: Sequence[Any], table: str, part: SharedShard, documents: Sequence[Any]
    ) -> Iterator[int]:
        """Yield the number of each record's row, which depends on how many rows come before it.

        documents: the rows of the records before it.
        """
        numbers, number, file, before = (
            self.numbers,
            self.numbering.of,
            (part.role, part.path),
            part.counts.get(table, 0),
        )
        for record in records:
            own = numbers.get(id(record)) if numbers else None
            yield number(file, table, before + len(documents)) if own is None else own

    def _each(
        self, taking: Gathered, row: RowWriter, which: str, shared: Shared, item: Item, context: WriteContext,
        done: set[int], lost: Lost,
    ) -> None:  # fmt: skip
        """Put the rows of the records that an alternative takes in its turn into their table, one by one."""
        counts, file = shared.part.counts, (shared.part.role, shared.part.path)
        codec, gathered, table = self.target.roles[shared.part.role].codec, taking.rows, taking.table
        assert codec is not None
        whole = TABLES[row.table] == "item"
        records = (item,) if whole else tuple(row.select(context))
        alone = row.rule.each.by == ("item",)
        is_told = alone and any(id(record) in done for record in records)
        for record in records:
            if is_told and id(record) not in done:
                lost[id(record)] = LostRow(row.table, record, ONE_PER_ITEM)
                continue
            if id(record) in done or (context.as_read is None and too_flat(row.shape, record)):
                continue
            count = counts.get(row.table, 0)
            index = self.numbers.get(id(record), self.numbering.of(file, row.table, count))
            inner = context_of(record, context, index, 0)
            if whole:
                inner = item_context(context, index)
            if inner.as_read is not None:
                inner.as_read.index = index
            if not belongs(row, inner) or (which and not table.takes(row, which, inner)):
                continue
            if row.late:
                hold(inner, row.holds)
                shared.late.append((gathered, row, inner))
                counts[row.table] = count + 1
                shared.columns.update(dict.fromkeys(inner.record.attributes))
                continue
            why = gather_row(row, inner, gathered, codec, context.as_read is not None)
            if why:
                lost.setdefault(id(record), LostRow(row.table, record, why))
                continue
            done.add(id(record))
            is_told = alone
            counts[row.table] = count + 1


def belongs(row: RowWriter, context: WriteContext) -> bool:
    """Whether a record has a row in a shared table.

    The table's condition decides; if its answer has not changed since reading, a record has a row if it had one. A
    table whose rows are only kept gets no new rows.
    """
    if row.kept:
        return context.as_read is not None and source_of(context.record, row.number, context.setting.file) is not None
    now = row.fits(context)
    if context.as_read is None or row.fits(context.as_read) != now:
        return now
    return source_of(context.record, row.number, context.setting.file) is not None or _listed_anew(row, context)


def item_context(context: WriteContext, index: int) -> WriteContext:
    """Return the context of a row that describes its item itself; `index` is the row's number."""
    inner = WriteContext(context.setting, context.item, context.item, context, index)
    inner.as_read = context.as_read
    if inner.as_read is not None:
        inner.as_read.index = index
    return inner


def _listed_anew(row: RowWriter, context: WriteContext) -> bool:
    """Whether a row lists an item that has moved to another subset since it was read."""
    return row.table == "items" and context.as_read is not None and has_moved(context.item, context.as_read.item)
