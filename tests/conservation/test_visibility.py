"""Keypoints in a target that does not say which are hidden: what becomes visible is named and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined

import formatspec as fs
from formatspec.testing.read_back import recorded, unexplained

POSE = {"name": "cat", "keypoints": ["nose", "ear", "tail"], "skeleton": [[1, 2]]}
LINE = "visibility of keypoints"


def posed(folder: Path, *poses: list[float]) -> Path:
    """A dataset of objects with these keypoints."""
    rows = [outlined(3, 5, 17, 16, keypoints=pose, num_keypoints=2) for pose in poses]
    data = coco(folder, rows, [POSE])
    (data / "annotations/instances_train.json").rename(data / "annotations/person_keypoints_train.json")
    return data


HIDDEN = [4, 6, 2, 8, 9, 1, 0, 0, 0]
VISIBLE = [4, 6, 2, 8, 9, 2, 0, 0, 0]
AT_CORNER = [0, 0, 2, 8, 9, 2, 0, 0, 0]


@pytest.mark.parametrize(
    ("poses", "count"), [((HIDDEN, VISIBLE, HIDDEN), 2), ((VISIBLE,), 0), ((AT_CORNER, VISIBLE), 1)]
)
def test_hidden_keypoints_that_become_visible_are_counted(tmp_path: Path, poses: Any, count: int) -> None:
    data = posed(tmp_path / "data", *poses)
    with recorded() as (handed, options):
        result = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", where="true", options={"dims": "2"})
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    assert lines.get((LINE, "objects"), 0) == count
    back = list(fs.open(tmp_path / "out", "yolo_ultralytics", options=options))
    assert not unexplained(handed, back, lines)
    lines.pop((LINE, "objects"), None)
    assert [one.partition(":")[0] for one in unexplained(handed, back, lines)] == ["objects.keypoints"] * (count > 0)


def test_where_visibility_is_told_nothing_of_it_is_lost(tmp_path: Path) -> None:
    _, lines = converted(posed(tmp_path / "data", HIDDEN), "yolo_ultralytics")
    assert LINE not in lines
    _, lines = converted(posed(tmp_path / "more", HIDDEN), "roboflow_coco")
    assert LINE not in lines
