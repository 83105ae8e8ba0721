"""Tools write null for the geometry that an object does not have, beside the geometry that it has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.language.load import available, load_source

SIZE = (64, 48)
WORDS = """
bbox bounding_box box box2d box3d circle cuboid ellipse ellipse_org exterior graph keypoints line mask nodes path paths
point points poly2d polygon polygons polyline rectangle region rle segmentation skeleton vertices
"""
KEYS = frozenset(WORDS.split())
"""Keys under which formats have the geometry of objects."""
EXAMPLES = [
    (name, example)
    for name in sorted(available())
    for source in [load_source(name)]
    for example in source.layouts[0].spec.examples
    if any((Path(str(source.file)).parent / example).rglob("*.json"))
]


def with_nulls(document: Any) -> Iterator[str]:
    """Put null under those of the keys that a row lacks and another row of its list has; yield each such key."""
    if isinstance(document, dict):
        for value in document.values():
            yield from with_nulls(value)
    elif isinstance(document, list):
        rows = [row for row in document if isinstance(row, dict)]
        known = KEYS.intersection(*[set().union(*rows)])
        for row in rows:
            for key in sorted(known - set(row)):
                row[key] = None
                yield key
        for row in document:
            yield from with_nulls(row)


def shapes(folder: Path, name: str) -> list[Any]:
    """What the objects of a dataset are, and where."""
    return [
        (thing.category, thing.bbox, thing.rotated, thing.polygons, thing.polyline, thing.keypoints, thing.region)
        for item in fs.open(folder, name)
        for thing in item.objects
    ]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_null_beside_the_geometry_of_an_object_takes_nothing_from_it(name: str, example: str, tmp_path: Path) -> None:
    source = Path(str(load_source(name).file)).parent / example
    data = Path(shutil.copytree(source, tmp_path / "data"))
    for file in data.rglob("*.json"):
        document = json.loads(file.read_text("utf-8")) if file.read_text("utf-8")[:1] in "[{" else None
        if list(with_nulls(document)):
            file.write_text(json.dumps(document), "utf-8")
    assert shapes(data, name) == shapes(source, name)


def test_a_box_of_scalabel_beside_null_is_read_and_written(tmp_path: Path) -> None:
    box = {"x1": 1, "y1": 2, "x2": 20, "y2": 30}
    label = {"id": "0", "category": "car", "attributes": {}, "rle": None, "box2d": box, "poly2d": None, "graph": None}
    frames = {"frames": [{"name": "a.jpg", "labels": [label]}], "config": {"categories": [{"name": "car"}]}}
    data = put(tmp_path / "data", {"export_2026.json": frames, "images/a.jpg": None}, SIZE)
    assert [thing.bbox for item in fs.open(data) for thing in item.objects] == [(1, 2, 20, 29)]
    for to in ("coco", "objects365"):  # of which one asks for boxes alone
        result = fs.convert(data, to=to, out=tmp_path / to)
        assert not [
            line["what"] for line in result.loss_report if "not written" in line["what"] or "box2d" in line["what"]
        ]
    fs.convert(data, to="scalabel", out=tmp_path / "again", where="true")
    (again,) = (tmp_path / "again").glob("[!.]*.json")
    assert json.loads(again.read_text())["frames"][0]["labels"] == [label]
