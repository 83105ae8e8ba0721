"""What compares an output with its source: a wrong value must not pass for one that follows from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from small_datasets import box_ring

from formatspec.model.records import Category, Item, Object
from formatspec.model.region import Region
from formatspec.testing.read_back import Handed, unexplained

CAT = Category(name="cat")
BOX = (10.0, 10.0, 8.0, 6.0)
MOVED = (13.0, 10.0, 8.0, 6.0)


def ring(box: tuple[float, ...]) -> tuple[float, ...]:
    """The corners of a box as a ring."""
    return tuple(box_ring(*box))


def pixels(x: int, y: int, width: int, height: int) -> Region:
    """An upright block of pixels in an image of 40 x 30."""
    bounds = [at for column in range(x, x + width) for at in (column * 30 + y, column * 30 + y + height)]
    return Region(30, 40, bounds)  # type: ignore[arg-type]


def compared(
    made: dict[str, Any], back: dict[str, Any], lines: Mapping[tuple[str, str], int] | None = None
) -> list[str]:
    """What differs between an object of one item and the object that came back, and no line names."""
    item = Item(key="a", objects=(Object(category=CAT, **made),))
    other = msgspec.structs.replace(item, objects=(Object(category=CAT, **back),))
    return unexplained([Handed(item, item)], [other], lines or {})


def turned(x: float, y: float, width: float, height: float) -> tuple[float, ...]:
    """An upright box as a turned one at 0 degrees."""
    return (x + width / 2, y + height / 2, width, height, 0.0)


@pytest.mark.parametrize(
    "follows",
    [
        lambda box: {"rotated": turned(*box)},
        lambda box: {"polygons": (ring(box),)},
        lambda box: {"region": pixels(*map(int, box))},
        lambda box: {"polyline": ring(box)},
    ],
)
def test_a_box_that_follows_from_other_geometry_must_be_the_box(follows: Any) -> None:
    assert not compared({"bbox": BOX}, follows(BOX))
    assert [line for line in compared({"bbox": BOX}, follows(MOVED)) if line.startswith("objects.bbox: 1 differ")]


def test_a_box_beside_other_outlines_needs_a_line_where_the_outlines_alone_are_written() -> None:
    made = {"bbox": BOX, "polygons": (ring(MOVED),)}
    assert [line.partition(":")[0] for line in compared(made, {"polygons": (ring(MOVED),)})] == ["objects.bbox"]
    line = {("bounding boxes that differ from their outlines", "objects"): 1}
    assert not compared(made, {"polygons": (ring(MOVED),)}, line)
    told = compared(made, {"polygons": (ring(BOX),)})
    assert [line.partition(":")[0] for line in told] == ["objects.polygons"]


def test_a_stated_box_that_moved_is_a_difference_even_where_outlines_have_it() -> None:
    made = {"bbox": BOX, "polygons": (ring(MOVED),)}
    assert [line.partition(":")[0] for line in compared(made, {**made, "bbox": MOVED})] == ["objects.bbox"]


def test_rings_that_came_back_as_one_need_a_line() -> None:
    one, other = ring(BOX), ring((25.0, 10.0, 8.0, 6.0))
    made = {"polygons": (one, other)}
    back = {"polygons": ((*one, *one[:2], *other, *other[:2]),)}
    assert [line.partition(":")[0] for line in compared(made, back)] == ["objects.polygons"]
