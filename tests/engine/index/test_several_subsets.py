"""Images that lists or named folders put into two subsets, and counts of classes beside lists of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs

ROW = "0 0.5 0.5 0.2 0.2\n"
SAME_FOLDER = {
    "a YAML of another name": ("data/my.yaml", "images/train"),
    "a folder with a year": ("data/data.yaml", "images/train2020"),
    "no folder of a subset": ("data/data.yaml", "images"),
}


def said(report: fs.ValidationReport) -> list[tuple[str, str, str | None]]:
    return [(one.code, one.level, one.file) for one in report.findings if one.level != "info"]


def seen(folder: Path) -> list[tuple[tuple[str, ...], int]]:
    return [(item.subsets, len(item.objects)) for item in fs.open(folder)]


@pytest.mark.parametrize("name", SAME_FOLDER)
def test_one_folder_named_for_two_subsets(tmp_path: Path, name: str) -> None:
    config, folder = SAME_FOLDER[name]
    data = put(tmp_path, {
        config: f"train: {folder}\nval: {folder}\nnames: [cat]\n", f"data/{folder}/x.jpg": None,
        f"data/{folder.replace('images', 'labels')}/x.txt": ROW,
    }) / "data"  # fmt: skip
    assert seen(data) == [(("train", "val"), 1)]
    assert said(fs.validate(data)) == [("SPLIT_LEAK", "warning", f"{folder}/x.jpg")]


def test_folders_of_their_own_are_no_leak(tmp_path: Path) -> None:
    config = "train: images/train\nval: images/val\nnames: [cat]\n"
    files: dict[str, str | None] = {"data.yaml": config}
    for subset in ("train", "val"):
        files |= {f"images/{subset}/{subset}.jpg": None, f"labels/{subset}/{subset}.txt": ROW}
    data = put(tmp_path, files)
    assert seen(data) == [(("train",), 1), (("val",), 1)] and not said(fs.validate(data))


def listed(tmp_path: Path, lists: dict[str, str], classes: int = 1) -> Path:
    data = f"classes = {classes}\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n"
    return put(tmp_path, {
        "obj.data": data, "obj.names": "cat\n", "obj/a.jpg": None, "obj/a.txt": ROW,
        "obj/b.jpg": None, "obj/b.txt": ROW,
        **{f"{subset}.txt": "".join(f"data/obj/{name}.jpg\n" for name in names) for subset, names in lists.items()},
    })  # fmt: skip


def test_an_image_that_two_lists_name(tmp_path: Path) -> None:
    data = listed(tmp_path, {"train": "ab", "valid": "b"})
    assert said(fs.validate(data)) == [("SPLIT_LEAK", "warning", "obj/b.jpg")]


def test_a_list_made_of_others_is_no_leak(tmp_path: Path) -> None:
    names = {"train": "a", "trainval": "ab"}
    boxes = "<object><name>cat</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>"
    files: dict[str, str | None] = {
        f"ImageSets/Main/{name}.txt": "\n".join(those) + "\n" for name, those in names.items()
    }
    for name in "ab":
        size = "<size><width>20</width><height>10</height><depth>3</depth></size>"
        start = f"<annotation><folder>VOC</folder><filename>{name}.jpg</filename>{size}<segmented>0</segmented>"
        files |= {f"JPEGImages/{name}.jpg": None, f"Annotations/{name}.xml": f"{start}{boxes}</annotation>"}
    assert "SPLIT_LEAK" not in {one.code for one in fs.validate(put(tmp_path, files), "voc").findings}


@pytest.mark.parametrize("classes", [1, 3])
def test_a_count_of_classes_beside_another_file_that_lists_them(tmp_path: Path, classes: int) -> None:
    data = listed(tmp_path / "data", {"train": "a", "valid": "b"}, classes)
    assert said(fs.validate(data)) == ([] if classes == 1 else [("CONFLICT", "error", "obj.data")])
    if classes == 3:
        found = fs.validate(data).findings[0]
        assert found.line == 1 and "classes = 3" in found.message and "obj.names lists 1" in found.message
        with pytest.raises(fs.RefusedError):
            fs.convert(data, to="coco", out=tmp_path / "out")
