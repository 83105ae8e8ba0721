"""A long list of paths, stored as one text: a list of strings would take three times the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

SURROGATES = "surrogatepass"
"""The error handler for names that are not UTF-8 and hold surrogate escapes (PEP 383)."""


class Paths(Sequence[str]):
    """Paths in a fixed order."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Take paths in their order; each is stored as UTF-8 in one buffer."""
        self._text = bytearray()
        self._ends = array("q", (0,))
        for path in paths:
            self._text += path.encode("utf-8", SURROGATES)
            self._ends.append(len(self._text))

    def __len__(self) -> int:
        """How many paths there are."""
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        """Yield the paths in their order."""
        text = self._text
        return (text[start:end].decode("utf-8", SURROGATES) for start, end in pairwise(self._ends))

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        """Return the path at an index, or a tuple of the paths of a slice."""
        chosen = range(len(self))[place]
        if isinstance(chosen, range):
            return tuple(self[one] for one in chosen)
        return self._text[self._ends[chosen] : self._ends[chosen + 1]].decode("utf-8", SURROGATES)

    def __eq__(self, other: Any) -> bool:
        """Return whether the paths and their order are the same."""
        if not isinstance(other, Paths):
            return NotImplemented
        return self._text == other._text and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]  # a list's, which it stands for
