"""Ids that stand twice in a table."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from formatspec.engine.base.scratch_records import Records
from formatspec.engine.index.id_columns import Column, hashes
from formatspec.engine.read.projection import RowSource
from formatspec.model.amounts import amounts
from formatspec.model.plain.ids import free_ids

PLAIN = frozenset({int, str})
"""Types of ids."""

NOTED = [("hash", "i8"), ("owner", "i4"), ("position", "i4"), ("alternative", "i1")]
"""An id: its hash, the number of the item that its row belongs to, the row's place and its reader."""


class Ids:
    """The ids of a table's rows of objects, to see which stand twice.

    missing: the alternative and the place of each row that states none.
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        """Begin without ids; keys: the key of the id in each alternative of the table, or None."""
        self.keys = keys
        self._seen = Records(NOTED)
        self._noted = (array("q"), array("i"), array("i"), array("b"))
        self.missing: list[tuple[int, int]] = []
        self._piece = amounts().piece

    def see(self, which: int, document: Any, owner: int, position: int) -> None:
        """Note a row's id."""
        key = self.keys[which]
        if key is None or not isinstance(document, dict):
            return
        value = document.get(key)
        if key not in document:
            self.missing.append((which, position))
        if isinstance(value, int | str):
            hashes, owners, positions, alternatives = self._noted
            hashes.append(hash(value))
            owners.append(owner)
            positions.append(position)
            alternatives.append(which)
            if len(hashes) >= self._piece:
                self._put_away()

    def see_all(self, documents: Sequence[Any], owners: Any, start: int) -> None:
        """Note the ids of rows that follow each other, each read by the first reader."""
        key = self.keys[0]
        if key is None:
            return
        values = [document.get(key) for document in documents]
        if not PLAIN.issuperset(map(type, values)):
            for position, document in enumerate(documents, start):
                self.see(0, document, int(owners[position - start]), position)
            return
        self._see_hashes(np.fromiter(map(hash, values), np.int64, len(values)), owners, start)

    def see_numbers(self, values: Column | None, owners: Any, start: int) -> None:
        """Note ids of rows that follow each other, each read by the first reader, that are numbers; None for no ids."""
        if values is not None:
            self._see_hashes(hashes(values), owners, start)

    def _see_hashes(self, found: Column, owners: Any, start: int) -> None:
        self._put_away()
        count = len(found)
        places = np.arange(start, start + count, dtype=np.int32)
        self._seen.add(found, owners, places, np.zeros(count, np.int8))

    def _put_away(self) -> None:
        if self._noted[0]:
            self._seen.add(*(np.frombuffer(column, column.typecode) for column in self._noted))
            self._noted = (array("q"), array("i"), array("i"), array("b"))

    def again(self, rows: RowSource) -> list[tuple[int, int, Any]]:
        """The rows whose id stood in a row before: alternative, position, id."""
        self._put_away()
        first: dict[Any, int] = {}
        found = []
        several = self._several()
        for _, seen in self._seen.pieces() if len(several) else ():
            for _, _, position, which in seen[np.isin(seen["hash"], several)].tolist():
                value = rows.at(position)[self.keys[which]]
                if first.setdefault(value, position) != position:
                    found.append((which, position, value))
        return found

    def free(self, rows: RowSource) -> Callable[[Any], Any]:
        """What gives ids that no row has, one for each time that an id stands again."""
        taken: set[Any] = set()
        for _, documents in rows.batches(None):
            for document in documents:
                for key in self.keys:
                    value = document.get(key) if isinstance(document, dict) and key is not None else None
                    if type(value) in PLAIN:
                        taken.add(value)
        return free_ids(taken)

    def _several(self) -> Any:
        """The hashes that stand more than once."""
        last, grows = -(1 << 63), True
        for _, seen in self._seen.pieces():  # most number their rows
            hashes = seen["hash"]
            grows = bool(hashes[0] > last and (hashes[1:] > hashes[:-1]).all())
            last = int(hashes[-1])
            if not grows:
                break
        if grows:
            return np.zeros(0, np.int64)
        hashes = np.concatenate([seen["hash"] for _, seen in self._seen.pieces()])
        hashes.sort()
        return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
