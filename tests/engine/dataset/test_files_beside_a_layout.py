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


LAYOUTS = {
    "train_annotations.json": "train/{name}",
    "annotations/train_annotations.json": "images/train/{name}",
    "annotations/train_coco.json": "train/{name}",
    "annotations/instances_train.json": "train/images/{name}",
    "train/annotations.json": "train/{name}",
    "train/coco.json": "train/{name}",
}


@pytest.mark.parametrize("path", LAYOUTS)
def test_people_name_their_documents_in_many_ways(path: str, tmp_path: Path) -> None:
    files: dict[str, Any] = {}
    for subset in ("train", "val"):
        names = [f"{subset}{number}.jpg" for number in (1, 2)]
        document = coco_document([(name, 100, 80) for name in names], [GOOD, {**GOOD, "image_id": 2}])
        files[path.replace("train", subset)] = document
        for name in names:
            files[LAYOUTS[path].format(name=name).replace("train", subset, 1)] = image_bytes(100, 80, "jpg")
    data = put(tmp_path / "data", files)
    assert detect_format(open_tree(data)).names == ("coco",)
    assert not fs.validate(data).findings
    assert [(item.subsets, len(item.objects)) for item in fs.open(data)] == [(("train",), 1)] * 2 + [(("val",), 1)] * 2
    fs.convert(data, to="coco", out=tmp_path / "out", lossless=True)
    assert (tmp_path / "out" / path).is_file()


@pytest.mark.parametrize("path", ["{subset}_fold{fold}.json", "fold{fold}_{subset}.json"])
@pytest.mark.parametrize("folder", ["", "annotations/"])
@pytest.mark.parametrize("last", [{}, {"test_final.json": [5]}])
def test_several_documents_of_a_subset_are_not_joined(
    last: dict[str, list[int]], folder: str, path: str, tmp_path: Path
) -> None:
    """Each fold numbers its images from 1, so that these ids mean other images in each document."""
    folds = {path.format(subset=one, fold=fold): [1, 2] for one in ("train", "val") for fold in (1, 2)}
    for name, numbers in {**folds, **last}.items():
        images = [(f"{Path(name).stem}_{number}.jpg", 100, 80) for number in numbers]
        rows = [{**GOOD, "id": number, "image_id": number} for number, _ in enumerate(images, 1)]
        put(tmp_path, {folder + name: coco_document(images, rows)})
    items = list(fs.open(tmp_path, "coco"))
    assert len(items) == 8 + len(last)
    assert {name for item in items for name in item.subsets} == {Path(name).stem for name in {**folds, **last}}
    assert all(len(item.objects) == 1 for item in items)
