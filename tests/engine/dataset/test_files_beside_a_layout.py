"""Documents of another kind beside those of a layout do not make another layout fit better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import GOOD, coco_document
from files_on_disk import put

import formatspec as fs
from formatspec.opening import detect_format
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.memory import image_bytes

SUBSETS = ("train2017", "val2017")


def panoptic(image: str) -> dict[str, Any]:
    segment = {"id": 7, "category_id": 1, "area": 400, "bbox": [10, 10, 20, 20], "iscrowd": 0}
    row = {"image_id": 1, "file_name": f"{Path(image).stem}.png", "segments_info": [segment]}
    return {**coco_document([(image, 100, 80)]), "annotations": [row]}


def release(tasks: tuple[str, ...], folder: str) -> dict[str, Any]:
    """The files of a release with an image in each subset, under some folder of images."""
    files: dict[str, Any] = {}
    for subset in SUBSETS:
        image = f"{subset}.jpg"
        files[folder.format(subset=subset) + image] = image_bytes(100, 80, "jpg")
        rows = [{"keypoints": [0, 0, 0], "num_keypoints": 0, **GOOD}]
        for task in tasks:
            files[f"annotations/{task}_{subset}.json"] = coco_document([(image, 100, 80)], rows)
    return files


BESIDE: dict[str, dict[str, Any]] = {
    "panoptic": {f"annotations/panoptic_{subset}.json": panoptic(f"{subset}.jpg") for subset in SUBSETS},
    "of a part of the task": {
        "annotations/coco_wholebody_val_v1.0.json": coco_document([("val2017.jpg", 100, 80)], [GOOD])
    },
    "no document of the format": {"annotations/licences.json": {}},
}


@pytest.mark.parametrize("folder", ["{subset}/", "images/{subset}/", "images/"])
@pytest.mark.parametrize("tasks", [("instances",), ("instances", "person_keypoints")])
@pytest.mark.parametrize("beside", BESIDE)
def test_files_keep_the_layout_that_names_their_task(
    beside: str, tasks: tuple[str, ...], folder: str, tmp_path: Path
) -> None:
    data = put(tmp_path, {**release(tasks, folder), **BESIDE[beside]})
    assert detect_format(open_tree(data)).names == ("coco",)
    items = {item.key: item for item in fs.open(data)}
    assert len(items) == 2 and all(item.image and len(item.objects) == 1 for item in items.values())
    assert {name for item in items.values() for name in item.subsets} == set(SUBSETS)
    findings = fs.validate(data).findings
    assert not [one for one in findings if one.level == "error"]
    assert {one.file for one in findings if one.code == "FILE_UNCLAIMED"} == set(BESIDE[beside])


def test_images_that_are_not_there_yet_change_no_layout(tmp_path: Path) -> None:
    files = release(("instances",), "{subset}/")
    del files["train2017/train2017.jpg"]
    data = put(tmp_path, {**files, **BESIDE["no document of the format"]})
    [missing] = [one for one in fs.validate(data).findings if one.level == "error"]
    assert (missing.code, missing.expected) == ("IMAGE_MISSING", "train2017/train2017.jpg")


def test_documents_named_after_their_subset_are_read_as_such(tmp_path: Path) -> None:
    """A folder named as the document is tells that the whole name is the subset."""
    document = coco_document([("a.jpg", 100, 80)], [GOOD])
    files = {
        "images/instances_7/a.jpg": image_bytes(100, 80, "jpg"),
        "annotations/instances_7.json": json.dumps(document),
    }
    [item] = fs.open(put(tmp_path, files))
    assert item.subsets == ("instances_7",) and item.image is not None and item.objects
