"""Names in lines of text: they are no parts of paths, and where blanks part the words of a line they have no blanks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document
from files_on_disk import put

import formatspec as fs
from formatspec.run.conversion.plan import RefusedError

SIZE = (40, 30)


def source(folder: Path, image: str = "a.png", names: tuple[str, ...] = ("door/window", "cat")) -> Path:
    """A dataset with a box of each class."""
    boxes = [{"bbox": [2 + 10 * i, 3, 8, 6], "area": 48, "category_id": i + 1} for i in range(len(names))]
    document = coco_document([(image, *SIZE)], boxes)
    document["categories"] = [{"id": i + 1, "name": name} for i, name in enumerate(names)]
    return put(folder, {f"images/train/{image}": None, "annotations/instances_train.json": document}, SIZE)


def classes(folder: Path, name: str) -> list[Any]:
    assert [one for one in fs.validate(folder, name).findings if one.level == "error"] == []
    return sorted(one.category.name for item in fs.open(folder, name) for one in item.objects)


@pytest.mark.parametrize(
    "name", ["labelimg_yolo", "label_studio_yolo", "yolo_keras", "yolo", "dota", "kitti_detection", "oidv4"]
)
def test_a_class_with_a_slash_comes_back(tmp_path: Path, name: str) -> None:
    fs.convert(source(tmp_path / "in"), to=name, out=tmp_path / "out")
    assert classes(tmp_path / "out", name) == ["cat", "door/window"]


def test_a_line_of_a_class_with_a_slash_shifts_no_numbers(tmp_path: Path) -> None:
    files = {"a.png": None, "classes.txt": "N/A\ncat\n", "a.txt": "1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n"}
    assert classes(put(tmp_path, files, SIZE), "labelimg_yolo") == ["N/A", "cat"]


@pytest.mark.parametrize("name", ["dota", "kitti_detection"])
def test_a_class_with_a_blank_is_no_word_of_a_row(tmp_path: Path, name: str) -> None:
    result = fs.convert(source(tmp_path / "in", names=("traffic light", "cat")), to=name, out=tmp_path / "out")
    said = "objects not written (no category.name: 'traffic light' has blanks; a word without is expected)"
    assert f"{said}: 1 object" in result.losses
    assert classes(tmp_path / "out", name) == ["cat"]


@pytest.mark.parametrize("name", ["yolo_keras", "yolov4_pytorch"])
def test_an_image_with_a_blank_is_no_word_of_a_list(tmp_path: Path, name: str) -> None:
    said = r"can hold none of the items: items not written \(no name: 'my a' has blanks; a word without is expected\)"
    with pytest.raises(RefusedError, match=said):
        fs.convert(source(tmp_path / "in", "my a.png"), to=name, out=tmp_path / "out")


def test_a_list_with_a_blank_in_the_name_of_an_image_is_read(tmp_path: Path) -> None:
    files = {"my a.png": None, "model_data/classes.txt": "cat\n", "train.txt": "my a.png 1,2,11,7,0\n"}
    assert classes(put(tmp_path, files, SIZE), "yolo_keras") == ["cat"]
