"""Items by their names: which files make them, and what else is known of them before they are read."""

from __future__ import annotations

import marshal
import pickle
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, overload

import msgspec
import numpy as np

from formatspec.engine.format import IMAGE, Format
from formatspec.engine.job import Fault
from formatspec.engine.spill import Scratch
from formatspec.language.leaf import Bind
from formatspec.language.rules import LeafRule, MapRule, Rule

Files = Callable[[str], Iterable[tuple[str, dict[str, Any]]]]
"""Gives the paths of a role, with what they capture."""

HELD = 1 << 12
"""Items that stay in memory as they are; more are kept packed, on disk."""
PACKED = 512
"""Bytes that most packed items have at most."""


NONE: Mapping[str, Any] = MappingProxyType({})
"""Nothing yet: most items of a shared file need no mapping of their own."""


def _none() -> Mapping[str, Any]:
    return NONE


class Entry(msgspec.Struct):
    """An item in the index: its place among all, its names, its files by role."""

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
    """The items met so far, by their numbers and by their key names.

    Many items do not stay in memory: what is noted of one counts until another is asked for.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._same_hash: dict[tuple[Any, ...], int] = {}
        self._near: dict[int, Entry] = {}
        self._places = array("q")
        self._scratch: Scratch | None = None
        self._whole = False

    def __len__(self) -> int:
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

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Entry]: ...
    def __getitem__(self, number: int | slice) -> Entry | Sequence[Entry]:
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
        return (self[number] for number in range(len(self)))

    def whole(self) -> None:
        """All is known: nobody looks for an item by its key names any more, nor notes anything."""
        self._numbers, self._same_hash, self._whole = {}, {}, True
        if self._scratch is not None:
            self._pack(len(self._near))

    def _keep(self, entry: Entry) -> None:
        if len(self._near) >= HELD:
            self._pack(HELD // 2)
        self._near[entry.number] = entry

    def _pack(self, count: int) -> None:
        """Put those on disk that came first."""
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
        data = self._scratch.read(place, PACKED)
        size = 4 + int.from_bytes(data[:4], "little")
        if size > len(data):
            data = self._scratch.read(place, size)
        identity, key, names, files, shared = _PACKERS[data[4]].loads(memoryview(data)[5:size])
        return Entry(identity, key, names, number, files or NONE, shared or NONE)


_PACKERS: tuple[Any, ...] = (marshal, pickle)


def _packed(entry: Entry) -> bytes:
    files, shared = dict(entry.files) or None, dict(entry.shared) or None
    told = (entry.identity, entry.key, entry.names, files, shared)
    try:
        return b"\0" + marshal.dumps(told, 2)  # a version that looks for no object that stands twice
    except ValueError:
        return b"\1" + pickle.dumps(told)


class Chosen(Sequence[Entry]):
    """Some items, in an order of their own."""

    def __init__(self, entries: Entries, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        self._entries = entries
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(place, slice):
            return Chosen(self._entries, self._numbers[place])
        return self._entries[int(self._numbers[place])]

    def __iter__(self) -> Iterator[Entry]:
        return (self._entries[int(number)] for number in self._numbers)


def item_key(form: Format, names: Mapping[str, Any]) -> str:
    """The item's key: its captures, in the image path's order."""
    return "/".join(str(names[name]) for name in form.key_names if names.get(name) not in (None, ""))


def add_item_files(form: Format, files: Files, entries: Entries, faults: list[Fault]) -> None:
    """Make items of the files that name them; two files of one role for one item are a fault."""
    for role in form.roles.values():
        if role.span == "shared" or (role.name != IMAGE and not set(form.key_names) <= set(role.captures)):
            continue
        for path, captures in files(role.name):
            if role.base is not None and role.template.ambiguous(path):
                continue  # the documents that name it say whose it is
            identity = tuple(captures.get(name) or "" for name in form.key_names)
            number = entries.find(identity)
            entry = entries[entries.add(identity, item_key(form, captures)) if number is None else number]
            if role.span == "item" and role.name in entry.files:
                other = entry.files[role.name][0][0]
                faults.append(Fault("ITEM_DUPLICATE", path, (), role.place, f"this is the same item as {other}"))
                continue
            entry.add_file(role.name, path, captures)
            if role.span == "item" and not entry.names:
                entry.names = captures
            elif role.span == "item":
                for name, value in captures.items():
                    entry.names.setdefault(name, value)


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
