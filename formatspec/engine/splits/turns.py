"""Reads the rows of an item split by split, since ids and class numbers are only unique within a split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formatspec.engine.read.categories import CATEGORIES, Categories
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.splits.id_scopes import Split, Splits, id_in


class Turns:
    """Switches the split whose categories and ids are used, for an item with rows of several splits.

    Attributes:
        files: The split of each document that was read.
        names: What the index knows about the item.
        ids: The item's id in each split, if it has several.
        needed: Whether splits differ in the categories or in the ids that they use.
    """

    def __init__(self, splits: Splits, names: Mapping[str, Any], ids: Mapping[Split, Any] | None) -> None:
        """Take what the index knows about an item; see the class."""
        self._splits = splits
        self._names = names
        self._ids = ids
        self.files: dict[str, Split] = {}
        self._keyed: dict[Split, dict[tuple[str, ...], dict[Any, Any]]] = {}
        self.needed = splits.several or ids is not None

    def to(self, split: Split, captures: Mapping[str, Any], state: ItemState, file: str = "") -> None:
        """Switch to the split of a file with these captures, before its rows are read, where this is needed."""
        self.files[file] = split
        keyed = self._keyed.setdefault(split, {} if self._keyed else state.keyed)
        if self._ids is not None:
            state.item["id"] = id_in(self._ids, split)
        self._turn(keyed, self._splits.of({**self._names, **captures}), state)

    def back(self, state: ItemState) -> None:
        """Switch back to the split of the item's own files, which is the split that names the item first."""
        if self._ids is not None:
            state.item["id"] = self._names.get("id")
        self._turn(next(iter(self._keyed.values()), state.keyed), self._splits.of(self._names), state)

    def _turn(self, keyed: dict[tuple[str, ...], dict[Any, Any]], categories: Categories, state: ItemState) -> None:
        if keyed is state.keyed and categories is state.categories:
            return
        state.materialize_records()
        if categories is not state.categories:
            for record in (record for records in state.tables.values() for record in records):
                record.setdefault(CATEGORIES, state.categories)
        state.keyed, state.categories = keyed, categories
