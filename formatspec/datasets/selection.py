"""Conditions by which items, or objects of them, are taken over; each can be pickled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model.records import Category, Item
from formatspec.run.select import Labels, NewName


@dataclass(frozen=True)
class OfSubsets:
    """Takes the items of some subsets."""

    names: frozenset[str]

    def __call__(self, item: Item) -> Item | None:
        """The item, or None where it is of none of the subsets."""
        return item if self.names.intersection(item.subsets) else None


@dataclass(frozen=True)
class OfFunction:
    """Takes what a function says: True takes an item as it is, False and None leave it out, an item takes its place."""

    function: Callable[[Item], Any]

    @property
    def moves_items(self) -> bool:
        """Whether the function says that it puts items into other subsets."""
        return bool(getattr(self.function, "moves_items", False))

    def __call__(self, item: Item) -> Item | None:
        """The item as the function leaves it, or None.

        Raises:
            TypeError: The function gives neither a boolean, nor an item, nor None.
        """
        found = self.function(item)
        if found is None or isinstance(found, Item):
            return found
        if isinstance(found, bool | np.bool_):
            return item if found else None
        raise TypeError(f"a condition says True or False of an item, or gives an item or None, not {found!r}")


class WithLabels:
    """Takes the objects, labels and areas of some categories; or gives categories new names.

    Items in which nothing is left stay, without annotations.
    """

    def __init__(self, labels: tuple[str, ...] | Mapping[str, NewName], listed: Sequence[Category] = ()) -> None:
        """Take the names of the categories to keep, or a mapping of old names to new ones.

        Args:
            labels: The names, or the mapping.
            listed: The dataset's categories in their order. Where several become one, the first gives its number.
        """
        self._given, self._listed = labels, tuple(listed)
        self._names = None if isinstance(labels, Mapping) else frozenset(labels)
        self._labels = Labels(labels) if isinstance(labels, Mapping) else None
        self.categories(self._listed)

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """The categories that a dataset with these has afterwards: those with new names, each once, or the same."""
        return listed if self._labels is None else self._labels.categories(listed)

    def __call__(self, item: Item) -> Item | None:
        """The item with what is taken of it."""
        if self._labels is not None:
            return self._labels.item(item)
        return msgspec.structs.replace(
            item,
            objects=tuple(thing for thing in item.objects if self._takes(thing)),
            labels=tuple(label for label in item.labels if self._takes(label)),
            areas=tuple(area for area in item.areas if self._takes(area)),
        )

    def __reduce__(self) -> tuple[type[WithLabels], tuple[object, ...]]:
        """Pickle what was given, without the numbers of objects that were met."""
        return WithLabels, (self._given, self._listed)

    def _takes(self, record: object) -> bool:
        category = getattr(record, "category", None)
        return category is not None and self._names is not None and spoken(category) in self._names


def categories_after(steps: Iterable[object], listed: tuple[Category, ...]) -> tuple[Category, ...]:
    """The categories of a dataset after steps, of which some may give categories new names."""
    for step in steps:
        if isinstance(step, WithLabels):
            listed = step.categories(listed)
    return listed
