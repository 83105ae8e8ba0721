"""Renames items of different subsets that share a name: each but the first gets its subset's name as a prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from formatspec.datasets.joined_datasets import name_in_subset
from formatspec.engine.export.adaptation.made_names import MadeNames
from formatspec.engine.index.entries import Entry
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.language.errors import Problem, SpecError
from formatspec.model.records import Item

SEQUENCE = "sequence"
"""The capture whose new value applies to all frames of a sequence."""


@dataclass(frozen=True)
class Renames:
    """New values of one capture, by the items' present subsets and values."""

    capture: str
    values: Mapping[tuple[str, str], str]

    def of(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the captures of an item, with the new value if it has one."""
        new = self.values.get((str(names.get("subset")), str(names.get(self.capture))))
        return names if new is None else {**names, self.capture: new}

    def __call__(self, item: Item) -> Item:
        """Return the item under its new name, or the item itself if it keeps its name."""
        names = self.of(item.captures)
        if names is item.captures:
            return item
        if self.capture == SEQUENCE and item.sequence is not None:
            item = msgspec.structs.replace(item, sequence=names[SEQUENCE])
        return msgspec.structs.replace(item, captures=dict(names))


def told_apart(entries: Callable[[], Iterable[Entry]], form: Format) -> tuple[dict[str, str], Renames | None]:
    """Return the names of items below their subsets, made unique where two items share one.

    The first item of a name keeps it, in the order of the entries. Any other item gets its subset's name before the
    last part of its own: `1` of the subset val becomes `val_1`. Frames of a sequence are renamed together.

    Args:
        entries: Gives the items as the index knows them, in order, each time it is called.
        form: The layout of the dataset.

    Returns:
        The names by the items' keys; and what gives items these names, None if all names are unique already.

    Raises:
        SpecError: Two items share a name, and no part of their paths can be changed.
    """
    names = {entry.key: name_in_subset(entry, form.key_names)[1] for entry in entries()}
    if len(set(names.values())) == len(names):
        return names, None
    capture = _renamed_capture(form)
    first: dict[str, str] = {}
    later: list[tuple[str, Mapping[str, Any]]] = []
    taken: set[str] = set()
    for entry in entries():
        if capture is not None:
            taken.add(str(entry.names.get(capture)))
        if first.setdefault(names[entry.key], entry.key) != entry.key:
            later.append((entry.key, dict(entry.names)))
    if capture is None:
        key = later[0][0]
        hint = "rename one of them, or split one subset alone with --subset"
        words = (
            f"two items are called {names[key]!r}: {first[names[key]]} and {key}; their paths have no part for a prefix"
        )
        raise SpecError((Problem(words, None, hint=hint),))
    values: dict[tuple[str, str], str] = {}
    for _, told in later:
        subset, value = str(told.get("subset")), str(told.get(capture))
        if (subset, value) not in values:
            new = _prefixed(value, subset)
            while new in taken:
                new = _prefixed(new, subset)
            taken.add(new)
            values[subset, value] = new
    renames = Renames(capture, values)
    for entry in entries():
        own = renames.of(entry.names)
        if own is not entry.names:
            renamed = msgspec.structs.replace(entry, names=dict(own), key=_key_of(own, form.key_names))
            names[entry.key] = name_in_subset(renamed, form.key_names)[1]
    return names, renames


def _prefixed(value: str, subset: str) -> str:
    """Return a name with its subset before its last part."""
    folder, slash, last = value.rpartition("/")
    return f"{folder}{slash}{subset}_{last}"


def _key_of(names: Mapping[str, Any], key_names: Sequence[str]) -> str:
    return "/".join(str(names[name]) for name in key_names if names.get(name) not in (None, ""))


def _renamed_capture(form: Format) -> str | None:
    """Return the capture of items' paths that takes a prefix: the sequence, or else the last that may be any text."""
    role = form.roles.get(IMAGE)
    formats = {} if role is None else role.scope.captures
    made = MadeNames(form)
    free = [
        name
        for name in form.key_names
        if name != "subset" and name not in made and "." not in name
        and (formats.get(name) is None or str(formats[name]).startswith("path"))
    ]  # fmt: skip
    if SEQUENCE in free:
        return SEQUENCE
    return free[-1] if free else None
