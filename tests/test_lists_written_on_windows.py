"""Lists in which backslashes part the paths of images, as programs on Windows write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs

BOX = "0 0.5 0.5 0.25 0.25\n"
ULTRALYTICS = {
    "data.yaml": "path: .\ntrain: train.txt\nval: val.txt\nnames: {0: cat}\n",
    "images/a.jpg": None,
    "images/deep/b.jpg": None,
    "labels/a.txt": BOX,
    "labels/deep/b.txt": BOX,
}
DARKNET = {
    "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    "obj.names": "cat\n",
    "obj_train_data/a.jpg": None,
    "obj_train_data/deep/b.jpg": None,
    "obj_train_data/a.txt": BOX,
    "obj_train_data/deep/b.txt": BOX,
}


@pytest.mark.parametrize("start", ["", ".\\", "D:\\my data\\set\\", "\\\\server\\set\\"])
def test_ultralytics_lists_with_backslashes(start: str, tmp_path: Path) -> None:
    lists = {"train.txt": f"{start}images\\a.jpg\n", "val.txt": f"{start}images\\deep\\b.jpg\n"}
    data = put(tmp_path / "data", {**ULTRALYTICS, **lists})
    told = {item.key: (item.subsets, len(item.objects)) for item in fs.open(data)}
    assert told == {"a": (("train",), 1), "deep/b": (("val",), 1)}
    assert not fs.validate(data).findings
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", where="true")
    for name, text in lists.items():
        assert (tmp_path / "out" / name).read_text() == text


def test_darknet_lists_with_backslashes(tmp_path: Path) -> None:
    lines = "data\\obj_train_data\\a.jpg\ndata\\obj_train_data\\deep\\b.jpg\n"
    data = put(tmp_path / "data", {**DARKNET, "train.txt": lines})
    assert {item.key: len(item.objects) for item in fs.open(data)} == {"train/a": 1, "train/deep/b": 1}
    fs.convert(data, to="yolo", out=tmp_path / "out")
    assert (tmp_path / "out/train.txt").read_text() == lines


def test_a_line_that_fits_neither_way_is_shown_as_it_stands(tmp_path: Path) -> None:
    data = put(tmp_path, {**ULTRALYTICS, "train.txt": "images\\a.jpg\npictures\\b.jpg\n", "val.txt": ""})
    (finding,) = (one for one in fs.validate(data).findings if one.code == "LINE")
    assert (finding.line, finding.got) == (2, "pictures\\b.jpg")
