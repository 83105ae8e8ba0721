"""Collects the ids that rows state while the rows are located in the file, and says under which keys these stand.

Rows can then be joined to items without a second pass over the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.base.scratch_records import Records
from formatspec.engine.index.row_ownership import Table
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import IMAGE
from formatspec.language.leaf import Bind, names_of
from formatspec.language.rules import LeafRule, MapRule

LARGEST_NOTED = 1 << 60
"""Numbers below this are their own hashes, except -1."""

Column = np.ndarray[Any, np.dtype[np.int64]]


class IdColumns:
    """The numbers that a table's rows state under some keys. Collecting stops at the first row without a small number.

    Without keys nothing is collected, but the rows are still checked to be JSON.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """Prepare to decode only the values of `keys`."""
        self.keys = tuple(keys)
        names = [f"k{place}" for place in range(len(keys))]
        keyed = dict(zip(names, keys, strict=True))
        row: Any = msgspec.defstruct("IdColumns", [(name, Any, None) for name in names], rename=keyed, gc=False)
        self._decode = msgspec.json.Decoder(list[row] if keys else list[msgspec.Raw]).decode
        self._get = [attrgetter(name) for name in names]
        self._columns: Records | None = Records([(name, "i8") for name in names]) if keys else None

    def note(self, rows: bytes) -> None:
        """Collect the values of the next rows. Raises ValueError or RecursionError if they are not JSON."""
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
        """Yield the values of all rows in pieces, each with its first row; None if collecting stopped."""
        if self._columns is None:
            return None
        names = self._columns.dtype.names or ()
        return ((first, tuple(some[name] for name in names)) for first, some in self._columns.pieces())


def hashes(numbers: Column) -> Column:
    """Return the hashes of collected numbers."""
    return np.where(numbers == -1, -2, numbers)


class ItemNumbers:
    """Finds the items of many numeric ids at once."""

    def __init__(self, by_id: Mapping[Any, int]) -> None:
        """Take the numbers of items by their ids."""
        near = {value: owner for value, owner in by_id.items() if type(value) is int and abs(value) < LARGEST_NOTED}
        order = sorted(near)
        self._ids = np.array(order, np.int64)
        self._owners = np.array([*map(near.__getitem__, order), -1], np.int32)

    def of(self, values: Column) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return the numbers of the items with these ids; -1 for an id that no item has."""
        places = np.searchsorted(self._ids, values)
        known = places < len(self._ids)
        known[known] = self._ids[places[known]] == values[known]
        return self._owners[np.where(known, places, len(self._ids))]


def id_key(reader: RowReader) -> str | None:
    """Return the key of the id that distinguishes a row of objects from others; None if rows have no id."""
    if reader.kind != "object" or reader.by != ("id",):
        return None
    told = (one for one in reader.rule.row.fields if len(one.keys) == 1 and isinstance(one.rule.leaf, Bind))
    return next((one.keys[0] for one in told if names_of(one.rule.leaf) == ("id",)), None)


def name_key(reader: RowReader) -> str | None:
    """Return the key by which a row names the image of its item; None if it has none."""
    row, scope = reader.rule.row, reader.scope.inside(reader.table)
    for one in row.fields:
        for name in names_of(one.rule.leaf):
            meaning = scope.meaning(name)
            if meaning is not None and (meaning.where, meaning.name) in _IMAGES | {("capture", name)}:
                return one.keys[0]
    return None


_IMAGES = {("path", IMAGE), ("item", "image.path"), ("record", "image.path")}


def noted_keys(table: Table) -> tuple[str, ...]:
    """Return the keys that suffice to join most rows: that of the item's id, and that of the row's own id."""
    key = item_key_of(table)
    own = id_key(table.readers[0])
    return () if key is None or len(table.readers) > 1 else (key,) if own is None else (key, own)


def names_only(meaning: Meaning, scope: Scope) -> bool:
    """Return whether a slot only tells which item a row belongs to."""
    if meaning.where == "capture" or (meaning.where == "path" and meaning.name == IMAGE):
        return True
    if meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
        return meaning.name in ("id", "image.path", "subset") or meaning.name in scope.captures
    return False


def item_key_of(table: Table) -> str | None:
    """Return the key by which a row names its item's id, if nothing else identifies the item; None otherwise."""
    row = table.joiners[0].rule.row
    if len(table.joiners) != 1 or table.kind == "item" or table.named is None or not isinstance(row, MapRule):
        return None
    scope = table.joiners[0].scope.inside(table.joiners[0].table)
    found = None
    for one in row.fields:
        leaf = one.rule.leaf
        names = names_of(leaf)
        wanted = [meaning for name in names if (meaning := scope.meaning(name)) and names_only(meaning, scope)]
        if not wanted and isinstance(one.rule, LeafRule):
            continue
        plain = isinstance(leaf, Bind) and not leaf.calls and len(names) == 1 and len(one.keys) == 1
        if not plain or found is not None or wanted[0].where != "item" or wanted[0].name != "id":
            return None
        found = one.keys[0]
    return found
