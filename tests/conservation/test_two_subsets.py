"""An image of which documents of two subsets tell: each document keeps its own rows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import converted, put

from formatspec.testing.memory import image_bytes

BOXES = {"train": [1, 1, 5, 5], "val": [10, 10, 6, 6]}


def document(box: list[int]) -> dict[str, Any]:
    """A COCO document of one image with one box."""
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}],
        "categories": [{"id": 1, "name": "cat"}],
    }


def in_both(folder: Path) -> Path:
    """A COCO dataset of one image that stands in two subsets, with another box in each."""
    told = {f"annotations/instances_{name}.json": json.dumps(document(box)) for name, box in BOXES.items()}
    return put(folder, {"images/a.png": image_bytes(40, 30, "png"), **told})


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
@pytest.mark.parametrize("renamed", [{}, {"val": "test"}, {"train": "val", "val": "train"}])
def test_each_document_keeps_its_own_rows(tmp_path: Path, renamed: dict[str, str], more: dict[str, Any]) -> None:
    out, lost = converted(in_both(tmp_path / "in"), "coco", subsets=renamed, **more)
    for name, box in BOXES.items():
        path = out / f"annotations/instances_{renamed.get(name, name)}.json"
        assert json.loads(path.read_text()) == document(box)
    assert not lost


def test_documents_of_two_subsets_that_become_one_are_one(tmp_path: Path) -> None:
    out, _ = converted(in_both(tmp_path / "in"), "coco", subsets={"val": "train"})
    made = json.loads((out / "annotations/instances_train.json").read_text())
    assert [row["bbox"] for row in made["annotations"]] == list(BOXES.values())
    assert len(made["images"]) == 1
