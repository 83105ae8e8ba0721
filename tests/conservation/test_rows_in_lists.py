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


def line(*rows: dict[str, Any]) -> str:
    """A line of SageMaker's manifest with these boxes in one image."""
    told = {
        "objects": [{"confidence": 1.0} for _ in rows], "class-map": {"0": "cat"}, "job-name": "labels",
        "type": "groundtruth/object-detection", "human-annotated": "yes", "creation-date": "2026-01-01T00:00:00.000000",
    }  # fmt: skip
    size = [{"width": 40, "height": 30, "depth": 3}]
    label = {"image_size": size, "annotations": list(rows)}
    return (
        json.dumps({"source-ref": "s3://b/images/a.png", "bounding-box": label, "bounding-box-metadata": told}) + "\n"
    )


def test_lines_of_one_image_become_a_line_with_what_all_of_them_told(tmp_path: Path) -> None:
    """Without a change, the line was written as the first of them was."""
    good = {"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}
    other = {**good, "left": 9}
    image = {"images/a.png": image_bytes(40, 30, "png")}
    for name, text in (("twice", line(good) * 2), ("two", line(good) + line(other))):
        data = put(tmp_path / name, {**image, "train.manifest": text})
        out, lost = converted(data, "sagemaker")
        rows = [json.loads(one) for one in (out / "train.manifest").read_text().splitlines()]
        assert sum(len(row["bounding-box"]["annotations"]) for row in rows) == 2
        assert not lost
