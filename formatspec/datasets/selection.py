"""Conditions that select items, or objects of them; each can be pickled."""

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
    """Selects the items of some subsets."""

    names: frozenset[str]

    def __call__(self, item: Item) -> Item | None:
        """Return the item, or None if it is in none of the subsets."""
        return item if self.names.intersection(item.subsets) else None


@dataclass(frozen=True)
class OfFunction:
    """Applies a function: True keeps an item, False and None leave it out, and an item replaces it."""

    function: Callable[[Item], Any]

    @property
    def moves_items(self) -> bool:
        """Whether the function says that it puts items into other subsets."""
        return bool(getattr(self.function, "moves_items", False))

    def __call__(self, item: Item) -> Item | None:
        """Return the item as the function leaves it, or None.

        Raises:
            TypeError: The function returns neither a boolean, nor an item, nor None.
        """
        found = self.function(item)
        if found is None or isinstance(found, Item):
            return found
        if isinstance(found, bool | np.bool_):
            return item if found else None
        raise TypeError(f"a condition says True or False of an item, or gives an item or None, not {found!r}")


class WithLabels:
    """Selects the objects, labels and areas of some categories, or renames categories.

    Items without any remaining annotation are kept.
    """

    def __init__(self, labels: tuple[str, ...] | Mapping[str, NewName], listed: Sequence[Category] = ()) -> None:
        """Take the names of the categories to keep, or a mapping of old names to new ones.

        Args:
            labels: The names, or the mapping.
            listed: The dataset's categories in order. If several become one, the first gives its number.
        """
        self._given, self._listed = labels, tuple(listed)
        self._names = None if isinstance(labels, Mapping) else frozenset(labels)
        self._labels = Labels(labels) if isinstance(labels, Mapping) else None
        self.categories(self._listed)

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """Return the categories of a dataset afterwards: those with new names, each once, or the same ones."""
        return listed if self._labels is None else self._labels.categories(listed)

    def __call__(self, item: Item) -> Item | None:
        """Return the item with what is selected of it."""
        if self._labels is not None:
            return self._labels.item(item)
        return msgspec.structs.replace(
            item,
            objects=tuple(thing for thing in item.objects if self._takes(thing)),
            labels=tuple(label for label in item.labels if self._takes(label)),
            areas=tuple(area for area in item.areas if self._takes(area)),
        )

    def __reduce__(self) -> tuple[type[WithLabels], tuple[object, ...]]:
        """Pickle what was given, without counts of objects."""
        return WithLabels, (self._given, self._listed)

    def _takes(self, record: object) -> bool:
        category = getattr(record, "category", None)
        return category is not None and self._names is not None and spoken(category) in self._names


def categories_after(steps: Iterable[object], listed: tuple[Category, ...]) -> tuple[Category, ...]:
    """Return the categories of a dataset after steps that may rename some."""
    for step in steps:
        if isinstance(step, WithLabels):
            listed = step.categories(listed)
    return listed
