"""Subsets of images by the folders that a document names, and the layouts that tools read."""

from __future__ import annotations

from pathlib import Path

import pytest
from coco_like import coco_document
from files_on_disk import put

import formatspec as fs
from formatspec.engine.index.named_folders import in_tree
from formatspec.paths.trees.store import MANIFEST

ROW = "0 0.5 0.5 0.2 0.2\n"


def subsets(folder: Path, name: str) -> dict[str, tuple[str, ...]]:
    """The subsets of a dataset's items, which all have one object; it is told to be of the format."""
    opened = fs.open(folder)
    found = {Path(item.image.path).stem: item.subsets for item in opened if item.image and len(item.objects) == 1}
    assert opened.format == name and len(found) == len(opened) and not opened.findings
    return found


@pytest.mark.parametrize(("stated", "expected"), [
    ("images/a", "images/a"), ("./images/a", "images/a"), ("../images/a", "images/a"),
    ("/home/me/images/a/", "images/a"),
    ("data\\images\\a", "images/a"), ("images/b", None), ("", None), (".", None),
])  # fmt: skip
def test_a_folder_is_meant_wherever_it_is_seen_from(stated: str, expected: str | None) -> None:
    assert in_tree(stated, {"images", "images/a"}) == expected


@pytest.mark.parametrize(("yaml", "folders"), [
    ("train: images/train2017\nval: images/val2017\n", {"a": "train2017", "b": "val2017"}),
    (
        "path: ../x\ntrain: [images/one, images/two/deep]\nval: ./images/three\n",
        {"a": "one", "c": "two/deep", "b": "three"},
    ),
])  # fmt: skip
def test_folders_that_a_yaml_names(yaml: str, folders: dict[str, str], tmp_path: Path) -> None:
    files = {"any.yaml": f"{yaml}names: [cat]\n"}
    for name, folder in folders.items():
        files |= {f"images/{folder}/{name}.jpg": None, f"labels/{folder}/{name}.txt": ROW}
    found = subsets(put(tmp_path / "data", files), "yolo_ultralytics")
    assert found == {name: ("val",) if name == "b" else ("train",) for name in folders}
    fs.convert(tmp_path / "data", to="yolo_ultralytics", out=tmp_path / "out")
    assert subsets(tmp_path / "out", "yolo_ultralytics") == found


def test_two_yaml_files_that_name_one_folder_for_two_subsets(tmp_path: Path) -> None:
    """The first of them is written again, so that both subsets stay; the other has a line in the report."""
    files = {"images/test/a.jpg": None, "labels/test/a.txt": ROW}
    files |= dict.fromkeys(("data.yaml", "more.yaml"), "train: images/test\ntest: images/test\nnames: [cat]\n")
    before = subsets_of(put(tmp_path / "data", files))
    result = fs.convert(tmp_path / "data", spec="yolo_ultralytics", to="yolo_ultralytics", out=tmp_path / "out")
    assert subsets_of(tmp_path / "out") == before == {"a": {"train", "test"}}
    assert [str(line) for line in result.losses] == ["more.yaml: data.yaml stands for it too: 1 file"]


def subsets_of(folder: Path) -> dict[str, set[str]]:
    """The subsets of each image of a dataset of Ultralytics' format."""
    opened = fs.open(folder, "yolo_ultralytics")
    return {Path(item.image.path).stem: set(item.subsets) for item in opened if item.image}


def test_one_folder_of_two_subsets(tmp_path: Path) -> None:
    files = {"data.yaml": "train: images\nval: images\nnames: [cat]\n", "images/a.jpg": None, "labels/a.txt": ROW}
    assert subsets(put(tmp_path, files), "yolo_ultralytics") == {"a": ("train", "val")}


def test_folders_that_only_end_alike_are_not_one_folder(tmp_path: Path) -> None:
    """What tells the folders of a YAML from another layout apart is what the tree does not have."""
    files = {"data.yaml": "train: ../train/images\nval: ../valid/images\nnames: [cat]\n"}
    for part, name in (("train", "a"), ("val", "b")):
        files |= {f"images/{part}/{name}.png": None, f"labels/{part}/{name}.txt": ROW}
    opened = fs.open(put(tmp_path, files))
    assert {item.key: item.subsets for item in opened} == {"train/a": ("train",), "val/b": ("val",)}
    empty = [one.got for one in fs.validate(tmp_path).findings if one.code == "SPLIT_EMPTY"]
    assert empty == ["../train/images", "../valid/images"]


def test_one_folder_named_from_two_places_is_one_folder(tmp_path: Path) -> None:
    files = {"data.yaml": "train: /home/me/x/images\nval: /home/me/x/images\ntest: images\nnames: [cat]\n"}
    files |= {"images/a.jpg": None, "labels/a.txt": ROW}
    assert subsets(put(tmp_path, files), "yolo_ultralytics") == {"a": ("train", "val", "test")}


def test_lists_decide_whatever_the_folder_is_called(tmp_path: Path) -> None:
    files = {"data.yaml": "train: train.txt\nval: val.txt\nnames: [cat]\n"}
    for name in ("a", "b"):
        files |= {f"images/train/{name}.jpg": None, f"labels/train/{name}.txt": ROW}
    files |= {"train.txt": "./images/train/a.jpg\n", "val.txt": "\ufeffimages/train/b.jpg\n"}
    assert subsets(put(tmp_path, files), "yolo_ultralytics") == {"a": ("train",), "b": ("val",)}


@pytest.mark.parametrize("subset", ["valid", "val"])
def test_val_and_valid(subset: str, tmp_path: Path) -> None:
    files = {"data.yaml": f"train: ../train/images\nval: ../{subset}/images\nnames: [cat]\n"}
    for part, name in (("train", "a"), (subset, "b")):
        files |= {f"{part}/images/{name}.jpg": None, f"{part}/labels/{name}.txt": ROW}
    put(tmp_path / "data", files)
    assert subsets(tmp_path / "data", "roboflow_yolo") == {"a": ("train",), "b": (subset,)}
    fs.convert(tmp_path / "data", to="roboflow_yolo", out=tmp_path / "out")
    assert subsets(tmp_path / "out", "roboflow_yolo") == {"a": ("train",), "b": (subset,)}


@pytest.mark.parametrize(("image", "annotations", "expected"), [
    ("images/a.jpg", "annotations.json", ()),
    ("data/a.jpg", "labels.json", ()),
    ("a.jpg", "_annotations.coco.json", ()),
    ("images/a.jpg", "train.json", ("train",)),
    ("a.jpg", "train.json", ("train",)),
    ("images/a.jpg", "annotations/train.json", ("train",)),
    ("images/train/a.jpg", "annotations/train.json", ("train",)),
    ("train/a.jpg", "annotations/train.json", ("train",)),
    ("images/train2017/a.jpg", "annotations/instances_train2017.json", ("train2017",)),
])  # fmt: skip
def test_annotation_files_of_other_places(
    image: str, annotations: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    document = coco_document([("a.jpg", 20, 10)], [{"bbox": [1, 1, 4, 4], "area": 16, "segmentation": []}])
    put(tmp_path / "data", {image: None, annotations: document})
    assert subsets(tmp_path / "data", "coco") == {"a": expected}
    fs.convert(tmp_path / "data", to="coco", out=tmp_path / "out")
    assert {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*.*")
        if path.name != MANIFEST
    } == {
        image,
        annotations,
    }
