"""Objects of several rings in targets of which an outline is one ring: what is joined is named and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_datasets import box_ring, coco, converted, outlined, put

import formatspec as fs
from formatspec.model import derive
from formatspec.model.region import Region
from formatspec.testing.memory import image_bytes

JOINED = "holes and pieces, joined to one outline by bridges"
ROWS = [
    {"bbox": [2, 2, 24, 8], "area": 88, "segmentation": [box_ring(2, 2, 5, 8), box_ring(20, 2, 6, 8)]},
    {"bbox": [2, 12, 20, 8], "area": 128, "segmentation": [box_ring(2, 12, 8, 8), box_ring(14, 12, 8, 8)]},
    outlined(3, 22, 7, 6),
]
ONE_RING = (
    "coco_text", "cvat_images", "cvat_video", "datumaro", "hiertext", "label_studio", "labelbox",
    "labelme_xml", "openlabel", "roboflow_voc", "roboflow_yolo", "scale_ai", "superannotate",
    "supervisely", "textocr", "tt100k", "vott_json", "yolo_ultralytics",
)  # fmt: skip
SEVERAL = ("bdd100k", "coco", "doclaynet", "labelme", "lvis", "publaynet", "roboflow_coco", "scalabel", "v7_darwin")


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


OVERLAPPING = [
    {"bbox": [0, 0, 15, 15], "area": 175, "segmentation": [box_ring(0, 0, 10, 10), box_ring(5, 5, 10, 10)]},
    {"bbox": [16, 0, 20, 20], "area": 400, "segmentation": [box_ring(16, 0, 20, 20), box_ring(18, 2, 5, 5)]},
    {"bbox": [0, 16, 20, 12], "area": 120, "segmentation": [[0, 16, 20, 28, 20, 16, 0, 28]]},
]
AREAS = [175, 400, 120]


def areas(out: Path) -> list[float]:
    """The areas that COCO's one file of objects states."""
    (found,) = out.glob("annotations/instances_*.json")
    return [row["area"] for row in json.loads(found.read_text())["annotations"]]


@pytest.mark.parametrize("to", ["labelbox", "yolo_ultralytics", "cvat_images", "datumaro"])
def test_where_rings_overlap_the_joined_ring_has_no_hole(tmp_path: Path, to: str) -> None:
    out, lines = converted(coco(tmp_path / "data", OVERLAPPING), to)
    assert (lines[JOINED], lines["outlines that overlap, joined along the edges of their pixels"]) == (2, 1)
    (item,) = fs.open(out, to)
    assert [Region.from_polygons(thing.polygons, 30, 40).area for thing in item.objects] == AREAS
    assert [round(derive.area(thing) or 0, 6) for thing in item.objects] == AREAS
    back, _ = converted(out, "coco")
    assert [round(area, 6) for area in areas(back)] == AREAS


def test_areas_of_overlapping_rings_are_derived_and_judged_as_those_of_their_union(tmp_path: Path) -> None:
    whole, bare = (coco(tmp_path / name, [dict(row) for row in OVERLAPPING]) for name in ("whole", "bare"))
    (path,) = bare.glob("annotations/instances_*.json")
    document = json.loads(path.read_text())
    for row in document["annotations"]:
        del row["area"]
    path.write_text(json.dumps(document))
    out, _ = converted(bare, "coco", on={"FIELD_FILLED": "fix"})
    assert areas(out) == AREAS
    assert not [finding for finding in fs.validate(whole, "coco", deep=True).findings if finding.code == "DIFFERS"]
    fixed, _ = converted(whole, "coco", on={"DIFFERS": "fix"})
    assert areas(fixed) == AREAS


@pytest.mark.parametrize("hole", [[[5, 15], [10, 15], [10, 20], [5, 20]], [[5, 15], [5, 20], [10, 20], [10, 15]]])
def test_a_hole_is_taken_out_whichever_way_it_runs(tmp_path: Path, hole: list[list[int]]) -> None:
    points = {"exterior": [[0, 10], [20, 10], [20, 28], [0, 28]], "interior": [hole]}
    row = {"id": 1, "classId": 9, "classTitle": "road", "geometryType": "polygon", "points": points, "tags": []}
    label = {"description": "", "tags": [], "size": {"height": 30, "width": 40}, "objects": [row]}
    meta = {"classes": [{"id": 9, "title": "road", "shape": "polygon", "color": "#FF0000"}], "tags": []}
    files = {"meta.json": json.dumps(meta), "train/ann/a.png.json": json.dumps(label)}
    data = put(tmp_path / "data", {**files, "train/img/a.png": image_bytes(40, 30, "png")})
    out, _ = converted(data, "coco")
    assert areas(out) == [335]
