"""Rows of a shared file, gathered while it is in the making."""

from __future__ import annotations

import msgspec

from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.shard_output import SharedShard, TableShard
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.engine.write.source_rows import position_of
from formatspec.engine.write.table_rows import RowWriter, write_record
from formatspec.files.document import FileError
from formatspec.model.records import Item


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
