"""Gives the rows of shared files to their items. Rows of the tables that list items make the items."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from formatspec.engine.base.faults import MILD, Fault
from formatspec.engine.documents.frames import is_made
from formatspec.engine.index.document_frames import no_rows
from formatspec.engine.index.duplicate_ids import Ids, owners_by_id, plain_id
from formatspec.engine.index.entries import Entries, header_of, item_key
from formatspec.engine.index.id_columns import Column, ItemNumbers, id_key, item_key_of
from formatspec.engine.index.looked_up import (
    LookedUp,
    Otherwise,
    PlainNames,
    file_of,
    lacked_name,
    may_lack,
    named_in_several,
    path_of,
    plain_names,
    unknown_item,
)
from formatspec.engine.index.row_ownership import Joined, RepeatedId, RowOwnership, SharedFile, Table, TableFile
from formatspec.engine.index.row_source import FileRows
from formatspec.engine.index.union_lists import union_lists
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.projection import RowSource, rows_decoder
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.engine.splits.id_scopes import IDS, Split, id_split, several_id_splits, whole_split
from formatspec.model.plain.decimals import whole_number
from formatspec.paths.spellings import plainly


def join_rows(
    form: Format, shared: Sequence[SharedFile], tables: Mapping[str, tuple[Table, ...]], entries: Entries,
    faults: list[Fault], state_of: Any, naming: Collection[str],
) -> RowOwnership:  # fmt: skip
    """Give every row of a shared file to its item, first the rows of tables that list items.

    `naming`: the roles whose rows name the items, because no file does.
    """
    joined = RowOwnership()
    looked = LookedUp(form, entries)
    numbering = [file.captures for file in shared if any(one.kind == "item" for one in tables.get(file.role, ()))]
    several = several_id_splits(numbering, form.key_names)
    told = Counter(whole_split(file.captures) for file in shared for one in tables.get(file.role, ()) if one.source)
    seen: dict[Split, dict[Any, tuple[int, str]]] = {}
    lists: dict[str, dict[str, array[int]]] = {}

    def joining(file: SharedFile, table: Table, met: dict[Any, tuple[int, str]] | None) -> _Joining:
        split = id_split(file.captures, form.key_names) if several else ()
        return _Joining(form, file, table, entries, looked, faults, state_of, joined, split, met, lists)

    for file in (file for file in shared if file.role in naming):
        if not any(table.source for table in tables[file.role]):
            for table in tables[file.role]:
                joining(file, table, None).add_items()
    for making in (True, False):
        for file in shared:
            for table in tables.get(file.role, ()):
                if (table.kind == "item") is making:
                    whole = whole_split(file.captures)
                    joining(file, table, seen.setdefault(whole, {}) if told[whole] > 1 else None).run()
                    if making:
                        looked.clear()  # rows of the next file may name items by what this file's rows said
        seen.clear()
    _leave_unions_out(shared, lists, entries)
    joined.settle(len(entries))
    return joined


def _leave_unions_out(
    shared: Sequence[SharedFile], lists: Mapping[str, Mapping[str, array[int]]], entries: Entries
) -> None:
    """Remove from items the subsets of lists that are made of other lists."""
    for of_role in lists.values():
        for subset in union_lists(of_role):
            for file in shared:
                file.union = file.union or (file.role in lists and file.captures["subset"] == subset)
            for number in dict.fromkeys(of_role[subset]):
                entry = entries[number]
                rest = tuple(one for one in entry.shared["subsets"] if one != subset)
                entry.share("subsets", rest)
                if rest and entry.names.get("subset") == subset:
                    entry.names["subset"] = rest[0]


class _Joining(msgspec.Struct):
    """Joins one table of one file: its rows are given to the items that they name."""

    form: Format
    file: SharedFile
    table: Table
    entries: Entries
    looked: LookedUp
    faults: list[Fault]
    state_of: Any
    joined: RowOwnership
    split: Split
    seen: dict[Any, tuple[int, str]] | None
    lists: dict[str, dict[str, array[int]]]
    own: set[Any] = msgspec.field(default_factory=set)
    owned: dict[int, Any] = msgspec.field(default_factory=dict)
    rivals: Sequence[int] = ()
    in_capitals: tuple[Sequence[int], int] | None = None
    otherwise: Otherwise = msgspec.field(default_factory=Otherwise)
    last: int | None = None
    latest: Joined | None = None
    retyped: bool = False
    plain: PlainNames | None = None
    early: list[tuple[int, int]] = msgspec.field(default_factory=list)
    given: dict[str, Any] = msgspec.field(default_factory=dict)
    required: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Note what the file's path says of all its rows, and the names without which no item is named."""
        self.given = {name: value for name, value in self.file.captures.items() if value is not None}
        self.required = frozenset(name for name in self.form.key_names if not may_lack(self.form, name))

    def run(self) -> None:
        rows = self.file.tables.get(self.table.path)
        if rows is None:
            no_rows(self.file, self.table, self.form.roles[self.file.role].document_rule, self.faults)
            return
        columns = header_of(self.form.roles[self.file.role].document_rule, self.file.document)
        captures = self.file.captures
        part = TableFile(self.table, self.file.path, rows, columns, captures, self.split, {})
        self.joined.parts.append(part)
        ids = Ids([id_key(reader) for reader in self.table.readers])
        key = item_key_of(self.table)
        self.plain = plain_names(self.table, self.form.key_names)
        by_id = self._by_id() if key is not None else {}
        stated = rows.stated.pieces() if isinstance(rows, FileRows) else None
        if stated is None:
            for start, documents in rows.batches(self.table.named):
                self._rows(start, documents, key, by_id, ids)
        else:
            self._numbered(rows, stated, key, by_id, ids)
        self._keep_early()
        self._see_spellings()
        doubled = [*ids.again(rows), *((which, position, None) for which, position in ids.missing)]
        free = ids.free(rows) if doubled else None
        for which, position, value in doubled:
            assert free is not None
            part.repeated[position] = RepeatedId(ids.keys[which] or "", value, free(0 if value is None else value))

    def add_items(self) -> None:
        """Add an item for each whole name that the rows of the table give, without rows that follow from others."""
        rows, entries = self.file.tables.get(self.table.path), self.entries
        for start, documents in rows.batches(self.table.named) if rows is not None else ():
            for position, document in enumerate(documents, start):
                state = self._named_by(position, document)[0]
                names = self._names(state)
                if is_made(document) or any(fault.sets_aside for fault in state.faults) or not self._is_whole(names):
                    continue
                identity = self._identity(names)
                known = entries.find(identity)
                entry = entries[entries.add(identity, item_key(self.form, names)) if known is None else known]
                for name, value in names.items():
                    entry.names.setdefault(name, value)

    def _numbered(
        self, rows: RowSource, stated: Iterator[tuple[int, tuple[Column, ...]]], key: str | None,
        by_id: Mapping[Any, int], ids: Ids,
    ) -> None:  # fmt: skip
        """Join rows whose item ids, and own ids if they have any, were collected before."""
        own, decode = ItemNumbers(by_id), rows_decoder(self.table.named)
        for start, (of_items, *of_rows) in stated:
            owners = own.of(of_items)
            if (owners < 0).any():
                self._rows(start, rows.some(start, start + len(owners), decode), key, by_id, ids)
                continue
            self.joined.add_all(owners, start)
            ids.see_numbers(of_rows[0] if of_rows else None, owners, start)

    def _rows(self, start: int, documents: Sequence[Any], key: str | None, by_id: Mapping[Any, int], ids: Ids) -> None:
        """Join consecutive rows, all at once if each states the id of a known item."""
        known_all = owners_by_id(documents, key, by_id) if key is not None else None
        if known_all is not None:
            self.joined.add_all(known_all, start)
            ids.see_all(documents, known_all, start)
            return
        telling = self.table.telling
        for position, document in enumerate(documents, start):
            known = by_id.get(plain_id(document, key), -1) if key is not None else -1
            found: Sequence[int] = (known,)
            if known < 0:
                told = [document.get(one) for one in telling] if telling and isinstance(document, dict) else None
                if told is None or self.latest is None or told != self.latest.told:
                    self.latest = None
                    self._row(position, document, ids, told)
                    continue
                found = self.latest.owners
            for number in found:
                self.joined.add(number, position, 0)
            ids.see(0, document, found[0], position)

    def _by_id(self) -> Mapping[Any, int]:
        """Return the numbers of the items by id, for ids that only one item has within the file's reach."""
        given = {n: v for n, v in self.file.captures.items() if v is not None and n in self.form.key_names}
        shape = tuple(sorted((*given, "id")))
        return self.looked.alone(shape, tuple(given[name] for name in shape if name != "id"), self.split)

    def _row(self, position: int, document: Any, ids: Ids, told: list[Any] | None) -> None:
        """Join a row; `told` is what it says of its item, if rows that say the same belong to the same items."""
        if self.plain is not None and self._plainly(position, self.plain(document), ids):
            return
        file, table = self.file, self.table
        state, which = self._named_by(position, document)
        if state.faults and any(fault.sets_aside for fault in state.faults):
            scope = "item" if table.kind == "item" else "object"
            self.faults.extend(fault._replace(scope=scope) for fault in state.faults)
            return
        names = self._names(state)
        if table.source and table.readers[which].rule.each.kept and not names.keys() - file.captures.keys():
            self._keep(position, which)
            return
        if lacked := lacked_name(table, which, document, names.keys() - file.captures.keys(), self.form.key_names):
            self.faults.append(lacked(file.path, state.at))
            return
        found = self._owners(names) or self._of_other_type(names, which, state)
        if not found and len(several := self._in_folders(names)) > 1:
            self.faults.append(named_in_several(file.path, [self.entries[one] for one in several], state, table, which))
            return
        if table.kind == "item" and "id" in names and table.readers[which].by == ("id",):
            other = self._same_id_elsewhere(names["id"], found)
            if names["id"] in self.own or other:
                where = f": it is that of another item in {other}" if other else ""
                self.faults.append(
                    Fault("DUPLICATE", file.path, path_of(state, "id"), table.readers[which].place,
                          f"the id {names['id']!r} stands twice{where}", "an id of its own", names["id"], case="item",
                          scope="item")
                )  # fmt: skip
                return
            self.own.add(names["id"])
        if not found:
            if is_made(document):
                return  # the row follows from rows of other frames, and the sequence has no such frame
            if self.rivals:
                self._may_mean_several(names, which, state)
            elif names.get("id") is None or names["id"] not in self.looked.doubled:
                near = self.looked.nearest(names)
                self.faults.append(unknown_item(file.path, names, state, table.readers[which], near))
            return
        if table.kind == "item" and table.source and "id" in names:
            first = self.owned.setdefault(found[0], names["id"])
            if first != names["id"] and (twin := self._new_twin(found[0], names)) is not None:
                first, found = names["id"], (twin,)
            if first != names["id"]:
                self._named_twice(found[0], first, names["id"], which, state)
                return
        ids.see(which, document, found[0], position)
        if self.in_capitals is not None:
            self.otherwise.add(*self.in_capitals, position)
        self.last = found[0]
        for number in found:
            self.joined.add(number, position, which)
            self._tell(number, names)
        if told is not None and not state.faults and self.in_capitals is None:
            self.latest = Joined(told, found)

    def _plainly(self, position: int, plain: Mapping[str, Any] | None, ids: Ids) -> bool:
        """Join a row that spells the names of its item plainly, if it has its image and nothing is to be said."""
        if not plain:
            return False
        names, given = {**plain, **self.given}, self.given
        if names != plain and any(plain[name] != given[name] for name in plain if name in given and name != "subset"):
            return False
        if not self._is_whole(names):
            return False
        identity, own = self._identity(names), names.get("id")
        number = self.entries.twin(identity, names.get(self.looked.extension)) if self.entries.twins else None
        number = self.entries.find(identity) if number is None else number
        if number is None or IMAGE not in self.entries[number].files:
            return False
        if own is not None:
            by_id = self.table.readers[0].by == ("id",)
            if by_id and (own in self.own or self._same_id_elsewhere(own, (number,))):
                return False
            if self.table.source and self.owned.setdefault(number, own) != own:
                return False
            self.own.update((own,) if by_id else ())
        ids.see(0, None, number, position)
        self.last = number
        self.joined.add(number, position, 0)
        self._tell(number, names)
        return True

    def _named_by(self, position: int, document: Any) -> tuple[ItemState, int]:
        """Read the names that a row gives its item; return also which of the table's alternatives the row is."""
        state = self.state_of(dict(self.file.captures))
        state.file, state.at = self.file.path, (*self.table.path, position)
        state.named_far = partial(self.looked.ending, given=self.file.captures)
        return state, _names_of(document, self.table, state)

    def _is_whole(self, names: Mapping[str, Any]) -> bool:
        """Return whether names are those of one item."""
        return self.required <= names.keys()

    def _identity(self, names: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([(names[name] or "") if name in names else "" for name in self.form.key_names])

    def _keep(self, position: int, which: int) -> None:
        """Give a kept row that names no item to the item of the row before it."""
        if self.last is None:
            self.early.append((position, which))
        else:
            self.joined.add(self.last, position, which)

    def _keep_early(self) -> None:
        """Give the kept rows before the first item to the last one, or name them if the file lists no item."""
        for position, which in self.early:
            if self.last is not None:
                self.joined.add(self.last, position, which)
                continue
            state = self.state_of(dict(self.file.captures))
            state.file, state.at = self.file.path, (*self.table.path, position)
            self.faults.append(unknown_item(self.file.path, self._names(state), state, self.table.readers[which], ""))

    def _new_twin(self, number: int, names: Mapping[str, Any]) -> int | None:
        """Add an item for a row whose image differs from another row's image only in the extension.

        None stands for a row that names the item's own file.
        """
        extension, entry = names.get(self.looked.extension), self.entries[number]
        own = entry.names.get(self.looked.extension)
        if not extension or own is None or extension == own:
            return None
        twin = self.entries.add_twin(entry, extension)
        self.owned[twin] = names["id"]
        return twin

    def _may_mean_several(self, names: Mapping[str, Any], which: int, state: ItemState) -> None:
        """Note a fault if a row's name could mean several items and exactly matches none of them."""
        if "id" in names and self.table.kind == "item":
            self.looked.doubled.add(names["id"])  # rows that refer to this row are not reported as well
        files = [file_of(self.entries[number]) for number in self.rivals]
        key = self.table.names[which]
        path = (*state.at, key) if key is not None else state.at
        told = ", ".join(str(names[name]) for name in self.form.key_names if names.get(name) not in (None, ""))
        words = f"{told!r} may mean {' or '.join(files[:3])}, of which none is spelled exactly so"
        scope = "item" if self.table.kind == "item" else "object"
        self.faults.append(
            Fault("FILE_AMBIGUOUS", self.file.path, path, self.table.readers[which].place, words, scope=scope)
        )

    def _see_spellings(self) -> None:
        """Note items that some rows name exactly and other rows name with other capitals: only one can be right."""
        for number, position in self.otherwise.twice(self.joined):
            place = self.table.readers[0].place
            words = f"{file_of(self.entries[number])} is named in two ways, which differ in capitals"
            self.faults.append(
                Fault("FILE_AMBIGUOUS", self.file.path, (*self.table.path, position), place, words, scope="item")
            )

    def _named_twice(self, number: int, first: Any, again: Any, which: int, state: ItemState) -> None:
        """Note that a row names the same image as an earlier row. Rows that refer to it are not reported as well."""
        table, key = self.table, self.table.names[which]
        self.looked.doubled.add(again)
        words = f"{self.entries[number].key!r} stands twice, with the ids {first!r} and {again!r}"
        path = (*state.at, key) if key is not None else state.at
        place = table.readers[which].place
        self.faults.append(Fault("DUPLICATE", self.file.path, path, place, words, case="item", scope="item"))

    def _same_id_elsewhere(self, own: Any, found: Sequence[int]) -> str:
        """Return the file of the same split in which another item has this id; an empty text if there is none."""
        if self.seen is None or not found:
            return ""
        owner, file = self.seen.setdefault(own, (found[0], self.file.path))
        return file if owner != found[0] and file != self.file.path else ""

    def _owners(self, names: Mapping[str, Any]) -> Sequence[int]:
        """Return the numbers of the items whose names match a row's.

        For a table that lists items, an item is added if there is none.
        """
        form, table, entries = self.form, self.table, self.entries
        self.rivals, self.in_capitals = (), None  # how the last row spelled its names is forgotten
        whole = self._is_whole(names)
        if table.kind == "item" and whole:
            identity = self._identity(names)
            number = entries.twin(identity, names.get(self.looked.extension))
            if number is None:
                number = entries.find(identity)
            if number is not None and IMAGE not in entries[number].files and len(own := self._in_folders(names)) == 1:
                return own
            if number is not None:
                return (number,)
            meant = self._spelled_otherwise(form.key_names, identity, names)
            if not meant and not self.rivals and (several := self._in_folders(names)):
                return several if len(several) == 1 else ()
            if not meant and table.source and not self.rivals:
                meant = (entries.add(identity, item_key(form, names)),)
            return meant
        shape = tuple(sorted(name for name in names if name == "id" or name in form.key_names))
        if "image.path" in names and "id" not in names and not whole:
            return ()  # no image of the layout has this path
        if not shape:
            return range(len(entries)) if table.kind != "item" else ()
        key = tuple(names[name] if name == "id" else names[name] or "" for name in shape)
        found = self.looked.of(shape, key, self.split)
        named = found or "id" in shape
        return self.looked.of_extension(found, names) if named else self._spelled_otherwise(shape, key, names)

    def _spelled_otherwise(self, shape: tuple[str, ...], key: tuple[Any, ...], names: Any) -> Sequence[int]:
        """Return the numbers of the items that a row means although their names are spelled differently.

        Nothing is returned where the row may mean several items; `rivals` then holds them.
        """
        found = self.looked.of_extension(self.looked.spelled_otherwise(shape, key), names)
        own = dict.fromkeys(self.looked.names_of(shape, number) for number in found)
        if len(own) > 1:
            self.rivals = found
            return ()
        if found and plainly(next(iter(own))) != plainly(key):
            self.in_capitals = found, hash(key)
        return found

    def _in_folders(self, names: Mapping[str, Any]) -> Sequence[int]:
        """Return the items whose image has this name in any folder, for rows that give no folder."""
        form = self.form
        if self.table.kind != "item" or IMAGE not in form.roles:
            return ()
        formats = form.roles[IMAGE].scope.captures
        if all(name in names for name in form.key_names if formats.get(name) == "path?"):
            return ()
        shape = tuple(sorted(name for name in form.key_names if name in names))
        ending = f".{names['ext']}".lower() if names.get("ext") else ""
        found = self.looked.of(shape, tuple(names[name] or "" for name in shape), self.split) if shape else ()
        images = ((number, self.entries[number].files.get(IMAGE, ())) for number in found)
        return tuple(number for number, files in images if files and files[0][0].lower().endswith(ending))

    def _of_other_type(self, names: dict[str, Any], which: int, state: ItemState) -> Sequence[int]:
        """Return the item that a row names by a text where its id is a number, or the reverse.

        The first such row of the table is noted. `names` takes the id as the item has it.
        """
        own = names.get("id")
        other = str(own) if type(own) is int else whole_number(own)
        if other is None or self.table.kind == "item" or self.rivals:
            return ()
        found = self._owners({**names, "id": other})
        if found:
            names["id"] = other
            if not self.retyped:
                kind = "a text" if isinstance(other, str) else "a number"
                words = f"rows state {own!r} for the item {other!r}, whose id is {kind}, and are read as meant"
                place = self.table.readers[which].place
                self.faults.append(
                    Fault("NUMBER_FORM", self.file.path, path_of(state, "id"), place, words, kind, own, case="type")
                )
            self.retyped = True
        return found

    def _names(self, state: ItemState) -> dict[str, Any]:
        """Return what a row says of its item's names."""
        form = self.form
        names = {name: value for name, value in state.captures.items() if value is not None}
        names.update({name: state.item[name] for name in ("id", "image.path", *form.key_names) if name in state.item})
        if "subset" in form.key_names and "subset" not in names and state.item.get("subsets"):
            names["subset"] = state.item["subsets"][0]
        role = form.roles.get(IMAGE)
        if "image.path" in names and role is not None:  # the image's path alone identifies the item
            for name, value in (role.template.match(names["image.path"]) or {}).items():
                if value is not None:
                    names.setdefault(name, value)
        return names

    def _tell(self, number: int, names: Mapping[str, Any]) -> None:
        entry, captures = self.entries[number], self.file.captures
        if self.table.kind == "item" and "subset" in captures and "subset" not in self.form.key_names:
            self.lists.setdefault(self.file.role, {}).setdefault(captures["subset"], array("i")).append(number)
            subsets = entry.shared.get("subsets", ())
            if captures["subset"] not in subsets:
                entry.share("subsets", (*subsets, captures["subset"]))
        if self.split and self.table.kind == "item" and "id" in names:
            entry.share(IDS, {self.split: names["id"], **entry.shared.get(IDS, {})})
        own = entry.names
        for name in names:
            if name not in own:
                own[name] = names[name]


def _names_of(document: Any, table: Table, state: ItemState) -> int:
    """Read the names that a row gives its item; return which of the table's alternatives the row is."""
    fitting = [i for i, reader in enumerate(table.readers) if len(table.readers) == 1 or reader.test(document)] or [0]
    for which in fitting:
        table.joiners[which].read(document, state.item, state)
        if which == fitting[-1] or all(fault.code in MILD for fault in state.faults):
            break
        state.faults.clear()
    return which
