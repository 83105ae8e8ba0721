"""Texts where ids are numbers, numbers where ids are texts, and names of classes in another form: nothing is lost."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from coco_like import GOOD, coco
from commands import Run
from files_on_disk import put, spec_file

import formatspec as fs

NAME = "annotations/instances_train.json"


def known(folder: Path) -> list[Any]:
    return [[(thing.category, thing.bbox) for thing in item.objects] for item in fs.open(folder)]


def retyped(rows: str, key: str, kind: type) -> str:
    document = json.loads(rows)
    for row in document["annotations"]:
        row[key] = kind(row[key])
    return json.dumps(document)


@pytest.mark.parametrize("key", ["image_id", "category_id"])
@pytest.mark.parametrize("kind", [str, int])
def test_rows_that_refer_in_another_type_are_read_with_one_finding(
    key: str, kind: type, run: Run, tmp_path: Path
) -> None:
    files = coco([GOOD] * 5)
    before = known(put(tmp_path / "good", files))
    if kind is int:  # texts are the ids, and numbers refer to them
        document = json.loads(str(files[NAME]))
        for row in document["images" if key == "image_id" else "categories"]:
            row["id"] = str(row["id"])
        files[NAME] = json.dumps(document)
    files[NAME] = retyped(str(files[NAME]), key, kind)
    data = put(tmp_path / "data", files)
    found = known(data)
    assert [[box for _, box in item] for item in found] == [[box for _, box in item] for item in before]
    assert {category.name for item in found for category, _ in item if category} == {"cat"}
    ran = run("validate", data)
    assert ran.status == 0 and "NUMBER_FORM" in ran.out
    assert ran.out.count(f"/{key}: ") <= 5  # the first places of a file are listed
    assert run("convert", data, "--to", "coco", "-o", tmp_path / "out").status == 0
    assert json.loads((tmp_path / "out" / NAME).read_bytes()) == json.loads(str(files[NAME]))
    assert run("convert", data, "--to", "yolo_ultralytics", "-o", tmp_path / "yolo").status == 0
    assert [len(file.read_text().splitlines()) for file in sorted((tmp_path / "yolo").rglob("labels/train/*.txt"))] == [
        6,
        1,
    ]


def test_an_id_that_no_image_has_is_still_unknown(run: Run, tmp_path: Path) -> None:
    ran = run("validate", put(tmp_path, coco([{**GOOD, "image_id": "7"}, {**GOOD, "category_id": "9"}])))
    assert ran.status == 1 and "UNKNOWN_REFERENCE" in ran.out and "UNKNOWN_CATEGORY" in ran.out


SPEC = """
formatspec: 1
name: own
categories: [names]
files:
  image: "{name}.{ext:image}"
  names: {path: classes.txt, lines: {each: categories, lines: "{name}"}}
  record: {path: "{name}.json", json: {boxes: [{each: objects, class: category.name, box: bbox | xywh}]}}
"""
NAMES = (unicodedata.normalize("NFC", "Löwe"), "traffic light", "cat")
OTHERS = (unicodedata.normalize("NFD", "Löwe"), " traffic  light ", "cat")


def test_names_of_classes_are_joined_across_forms_and_blanks(run: Run, tmp_path: Path) -> None:
    boxes = [{"class": name, "box": [1, 1, 2, 2]} for name in OTHERS]
    files = {"a.png": None, "classes.txt": "\n".join(NAMES) + "\n", "a.json": {"boxes": boxes}}
    data, spec = put(tmp_path / "data", files), spec_file(tmp_path, SPEC)
    (item,) = fs.open(data, spec)
    assert [thing.category.name for thing in item.objects if thing.category] == list(NAMES)
    findings = fs.validate(data, spec, workers=1).findings
    assert [(one.code, one.level, one.case) for one in findings] == [("UNKNOWN_CATEGORY", "warning", "spelling")] * 2
    ran = run("convert", spec, data, "--to", "coco", "-o", tmp_path / "out")
    assert ran.status == 0 and "UNKNOWN_CATEGORY: repaired 2 findings" in ran.out + ran.err
    (document,) = [json.loads(file.read_bytes()) for file in (tmp_path / "out").rglob("*.json") if file.name[0] != "."]
    assert [one["name"] for one in document["categories"]] == list(NAMES)


def test_an_open_list_joins_them_as_well(tmp_path: Path) -> None:
    shape = {"points": [[1, 1], [8, 6]], "group_id": None, "shape_type": "rectangle", "flags": {}}
    head = {
        "version": "5.5.0",
        "flags": {},
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 10,
        "imageWidth": 20,
    }
    record = {**head, "shapes": [{**shape, "label": name} for name in OTHERS]}
    data = put(tmp_path, {"a.png": None, "a.json": record, "labels.txt": "\n".join(NAMES) + "\n"})
    (item,) = fs.open(data, "labelme")
    assert [thing.category.name for thing in item.objects if thing.category] == list(NAMES)


def test_two_classes_that_differ_in_blanks_alone_stay_two(tmp_path: Path) -> None:
    files = coco([{**GOOD, "category_id": 2}], categories=[{"id": 1, "name": "a b"}, {"id": 2, "name": "a  b"}])
    names = {thing.category.name for item in fs.open(put(tmp_path, files)) for thing in item.objects if thing.category}
    assert names == {"a b", "a  b"}
