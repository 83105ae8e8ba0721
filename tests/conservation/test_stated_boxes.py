"""Boxes that differ from the outlines beside them, where a target has but one of the two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined

WIDER = "bounding boxes that differ from their outlines"


@pytest.mark.parametrize("to", ["labelme", "yolo_ultralytics", "cvat_images", "mots_png", "coco_panoptic"])
def test_a_box_that_differs_from_its_outlines_is_a_line_where_it_is_not_written(tmp_path: Path, to: str) -> None:
    rows = [
        outlined(1, 1, 5, 5),
        {**outlined(10, 10, 6, 6), "bbox": [8, 10, 8, 6]},
        {**outlined(20, 5, 8, 8), "bbox": [20, 5, 8, 10]},
        {**outlined(30, 20, 4, 4), "bbox": [29.5, 20, 5, 4.5]},  # as far as tools round
    ]
    _, lost = converted(coco(tmp_path / "in", rows), to)
    assert lost[WIDER] == 2


@pytest.mark.parametrize("to", ["lvis", "voc", "objects365"])
def test_a_box_that_is_written_beside_the_outlines_or_alone_is_no_line(tmp_path: Path, to: str) -> None:
    _, lost = converted(coco(tmp_path / "in", [{**outlined(10, 10, 6, 6), "bbox": [8, 10, 8, 6]}]), to)
    assert WIDER not in lost


@pytest.mark.parametrize("segmentation", [{"counts": [305, 5, 25, 5, 860], "size": [30, 40]}, [[10, 5, 12, 5, 12, 10]]])
def test_outlines_beside_a_box_are_a_line_where_the_box_alone_is_written(tmp_path: Path, segmentation: Any) -> None:
    _, lost = converted(coco(tmp_path / "in", [{"bbox": [9, 5, 4, 6], "segmentation": segmentation}]), "objects365")
    assert ("polygons" if isinstance(segmentation, list) else "visible regions") in lost and WIDER not in lost


def test_a_box_beside_pixels_is_compared_with_the_pixels(tmp_path: Path) -> None:
    pixels = {"counts": [305, 5, 25, 5, 860], "size": [30, 40]}
    rows = [{"bbox": [10, 5, 2, 5], "segmentation": pixels}, {"bbox": [7, 5, 5, 5], "segmentation": pixels}]
    _, lost = converted(coco(tmp_path / "in", rows), "datumaro")
    assert lost[WIDER] == 1


@pytest.mark.parametrize(("to", "path"), [("vott_json", "*-export.json"), ("segment_anything", "**/a.json")])
def test_a_box_that_is_said_again_beside_a_shape_is_that_of_the_shape(tmp_path: Path, to: str, path: str) -> None:
    """The report names the stated box; the file must not state another than that of the shape which is written."""
    rows = [outlined(1, 1, 5, 5), {**outlined(10, 10, 6, 6), "bbox": [8, 10, 8, 6]}]
    out, lost = converted(coco(tmp_path / "in", rows), to)
    (file,) = out.glob(path)
    found = json.loads(file.read_text())
    if to == "vott_json":
        regions = [region["boundingBox"] for asset in found["assets"].values() for region in asset["regions"]]
        boxes = [[box[side] for side in ("left", "top", "width", "height")] for box in regions]
    else:
        boxes = [row["bbox"] for row in found["annotations"]]
    assert boxes == [[1, 1, 5, 5], [10, 10, 6, 6]]
    assert lost[WIDER] == 1


@pytest.mark.parametrize("to", ["yolo_ultralytics", "datumaro", "cvat_images"])
def test_a_box_around_outlines_that_are_joined_along_their_pixels_is_a_line(tmp_path: Path, to: str) -> None:
    spike = [7, 9, 8.75, 11.25, 6.75, 4.25, 2.5, 3, 8.5, 10, 11, 11.25, 10.25, 15.75]  # its tips fill no pixel
    rings = [[9.5, 2, 8.5, 1, 7.75, 6, 2.25, 14.5], spike]
    row = {"bbox": [2.25, 1, 8.75, 14.75], "area": 30, "segmentation": rings}
    _, lost = converted(coco(tmp_path / "in", [row]), to)
    assert lost["outlines that overlap, joined along the edges of their pixels"] == 1
    assert lost[WIDER] == 1
