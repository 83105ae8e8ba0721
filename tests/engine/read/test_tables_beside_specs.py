"""A table of categories beside a spec, which rows may add to, and data that have categories of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import formatspec as fs
from formatspec.pixels import png

SPEC = """
formatspec: 1
name: drawn
categories: [{table: drawn_labels.csv, open: true}]
files:
  image: "images/{name}.png"
  record:
    path: "notes/{name}.json"
    json: {objects: [{each: objects, class: category.name, box: bbox | xywh}]}
  mask:
    path: "masks/{name}.png"
    need: optional
    image: gray
    pixels: {each: areas by category, L: category.index | from(1)}
"""


def drawn(root: Path, *names: str, mask: bool = False) -> Path:
    """Data of one image with an object of each class, and its spec, whose table has car, person and tree."""
    (root / "drawn.yaml").write_text(SPEC)
    (root / "drawn_labels.csv").write_text("name,color\ncar,1 2 3\nperson,4 5 6\ntree,7 8 9\n")
    data = root / "data"
    for folder in ("images", "notes", "masks"):
        (data / folder).mkdir(parents=True)
    (data / "images" / "a.png").write_bytes(png.encode(np.zeros((8, 8, 3), np.uint8), "rgb"))
    objects = [{"class": name, "box": [0, 0, 4, 4]} for name in names]
    (data / "notes" / "a.json").write_text(json.dumps({"objects": objects}))
    if mask:
        (data / "masks" / "a.png").write_bytes(png.encode(np.full((8, 8), 3, np.uint8), "gray"))
    return data


@pytest.mark.parametrize(
    ("names", "mask", "expected"),
    [
        (("person",), False, ["car", "person", "tree"]),  # the table knows them all
        (("person", "Zebra", "apple"), False, ["Zebra", "apple", "person"]),
        (("person", "Zebra"), True, ["car", "person", "tree", "Zebra"]),  # the mask numbers them as the table does
    ],
)
def test_whose_list_it_is(names: tuple[str, ...], mask: bool, expected: list[str], tmp_path: Path) -> None:
    data = drawn(tmp_path, *names, mask=mask)
    dataset = fs.open(data, tmp_path / "drawn.yaml")
    assert [category.name for category in dataset.categories] == expected
    assert [category.index for category in dataset.categories] == list(range(len(expected)))


def test_what_the_table_says_of_one_stays(tmp_path: Path) -> None:
    data = drawn(tmp_path, "person", "Zebra")
    found = {one.name: one.color for one in fs.open(data, tmp_path / "drawn.yaml").categories}
    assert found == {"Zebra": None, "person": (4, 5, 6)}


def test_a_conversion_numbers_them_by_their_own_list(tmp_path: Path) -> None:
    data = drawn(tmp_path, "person", "Zebra", "apple")
    fs.convert(data, spec=tmp_path / "drawn.yaml", to="coco", out=tmp_path / "out")
    (file,) = (tmp_path / "out" / "annotations").iterdir()
    made = json.loads(file.read_text())
    names = {one["id"]: one["name"] for one in made["categories"]}
    assert names == {1: "Zebra", 2: "apple", 3: "person"}
    assert [names[one["category_id"]] for one in made["annotations"]] == ["person", "Zebra", "apple"]


GREY = """
formatspec: 1
name: painted
categories: [{table: drawn_labels.csv}]
files:
  image: "images/{name}.png"
  mask:
    path: "masks/{name}.png"
    image: [palette, gray]
    palette: bits
    pixels: {each: areas by category, P: category.index | from(1)}
"""


def test_grey_values_where_a_palette_is_usual_are_a_warning(tmp_path: Path) -> None:
    data = drawn(tmp_path, mask=True)
    (data / "notes" / "a.json").unlink()
    (tmp_path / "painted.yaml").write_text(GREY)
    found = fs.validate(data, tmp_path / "painted.yaml", deep=True).findings
    assert [(one.code, one.level) for one in found] == [("PIXEL_MODE", "warning")]
    (item,) = fs.open(data, tmp_path / "painted.yaml")
    assert [area.category.name for area in item.areas if area.category is not None] == ["tree"]
