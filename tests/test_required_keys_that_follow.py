"""Rows without a box that have an outline, and documents without a list of labels, are read and come back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coco_like import GOOD, coco
from commands import Run
from files_on_disk import put
from written_files import written_bytes

import formatspec as fs
from formatspec.engine.resolve.questions.may_lack import following_box, label_lists
from formatspec.engine.resolve.questions.tables import object_tables
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import available, load_source
from formatspec.model import derive

RING = [[20, 20, 40, 20, 40, 30]]
OUTLINES = ("segmentation", "mask", "points", "landmarks", "keypoints", "polygon")
BOXES = {
    "coco": "bbox", "coco_text": "bbox", "deepfashion2": "bounding_box", "doclaynet": "bbox", "lvis": "bbox",
    "nuimages": "bbox", "publaynet": "bbox", "refcoco": "bbox", "roboflow_coco": "bbox", "textocr": "bbox",
    "roboflow_voc": "bndbox", "tt100k": "bbox",
}  # fmt: skip
"""The formats whose rows require a box and may state an outline, and the key of the box."""
LISTS = ("coco", "doclaynet", "lvis", "objects365", "publaynet", "roboflow_coco")
"""Some formats whose documents list items and their labels side by side."""


def without(value: Any, box: str) -> int:
    """Take the box out of each mapping that has an outline besides; gives how many had one."""
    found = 0
    if isinstance(value, dict):
        if box in value and any(value.get(key) for key in OUTLINES):
            del value[box]
            found += 1
        found += sum(without(part, box) for part in value.values())
    elif isinstance(value, list):
        found += sum(without(part, box) for part in value)
    return found


def changed(folder: Path, change: Callable[[Any], int]) -> int:
    found = 0
    for file in sorted(folder.rglob("*.json")):
        document = json.loads(file.read_bytes())
        found += change(document)
        file.write_text(json.dumps(document))
    return found


def shapes(folder: Path, name: str) -> list[Any]:
    things = (thing for item in fs.open(folder, name) for thing in item.objects)
    return [(thing.category, thing.polygons, thing.region, thing.keypoints) for thing in things]


def test_the_formats_are_those_of_the_catalogue() -> None:
    forms = {name: compile_format(load_source(name), load_source(name).layouts[0], {}) for name in BOXES}
    for name, form in forms.items():
        rows = [table.row for role in form.documents for table in object_tables(role.document_rule)]
        assert any(following_box(row) is not None for row in rows), name
    for name in LISTS:
        source = load_source(name)
        rules = [role.document_rule for role in compile_format(source, source.layouts[0], {}).documents]
        assert any(label_lists(rule) is not None for rule in rules), name
    assert set(BOXES) | set(LISTS) <= set(available())


@pytest.mark.parametrize("name", sorted(BOXES))
def test_an_object_with_an_outline_needs_no_box(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=6, seed=3)
    before = shapes(tmp_path / "data", name)
    lacking = changed(tmp_path / "data", lambda document: without(document, BOXES[name]))
    for file in (tmp_path / "data").rglob("*.xml"):
        text, count = re.subn(r"<bndbox>.*?</bndbox>(?=(?:(?!<object>).)*?<polygon>)", "", file.read_text(), flags=re.S)
        file.write_text(text)
        lacking += count
    assert lacking
    assert shapes(tmp_path / "data", name) == before
    report = fs.validate(tmp_path / "data", name, workers=1)
    assert [one.code for one in report.findings if one.level == "error"] == []
    filled = [one for one in report.findings if one.code == "FIELD_FILLED" and "follows" in one.message]
    assert filled and filled[0].level == "info"


@pytest.mark.parametrize("name", LISTS)
def test_images_without_a_list_of_labels_are_read(name: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample(name, data, items=4, seed=3)
    keys = [item.key for item in fs.open(data, name)]

    def unlabelled(document: Any) -> int:
        found = isinstance(document, dict) and "images" in document and document.pop("annotations", None) is not None
        return int(found)

    assert changed(data, unlabelled)
    found = fs.open(data, name)
    assert [item.key for item in found] == keys and not any(item.objects for item in found)
    assert [one.code for one in fs.validate(data, name, workers=1).findings if one.level == "error"] == []
    fs.convert(data, to=name, spec=name, out=tmp_path / "out", workers=1)
    for path, content in written_bytes(tmp_path / "out").items():
        if path.endswith(".json"):
            assert json.loads(content) == json.loads((data / path).read_bytes()), path


def test_a_target_of_boxes_gets_the_box_around_the_outline(run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([{"bbox": None, "segmentation": RING}]))
    assert run("validate", data).status == 0
    ran = run("convert", data, "--to", "createml", "-o", tmp_path / "out")
    assert ran.status == 0 and "FIELD_FILLED: repaired 1 finding" in ran.out + ran.err
    (document,) = [json.loads(file.read_bytes()) for file in (tmp_path / "out").rglob("*.json") if file.name[0] != "."]
    boxes = [one["coordinates"] for row in document for one in row["annotations"]]
    assert {"x": 30, "y": 25, "width": 20, "height": 10} in boxes


@pytest.mark.parametrize("box", [None, []])
def test_a_box_that_is_null_or_empty_counts_as_none_and_comes_back(box: Any, tmp_path: Path) -> None:
    files = coco([{"bbox": "HERE", "segmentation": RING, "area": 100}])
    name = "annotations/instances_train.json"
    files[name] = str(files[name]).replace('"HERE"', json.dumps(box))
    data = put(tmp_path / "data", files)
    things = list(fs.open(data)[0].objects)
    assert [derive.bbox(thing) for thing in things] == [(10, 10, 20, 20), (20, 20, 20, 10)]
    fs.convert(data, to="coco", out=tmp_path / "out", workers=1)
    assert json.loads((tmp_path / "out" / name).read_bytes()) == json.loads((data / name).read_bytes())


def test_without_box_and_outline_the_box_is_missing(run: Run, tmp_path: Path) -> None:
    ran = run("validate", put(tmp_path, coco([{"bbox": None, "segmentation": []}])))
    assert ran.status == 1 and "FIELD_MISSING" in ran.out and "'bbox' is missing" in ran.out


def test_a_list_under_another_name_is_missed(run: Run, tmp_path: Path) -> None:
    files = coco([GOOD])
    name = "annotations/instances_train.json"
    files[name] = str(files[name]).replace('"annotations"', '"annotation"')
    ran = run("validate", "coco", put(tmp_path, files))
    assert ran.status == 1 and "'annotations' is missing; 'annotation' stands there" in ran.out


def test_a_test_set_needs_neither_labels_nor_categories(run: Run, tmp_path: Path) -> None:
    name = "annotations/instances_test.json"
    files = coco([], subset="test")
    document = {"images": json.loads(str(files[name]))["images"]}
    files[name] = json.dumps(document)
    data = put(tmp_path / "data", files)
    ran = run("validate", data)
    assert ran.status == 0 and "'annotations' is missing: the images have no labels" in ran.out
    assert run("convert", data, "--to", "coco", "-o", tmp_path / "out").status == 0
    assert json.loads((tmp_path / "out" / name).read_bytes()) == document


def elsewhere(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    rows = document.pop("annotations")
    if kind == "in a mapping":
        return {**document, "annotation": {str(row["id"]): row for row in rows}}
    if kind == "in a list of lists":
        return {**document, "annots": [row["bbox"] for row in rows]}
    return {**document, "data": {"annotations": rows}}


@pytest.mark.parametrize("kind", ["in a mapping", "in a list of lists", "deeper"])
def test_labels_that_stand_elsewhere_are_missed(kind: str, run: Run, tmp_path: Path) -> None:
    files = coco([GOOD] * 3)
    name = "annotations/instances_train.json"
    files[name] = json.dumps(elsewhere(kind, json.loads(str(files[name]))))
    ran = run("validate", "coco", put(tmp_path, files))
    assert ran.status == 1 and "'annotations' is missing" in ran.out, ran.out
