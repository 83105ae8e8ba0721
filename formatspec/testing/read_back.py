"""The law of conservation, checked by reading back: the output equals the source except for reported losses.

Every item that was handed to the writers is compared with the item of the output of the same name: record by record,
slot by slot. For each slot the differences are counted, and a line of the loss report must name as many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.export.exporter import Exporter
from formatspec.engine.resolve.questions.tables import states_areas
from formatspec.language.load import load_source
from formatspec.model import derive
from formatspec.model.records import RECORD_TABLES, Area, Caption, Category, Id, Item, Label, Object, Ring
from formatspec.model.region import Region
from formatspec.paths.trees.open_tree import open_tree

Lines = Mapping[tuple[str, str], int]
"""A loss report: how often each kind was lost, by its words and its unit."""
DIGITS = 1e-4
"""How much coordinates may differ, relative to the larger one: formats round fractions of images."""
PAINTING = ("paint", "crowds")
"""Options about how something is written, which reading does not use."""
SURROUNDED = ("region", "polygons", "rotated", "circle", "ellipse", "polyline", "keypoints")
"""The geometry from which a box follows, in order of precedence."""
PIXEL = 1.0
"""How far a side of a stated box may be from the geometry from which it follows in the output, in pixels."""
ROUNDED = 0.5
"""How far that geometry may have moved in addition, because of rounding to whole pixels."""
AREA_ROUNDING = 1.0
"""How far a stated area may be from the one that came back, in square pixels: tools count whole pixels."""
SAME_PIXELS = 0.97
"""Intersection over union from which pixels and outlines count as equal."""


class Handed(NamedTuple):
    """An item as it was handed to the writers, and as the target names it.

    `taken` holds the objects that the target was to hold, in the order of the last objects of `own`.
    """

    item: Item
    own: Item
    taken: tuple[Object, ...] = ()


class Difference(NamedTuple):
    """Something that came back differently, or not at all."""

    slot: str
    item: str
    words: str


@contextmanager
def recorded() -> Iterator[tuple[list[Handed], dict[str, Any]]]:
    """Record the items that are handed to the writers of this process, and the options of the target.

    A conversion that copies rows without reading them whole only has whole items if it has a condition, such as
    `where="true"`.
    """
    handed: list[Handed] = []
    options: dict[str, Any] = {}
    write = Exporter.item

    def record(self: Exporter, item: Item, *rest: Any, **more: Any) -> Item:
        own = write(self, item, *rest, **more)
        taken, made, _ = self.adapter.taken(item, self.areas_as_objects)
        handed.append(Handed(item, own, taken.objects[made:]))
        stated = self.target.options.items()
        options.update({name: value for name, value in stated if value is not None and name not in PAINTING})
        return own

    Exporter.item = record  # type: ignore[method-assign]
    try:
        yield handed, options
    finally:
        Exporter.item = write  # type: ignore[method-assign]


class Output(NamedTuple):
    """The items of an output, and how many of its records were set aside, as findings say."""

    items: list[Item]
    aside: int


def read_output(place: str | Path, spec: str | Path, options: Mapping[str, Any]) -> Output:
    """Read what a conversion wrote, noting the areas that rows of objects state."""
    source, tree = load_source(spec), open_tree(place)
    dataset = open_source(source, tree, options, Purpose())
    items = list(dataset)
    aside = sum(finding.level == "error" for finding in dataset.findings)
    if any(states_areas(role.document_rule) for role in dataset.form.documents):
        items = list(open_source(source, tree, options, Purpose(checks=False, kept=True, areas=True)))
    return Output(items, aside)


def unexplained(handed: Sequence[Handed], back: Iterable[Item], lines: Lines, aside: int = 0) -> list[str]:
    """Return what differs in the output without a line of the loss report, or more often than reported.

    Args:
        handed: The items that were written.
        back: The items of the output.
        lines: The loss report.
        aside: How many records of the output were set aside when it was read, as findings say.

    Returns:
        A line for each slot: how often it differs, how often the report names it, and the first difference.
    """
    found = list(_differences(handed, {item.key: item for item in back}, lines, aside))
    counts = Counter(one.slot for one in found)
    first = {one.slot: one for one in reversed(found)}
    told = []
    for slot, count in counts.items():
        named = sum(number for (what, unit), number in lines.items() if _names(slot, what, unit))
        if named < count:
            one = first[slot]
            told.append(f"{slot}: {count} differ, the report names {named}; {one.item}: {one.words}")
    return told


def _names(slot: str, what: str, unit: str) -> bool:
    """Return whether a line of the loss report is about a slot."""
    table, _, name = slot.partition(".")
    if name.startswith("attributes."):
        return what in (f"attribute {name.removeprefix('attributes.')}", f"attributes of {table}")
    return unit == table and what.startswith(LINES.get(slot, ("?",)))


LINES: Mapping[str, tuple[str, ...]] = {
    "objects.id": ("object ids",),
    "objects.category": ("categories of objects", "category "),
    "objects.parent": ("parents",),
    "objects.level": ("levels",),
    "objects.group": ("groups",),
    "objects.track": ("tracks", "track"),
    "objects.order": ("drawing order",),
    "objects.single": ("crowd or group marks",),
    "objects.tags": ("tags of objects",),
    "objects.score": ("scores",),
    "objects.text": ("texts of objects",),
    "objects.bbox": ("boxes", "bounding boxes", "pixels covered"),
    "objects.rotated": ("rotated boxes",),
    "objects.polygons": ("polygons", "outlines beside masks", "holes and pieces", "pixels covered"),
    "objects.polyline": ("polylines",),
    "objects.keypoints": ("keypoints", "visibility of keypoints"),
    "objects.circle": ("circles",),
    "objects.ellipse": ("ellipses",),
    "objects.area": ("stated areas that differ",),
    "objects.region": ("visible regions", "holes and pieces", "pixels covered"),
    "objects.hidden": ("hidden regions",),
    "items": ("items not written",),
    "items.tags": ("tags",),
    "items.attributes": ("attributes of items",),
    "items.sequence": ("sequences",),
    "items.frame": ("frames", "sequences"),
    "items.subsets": ("subsets", "further subsets"),
    "items.void": ("void pixels",),
    "labels.score": ("scores of labels",),
    "captions.id": ("ids of captions",),
}
"""The beginnings of report lines about a slot."""


def without_borrowed(back: Item, subsets: Container[str]) -> Item:
    """Return an item of the output without subsets for which no item was written.

    A document that must name a folder for such a subset names another subset's folder, so the item is in both.
    """
    kept = tuple(one for one in back.subsets if one in subsets)
    return back if len(kept) in (0, len(back.subsets)) else msgspec.structs.replace(back, subsets=kept)


def _differences(handed: Sequence[Handed], back: Mapping[str, Item], lines: Lines, aside: int) -> Iterator[Difference]:
    written = [(own, back[own.key]) for _, own, _ in handed if own.key in back]
    subsets = {one for own, other in written for one in own.subsets if one in other.subsets}
    back = {key: without_borrowed(item, subsets) for key, item in back.items()}
    for item, own, taken in handed:
        other = back.get(own.key)
        if other is None:
            yield Difference("items", item.key, f"there is no item {own.key!r} in the output")
            continue
        pairs = matched(own.objects, other.objects)
        ids = _stated_ids(taken, own)
        for thing, found in pairs:
            yield from _object(item.key, thing, found, pairs)
            stated = ids.get(id(thing))
            if stated is not None and not _alike(stated, found.id):
                yield Difference("objects.id", item.key, f"{stated!r} came back as {found.id!r}")
        yield from _item(item.key, own, other)
        for kind in ("labels", "captions", "areas"):
            yield from _records(item.key, kind, getattr(own, kind), getattr(other, kind))
    for table in RECORD_TABLES:
        yield from _numbers(table, handed, back, lines, aside)


def _numbers(
    table: str, handed: Sequence[Handed], back: Mapping[str, Item], lines: Lines, aside: int
) -> Iterator[Difference]:
    """Yield a difference if the number of records in a table is not the number handed over less those reported."""
    before = sum(len(getattr(one.item, table)) for one in handed)
    after = sum(len(getattr(back[one.own.key], table)) for one in handed if one.own.key in back)
    gone = sum(count for (what, unit), count in lines.items() if unit == table and _is_gone(what, table))
    made = lines.get(("areas, written as objects", "areas"), 0) if table == "objects" else 0
    if table == "areas":  # several objects may be part of one area
        after, gone = min(after, before), min(gone, before)
    twice = sum(map(_told_twice, (one.item for one in handed))) if table == "objects" else 0
    if table == "labels":
        twice = sum(len(one.own.labels) - len(_distinct(one.own.labels)) for one in handed)
        after -= sum(_denied_anew(one.own, back[one.own.key]) for one in handed if one.own.key in back)
    if before - twice + made - gone == after:
        return  # two labels of one category are two rows, but one label when read; so are objects of two subsets
    if not 0 <= before + made - gone - after <= aside + twice:
        words = f"{before} were handed over, {made} made, {gone} are named as gone, {after} came back"
        yield Difference(f"{table} by number", "all items", words)


def _told_twice(item: Item) -> int:
    """Return how many objects are those of another subset again, which are one object when they are read."""
    if len(item.subsets) < 2:
        return 0
    alone = [msgspec.structs.replace(thing, origin=None) for thing in item.objects]
    return sum(thing in alone[:place] for place, thing in enumerate(alone))


def _denied_anew(own: Item, other: Item) -> int:
    """Return how many labels came back as absent of which nothing was handed over, from a column for each class."""
    stated = _distinct(own.labels)
    return sum(one.state == "no" and not _distinct((one,)) <= stated for one in other.labels)


def _distinct(labels: Sequence[Label]) -> set[str]:
    return {"" if label.category is None else spoken(label.category) for label in labels}


def _is_gone(what: str, table: str) -> bool:
    return what == table or what.startswith((
        f"{table} not written", f"{table} hidden", f"{table} left out", "objects, drawn as areas",
        "areas, written as objects",
    ))  # fmt: skip


def _stated_ids(taken: Sequence[Object], own: Item) -> dict[int, Id | None]:
    """Return the ids that a source states for its objects, by the `id()` of the object in the target."""
    made = len(own.objects) - len(taken)  # objects that were made of areas stand first
    return {id(thing): one.id for one, thing in zip(taken, own.objects[made:], strict=True)}


def matched(made: Sequence[Object], back: Sequence[Object]) -> list[tuple[Object, Object]]:
    """Pair objects with the most similar ones of the output."""
    pairs = []
    scored = sorted(
        ((likeness(one, other), place, number) for place, one in enumerate(made) for number, other in enumerate(back)),
        key=lambda entry: (-entry[0], abs(entry[1] - entry[2]), entry[1]),
    )
    taken: set[int] = set()
    found: set[int] = set()
    for score, place, number in scored:
        if score > 0 and place not in taken and number not in found:
            taken.add(place)
            found.add(number)
            pairs.append((made[place], back[number]))
    return pairs


def likeness(one: Object, other: Object) -> float:
    """Return how similar two objects are; 0 if their categories differ."""
    if one.category is not None and other.category is not None and not _same_category(one.category, other.category):
        return 0.0
    score = 1.0
    for slot in Object.__struct_fields__:
        mine, theirs = getattr(one, slot), getattr(other, slot)
        if slot not in ("origin", "category") and _is_stated(mine) and _is_stated(theirs):
            score += 2 if _alike(mine, theirs) else 0.5 if slot in GEOMETRY else 0  # an outline may come back joined
    return score + (8 if any(_near(box, there) for box in _boxes(one) for there in _boxes(other)) else 0)


def _boxes(thing: Object) -> list[derive.Box]:
    """Return the boxes of an object: the stated one, and those around its geometry, which may differ."""
    found = [derive.bbox(_only(slot, getattr(thing, slot))) for slot in ("bbox", *SURROUNDED)]
    return [box for box in found if box is not None]


def _only(slot: str, value: Any) -> Object:
    """Return an object with one kind of geometry."""
    return Object(**{slot: value})


def _object(item: str, thing: Object, other: Object, pairs: Sequence[tuple[Object, Object]]) -> Iterator[Difference]:
    for slot in ("level", "group", "track", "order", "tags", "score", "text"):
        mine = getattr(thing, slot)
        if _is_stated(mine) and not _alike(mine, getattr(other, slot)):
            yield Difference(f"objects.{slot}", item, f"{mine!r} came back as {getattr(other, slot)!r}")
    if thing.category is not None and (other.category is None or not _same_category(thing.category, other.category)):
        yield Difference("objects.category", item, f"{thing.category} came back as {other.category}")
    if thing.single is False and other.single is not False:
        yield Difference("objects.single", item, f"a group came back as {other.single!r}")
    if thing.parent is not None and not _same_parent(thing, other, pairs):
        yield Difference("objects.parent", item, f"{thing.parent!r} came back as {other.parent!r}")
    yield from _attributes(item, "objects", thing.attributes, other.attributes)
    area, there = (None if one.origin is None else one.origin.area for one in (thing, other))
    if area is not None and (there is None or not _is_same_area(area.value, there.value)):
        yield Difference("objects.area", item, f"{area.value} came back as {there and there.value}")
    for slot, holds in GEOMETRY.items():
        mine = getattr(thing, slot)
        if _is_stated(mine) and not holds(thing, other):
            yield Difference(f"objects.{slot}", item, f"{_shown(mine)} came back as {_shown(getattr(other, slot))}")


def _is_same_area(one: float, other: float) -> bool:
    return abs(one - other) <= max(AREA_ROUNDING, DIGITS * max(abs(one), abs(other)))


def _shown(value: Any) -> str:
    return repr(value)[:200]


def _same_parent(thing: Object, other: Object, pairs: Sequence[tuple[Object, Object]]) -> bool:
    whole = next((found for one, found in pairs if one.id == thing.parent), None)
    return whole is not None and whole.id is not None and other.parent == whole.id


def _attributes(item: str, table: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in mine.items():
        if value is not None and not _alike(value, theirs.get(name)):
            yield Difference(f"{table}.attributes.{name}", item, f"{value!r} came back as {theirs.get(name)!r}")


def _item(item: str, own: Item, other: Item) -> Iterator[Difference]:
    for slot in ("tags", "sequence", "frame"):
        mine = getattr(own, slot)
        if _is_stated(mine) and not _alike(mine, getattr(other, slot)):
            yield Difference(f"items.{slot}", item, f"{mine!r} came back as {getattr(other, slot)!r}")
    if any(not _alike(value, other.attributes.get(name)) for name, value in own.attributes.items()):
        yield Difference("items.attributes", item, f"{own.attributes!r} came back as {other.attributes!r}")
    if own.subsets and set(own.subsets) != set(other.subsets):
        yield Difference("items.subsets", item, f"{own.subsets} came back as {other.subsets}")
    if own.void and own.void != other.void:
        yield Difference("items.void", item, "other pixels came back")
    if own.image is not None and own.image.width and other.image is not None and other.image.width:
        before, after = ((one.width, one.height) for one in (own.image, other.image))
        if before != after:
            yield Difference("items.image", item, f"{before} pixels came back as {after}")


def _records(item: str, kind: str, made: Sequence[Any], back: Sequence[Any]) -> Iterator[Difference]:
    """Pair labels, captions and areas with equal ones of the output."""
    left = list(back)
    for one in made:
        other = next((other for other in left if _is_same_record(one, other, True)), None)
        other = other or next((other for other in left if _is_same_record(one, other, False)), None)
        if other is None:
            continue  # their counts show whether one is missing
        left.remove(other)
        for slot in ("state", "score", "id"):
            mine = getattr(one, slot, None)
            if _is_stated(mine) and mine != "yes" and not _alike(mine, getattr(other, slot)):
                yield Difference(f"{kind}.{slot}", item, f"{mine!r} came back as {getattr(other, slot)!r}")
        if kind != "areas":
            yield from _attributes(item, kind, one.attributes, other.attributes)


def _is_same_record(one: Label | Caption | Area, other: Any, wholly: bool) -> bool:
    if isinstance(one, Caption):
        return bool(one.text == other.text)
    if one.category is None or other.category is None or not _same_category(one.category, other.category):
        return False
    if isinstance(one, Area):
        return not wholly or bool(one.region == other.region)
    return not wholly or bool(one.state == other.state and _alike(one.score, other.score))


def _is_stated(value: Any) -> bool:
    return value is not None and value != () and value != {}


def _same_category(one: Category, other: Category) -> bool:
    return spoken(one) == spoken(other) or (one.name == "" and one.index is not None and one.index == other.index)


def _alike(mine: Any, theirs: Any) -> bool:
    """Return whether two values are equal; a text that spells a number or a truth value equals it."""
    if isinstance(mine, bool) or isinstance(theirs, bool) or mine is None or theirs is None:
        return mine == theirs or str(mine).lower() == str(theirs).lower()
    if isinstance(mine, int | float) and isinstance(theirs, int | float):
        return abs(mine - theirs) <= DIGITS * max(1.0, abs(mine), abs(theirs))
    if isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        return len(mine) == len(theirs) and all(map(_alike, mine, theirs))
    return bool(mine == theirs) or str(mine) == str(theirs)


def _near(mine: Iterable[float], theirs: Iterable[float]) -> bool:
    mine, theirs = tuple(mine), tuple(theirs)
    size = max((1.0, *map(abs, mine), *map(abs, theirs)))
    return len(mine) == len(theirs) and all(abs(a - b) <= DIGITS * size for a, b in zip(mine, theirs, strict=True))


def _has_box(thing: Object, other: Object) -> bool:
    """Return whether a box came back unchanged, or as the one that follows from other geometry, up to rounding."""
    if other.bbox is not None:
        return thing.bbox is not None and _near(thing.bbox, other.bbox)
    back = derive.bbox(other)
    if back is None or thing.bbox is None:
        return thing.bbox is None
    x, y, width, height = thing.bbox
    left, top, wide, tall = back
    sides = (x - left, y - top, x + width - left - wide, y + height - top - tall)
    return all(abs(off) <= PIXEL + ROUNDED for off in sides)


def _has_rotated(thing: Object, other: Object) -> bool:
    if thing.rotated is None:
        return True
    if other.rotated is not None:
        corners = [_flat(derive.corners(one)) for one in (thing.rotated, other.rotated)]
        return _same_ring(*corners)
    return any(_same_ring(_flat(derive.corners(thing.rotated)), ring) for ring in other.polygons)


def _flat(corners: Iterable[tuple[float, float]]) -> Ring:
    return tuple(value for corner in corners for value in corner)


def _same_ring(one: Ring, other: Ring) -> bool:
    """Return whether two rings are equal, from any first point and in either direction."""
    if len(one) != len(other):
        return False
    points, others = derive.points(one), derive.points(other)
    for way in (others, others[::-1]):
        for turn in range(len(way)):
            if _near(one, _flat(way[turn:] + way[:turn])):
                return True
    return not points


def _has_polygons(thing: Object, other: Object) -> bool:
    if len(thing.polygons) == len(other.polygons) and all(map(_same_ring, thing.polygons, other.polygons)):
        return True
    if other.rotated is not None and len(thing.polygons) == 1:
        return _same_ring(thing.polygons[0], _flat(derive.corners(other.rotated)))
    return False


def _has_region(thing: Object, other: Object) -> bool:
    if thing.region is None or not thing.region:
        return True
    there = other.region
    if there is None and other.polygons:
        there = Region.from_rings_evenodd(other.polygons, thing.region.height, thing.region.width)
    same_size = there is not None and (there.height, there.width) == (thing.region.height, thing.region.width)
    return there is not None and same_size and there.iou(thing.region) >= SAME_PIXELS


def _has_keypoints(thing: Object, other: Object) -> bool:
    seen = [tuple(point) if point[2] else (0.0, 0.0, 0.0) for point in thing.keypoints]
    there = [tuple(point) if point[2] else (0.0, 0.0, 0.0) for point in other.keypoints]
    there += [(0.0, 0.0, 0.0)] * (len(seen) - len(there))
    seen += [(0.0, 0.0, 0.0)] * (len(there) - len(seen))
    return len(seen) == len(there) and all(map(_near, seen, there))


GEOMETRY: Mapping[str, Callable[[Object, Object], bool]] = {
    "bbox": _has_box,
    "rotated": _has_rotated,
    "polygons": _has_polygons,
    "polyline": lambda thing, other: _near(thing.polyline, other.polyline),
    "keypoints": _has_keypoints,
    "circle": lambda thing, other: _near(derive.circle(thing) or (), derive.circle(other) or ()),
    "ellipse": lambda thing, other: _near(derive.ellipse(thing) or (), derive.ellipse(other) or ()),
    "region": _has_region,
    "hidden": lambda thing, other: thing.hidden == other.hidden,
}
"""For each kind of geometry, a test of whether the output's object has that of the source."""
