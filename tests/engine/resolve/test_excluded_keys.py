"""`KEY: absent`: a key that must not be there tells formats, layouts and alternatives apart, and is never written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from small_specs import comes_back, keeps_the_laws, small_spec

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.paths.trees.open_tree import open_tree

CLASSES = """
  image: "images/{name}.{ext:image}"
  labels:
    path: labels.json
    json: {"{name}": {each: items, classes: [{each: labels, label: category.name, "score?": score, box: absent}]}}
"""
BOXES = """
  image: "images/{name}.{ext:image}"
  labels:
    path: labels.json
    json: {"{name}": {each: items, classes: [{each: objects, label: category.name, "score?": score, box: bbox | xywh}]}}
"""
ROWS = """
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      things:
        - one of:
            - {each: labels, class: category.name, box: absent, "*": keep}
            - {each: objects, class: category.name, box: bbox | xywh, "*": keep}
"""


def made(folder: Path, files: str, document: Any, more: str = "items: labels\n") -> tuple[Path, Path]:
    content = {"images/a.png": None, "labels.json": json.dumps(document)}
    return small_spec(folder, "small", files, content, more)


def of_one(folder: Path, files: str, record: Any) -> tuple[Path, Path]:
    content = {"images/a.png": None, "labels/a.json": json.dumps(record)}
    return small_spec(folder, "small", files, content)


def test_a_row_without_the_key_is_read_and_comes_back(tmp_path: Path) -> None:
    data, spec = made(tmp_path, CLASSES, {"a": {"classes": [{"label": "cat", "score": 0.5}]}})
    comes_back(data, spec, tmp_path / "out")
    assert [label.category.name for item in fs.open(data, spec) for label in item.labels if label.category] == ["cat"]


def test_a_row_with_the_key_is_a_finding_that_names_it(tmp_path: Path) -> None:
    rows = [{"label": "cat"}, {"label": "dog", "box": None}]
    data, spec = made(tmp_path, CLASSES, {"a": {"classes": rows}})
    found = [one for one in fs.validate(data, spec).findings if one.level == "error"]
    assert [(one.code, one.pointer) for one in found] == [("FIELD", "/a/classes/1/box")]
    assert "the key 'box' must not be there" in found[0].message


@pytest.mark.parametrize("document", [CLASSES, BOXES], ids=["classes", "boxes"])
def test_a_document_is_not_taken_for_the_format_that_excludes_its_key(document: str, tmp_path: Path) -> None:
    row = {"label": "cat", "score": 0.5} | ({} if document == CLASSES else {"box": [1, 2, 3, 4]})
    data, spec = made(tmp_path, CLASSES, {"a": {"classes": [row]}})
    found = detect({"small": load_source(spec)}, open_tree(data)).names
    assert found == (("small",) if document == CLASSES else ())


def test_of_two_layouts_the_one_that_does_not_exclude_a_key_is_read(tmp_path: Path) -> None:
    variants = """items: labels
variants:
  - {name: classes}
  - name: boxes
    files:
      labels:
        json: {"{name}": {classes: [{each: objects, box: bbox | xywh}]}}
"""
    data, spec = made(tmp_path, CLASSES, {"a": {"classes": [{"label": "cat", "box": [1, 2, 3, 4]}]}}, variants)
    assert [len(item.objects) for item in fs.open(data, spec)] == [1]
    assert fs.validate(data, spec).findings == ()


def test_a_row_is_read_by_the_alternative_that_does_not_exclude_its_key(tmp_path: Path) -> None:
    rows = [{"class": "cat"}, {"class": "dog", "box": [1, 2, 3, 4]}, {"class": "cow", "seen": 1}]
    data, spec = of_one(tmp_path, ROWS, {"things": rows})
    (item,) = fs.open(data, spec)
    assert [label.category.name for label in item.labels if label.category] == ["cat", "cow"]
    assert [thing.category.name for thing in item.objects if thing.category] == ["dog"]
    comes_back(data, spec, tmp_path / "out")


def test_the_laws_hold_where_a_key_is_excluded(tmp_path: Path) -> None:
    _, spec = of_one(tmp_path, ROWS, {"things": []})
    keeps_the_laws(spec)


def test_an_attribute_with_the_name_of_an_excluded_key_is_not_written(tmp_path: Path) -> None:
    files = """
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json: [{each: objects, class: category.name, box: bbox | xywh, turned: absent, "*": attributes}]
"""
    data, spec = of_one(tmp_path, files, [{"class": "cat", "box": [1, 2, 3, 4]}])
    (item,) = fs.open(data, spec)
    thing = msgspec.structs.replace(item.objects[0], attributes={"turned": True, "seen": True})
    result = fs.write([msgspec.structs.replace(item, objects=(thing,))], tmp_path / "out", to=spec)
    (written,) = json.loads((tmp_path / "out/labels/a.json").read_text())
    assert written == {"class": "cat", "box": [1, 2, 3, 4], "seen": True}
    assert result.losses == ("attribute turned: 1 object",)
    assert fs.validate(tmp_path / "out", spec).findings == ()


def test_a_key_outside_the_rows_of_a_shared_file_may_be_excluded(tmp_path: Path) -> None:
    files = """
  image: "images/{name}.{ext:image}"
  labels:
    path: labels.json
    json: {stuff: absent, rows: [{each: items, file: "{name}.{ext}", "class?": label.category.name}]}
"""
    data, spec = made(tmp_path, files, {"stuff": 1, "rows": [{"file": "a.png", "class": "cat"}]})
    assert [one.pointer for one in fs.validate(data, spec).findings] == ["/stuff"]


def test_an_empty_text_is_no_key(tmp_path: Path) -> None:
    files = """
  image: "images/{name}.{ext:image}"
  boxes:
    path: boxes.csv
    csv: {each: objects, file: "{name}.{ext}", class: category.name, "x, y, w, h": bbox | xywh, angle: absent}
"""
    table = "file,class,x,y,w,h,angle\na.png,cat,1,2,3,4,\na.png,dog,1,2,3,4,30\n"
    content = {"images/a.png": None, "boxes.csv": table}
    data, spec = small_spec(tmp_path, "small", files, content)
    assert [thing.category.name for item in fs.open(data, spec) for thing in item.objects if thing.category] == ["cat"]
    assert [one.pointer for one in fs.validate(data, spec).findings] == ["/1/angle"]


@pytest.mark.parametrize(
    "mapping", ['{"box?": absent}', '{"#": absent}', "{0: category.name, 1: absent}", "[absent]", "absent"]
)
def test_absent_stands_behind_a_key_only(mapping: str, tmp_path: Path) -> None:
    files = f"""
  image: "images/{{name}}.{{ext:image}}"
  record: {{path: "labels/{{name}}.json", json: {mapping}}}
"""
    _, spec = of_one(tmp_path, files, {})
    with pytest.raises(SpecError, match="must not be there"):
        load_source(spec) and fs.open(tmp_path / "data", spec)
