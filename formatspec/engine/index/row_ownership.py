"""The result of joining: shared files with their tables, and which rows belong to which item."""

from __future__ import annotations

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
    """A table of a shared document: its path, and how its rows are read and joined.

    Attributes:
        named: The fields of a row that tell which item it belongs to; None if all fields must be looked at.
        names: For each reader the key by which rows name their item's image, or None.
        names_only: Whether rows tell only which item they are about.
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

    @property
    def telling(self) -> tuple[str, ...]:
        """The keys of a row that say to which items it belongs; none where rows of one item may differ otherwise."""
        if self.kind == "item" or len(self.joiners) > 1 or self.named is None:
            return ()
        return tuple(key for key, matters in self.named.items() if matters)


class SharedFile(msgspec.Struct):
    """A shared file that was read. Its document leaves out the rows of tables that are located in the file.

    Attributes:
        values: The slots that it states for all its items, outside its tables.
        items: How many items it has, if that is needed.
        open_end: Whether its last line has no newline.
        union: Whether it is a list made of other lists, so that some of its items do not get its subset.
        subsets: The subsets that it names a folder for, except those that may be without images.
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
    """A row whose id is missing or repeats an earlier one: the key of the id, the id or None, and a free id."""

    key: str
    value: Any
    fresh: Any


class TableFile(NamedTuple):
    """A table in one file, with its column names if the file states them.

    Attributes:
        captures: The names in the file's path.
        split: Those of them within which ids of items are unique.
        repeated: The rows with repeated ids, by position.
    """

    table: Table
    file: str
    rows: RowSource
    columns: tuple[str, ...]
    captures: Mapping[str, Any] = MappingProxyType({})
    split: Split = ()
    repeated: dict[int, RepeatedId] = {}  # noqa: RUF012  # a table in which none does


OWNED = [("owner", "i4"), ("part", "i2"), ("position", "i4"), ("alternative", "i1")]
"""The columns of a row that belongs to an item: the item's number, the row's part, its position, and its reader."""


class Joined(NamedTuple):
    """What a row said of its item, and the numbers of the items that it was given to."""

    told: list[Any]
    owners: Sequence[int]


class Run(msgspec.Struct, frozen=True):
    """Consecutive rows of one item in a table; `which` gives the alternative of each."""

    part: TableFile
    start: int
    which: Sequence[int]


class RowOwnership:
    """Which rows belong to which item. For many rows, memory holds only how many each item has.

    Attributes:
        values_of: The files that state something about an item outside their tables; None if no file does.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self.parts: list[TableFile] = []
        self.values_of: Callable[[Entry], Iterable[SharedFile]] | None = None
        self._rows = Records(OWNED)
        self._bounds: Any = None

    def add(self, owner: int, position: int, alternative: int) -> None:
        """Note that a row of the last part belongs to an item."""
        self._rows.note(owner, len(self.parts) - 1, position, alternative)

    def add_all(self, owners: Any, start: int) -> None:
        """Note the items of consecutive rows of the last part, which the first reader reads."""
        count = len(owners)
        places = np.arange(start, start + count, dtype=np.int32)
        self._rows.add(owners, np.full(count, len(self.parts) - 1, np.int16), places, np.zeros(count, np.int8))

    def of_last_part(self) -> Iterator[tuple[Any, Any]]:
        """Yield the owners and the positions of the last part's rows, in pieces."""
        for _, rows in self._rows.pieces():
            own = rows[rows["part"] == len(self.parts) - 1]
            yield own["owner"], own["position"]

    def settle(self, entries: int) -> None:
        """Sort the rows by item; the rows of one item stay in the order in which they were noted."""
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

    def of(self, entry: Entry) -> dict[str, list[Run]]:
        """Return an item's rows in runs, by the roles of their files."""
        found: dict[str, list[Run]] = {}
        if not self.parts:
            return found
        rows = self._rows_of(entry).tolist()
        place, end = 0, len(rows)
        while place < end:
            _, part, start, _ = rows[place]
            stop = place + 1
            while stop < end and rows[stop][1] == part and rows[stop][2] == start + stop - place:
                stop += 1
            run = Run(self.parts[part], start, [row[3] for row in rows[place:stop]])
            role = run.part.table.role
            if role in found:
                found[role].append(run)
            else:
                found[role] = [run]
            place = stop
        return found

    def roles(self, entry: Entry) -> set[str]:
        """Return the roles whose files hold rows of an item."""
        return {self.parts[part].table.role for part in set(self._rows_of(entry)["part"].tolist())}

    def _rows_of(self, entry: Entry) -> Any:
        return self._rows.read(int(self._bounds[entry.number]), int(self._bounds[entry.number + 1]))
