"""What is told at a glance is what looking at all of it tells."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import formatspec
from formatspec.engine.dataset import checks
from formatspec.pixels import containers

MASKS = ("ade20k2020", "camvid", "cityscapes", "image_masks")
COUNTING = """
formatspec: 1
name: counting
title: Boxes that are counted
about: Not every item may have many boxes.
files:
  image: "{name}.{ext:jpg|png}"
  boxes:
    path: "{name}.json"
    json: {all: [{each: objects, id: id, kind: category.name, box: bbox, "upper?": parent}]}
checks:
  MANY: {each: items, holds: count(objects where id > 1) <= 1, say: "{name} has many"}
  DEEP: {each: items, holds: count(objects where depth == 0) <= 2, say: "{name} has many"}
  ODD: {each: items, where: id, holds: count(objects where category.name < 3) <= 1, say: "{name} is odd"}
  FEW: {each: items, holds: count(objects) >= 2, say: "{name} has few"}
"""


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """A PNG file with something else than it should have, or as it is."""
    width, depth = (data[:19] + bytes([data[19] + 1]) + data[20:], data[:24] + b"\x03" + data[25:])
    color, nothing = data[:25] + bytes([rng.choice((2, 3, 4, 6))]) + data[26:], data[:16] + bytes(8) + data[24:]
    short, more = data[: rng.randrange(len(data))], data + b"more"
    return rng.choice((data, width, depth, color, nothing, short, more, b"BM" + data[2:], b"1 2\n3 4\n", b""))


@pytest.mark.parametrize("spec", MASKS)
def test_label_images(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formatspec.sample(spec, tmp_path / "data", items=30, seed=5)
    rng = random.Random(spec)
    for path in sorted((tmp_path / "data").rglob("*.png")):
        path.write_bytes(spoiled(path.read_bytes(), rng))
    at_a_glance = formatspec.validate(tmp_path / "data", spec, workers=1).as_json()
    monkeypatch.setattr(containers, "is_whole_png", lambda data: False)
    assert formatspec.validate(tmp_path / "data", spec, workers=1).as_json() == at_a_glance
    assert {"FILE_TRUNCATED", "FILE_UNREADABLE", "PIXEL_SIZE"} <= at_a_glance["summary"].keys()


def test_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "counting.yaml").write_text(COUNTING)
    formatspec.sample(tmp_path / "counting.yaml", tmp_path / "data", items=60, seed=2)
    at_a_glance = formatspec.validate(tmp_path / "data", tmp_path / "counting.yaml", workers=1).as_json()
    monkeypatch.setattr(checks, "_few_rows", lambda holds: lambda root: False)
    assert formatspec.validate(tmp_path / "data", tmp_path / "counting.yaml", workers=1).as_json() == at_a_glance
    assert {"MANY", "DEEP", "FEW"} <= at_a_glance["summary"].keys()
