"""A dataset as two Arrow tables, of items and of objects, for pandas, polars and duckdb."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from formatspec.datasets.handoffs.items import ListOfItems
from formatspec.datasets.handoffs.needed import needed
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model.records import Area, Caption, Category, Image, Item, Label, Object
from formatspec.model.region import Region

BATCH = 1000
"""How many items' rows are turned into columns at once."""


class Tables(NamedTuple):
    """Two tables of `pyarrow`: a row for each item, and a row for each object, whose `item` is the key of its item.

    An area, the pixels of a category that are nobody's object, is a row among the objects whose `kind` is `area`.
    """

    items: Any
    objects: Any


def to_arrow(dataset: ListOfItems) -> Tables:
    """The items and the objects of a dataset as Arrow tables.

    Coordinates are pixels from the outer corner of the first pixel: x, y, width, height, which are derived where no box
    is stated, as is the area. `outline` holds rings x0, y0, x1, y1, …; `runs` the lengths of runs of the region in
    column-major order, those outside it first; both are null where the dataset states none. `class` is the place of
    `category` in the dataset's classes. Attributes are JSON texts. Images are named by their paths and not read.

    Raises MissingLibraryError where pyarrow is not installed.
    """
    pa = needed("pyarrow", "to_arrow")
    text, texts, number = pa.string(), pa.list_(pa.string()), pa.float64()
    items = pa.schema(
        {"key": text, "id": text, "image": text, "width": pa.int32(), "height": pa.int32(), "subsets": texts,
         "labels": texts, "captions": texts, "tags": texts, "objects": pa.int32(), "attributes": text}
    )  # fmt: skip
    objects = pa.schema(
        {"item": text, "kind": text, "place": pa.int32(), "id": text, "category": text,
         "class": pa.int32(), "x": number, "y": number,
         "width": number, "height": number, "area": number, "score": number, "single": pa.bool_(), "track": text,
         "outline": pa.list_(pa.list_(number)), "keypoints": pa.list_(pa.list_(number)), "runs": pa.list_(pa.int64()),
         "text": text, "tags": texts, "attributes": text}
    )  # fmt: skip
    index = {name: place for place, name in enumerate(dataset.classes)}
    made: tuple[list[Any], list[Any]] = ([], [])
    for some in _in_batches(dataset):
        rows = [_item_row(item) for item in some]
        made[0].append(pa.RecordBatch.from_pylist(rows, schema=items))
        rows = [row for item in some for row in _rows_of(item, index)]
        made[1].append(pa.RecordBatch.from_pylist(rows, schema=objects))
    return Tables(pa.Table.from_batches(made[0], items), pa.Table.from_batches(made[1], objects))


def _in_batches(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    some: list[Item] = []
    for item in items:
        some.append(item)
        if len(some) == BATCH:
            yield some
            some = []
    yield some


def _item_row(item: Item) -> dict[str, Any]:
    image = item.image
    return {
        "key": item.key, "id": _text(item.id), "image": None if image is None else image.path,
        "width": None if image is None else image.width, "height": None if image is None else image.height,
        "subsets": item.subsets, "labels": [_name(one.category) for one in item.labels],
        "captions": [one.text for one in item.captions], "tags": item.tags, "objects": len(item.objects),
        "attributes": _json(item.attributes),
    }  # fmt: skip


def _rows_of(item: Item, index: dict[str, int]) -> Iterator[dict[str, Any]]:
    for place, thing in enumerate(item.objects):
        yield _object_row(item, place, thing, index)
    for place, area in enumerate(item.areas):
        shown = Object(category=area.category, region=area.region)
        yield {**_object_row(item, place, shown, index), "kind": "area"}


def _object_row(item: Item, place: int, thing: Object, index: dict[str, int]) -> dict[str, Any]:
    name = _name(thing.category)
    x, y, width, height = thing.box or (None, None, None, None)
    return {
        "item": item.key, "kind": "object", "place": place, "id": _text(thing.id), "category": name,
        "class": None if name is None else index.get(name), "x": x, "y": y, "width": width, "height": height,
        "area": thing.area, "score": thing.score, "single": thing.single, "track": _text(thing.track),
        "outline": thing.polygons or None, "keypoints": thing.keypoints or None,
        "runs": None if thing.region is None else thing.region.counts(), "text": thing.text,
        "tags": thing.tags, "attributes": _json(thing.attributes),
    }  # fmt: skip


def _name(category: Category | None) -> str | None:
    return None if category is None else spoken(category)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _json(attributes: dict[str, Any]) -> str | None:
    return json.dumps(attributes, ensure_ascii=False, default=str) if attributes else None


def from_arrow(items: Any, objects: Any) -> Iterator[Item]:
    """The items of two tables as `to_arrow` gives them, for `formatspec.write`.

    items, objects: Tables of `pyarrow`, or what has rows of the same names by `to_pylist`; further columns are passed
    over. The images are named by their paths; `write(…, images=FOLDER)` says where they lie.
    """
    of_item: dict[str, list[dict[str, Any]]] = {}
    for row in objects.to_pylist():
        of_item.setdefault(row["item"], []).append(row)
    for row in items.to_pylist():
        image = Image(path=row["image"], width=row["width"], height=row["height"]) if row["image"] else None
        things = sorted(of_item.get(row["key"], ()), key=lambda one: int(one["place"]))
        yield Item(
            key=row["key"], image=image, subsets=tuple(row["subsets"] or ()), tags=tuple(row["tags"] or ()),
            labels=tuple(Label(category=Category(name=name)) for name in row["labels"] or ()),
            captions=tuple(Caption(text=text) for text in row["captions"] or ()),
            attributes=json.loads(row["attributes"] or "{}"),
            objects=tuple(_object(one, row) for one in things if one["kind"] == "object"),
            areas=tuple(_area(one, row) for one in things if one["kind"] == "area"),
        )  # fmt: skip


def _area(row: dict[str, Any], item: dict[str, Any]) -> Area:
    region = Region.from_counts(row["runs"] or (), item["height"] or 0, item["width"] or 0)
    return Area(category=_category(row), region=region)


def _category(row: dict[str, Any]) -> Category | None:
    return None if row["category"] is None else Category(name=row["category"])


def _number(text: str | None) -> int | str | None:
    """Give an id as an integer if its text spells one, else as it is."""
    return int(text) if text is not None and re.fullmatch(r"0|-?[1-9][0-9]{0,18}", text) else text


def _object(row: dict[str, Any], item: dict[str, Any]) -> Object:
    region = None if row["runs"] is None else Region.from_counts(row["runs"], item["height"], item["width"])
    outline = tuple(tuple(ring) for ring in row["outline"] or ())
    corners = (row["x"], row["y"], row["width"], row["height"])
    return Object(
        id=_number(row["id"]), category=_category(row), region=region,
        bbox=None if None in corners else corners, polygons=outline, score=row["score"], single=row["single"],
        keypoints=tuple(tuple(point) for point in row["keypoints"] or ()), track=_number(row["track"]),
        text=row["text"],
        tags=tuple(row["tags"] or ()), attributes=json.loads(row["attributes"] or "{}"),
    )  # fmt: skip
