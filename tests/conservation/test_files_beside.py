"""Files beside the folder in which a dataset begins: they are named as files are that no rule claims below it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_datasets import put

import formatspec as fs
from formatspec.testing.memory import image_bytes

BESIDE = {"notes.txt": "x", "VOCdevkit/extra/boxes.json": "{}", ".hidden": "", "VOCdevkit/VOC2012/more.txt": "y"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    record = "<annotation><filename>a.jpg</filename><size><width>40</width><height>30</height></size></annotation>"
    files = {
        "JPEGImages/a.jpg": image_bytes(40, 30, "jpg"),
        "Annotations/a.xml": record,
        "ImageSets/Main/train.txt": "a\n",
    }
    return put(tmp_path / "in", {**BESIDE, **{f"VOCdevkit/VOC2012/{name}": text for name, text in files.items()}})


def test_files_beside_the_root_of_a_spec_are_unclaimed(data: Path) -> None:
    found = {one.file: one.message for one in fs.validate(data, "voc").findings if one.code == "FILE_UNCLAIMED"}
    assert set(found) == {"notes.txt", "VOCdevkit/extra/boxes.json", "VOCdevkit/VOC2012/more.txt"}
    assert found["notes.txt"].endswith("lies beside the folder of the dataset, VOCdevkit/VOC2012")


def test_a_conversion_names_the_files_beside_the_root_that_it_leaves(data: Path, tmp_path: Path) -> None:
    result = fs.convert(data, spec="voc", to="coco", out=tmp_path / "out")
    (words,) = (line for line in result.notices if line.startswith("left where they are"))
    assert "3 files (more.txt, ../extra/boxes.json, ../../notes.txt)" in words
