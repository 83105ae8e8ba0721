"""Builds the objects, labels, areas and the item of the model from the slots of records."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from formatspec.engine.base.faults import Fault, Record
from formatspec.engine.base.kept_fields import AREA, KEPT, RESTATES
from formatspec.engine.read.categories import CATEGORIES, Categories, categories_of
from formatspec.engine.read.check_rows import check_rows
from formatspec.engine.read.item_state import PIXEL, ItemState, whole_of
from formatspec.engine.resolve.held_slots import UNREAD
from formatspec.files.images import ImageInfo
from formatspec.model import derive
from formatspec.model.flaws import flaws, miscounted
from formatspec.model.records import Area, Caption, Image, Item, Label, Object, Origin, note_area
from formatspec.model.region import Region

OBJECT = frozenset(Object.__struct_fields__) - {"category", "attributes", "origin"}


_LABEL = frozenset({"state", "score"})
Named = tuple[tuple[str, str], ...]
"""Slots of an item, each with its name in a part of the item."""
_IMAGE = frozenset(Image.__struct_fields__) - {"source"}


def item_of(key: str, state: ItemState) -> Item:
    """Return the item that an item state's records make; `key` is its key in the dataset."""
    slots, tables = state.item, state.tables
    if "area" in tables:
        _take_categories(state)
    objects = state.plain.objects if state.plain is not None else _objects(state) if "object" in tables else ()
    own, stated, label, attributes = _item_slots(tuple(slots))
    item = Item(
        key=key,
        captures=state.captures,
        subsets=tuple(slots["subsets"]) if "subsets" in slots else (),
        image=_image(stated, state) if stated else None,
        labels=_labels(state, label) if label or "label" in tables else (),
        tags=slots["tags"] or () if "tags" in slots else (),
        captions=_captions(slots, state) if "caption.text" in slots or "caption" in tables else (),
        attributes={name: value for slot, name in attributes if (value := slots[slot]) is not None}
        if attributes
        else {},
        objects=objects,
        areas=_areas(state, objects) if "area" in tables else (),
        **{slot: slots[slot] for slot in own},
    )
    if "object" in tables:
        _check_parents(item, state)
        if state.lists:
            _check_pixels(state)
    if len(objects) > 1:
        check_rows(item, state)
    if state.judged or (state.faults and any(fault.about is not None for fault in state.faults)):
        _judge(item, state)
    return item


def _image(stated: Sequence[tuple[str, str]], state: ItemState) -> Image | None:
    """Return the item's image, with the size that its header states, or that documents state.

    `stated` are the item's slots that tell of it, each with its name in the image.
    """
    given = {name: state.item[slot] for slot, name in stated}
    if "path" not in given:
        if not given.get("width") or state.too_large:
            return None
        given["data"] = None
        return Image(**given)
    info: ImageInfo | None = state.item.get("$info")
    if info is not None:
        size = (given.get("width"), given.get("height")) if "width" in given or "height" in given else info[:2]
        if info.orientation != 1 and info.as_displayed is not None and info.as_displayed == size:
            _note_displayed(state)
        else:
            if size != info[:2]:
                _compare_size(info, state)
            given["width"], given["height"] = info.width, info.height
    elif state.faults:
        _cannot_measure(state)
    if state.too_large:
        given["width"] = given["height"] = None
    if "channels" not in given or not given["channels"]:
        given["channels"] = None if info is None else info.channels
    return Image(**given)


def _judge(item: Item, state: ItemState) -> None:
    """Check the objects' geometry, and give faults the indices of the objects that they are about."""
    places = {id(record): place for place, record in enumerate(state.tables.get("object", ()))}
    size = _size(item, state)
    for record, slot, value, file, path, place in state.judged:
        found = flaws(slot, value, size)
        at = places.get(id(whole_of(record))) if found or slot == "keypoints" else None
        if at is None:
            continue  # the record was set aside
        thing = item.objects[at]
        if slot == "keypoints":
            flaw = miscounted(thing)
            found = (*found, flaw) if flaw is not None else found
        for flaw in found:
            state.faults.append(
                Fault(flaw.code, file, path, place, flaw.message, flaw.expected, _plain(value), thing.id, flaw.case, at,
                      "object", slot, value, size)
            )  # fmt: skip
    for number, fault in enumerate(state.faults):
        if isinstance(fault.about, dict):
            at = places.get(id(whole_of(fault.about)))
            told = None if at is None else item.objects[at].id
            state.faults[number] = fault._replace(about=at, object=told, scope=fault.scope or "object")


MANY = 10
"""If a label image has more undefined values than this, the message suggests that saving has changed the values."""


def _check_pixels(state: ItemState) -> None:
    """Note pixels of objects that no document lists and that are no class value of a label image."""
    odd = [
        (place, record)
        for place, record in enumerate(state.tables.get("object", ()))
        if PIXEL in record and not any(slot.startswith("category.") for slot in record)
    ]
    asked = f"; it is one of {len(odd)} such values: was the image scaled smoothly, or saved with loss?"
    smooth = asked if len(odd) > MANY else ""
    for place, record in odd:
        words = f"pixel value {record['$pixel']} ({record['region'].told}) names no object{smooth}"
        file = record.get("$file", "")
        state.faults.append(
            Fault(
                "PIXEL_VALUE", file, (), None, words, "a value for which a document has a row, or that of nothing",
                _plain(record[PIXEL]), about=place, scope="item",
            )
        )  # fmt: skip


def _size(item: Item, state: ItemState) -> tuple[int, int] | None:
    """Return the image's width and height, if known."""
    image = item.image
    return (image.width, image.height) if image is not None and image.width and image.height else state.size()


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _note_displayed(state: ItemState) -> None:
    """Note that an image's stated size is the one after the rotation that EXIF asks for; that size is kept."""
    for number, fault in enumerate(state.faults):
        if fault.code == "IMAGE_ROTATED":
            words = f"{fault.message.partition(';')[0]}; the stated size is that of the image as displayed, and is kept"
            state.faults[number] = fault._replace(message=words)


def _cannot_measure(state: ItemState) -> None:
    """Report a missing size as an error, because no image is there to measure."""
    for number, fault in enumerate(state.faults):
        if fault.code == "IMAGE_SIZE_ABSENT":
            words = f"{fault.path[-1]!r} is missing, and there is no image to measure"
            state.faults[number] = fault._replace(code="FIELD_MISSING", path=fault.path[:-1], message=words)


def _compare_size(info: ImageInfo, state: ItemState) -> None:
    for slot, own in (("image.width", info.width), ("image.height", info.height)):
        told = state.item.get(slot)
        if told is not None and told != own:
            file, path = state.place_of.get(slot, ("", ()))
            if told == 0:
                words = "the size is stated as 0, and is measured"
                size = f"{info.width} x {info.height}"
                state.faults.append(Fault("IMAGE_SIZE_ABSENT", file, path, None, words, size, told))
                return
            words = f"the {slot.removeprefix('image.')} is not the image's own"
            state.faults.append(Fault("IMAGE_SIZE", file, path, None, words, str(own), told))


def _attributes(record: Record) -> dict[str, Any]:
    attributes = _groups(tuple(record))[2]
    return {name: value for slot, name in attributes if (value := record[slot]) is not None}


def _objects(state: ItemState) -> tuple[Object, ...]:
    records = state.tables["object"]
    _name_parents(records)
    made = []
    for index, record in enumerate(records):
        slots, stated, attributes = group_slots(record)
        origin = None
        if "$rows" in record or "$rasters" in record:
            origin = Origin(record.get("$rows"), record.get("$rasters"), index)
            origin.file = record.get("$file", "")
        elif KEPT in record or AREA in record:
            origin = Origin(kept=record.get(KEPT, ()))
        if state.categories.match and state.categories.listed:
            _see_listed(record, state)
        categories = state.categories if CATEGORIES not in record else categories_of(record, state)
        category = categories.resolve(record, stated) if stated else None
        if category is not None and "category.keypoint_names" in stated and slots.get("keypoints"):
            names = stated["category.keypoint_names"]
            slots["keypoints"] = in_named_order(slots["keypoints"], names, category.keypoint_names)
        thing = Object(category=category, attributes=attributes, origin=origin, **slots)
        if origin is not None:
            origin.as_read = as_read(thing, categories)
            other = None if category is None else stated.get("category.id", category.id) != category.id
            if categories.merged and other:  # what its row states differs from what is written
                origin.as_read = replace(thing, category=None)
        if AREA in record:
            note_area(thing, record[AREA])
        record["$object"] = thing
        made.append(thing)
    return tuple(made)


def in_named_order(points: Sequence[Any], names: Sequence[str], order: Sequence[str]) -> tuple[Any, ...]:
    """Sort keypoints into the order of their category's names; keypoints that are missing get visibility 0.

    Args:
        points: Keypoints (x, y, visibility).
        names: The name of each, as its row gives it.
        order: The names of the category's keypoints.

    Returns:
        As many keypoints as `order` has names; `points` unchanged if the category does not have one of the names.
    """
    if tuple(names) == tuple(order) or len(names) != len(points) or not set(names) <= set(order):
        return tuple(points)
    known = dict(zip(names, points, strict=True))
    return tuple(known.get(name, (0, 0, 0)) for name in order)


@lru_cache(maxsize=1024)
def _groups(slots: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Sort the slots of a record into those of an object's own, those of its category, and its attributes.

    The result is cached by the slots' names, since the records of a dataset mostly have the same slots.
    """
    own = tuple(slot for slot in slots if slot in OBJECT)
    named = tuple(slot for slot in slots if slot.startswith("category."))
    attributes = tuple((slot, slot.removeprefix("attributes.")) for slot in slots if slot.startswith("attributes."))
    return own, named, attributes


@lru_cache(maxsize=1024)
def _item_slots(slots: tuple[str, ...]) -> tuple[tuple[str, ...], Named, Named, Named]:
    """Sort an item's slots into its own, those of its image, of its one label, and its attributes; cached likewise."""

    def below(kind: str) -> Named:
        return tuple((slot, slot.removeprefix(kind)) for slot in slots if slot.startswith(kind))

    own = tuple(slot for slot in slots if slot in ("id", "sequence", "frame", "void"))
    image = tuple((slot, name) for slot, name in below("image.") if name in _IMAGE)
    return own, image, below("label."), below("attributes.")


def group_slots(record: Record) -> tuple[Record, Record, Record]:
    """Return an object's own slots, those of its category, and its attributes."""
    own, named, attributes = _groups(tuple(record))
    return (
        {slot: record[slot] for slot in own},
        {slot: value for slot in named if (value := record[slot]) is not None},
        {name: value for slot, name in attributes if (value := record[slot]) is not None},
    )


def _see_listed(record: Record, state: ItemState) -> None:
    """Note a category that the dataset's list of categories does not have."""
    name = record.get("category.name")
    if name is not None and categories_of(record, state).find(record) is None:
        file, path = record.get("$name_at", (record.get("$file", state.file), ()))
        message = "the dataset's list of categories does not name this one"
        state.faults.append(Fault("UNLISTED_CATEGORY", file, path, None, message, "", name, record.get("id")))


def _name_parents(records: Sequence[Record]) -> None:
    """Make rows inside rows parts of them; a parent without an id gets one."""
    if not any("$up" in record for record in records):
        return
    taken = {record.get("id") for record in records}
    for index, record in enumerate(records):
        up = record.get("$up")
        if up is None or "parent" in record:
            continue
        if up.get("id") is None:
            position = next((i for i, other in enumerate(records) if other is up), index)
            while position in taken:
                position += len(records)
            up["id"] = position
            taken.add(position)
        record["parent"] = up["id"]


def _labels(state: ItemState, told: Sequence[tuple[str, str]]) -> tuple[Label, ...]:
    """Return the item's labels; `told` are its slots that tell of its one label, each with its name in the label."""
    records = list(state.tables.get("label", ()))
    single = {name: value for slot, name in told if (value := state.item[slot]) is not None}
    if single and not any(categories_of(r, state).resolve(r) == state.categories.resolve(single) for r in records):
        records.insert(0, single)
    return tuple(_kept_as_read(_label(record, state), record, state) for record in records)


def _label(record: Record, state: ItemState) -> Label:
    return Label(
        category=categories_of(record, state).resolve(record),
        attributes=_attributes(record),
        origin=_origin(record),
        **{slot: record[slot] for slot in _LABEL if record.get(slot) is not None},
    )


def as_read(record: Any, categories: Categories) -> Any:
    """Return a record with its category as the rows of its split number it."""
    own = categories.as_read(record.category)
    return record if own is record.category else msgspec.structs.replace(record, category=own)


def _kept_as_read(made: Any, record: Record, state: ItemState) -> Any:
    """Return a label or an area together with how it was read, if sources are kept."""
    if RESTATES in record:
        record["$object"] = made
    if made.origin is not None:
        made.origin.as_read = as_read(made, categories_of(record, state))
    return made


def _captions(slots: Record, state: ItemState) -> tuple[Caption, ...]:
    text = slots.get("caption.text")
    own = () if text is None else (Caption(text=text),)
    records = state.tables.get("caption")
    return (*own, *map(_caption, records)) if records else own


def _caption(record: Record) -> Caption:
    caption = Caption(
        id=record.get("id"), text=record.get("text", ""), attributes=_attributes(record), origin=_origin(record)
    )
    if RESTATES in record:
        record["$object"] = caption
    return caption


def _origin(record: Record) -> Origin | None:
    if "$rows" in record:
        origin = Origin(record["$rows"])
        origin.file = record.get("$file", "")
        return origin
    return Origin(kept=record[KEPT]) if KEPT in record else None


def _take_categories(state: ItemState) -> None:
    """Give objects without a category that of the area in which most of their pixels lie."""
    areas = [record for record in state.tables["area"] if isinstance(record.get("region"), Region)]
    for record in state.tables.get("object", ()) if areas else ():
        region = record.get("region", UNREAD)
        if not isinstance(region, Region) or any(slot.startswith("category.") for slot in record):
            continue
        under = max(areas, key=lambda area: (area["region"] & region).area)
        if 2 * (under["region"] & region).area > region.area:
            record.update({slot: value for slot, value in under.items() if slot.startswith("category.")})


def _areas(state: ItemState, objects: Sequence[Object]) -> tuple[Area, ...]:
    """Return the areas of an item.

    A label image shows the pixels of objects once more, so that they are no part of its areas; pixels that nobody asked
    for are not taken from each other. An area that a row of a document states has all the pixels that the row gives it.
    """
    records = state.tables["area"]
    owned: Region | None = None
    for thing in objects:
        if isinstance(thing.region, Region) and thing.region:
            owned = thing.region if owned is None else owned | thing.region
    areas = []
    outlined = [thing for thing in objects if thing.region is None and thing.polygons]
    for record in records:
        region = record.get("region", UNREAD)
        category = categories_of(record, state).resolve(record)
        if isinstance(region, Region) and PIXEL in record:
            region = region if owned is None else region - owned
            region = _beyond(region, [thing for thing in outlined if thing.category == category])
        if region:
            area = Area(category=category, region=region, origin=_origin(record))
            areas.append(_kept_as_read(area, record, state))
    return tuple(areas)


def _beyond(region: Region, things: Sequence[Object]) -> Region:
    """Return the pixels of a region outside the outlines of the same category.

    Along edges a difference of one pixel is allowed, since tools fill outlines differently.
    """
    rest = region
    masks = []
    for thing in things:
        inside = derive.region(thing, region.height, region.width)
        if inside:
            rest = rest - inside
            masks.append(inside.to_mask())
    if not rest or not masks:
        return rest
    wide = np.pad(np.logical_or.reduce(masks), 1)
    near = np.logical_or.reduce([wide[y : y + region.height, x : x + region.width] for y in range(3) for x in range(3)])
    return rest if (rest.to_mask() & ~near).any() else Region.empty(region.height, region.width)


def _check_parents(item: Item, state: ItemState) -> None:
    parents = {thing.id: thing.parent for thing in item.objects if thing.id is not None}
    for place, record in enumerate(state.tables["object"]):
        parent = record.get("parent")
        if parent is None:
            continue
        file, path = record.get("$parent_at", (record.get("$file", ""), ()))
        if parent not in parents:
            told = f"there is no object {parent!r}", "an object's id", parent, record.get("id")
            state.faults.append(Fault("UNKNOWN_REFERENCE", file, path, None, *told, about=place, scope="object"))
            continue
        seen, at = {record.get("id")}, parent
        while at is not None and at not in seen:
            seen.add(at)
            at = parents.get(at)
        if at is not None and at == record.get("id"):
            words = f"object {at!r} is its own ancestor"
            state.faults.append(
                Fault("CYCLE", file, path, None, words, object=record.get("id"), about=place, scope="object")
            )
