"""Areas in rows: those that stand where nothing changed, and those of the boxes where a target knows only boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from coco_like import coco_document, coco_files
from small_datasets import TALL, WIDE, coco, converted, outlined, put

import formatspec as fs
from formatspec.engine.write import print_leaf
from formatspec.model.region import Region
from formatspec.testing.read_back import read_output, recorded, unexplained

DIFFER = "stated areas that differ from those of what is written"
TRIANGLE = {"bbox": [3, 5, 16, 16], "area": 130.25, "segmentation": [[3, 5, 19, 5, 3, 21]]}
STATED = [TRIANGLE, {"bbox": [1, 1, 5, 5], "area": 17.5, "segmentation": []}]


def areas(out: Path) -> list[float]:
    """The areas that the rows of a dataset of one document state."""
    (file,) = (path for path in out.rglob("*.json") if not path.name.startswith("."))
    return [row["area"] for row in json.loads(file.read_text())["annotations"]]


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
def test_a_stated_area_stays_in_its_own_format(tmp_path: Path, more: dict[str, Any]) -> None:
    out, lines = converted(coco(tmp_path / "data", STATED), "coco", **more)
    assert areas(out) == [130.25, 17.5] and not lines


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
def test_a_target_of_boxes_has_the_areas_of_the_boxes(tmp_path: Path, more: dict[str, Any]) -> None:
    """Outlines are not even decoded for it; the area was 0 there."""
    out, lines = converted(coco(tmp_path / "data", [TRIANGLE, outlined(20, 2, 5, 6)]), "objects365", **more)
    assert areas(out) == [256, 30]
    assert lines == {"polygons": 2, DIFFER: 1}


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
@pytest.mark.parametrize("to", ["lvis", "doclaynet"])
def test_a_stated_area_stays_where_the_shape_is_written_as_it_was(
    tmp_path: Path, to: str, more: dict[str, Any]
) -> None:
    pixels = {"counts": [305, 5, 25, 5, 860], "size": [30, 40]}
    rows = [TRIANGLE, {"bbox": [10, 5, 2, 5], "area": 9, "segmentation": pixels, "iscrowd": 1}, outlined(1, 1, 5, 5)]
    out, lines = converted(coco(tmp_path / "data", rows), to, **more)
    assert areas(out) == [130.25, 9, 25] and DIFFER not in lines


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
def test_the_area_of_a_changed_shape_is_computed_and_a_line(tmp_path: Path, more: dict[str, Any]) -> None:
    out, lines = converted(coco(tmp_path / "data", [TRIANGLE, outlined(20, 2, 5, 6)]), "coco_panoptic", **more)
    document = json.loads((out / "annotations/panoptic_train.json").read_text())
    (row,) = document["annotations"]
    (item,) = fs.open(out, "coco_panoptic")
    pixels = [int(thing.region.to_mask().sum()) for thing in item.objects if thing.region is not None]
    assert [one["area"] for one in row["segments_info"]] == pixels == [120, 30]
    assert lines[DIFFER] == 1


def test_a_clipped_object_has_the_area_of_what_is_left(tmp_path: Path) -> None:
    data = coco(tmp_path / "data", [{**outlined(30, 5, 20, 10), "kind": "x"}])
    out, lines = converted(data, "lvis", on=["BOX_OUTSIDE=clip", "POLYGON_OUTSIDE=clip"])
    assert areas(out) == [100] and lines["kept fields: kind"] == 1


def test_an_area_that_a_repair_computed_anew_is_written_and_kept_fields_stay_named(tmp_path: Path) -> None:
    data = coco(tmp_path / "data", [{**outlined(3, 5, 10, 10), "area": 7, "kind": "x"}])
    for to in ("lvis", "yolo_ultralytics"):
        _, lines = converted(data, to, on=["DIFFERS=fix"])
        assert lines["kept fields: kind"] == 1 and DIFFER not in lines
    assert areas(converted(data, "lvis", on=["DIFFERS=fix"])[0]) == [100]


def test_an_area_that_is_no_number_is_computed(tmp_path: Path) -> None:
    out, _ = converted(coco(tmp_path / "data", [{**outlined(3, 5, 10, 10), "area": None}]), "lvis")
    assert areas(out) == [100]


@pytest.mark.parametrize("to", ["lvis", "objects365", "segment_anything", "coco_panoptic"])
def test_reading_back_compares_stated_areas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    """An area that is written and is neither the stated one nor named is a difference."""
    data = coco(tmp_path / "in", [TRIANGLE, outlined(20, 2, 5, 6)])

    def wrong(out: Path) -> list[str]:
        with recorded() as (handed, options):
            result = fs.convert(data, to=to, out=out, workers=1, where="true")
        lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
        back = read_output(out, to, options)
        assert any(thing.origin and thing.origin.area for item in back.items for thing in item.objects)
        return unexplained(handed, back.items, lines, back.aside)

    assert not wrong(tmp_path / "out")
    monkeypatch.setattr(print_leaf, "_area", lambda context, stated, computed: stated.value + 7)
    (found,) = wrong(tmp_path / "leak")
    assert found.startswith("objects.area: 2 differ, the report names 0")


def pixels(rows: slice, columns: slice) -> dict[str, Any]:
    """A rectangle of pixels in an image of 40 x 30 pixels, as COCO's run lengths."""
    mask = np.zeros((30, 40), bool)
    mask[rows, columns] = True
    return Region.from_mask(mask).to_coco()


def stuff_under_a_crowd(folder: Path) -> Path:
    """COCO with a crowd, an area that lies partly below it, and one that lies wholly below it."""
    crowd, wide = pixels(slice(5, 15), slice(5, 15)), pixels(slice(10, 25), slice(2, 35))
    person = {"bbox": [5, 5, 10, 10], "area": 100, "segmentation": crowd, "iscrowd": 1}
    banner = {"bbox": [2, 10, 33, 15], "area": 495, "segmentation": wide, "category_id": 2}
    paper = {"bbox": [5, 5, 10, 10], "area": 100, "segmentation": crowd, "category_id": 3}
    names = ("person", "banner", "paper")
    files = coco_files(coco_document([("a.png", WIDE, TALL)], [person], names))
    stuff = coco_document([("a.png", WIDE, TALL)], [banner, paper], names)
    return put(folder, {**files, "annotations/stuff_train.json": stuff})


def test_areas_of_rows_keep_the_pixels_that_objects_cover(tmp_path: Path) -> None:
    data = stuff_under_a_crowd(tmp_path / "data")
    (item,) = fs.open(data, "coco")
    assert [(area.category.name if area.category else "", area.region.area) for area in item.areas] == [
        ("banner", 495),
        ("paper", 100),
    ]
    out, lines = converted(data, "coco", where="true")
    assert (fs.open(out, "coco")[0].areas, lines) == (item.areas, {})


def test_areas_of_rows_that_objects_cover_wholly_are_a_line_where_pixels_are_painted(tmp_path: Path) -> None:
    _, lines = converted(stuff_under_a_crowd(tmp_path / "data"), "image_masks")
    assert lines["areas hidden by others"] == 1


@pytest.mark.parametrize("target", ["image_masks", "color_masks", "voc"])
def test_areas_of_rows_that_objects_cover_partly_are_a_line_where_pixels_are_painted(
    target: str, tmp_path: Path
) -> None:
    out, lines = converted(stuff_under_a_crowd(tmp_path / "data"), target)
    (item,) = fs.open(out, target)
    assert {area.category.name: area.region.area for area in item.areas if area.category}["banner"] == 495 - 50
    assert lines["pixels covered by others"] == 1
    _, again = converted(out, "color_masks" if target != "color_masks" else "image_masks")
    assert "pixels covered by others" not in again


@pytest.mark.parametrize("stated", ["stuff", "objects"])
def test_an_object_that_a_target_cannot_paint_covers_nothing(stated: str, tmp_path: Path) -> None:
    """A class that is not in the target's list lies above one that is; its pixels hid those below it without a line."""
    wide, small = pixels(slice(10, 25), slice(2, 35)), pixels(slice(12, 20), slice(5, 15))
    below = {"bbox": [2, 10, 33, 15], "area": 495, "segmentation": wide, "category_id": 1, "iscrowd": 1}
    above = {"bbox": [5, 12, 10, 8], "area": 80, "segmentation": small, "category_id": 2, "iscrowd": 1}
    names = ("car" if stated == "objects" else "sky", "octopus")
    rows = [above] if stated == "stuff" else [below, above]
    files = coco_files(coco_document([("a.png", WIDE, TALL)], rows, names))
    if stated == "stuff":
        stuff = {key: value for key, value in below.items() if key != "iscrowd"}
        files["annotations/stuff_train.json"] = coco_document([("a.png", WIDE, TALL)], [stuff], names)
    out, lines = converted(put(tmp_path / "data", files), "cityscapes")
    [path] = out.rglob("*_labelIds.png")
    values, counts = np.unique(iio.imread(path), return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {0: 705, 26 if stated == "objects" else 23: 495}
    assert lines["objects not written (no category.name)"] == 1
    assert not {"areas hidden by others", "pixels covered by others"} & lines.keys()
