"""Subsets that a document names and of which there is no image, and what a target that must name them writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from coco_like import coco, image_bytes, put
from files_on_disk import put as put_files

import formatspec as fs

ROW = "0 0.5 0.5 0.2 0.2\n"


def yolo(folder: Path, config: str, *subsets: str) -> Path:
    """A dataset with an image of each of some subsets."""
    files: dict[str, str | bytes] = {"data.yaml": f"{config}names: [cat]\n"}
    for number, subset in enumerate(subsets):
        files |= {f"images/{subset}/{subset}.jpg": image_bytes(90 + number, 80), f"labels/{subset}/{subset}.txt": ROW}
    return put(folder, files)


def said(data: Path, spec: str = "yolo_ultralytics") -> list[tuple[str, str, str | None]]:
    found = (one for one in fs.validate(data, spec).findings if one.code != "SPLIT_LEAK")
    return [(one.code, one.level, one.pointer) for one in found]


@pytest.mark.parametrize(("config", "subsets", "expected"), [
    ("train: images/train\nval: images/val\n", ("train", "val"), []),
    ("train: images/train\nval: images/val\n", ("train",), [("SPLIT_EMPTY", "warning", "/val")]),
    ("train: images/train\nval: [images/train, images/val]\n", ("train",), [("SPLIT_EMPTY", "warning", "/val/1")]),
    ("train: ../x/images/train\nval: images/train\ntest: images/test\n", ("train",),
     [("SPLIT_EMPTY", "warning", "/test")]),
    ("train: images/train\n", ("train",), [("SPLIT_EMPTY", "warning", "/val")]),
    ("", ("train",), [("SPLIT_EMPTY", "warning", "/train")]),
    ("train: https://example.org/images\nval: images/*\n", ("train",), []),
])  # fmt: skip
def test_a_subset_that_is_named_and_not_there(
    config: str, subsets: tuple[str, ...], expected: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    assert said(yolo(tmp_path / "data", config, *subsets)) == expected


def test_a_folder_that_is_there_and_empty(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "train: images/train\nval: images/val\n", "train")
    (data / "images/val").mkdir()
    (data / "images/val/notes.txt").write_text("none yet")
    (found,) = (one for one in fs.validate(data, "yolo_ultralytics").findings if one.code == "SPLIT_EMPTY")
    assert found.message == "val names images/val, which holds no image"


def test_a_named_subset_that_is_not_there_stops_no_conversion(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "train: images/train\nval: images/val\n", "train")
    result = fs.convert(data, to="coco", out=tmp_path / "coco", spec="yolo_ultralytics")
    assert [one.action for one in result.findings if one.code == "SPLIT_EMPTY"] == ["keep"]
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "copy", spec="yolo_ultralytics")
    copied, own = (yaml.safe_load((folder / "data.yaml").read_text()) for folder in (tmp_path / "copy", data))
    assert copied == own
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="coco", out=tmp_path / "none", spec="yolo_ultralytics", on=["SPLIT_EMPTY=error"])


@pytest.mark.parametrize(("subset", "to", "config", "notice"), [
    ("train", "yolo_ultralytics", "train: images/train\nval: images/train\n", "val is images/train"),
    ("val", "yolo_ultralytics", "train: images/val\nval: images/val\n", "train is images/val"),
    ("train", "roboflow_yolo", "train: ../train/images\nval: ../train/images\n", "val is ../train/images"),
])  # fmt: skip
def test_a_target_that_must_name_a_subset_names_one_that_is_there(
    subset: str, to: str, config: str, notice: str, tmp_path: Path
) -> None:
    data = put(tmp_path / "data", coco([], subset))
    result = fs.convert(data, to=to, out=tmp_path / "out", spec="coco")
    assert config in (tmp_path / "out/data.yaml").read_text()
    assert [one for one in result.notices if notice in one and "since there is no image" in one]
    assert said(tmp_path / "out", to) == []


def test_a_subset_of_which_no_item_is_left_is_named_no_more(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "train: images/train\nval: images/val\ntest: images/test\n", "train", "val", "test")
    for subset in ("val", "test"):
        (data / f"images/{subset}/{subset}.jpg").write_bytes(b"")
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="yolo_ultralytics", skip_invalid=True)
    text = (tmp_path / "out/data.yaml").read_text()
    assert "val: images/train\n" in text and "test" not in text
    assert said(tmp_path / "out") == []


@pytest.mark.parametrize("target", ["roboflow_coco", "coco"])
def test_a_document_of_a_subset_without_images_is_named(target: str, tmp_path: Path) -> None:
    row = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}
    put_files(
        tmp_path / "data",
        {
            "train/a.jpg": None,
            "train/_annotations.coco.json": {"images": [row], "annotations": [], "categories": []},
            "test/_annotations.coco.json": {"images": [], "annotations": [], "categories": []},
        },
    )
    losses = fs.convert(tmp_path / "data", spec="roboflow_coco", to=target, out=tmp_path / "out").losses
    assert any("test/_annotations.coco.json: it lists no item" in line for line in losses)
    assert not any("train/" in line for line in losses)


DARKNET = {"obj.names": "cat\ndog\n", "obj_train_data/a.jpg": None, "obj_train_data/a.txt": ROW}


@pytest.mark.parametrize("name", ["Validation", "Test", "val"])
def test_folders_and_lists_for_darknet_that_are_named_as_cvat_names_its_subsets(name: str, tmp_path: Path) -> None:
    config = (
        f"classes = 2\ntrain = data/train.txt\n{name} = data/{name}.txt\nnames = data/obj.names\nbackup = backup/\n"
    )
    lists = {"train.txt": "data/obj_train_data/a.jpg\n", f"{name}.txt": f"data/obj_{name}_data/b.jpg\n"}
    own = {"obj.data": config, f"obj_{name}_data/b.jpg": None, f"obj_{name}_data/b.txt": f"1{ROW[1:]}"}
    data = put_files(tmp_path / "data", {**DARKNET, **lists, **own})
    assert not fs.validate(data).findings
    (item,) = (one for one in fs.open(data) if one.subsets == (name,))
    assert [thing.category.name for thing in item.objects] == ["dog"]
    for folder, where in (("copy", None), ("again", "true")):
        result = fs.convert(data, to="yolo", out=tmp_path / folder, where=where)
        assert (result.items, result.losses) == (2, ())
        for path in (*lists, "obj.data"):
            assert (tmp_path / folder / path).read_text() == (data / path).read_text()


def test_lists_of_images_that_are_named_as_cvat_names_its_subsets(tmp_path: Path) -> None:
    files: dict[str, str | None] = {
        "data.yaml": "Train: Train.txt\nValidation: Validation.txt\nnames: {0: cat}\npath: .\n"
    }
    for subset in ("Train", "Validation"):
        files |= {f"images/{subset}/a.jpg": None, f"labels/{subset}/a.txt": ROW}
        files[f"{subset}.txt"] = f"data/images/{subset}/a.jpg\n"
    data = put_files(tmp_path / "data", files)
    assert {item.key: item.subsets for item in fs.open(data)} == {
        "Train/a": ("Train",),
        "Validation/a": ("Validation",),
    }
    fs.convert(data, to="coco", out=tmp_path / "coco")
    assert sorted(path.name for path in (tmp_path / "coco/annotations").iterdir()) == [
        "instances_Train.json",
        "instances_Validation.json",
    ]
