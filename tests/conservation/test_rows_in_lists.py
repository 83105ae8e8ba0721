"""Rows of an item within its row of a document: each goes back into the document that told it, and to its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import converted, put

from formatspec.testing.memory import image_bytes


def box(name: str, x: float) -> dict[str, Any]:
    """A result of a box, with an id of its own."""
    shown = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["cat"]}
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    return {
        "id": name, "type": "rectanglelabels", **size, "from_name": "label", "to_name": "image", "value": shown,
    }  # fmt: skip


def annotation(*results: dict[str, Any], by: int = 1) -> dict[str, Any]:
    """What one annotator said of an image."""
    return {"completed_by": by, "result": list(results)}


def tasks(folder: Path, told: dict[str, list[dict[str, Any]]]) -> Path:
    """A dataset whose task files all name one image, with these annotations in each."""
    files: dict[str, str | bytes] = {"images/a.png": image_bytes(40, 30, "png")}
    for number, (subset, rows) in enumerate(told.items(), 1):
        task = {"id": number, "annotations": rows, "file_upload": "a.png", "data": {"image": "/data/upload/a.png"}}
        files[f"{subset}.json"] = json.dumps([task])
    return put(folder, files)


OTHERS = {
    "none": [],
    "another box": [annotation(box("y", 30))],
    "the same box": [annotation(box("x", 10))],
    "of another annotator": [annotation(box("y", 30), by=2)],
    "in two annotations": [annotation(box("y", 30)), annotation(box("z", 50))],
    "skipped": [{"was_cancelled": True, "completed_by": 1, "result": []}],
}


@pytest.mark.parametrize(
    ("renamed", "where"),
    [({}, None), ({}, "true"), ({"val": "test"}, None), ({"train": "val", "val": "train"}, None)],
)
@pytest.mark.parametrize("other", OTHERS)
def test_annotations_of_an_image_of_two_task_files_stay_in_their_file(
    tmp_path: Path, other: str, renamed: dict[str, str], where: str | None
) -> None:
    data = tasks(tmp_path / "in", {"train": [annotation(box("x", 10))], "val": OTHERS[other]})
    out, lost = converted(data, "label_studio", where=where, subsets=renamed)
    for name in ("train", "val"):
        now = json.loads((out / f"{renamed.get(name, name)}.json").read_text())
        assert now == json.loads((data / f"{name}.json").read_text())
    assert not lost


def test_annotations_of_two_task_files_that_become_one_stand_there_together(tmp_path: Path) -> None:
    data = tasks(tmp_path / "in", {"train": [annotation(box("x", 10))], "val": [annotation(box("y", 30), by=2)]})
    out, lost = converted(data, "label_studio", subsets={"val": "train"})
    (task,) = json.loads((out / "train.json").read_text())
    assert [[one["id"] for one in row["result"]] for row in task["annotations"]] == [["x", "y"]]
    assert lost == {"kept fields: completed_by": 1, "image ids renumbered": 1}


def test_results_whose_id_stands_twice_stay_in_their_annotation(tmp_path: Path) -> None:
    told = [annotation(box("x", 10), box("x", 30)), annotation(box("x", 50))]
    out, lost = converted(tasks(tmp_path / "in", {"train": told}), "label_studio")
    (task,) = json.loads((out / "train.json").read_text())
    rows = [row["result"] for row in task["annotations"]]
    assert [[one["value"]["x"] for one in row] for row in rows] == [[10, 30], [50]]
    assert len({one["id"] for row in rows for one in row}) == 3
    assert not lost
