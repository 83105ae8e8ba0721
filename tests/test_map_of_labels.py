"""What is said of a map of category names: how many objects it names, leaves out, renames or leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from coco_like import coco, put

import formatspec as fs

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "cow"}]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"cat": "pet"}, "2 of 5 objects (40.0%), 3 under their own names"),
        ({"cat": "pet", "*": "other"}, "2 of 5 objects (40.0%), 3 under the name for all others"),
        ({"cat": None}, "2 of 5 objects (40.0%), 2 left out, 3 under their own names"),
        ({"cat": "pet", "*": None}, "2 of 5 objects (40.0%), 3 left out"),
        ({"cat": "a", "dog": "b", "cow": "c"}, "5 of 5 objects (100.0%)"),
    ],
)
def test_each_object_is_counted_once(labels: Mapping[str, str | None], told: str, tmp_path: Path) -> None:
    put(tmp_path / "data", coco([{"category_id": one} for one in (2, 2, 3)], categories=CATEGORIES))
    result = fs.convert(tmp_path / "data", to="yolo_ultralytics", out=tmp_path / "out", labels=labels)
    assert [one for one in result.notices if "--labels" in one] == [f"--labels names the categories of {told}"]
