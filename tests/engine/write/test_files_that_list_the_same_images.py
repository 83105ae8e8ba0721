"""Several files of a target list the same images by the same rule: each row is written once for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from files_on_disk import put

import formatspec as fs

POSE = "0 0.5 0.5 0.5 0.5 0.5 0.5 2\n"
DATA = "train: images/train\nval: images/val\nnames: [cat]\nkpt_shape: [1, 3]\n"


def poses(folder: Path, counts: dict[str, int]) -> Path:
    """A dataset of Ultralytics' poses; it has no ids of images. `counts` gives the number of objects by image."""
    files: dict[str, Any] = {"data.yaml": DATA}
    for name, count in counts.items():
        files |= {f"images/{name}.jpg": None, f"labels/{name}.txt": POSE * count}
    return put(folder, files)


def test_rows_name_their_image_by_one_number_in_all_files(tmp_path: Path) -> None:
    counts = {"train/a": 2, "train/b": 0, "train/c": 1, "val/d": 0, "val/e": 3}
    fs.convert(poses(tmp_path / "data", counts), to="coco", out=tmp_path / "out")
    found = {}
    for file in sorted((tmp_path / "out/annotations").glob("*.json")):
        document = json.loads(file.read_text())
        names = {one["id"]: one["file_name"] for one in document["images"]}
        assert len(names) == len(document["images"])
        found[file.stem] = sorted(names[one["image_id"]] for one in document["annotations"])
        images = ["a.jpg", "b.jpg", "c.jpg"] if file.stem.endswith("train") else ["d.jpg", "e.jpg"]
        assert sorted(names.values()) == images
    train, val = ["a.jpg", "a.jpg", "c.jpg"], ["e.jpg"] * 3
    assert found == {
        "instances_train": train, "instances_val": val, "person_keypoints_train": train, "person_keypoints_val": val,
    }  # fmt: skip
