"""What lies over what in label images, and what of it can no longer be seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_datasets import coco, converted, outlined, put

import formatspec as fs
from formatspec.pixels import png
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes


def pixels(out: Path, pattern: str) -> np.ndarray:
    """The pixels of the one label image of this name."""
    (found,) = out.glob(pattern)
    return png.decode(found.read_bytes()).pixels


LARGE, SMALL = outlined(0, 0, 20, 20), outlined(5, 5, 4, 4, category_id=2)


@pytest.mark.parametrize(
    ("rows", "paint", "seen"),
    [
        ([LARGE, SMALL], "order", 2),  # the later one lies on top
        ([SMALL, LARGE], "order", 1),
        ([SMALL, LARGE], "area", 2),  # the smaller one lies on top
    ],
)
def test_later_outlines_lie_on_top_in_images_of_classes_and_of_objects(
    rows: list[dict[str, object]], paint: str, seen: int, tmp_path: Path
) -> None:
    data = coco(tmp_path / "in", rows)
    out, _ = converted(data, "voc", options={"paint": paint})
    classes, objects = pixels(out, "SegmentationClass/*.png"), pixels(out, "SegmentationObject/*.png")
    by_class = {1: [r for r in rows if r is LARGE], 2: [r for r in rows if r is SMALL]}
    assert classes[6, 6] == classes[0, 0] if seen == 1 else classes[6, 6] != classes[0, 0]
    top = by_class[seen][0]
    assert objects[6, 6] == 1 + rows.index(top)


def test_an_object_that_is_painted_over_is_counted_as_hidden(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [SMALL, {**LARGE, "category_id": 2}, outlined(30, 20, 5, 5)])
    out, lost = converted(data, "mots_png")
    assert lost["objects hidden by others"] == 1
    (item,) = fs.open(out, "mots_png")
    assert len(item.objects) == 2
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to="mots_png", out=tmp_path / "no", lossless=True)
    assert "objects hidden by others: 1 object" in refused.value.losses


def test_a_row_beside_a_picture_tells_what_the_picture_shows(tmp_path: Path) -> None:
    """A segment that is hidden has no row; one that is partly covered has the area and the box of what is seen."""
    half = outlined(10, 0, 20, 20, category_id=2)  # covers the right half of the large one
    out, lost = converted(coco(tmp_path / "in", [SMALL, LARGE, half]), "coco_panoptic")
    document = json.loads((out / "annotations/panoptic_train.json").read_text())
    (row,) = document["annotations"]
    shown = {segment["id"]: (segment["area"], segment["bbox"]) for segment in row["segments_info"]}
    assert shown == {2: (200, [0, 0, 10, 20]), 3: (400, [10, 0, 20, 20])}
    found = pixels(out, "annotations/panoptic_train/*.png")[..., 0]
    assert {number: int((found == number).sum()) for number in shown} == {2: 200, 3: 400}
    assert all(category["isthing"] == 1 for category in document["categories"])
    assert (lost["objects hidden by others"], lost["pixels covered by others"]) == (1, 1)


PARTS = """
formatspec: 1
name: parts
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json: [{each: objects by id, id: id, name: category.name, "parent?": parent, ring: polygon | flat}]
"""


def test_parts_are_not_painted_over_their_wholes(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "name": "car", "ring": [0, 0, 20, 0, 20, 20, 0, 20]},
        {"id": 2, "name": "wheel", "parent": 1, "ring": [5, 5, 9, 5, 9, 9, 5, 9]},
    ]
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps(rows)})
    spec = tmp_path / "parts.yaml"
    spec.write_text(PARTS)
    result = fs.convert(data, spec=spec, to="coco_panoptic", out=tmp_path / "out")
    assert "objects hidden by others: 1 object" in result.losses
    assert (pixels(tmp_path / "out", "annotations/*/*.png")[5:9, 5:9, 0] == 1).all()


def test_synonyms_are_no_supercategories(tmp_path: Path) -> None:
    data = tmp_path / "in"
    document = {
        "images": [{"id": 1, "coco_url": "http://images.cocodataset.org/val2017/1.png", "width": 40, "height": 30,
                    "neg_category_ids": [], "not_exhaustive_category_ids": []}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **outlined(1, 1, 5, 5)}],
        "categories": [{"id": 1, "name": "cup", "synonyms": ["cup", "mug"]}],
    }  # fmt: skip
    put(data, {"val2017/1.png": image_bytes(40, 30, "png"), "lvis_v1_val.json": json.dumps(document)})
    out, lost = converted(data, "coco")
    (category,) = json.loads((out / "annotations/instances_val.json").read_text())["categories"]
    assert "supercategory" not in category and category["attributes"] == {"synonyms": ["cup", "mug"]}
    assert not lost


TOP = {"size": [30, 40], "counts": [0] + [10, 20] * 40}
SKY = {"id": 9, "image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 10], "area": 400, "segmentation": TOP}


@pytest.mark.parametrize("paint", ["order", "area"])
@pytest.mark.parametrize("to", ["coco_panoptic", "mots_png", "voc", "image_masks"])
def test_areas_lie_beneath_objects_also_where_they_are_written_as_objects(tmp_path: Path, to: str, paint: str) -> None:
    rows = [outlined(1, 1, 5, 5), outlined(0, 0, 40, 15, category_id=2)]
    data = coco(tmp_path / "in", rows if paint == "area" else rows[:1])
    images = [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}]
    sky = {"id": 5, "name": "sky", "supercategory": "outdoor"}
    stuff = {"images": images, "annotations": [SKY], "categories": [sky]}
    (objects,) = data.glob("annotations/instances_*.json")
    put(data, {str(objects.relative_to(data)).replace("instances", "stuff"): json.dumps(stuff)})
    out, lost = converted(data, to, options={"paint": paint})
    assert "objects hidden by others" not in lost
    (found,) = (
        file for file in out.rglob("a.png") if not {"images", "JPEGImages", "SegmentationObject"} & {*file.parts}
    )
    labels = png.decode(found.read_bytes()).pixels
    labels = labels[..., 0] if labels.ndim == 3 else labels
    assert len({int(labels[2, 2]), int(labels[9, 39]), int(labels[29, 39])}) == 3
    assert int((labels == labels[2, 2]).sum()) == 25


def test_a_category_of_areas_alone_is_stuff_where_areas_are_written_as_objects(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5), outlined(20, 20, 5, 5, category_id=2)], ("cat", "dog", "cow"))
    images = [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}]
    named = [{"id": 5, "name": "sky"}, {"id": 2, "name": "dog"}]
    rows = [SKY, {**SKY, "id": 10, "category_id": 2}]
    stuff = {"images": images, "annotations": rows, "categories": named}
    (objects,) = data.glob("annotations/instances_*.json")
    put(data, {str(objects.relative_to(data)).replace("instances", "stuff"): json.dumps(stuff)})
    out, _ = converted(data, "coco_panoptic")
    (file,) = out.glob("annotations/panoptic_*.json")
    categories = json.loads(file.read_text())["categories"]
    assert {one["name"]: one["isthing"] for one in categories} == {"cat": 1, "dog": 1, "cow": 1, "sky": 0}


@pytest.mark.parametrize("to", ["image_masks", "color_masks", "camvid"])
def test_pixels_of_objects_drawn_as_areas_are_counted_where_others_cover_them(tmp_path: Path, to: str) -> None:
    """As where objects are drawn one by one, but not where both are of one category."""
    rows = [
        outlined(2, 2, 4, 4), outlined(0, 0, 20, 20, category_id=2),  # the first is hidden, and another cat is not
        outlined(15, 15, 10, 10), outlined(18, 18, 3, 3), outlined(30, 2, 5, 5, category_id=2),
    ]  # fmt: skip
    _, lost = converted(coco(tmp_path / "in", rows), to)
    told = ("objects, drawn as areas", "pixels covered by others", "objects hidden by others")
    assert tuple(map(lost.get, told)) == (4, 1, 1)
    rows = [outlined(2, 2, 4, 4), outlined(0, 0, 20, 20, category_id=2)]
    _, lost = converted(coco(tmp_path / "hidden", rows), to)
    assert (lost["objects, drawn as areas"], lost["objects hidden by others"]) == (1, 1)
    assert not any(what.startswith("objects not written") for what in lost)
    _, lost = converted(coco(tmp_path / "apart", [LARGE, outlined(25, 5, 4, 4, category_id=2)]), to)
    assert "pixels covered by others" not in lost and lost["objects, drawn as areas"] == 2
