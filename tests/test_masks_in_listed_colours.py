"""Masks of PASCAL VOC in RGB, whose colours labelmap.txt lists: CVAT writes those that a project's labels have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.label_images.reader import RasterReader
from formatspec.engine.read.item_state import ItemState

GREEN, RED = (0, 128, 0), (128, 0, 0)
"""The second and the first colour of VOC's palette."""


def painted(first: tuple[int, int, int], second: tuple[int, int, int]) -> bytes:
    """A mask with 12 pixels of one colour and 6 of another."""
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[2:5, 2:6], pixels[6:8, 10:13] = first, second
    return bytes(iio.imwrite("<bytes>", pixels, extension=".png"))


def exported(folder: Path, labelmap: str, cat: tuple[int, int, int], dog: tuple[int, int, int]) -> Path:
    """What CVAT writes as "Segmentation mask 1.1": objects are in VOC's colours, classes in those of the list."""
    files: dict[str, Any] = {
        "JPEGImages/a.jpg": None,
        "SegmentationClass/a.png": painted(cat, dog),
        "SegmentationObject/a.png": painted(RED, GREEN),
        "ImageSets/Segmentation/default.txt": "a\n",
        "labelmap.txt": labelmap,
    }
    return put(folder, {path: one for path, one in files.items() if one != ""})


@pytest.mark.parametrize(
    ("labelmap", "cat", "dog"),
    [
        ("# label:color_rgb:parts:actions\ncat:250,50,83::\ndog:51,221,255::\n", (250, 50, 83), (51, 221, 255)),
        ("background:0,0,0::\ncat:0,128,0::\ndog:128,0,0::\n", GREEN, RED),  # VOC's colours in another order
        ("background:0,0,0::\ncat:::\ndog:::\n", RED, GREEN),
    ],
)
def test_the_list_says_which_class_a_colour_is(
    labelmap: str, cat: tuple[int, int, int], dog: tuple[int, int, int], tmp_path: Path
) -> None:
    data = exported(tmp_path / "data", labelmap, cat, dog)
    assert not [one for one in fs.validate(data, deep=True).findings if one.level == "error"]
    (item,) = fs.open(data)
    found = {thing.category.name: thing.region.area for thing in item.objects if thing.category and thing.region}
    assert found == {"cat": 12, "dog": 6}
    fs.convert(data, to="voc", out=tmp_path / "out", where="category.name == 'dog'")  # masks are painted anew
    (again,) = fs.open(tmp_path / "out")
    assert [thing.category.name for thing in again.objects if thing.category] == ["dog"]


def test_the_colours_of_a_list_are_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look-up reads 256 values, which takes as long as a small mask itself."""
    data = exported(tmp_path / "data", "cat:250,50,83::\ndog:51,221,255::\n", (250, 50, 83), (51, 221, 255))
    for name in ("b", "c"):
        for folder, ending in (("JPEGImages", "jpg"), ("SegmentationClass", "png"), ("SegmentationObject", "png")):
            (data / folder / f"{name}.{ending}").write_bytes((data / folder / f"a.{ending}").read_bytes())
    (data / "ImageSets/Segmentation/default.txt").write_text("a\nb\nc\n")
    looked_up: list[str] = []
    plain = RasterReader._colors_of_categories

    def noting(self: RasterReader, state: ItemState) -> dict[Any, int]:
        looked_up.append(self.spec.path)
        return plain(self, state)

    monkeypatch.setattr(RasterReader, "_colors_of_categories", noting)
    assert [len(item.objects) for item in fs.open(data)] == [2, 2, 2]
    assert len(looked_up) == len(set(looked_up)) > 0
