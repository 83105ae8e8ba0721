"""What is handed over: a list of items with the names of its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from formatspec.model.records import Item


class ListOfItems(Protocol):
    """A dataset, or a part of one, as far as other libraries need it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; a name's place is its index."""
        ...

    def __len__(self) -> int:
        """Give the number of items."""
        ...

    def __iter__(self) -> Iterator[Item]:
        """Go over the items in their order."""
        ...

    def __getitem__(self, which: int, /) -> Item:
        """Read one item by its place."""
        ...
