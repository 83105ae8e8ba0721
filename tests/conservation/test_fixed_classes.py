"""Classes of which a target knows nothing: they get a colour where it may have its own, else a notice tells more."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_datasets import coco, converted, outlined

import formatspec as fs

ROWS = [outlined(1, 1, 5, 5), {**outlined(10, 10, 6, 6), "category_id": 2}]


@pytest.mark.parametrize("to", ["synthia_rand", "synthia_sf", "synthia_al", "a2d2_semantic", "camvid", "color_masks"])
def test_classes_of_their_own_get_colours_and_pixels(tmp_path: Path, to: str) -> None:
    out, lost = converted(coco(tmp_path / "in", ROWS), to)
    (item,) = fs.open(out, to)
    told = {area.category.name: area.region.area for area in item.areas if area.category is not None}
    assert told == {"cat": 25, "dog": 36}
    assert not any(what.startswith(("objects not written", "categories not written")) for what in lost)


def test_classes_of_the_release_keep_its_colours_without_a_list(tmp_path: Path) -> None:
    out, _ = converted(coco(tmp_path / "in", ROWS, ("Car", "Road")), "synthia_rand")
    (item,) = fs.open(out, "synthia_rand")
    colors = {area.category.name: area.category.color for area in item.areas if area.category is not None}
    assert colors["Road"] == (128, 64, 128) and set(colors) == {"Car", "Road"}


def test_classes_that_a_fixed_list_lacks_are_said_with_the_way_out(tmp_path: Path) -> None:
    result = fs.convert(coco(tmp_path / "in", ROWS, ("car", "dog")), to="cityscapes", out=tmp_path / "out")
    (said,) = (line for line in result.notices if "fixed list" in line)
    assert "'dog' is missing; --labels FILE" in said
    assert not any("--default-class" in line for line in result.notices)
    result = fs.convert(tmp_path / "in", to="cityscapes", out=tmp_path / "again", labels={"dog": "person"})
    assert not any("fixed list" in line for line in result.notices)
    (item,) = fs.open(tmp_path / "again", "cityscapes")
    assert {thing.category.name for thing in item.objects if thing.category is not None} >= {"person"}
