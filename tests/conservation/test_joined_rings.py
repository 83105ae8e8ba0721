"""Objects of several rings in targets of which an outline is one ring: what is joined is named and counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_datasets import box_ring, coco, converted, outlined

import formatspec as fs

JOINED = "holes and pieces, joined to one outline by bridges"
ROWS = [
    {"bbox": [2, 2, 24, 8], "area": 88, "segmentation": [box_ring(2, 2, 5, 8), box_ring(20, 2, 6, 8)]},
    {"bbox": [2, 12, 20, 8], "area": 128, "segmentation": [box_ring(2, 12, 8, 8), box_ring(14, 12, 8, 8)]},
    outlined(3, 22, 7, 6),
]
ONE_RING = (
    "bdd100k", "coco_text", "cvat_images", "cvat_video", "datumaro", "hiertext", "label_studio", "labelbox",
    "labelme_xml", "openlabel", "roboflow_voc", "roboflow_yolo", "scalabel", "scale_ai", "superannotate",
    "supervisely", "textocr", "tt100k", "vott_json", "yolo_ultralytics",
)  # fmt: skip
SEVERAL = ("coco", "doclaynet", "labelme", "lvis", "publaynet", "roboflow_coco", "v7_darwin")


@pytest.mark.parametrize("to", ONE_RING)
def test_several_stated_rings_that_become_one_are_counted(tmp_path: Path, to: str) -> None:
    out, lines = converted(coco(tmp_path / "data", ROWS), to)
    assert lines[JOINED] == 2
    assert "polygons" not in lines
    assert sorted(len(thing.polygons) for item in fs.open(out, to) for thing in item.objects)[1:] == [1, 1]


@pytest.mark.parametrize("to", SEVERAL)
def test_rings_that_stand_one_by_one_are_no_loss(tmp_path: Path, to: str) -> None:
    out, lines = converted(coco(tmp_path / "data", ROWS), to)
    assert JOINED not in lines
    assert sorted(len(thing.polygons) for item in fs.open(out, to) for thing in item.objects) == [1, 2, 2]


@pytest.mark.parametrize("to", ["createml", "via_json", "via_csv", "dota", "voc_folders"])
def test_where_no_joined_outline_is_written_the_polygons_are_named(tmp_path: Path, to: str) -> None:
    _, lines = converted(coco(tmp_path / "data", ROWS), to)
    assert lines["polygons"] >= 2
    assert JOINED not in lines


def test_pixels_in_pieces_lose_none_of_them_where_rings_stand_one_by_one(tmp_path: Path) -> None:
    pieces = {"size": [30, 40], "counts": [30, 5, 55, 5, 1105]}
    hole = {"size": [30, 40], "counts": [30, 5, 25, 1, 3, 1, 25, 5, 1105]}
    rows = [
        {"bbox": [1, 0, 3, 5], "area": 10, "segmentation": pieces},
        {"bbox": [1, 0, 3, 5], "area": 12, "segmentation": hole},
    ]
    data = coco(tmp_path / "data", rows)
    spec = tmp_path / "rings.yaml"
    leaf = "each: objects, class: category.name"
    spec.write_text(
        "formatspec: 1\nname: rings\nfiles:\n  image: '{name}.png'\n  record:\n    path: '{name}.json'\n    json:\n"
        f"      objects: [{{{leaf}, outlines: polygons | flat_lists}}]\n"
    )
    _, lines = converted(data, str(spec))
    assert lines[JOINED] == 1
    _, lines = converted(data, "yolo_ultralytics")
    assert lines[JOINED] == 2
