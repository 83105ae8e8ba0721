"""Rows that name items with other capitals than the items' files have."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from formatspec.engine.index.row_ownership import RowOwnership


class Otherwise:
    """The rows of one table in one file that name items so, in twenty bytes each."""

    def __init__(self) -> None:
        self._numbers, self._spellings, self._positions = array("i"), array("q"), array("i")

    def add(self, numbers: Sequence[int], spelling: int, position: int) -> None:
        """Note a row of some items; `spelling` stands for the names by which it means them."""
        for number in numbers:
            self._numbers.append(number)
            self._spellings.append(spelling)
            self._positions.append(position)

    def twice(self, joined: RowOwnership) -> Iterator[tuple[int, int]]:
        """The items that rows of the table name in several ways, each with the place of the first row noted here.

        joined: what belongs to whom, of which the last part is this table.
        """
        if not self._numbers:
            return
        numbers, positions = np.frombuffer(self._numbers, np.int32), np.frombuffer(self._positions, np.int32)
        known, first = np.unique(numbers, return_index=True)
        exact = np.zeros(len(known), bool)
        for owners, places in joined.of_last_part():
            others = owners[~np.isin(places, positions)]
            exact |= np.isin(known, others)
        ways = np.unique(np.stack([numbers.astype(np.int64), np.frombuffer(self._spellings, np.int64)]), axis=1)
        exact |= np.isin(known, known[np.bincount(np.searchsorted(known, ways[0]), minlength=len(known)) > 1])
        yield from zip(known[exact].tolist(), positions[first[exact]].tolist(), strict=True)
