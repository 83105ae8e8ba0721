"""Gathers the rows of a shared file while its items are written."""

from __future__ import annotations

import msgspec

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.lost.count_records import table_key
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.shard_output import SharedShard, TableShard
from formatspec.engine.index.entries import header_of
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import Role
from formatspec.engine.write.mark_written import take_back
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.engine.write.source_rows import position_of
from formatspec.engine.write.table_rows import RowWriter, write_record
from formatspec.files.document import FileError
from formatspec.model.records import Item
from formatspec.model.slots import TABLES


class Shared(msgspec.Struct):
    """A part of a shared file that is being written.

    `late` holds the rows that cannot be written before the names of all columns are known; `groups` says for how many
    items each row stands, in tables whose rows stand for several.
    """

    setting: WriteSetting
    part: SharedShard
    late: list[tuple[TableShard, RowWriter, WriteContext]] = msgspec.field(default_factory=list)
    columns: dict[str, None] = msgspec.field(default_factory=dict)
    groups: dict[str, dict[bytes, int]] = msgspec.field(default_factory=dict)

    def note_groups(self) -> None:
        """Note with the rows for how many items each stands."""
        for key, known in self.groups.items():
            table = self.part.tables[key]
            table.repeated = [known[text] for text in table.texts]


def note_frame(spell: Writer | None, item: Item, shared: Shared) -> None:
    """Note the frame number of an item, for formats that add or leave out rows between frames."""
    if spell is None:
        return
    try:
        frame = int(spell(WriteContext(shared.setting, item, item), NO_SOURCE))
    except (LackingError, TypeError, ValueError):
        return
    shared.part.frames.append(frame)


LAST_PLACE = (1 << 31) - 1
"""The place that is noted for a row when its real place is larger: places are stored as numbers of 32 bits."""


def gather_row(row: RowWriter, context: WriteContext, gathered: TableShard, codec: RoleCodec, in_place: bool) -> str:
    """Write a row and add it to its table.

    Args:
        row: The writer of the row.
        context: The record that the row tells of, and what is around it.
        gathered: The table that takes the row.
        codec: The codec of the file.
        in_place: Whether the row goes to the place that it had in its source; otherwise it goes to the end.

    Returns:
        Why the row could not be written; an empty text if it was written.
    """
    setting = context.setting
    claims, refused = setting.claims, len(setting.refused)
    try:
        place = min(position_of(context.record, row.number, context.setting.file), LAST_PLACE) if in_place else -1
        gathered.add([write_record(row, context)], place, codec, row.counting)
    except LackingError as lacking:
        return f"no {lacking}"
    except FileError as error:
        del setting.refused[refused:]
        take_back(context, claims, lambda: write_record(row, context))
        return error.message
    return ""


def write_late(role: Role, source: SharedFile | None, shared: Shared, losses: Losses, tally: Tally) -> None:
    """Write the rows that waited until all columns were known: first columns of the source, then of the rows."""
    if not shared.late:
        return
    assert role.codec is not None
    stated = header_of(role.document_rule, source.document) if source is not None else ()
    columns = shared.part.columns = stated or tuple(shared.columns)
    for gathered, row, inner in shared.late:
        for context in (inner, inner.as_read):
            if context is not None:
                context.env = msgspec.structs.replace(context.env, columns=columns)
        why = gather_row(row, inner, gathered, role.codec, inner.as_read is not None)
        if why:
            losses.note(f"{row.table} not written ({why})", row.table)
            tally.fell(row.table)
        else:
            tally.give(f"{shared.part.path} {table_key(gathered, shared.part)}", TABLES[row.table], 1)
