"""Finds ids that occur twice in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from formatspec.engine.base.scratch_records import Records
from formatspec.engine.index.id_columns import Column, hashes
from formatspec.engine.read.projection import RowSource
from formatspec.model.plain.ids import free_ids

PLAIN = frozenset({int, str})
"""The types that ids may have."""

NOTED = [("hash", "i8"), ("owner", "i4"), ("position", "i4"), ("alternative", "i1")]
"""The columns that are kept for an id: its hash, the item that owns its row, the row's position, and its reader."""


class Ids:
    """The ids of a table's rows of objects, collected to find those that occur twice.

    Attributes:
        missing: The alternative and the position of each row without an id.
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        """Start without ids.

        Args:
            keys: For each alternative of the table the key of the id, or None.
        """
        self.keys = keys
        self._seen = Records(NOTED)
        self.missing: list[tuple[int, int]] = []

    def see(self, which: int, document: Any, owner: int, position: int) -> None:
        """Note a row's id."""
        key = self.keys[which]
        if key is None or not isinstance(document, dict):
            return
        value = document.get(key)
        if key not in document:
            self.missing.append((which, position))
        if isinstance(value, int | str):
            self._seen.note(hash(value), owner, position, which)

    def see_all(self, documents: Sequence[Any], owners: Any, start: int) -> None:
        """Note the ids of consecutive rows that the first reader reads."""
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
        """Note numeric ids of consecutive rows that the first reader reads; None means that they have no ids."""
        if values is not None:
            self._see_hashes(hashes(values), owners, start)

    def _see_hashes(self, found: Column, owners: Any, start: int) -> None:
        count = len(found)
        places = np.arange(start, start + count, dtype=np.int32)
        self._seen.add(found, owners, places, np.zeros(count, np.int8))

    def again(self, rows: RowSource) -> list[tuple[int, int, Any]]:
        """Return the rows whose id an earlier row has: alternative, position and id."""
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
        """Return a function that gives, for each repeated id, an id that no row has."""
        taken: set[Any] = set()
        for _, documents in rows.batches(None):
            for document in documents:
                for key in self.keys:
                    value = document.get(key) if isinstance(document, dict) and key is not None else None
                    if type(value) in PLAIN:
                        taken.add(value)
        return free_ids(taken)

    def _several(self) -> Any:
        """Return the hashes that occur more than once."""
        last, grows = -(1 << 63), True
        for _, seen in self._seen.pieces():  # in most files the ids count the rows, so they grow
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


def owners_by_id(documents: Sequence[Any], key: str, by_id: Mapping[Any, int]) -> Any:
    """Return the numbers of the items whose ids rows state under a key; None if a row states no known id."""
    if set(map(type, documents)) != {dict}:
        return None
    values = [document.get(key) for document in documents]
    if not PLAIN.issuperset(map(type, values)):
        return None
    owners = np.fromiter((by_id.get(value, -1) for value in values), np.int32, len(values))
    return None if (owners < 0).any() else owners


def plain_id(document: Any, key: str) -> Any:
    """Return the id that a row states under a key if it is an integer or a text; None otherwise."""
    value = document.get(key) if type(document) is dict else None
    return value if type(value) is int or type(value) is str else None
