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
from formatspec.engine.rows import Decode, Fields, RowSource
from formatspec.engine.scope import Meaning, Scope
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import LeafRule, MapRule


class Row(NamedTuple):
    """A row of a shared document that belongs to an item."""

    role: str
    file: str
    table: int
    path: Path
    position: int
    document: Any
    columns: tuple[str, ...] = ()


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
    """A table in one file."""

    table: Table
    file: str
    rows: RowSource
    columns: tuple[str, ...]


class Joined:
    """Which rows belong to which item, as numbers: a million rows take a dozen megabytes."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._entries = array("i")
        self._parts = array("h")
        self._positions = array("i")
        self._alternatives = array("b")
        self._bounds: Any = None

    def add(self, entry: Entry, position: int, alternative: int) -> None:
        """Note that a row of the last part belongs to an item."""
        self._entries.append(entry.number)
        self._parts.append(len(self.parts) - 1)
        self._positions.append(position)
        self._alternatives.append(alternative)

    def settle(self, entries: int) -> None:
        """Put the rows in the order of the items that they belong to, each item's as they were noted."""
        owners = np.frombuffer(self._entries, np.int32) if self._entries else np.zeros(0, np.int32)
        order = np.argsort(owners, kind="stable")
        self._bounds = np.searchsorted(owners[order], np.arange(entries + 1))
        for column in (self._parts, self._positions, self._alternatives):
            values = np.frombuffer(column, column.typecode)[order] if column else ()
            column[:] = array(column.typecode, bytes(np.ascontiguousarray(values)))
        self._entries = array("i")

    def of(self, entry: Entry, decoders: Mapping[tuple[str, tuple[str, ...]], Decode | None]) -> Iterator[Row]:
        """An item's rows, decoded as far as the decoders go."""
        place, end = int(self._bounds[entry.number]), int(self._bounds[entry.number + 1])
        positions, parts = self._positions, self._parts
        while place < end:
            behind, first = place + 1, positions[place]
            while behind < end and parts[behind] == parts[place] and positions[behind] == first + behind - place:
                behind += 1
            table, file, rows, columns = self.parts[parts[place]]
            documents = rows.some(first, first + behind - place, decoders.get((table.role, table.path)))
            for position, document in enumerate(documents, first):
                which = self._alternatives[place + position - first]
                yield Row(table.role, file, which, (*table.path, position), position, document, columns)
            place = behind

    def roles(self, entry: Entry) -> set[str]:
        """The roles whose files hold rows of an item."""
        first, behind = int(self._bounds[entry.number]), int(self._bounds[entry.number + 1])
        return {self.parts[part].table.role for part in set(self._parts[first:behind])}


def join(
    form: Format, shared: Sequence[SharedFile], tables: Mapping[str, tuple[Table, ...]], entries: Entries,
    faults: list[Fault], job_of: Any,
) -> Joined:  # fmt: skip
    """Give every row of a shared file to its item; first those of item sources, which make items."""
    joined = Joined()
    looked: dict[tuple[str, ...], dict[Any, list[Entry]]] = {}
    for making in (True, False):
        for file in shared:
            for table in tables.get(file.role, ()):
                if (table.kind == "item") is making:
                    _Joining(form, file, table, entries, looked, faults, job_of, joined).run()
        looked.clear()
    joined.settle(len(entries.by_identity))
    return joined


@dataclass(slots=True)
class _Joining:
    """One table of one file at work."""

    form: Format
    file: SharedFile
    table: Table
    entries: Entries
    looked: dict[tuple[str, ...], dict[Any, list[Entry]]]
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
            for position, document in enumerate(documents, first):
                if key is not None:
                    known = by_id.get(_plain(document, key))
                    if known is not None:
                        self.joined.add(known, position, 0)
                        ids.see(0, document, known, position)
                        continue
                self._row(position, document, ids)
        self._doubled(ids, rows)

    def _by_id(self) -> dict[Any, Entry]:
        """The items that alone have their id, among those that the file can tell of."""
        given = {n: v for n, v in self.file.captures.items() if v is not None and n in self.form.key_names}
        shape = tuple(sorted((*given, "id")))
        place = shape.index("id")
        given_key = tuple(given[name] for name in shape if name != "id")
        return {
            key[place]: entries[0]
            for key, entries in _lookup(self.form, shape, self.entries, self.looked).items()
            if len(entries) == 1 and (*key[:place], *key[place + 1 :]) == given_key
        }

    def _row(self, position: int, document: Any, ids: _Ids) -> None:
        file, table = self.file, self.table
        job = self.job_of(dict(file.captures))
        job.file, job.at = file.path, (*table.path, position)
        which = _names_of(document, table, job)
        if job.faults and all(fault.code not in ("DIFFERS", "FIELD_UNKNOWN") for fault in job.faults):
            self.faults.extend(job.faults)
            return
        names = self._names(job)
        found = _entries_for(self.form, names, self.entries, self.looked, table)
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
        for entry in found:
            self.joined.add(entry, position, which)
            self._tell(entry, names)

    def _names(self, job: Job) -> dict[str, Any]:
        """What a row tells of its item's names."""
        form = self.form
        names = {name: value for name, value in job.captures.items() if value is not None}
        names.update({name: job.item[name] for name in ("id", "image.path", *form.key_names) if name in job.item})
        if "subset" in form.key_names and "subset" not in names and job.item.get("subsets"):
            names["subset"] = job.item["subsets"][0]
        return names

    def _tell(self, entry: Entry, names: Mapping[str, Any]) -> None:
        captures = self.file.captures
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


class _Ids:
    """The ids of a table's rows of objects, to see which stand in rows of several items.

    Rows of one item are looked at when it is read.
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        self.keys = keys
        self._hashes = array("q")
        self._owners = array("i")
        self._positions = array("i")
        self._which = array("b")

    def see(self, which: int, document: Any, entry: Entry, position: int) -> None:
        """Note a row's id."""
        key = self.keys[which]
        if key is None or not isinstance(document, dict):
            return
        value = document.get(key)
        if isinstance(value, int | str):
            self._hashes.append(hash(value))
            self._owners.append(entry.number)
            self._positions.append(position)
            self._which.append(which)

    def again(self, rows: RowSource) -> list[tuple[int, int, Any]]:
        """The rows whose id stood in a row of another item before: alternative, position, id."""
        if not self._hashes:
            return []
        hashes = np.frombuffer(self._hashes, np.int64)
        owners = np.frombuffer(self._owners, np.int32)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(np.diff(hashes[order]) == 0)
        several = np.unique(np.concatenate((order[same], order[same + 1])))
        first: dict[Any, int] = {}
        found = []
        for place in several.tolist():
            which, position = self._which[place], self._positions[place]
            value = rows.at(position)[self.keys[which]]
            if first.setdefault(value, int(owners[place])) != int(owners[place]):
                found.append((which, position, value))
        return found


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


def _entries_for(
    form: Format, names: Mapping[str, Any], entries: Entries, looked: dict[tuple[str, ...], dict[Any, list[Entry]]],
    table: Table,
) -> list[Entry]:  # fmt: skip
    """The items whose names agree with a row's; for a source of items, one is made where there is none."""
    if table.kind == "item" and all(name in names for name in form.key_names if not _optional(form, name)):
        identity = tuple(names.get(name) or "" for name in form.key_names)
        entry = entries.by_identity.get(identity)
        if entry is None and table.source:
            entry = entries.add(identity, item_key(form, names))
        return [] if entry is None else [entry]
    shape = tuple(sorted(name for name in names if name == "id" or name in form.key_names))
    if not shape:
        return list(entries.by_identity.values()) if table.kind != "item" else []
    key = tuple(names[name] if name == "id" else names[name] or "" for name in shape)
    return _lookup(form, shape, entries, looked).get(key, [])


def _lookup(
    form: Format, shape: tuple[str, ...], entries: Entries, looked: dict[tuple[str, ...], dict[Any, list[Entry]]]
) -> dict[Any, list[Entry]]:
    """The items by the names of a shape."""
    if shape not in looked:
        by: dict[Any, list[Entry]] = defaultdict(list)
        for entry in entries.by_identity.values():
            names = entry.names
            if all(name in names or _optional(form, name) for name in shape):
                by[tuple(names.get(name) or "" if name != "id" else names["id"] for name in shape)].append(entry)
        looked[shape] = by
    return looked[shape]


def _optional(form: Format, name: str) -> bool:
    found = form.roles[IMAGE].scope.captures.get(name)
    return found == "path?" or (name != "id" and name not in form.key_names)
