"""Rows of a shared file, gathered while it is in the making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.shard_output import CountedField, SharedShard, TableShard
from formatspec.engine.export.shared_tables import Spooled
from formatspec.engine.spec.compiled import Format
from formatspec.engine.write.mark_written import hold
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.engine.write.source_rows import position_of, source_of
from formatspec.engine.write.table_rows import RowWriter, write_record
from formatspec.files.document import FileError
from formatspec.model.amounts import amounts
from formatspec.model.records import Item


class AlikeRows:
    """Rows of an item that several shared files list by the same rule, each written once for all of them.

    Files of boxes, of keypoints, of captions and of labels may list the same images.  `twins` numbers the tables that
    are written alike, by role and table; what was written of an item is kept until `begin` is called for the next one.
    """

    def __init__(self, target: Format, tables: Mapping[str, Sequence[Spooled]]) -> None:
        """Find which of the tables, given by role, are written alike in a target."""
        groups: list[tuple[Any, list[tuple[str, str]]]] = []
        for name, spooled in tables.items() if amounts().generates else ():
            role = target.roles[name]
            for table in spooled:
                if table.kind != "item" or len(table.rules) > 1:
                    continue
                kind = (role.kind, role.spec.style, role.captures, table.rules[0])
                members = next((members for known, members in groups if known == kind), None)
                if members is None:
                    groups.append((kind, [(name, table.key)]))
                else:
                    members.append((name, table.key))
        alike = [members for _, members in groups if len(members) > 1]
        self.twins = {member: number for number, members in enumerate(alike) for member in members}
        self._texts: dict[tuple[Any, ...], tuple[bytes, list[CountedField]]] = {}

    def begin(self) -> None:
        """Forget the rows of the item before."""
        self._texts.clear()

    def gather(
        self,
        twin: int | None,
        row: RowWriter,
        context: WriteContext,
        gathered: TableShard,
        codec: RoleCodec,
        in_place: bool,
    ) -> str:
        """Do what `gather_row` does, with the text of the row where it is written already.

        twin: the number of the tables that are written alike; None where this one is like no other.
        """
        if twin is None or in_place:
            return gather_row(row, context, gathered, codec, in_place)
        setting = context.setting
        key = (twin, context.index, setting.index, setting.folder)
        known = self._texts.get(key)
        if known is not None:
            hold(context, row.holds)
            gathered.add_text(*known)
            return ""
        refused, last = len(setting.refused), len(gathered.rows)
        why = gather_row(row, context, gathered, codec, False)
        if len(gathered.rows) > last and len(setting.refused) == refused and not gathered.places:
            self._texts[key] = gathered.rows[last], gathered.numbered.get(last, [])
        return why


class Shared(msgspec.Struct):
    """A part of a shared file in the making; `late` are rows that wait for the names of all columns."""

    setting: WriteSetting
    part: SharedShard
    late: list[tuple[TableShard, RowWriter, WriteContext]] = msgspec.field(default_factory=list)
    columns: dict[str, None] = msgspec.field(default_factory=dict)


def note_frame(spell: Writer | None, item: Item, shared: Shared) -> None:
    """Note the frame of an item, spelled by what writes it, for rows that go along the frames of their file."""
    if spell is None:
        return
    try:
        frame = int(spell(WriteContext(shared.setting, item, item), NO_SOURCE))
    except (LackingError, TypeError, ValueError):
        return
    shared.part.frames.append(frame)


LAST_PLACE = (1 << 31) - 1
"""The place of rows that no source told of: behind all others; places are kept as numbers of 32 bits."""


def gather_row(row: RowWriter, context: WriteContext, gathered: TableShard, codec: RoleCodec, in_place: bool) -> str:
    """Write a row, where it stood in its source if `in_place`; gives why it cannot be, nothing if it can."""
    try:
        place = min(position_of(context.record, row.number, context.setting.file), LAST_PLACE) if in_place else -1
        gathered.add(write_record(row, context), place, codec)
    except LackingError as lacking:
        return f"no {lacking}"
    except FileError as error:
        return error.message
    return ""


def belongs(row: RowWriter, context: WriteContext) -> bool:
    """Whether a record has a row in a shared table: as its condition says, or as it was while that is the same.

    A row of a table that is only kept is never made.
    """
    if row.kept:
        return context.as_read is not None and source_of(context.record, row.number, context.setting.file) is not None
    now = row.fits(context)
    if context.as_read is None or row.fits(context.as_read) != now:
        return now
    return source_of(context.record, row.number, context.setting.file) is not None or _has_moved(row, context)


def _has_moved(row: RowWriter, context: WriteContext) -> bool:
    """Whether an item came into another subset, whose list is another table than the one that told of it."""
    now, then = context.item, context.as_read.item if context.as_read is not None else None
    return row.table == "items" and now is not None and then is not None and now.subsets != then.subsets


def item_context(context: WriteContext, index: int) -> WriteContext:
    """The context of a row that tells of its item itself; `index` is the row's number."""
    inner = WriteContext(context.setting, context.item, context.item, context, index)
    inner.as_read = context.as_read
    if inner.as_read is not None:
        inner.as_read.index = index
    return inner
