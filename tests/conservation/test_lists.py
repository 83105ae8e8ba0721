"""Lists of categories come back as they were: with the end of their last line, and where several files list them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_datasets import put

import formatspec as fs
from formatspec.testing.memory import image_bytes

SPEC = """
formatspec: 1
name: two_lists
categories: [old, new]
files:
  image: "{name}.png"
  old: {path: old.csv, csv: {each: categories by id, id: id, name: name}}
  new: {like: old, path: new.csv, need: kept}
  words: {path: words.txt, need: kept, lines: {each: categories, lines: "{name}"}}
  record:
    path: "{name}.json"
    json: [{each: objects, class: category.id, box: bbox | xywh}]
"""
LIST, LONGER = "id,name\nc,cat\nd,dog\n", "id,name\nd,dog\nc,cat\nz,zebu\n"


@pytest.mark.parametrize("where", [None, "true"])
@pytest.mark.parametrize("words", ["cat\ndog", "cat\ndog\n", "cat\r\ndog"])
def test_lists_come_back_to_the_byte(words: str, where: str | None, tmp_path: Path) -> None:
    spec = tmp_path / "two_lists.yaml"
    spec.write_text(SPEC)
    files: dict[str, str | bytes] = {
        "a.png": image_bytes(40, 30, "png"), "a.json": json.dumps([{"class": "d", "box": [1, 2, 3, 4]}]),
        "old.csv": LIST, "new.csv": LONGER, "words.txt": words,
    }  # fmt: skip
    data = put(tmp_path / "in", files)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where=where)
    assert (tmp_path / "out/new.csv").read_text() == LONGER
    assert (tmp_path / "out/old.csv").read_text() == LIST
    ends = words.replace("\r\n", "\n").encode()
    assert (tmp_path / "out/words.txt").read_bytes() in (words.encode(), ends)


def test_a_category_that_is_named_anew_has_its_new_name_in_every_list(tmp_path: Path) -> None:
    spec = tmp_path / "two_lists.yaml"
    spec.write_text(SPEC)
    files: dict[str, str | bytes] = {
        "a.png": image_bytes(40, 30, "png"), "a.json": json.dumps([{"class": "d", "box": [1, 2, 3, 4]}]),
        "old.csv": LIST, "new.csv": LIST,
    }  # fmt: skip
    data = put(tmp_path / "in", files)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", labels={"dog": "hound"})
    for name in ("old.csv", "new.csv"):
        assert (tmp_path / "out" / name).read_text() == "id,name\nc,cat\nd,hound\n"


BAD = {"id": "2", "category": "cat", "box2d": {"x1": 1, "y1": 2, "x2": "far", "y2": 6}}
GOOD = {"id": "1", "category": "cat", "box2d": {"x1": 1, "y1": 2, "x2": 5, "y2": 6}}


def test_an_object_that_is_left_out_does_not_cost_the_row_of_its_item(tmp_path: Path) -> None:
    frames = [{"name": "a.png", "labels": [GOOD, BAD]}, {"name": "b.png", "labels": [BAD]}]
    images = {f"images/{name}.png": image_bytes(40, 30, "png") for name in "ab"}
    data = put(tmp_path / "in", {**images, "labels.json": json.dumps({"frames": frames})})
    fs.convert(data, spec="scalabel", to="scalabel", out=tmp_path / "out", on=("error=drop",))
    written = json.loads((tmp_path / "out/labels.json").read_text())["frames"]
    assert [(row["name"], row["labels"]) for row in written] == [("a.png", [GOOD]), ("b.png", [])]
