"""Rows that name their image by its path, beside other names of the item."""

from __future__ import annotations

import json
import random
from pathlib import Path

import formatspec as fs
from formatspec.language.load import load_source
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

TABLE = """
formatspec: 1
name: tabled
files:
  image: "img/{subset}/{name}.{ext:image}"
  boxes:
    path: boxes.csv
    csv: {each: objects, split: "{subset}", file: path.image, label: category.name, "x, y, w, h": bbox | xywh}
"""
LIST = """
formatspec: 1
name: listed
items: rows
files:
  image: "img/{day}/{name}.{ext:image}"
  rows:
    path: "ann/{subset}.json"
    json: [{each: items, file: path.image, day: "{day}", boxes: [{each: objects, box: bbox | xywh}]}]
"""


def _spec(folder: Path, text: str, *images: str) -> Path:
    for path in images:
        (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / path).write_bytes(image_bytes(40, 30, "png"))
    file = folder / "spec.yaml"
    file.write_text(text.strip(), "utf-8")
    return file


def test_a_row_of_a_table_goes_to_the_image_that_it_names(tmp_path: Path) -> None:
    spec = _spec(tmp_path, TABLE, "img/train/x.png", "img/train/y.png", "img/val/x.png")
    rows = "split,file,label,x,y,w,h\ntrain,img/train/x.png,cat,1,2,3,4\ntrain,./img/train/y.png,dog,5,6,7,8\n"
    (tmp_path / "data" / "boxes.csv").write_text(rows, "utf-8")
    found = {item.key: [thing.bbox for thing in item.objects] for item in fs.open(tmp_path / "data", spec)}
    assert found == {"train/x": [(1, 2, 3, 4)], "train/y": [(5, 6, 7, 8)], "val/x": []}


def test_a_path_that_is_no_image_of_the_layout_is_told_of(tmp_path: Path) -> None:
    spec = _spec(tmp_path, TABLE, "img/train/x.png")
    rows = "split,file,label,x,y,w,h\ntrain,img/x.png,cat,1,2,3,4\ntrain,img/train/no.png,cat,1,2,3,4\n"
    (tmp_path / "data" / "boxes.csv").write_text(rows, "utf-8")
    found = [one.code for one in fs.validate(tmp_path / "data", spec).findings if one.level == "error"]
    assert found.count("UNKNOWN_REFERENCE") == 2


def test_rows_of_items_say_of_one_folder_which_image_is_theirs(tmp_path: Path) -> None:
    spec = _spec(tmp_path, LIST, "img/monday/x.png", "img/monday/y.png")
    (tmp_path / "data" / "ann").mkdir()
    rows = [{"file": f"../img/monday/{one}.png", "day": "monday", "boxes": [{"box": box}]}
            for one, box in (("x", [1, 2, 3, 4]), ("y", [5, 6, 7, 8]))]  # fmt: skip
    (tmp_path / "data" / "ann" / "train.json").write_text(json.dumps(rows), "utf-8")
    found = {item.key: [thing.bbox for thing in item.objects] for item in fs.open(tmp_path / "data", spec)}
    assert found == {"monday/x": [(1, 2, 3, 4)], "monday/y": [(5, 6, 7, 8)]}


def test_the_laws_hold(tmp_path: Path) -> None:
    for text in (TABLE, LIST):
        source = load_source(_spec(tmp_path, text))
        for run in range(5):
            laws.hold(source, random.Random(run))
