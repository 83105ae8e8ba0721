"""The slots of each kind of record: their names, the types of their values, and which are derived from others."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from formatspec.model.records import Object

Type = Literal[
    "id", "int", "number", "text", "bool", "state", "json", "texts", "box", "rotated", "ring", "rings",
    "keypoints", "circle", "ellipse", "region", "color", "edges", "bytes", "mapping",
]  # fmt: skip
RecordKind = Literal["dataset", "item", "object", "category", "label", "caption", "area", "void", "attribute"]


class Slot(msgspec.Struct, frozen=True):
    """One slot. `derived` says that it is computed from other slots, so that rows can only look it up."""

    type: Type
    derived: bool = False


_CATEGORY: dict[str, Slot] = {
    "id": Slot("id"),
    "index": Slot("int"),
    "name": Slot("text"),
    "parent": Slot("text"),
    "path": Slot("texts"),
    "color": Slot("color"),
    "countable": Slot("bool"),
    "keypoint_names": Slot("texts"),
    "skeleton": Slot("edges"),
    "attribute_names": Slot("texts"),
    "part_names": Slot("texts"),
    "attributes": Slot("mapping"),
}
_OF_CATEGORY = {f"category.{name}": slot for name, slot in _CATEGORY.items()}

SLOTS: dict[RecordKind, dict[str, Slot]] = {
    "dataset": {"subsets": Slot("texts", derived=True)},
    "category": _CATEGORY,
    "label": {
        **_OF_CATEGORY,
        "state": Slot("state"),
        "score": Slot("number"),
        "attributes": Slot("mapping"),
        "index": Slot("int", derived=True),
    },
    "caption": {
        "id": Slot("id"),
        "text": Slot("text"),
        "attributes": Slot("mapping"),
        "index": Slot("int", derived=True),
    },
    "attribute": {"key": Slot("text"), "value": Slot("json")},
    "area": {
        **_OF_CATEGORY,
        "region": Slot("region"),
        "index": Slot("int", derived=True),
        "bbox": Slot("box", derived=True),
        "area": Slot("number", derived=True),
    },
    "void": {"region": Slot("region")},
    "object": {
        **_OF_CATEGORY,
        "id": Slot("id"),
        "parent": Slot("id"),
        "level": Slot("int"),
        "group": Slot("json"),
        "track": Slot("id"),
        "order": Slot("number"),
        "single": Slot("bool"),
        "attributes": Slot("mapping"),
        "tags": Slot("texts"),
        "score": Slot("number"),
        "bbox": Slot("box"),
        "rotated": Slot("rotated"),
        "polygons": Slot("rings"),
        "polygon": Slot("ring"),
        "polyline": Slot("ring"),
        "keypoints": Slot("keypoints"),
        "circle": Slot("circle"),
        "ellipse": Slot("ellipse"),
        "region": Slot("region"),
        "hidden": Slot("region"),
        "text": Slot("text"),
        "index": Slot("int", derived=True),
        "number": Slot("int", derived=True),
        "rank": Slot("int", derived=True),
        "depth": Slot("int", derived=True),
        "children": Slot("texts", derived=True),
        "area": Slot("number", derived=True),
        "extent": Slot("box", derived=True),
        "touches_border": Slot("bool", derived=True),
        "labelled": Slot("int", derived=True),
        "geometry": Slot("texts", derived=True),
    },
    "item": {
        "id": Slot("id"),
        "key": Slot("text", derived=True),
        "index": Slot("int", derived=True),
        "subset": Slot("text"),
        "subsets": Slot("texts"),
        "sequence": Slot("id"),
        "frame": Slot("int"),
        "image.path": Slot("text"),
        "image.width": Slot("int"),
        "image.height": Slot("int"),
        "image.channels": Slot("int"),
        "image.data": Slot("bytes"),
        "tags": Slot("texts"),
        "attributes": Slot("mapping"),
        "area": Slot("number", derived=True),
        **{f"label.{name}": slot for name, slot in _OF_CATEGORY.items()},
        "label.state": Slot("state"),
        "label.score": Slot("number"),
        "caption.text": Slot("text"),
        "void": Slot("region"),
    },
}

TABLES: dict[str, RecordKind] = {
    "items": "item",
    "objects": "object",
    "children": "object",
    "categories": "category",
    "labels": "label",
    "captions": "caption",
    "attributes": "attribute",
    "areas": "area",
    "void": "void",
}
"""The names for `each:`, and the kind of record that their rows are."""


def find_slot(kind: RecordKind, name: str) -> tuple[str, Slot] | None:
    """Return the slot that `name` means in a record of `kind`: its full name, and its definition.

    A name may repeat the record's kind (`category.name` in a row of categories), and `attributes.x` is one attribute.
    """
    slots = SLOTS[kind]
    if name in slots:
        return name, slots[name]
    if name.startswith("attributes.") and "attributes" in slots:
        return name, Slot("json")
    if name.startswith("path."):
        return name, Slot("text")
    head, _, rest = name.partition(".")
    if head == kind and rest:
        return find_slot(kind, rest)
    if head == "category" and rest.startswith("attributes.") and "category.id" in slots:
        return name, Slot("json")
    return None


def slot_value(record: Any, slot: str) -> Any:
    """Return a stated slot of a record, or one attribute."""
    head, _, name = slot.partition(".")
    return getattr(record, head, {}).get(name) if name else getattr(record, head, None)


def without(thing: Object, slot: str) -> Object:
    """Return the object without a slot."""
    head, _, name = slot.partition(".")
    left = {key: value for key, value in thing.attributes.items() if key != name} if name else None
    changed: dict[str, Any] = {head: left}
    return msgspec.structs.replace(thing, **changed)
