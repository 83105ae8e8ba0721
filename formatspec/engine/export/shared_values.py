"""Values that a shared document states once for all its items. The first item decides."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from formatspec.engine.export.lost.losses import Losses
from formatspec.model.records import Item


def gather_values(slots: Iterable[str], item: Item, values: dict[str, Any], losses: Losses) -> None:
    """Add an item's values to those of the items before; a value that differs counts as lost."""
    for slot in slots:
        value = _value(item, slot)
        if value is None:
            continue
        if slot not in values:
            values[slot] = value
        elif values[slot] != value:
            losses.note(f"{slot} other than that of the first item in one file", "items")


def merge_values(values: dict[str, Any], more: dict[str, Any], count: int, losses: Losses) -> None:
    """Add the values of a later shard, with `count` items, to those of the shards before."""
    for slot, value in more.items():
        if values.setdefault(slot, value) != value:
            losses.note(f"{slot} other than that of the first item in one file", "items", count)


def _value(item: Item, slot: str) -> Any:
    if slot.startswith("attributes."):
        return item.attributes.get(slot.removeprefix("attributes."))
    if slot.startswith("image."):
        return None if item.image is None else attrgetter(slot)(item)
    return attrgetter(slot)(item)
