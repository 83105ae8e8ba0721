"""Merges records that documents of several splits repeat for one item."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.read.item_state import ItemState
from formatspec.engine.splits.id_scopes import Split
from formatspec.model.records import Area, Caption, Item, Label, Object

Told = Object | Label | Caption | Area

TABLES = {"objects": "object", "labels": "label", "captions": "caption", "areas": "area"}


def once(item: Item, state: ItemState, splits: Mapping[str, Split]) -> Item:
    """Return an item in which each record that several splits repeat stands once.

    An image of two subsets may have the same annotations in the document of each. Equal rows within one split stay
    separate.

    Args:
        item: The item as it was read.
        state: What its records were made of.
        splits: The split of each document that describes the item.
    """
    if len(set(splits.values())) < 2:
        return item
    changed: dict[str, Any] = {}
    for slot, table in TABLES.items():
        made, records = getattr(item, slot), state.tables.get(table, ())
        if len(made) < 2 or len(made) != len(records):
            continue
        first = _first_told(made, [splits.get(record.get("$file", "")) for record in records])
        left = [place for place, one in enumerate(first) if place == one]
        if len(left) < len(made):
            changed[slot] = tuple(made[place] for place in left)
            state.tables[table] = [records[place] for place in left]
            if table == "object":
                state.kept -= sum(len(_kept(made[place])) for place, one in enumerate(first) if place != one)
                _name_anew(state, {place: left.index(one) for place, one in enumerate(first)})
    return msgspec.structs.replace(item, **changed) if changed else item


def _first_told(made: Sequence[Told], splits: Sequence[Split | None]) -> list[int]:
    """Return for each record the index of the first equal one in another split, or its own index.

    Each record of a split can match one record of every other split.
    """
    places: list[int] = []
    by: dict[Hashable, list[tuple[int, set[Split | None]]]] = {}
    for place, (one, split) in enumerate(zip(made, splits, strict=True)):
        alike = by.setdefault(_mark(one), [])
        found = next((entry for entry in alike if split not in entry[1] and _is_same(made[entry[0]], one)), None)
        if found is None or split is None:
            alike.append((place, {split}))
            places.append(place)
        else:
            found[1].add(split)
            places.append(found[0])
    return places


def _mark(one: Told) -> Hashable:
    """Give a key that equal records share, so that only records with the same key need to be compared."""
    if isinstance(one, Caption):
        return one.id, one.text
    name = None if one.category is None else one.category.name
    return (one.id, name, one.bbox) if isinstance(one, Object) else name


def _is_same(one: Told, other: Told) -> bool:
    return one == other and _kept(one) == _kept(other)


def _name_anew(state: ItemState, places: Mapping[int, int]) -> None:
    """Change the indices of objects in faults to the ones that the objects have now."""
    for number, fault in enumerate(state.faults):
        if isinstance(fault.about, int):
            state.faults[number] = fault._replace(about=places[fault.about])


def _kept(record: Told) -> tuple[str, ...]:
    """Return the kept and unknown fields of a record's rows."""
    return () if record.origin is None else record.origin.kept
