"""Arrays that start in memory and continue in a temporary file when they grow.

The file is read at offsets and has no current position, so forked processes can share it.
"""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from formatspec.model.amounts import amounts
from formatspec.paths.trees.positioned import read_at, write_at

NEAR = 1 << 12
"""How many records are read at once, since the next ones are usually needed soon."""

Numbers = np.ndarray[Any, Any]


class Scratch:
    """An unnamed temporary file that only grows."""

    def __init__(self) -> None:
        """Open a temporary file, which the system deletes when its owner is gone."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it lives as long as its owner
        self.size = 0

    def write(self, data: Any) -> int:
        """Append bytes; return where they begin."""
        view = memoryview(data).cast("B")
        start = self.size
        write_at(self._file.fileno(), view, start)
        self.size += len(view)
        return start

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from an offset on, fewer at the end of the file."""
        return read_at(self._file.fileno(), size, offset)


class Records:
    """Records of one NumPy type, in order."""

    def __init__(self, dtype: Any) -> None:
        """Start without records; `dtype` is the NumPy type of one record."""
        self.dtype = np.dtype(dtype)
        self._count = 0
        self._held: list[Numbers] = []
        self._scratch: Scratch | None = None
        self._near, self._near_first = np.zeros(0, self.dtype), 0
        self._piece = amounts().piece
        self._fields = len(self.dtype.names or ())
        self._noted = array("q")
        """The fields of records that are not put away yet, record after record."""

    def __len__(self) -> int:
        """How many records there are, in memory and on disk."""
        return self._count + (len(self._noted) // self._fields if self._noted else 0)

    def note(self, *record: int) -> None:
        """Append one record of whole numbers; many of them are put away at once."""
        self._noted.extend(record)
        if len(self._noted) >= self._piece * self._fields:
            self._put_away()

    def _put_away(self) -> None:
        noted, self._noted = np.frombuffer(self._noted, np.int64).reshape(-1, self._fields), array("q")
        self.add(*noted.T)

    def add(self, *columns: Any) -> None:
        """Append records, given as a column for each of their fields."""
        if self._noted:
            self._put_away()
        records = np.empty(len(columns[0]), self.dtype)
        for name, column in zip(self.dtype.names or (), columns, strict=True):
            records[name] = column
            if (records[name] != column).any():
                raise OverflowError(f"a number of {name} needs more than {self.dtype[name].itemsize} bytes")
        self.extend(records)

    def extend(self, records: Numbers) -> None:
        """Append records."""
        self._count += len(records)
        if self._scratch is None:
            self._held.append(np.ascontiguousarray(records, self.dtype))
            if self._count * self.dtype.itemsize <= amounts().record_bytes:
                return
            self._scratch = Scratch()
            for held in self._held:
                self._scratch.write(held.view(np.uint8))
            self._held = []
        elif len(records):
            self._scratch.write(np.ascontiguousarray(records, self.dtype).view(np.uint8))

    def read(self, start: int, stop: int) -> Numbers:
        """Return the records from `start` up to, but without, `stop`."""
        if self._noted:
            self._put_away()
        if self._scratch is None:
            if len(self._held) != 1:
                self._held = [np.concatenate(self._held) if self._held else np.zeros(0, self.dtype)]
            return self._held[0][start:stop]
        if not (self._near_first <= start and stop <= self._near_first + len(self._near)):
            size, count = self.dtype.itemsize, min(max(stop - start, NEAR), self._count - start)
            self._near = np.frombuffer(self._scratch.read(start * size, count * size), self.dtype)
            self._near_first = start
        return self._near[start - self._near_first : stop - self._near_first]

    def pieces(self) -> Iterator[tuple[int, Numbers]]:
        """Yield all records in pieces, each with the position of its first."""
        if self._noted:
            self._put_away()
        piece = amounts().piece
        for first in range(0, self._count, piece):
            yield first, self.read(first, min(first + piece, self._count))


def mark(text: str) -> int:
    """Return a number that stands for a text: among ten million texts, the chance of a collision is 1 in 300,000."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class Marks:
    """A set of marks that only grows; each takes eight bytes."""

    def __init__(self) -> None:
        """Begin without marks."""
        self._marks = np.zeros(0, np.uint64)

    def add(self, marks: Iterable[int]) -> bool:
        """Add marks; return False if one was there already, or is repeated."""
        more = np.sort(np.fromiter(marks, np.uint64))
        places = np.searchsorted(self._marks, more)
        there = places < len(self._marks)
        known = bool((self._marks[places[there]] == more[there]).any()) or bool((more[1:] == more[:-1]).any())
        self._marks = np.insert(self._marks, places, more)
        return not known
