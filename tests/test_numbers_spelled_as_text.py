"""Numbers of shapes and sizes that are spelled as texts, and classes named by numbers, are read as meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import GOOD, coco
from files_on_disk import put

import formatspec as fs

NAME = "annotations/instances_train.json"
SHAPE = {"version": "5", "flags": {}, "imagePath": "a.jpg", "imageData": None, "imageHeight": "80", "imageWidth": 100}


def codes(folder: Path) -> list[tuple[str, str, str | None]]:
    return [(one.code, one.level, one.case) for one in fs.validate(folder).findings if one.code != "DIFFERS"]


@pytest.mark.parametrize(("key", "value"), [
    ("bbox", ["10", "20.5", 30, "4e1"]),
    ("segmentation", [["10", "20", 40, 20, 40, "50"]]),
])  # fmt: skip
def test_texts_for_the_numbers_of_a_shape(key: str, value: Any, tmp_path: Path) -> None:
    numbers = json.loads(json.dumps(value), parse_float=float)
    plain = [float(one) for one in numbers] if key == "bbox" else [[float(one) for one in ring] for ring in numbers]
    read = []
    for folder, stated in (("texts", value), ("numbers", plain)):
        data = put(tmp_path / folder, coco([{**GOOD, key: stated}]))
        read.append([(one.category, one.bbox, one.polygons) for item in fs.open(data) for one in item.objects])
    assert read[0] == read[1] and read[0]
    assert codes(tmp_path / "texts") == [*codes(tmp_path / "numbers"), ("NUMBER_FORM", "warning", "text")]
    result = fs.convert(tmp_path / "texts", to="yolo_ultralytics", out=tmp_path / "yolo")
    assert [one.action for one in result.findings if one.code == "NUMBER_FORM"] == ["fix"]


@pytest.mark.parametrize(
    "value", [["10", "20", "wide", 40], ["nan", 20, 30, 40], ["", 20, 30, 40], ["1_0", 20, 30, 40]]
)
def test_a_text_that_spells_no_number_is_an_error(value: list[Any], tmp_path: Path) -> None:
    data = put(tmp_path, coco([{**GOOD, "bbox": value}]))
    assert [code for code, level, _ in codes(data) if level == "error"] == ["FIELD"]


def test_a_text_of_more_digits_than_an_integer_may_have_stops_nothing(tmp_path: Path) -> None:
    data = put(tmp_path, coco([{**GOOD, "bbox": ["0" * 5000 + "10", 20, 30, "40"]}]))
    assert (10, 20, 30, 40) in [thing.bbox for item in fs.open(data) for thing in item.objects]


def test_sizes_that_are_texts_and_names_that_are_numbers(tmp_path: Path) -> None:
    document = json.loads(str(coco([GOOD])[NAME]))
    document["images"][0] |= {"width": str(document["images"][0]["width"])}
    document["categories"][0]["name"] = 7
    data = put(tmp_path / "data", {**coco([GOOD]), NAME: json.dumps(document)})
    assert codes(data) == [("NUMBER_FORM", "warning", "text")] * 2
    assert {thing.category.name for item in fs.open(data) for thing in item.objects if thing.category} == {"7"}


def test_a_label_that_is_a_number_in_a_file_for_each_image(tmp_path: Path) -> None:
    shape = {"label": 1, "points": [["1", "2"], [10, 2], [10, "20"]], "shape_type": "polygon", "flags": {}}
    data = put(tmp_path, {"a.jpg": None, "a.json": json.dumps({**SHAPE, "shapes": [shape]})}, size=(100, 80))
    (thing,) = fs.open(data)[0].objects
    assert (thing.category.name, [tuple(ring) for ring in thing.polygons]) == ("1", [(1, 2, 10, 2, 10, 20)])
    assert {code for code, level, _ in codes(data) if level == "warning"} == {"NUMBER_FORM"}


def test_an_id_that_is_a_text_stays_a_text(tmp_path: Path) -> None:
    document = json.loads(str(coco([GOOD])[NAME]))
    for table, key in (("images", "id"), ("annotations", "image_id"), ("annotations", "id")):
        for row in document[table]:
            row[key] = str(row[key])
    data = put(tmp_path, {**coco([GOOD]), NAME: json.dumps(document)})
    assert {type(item.id) for item in fs.open(data) if item.objects} == {str}
    assert codes(data) == []
