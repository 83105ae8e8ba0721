"""The ids of images: where a target has no place for them, the report counts them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_datasets import coco, converted, outlined


@pytest.mark.parametrize("to", ["voc", "yolo_ultralytics", "labelme"])
def test_ids_of_images_that_a_target_does_not_hold_are_named(to: str, tmp_path: Path) -> None:
    _, lost = converted(coco(tmp_path / "in", [outlined(1, 1, 5, 5)]), to)
    assert lost["image ids"] == 1


def test_ids_of_images_that_are_their_names_are_not_lost(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5, image_id=42)])
    (image,) = data.rglob("a.png")
    image.rename(image.with_name("000042.png"))
    file = data / "annotations/instances_train.json"
    document = json.loads(file.read_text())
    document["images"][0].update(id=42, file_name="000042.png")
    file.write_text(json.dumps(document))
    _, lost = converted(data, "voc")
    assert "image ids" not in lost


def test_ids_of_images_that_a_target_holds_are_not_lost(tmp_path: Path) -> None:
    out, lost = converted(coco(tmp_path / "in", [outlined(1, 1, 5, 5)]), "lvis")
    assert "image ids" not in lost
    (file,) = out.rglob("lvis_v1_train.json")
    assert [image["id"] for image in json.loads(file.read_text())["images"]] == [1]


def test_ids_of_images_that_are_given_anew_are_named(tmp_path: Path) -> None:
    """Two subsets number their images from 1; where they become one, their images get numbers of their own."""
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5)])
    (image,) = data.rglob("a.png")
    (image.parents[1] / "val").mkdir()
    shutil.copy(image, image.parents[1] / "val" / "b.png")
    file = data / "annotations/instances_train.json"
    file.with_name("instances_val.json").write_text(file.read_text().replace("a.png", "b.png"))
    _, lost = converted(data, "coco", subsets={"val": "train"})
    assert lost["image ids renumbered"] == 2
