"""Subsets that are named with a year, as those of COCO, in formats that have `train` and `val` only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document
from files_on_disk import put

import formatspec as fs
from formatspec.run.conversion.plan import RefusedError

SIZE = (64, 48)


def coco(folder: Path, *subsets: str) -> Path:
    """COCO with one image for each subset, in a folder and a document of that name."""
    files: dict[str, Any] = {}
    for number, subset in enumerate(subsets, 1):
        row = {"bbox": [1, 2, 3, 4], "area": 12, "segmentation": [], "iscrowd": 0}
        files[f"annotations/instances_{subset}.json"] = coco_document([(f"{number}.jpg", *SIZE)], [row], ["cat"])
        files[f"{subset}/{number}.jpg"] = None
    return put(folder, files, SIZE)


@pytest.mark.parametrize("to", ["yolo_ultralytics", "voc", "cityscapes", "open_images", "roboflow_coco"])
def test_the_year_is_left_out_and_this_is_said(to: str, tmp_path: Path) -> None:
    result = fs.convert(coco(tmp_path / "in", "train2017", "val2017"), spec="coco", to=to, out=tmp_path / "out")
    said = [one for one in result.notices if "year" in one]
    assert len(said) == 1 and "train2017 is written as train" in said[0] and "val2017 is written as val" in said[0]
    subsets = {item.subsets for item in fs.open(tmp_path / "out", spec=to)}
    assert len(subsets) == 2 and all(not name[-1].isdigit() for names in subsets for name in names)


@pytest.mark.parametrize("subsets", [("train2014", "train2017"), ("train2017", "train"), ("2017", "val2017")])
def test_subsets_that_would_meet_are_asked_for(subsets: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="nothing was written"):
        fs.convert(coco(tmp_path / "in", *subsets), spec="coco", to="yolo_ultralytics", out=tmp_path / "out")


def test_where_any_name_has_a_place_the_year_stays(tmp_path: Path) -> None:
    result = fs.convert(coco(tmp_path / "in", "train2017"), spec="coco", to="datumaro", out=tmp_path / "out")
    assert not any("year" in one for one in result.notices)
    assert {item.subsets for item in fs.open(tmp_path / "out", spec="datumaro")} == {("train2017",)}


def test_a_stated_name_goes_before(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", "train2017", "val2017")
    renamed = {"train2017": "val", "val2017": "train"}
    result = fs.convert(data, spec="coco", to="yolo_ultralytics", out=tmp_path / "out", subsets=renamed)
    assert not any("year" in one for one in result.notices)
    found = {item.key.rpartition("/")[2]: item.subsets for item in fs.open(tmp_path / "out", spec="yolo_ultralytics")}
    assert found == {"1": ("val",), "2": ("train",)}


def test_a_year_that_the_target_has_too_is_not_left_out(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", "train2017", "val2017")
    result = fs.convert(data, spec="coco", to="coco_stuff", out=tmp_path / "out", default_class="thing")
    assert not any("year" in one for one in result.notices)
    assert {item.subsets for item in fs.open(tmp_path / "out", spec="coco_stuff")} == {("train2017",), ("val2017",)}
