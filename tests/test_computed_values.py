"""Values that follow from others are compared with what a file states, whatever stands there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs


@pytest.mark.parametrize("box", [[[1], 2, 3, 4], ["1", 2, 3, 4], [True, 2, 3, 4], [None] * 4, "1 2 3 4", [{}], 7, {}])
def test_a_box_of_other_values_than_numbers_is_no_fault_of_the_engine(box: Any, tmp_path: Path) -> None:
    fs.sample("coco_panoptic", tmp_path / "data", items=3, seed=1)
    (file,) = (tmp_path / "data").rglob("panoptic_*.json")
    document = json.loads(file.read_text("utf-8"))
    next(row for row in document["annotations"] if row["segments_info"])["segments_info"][0]["bbox"] = box
    file.write_text(json.dumps(document), "utf-8")
    fs.validate(tmp_path / "data", spec="coco_panoptic")
    fs.convert(tmp_path / "data", spec="coco_panoptic", to="coco_panoptic", out=tmp_path / "out", where="true")
