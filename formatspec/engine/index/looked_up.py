"""Items looked up by some of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from formatspec.engine.index.entries import Entries, Entry
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.engine.splits.id_scopes import IDS, Split, id_in
from formatspec.paths.names import plain_spelling


class LookedUp:
    """Items by some of their names, as they were when this was first asked for."""

    def __init__(self, form: Format, entries: Entries) -> None:
        self.doubled: set[Any] = set()
        self._form = form
        self._entries = entries
        self._by: dict[tuple[str, ...], dict[int, int | list[int]]] = {}
        self._alone: dict[tuple[str, ...], dict[Any, dict[Any, int]]] = {}
        self._plain: dict[int, int] | None = None

    def spelled_otherwise(self, identity: tuple[Any, ...]) -> int | None:
        """The number of the item whose files alone spell these key names in another way: `a` for `./a`."""
        if self._plain is None:
            self._plain = {}
            for entry in self._entries:
                if entry.files:
                    mark = hash(_plainly(entry.identity))
                    self._plain[mark] = -1 if mark in self._plain else entry.number
        plain = _plainly(identity)
        number = self._plain.get(hash(plain), -1)
        return number if number >= 0 and _plainly(self._entries[number].identity) == plain else None

    def clear(self) -> None:
        """Items may have other names now."""
        self._by.clear()
        self._alone.clear()

    def of(self, shape: tuple[str, ...], key: tuple[Any, ...], split: Split) -> list[int]:
        """The numbers of the items with these names, of which the id is the one that they have in a split."""
        if shape not in self._by:
            by: dict[int, int | list[int]] = {}
            for entry in self._entries:
                for _, own in _keys_of(self._form, shape, entry):
                    mark = hash(own)
                    known = by.setdefault(mark, entry.number)
                    last = known[-1] if isinstance(known, list) else known
                    if last != entry.number:
                        by[mark] = [*(known if isinstance(known, list) else (known,)), entry.number]
            self._by[shape] = by
        found = self._by[shape].get(hash(key), [])
        numbers = found if isinstance(found, list) else [found]
        return [number for number in numbers if _key_of(self._form, shape, self._entries[number], split) == key]

    def alone(self, shape: tuple[str, ...], given: tuple[Any, ...], split: Split) -> Mapping[Any, int]:
        """By their ids in a split, the numbers of the items that alone have theirs, among those with the other names
        given."""
        if shape not in self._alone:
            place = shape.index("id")
            by: dict[Any, dict[Any, int]] = defaultdict(dict)
            for entry in self._entries:
                for own, key in _keys_of(self._form, shape, entry):
                    ids = by[own, (*key[:place], *key[place + 1 :])]
                    ids[key[place]] = -1 if key[place] in ids else entry.number
            self._alone[shape] = by
        return self._alone[shape].get((split, given), {})


def _plainly(identity: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(plain_spelling(name) if isinstance(name, str) else name for name in identity)


def _keys_of(form: Format, shape: tuple[str, ...], entry: Entry) -> Iterator[tuple[Split, tuple[Any, ...]]]:
    """An item's names of a shape, with each id that it has and the split in which it has it."""
    ids = entry.shared.get(IDS) if "id" in shape else None
    for split in ids or ((),):
        key = _key_of(form, shape, entry, split)
        if key is not None:
            yield split, key


def _key_of(form: Format, shape: tuple[str, ...], entry: Entry, split: Split) -> tuple[Any, ...] | None:
    """An item's names of a shape; None where it has not all of them."""
    names, ids = entry.names, entry.shared.get(IDS)
    if not all(name in names or is_optional(form, name) for name in shape):
        return None
    own = names.get("id") if ids is None else id_in(ids, split)
    return tuple(names.get(name) or "" if name != "id" else own for name in shape)


def is_optional(form: Format, name: str) -> bool:
    """Whether an item may be without a name."""
    found = form.roles[IMAGE].scope.captures.get(name)
    return found == "path?" or (name != "id" and name not in form.key_names)
