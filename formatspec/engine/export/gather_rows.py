"""Gathers the rows and values of a shared file while its items are written. Of values, the first item decides."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.lost.count_records import table_key
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.memberships import memberships
from formatspec.engine.export.render_path import Spelled, is_of, rendered
from formatspec.engine.export.shard_output import SharedShard, Standing, TableShard
from formatspec.engine.export.shared_tables import Spooled
from formatspec.engine.index.entries import header_of
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import Format, Role
from formatspec.engine.write.mark_written import take_back
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.engine.write.source_rows import position_of
from formatspec.engine.write.table_rows import RowWriter, write_record
from formatspec.files.document import FileError
from formatspec.model.records import Item
from formatspec.model.slots import TABLES


class Gathered(msgspec.Struct):
    """A table of a shared file whose rows are being gathered.

    Attributes:
        table: The table.
        rows: Its rows.
        leader: A table of another file that gets the same rows, so that both have them in common.
        given: How many rows the items' writers gave it.
        latest: How many of these the last item gave.
    """

    table: Spooled
    rows: TableShard
    leader: Gathered | None = None
    given: int = 0
    latest: int = 0


class Shared(msgspec.Struct):
    """A part of a shared file that is being written.

    `late` holds the rows that cannot be written before the names of all columns are known; `groups` says for which
    items each row stands, in tables whose rows stand for several.
    """

    role: Role
    setting: WriteSetting
    part: SharedShard
    tables: tuple[Gathered, ...]
    late: list[tuple[TableShard, RowWriter, WriteContext]] = msgspec.field(default_factory=list)
    columns: dict[str, None] = msgspec.field(default_factory=dict)
    groups: dict[str, dict[bytes, Standing]] = msgspec.field(default_factory=dict)

    def having(self, empty: frozenset[str], stated: int) -> tuple[Gathered, ...]:
        """Return the tables in which an item may have rows; see `Spooled.may_have_rows`."""
        return tuple(gathered for gathered in self.tables if gathered.table.may_have_rows(empty, stated))

    def note_groups(self) -> None:
        """Note with the rows for which items each stands."""
        for key, known in self.groups.items():
            table = self.part.tables[key]
            table.stands = [known[text] for text in table.texts]


Begin = Callable[[dict[str, Any]], WriteSetting]
"""Makes the setting of a shared file with some names in its path."""


class SharedFiles:
    """The parts of shared files that are being written, and which of them list an item."""

    def __init__(
        self, target: Format, tables: Mapping[str, Sequence[Spooled]], spelled: Spelled, begin: Begin,
        made: Container[str], alike: Mapping[tuple[str, str], int],
    ) -> None:  # fmt: skip
        """Begin without a file.

        Args:
            target: The layout that is written.
            tables: The tables of each role whose rows are gathered.
            spelled: How a path of the target is spelled in the file system.
            begin: Makes the setting of a file.
            made: The names in paths that follow from items.
            alike: For each table, by role and key: a number that it shares with the tables that get the same rows.
        """
        self.parts: dict[tuple[str, str], Shared] = {}
        self._target = target
        self._tables = tables
        self._spelled = spelled
        self._begin = begin
        self._made = made
        self._alike = alike
        self._leaders: dict[tuple[Any, ...], Gathered] = {}
        self._paths: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._listing: dict[tuple[Any, ...], tuple[tuple[Shared, tuple[Gathered, ...]], ...]] = {}
        roles = [target.roles[name] for name in tables]
        asked = {name for role in roles for name in (*role.captures, *role.template.names, *role.spec.given)}
        self._asked = tuple(sorted(asked))

    def apart(self) -> SharedFiles:
        """Return the same without any file, to write an item for trial."""
        return SharedFiles(self._target, self._tables, self._spelled, self._begin, self._made, self._alike)

    def take(self) -> dict[tuple[str, str], Shared]:
        """Return the parts by role and path, and begin anew."""
        parts, self.parts = self.parts, {}
        self._listing.clear()
        self._leaders.clear()
        return parts

    def of(self, role: Role, captures: Mapping[str, Any]) -> Shared:
        """Return the file of a role with some captures. Raises CannotWriteError."""
        told = (role.name, *[captures.get(name) for name in role.template.names])
        key = self._paths.get(told)
        if key is None:
            key = self._paths[told] = (role.name, self._spelled(rendered(role, captures)))
        shared = self.parts.get(key)
        if shared is None:
            names = {name: captures.get(name) for name in role.captures}
            part, setting = SharedShard(*key, names), self._begin(names)
            setting.folder = posixpath.dirname(key[1])
            tables = tuple(self._gathered(table, part, setting.folder) for table in self._tables[role.name])
            shared = self.parts[key] = Shared(role, setting, part, tables)
        return shared

    def _gathered(self, table: Spooled, part: SharedShard, folder: str) -> Gathered:
        """Begin a table of a file in a folder."""
        gathered = Gathered(table, part.tables.setdefault(table.key, TableShard()))
        number = self._alike.get((part.role, table.key))
        if number is not None:
            leader = self._leaders.setdefault((number, folder, *part.captures.values()), gathered)
            if leader is not gathered:
                gathered.leader = leader
                gathered.rows = part.tables[table.key] = leader.rows
        return gathered

    def listing(
        self, roles: Sequence[Role], item: Item, empty: frozenset[str], stated: int
    ) -> tuple[tuple[Shared, tuple[Gathered, ...]], ...]:
        """Return the files of some roles that list an item of another format, with the tables where it may have rows.

        The files follow from the item's subsets and names.

        Args:
            roles: The roles; those that begin with the same role are always the same.
            item: The item, as the target names it.
            empty: The tables of which it has no record.
            stated: The slots that any of its objects states, as bits.

        Raises:
            CannotWriteError: A path cannot be made of the item's names.
        """
        names = item.captures
        key = (roles[0].name, item.subsets, empty, stated, *[names.get(name) for name in self._asked])
        found = self._listing.get(key)
        if found is None:
            files = (
                self.of(role, captures)
                for role in roles
                if is_of(role, names, self._made)
                for captures in memberships(role, item, self._target, False, ())
            )
            found = self._listing[key] = tuple((shared, shared.having(empty, stated)) for shared in files)
        return found


def note_frame(spell: Writer, item: Item, shared: Shared) -> None:
    """Note the frame number of an item, for formats that add or leave out rows between frames."""
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


def write_late(source: SharedFile | None, shared: Shared, losses: Losses, tally: Tally) -> None:
    """Write the rows that waited until all columns were known: first columns of the source, then of the rows."""
    if not shared.late:
        return
    role = shared.role
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


def gather_values(slots: Iterable[str], item: Item, values: dict[str, Any], losses: Losses) -> None:
    """Add an item's values to those of the items before; a value that differs counts as lost."""
    for slot in slots:
        value = _value(item, slot)
        if value is None:
            continue
        if slot not in values:
            values[slot] = value
        elif values[slot] != value:
            losses.note(f"{slot} other than that of the first item in one file", "items")


def merge_values(values: dict[str, Any], more: dict[str, Any], count: int, losses: Losses) -> None:
    """Add the values of a later shard, with `count` items, to those of the shards before."""
    for slot, value in more.items():
        if values.setdefault(slot, value) != value:
            losses.note(f"{slot} other than that of the first item in one file", "items", count)


def _value(item: Item, slot: str) -> Any:
    if slot.startswith("attributes."):
        return item.attributes.get(slot.removeprefix("attributes."))
    if slot.startswith("image."):
        return None if item.image is None else attrgetter(slot)(item)
    return attrgetter(slot)(item)
