"""Rows name an item's label image by its path, which tells nothing of the item."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.language.load import load_source

pytestmark = pytest.mark.parametrize("images", ["images", "north/pier"])

SPEC = """
formatspec: 1
name: named
items: rows
categories: [classes]
variants:
  - {name: one folder}
  - {name: any folder, files: {image: "{folder:path?}/{name}.{ext:image}"}}
files:
  image: "images/{name}.{ext:image}"
  classes: {path: classes.txt, lines: {each: categories, lines: "{name}"}}
  rows:
    path: rows.jsonl
    jsonl:
      each: items
      image:
        one of: ["{attributes.address}/{name}.{ext}", "{name}.{ext}"]
      mask?:
        one of: ["{attributes.mask_address}/{path.mask}", "{path.mask}"]
  mask:
    path: "masks/{folder:path?}/{name}.png"
    seen_from: masks
    need: optional
    image: gray
    pixels: {each: areas by category, L: category.index | from(1)}
"""

ROWS = [
    {"image": "s3://bucket/in/a.jpg", "mask": "s3://bucket/out/0_x.png"},
    {"image": "s3://bucket/in/b.jpg", "mask": "s3://bucket/out/1_x.png"},
    {"image": "s3://bucket/in/c.jpg", "mask": "s3://bucket/out/2_x.png"},
]


def _dataset(folder: Path, images: str) -> tuple[Path, Path]:
    spec = folder / "named.yaml"
    spec.write_text(SPEC, "utf-8")
    data = put(folder / "data", {f"{images}/{name}.jpg": None for name in "abc"}, size=(4, 3))
    (data / "masks").mkdir()
    for number in (0, 1):
        iio.imwrite(data / "masks" / f"{number}_x.png", np.full((3, 4), number + 1, dtype=np.uint8))
    (data / "classes.txt").write_text("road\nsky\n", "utf-8")
    (data / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return spec, data


def test_each_item_has_the_label_image_that_its_row_names(images: str, tmp_path: Path) -> None:
    spec, data = _dataset(tmp_path, images)
    assert [one.code for one in fs.validate(data, spec, deep=True).findings] == []
    found = {item.key[-1]: [area.category.name for area in item.areas if area.category] for item in fs.open(data, spec)}
    assert found == {"a": ["road"], "b": ["sky"], "c": []}


def test_a_copy_keeps_the_names_and_the_rows(images: str, tmp_path: Path) -> None:
    spec, data = _dataset(tmp_path, images)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="true")
    assert sorted(path.name for path in (tmp_path / "out" / "masks").rglob("*.png")) == ["0_x.png", "1_x.png"]
    assert (tmp_path / "out" / "rows.jsonl").read_text("utf-8") == (data / "rows.jsonl").read_text("utf-8")


def test_an_item_of_another_name_names_its_label_image_anew(images: str, tmp_path: Path) -> None:
    """A row that names a label image is written with the name that the label image gets."""
    spec, _ = _dataset(tmp_path, images)
    source = load_source("image_masks").file.parent / "examples" / "image_masks"
    fs.convert(source, spec="image_masks", to=spec, out=tmp_path / "out")
    named = [json.loads(row).get("mask") for row in (tmp_path / "out" / "rows.jsonl").read_text("utf-8").splitlines()]
    there = {
        path.relative_to(tmp_path / "out" / "masks").as_posix() for path in (tmp_path / "out").rglob("masks/**/*.png")
    }
    assert {one for one in named if one} == there and there


def test_a_label_image_that_no_row_names_is_said(images: str, tmp_path: Path) -> None:
    spec, data = _dataset(tmp_path, images)
    (data / "masks" / "7_x.png").write_bytes((data / "masks" / "0_x.png").read_bytes())
    assert [(one.code, one.file) for one in fs.validate(data, spec).findings] == [("FILE_ORPHAN", "masks/7_x.png")]
