"""The items by name, with their files and whatever else is known before they are read."""

from __future__ import annotations

import marshal
import pickle
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from formatspec.language.leaf import names_of
from formatspec.language.rules import Rule
from formatspec.model.amounts import amounts
from formatspec.paths.spellings import Spellings, spelled_like

NONE: Mapping[str, Any] = MappingProxyType({})
"""An empty mapping. Most items of a shared file need no mapping of their own."""


def _none() -> Mapping[str, Any]:
    return NONE


class Entry(msgspec.Struct):
    """An item in the index: its number, its names, its files by role, and what shared files say of it."""

    identity: tuple[Any, ...]
    key: str
    names: dict[str, Any]
    number: int
    files: Mapping[str, list[tuple[str, dict[str, Any]]]] = msgspec.field(default_factory=_none)
    shared: Mapping[str, Any] = msgspec.field(default_factory=_none)

    def add_file(self, role: str, path: str, captures: dict[str, Any]) -> None:
        """Add a file of the item."""
        if self.files is NONE:
            self.files = {}
        self.files.setdefault(role, []).append((path, captures))  # type: ignore[attr-defined]

    def share(self, name: str, value: Any) -> None:
        """Add what shared files say of the item before it is read."""
        self.shared = {**self.shared, name: value}


class Entries(Sequence[Entry]):
    """The items found so far, by number and by name.

    When there are many, most are moved to disk. A change to an entry that came from disk lasts only until another entry
    is asked for.
    """

    def __init__(self) -> None:
        """Start without items."""
        self._numbers: dict[int, int] = {}
        self._same_hash: dict[tuple[Any, ...], int] = {}
        self._near: dict[int, Entry] = {}
        self._places = array("q")
        self._scratch: Scratch | None = None
        self._ahead, self._ahead_from, self._ahead_size = b"", 0, 0
        self._whole = False
        self._held = amounts().items
        self.twins = False
        """Whether two items differ only in their image's extension."""

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._places)

    def find(self, identity: tuple[Any, ...]) -> int | None:
        """Return the number of the item with these key names; None if there is none."""
        number = self._numbers.get(hash(identity))
        if number is None or self[number].identity == identity:
            return number
        return self._same_hash.get(identity)

    def add(self, identity: tuple[Any, ...], key: str) -> int:
        """Add an item, and return its number."""
        number = len(self._places)
        if self._numbers.setdefault(hash(identity), number) != number:
            self._same_hash[identity] = number
        self._places.append(-1)
        self._keep(Entry(identity, key, {}, number))
        return number

    def add_twin(self, entry: Entry, extension: str) -> int:
        """Add an item whose image differs from another item's image only in the extension, and return its number."""
        self.twins = True
        return self.add((*entry.identity, extension), f"{entry.key}.{extension}")

    def twin(self, identity: tuple[Any, ...], extension: Any) -> int | None:
        """Return the number of the item with these key names whose image's extension makes it an item."""
        return self.find((*identity, extension)) if self.twins and extension else None

    def rename(self, identity: tuple[Any, ...], number: int) -> None:
        """Make these key names, which belonged to another item, mean this one."""
        self._numbers[hash(identity)] = self._same_hash[identity] = number

    def renumber(self, order: np.ndarray[Any, np.dtype[np.intp]]) -> None:
        """Renumber the items; `order` gives the old number of each new one."""
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
        """Return an item by its number, or several items; those on disk are read from the scratch file."""
        if isinstance(number, slice):
            return Chosen(self, np.arange(len(self), dtype=np.int32)[number])
        return self._near[number] if number in self._near else self._from_disk(number)

    def __iter__(self) -> Iterator[Entry]:
        """Yield all items in the order of their numbers."""
        return self.each(range(len(self)))

    def each(self, numbers: Iterable[int]) -> Iterator[Entry]:
        """Yield items by their numbers."""
        for number in numbers:
            yield self._near[number] if number in self._near else self._from_disk(number)

    def whole(self) -> None:
        """Free what is needed only while items are added; afterwards items cannot be found by name or changed."""
        self._numbers, self._same_hash, self._whole = {}, {}, True
        if self._scratch is not None:
            self._pack(len(self._near))

    def _keep(self, entry: Entry) -> None:
        if len(self._near) >= self._held:
            self._pack(self._held // 2)
        self._near[entry.number] = entry

    def _pack(self, count: int) -> None:
        """Move the oldest items from memory to disk."""
        if self._scratch is None:
            self._scratch = Scratch()
        done = list(islice(self._near, count))
        packed = bytearray()
        for number in done:
            self._places[number] = self._scratch.size + len(packed)
            data = _packed(self._near.pop(number))
            packed += len(data).to_bytes(4, "little") + data
        self._scratch.write(packed)

    def _from_disk(self, number: int) -> Entry:
        assert self._scratch is not None
        place = self._places[number]
        start = place - self._ahead_from
        stop = start + 4 + int.from_bytes(self._ahead[start : start + 4], "little") if start >= 0 else start
        if not start + 4 < stop <= self._ahead_size:
            self._ahead, self._ahead_from, start = self._scratch.read(place, amounts().items_ahead), place, 0
            stop = 4 + int.from_bytes(self._ahead[:4], "little")
            if stop > len(self._ahead):
                self._ahead = self._scratch.read(place, stop)
            self._ahead_size = len(self._ahead)
        packer = _PACKERS[self._ahead[start + 4]]
        identity, key, names, files, shared = packer.loads(self._ahead[start + 5 : stop])
        entry = Entry(identity, key, names, number, files or NONE, shared or NONE)
        if not self._whole:
            self._keep(entry)
        return entry


_PACKERS: tuple[Any, ...] = (marshal, pickle)


def _packed(entry: Entry) -> bytes:
    told: tuple[Any, ...] = (entry.identity, entry.key, entry.names, entry.files or None, entry.shared or None)
    try:
        return b"\0" + marshal.dumps(told, 2)  # version 2 does not search for objects that occur twice
    except ValueError:
        return b"\1" + pickle.dumps(told)


class Chosen(Sequence[Entry]):
    """Some items, in an order of their own."""

    def __init__(self, entries: Entries, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        """Take the items of `entries` with these numbers, in the order of `numbers`."""
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
        """Return an item by its place in this order, or several items."""
        if isinstance(place, slice):
            return Chosen(self._entries, self._numbers[place])
        return self._entries[int(self._numbers[place])]

    def __iter__(self) -> Iterator[Entry]:
        """Yield the items in this order."""
        return self._entries.each(self._numbers.data)


def item_key(form: Format, names: Mapping[str, Any]) -> str:
    """Return an item's key: its captures, joined in the order of the image's path."""
    return "/".join(str(names[name]) for name in form.key_names if names.get(name) not in (None, ""))


class ItemFiles:
    """Assigns files to items, in the order of the paths.

    The result is the same as assigning the files of one role after another. In most layouts the files of an item are
    neighbours, so its entry stays in memory until it is complete.

    Attributes:
        are_named: Whether any item has its image or a document of its own; files of single objects do not make items.
    """

    def __init__(self, form: Format, entries: Entries) -> None:
        """Find the roles that make items.

        Args:
            form: The layout.
            entries: Takes the items.
        """
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
        self.are_named = False
        self._first_ranks, self._first_places = array("h"), array("q")

    def add(self, role: Role, path: str, captures: dict[str, Any], place: int) -> None:
        """Take a file, if its path names its item; `place` is the index of the path."""
        name = role.name
        rank = self._ranks.get(name)
        if rank is None or (role.base is not None and role.template.ambiguous(path)):
            return  # a file that could belong to two items goes to the one whose document names it
        identity = tuple([captures.get(one) or "" for one in self._form.key_names])
        entry = self._last
        if entry is None or entry.identity != identity:
            entry = self._last = self._entry(identity, captures, rank, place)
        if rank < self._first_ranks[entry.number]:
            self._first_ranks[entry.number], self._first_places[entry.number] = rank, place
        of_item = role.span == "item"
        self.are_named = self.are_named or of_item
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
        """Add an item for an image that differs from another item's image only in the extension."""
        twin = self._entries[self._entries.add_twin(entry, captures[str(self._extension)])]
        self._first_ranks.append(rank)
        self._first_places.append(place)
        twin.add_file(role.name, path, {one: captures[one] for one in self._record_names[role.name]})
        twin.names = dict(captures)

    def _entry(self, identity: tuple[Any, ...], captures: dict[str, Any], rank: int, place: int) -> Entry:
        """Return the item with these key names; it is added if there is none."""
        number = self._entries.find(identity)
        if number is None:
            number = self._entries.add(identity, item_key(self._form, captures))
            self._first_ranks.append(rank)
            self._first_places.append(place)
        return self._entries[number]

    def _last_named(self, entry: Entry) -> int:
        """Return the rank of the last role whose file gives the item a name."""
        return max([self._named[name] for name in entry.files])

    def _names(self, entry: Entry) -> dict[str, Any]:
        """Return the names that an item's files give it, role by role; the first role that gives a name decides."""
        names: dict[str, Any] = {}
        for name, found in entry.files.items():
            role = self._form.roles[name]
            for one, value in captured(role, found[0][0]).items() if role.span == "item" else ():
                names.setdefault(one, value)
        return names

    def done(self) -> list[Fault]:
        """Finish the items after all files were taken.

        A document goes to the image of the same name even if they differ in capitals. Items are numbered in the order
        of the roles and paths that first name them.

        Returns:
            What is wrong with files, for example that an item has two files of a role that allows one.
        """
        faults = [fault for _, fault in sorted(self._doubled, key=itemgetter(0))]
        if self.some_lack_images:
            faults += self._join_in_capitals()
        self._entries.renumber(np.lexsort((self._first_places, self._first_ranks)))
        return faults

    @property
    def some_lack_images(self) -> bool:
        """Whether some items have an image, and others have none."""
        return 0 < self._images < len(self._entries)

    def _join_in_capitals(self) -> Iterator[Fault]:
        """Give the files of items without an image to the only item whose name differs just in capitals."""
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
            self.join_to(number, found[0])

    def join_to(self, number: int, image: int) -> None:
        """Give the files of an item without an image to the item of an image."""
        alone = self._entries[number]
        identity, files = alone.identity, alone.files
        alone.files, alone.names = NONE, {}
        self._entries.rename(identity, image)
        self._take(self._entries[image], files)

    def _take(self, entry: Entry, files: Mapping[str, list[tuple[str, dict[str, Any]]]]) -> None:
        """Add files of other roles to an item."""
        entry.files = dict(sorted({**entry.files, **files}.items(), key=lambda one: self._ranks[one[0]]))
        for name, found in files.items():
            role = self._form.roles[name]
            for one, value in captured(role, found[0][0]).items() if role.span == "item" else ():
                entry.names.setdefault(one, value)


def captured(role: Role, path: str) -> dict[str, Any]:
    """Return what a path of a role captures, together with what the role states for all its files."""
    return {**role.spec.given, **(role.match(path) or {})}


def header_of(rule: Rule, document: Any) -> tuple[str, ...]:
    """Return the column names that a document states in a header line; empty if it has none."""
    for one in rule.fields if isinstance(document, dict) else ():
        if names_of(one.rule.leaf) == ("columns",):
            return tuple(str(document.get(one.keys[0], "")).split())
        if found := header_of(one.rule, document.get(one.keys[0])):
            return found
    return ()
