"""What joining gives: shared files with their tables, and which rows belong to which item."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import numpy as np

from formatspec.engine.base.scratch_records import Records
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.projection import Fields, RowSource
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.engine.splits.id_scopes import Split
from formatspec.model.amounts import amounts


class Table(msgspec.Struct, frozen=True):
    """A table of a shared document: where it stands, how its rows are read and joined.

    named: the fields of a row that tell which item it belongs to; None where all must be looked at.
    names: for each reader the key under which rows name their item's image, if they do.  names_only: whether rows tell
    no more than which item they are about.
    """

    role: str
    path: tuple[str, ...]
    kind: str
    readers: tuple[RowReader, ...]
    joiners: tuple[RowReader, ...]
    source: bool
    named: Fields | None = None
    names: tuple[str | None, ...] = ()
    names_only: bool = False


class SharedFile(msgspec.Struct):
    """A shared file, read once; of tables whose rows are sought in the file, the document holds none.

    values: the slots that it states for all its items, outside its tables.  items: how many items it has, where that is
    asked.
    open_end: whether its last line has no newline.
    union: whether it is a list of items of which some have no such subset, as the list is made of others.
    subsets: those that it names a folder for, but for those without an image where the format lets that pass.
    """

    role: str
    path: str
    captures: dict[str, Any]
    document: Any = None
    tables: dict[tuple[str, ...], RowSource] = msgspec.field(default_factory=dict)
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    items: int | None = None
    union: bool = False
    open_end: bool = False
    subsets: tuple[str, ...] = ()


class RepeatedId(NamedTuple):
    """A row of which the id stood before, or is missing: the key of its id, the id or None, one that no row has."""

    key: str
    value: Any
    fresh: Any


class TableFile(NamedTuple):
    """A table in one file, with the names of its columns if it states them.

    captures: the names in the file's path.  split: those of them within which its ids of items hold.
    repeated: by their places, the rows whose ids stood in the table before.
    """

    table: Table
    file: str
    rows: RowSource
    columns: tuple[str, ...]
    captures: Mapping[str, Any] = MappingProxyType({})
    split: Split = ()
    repeated: dict[int, RepeatedId] = {}  # noqa: RUF012  # a table in which none does


OWNED = [("owner", "i4"), ("part", "i2"), ("position", "i4"), ("alternative", "i1")]
"""A row that belongs to an item: the item's number, the place of the row's part and its own, its reader."""


class Run(NamedTuple):
    """Rows of one item that follow each other in a table; `which`: the alternative that each is."""

    part: TableFile
    start: int
    which: Sequence[int]


class RowOwnership:
    """Which rows belong to which item, as numbers; of many, in memory only how many each item has.

    values_of: the files that say something of an item outside their tables; None where none does.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self.parts: list[TableFile] = []
        self.values_of: Callable[[Entry], Iterable[SharedFile]] | None = None
        self._rows = Records(OWNED)
        self._noted = (array("i"), array("h"), array("i"), array("b"))
        self._bounds: Any = None
        self._piece = amounts().piece

    def add(self, owner: int, position: int, alternative: int) -> None:
        """Note that a row of the last part belongs to an item."""
        owners, parts, positions, alternatives = self._noted
        owners.append(owner)
        parts.append(len(self.parts) - 1)
        positions.append(position)
        alternatives.append(alternative)
        if len(owners) >= self._piece:
            self._put_away()

    def add_all(self, owners: Any, start: int) -> None:
        """Note that rows of the last part, which follow each other, belong to items, each by its first reader."""
        self._put_away()
        count = len(owners)
        places = np.arange(start, start + count, dtype=np.int32)
        self._rows.add(owners, np.full(count, len(self.parts) - 1, np.int16), places, np.zeros(count, np.int8))

    def _put_away(self) -> None:
        self._rows.add(*(np.frombuffer(column, column.typecode) if column else () for column in self._noted))
        self._noted = (array("i"), array("h"), array("i"), array("b"))

    def of_last_part(self) -> Iterator[tuple[Any, Any]]:
        """The owners and the places of the last part's rows, some at a time."""
        self._put_away()
        for _, rows in self._rows.pieces():
            own = rows[rows["part"] == len(self.parts) - 1]
            yield own["owner"], own["position"]

    def settle(self, entries: int) -> None:
        """Put the rows in the order of the items that they belong to, each item's as they were noted."""
        self._put_away()
        counts = np.zeros(entries + 1, np.int64)
        spans = []
        for start, rows in self._rows.pieces():
            owners = rows["owner"]
            counts += np.bincount(owners + 1, minlength=entries + 1)
            spans.append((int(owners.min()), int(owners.max()), start, start + len(owners)))
        self._bounds = np.cumsum(counts)
        settled = Records(OWNED)
        owner = 0
        while owner < entries:
            end = int(np.searchsorted(self._bounds, self._bounds[owner] + amounts().ordered_rows, "right")) - 1
            stop = min(max(end, owner + 1), entries)
            found = [self._rows.read(*span) for low, high, *span in spans if low < stop and high >= owner]
            own = [rows[(rows["owner"] >= owner) & (rows["owner"] < stop)] for rows in found]
            rows = np.concatenate(own) if own else np.zeros(0, OWNED)
            settled.extend(rows[np.argsort(rows["owner"], kind="stable")])
            owner = stop
        self._rows = settled

    def of(self, entry: Entry) -> Iterator[Run]:
        """An item's rows."""
        if not self.parts:
            return
        rows = self._rows_of(entry)
        _, parts, positions, alternatives = (rows[name].tolist() for name, _ in OWNED)
        place, end = 0, len(parts)
        while place < end:
            stop, start = place + 1, positions[place]
            while stop < end and parts[stop] == parts[place] and positions[stop] == start + stop - place:
                stop += 1
            yield Run(self.parts[parts[place]], start, alternatives[place:stop])
            place = stop

    def roles(self, entry: Entry) -> set[str]:
        """The roles whose files hold rows of an item."""
        return {self.parts[part].table.role for part in set(self._rows_of(entry)["part"].tolist())}

    def _rows_of(self, entry: Entry) -> Any:
        return self._rows.read(int(self._bounds[entry.number]), int(self._bounds[entry.number + 1]))
