"""Null in place of the rows of a document that many items share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put, spec_file

import formatspec as fs

SPEC = """
formatspec: 1
name: lists
items: [list.images]
files:
  image: "images/{name}.{ext:image}"
  list:
    path: "{subset}.json"
    json:
      images: [{each: items by id, id: id else index + 1, file: "{name}.{ext}"}]
      ROWS
"""
BOX = "image: item.id else item.index + 1, box: bbox | xywh"
ROWS = f"[{{each: objects, class: category.name, {BOX}}}]"
GROUPS = f"[{{each: group by track, id: track, boxes: [{{each: objects, {BOX}}}]}}]"

may_be_null = pytest.mark.parametrize(
    ("rows", "null"),
    [
        (f'"boxes?": {ROWS}', {"boxes": None}),
        (f'"boxes?": {GROUPS}', {"boxes": None}),
        (f"boxes: {{one of: [{ROWS}, null]}}", {"boxes": None}),
        (f'"facts?": {{boxes: {ROWS}}}', {"facts": None}),
    ],
    ids=["rows", "groups", "an alternative", "a mapping around rows"],
)


def _data(folder: Path, null: dict[str, None]) -> Path:
    test = {"images": [{"id": 1, "file": "a.png"}], **null}
    return put(folder, {"images/a.png": None, "test.json": test})


def _read(folder: Path) -> Any:
    return json.loads((folder / "test.json").read_text())


@may_be_null
def test_it_is_read_and_comes_back(tmp_path: Path, rows: str, null: dict[str, None]) -> None:
    spec = spec_file(tmp_path, SPEC.replace("ROWS", rows), "lists")
    data = _data(tmp_path / "in", null)
    assert not fs.validate(data, spec).findings
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out")
    assert _read(tmp_path / "out") == _read(data)


def test_null_of_a_required_key_is_a_finding(tmp_path: Path) -> None:
    spec = spec_file(tmp_path, SPEC.replace("ROWS", f"boxes: {ROWS}"), "lists")
    found = fs.validate(_data(tmp_path / "in", {"boxes": None}), spec).findings
    assert [(one.code, one.expected) for one in found] == [("FIELD", "a list")]


def test_rows_of_another_dataset_take_its_place(tmp_path: Path) -> None:
    spec = spec_file(tmp_path, SPEC.replace("ROWS", f'"boxes?": {ROWS}'), "lists")
    box = {"image": 1, "class": "cat", "box": [1, 2, 3, 4]}
    more = {"images/b.png": None, "test.json": {"images": [{"id": 1, "file": "b.png"}], "boxes": [box]}}
    data = [_data(tmp_path / "in", {"boxes": None}), put(tmp_path / "more", more)]
    fs.merge([fs.open(one, spec) for one in data], tmp_path / "out", to=spec)
    assert len(_read(tmp_path / "out")["boxes"]) == 1
