"""Records of an item that documents of several splits tell alike: they are told again, and are one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.base.faults import Record
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.splits.id_scopes import Split
from formatspec.model.records import Caption, Item, Label, Object

TABLES = {"objects": "object", "labels": "label", "captions": "caption"}


def once(item: Item, state: ItemState, splits: Mapping[str, Split]) -> Item:
    """An item of which documents of several splits tell, with each record once that another split tells just so.

    An image of two subsets has its annotations in the document of each, and they are the same annotations.  Rows that
    are alike within one split stay several.

    Args:
        item: The item as it was read.
        state: What its records were made of.
        splits: The split of each document that tells of the item.
    """
    if len(set(splits.values())) < 2:
        return item
    changed: dict[str, Any] = {}
    for slot, table in TABLES.items():
        made, records = getattr(item, slot), state.tables.get(table, ())
        if len(made) < 2 or len(made) != len(records):
            continue
        left = _left(made, records, splits, state)
        if len(left) < len(made):
            changed[slot] = left
    return msgspec.structs.replace(item, **changed) if changed else item


def _left(
    made: Sequence[Object | Label | Caption], records: Sequence[Record], splits: Mapping[str, Split], state: ItemState
) -> tuple[Object | Label | Caption, ...]:
    """Records without those that an earlier split tells; each of an earlier split stands for one of a later."""
    left: list[Object | Label | Caption] = []
    told: list[tuple[Object | Label | Caption, set[Split | None]]] = []
    for one, record in zip(made, records, strict=True):
        split = splits.get(record.get("$file", ""))
        found = next(
            (by for other, by in told if split not in by and other == one and _kept(other) == _kept(one)), None
        )
        if found is None or split is None:
            left.append(one)
            told.append((one, {split}))
        else:
            found.add(split)
            state.kept -= len(_kept(one)) if isinstance(one, Object) else 0
    return tuple(left)


def _kept(record: Object | Label | Caption) -> tuple[str, ...]:
    """The kept and unknown fields of a record's rows."""
    return () if record.origin is None else record.origin.kept
