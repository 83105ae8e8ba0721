"""The interface of datasets for other libraries: a list of items with the names of its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from formatspec.model.records import Item


class ListOfItems(Protocol):
    """A dataset, or a part of one, as far as other libraries need it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; a name's position is its index."""
        ...

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in order."""
        ...

    def __getitem__(self, which: int, /) -> Item:
        """Read one item by its index."""
        ...
