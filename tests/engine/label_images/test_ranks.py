"""Numbers that order records: one without a pixel shifts nobody, and what cannot be told is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.read.rows.merge_rows import Ranks
from formatspec.language.load import load_source
from formatspec.pixels import png
from formatspec.testing.memory import MemoryTree, image_bytes

SPEC = """\
formatspec: 1
name: made_up
files:
  image: "{name}.{ext:jpg|JPG}"
  record:
    path: "{name}.txt"
    lines: {each: objects by id, lines: "{id:d} {category.name}"}
  mask:
    path: "{name}_mask.png"
    image: gray
    pixels: {each: objects by rank, L: rank | spread(255)}
"""


def opened(tmp_path: Path, numbers: list[int]) -> OpenDataset:
    """Three objects, and a mask of one pixel for each of `numbers`."""
    spec = tmp_path / "made_up.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    pixels = np.array([[*numbers, *[0] * (5 - len(numbers))]], np.uint8)
    files = {
        "a.jpg": image_bytes(5, 1, "jpg"),
        "a.txt": b"1 cat\n2 dog\n3 cow\n",
        "a_mask.png": png.encode(pixels, "gray"),
    }
    return open_source(load_source(spec), MemoryTree(files), {}, Purpose())


@pytest.mark.parametrize(
    ("numbers", "seen"),
    [
        ([85, 170, 255], {1: 0, 2: 1, 3: 2}),
        ([1, 2, 3], {1: 0, 2: 1, 3: 2}),
        ([85, 255], {1: 0, 3: 1}),
        ([170], {2: 0}),
    ],
)
def test_an_object_without_a_pixel_shifts_nobody(tmp_path: Path, numbers: list[int], seen: dict[int, int]) -> None:
    dataset = opened(tmp_path, numbers)
    (item,) = dataset
    assert [f for f in dataset.findings if f.level == "error"] == []
    assert {thing.id: thing.region.bbox[0] for thing in item.objects if thing.region} == seen


@pytest.mark.parametrize("numbers", [[1, 2], [1, 2, 3, 4], [85, 254]])
def test_ranks_that_cannot_be_told_are_a_finding(tmp_path: Path, numbers: list[int]) -> None:
    dataset = opened(tmp_path, numbers)
    assert list(dataset.assembled()) and not list(dataset)
    assert {finding.code for finding in dataset.findings} == {"PIXEL_VALUE"}
    assert f"{len(numbers)} records are shown, and 3 are listed" in dataset.findings[0].message


def test_a_number_that_is_not_there_has_no_place() -> None:
    assert Ranks((1, 2), lambda rank, count: rank).place(3, 2) is None
