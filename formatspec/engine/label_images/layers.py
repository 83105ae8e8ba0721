"""The layers of a label image: objects with their numbers within categories, and areas without objects."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.evaluate.writing_notes import InArea
from formatspec.language.rules import Each
from formatspec.model import derive
from formatspec.model.records import Area, Category, Item, Object
from formatspec.model.region import Region
from formatspec.model.slots import slot_value

BY_ORDER, BY_AREA = "order", "area"
"""What decides which of two regions lies on top: the stated drawing order, or the smaller area."""


def stacking(record: Any, region: Region | None, paint: str) -> float:
    """Return how high a record lies in the drawing; of equal records the later one is on top.

    By order, this is the stated drawing order, or 0. By area, smaller regions lie higher.
    """
    if paint == BY_AREA:
        return 0.0 if region is None else -float(region.area)
    return getattr(record, "order", None) or 0


def number_of(context: WriteContext, records: Sequence[Any], each: Each) -> int:
    """Return how many rows of the same category come before a record's, without numbers that rows state themselves.

    The table may say that it counts from 0; otherwise it counts from 0 or 1. A record without an outline has no number.
    `records`: those of all rows; the context's own is at its index.
    """
    if context.index >= len(records):
        return context.index
    one = records[context.index]
    mine = getattr(one, "category", None)
    alike = [other for other in records if getattr(other, "category", None) == mine]
    slots = [slot for slot in each.by if slot in ("id", "track") or slot.startswith("attributes.")]
    stated = {value for record in alike for slot in slots if type(value := slot_value(record, slot)) is int}
    if each.counted:
        alike = [other for other in alike if other is one or _is_counted(other, slots)]
    before = next(place for place, record in enumerate(alike) if record is one)
    if not stated:
        return before
    taken = stated if each.counted else {number - up for number in stated for up in (0, 1)}
    return next(itertools.islice((number for number in itertools.count() if number not in taken), before, None))


def _is_counted(record: Any, slots: Sequence[str]) -> bool:
    return bool(record.region or record.polygons) and all(slot_value(record, slot) is None for slot in slots)


InAreas = dict[Hashable, dict[int, InArea]]
"""The objects that are drawn as parts of areas, by their `id()`, by the mark of the area."""


def areas_of(
    item: Item, things: Sequence[Object], paint: str = BY_ORDER, in_areas: InAreas | None = None
) -> list[Area]:
    """Return the areas with the regions of `things` added to their categories' areas, without overlaps.

    A pixel of several regions goes to the one that `stacking` puts on top. `in_areas` takes the objects of each area.
    """
    height = item.image.height if item.image else None
    width = item.image.width if item.image else None
    whole = [t for t in things if t.parent is None]
    derive.fill_all(whole, height, width)
    regions = [(t, derive.region(t, height, width)) for t in whole]
    upwards = sorted(
        ((t, region) for t, region in regions if t.category is not None and region),
        key=lambda layer: stacking(layer[0], layer[1], paint),
    )
    layers = [(t.category, region) for t, region in upwards if t.category is not None and region is not None]
    covered = Region.overlaid([(region, None) for _, region in layers]).get(None) if item.areas else None
    found = Region.overlaid([(region, _key(category)) for category, region in layers])
    if in_areas is not None:
        _note_parts(upwards, found, in_areas)
    categories = {_key(category): category for category, _ in reversed(layers)}
    apart = []
    for area in item.areas:
        seen = area.region if covered is None else area.region - covered
        key = _key(area.category) if area.category else None
        if area.category is not None and key in found:
            categories[key], found[key] = area.category, found[key] | seen
        elif seen:
            apart.append(Area(category=area.category, region=seen, origin=area.origin))
    shown = [Area(category=category, region=found[key]) for key, category in categories.items()]
    return apart + [area for area in shown if area.region]


def _note_parts(layers: Sequence[tuple[Object, Region | None]], found: Mapping[Any, Region], in_areas: InAreas) -> None:
    """Note which objects the areas have. `found`: what is seen of each category."""
    for thing, region in layers:
        if thing.category is None or region is None:
            continue
        parts = in_areas.setdefault(_key(thing.category), {})
        known = parts.get(id(thing))
        parts[id(thing)] = InArea(region, known.seen if known is not None else None)
        if known is None and not found[_key(thing.category)]:
            parts[id(thing)] = InArea(region, 0)


def _key(category: Category) -> tuple[Any, str]:
    return category.id, category.name
