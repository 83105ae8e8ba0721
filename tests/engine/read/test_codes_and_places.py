"""What is wrong with a value is told under its own code, at its place, by the rule that the row resembles most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put

import formatspec as fs
from formatspec.testing.memory import image_bytes

HEAD = """
formatspec: 1
name: shapes
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
"""
LEAVES = """
    json: {shapes: [{each: objects, id: id, class: category.name, LEAF}]}
"""
RESULTS = """
    json:
      - one of:
          - {each: objects by id where kept, id: keep, type: = 'choice', value: {left: keep, choice: keep}}
          - {each: items where kept, type: = 'choice', value: {choice: labels.category.name}, "*": keep}
          - {each: objects by id, id: id, type: = 'box', value: {box: bbox | xywh}}
"""


def _found(folder: Path, body: str, document: Any) -> list[tuple[str, str | None]]:
    spec, data = folder / "shapes.yaml", folder / "data"
    spec.write_text((HEAD.rstrip() + body).strip(), "utf-8")
    for part in ("images", "labels"):
        (data / part).mkdir(parents=True)
    (data / "images" / "a.png").write_bytes(image_bytes(10, 8, "png"))
    (data / "labels" / "a.json").write_text(json.dumps(document), "utf-8")
    return [(one.code, one.pointer) for one in fs.validate(data, spec).findings if one.level == "error"]


@pytest.mark.parametrize(
    ("leaf", "value", "code"),
    [
        ("ring: polygon", [1, 2, 3, 4, 5, 6, 7], "POLYGON"),
        ("rings: polygons", [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]], "POLYGON"),
        ("runs: region | value_runs", [0, 20, 1, 20], "REGION_SIZE"),
        ("runs: region | packed_rgba_runs", [0, 0, 0, 1, 2, 3], "REGION_SIZE"),
        ("runs: region | packed_rgba_runs", [0, 0, 1, 64, 57, 27], "REGION_SIZE"),
    ],
)
def test_geometry_that_cannot_be_has_its_own_code(leaf: str, value: Any, code: str, tmp_path: Path) -> None:
    good = {"id": 1, "class": "cat", leaf.partition(":")[0]: value}
    found = _found(tmp_path, LEAVES.replace("LEAF", leaf), {"shapes": [good]})
    assert [one for one, _ in found] == [code]


def test_a_row_is_told_of_by_the_rule_whose_keys_it_has(tmp_path: Path) -> None:
    rows = [{"id": 1, "type": "choice", "value": {"choice": ["x", 1]}}]
    assert _found(tmp_path, RESULTS, rows) == [("FIELD", "/0/value/choice/1")]


COLOURED = """
formatspec: 1
name: coloured
categories: [palette]
files:
  image: "images/{name}.{ext:image}"
  palette:
    path: palette.json
    json: {"{name}": {each: categories by name, "#": "color | hexadecimal else palette(index + 1)"}}
  classes: {path: "classes/{name}.png", image: rgb, pixels: {each: areas by category, RGB: category.color}}
  parts: {path: "parts/{name}.png", image: gray16, pixels: {each: objects by id, L: id}}
"""


def _outlined(number: int, left: int) -> dict[str, Any]:
    ring = [left, 1, left + 4, 1, left + 4, 5, left, 5]
    return {"category_id": number, "bbox": [left, 1, 4, 4], "area": 16, "segmentation": [ring]}


def test_objects_that_a_label_image_of_classes_lacks_are_counted(tmp_path: Path) -> None:
    spec, data = tmp_path / "coloured.yaml", tmp_path / "data"
    spec.write_text(COLOURED.strip().replace(" else palette(index + 1)", " else '#000000'"), "utf-8")
    rows = [_outlined(1, 1), _outlined(2, 5)]
    put(data, coco_files(coco_document([("a.png", 10, 8)], rows, ["cat", "dog"])))
    result = fs.convert(data, spec="coco", to=spec, out=tmp_path / "out")
    assert "not drawn as areas (no category.color): 2 objects" in result.losses
