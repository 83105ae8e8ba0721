"""Folders and images that are called 7: rows of text, of CSV and of JSON name them, as a number or as a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_specs import keeps_the_laws, small_spec

import formatspec as fs
from formatspec.testing.memory import image_bytes

IMAGES = '\n  image: "frames/{sequence}/{frame:02d}.{ext:image}"\n'
LIST = {
    "txt": '  list: {path: "{subset}.txt", need: optional, lines: {each: items, lines: "{sequence}"}}\n',
    "csv": '  list: {path: "{subset}.csv", need: optional, csv: {each: items, video: sequence}}\n',
}
BOXES = "  boxes: {path: boxes.json, json: {rows: [{each: objects, of: OF, class: category.name, box: bbox | xywh}]}}\n"


def with_images(data: Path, *paths: str) -> Path:
    for path in paths:
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(image_bytes(20, 10, "png"))
    return data


@pytest.mark.parametrize("kind", LIST)
def test_a_list_names_sequences_that_are_numbers(kind: str, tmp_path: Path) -> None:
    lines = {"txt": "7\n0012\n", "csv": "video\n7\n0012\n"}[kind]
    files = IMAGES + LIST[kind]
    data, spec = small_spec(tmp_path, "numbers", files, {f"train.{kind}": lines}, "items: [image, list]\n")
    with_images(data, "frames/7/00.png", "frames/7/01.png", "frames/0012/00.png")
    assert not fs.validate(data, spec).fails
    assert {(item.sequence, item.subsets) for item in fs.open(data, spec)} == {("7", ("train",)), ("0012", ("train",))}
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", lossless=True)
    assert (tmp_path / f"out/train.{kind}").read_text() == lines
    keeps_the_laws(spec)


@pytest.mark.parametrize("told", [7, "7"])
def test_a_row_of_json_names_an_image_that_is_a_number(told: Any, tmp_path: Path) -> None:
    rows = {"rows": [{"of": told, "class": "cat", "box": [1, 1, 2, 2]}]}
    files = '\n  image: "images/{name}.{ext:image}"\n' + BOXES.replace("OF", "name")
    data, spec = small_spec(tmp_path, "numbers", files, {"boxes.json": rows})
    with_images(data, "images/7.png")
    (item,) = fs.open(data, spec)
    assert (item.key, len(item.objects)) == ("7", 1) and not fs.validate(data, spec).fails
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", lossless=True)
    assert json.loads((tmp_path / "out/boxes.json").read_text()) == rows


def test_a_row_of_json_names_a_sequence_that_is_a_number(tmp_path: Path) -> None:
    rows = {"rows": [{"of": 7, "frame": 1, "class": "cat", "box": [1, 1, 2, 2]}]}
    boxes = BOXES.replace("of: OF", "of: sequence, frame: frame")
    data, spec = small_spec(tmp_path, "numbers", IMAGES + boxes, {"boxes.json": rows})
    with_images(data, "frames/7/00.png", "frames/7/01.png")
    assert [len(item.objects) for item in fs.open(data, spec)] == [0, 1]
