"""Areas in rows: those that stand where nothing changed, and those of the boxes where a target knows only boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined

TRIANGLE = {"bbox": [3, 5, 16, 16], "area": 130.25, "segmentation": [[3, 5, 19, 5, 3, 21]]}
STATED = [TRIANGLE, {"bbox": [1, 1, 5, 5], "area": 17.5, "segmentation": []}]


def areas(out: Path) -> list[float]:
    """The areas that the rows of a dataset of one document state."""
    (file,) = (path for path in out.rglob("*.json") if not path.name.startswith("."))
    return [row["area"] for row in json.loads(file.read_text())["annotations"]]


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
def test_a_stated_area_stays_in_its_own_format(tmp_path: Path, more: dict[str, Any]) -> None:
    out, lines = converted(coco(tmp_path / "data", STATED), "coco", **more)
    assert areas(out) == [130.25, 17.5] and not lines


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
def test_a_target_of_boxes_has_the_areas_of_the_boxes(tmp_path: Path, more: dict[str, Any]) -> None:
    """Outlines are not even decoded for it; the area was 0 there."""
    out, lines = converted(coco(tmp_path / "data", [TRIANGLE, outlined(20, 2, 5, 6)]), "objects365", **more)
    assert areas(out) == [256, 30]
    assert lines == {"polygons": 2}
