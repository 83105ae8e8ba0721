"""Ids that rows state, collected while the rows are located in the file.

Joining rows to items then needs no second pass over the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.base.scratch_records import Records

LARGEST_NOTED = 1 << 60
"""Numbers below this are their own hashes, but for -1."""

Column = np.ndarray[Any, np.dtype[np.int64]]


class IdColumns:
    """What the rows of a table state under these keys; given up where one states no number that is near.

    Without keys nothing is noted, and the rows are judged all the same.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """Make a decoder for the values of `keys` alone."""
        self.keys = tuple(keys)
        names = [f"k{place}" for place in range(len(keys))]
        keyed = dict(zip(names, keys, strict=True))
        row: Any = msgspec.defstruct("IdColumns", [(name, Any, None) for name in names], rename=keyed, gc=False)
        self._decode = msgspec.json.Decoder(list[row] if keys else list[msgspec.Raw]).decode
        self._get = [attrgetter(name) for name in names]
        self._columns: Records | None = Records([(name, "i8") for name in names]) if keys else None

    def note(self, rows: bytes) -> None:
        """Note what rows state that follow all others.  Raises ValueError or RecursionError where they are no JSON."""
        found = self._decode(b"[" + rows + b"]")
        if self._columns is None:
            return
        columns = [list(map(get, found)) for get in self._get]
        if set(map(type, chain.from_iterable(columns))) != {int}:
            self._columns = None
            return
        try:
            numbers = [np.array(column, np.int64) for column in columns]
        except OverflowError:
            self._columns = None
            return
        if any((np.abs(column) >= LARGEST_NOTED).any() for column in numbers):
            self._columns = None
            return
        self._columns.add(*numbers)

    def pieces(self) -> Iterator[tuple[int, tuple[Column, ...]]] | None:
        """The columns of all rows, some at a time, with the place of the first; None where not all were noted."""
        if self._columns is None:
            return None
        names = self._columns.dtype.names or ()
        return ((first, tuple(some[name] for name in names)) for first, some in self._columns.pieces())


def hashes(numbers: Column) -> Column:
    """The hashes of numbers that were noted."""
    return np.where(numbers == -1, -2, numbers)
