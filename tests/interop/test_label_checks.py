"""The label checks that a training with Ultralytics begins with, on what formatspec writes and on what it refuses."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from others import furthest, items, ordered
from test_tools_that_label import BOXES, EXPECTED, NAMES, SIZE, write_coco

import formatspec as fs

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(importlib.util.find_spec("ultralytics") is None, reason="ultralytics is not installed"),
]

SCRIPT = Path(__file__).parent / "label_checks.py"


def checked(folder: Path, tmp_path: Path, task: str = "detect", points: int = 0) -> dict[str, Any]:
    """What the checks say of each image, by its name."""
    command = [sys.executable, str(SCRIPT), str(folder), task, str(len(NAMES)), str(points)]
    settings = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path / "settings"), "YOLO_OFFLINE": "true"}
    run = subprocess.run(command, capture_output=True, text=True, env=settings, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_boxes_pass_and_are_ours(tmp_path: Path) -> None:
    coco = write_coco(tmp_path / "coco", masks=False)
    fs.convert(coco, to="yolo_ultralytics", out=tmp_path / "yolo")
    found = checked(tmp_path / "yolo", tmp_path)
    assert {name: one["counts"] for name, one in found.items()} == {f"{name}.png": [0, 1, 0, 0] for name in BOXES}
    names = fs.open(tmp_path / "yolo", "yolo_ultralytics").categories
    for name, (height, width) in SIZE.items():
        rows = np.array(found[f"{name}.png"]["rows"])
        assert found[f"{name}.png"]["shape"] == [height, width]
        boxes = [
            (
                names[int(row[0])].name,
                ((row[1] - row[3] / 2) * width, (row[2] - row[4] / 2) * height, row[3] * width, row[4] * height),
            )
            for row in rows
        ]
        assert furthest({name: ordered(boxes)}, {name: EXPECTED[name]}) < 1e-3


def test_outlines_pass_and_are_ours(tmp_path: Path) -> None:
    masks = write_coco(tmp_path / "masks", masks=True)
    fs.convert(masks, to="yolo_ultralytics", out=tmp_path / "yolo")
    found = checked(tmp_path / "yolo", tmp_path, "segment")
    for item in items(tmp_path / "yolo", "yolo_ultralytics"):
        assert item.image is not None and item.image.width and item.image.height
        one = found[f"{item.key.rpartition('/')[2]}.png"]
        assert one["counts"] == [0, 1, 0, 0] and len(one["segments"]) == len(item.objects)
        size = np.array([item.image.width, item.image.height])
        for ring, thing in zip(one["segments"], item.objects, strict=True):
            outline = np.array(thing.polygons[0]).reshape(-1, 2)
            assert np.abs(np.array(ring) * size - outline).max() < 1e-3


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0 0.5 0.5 1.2 0.5", "BOX_OUTSIDE"),
        ("0 1.3 0.5 0.2 0.5", "BOX_AWAY"),
        ("7 0.5 0.5 0.2 0.5", "UNKNOWN_CATEGORY"),
        ("0 0.5 0.5 0.2", "LINE"),
    ],
)
def test_what_the_checks_leave_out_is_an_error_of_ours(line: str, code: str, tmp_path: Path) -> None:
    coco = write_coco(tmp_path / "coco", masks=False)
    fs.convert(coco, to="yolo_ultralytics", out=tmp_path / "yolo")
    label = tmp_path / "yolo" / "labels" / "train" / "one.txt"
    label.write_text(f"{line}\n", "utf-8")
    assert checked(tmp_path / "yolo", tmp_path)["one.png"]["rows"] is None
    found = fs.validate(tmp_path / "yolo", "yolo_ultralytics").findings
    assert [(one.code, one.level) for one in found if (one.file or "").endswith("one.txt")] == [(code, "error")]
