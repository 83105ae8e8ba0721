"""Random values for each type of slot, some of them unusual on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import ceil, hypot
from operator import attrgetter
from typing import Any

import numpy as np

from formatspec.model.records import Object
from formatspec.model.region import Region

WORDS = ("car", "tree", "Fußgänger", "猫", "traffic light", "a-b", "x_y", "no", "007", "left turn", "été", "n")
NAMES = ("a", "b1", "img 2", "ünï", "x.y", "n-1", "C_3", "图像", "p(1)", "0007", "z[2]", "q")


def word(rng: random.Random) -> str:
    """Return a word that a person might use for a class or a tag."""
    return rng.choice(WORDS)


def number(rng: random.Random) -> int | float:
    """Return a whole number, or a fraction that text holds exactly."""
    return rng.randrange(-50, 500) if rng.random() < 0.5 else rng.randrange(-5000, 50000) / 64


def whole_box(rng: random.Random, width: int, height: int) -> tuple[int, int, int, int]:
    """Return a box of whole pixels inside the image."""
    x, y = rng.randrange(width), rng.randrange(height)
    return (x, y, rng.randrange(1, width - x + 1), rng.randrange(1, height - y + 1))


def box(rng: random.Random, width: int, height: int) -> tuple[float, ...]:
    """Return a box inside the image, at least a pixel wide and high, in whole or quarter pixels."""
    if rng.random() < 0.5:
        return whole_box(rng, width, height)
    x, y = rng.randrange(4 * width - 3), rng.randrange(4 * height - 3)
    wide, high = rng.randrange(4, 4 * width - x + 1), rng.randrange(4, 4 * height - y + 1)
    return (x / 4, y / 4, wide / 4, high / 4)


def ring(rng: random.Random, width: int, height: int) -> tuple[float, ...]:
    """Return an outline of three to seven points, each different from the one before."""
    count = rng.randrange(3, 8)
    points: list[tuple[float, float]] = []
    while len(points) < count:
        point = (rng.randrange(4 * width + 1) / 4, rng.randrange(4 * height + 1) / 4)
        if point not in points:
            points.append(point)
    return tuple(value for point in points for value in point)


def region(rng: random.Random, width: int, height: int) -> Region:
    """Return a blob, sometimes with a hole, sometimes in pieces."""
    mask = np.zeros((height, width), bool)
    for _ in range(rng.choice((1, 1, 2))):
        x, y, w, h = whole_box(rng, width, height)
        mask[y : y + h, x : x + w] = True
    if rng.random() < 0.4:
        x, y, w, h = whole_box(rng, width, height)
        mask[y : y + max(1, h // 3), x : x + max(1, w // 3)] = False
    if not mask.any():
        mask[0, 0] = True
    return Region.from_mask(mask)


def keypoints(rng: random.Random, width: int, height: int) -> tuple[tuple[float, ...], ...]:
    """Return a few points with their visibility, often a single visible one."""
    if rng.random() < 0.3:
        return ((rng.randrange(4 * width) / 4, rng.randrange(4 * height) / 4, 2),)
    found = []
    for _ in range(rng.randrange(1, 5)):
        visible = rng.choice((0, 1, 2))
        x, y = (rng.randrange(4 * width) / 4, rng.randrange(4 * height) / 4) if visible else (0, 0)
        found.append((x, y, visible))
    return tuple(found)


def attributes(rng: random.Random, textual: bool) -> dict[str, Any]:
    """Return a few named values."""
    return {f"k{i}": scalar(rng, textual) for i in range(rng.randrange(0, 3))}


def scalar(rng: random.Random, textual: bool) -> Any:
    """Return a value of an attribute: text in text files, otherwise also numbers and booleans."""
    if textual:
        return rng.choice(("yes", "left", "ünï", "a b"))
    return rng.choice((True, False, 3, 2.5, "left", "ünï"))


Make = Callable[[random.Random, int, int, bool], Any]


def turned_box(rng: random.Random, width: int, height: int) -> tuple[float, ...]:
    """Return a box rotated about its centre in an image of at least 4 x 4 pixels: x, y, width, height, degrees."""
    long, short = rng.randrange(3, max(4, min(width, height) // 2)), rng.randrange(1, 3)
    reach = ceil(hypot(long, short))  # twice the distance from the centre to a corner, in half pixels from each edge
    x = rng.randrange(reach, max(reach + 1, 2 * width - reach + 1)) / 2
    y = rng.randrange(reach, max(reach + 1, 2 * height - reach + 1)) / 2
    return x, y, long, short, rng.choice((0.0, 30.0, 45.0, 90.0, -60.0))


MAKERS: dict[str, Make] = {
    "id": lambda rng, w, h, textual: rng.randrange(1, 200),
    "int": lambda rng, w, h, textual: rng.randrange(0, 4),
    "number": lambda rng, w, h, textual: number(rng),
    "text": lambda rng, w, h, textual: word(rng),
    "bool": lambda rng, w, h, textual: rng.random() < 0.5,
    "state": lambda rng, w, h, textual: rng.choice(("yes", "no", "unsure")),
    "json": lambda rng, w, h, textual: scalar(rng, textual),
    "texts": lambda rng, w, h, textual: tuple(dict.fromkeys(word(rng) for _ in range(rng.randrange(0, 4)))),
    "box": lambda rng, w, h, textual: box(rng, w, h),
    "rotated": lambda rng, w, h, textual: turned_box(rng, w, h),
    "ring": lambda rng, w, h, textual: ring(rng, w, h),
    "rings": lambda rng, w, h, textual: tuple(ring(rng, w, h) for _ in range(rng.choice((1, 1, 2)))),
    "keypoints": lambda rng, w, h, textual: keypoints(rng, w, h),
    "circle": lambda rng, w, h, textual: (rng.randrange(w), rng.randrange(4 * h) / 4, rng.randrange(4, 20) / 4),
    "ellipse": lambda rng, w, h, textual: (
        rng.randrange(w), rng.randrange(h), rng.randrange(1, 5), rng.randrange(5, 8), rng.choice((0.0, 30.0, 90.0))
    ),
    "region": lambda rng, w, h, textual: region(rng, w, h),
    "color": lambda rng, w, h, textual: tuple(rng.randrange(1, 256) for _ in range(3)),
    "edges": lambda rng, w, h, textual: ((0, 1),),
    "mapping": lambda rng, w, h, textual: attributes(rng, textual),
}  # fmt: skip


def say_alike(thing: Object, other: Object, slots: Sequence[str]) -> bool:
    """Return whether two objects have the same key in a mapping of objects."""
    return all(_stated(thing, slot) == _stated(other, slot) for slot in slots)


def _stated(thing: Object, slot: str) -> Any:
    head, _, name = slot.partition(".")
    if head == "category":
        return None if thing.category is None else getattr(thing.category, name, None)
    return value_of(slot)(thing)


def value_of(slot: str) -> Callable[[Object], Any]:
    """Return a function that gives an object's value of a slot."""
    head, _, name = slot.partition(".")
    return (lambda thing: thing.attributes.get(name)) if name else attrgetter(head)
