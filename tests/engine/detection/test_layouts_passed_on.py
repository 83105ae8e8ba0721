"""Layouts in which people pass datasets on, other than those that a tool writes: each is recognised and read whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs

CAT, DOG = "0 0.5 0.5 0.2 0.2\n", "1 0.5 0.5 0.2 0.2\n"
NAMES = "nc: 2\nnames: [cat, dog]\n"
COLUMNS = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
A, B = "a.jpg,64,48,cat,1,1,9,9\n", "b.jpg,64,48,dog,1,1,9,9\n"
PARTS = {"a": ("train",), "b": ("val",)}
VALID = {"a": ("train",), "b": ("valid",)}
TEST = {"a": ("train",), "b": ("test",)}
NONE: Mapping[str, tuple[str, ...]] = {"a": (), "b": ()}

LAYOUTS: dict[str, tuple[str, dict[str, str | None], Mapping[str, tuple[str, ...]]]] = {
    "classes.txt among the labels": (
        "labelimg_yolo",
        {
            "images/a.jpg": None,
            "images/b.jpg": None,
            "labels/a.txt": CAT,
            "labels/b.txt": DOG,
            "labels/classes.txt": "cat\ndog\n",
        },
        NONE,
    ),
    "no notes beside classes.txt": (
        "label_studio_yolo",
        {
            "images/a.jpg": None,
            "images/b.jpg": None,
            "labels/a.txt": CAT,
            "labels/b.txt": DOG,
            "classes.txt": "cat\ndog\n",
        },
        NONE,
    ),
    "labels beside the images of each subset": (
        "yolo_ultralytics",
        {
            "train/a.jpg": None,
            "valid/b.jpg": None,
            "train/a.txt": CAT,
            "valid/b.txt": DOG,
            "data.yaml": f"train: train\nval: valid\n{NAMES}",
        },
        PARTS,
    ),
    "a YAML that ends in yml": (
        "yolo_ultralytics",
        {
            "images/train/a.jpg": None,
            "images/val/b.jpg": None,
            "labels/train/a.txt": CAT,
            "labels/val/b.txt": DOG,
            "data.yml": f"train: images/train\nval: images/val\n{NAMES}",
        },
        PARTS,
    ),
    "a YAML of another name beside subsets": (
        "roboflow_yolo",
        {
            "train/images/a.jpg": None,
            "valid/images/b.jpg": None,
            "train/labels/a.txt": CAT,
            "valid/labels/b.txt": DOG,
            "cats.yml": f"train: ../train/images\nval: ../valid/images\n{NAMES}",
        },
        VALID,
    ),
    "tables in data, images by subset": (
        "tfod_csv",
        {
            "images/train/a.jpg": None,
            "images/test/b.jpg": None,
            "data/train_labels.csv": COLUMNS + A,
            "data/test_labels.csv": COLUMNS + B,
        },
        TEST,
    ),
    "tables in data, one folder of images": (
        "tfod_csv",
        {
            "images/a.jpg": None,
            "images/b.jpg": None,
            "data/train_labels.csv": COLUMNS + A,
            "data/test_labels.csv": COLUMNS + B,
        },
        TEST,
    ),
    "tables beside images by subset": (
        "tfod_csv",
        {
            "images/train/a.jpg": None,
            "images/test/b.jpg": None,
            "train_labels.csv": COLUMNS + A,
            "test_labels.csv": COLUMNS + B,
        },
        TEST,
    ),
    "tables beside one folder of images": (
        "tfod_csv",
        {"images/a.jpg": None, "images/b.jpg": None, "train_labels.csv": COLUMNS + A, "test_labels.csv": COLUMNS + B},
        TEST,
    ),
}


def classes_of(items: Iterable[fs.Item]) -> dict[str, list[str]]:
    """The classes of each image's objects."""
    return {
        item.key.rpartition("/")[2]: [thing.category.name for thing in item.objects if thing.category] for item in items
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_people_pass_on_is_read(layout: str, tmp_path: Path) -> None:
    form, files, subsets = LAYOUTS[layout]
    data = fs.open(put(tmp_path / "data", files, (64, 48)))
    assert data.format == form
    assert {item.key.rpartition("/")[2]: item.subsets for item in data} == dict(subsets)
    assert classes_of(data) == {"a": ["cat"], "b": ["dog"]}
    assert not [one for one in fs.validate(tmp_path / "data").findings if one.level == "error"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_such_a_layout_comes_back_in_its_own_format(layout: str, tmp_path: Path) -> None:
    form, files, _ = LAYOUTS[layout]
    put(tmp_path / "data", files, (64, 48))
    fs.convert(tmp_path / "data", to=form, out=tmp_path / "out", lossless=True)
    assert {name: (tmp_path / "out" / name).is_file() for name in files} == dict.fromkeys(files, True)
    assert classes_of(fs.open(tmp_path / "out")) == {"a": ["cat"], "b": ["dog"]}
