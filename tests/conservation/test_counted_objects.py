"""Rows that say how many objects an item has count the objects that are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import counted, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

LINED = """
formatspec: 1
name: lined
files:
  image: "{subset}/{name}.{ext:image}"
  record:
    path: "{subset}/{name}.json"
    json: [{each: objects, "class?": category.name, "box?": bbox | xywh, "line?": polyline}]
"""
LINE = {"class": "cat", "line": [1, 2, 3, 9]}
LEFT_OUT = "objects not written (lines, which bound no area)"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An image with a line, and one with a line and a box, which the targets hold alone."""
    (tmp_path / "lined.yaml").write_text(LINED)
    image = image_bytes(40, 30, "jpg")
    records = {"train/a": [LINE], "val/b": [LINE, {"class": "dog", "box": [1, 2, 3, 4]}]}
    files = {f"{name}.json": json.dumps(rows) for name, rows in records.items()}
    return put(tmp_path / "in", {**files, **{f"{name}.jpg": image for name in records}})


def written(data: Path, to: str) -> tuple[Path, dict[str, int]]:
    out = data.parent / to
    return out, counted(fs.convert(data, spec=data.parent / "lined.yaml", to=to, out=out))


SUBSETS: dict[str, tuple[Any, Any]] = {
    "retinanet_csv": ((), ()), "edge_impulse": (("training",), ("testing",)), "ua_detrac": (("train",), ("test",)),
}  # fmt: skip


@pytest.mark.parametrize("to", ["automl_vision", "retinanet_csv", "edge_impulse", "wider_face", "ua_detrac", "celeba"])
def test_an_item_without_a_written_object_is_listed_as_one_without_objects(to: str, data: Path) -> None:
    out, lost = written(data, to)
    assert {what: count for what, count in lost.items() if "not written" in what} == {LEFT_OUT: 2}
    empty, other = SUBSETS.get(to, (("train",), ("val",)))
    back = sorted((len(item.objects), item.subsets) for item in fs.open(out, to))
    assert back == [(0, empty), (1, other)]


def test_a_number_of_objects_is_that_of_the_rows_that_follow(data: Path) -> None:
    out, _ = written(data, "wider_face")
    texts = [file.read_text() for file in sorted(out.rglob("*_bbx_gt.txt"))]
    assert [text.splitlines()[1] for text in texts] == ["0", "1"]
    assert [len(text.splitlines()) - 2 for text in texts] == [0, 1]
