"""The items by their names, with their files and what else is known of them before they are read."""

from __future__ import annotations

import marshal
import pickle
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from types import MappingProxyType
from typing import Any, overload

import msgspec
import numpy as np

from formatspec.engine.base.faults import Fault
from formatspec.engine.base.scratch_records import Scratch
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.names_join import extension_told
from formatspec.language.leaf import Bind
from formatspec.language.rules import LeafRule, MapRule, Rule
from formatspec.model.amounts import amounts
from formatspec.paths.spellings import Spellings, spelled_like

NONE: Mapping[str, Any] = MappingProxyType({})
"""Nothing yet: most items of a shared file need no mapping of their own."""


def _none() -> Mapping[str, Any]:
    return NONE


class Entry(msgspec.Struct):
    """An item in the index: its place among all, its names, its files by role, with what they say of an object."""

    identity: tuple[Any, ...]
    key: str
    names: dict[str, Any]
    number: int
    files: Mapping[str, list[tuple[str, dict[str, Any]]]] = msgspec.field(default_factory=_none)
    shared: Mapping[str, Any] = msgspec.field(default_factory=_none)

    def add_file(self, role: str, path: str, captures: dict[str, Any]) -> None:
        """Note a file of the item."""
        if self.files is NONE:
            self.files = {}
        self.files.setdefault(role, []).append((path, captures))  # type: ignore[attr-defined]

    def share(self, name: str, value: Any) -> None:
        """Note what shared files tell of the item before it is read."""
        self.shared = {**self.shared, name: value}


class Entries(Sequence[Entry]):
    """The items that were found so far, by number and by name.

    Many items do not stay in memory. A change to an entry that came from disk lasts until another entry is asked for.
    """

    def __init__(self) -> None:
        """Begin without items."""
        self._numbers: dict[int, int] = {}
        self._same_hash: dict[tuple[Any, ...], int] = {}
        self._near: dict[int, Entry] = {}
        self._places = array("q")
        self._scratch: Scratch | None = None
        self._ahead, self._ahead_from = b"", 0
        self._whole = False
        self._held = amounts().items
        self.twins = False
        """Whether items differ in their image's extension alone."""

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._places)

    def find(self, identity: tuple[Any, ...]) -> int | None:
        """The number of the item with these key names."""
        number = self._numbers.get(hash(identity))
        if number is None or self[number].identity == identity:
            return number
        return self._same_hash.get(identity)

    def add(self, identity: tuple[Any, ...], key: str) -> int:
        """A new item; gives its number."""
        number = len(self._places)
        if self._numbers.setdefault(hash(identity), number) != number:
            self._same_hash[identity] = number
        self._places.append(-1)
        self._keep(Entry(identity, key, {}, number))
        return number

    def add_twin(self, entry: Entry, extension: str) -> int:
        """A new item whose image has the name of another's and another extension; gives its number."""
        self.twins = True
        return self.add((*entry.identity, extension), f"{entry.key}.{extension}")

    def twin(self, identity: tuple[Any, ...], extension: Any) -> int | None:
        """The number of the item with these key names that has an identity of its own for its extension."""
        return self.find((*identity, extension)) if self.twins and extension else None

    def rename(self, identity: tuple[Any, ...], number: int) -> None:
        """Let these key names, which were another item's, mean an item."""
        self._numbers[hash(identity)] = self._same_hash[identity] = number

    def renumber(self, order: np.ndarray[Any, np.dtype[np.intp]]) -> None:
        """Give the items other numbers: `order` tells, for each of these, the number so far."""
        if (order == np.arange(len(order))).all():
            return
        numbers = np.empty_like(order)
        numbers[order] = np.arange(len(order))
        now = numbers.tolist()
        self._numbers = {known: now[number] for known, number in self._numbers.items()}
        self._same_hash = {known: now[number] for known, number in self._same_hash.items()}
        self._near = {now[number]: entry for number, entry in self._near.items()}
        for number, entry in self._near.items():
            entry.number = number
        self._places = array("q", np.frombuffer(self._places, np.int64)[order].tobytes())

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Entry]: ...
    def __getitem__(self, number: int | slice) -> Entry | Sequence[Entry]:
        """An item by its number, or some items; those that are not in memory are read from the scratch file."""
        if isinstance(number, slice):
            return Chosen(self, np.arange(len(self), dtype=np.int32)[number])
        near = self._near.get(number)
        if near is not None:
            return near
        entry = self._unpacked(number)
        if not self._whole:
            self._keep(entry)
        return entry

    def __iter__(self) -> Iterator[Entry]:
        """All items by their numbers."""
        return (self[number] for number in range(len(self)))

    def whole(self) -> None:
        """All is known: nobody looks for an item by its key names any more, nor notes anything."""
        self._numbers, self._same_hash, self._whole = {}, {}, True
        if self._scratch is not None:
            self._pack(len(self._near))

    def _keep(self, entry: Entry) -> None:
        if len(self._near) >= self._held:
            self._pack(self._held // 2)
        self._near[entry.number] = entry

    def _pack(self, count: int) -> None:
        """Move the items that came first from memory to disk."""
        if self._scratch is None:
            self._scratch = Scratch()
        done = list(islice(self._near, count))
        packed = bytearray()
        for number in done:
            self._places[number] = self._scratch.size + len(packed)
            data = _packed(self._near.pop(number))
            packed += len(data).to_bytes(4, "little") + data
        self._scratch.write(packed)

    def _unpacked(self, number: int) -> Entry:
        assert self._scratch is not None
        place = self._places[number]
        start = place - self._ahead_from
        size = 4 + int.from_bytes(self._ahead[start : start + 4], "little") if 0 <= start < len(self._ahead) - 4 else 0
        if not 0 < size <= len(self._ahead) - start:
            self._ahead, self._ahead_from, start = self._scratch.read(place, amounts().items_ahead), place, 0
            size = 4 + int.from_bytes(self._ahead[:4], "little")
            if size > len(self._ahead):
                self._ahead = self._scratch.read(place, size)
        packer = _PACKERS[self._ahead[start + 4]]
        identity, key, names, files, shared = packer.loads(self._ahead[start + 5 : start + size])
        return Entry(identity, key, names, number, files or NONE, shared or NONE)


_PACKERS: tuple[Any, ...] = (marshal, pickle)


def _packed(entry: Entry) -> bytes:
    told: tuple[Any, ...] = (entry.identity, entry.key, entry.names, entry.files or None, entry.shared or None)
    try:
        return b"\0" + marshal.dumps(told, 2)  # a version that looks for no object that stands twice
    except ValueError:
        return b"\1" + pickle.dumps(told)


class Chosen(Sequence[Entry]):
    """Some items, in an order of their own."""

    def __init__(self, entries: Entries, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        """Take the items of `entries` that have these numbers, in the order of `numbers`."""
        self._entries = entries
        self._numbers = numbers

    def __len__(self) -> int:
        """How many items were chosen."""
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        """An item by its place in the order of the choice, or some items."""
        if isinstance(place, slice):
            return Chosen(self._entries, self._numbers[place])
        return self._entries[int(self._numbers[place])]

    def __iter__(self) -> Iterator[Entry]:
        """The items in the order of the choice."""
        return (self._entries[int(number)] for number in self._numbers)


def item_key(form: Format, names: Mapping[str, Any]) -> str:
    """The item's key: its captures, in the image path's order."""
    return "/".join(str(names[name]) for name in form.key_names if names.get(name) not in (None, ""))


class ItemFiles:
    """Collects the files of items in the order of their paths.

    The result is as if one role after another had been gone through. In most layouts the files of an item follow each
    other, so that its entry is in memory until it has all of them.
    """

    def __init__(self, form: Format, entries: Entries) -> None:
        """Work out which roles make items; form: the layout, entries: where the items go."""
        self._form = form
        self._entries = entries
        names = set(form.key_names)
        self._ranks = {
            name: rank
            for rank, (name, role) in enumerate(form.roles.items())
            if role.span != "shared" and (name == IMAGE or names <= set(role.captures))
        }
        self._named = {name: rank if form.roles[name].span == "item" else -1 for name, rank in self._ranks.items()}
        self._record_names = {name: form.roles[name].record_names for name in self._ranks}
        self._extension = extension_told(form)
        self._last: Entry | None = None
        self._doubled: list[tuple[int, Fault]] = []
        self._images = 0
        self._first_ranks, self._first_places = array("h"), array("q")

    def add(self, role: Role, path: str, captures: dict[str, Any], place: int) -> None:
        """Take a file, if it names its item; `place`: that of its path."""
        name = role.name
        rank = self._ranks.get(name)
        if rank is None or (role.base is not None and role.template.ambiguous(path)):
            return  # of those that may be read in two ways, the documents that name them say whose they are
        identity = tuple([captures.get(one) or "" for one in self._form.key_names])
        entry = self._last
        if entry is None or entry.identity != identity:
            entry = self._last = self._entry(identity, captures, rank, place)
        if rank < self._first_ranks[entry.number]:
            self._first_ranks[entry.number], self._first_places[entry.number] = rank, place
        of_item = role.span == "item"
        known = entry.files.get(name)
        if known is not None and of_item:
            if self._extension is not None and name == IMAGE:
                self._add_twin(role, entry, path, captures, rank, place)
                return
            fault = Fault("ITEM_DUPLICATE", path, (), role.place, f"this is the same item as {known[0][0]}")
            self._doubled.append((rank, fault))
            return
        late = known is None and bool(entry.files) and rank < self._ranks[list(entry.files)[-1]]
        told = {one: captures[one] for one in self._record_names[name]}
        if known is None:
            entry.add_file(name, path, told)
            self._images += name == IMAGE
        else:
            known.append((path, told))
        if late:
            entry.files = {one: entry.files[one] for one in sorted(entry.files, key=self._ranks.__getitem__)}
        if late and of_item and self._last_named(entry) > rank:
            entry.names = self._names(entry)
        elif of_item:
            for one, value in captures.items():
                entry.names.setdefault(one, value)

    def _add_twin(self, role: Role, entry: Entry, path: str, captures: dict[str, Any], rank: int, place: int) -> None:
        """Take an image that has the name of another's, and another extension: it is an item of its own."""
        twin = self._entries[self._entries.add_twin(entry, captures[str(self._extension)])]
        self._first_ranks.append(rank)
        self._first_places.append(place)
        twin.add_file(role.name, path, {one: captures[one] for one in self._record_names[role.name]})
        twin.names = dict(captures)

    def _entry(self, identity: tuple[Any, ...], captures: dict[str, Any], rank: int, place: int) -> Entry:
        """The item with these key names, which is a new one if there is none."""
        number = self._entries.find(identity)
        if number is None:
            number = self._entries.add(identity, item_key(self._form, captures))
            self._first_ranks.append(rank)
            self._first_places.append(place)
        return self._entries[number]

    def _last_named(self, entry: Entry) -> int:
        """The rank of the last role whose file says an item's names."""
        return max([self._named[name] for name in entry.files])

    def _names(self, entry: Entry) -> dict[str, Any]:
        """What an item's files say of it, role after role: what an earlier one says stays."""
        names: dict[str, Any] = {}
        for name, found in entry.files.items():
            role = self._form.roles[name]
            for one, value in captured(role, found[0][0]).items() if role.span == "item" else ():
                names.setdefault(one, value)
        return names

    def done(self) -> list[Fault]:
        """Finish the items once all files were taken.

        Documents are given to the images whose names they have in other capitals. Items are numbered by the roles and
        paths that first name them.

        Returns:
            What is wrong with files, for example that an item has two where one belongs.
        """
        faults = [fault for _, fault in sorted(self._doubled, key=itemgetter(0))]
        if 0 < self._images < len(self._entries):
            faults += self._join_in_capitals()
        self._entries.renumber(np.lexsort((self._first_places, self._first_ranks)))
        return faults

    def _join_in_capitals(self) -> Iterator[Fault]:
        """Give the files of items without an image to the only item whose image is named so but for capitals."""
        entries = self._entries
        images = Spellings((entry.number, entry.identity) for entry in entries if IMAGE in entry.files)
        lone = [entry.number for entry in entries if IMAGE not in entry.files and images.like(entry.identity)]
        for number in lone:
            alone = entries[number]
            identity, files = alone.identity, alone.files
            others = [(other, entries[other]) for other in images.like(identity)]
            able = [(other, one.identity) for other, one in others if not files.keys() & one.files.keys()]
            found = spelled_like(identity, able)
            if not found:
                continue
            name, path = next((name, found[0][0]) for name, found in files.items())
            place = self._form.roles[name].place
            names = [entries[other].files[IMAGE][0][0] for other in found]
            if len(found) > 1:
                words = f"it may belong to {' or '.join(names[:3])}, of which none is spelled exactly so"
                yield Fault("FILE_AMBIGUOUS", path, (), place, words, scope="item")
                continue
            words = "its name differs from the image's in capitals"
            yield Fault("DIFFERS", path, (), place, words, names[0], path, case="capitals")
            entries[number].files, entries[number].names = NONE, {}
            entries.rename(identity, found[0])
            self._take(entries[found[0]], files)

    def _take(self, entry: Entry, files: Mapping[str, list[tuple[str, dict[str, Any]]]]) -> None:
        """Add files of other roles to an item's own files."""
        entry.files = dict(sorted({**entry.files, **files}.items(), key=lambda one: self._ranks[one[0]]))
        for name, found in files.items():
            role = self._form.roles[name]
            for one, value in captured(role, found[0][0]).items() if role.span == "item" else ():
                entry.names.setdefault(one, value)


def captured(role: Role, path: str) -> dict[str, Any]:
    """What a path of a role captures, and what the role says of all its files."""
    return {**role.spec.given, **(role.match(path) or {})}


def header_of(rule: Rule, document: Any) -> tuple[str, ...]:
    """The names of columns that a document states in a line of its own; none where it states none."""
    if isinstance(rule, MapRule) and isinstance(document, dict):
        for one in rule.fields:
            leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
            if isinstance(leaf, Bind) and leaf.names == ("columns",):
                return tuple(str(document.get(one.keys[0], "")).split())
            found = header_of(one.rule, document.get(one.keys[0]))
            if found:
                return found
    return ()
