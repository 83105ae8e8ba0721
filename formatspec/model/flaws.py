"""What is wrong with an object's geometry: a value of a slot and the image's size in, flaws out.

A flaw has the code and the case of a finding (`formatspec.findings.table`).  All values are continuous pixels with the
origin at the outer corner of the first pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from formatspec.model.derive import corners, extent
from formatspec.model.records import Object

Size = tuple[int, int]
"""Width and height of an image in pixels."""

ROUNDING = 0.02
"""How many pixels a side may be off because of its rounded spelling."""
NEAR = 1.0
"""How many pixels a box may stick out without harm; annotators and counting conventions cause that."""
SMALLEST = 1.0 - ROUNDING
"""The smallest width and height of a box that is not empty."""
RING = 6
"""How many numbers the shortest ring has: three points."""


class Flaw(NamedTuple):
    """What is wrong with a value: the code and case of a finding, its message, and what would be right."""

    code: str
    case: str
    message: str
    expected: str = ""


def flaws(slot: str, value: Any, size: Size | None) -> Sequence[Flaw]:
    """Return the flaws of a slot's value; none for a slot without rules.

    Args:
        slot: `bbox`, `rotated`, `polygons` or `keypoints`, or any other.
        value: The value as a record holds it.
        size: Width and height in pixels; None if unknown, and then nothing is checked that depends on it.
    """
    judge = _JUDGES.get(slot)
    return judge(value, size) if judge is not None else ()


def _box(box: Sequence[float], size: Size | None) -> Sequence[Flaw]:
    x, y, width, height = box
    if width >= SMALLEST and height >= SMALLEST:
        if size is None or (
            x >= -ROUNDING and y >= -ROUNDING and x + width <= size[0] + ROUNDING and y + height <= size[1] + ROUNDING
        ):
            return ()
    elif width < 0 or height < 0:
        side, start, end = ("x", x, x + width) if width < 0 else ("y", y, y + height)
        words = f"the box has a negative size: it reaches from {side} = {_short(start)} to {side} = {_short(end)}"
        return (Flaw("BOX_SIZE", "", words, "a width and a height of 0 or more, the smaller corner first"),)
    return tuple(_where(box, size))


def _where(box: Sequence[float], size: Size | None) -> Iterator[Flaw]:
    """Yield flaws if a box is empty, or leaves its image."""
    x, y, width, height = box
    if width < SMALLEST or height < SMALLEST:
        yield Flaw("BOX_EMPTY", "", f"the box is {_short(width)} wide and {_short(height)} high", "1 pixel or more")
    if size is None:
        return
    right, bottom = x + width - size[0], y + height - size[1]
    out = max(-x, -y, right, bottom)
    if out <= ROUNDING:
        return
    inside = f"inside {size[0]} x {size[1]} pixels"
    if max(-x, right) > size[0] or max(-y, bottom) > size[1]:
        yield Flaw("BOX_OUTSIDE", "far", "the box lies far outside its image, as if on another scale", inside)
    elif x + width < 0 or y + height < 0 or x > size[0] or y > size[1] or (width > 0 and height > 0 and (
        x + width <= 0 or y + height <= 0 or x >= size[0] or y >= size[1]
    )):  # fmt: skip
        yield Flaw("BOX_AWAY", "", "the box lies wholly outside its image", inside)
    elif out <= NEAR + ROUNDING:
        yield Flaw("BOX_OUTSIDE", "near", f"the box reaches {_over(x, y, right, bottom, size)}", inside)
    else:
        yield Flaw("BOX_OUTSIDE", "", f"the box reaches {_over(x, y, right, bottom, size)}", inside)


def _over(x: float, y: float, right: float, bottom: float, size: Size) -> str:
    """Return where a box leaves its image, in pixels and as a part of the image's side."""
    sides = (
        (right, f"x = {_short(size[0] + right)}, {_short((size[0] + right) / size[0])} of the width"),
        (bottom, f"y = {_short(size[1] + bottom)}, {_short((size[1] + bottom) / size[1])} of the height"),
        (-x, f"x = {_short(x)}"),
        (-y, f"y = {_short(y)}"),
    )
    return f"to {max(sides)[1]}"


def _short(number: float) -> str:
    text = f"{number:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rotated(box: Sequence[float], size: Size | None) -> Sequence[Flaw]:
    *_, width, height, _ = box
    if width < 0 or height < 0:
        return (Flaw("BOX_SIZE", "", "the box has a negative size", "a width and a height of 0 or more"),)
    empty = width < SMALLEST or height < SMALLEST
    around = extent(corners(box))
    found = tuple(flaw for flaw in _where(around, size) if flaw.code != "BOX_EMPTY")
    if empty:
        message = f"the box is {_short(width)} wide and {_short(height)} high"
        return (Flaw("BOX_EMPTY", "", message, "1 pixel or more"), *found)
    return found


def _polygons(rings: Sequence[Sequence[float]], size: Size | None) -> Sequence[Flaw]:
    if size is None:
        return ()
    width, height = size
    least = min(width, height)
    for ring in rings:
        if not ring or (min(ring) >= -ROUNDING and max(ring) <= least + ROUNDING):
            continue
        if min(ring) < -ROUNDING or max(ring[::2]) > width + ROUNDING or max(ring[1::2]) > height + ROUNDING:
            x, y, right, bottom = min(ring[::2]), min(ring[1::2]), max(ring[::2]) - width, max(ring[1::2]) - height
            message = f"the outline reaches {_over(x, y, right, bottom, size)}"
            return (Flaw("POLYGON_OUTSIDE", "", message, f"inside {width} x {height} pixels"),)
    return ()


def _keypoints(points: Sequence[Sequence[float]], size: Size | None) -> Sequence[Flaw]:
    if size is None:
        return ()
    width, height = size
    for number, (x, y, visibility) in enumerate(points, 1):
        if visibility > 0 and not (-ROUNDING <= x <= width + ROUNDING and -ROUNDING <= y <= height + ROUNDING):
            message = f"keypoint {number} is said to be visible and lies outside its image"
            return (Flaw("KEYPOINT_OUTSIDE", "", message, f"inside {width} x {height} pixels"),)
    return ()


_JUDGES: dict[str, Callable[[Any, Size | None], Sequence[Flaw]]] = {
    "bbox": _box,
    "rotated": _rotated,
    "polygons": _polygons,
    "keypoints": _keypoints,
}
JUDGED = tuple(_JUDGES)
"""The slots with rules."""


def good_rings(rings: Sequence[Sequence[float]]) -> tuple[tuple[Sequence[float], ...], Flaw | None]:
    """Return the rings that can be outlines, and what is wrong with the others.

    No ring is usable beside one with an odd number of coordinates.
    """
    for ring in rings:
        if len(ring) < RING or len(ring) % 2:
            break
    else:
        return tuple(rings), None
    odd = next((ring for ring in rings if len(ring) % 2), None)
    if odd is not None:
        words = f"a ring has {len(odd)} numbers, which are no pairs"
        return (), Flaw("POLYGON", "", words, "an even count of coordinates")
    good = tuple(ring for ring in rings if len(ring) >= RING)
    words = "a ring has 1 point" if any(len(ring) == 2 for ring in rings) else "a ring has fewer than three points"
    if not good:
        return (), Flaw("POLYGON", "", words, "three points or more")
    return good, Flaw("RING_SHORT", "", words, "three points or more")


def miscounted(thing: Object) -> Flaw | None:
    """Return what is wrong if an object has another number of keypoints than its category names."""
    names = () if thing.category is None else thing.category.keypoint_names
    told, named = len(thing.keypoints), len(names)
    if not names or not told or told == named:
        return None
    points = "1 keypoint" if told == 1 else f"{told} keypoints"
    return Flaw("KEYPOINTS_COUNT", "", f"the object has {points}, and its category names {named}", f"{named} keypoints")
