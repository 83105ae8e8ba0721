"""Rows of shared files given to the items that they tell of; rows of item sources make items."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from formatspec.engine.entries import Entries, Entry, header_of, item_key
from formatspec.engine.format import IMAGE, Format
from formatspec.engine.job import MILD, Fault, Job, Path
from formatspec.engine.row_reading import RowReader
from formatspec.engine.rows import Fields, RowSource
from formatspec.engine.scope import Meaning, Scope
from formatspec.engine.spill import PIECE, Records
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import LeafRule, MapRule


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a shared document: where it stands, how its rows are read and joined.

    named: the fields of a row that tell which item it belongs to; None where all must be looked at.
    """

    role: str
    path: tuple[str, ...]
    kind: str
    readers: tuple[RowReader, ...]
    joiners: tuple[RowReader, ...]
    source: bool
    named: Fields | None = None


@dataclass(slots=True)
class SharedFile:
    """A shared file, read once; of tables whose rows are sought in the file, the document holds none."""

    role: str
    path: str
    captures: dict[str, Any]
    document: Any = None
    tables: dict[tuple[str, ...], RowSource] = field(default_factory=dict)


class Part(NamedTuple):
    """A table in one file, with the names of its columns if it states them."""

    table: Table
    file: str
    rows: RowSource
    columns: tuple[str, ...]


OWNED = [("owner", "i4"), ("part", "i2"), ("position", "i4"), ("alternative", "i1")]
"""A row that belongs to an item: the item's number, the place of the row's part and its own, its reader."""
SETTLED = 1 << 18
"""Rows that are put in order together."""


class Run(NamedTuple):
    """Rows of one item that follow each other in a table; `which`: the alternative that each is."""

    part: Part
    first: int
    which: Sequence[int]


class Joined:
    """Which rows belong to which item, as numbers; of many, in memory only how many each item has."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._rows = Records(OWNED)
        self._noted = (array("i"), array("h"), array("i"), array("b"))
        self._bounds: Any = None

    def add(self, owner: int, position: int, alternative: int) -> None:
        """Note that a row of the last part belongs to an item."""
        owners, parts, positions, alternatives = self._noted
        owners.append(owner)
        parts.append(len(self.parts) - 1)
        positions.append(position)
        alternatives.append(alternative)
        if len(owners) >= PIECE:
            self._put_away()

    def add_all(self, owners: Any, first: int) -> None:
        """Note that rows of the last part, which follow each other, belong to items, each by its first reader."""
        self._put_away()
        count = len(owners)
        places = np.arange(first, first + count, dtype=np.int32)
        self._rows.add(owners, np.full(count, len(self.parts) - 1, np.int16), places, np.zeros(count, np.int8))

    def _put_away(self) -> None:
        self._rows.add(*(np.frombuffer(column, column.typecode) if column else () for column in self._noted))
        self._noted = (array("i"), array("h"), array("i"), array("b"))

    def settle(self, entries: int) -> None:
        """Put the rows in the order of the items that they belong to, each item's as they were noted."""
        self._put_away()
        counts = np.zeros(entries + 1, np.int64)
        spans = []
        for first, rows in self._rows.pieces():
            owners = rows["owner"]
            counts += np.bincount(owners + 1, minlength=entries + 1)
            spans.append((int(owners.min()), int(owners.max()), first, first + len(owners)))
        self._bounds = np.cumsum(counts)
        settled = Records(OWNED)
        owner = 0
        while owner < entries:
            end = int(np.searchsorted(self._bounds, self._bounds[owner] + SETTLED, "right")) - 1
            behind = min(max(end, owner + 1), entries)
            found = [self._rows.read(*span) for low, high, *span in spans if low < behind and high >= owner]
            own = [rows[(rows["owner"] >= owner) & (rows["owner"] < behind)] for rows in found]
            rows = np.concatenate(own) if own else np.zeros(0, OWNED)
            settled.extend(rows[np.argsort(rows["owner"], kind="stable")])
            owner = behind
        self._rows = settled

    def of(self, entry: Entry) -> Iterator[Run]:
        """An item's rows."""
        rows = self._rows_of(entry)
        _, parts, positions, alternatives = (rows[name].tolist() for name, _ in OWNED)
        place, end = 0, len(parts)
        while place < end:
            behind, first = place + 1, positions[place]
            while behind < end and parts[behind] == parts[place] and positions[behind] == first + behind - place:
                behind += 1
            yield Run(self.parts[parts[place]], first, alternatives[place:behind])
            place = behind

    def roles(self, entry: Entry) -> set[str]:
        """The roles whose files hold rows of an item."""
        return {self.parts[part].table.role for part in set(self._rows_of(entry)["part"].tolist())}

    def _rows_of(self, entry: Entry) -> Any:
        return self._rows.read(int(self._bounds[entry.number]), int(self._bounds[entry.number + 1]))


class Looked:
    """Items by some of their names, as they were when this was first asked for."""

    def __init__(self, form: Format, entries: Entries) -> None:
        self._form = form
        self._entries = entries
        self._by: dict[tuple[str, ...], dict[int, int | list[int]]] = {}
        self._alone: dict[tuple[str, ...], dict[Any, dict[Any, int]]] = {}

    def clear(self) -> None:
        """Items may have other names now."""
        self._by.clear()
        self._alone.clear()

    def of(self, shape: tuple[str, ...], key: tuple[Any, ...]) -> list[int]:
        """The numbers of the items with these names."""
        if shape not in self._by:
            by: dict[int, int | list[int]] = {}
            for entry in self._entries:
                own = _key_of(self._form, shape, entry)
                if own is not None:
                    mark = hash(own)
                    known = by.setdefault(mark, entry.number)
                    if known != entry.number:
                        by[mark] = [*(known if isinstance(known, list) else (known,)), entry.number]
            self._by[shape] = by
        found = self._by[shape].get(hash(key), [])
        numbers = found if isinstance(found, list) else [found]
        return [number for number in numbers if _key_of(self._form, shape, self._entries[number]) == key]

    def alone(self, shape: tuple[str, ...], given: tuple[Any, ...]) -> Mapping[Any, int]:
        """By their ids, the numbers of the items that alone have theirs, among those with the other names given."""
        if shape not in self._alone:
            place = shape.index("id")
            by: dict[Any, dict[Any, int]] = defaultdict(dict)
            for entry in self._entries:
                key = _key_of(self._form, shape, entry)
                if key is not None:
                    ids = by[(*key[:place], *key[place + 1 :])]
                    ids[key[place]] = -1 if key[place] in ids else entry.number
            self._alone[shape] = by
        return self._alone[shape].get(given, {})


def _key_of(form: Format, shape: tuple[str, ...], entry: Entry) -> tuple[Any, ...] | None:
    """An item's names of a shape; None where it has not all of them."""
    names = entry.names
    if not all(name in names or _optional(form, name) for name in shape):
        return None
    return tuple(names.get(name) or "" if name != "id" else names["id"] for name in shape)


def join(
    form: Format, shared: Sequence[SharedFile], tables: Mapping[str, tuple[Table, ...]], entries: Entries,
    faults: list[Fault], job_of: Any,
) -> Joined:  # fmt: skip
    """Give every row of a shared file to its item; first those of item sources, which make items."""
    joined = Joined()
    looked = Looked(form, entries)
    for making in (True, False):
        for file in shared:
            for table in tables.get(file.role, ()):
                if (table.kind == "item") is making:
                    _Joining(form, file, table, entries, looked, faults, job_of, joined).run()
        looked.clear()
    joined.settle(len(entries))
    return joined


@dataclass(slots=True)
class _Joining:
    """One table of one file at work."""

    form: Format
    file: SharedFile
    table: Table
    entries: Entries
    looked: Looked
    faults: list[Fault]
    job_of: Any
    joined: Joined
    seen: dict[Any, int] = field(default_factory=dict)

    def run(self) -> None:
        rows = self.file.tables.get(self.table.path)
        if rows is None:
            _no_rows(self.file, self.table, self.faults)
            return
        columns = header_of(self.form.roles[self.file.role].document_rule, self.file.document)
        self.joined.parts.append(Part(self.table, self.file.path, rows, columns))
        ids = _Ids([id_key(reader) for reader in self.table.readers])
        key = _item_key(self.table)
        by_id = self._by_id() if key is not None else {}
        for first, documents in rows.batches(self.table.named):
            owners = _owners_by_id(documents, key, by_id) if key is not None else None
            if owners is not None:
                self.joined.add_all(owners, first)
                ids.see_all(documents, owners, first)
                continue
            for position, document in enumerate(documents, first):
                if key is not None:
                    known = by_id.get(_plain(document, key), -1)
                    if known >= 0:
                        self.joined.add(known, position, 0)
                        ids.see(0, document, known, position)
                        continue
                self._row(position, document, ids)
        self._doubled(ids, rows)

    def _by_id(self) -> Mapping[Any, int]:
        """The numbers of the items that alone have their id, among those that the file can tell of."""
        given = {n: v for n, v in self.file.captures.items() if v is not None and n in self.form.key_names}
        shape = tuple(sorted((*given, "id")))
        return self.looked.alone(shape, tuple(given[name] for name in shape if name != "id"))

    def _row(self, position: int, document: Any, ids: _Ids) -> None:
        file, table = self.file, self.table
        job = self.job_of(dict(file.captures))
        job.file, job.at = file.path, (*table.path, position)
        which = _names_of(document, table, job)
        if job.faults and all(fault.code not in ("DIFFERS", "FIELD_UNKNOWN") for fault in job.faults):
            self.faults.extend(job.faults)
            return
        names = self._names(job)
        found = self._owners(names)
        if table.kind == "item" and "id" in names and table.readers[which].by == ("id",):
            if names["id"] in self.seen:
                self.faults.append(
                    Fault("DUPLICATE", file.path, _path_of(job, "id"), table.readers[which].place,
                          f"the id {names['id']!r} stands twice", "an id of its own", names["id"])
                )  # fmt: skip
                return
            self.seen[names["id"]] = position
        if not found:
            self.faults.append(_unknown_item(file.path, names, job, table.readers[which]))
            return
        ids.see(which, document, found[0], position)
        for number in found:
            self.joined.add(number, position, which)
            self._tell(number, names)

    def _owners(self, names: Mapping[str, Any]) -> Sequence[int]:
        """The numbers of the items whose names agree with a row's; for a source of items, one is made where there is
        none."""
        form, table, entries = self.form, self.table, self.entries
        if table.kind == "item" and all(name in names for name in form.key_names if not _optional(form, name)):
            identity = tuple(names.get(name) or "" for name in form.key_names)
            number = entries.find(identity)
            if number is None and table.source:
                number = entries.add(identity, item_key(form, names))
            return () if number is None else (number,)
        shape = tuple(sorted(name for name in names if name == "id" or name in form.key_names))
        if not shape:
            return range(len(entries)) if table.kind != "item" else ()
        return self.looked.of(shape, tuple(names[name] if name == "id" else names[name] or "" for name in shape))

    def _names(self, job: Job) -> dict[str, Any]:
        """What a row tells of its item's names."""
        form = self.form
        names = {name: value for name, value in job.captures.items() if value is not None}
        names.update({name: job.item[name] for name in ("id", "image.path", *form.key_names) if name in job.item})
        if "subset" in form.key_names and "subset" not in names and job.item.get("subsets"):
            names["subset"] = job.item["subsets"][0]
        return names

    def _tell(self, number: int, names: Mapping[str, Any]) -> None:
        entry, captures = self.entries[number], self.file.captures
        if self.table.kind == "item" and "subset" in captures and "subset" not in self.form.key_names:
            subsets = entry.shared.get("subsets", ())
            if captures["subset"] not in subsets:
                entry.share("subsets", (*subsets, captures["subset"]))
        for name, value in names.items():
            entry.names.setdefault(name, value)

    def _doubled(self, ids: _Ids, rows: RowSource) -> None:
        for which, position, value in ids.again(rows):
            key = ids.keys[which]
            assert key is not None
            self.faults.append(
                Fault("DUPLICATE", self.file.path, (*self.table.path, position, key), self.table.readers[which].place,
                      f"the id {value!r} stands twice", "an id of its own", value)
            )  # fmt: skip


NOTED = [("hash", "i8"), ("owner", "i4"), ("position", "i4"), ("alternative", "i1")]
"""An id: its hash, the number of the item that its row belongs to, the row's place and its reader."""


class _Ids:
    """The ids of a table's rows of objects, to see which stand in rows of several items.

    Rows of one item are looked at when it is read.
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        self.keys = keys
        self._seen = Records(NOTED)
        self._noted = (array("q"), array("i"), array("i"), array("b"))

    def see(self, which: int, document: Any, owner: int, position: int) -> None:
        """Note a row's id."""
        key = self.keys[which]
        if key is None or not isinstance(document, dict):
            return
        value = document.get(key)
        if isinstance(value, int | str):
            hashes, owners, positions, alternatives = self._noted
            hashes.append(hash(value))
            owners.append(owner)
            positions.append(position)
            alternatives.append(which)
            if len(hashes) >= PIECE:
                self._put_away()

    def see_all(self, documents: Sequence[Any], owners: Any, first: int) -> None:
        """Note the ids of rows that follow each other, each read by the first reader."""
        key = self.keys[0]
        if key is None:
            return
        values = [document.get(key) for document in documents]
        if not _PLAIN.issuperset(map(type, values)):
            for position, document in enumerate(documents, first):
                self.see(0, document, int(owners[position - first]), position)
            return
        self._put_away()
        count = len(values)
        places = np.arange(first, first + count, dtype=np.int32)
        self._seen.add(np.fromiter(map(hash, values), np.int64, count), owners, places, np.zeros(count, np.int8))

    def _put_away(self) -> None:
        if self._noted[0]:
            self._seen.add(*(np.frombuffer(column, column.typecode) for column in self._noted))
            self._noted = (array("q"), array("i"), array("i"), array("b"))

    def again(self, rows: RowSource) -> list[tuple[int, int, Any]]:
        """The rows whose id stood in a row of another item before: alternative, position, id."""
        self._put_away()
        first: dict[Any, int] = {}
        found = []
        several = self._several()
        for _, seen in self._seen.pieces() if len(several) else ():
            for _, owner, position, which in seen[np.isin(seen["hash"], several)].tolist():
                value = rows.at(position)[self.keys[which]]
                if first.setdefault(value, owner) != owner:
                    found.append((which, position, value))
        return found

    def _several(self) -> Any:
        """The hashes that stand more than once."""
        last, grows = -(1 << 63), True
        for _, seen in self._seen.pieces():  # most number their rows
            hashes = seen["hash"]
            grows = bool(hashes[0] > last and (hashes[1:] > hashes[:-1]).all())
            last = int(hashes[-1])
            if not grows:
                break
        if grows:
            return np.zeros(0, np.int64)
        hashes = np.concatenate([seen["hash"] for _, seen in self._seen.pieces()])
        hashes.sort()
        return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


_PLAIN = frozenset({int, str})


def _owners_by_id(documents: Sequence[Any], key: str, by_id: Mapping[Any, int]) -> Any:
    """The numbers of the items whose ids rows state under a key; None where one of them states none that is known."""
    if set(map(type, documents)) != {dict}:
        return None
    values = [document.get(key) for document in documents]
    if not _PLAIN.issuperset(map(type, values)):
        return None
    owners = np.fromiter((by_id.get(value, -1) for value in values), np.int32, len(values))
    return None if (owners < 0).any() else owners


def _plain(document: Any, key: str) -> Any:
    """The id that a row states under a key, if it is a plain one."""
    value = document.get(key) if type(document) is dict else None
    return value if type(value) is int or type(value) is str else None


def names_only(meaning: Meaning, scope: Scope) -> bool:
    """Only what tells which item a row belongs to."""
    if meaning.where == "capture" or (meaning.where == "path" and meaning.name == IMAGE):
        return True
    if meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
        return meaning.name in ("id", "image.path", "subset") or meaning.name in scope.captures
    return False


def _item_key(table: Table) -> str | None:
    """The key under which a row names its item by its id, where nothing else tells of the item."""
    row = table.joiners[0].rule.row
    if len(table.joiners) != 1 or table.kind == "item" or table.named is None or not isinstance(row, MapRule):
        return None
    scope = table.joiners[0].scope.inside(table.joiners[0].table)
    found = None
    for one in row.fields:
        leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
        names = [name for bind in (bindings(leaf) if leaf is not None else ()) for name in bind.names]
        wanted = [meaning for name in names if (meaning := scope.meaning(name)) and names_only(meaning, scope)]
        if not wanted and isinstance(one.rule, LeafRule):
            continue
        plain = isinstance(leaf, Bind) and not leaf.calls and len(names) == 1 and len(one.keys) == 1
        if not plain or found is not None or wanted[0].where != "item" or wanted[0].name != "id":
            return None
        found = one.keys[0]
    return found


def id_key(reader: RowReader) -> str | None:
    """The key under which a row of objects states the id that tells it from others; None where it states none."""
    row = reader.rule.row
    if reader.kind != "object" or reader.by != ("id",) or not isinstance(row, MapRule):
        return None
    for one in row.fields:
        leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
        if isinstance(leaf, Bind) and leaf.names == ("id",) and len(one.keys) == 1:
            return one.keys[0]
    return None


def _no_rows(file: SharedFile, table: Table, faults: list[Fault]) -> None:
    """What stands where a table's rows should, if anything does."""
    place = table.readers[0].place
    value: Any = file.document
    path: list[str | int] = []
    for key in table.path:
        if not isinstance(value, dict):
            faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a mapping", value))
            return
        if key not in value:
            return
        path.append(key)
        value = value[key]
    if value != []:
        faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a list", value))


def _path_of(job: Job, slot: str) -> Path:
    found = job.place_of.get(slot)
    return found[1] if found else job.at


def _unknown_item(file: str, names: Mapping[str, Any], job: Job, reader: RowReader) -> Fault:
    slot = next((name for name in ("id", "image.path") if name in names), "")
    told = ", ".join(f"{name} {value!r}" for name, value in names.items())
    return Fault(
        "UNKNOWN_REFERENCE", file, _path_of(job, slot), reader.place, f"there is no item with {told}"
    )  # fmt: skip


def _names_of(document: Any, table: Table, job: Job) -> int:
    """Read a row's names; gives which of the table's alternatives it is."""
    fitting = [i for i, reader in enumerate(table.readers) if len(table.readers) == 1 or reader.test(document)] or [0]
    for which in fitting:
        table.joiners[which].read(document, job.item, job)
        if which == fitting[-1] or all(fault.code in MILD for fault in job.faults):
            break
        job.faults.clear()
    return which


def _optional(form: Format, name: str) -> bool:
    found = form.roles[IMAGE].scope.captures.get(name)
    return found == "path?" or (name != "id" and name not in form.key_names)
