"""The model as JSON: one plain object per item."""

from __future__ import annotations

from typing import Any

from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model import derive
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.region import Region

_PLAIN = ("parent", "level", "group", "track", "order", "single", "score", "text")
_LISTS = ("bbox", "rotated", "polyline", "circle", "ellipse")


def category(record: Category | None) -> dict[str, Any]:
    """Return a category as rows refer to it: by its name, or else by its number or colour."""
    return {} if record is None else _held({"id": record.id, "name": spoken(record)})


def whole_category(record: Category) -> dict[str, Any]:
    """Return everything that is known about a category."""
    names = [name for name in Category.__struct_fields__ if name != "origin"]
    return _held({name: _plain(getattr(record, name)) for name in names})


def item(record: Item) -> dict[str, Any]:
    """Return an item as a plain object; keys without a value are left out."""
    return _held(
        {
            "key": record.key,
            "id": record.id,
            "subsets": list(record.subsets),
            "sequence": record.sequence,
            "frame": record.frame,
            "image": _image(record.image),
            "labels": [
                _held({**category(label.category), "state": label.state, "score": label.score})
                for label in record.labels
            ],
            "captions": [caption.text for caption in record.captions],
            "tags": list(record.tags),
            "attributes": record.attributes,
            "areas": [{"category": category(area.category), "region": area.region.to_coco()} for area in record.areas],
            "void": record.void.to_coco() if record.void else None,
            "objects": [thing(one) for one in record.objects],
        }
    )


def thing(record: Object) -> dict[str, Any]:
    """Return an object as a plain object; its box is the stated one, or else that of its visible pixels."""
    box = record.bbox if record.bbox is not None else derive.bbox(record)
    return _held(
        {
            "id": record.id,
            "category": category(record.category),
            **{name: getattr(record, name) for name in _PLAIN},
            "attributes": record.attributes,
            "tags": list(record.tags),
            "bbox": None if box is None else list(box),
            **{name: _plain(getattr(record, name)) for name in _LISTS if name != "bbox"},
            "polygons": [list(ring) for ring in record.polygons],
            "keypoints": [list(point) for point in record.keypoints],
            "region": _region(record.region),
            "hidden": _region(record.hidden),
        }
    )


def _region(region: Region | None) -> dict[str, Any] | None:
    return None if region is None else region.to_coco()


def _image(image: Image | None) -> dict[str, Any] | None:
    if image is None:
        return None
    return _held({"path": image.path, "width": image.width, "height": image.height, "channels": image.channels})


def _held(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value not in ([], {}, ())}


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
