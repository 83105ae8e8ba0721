"""Which reading of four numbers is taken: decided by all rows, and a question where they fit two."""

from __future__ import annotations

import random

import pytest

from formatspec.infer.evidence import Picture
from formatspec.infer.geometry import Seen, box

SIZE = (64, 48)


def rows(kind: str, count: int = 40, whole: bool = True) -> list[Seen]:
    """Boxes in one image, spelled in one way."""
    rng = random.Random(1)
    picture = Picture("a.png", *SIZE)
    found = []
    for _ in range(count):
        w, h = rng.randint(2, 60), rng.randint(2, 44)
        x, y = rng.randint(0, SIZE[0] - w), rng.randint(0, SIZE[1] - h)
        values = {
            "xywh": [x, y, w, h],
            "sides": [x, y, x + w, y + h],
            "cxcywh": [x + w / 2, y + h / 2, w, h],
            "sides | inclusive(1)": [x + 1, y + 1, x + w, y + h],
            "sides | inclusive(0)": [x, y, x + w - 1, y + h - 1],
            "sides(y1, x1, y2, x2)": [y, x, y + h, x + w],
        }[kind]
        found.append(Seen(values if whole else [a / b for a, b in zip(values, SIZE * 2, strict=True)], picture))
    return found


@pytest.mark.parametrize(
    "kind", ["xywh", "sides", "cxcywh", "sides | inclusive(1)", "sides | inclusive(0)", "sides(y1, x1, y2, x2)"]
)
def test_the_images_decide(kind: str) -> None:
    reading = box(rows(kind), "")
    assert reading is not None and reading.leaf == f"bbox | {kind}" and not reading.doubt
    assert reading.comment == "40 of 40 boxes lie inside their images so"


@pytest.mark.parametrize("kind", ["xywh", "sides", "cxcywh"])
def test_shares_of_the_size_are_told_by_their_range(kind: str) -> None:
    reading = box(rows(kind, whole=False), "")
    assert reading is not None and reading.leaf == f"bbox | {kind} | normalized"


def test_two_readings_that_fit_alike_are_a_question() -> None:
    few = [Seen([20, 20, 30, 24], Picture("a.png", *SIZE)), Seen([16, 18, 20, 22], Picture("a.png", *SIZE))]
    reading = box(few, "")
    assert reading is not None and "which is it?" in reading.doubt


def test_names_decide_where_the_images_do_not() -> None:
    few = [Seen([20, 20, 30, 24], Picture("a.png", *SIZE))]
    reading = box(few, "x1 y1 x2 y2", ("sides",))
    assert reading is not None and reading.leaf == "bbox | sides" and not reading.doubt


def test_four_numbers_that_are_no_box_are_none() -> None:
    assert box([Seen([500, 500, 900, 2], Picture("a.png", *SIZE))] * 5, "") is None
