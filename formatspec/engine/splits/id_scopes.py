"""Splits: files that share the captures of their paths, within which ids and class numbers are unique."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from formatspec.engine.read.categories import Categories

Split = tuple[tuple[str, Any], ...]
"""The captures that the files of a split share, sorted by name."""

IDS = "ids"
"""The name under which the index keeps the ids of an item by split, if files of several splits number items."""


def whole_split(captures: Mapping[str, Any]) -> Split:
    """Return the split of a file: its captures without those of an object, a label or a category."""
    return tuple(sorted((name, value) for name, value in captures.items() if value is not None and "." not in name))


def id_split(captures: Mapping[str, Any], key_names: Collection[str]) -> Split:
    """Return the part of a file's split that the names of items do not contain."""
    return tuple(one for one in whole_split(captures) if one[0] not in key_names)


def several_id_splits(files: Iterable[Mapping[str, Any]], key_names: Collection[str]) -> bool:
    """Return whether files that number items, given by their captures, are of several such splits."""
    return len({id_split(captures, key_names) for captures in files}) > 1


def agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether captures are equal for the names that both have."""
    return all(other.get(name) in (None, value) for name, value in one.items() if value is not None)


def id_in(ids: Mapping[Split, Any], split: Split) -> Any:
    """Return the id of an item in a split; None if the files of the split state none."""
    if split in ids:
        return ids[split]
    names = dict(split)
    found = {value for other, value in ids.items() if agree(dict(other), names)}
    return found.pop() if len(found) == 1 else None


class Splits:
    """The categories of a dataset as each of its splits numbers them.

    Attributes:
        whole: The categories of all splits.
        several: Whether splits number categories differently.
        apart: The categories of such splits.
    """

    def __init__(self, whole: Categories, groups: Sequence[tuple[Mapping[str, Any], Categories]] = ()) -> None:
        """Take the categories of the whole dataset and of each split.

        `groups` holds for each split the captures that name it, and its own categories.
        """
        self.whole = whole
        self.apart = tuple(own for _, categories in groups for own in categories.apart)
        self.several = bool(groups)
        self._groups = tuple(groups)
        self._names = tuple(sorted({name for captures, _ in groups for name in captures}))
        self._known: dict[tuple[Any, ...], Categories] = {}

    def changed(self, change: Callable[[Categories], Categories]) -> Splits:
        """Return the same splits with changed categories."""
        return Splits(change(self.whole), [(captures, change(own)) for captures, own in self._groups])

    def of(self, captures: Mapping[str, Any]) -> Categories:
        """Return the categories of the split that these names belong to; those of the whole if the names do not say."""
        if not self._groups:
            return self.whole
        key = tuple(captures.get(name) for name in self._names)
        known = self._known.get(key)
        if known is None:
            found = [categories for own, categories in self._groups if agree(own, captures)]
            known = self._known[key] = found[0] if len(found) == 1 else self.whole
        return known
