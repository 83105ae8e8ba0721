"""Areas inside outlines, and several rings joined to one."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from formatspec.model import derive
from formatspec.model.outlines import are_apart, area_within, joined, ring_area
from formatspec.model.plain.windings import against, signed_area, turned
from formatspec.model.records import Object
from formatspec.model.region import Region
from formatspec.model.rings import crosses_itself


def box(x: float, y: float, width: float, height: float) -> tuple[float, ...]:
    """The four corners of an upright box, clockwise on screen."""
    return (x, y, x + width, y, x + width, y + height, x, y + height)


BOW = (0, 16, 20, 28, 20, 16, 0, 28)
SAME_WAY = (*box(0, 10, 20, 18), 0, 10, *box(5, 15, 5, 5), 5, 15, 0, 10)
"""An outline with a hole that runs like the outline, as some tools join them."""


@pytest.mark.parametrize(
    ("rings", "area"),
    [
        ([box(0, 0, 10, 10), box(5, 5, 10, 10)], 175),  # they overlap
        ([box(16, 0, 20, 20), box(18, 2, 5, 5)], 400),  # one lies in the other
        ([box(0, 0, 10, 10), box(10, 0, 5.5, 2.5)], 113.75),  # they touch
        ([box(0, 0, 10, 10), (12, 0, 12, 4, 16, 4, 16, 0)], 116),  # they run in different directions
        ([BOW], 120),
        ([(33.3, 22.2, 38.8, 22.2, 38.8, 28.8, 33.3, 28.8)], 36.3),
        ([(0, 0, 10, 0, 5, 1)], 5),
    ],
)
def test_the_area_of_rings_is_that_of_their_union(rings: list[tuple[float, ...]], area: float) -> None:
    assert area_within(rings) == pytest.approx(area)
    assert derive.area(Object(polygons=tuple(rings))) == pytest.approx(area)


def test_four_points_that_cross_are_told_from_all_others() -> None:
    rng = random.Random(1)
    for _ in range(300):
        ring = [float(rng.randint(0, 200)) for _ in range(8)]
        plain = abs(signed_area(ring))
        if not crosses_itself(ring):
            assert ring_area(ring) == plain or plain < 1
        elif abs(plain - (pixels := Region.from_polygons([ring], 200, 200).area)) > 1:
            assert ring_area(ring) == pytest.approx(pixels, abs=1)  # a centre may lie on an edge up to rounding


def test_a_close_look_finds_holes_that_run_like_their_outlines_and_edges_that_cross() -> None:
    star = [
        v for k in range(5) for v in (50 + 40 * math.cos(k * 4 * math.pi / 5), 50 + 40 * math.sin(k * 4 * math.pi / 5))
    ]
    assert ring_area(SAME_WAY, closely=True) == 335
    assert ring_area(star, closely=True) == Region.from_polygons([star], 100, 100).area
    assert ring_area(box(0.5, 0.5, 3.3, 7.1), closely=True) == pytest.approx(3.3 * 7.1)


def test_the_ring_of_a_region_has_its_area() -> None:
    pixels = np.random.default_rng(3).random((20, 20)) < 0.5
    ring = Region.from_mask(pixels).one_ring()
    assert ring is not None
    assert ring_area(ring) == ring_area(ring, closely=True) == pixels.sum()


def test_a_ring_is_turned_round_from_its_first_point() -> None:
    ring = (1, 2, 3, 4, 5, 0)
    assert turned(turned(ring, True), False) == ring
    assert {*map(tuple, (turned(ring, True), turned(ring, False)))} == {ring, (1, 2, 5, 0, 3, 4)}
    assert against(box(1, 1, 2, 2), box(0, 0, 9, 9)) == (1, 1, 1, 3, 3, 3, 3, 1)


def test_joined_rings_cover_what_the_rings_cover() -> None:
    rng = random.Random(5)
    for _ in range(60):
        rings = [
            turned(
                box(rng.randint(0, 20), rng.randint(0, 20), rng.randint(1, 12), rng.randint(1, 12)), rng.random() < 0.5
            )
            for _ in range(rng.randint(2, 4))
        ]
        one = joined(rings)
        union = Region.from_polygons(rings, 40, 40)
        assert Region.from_polygons([one], 40, 40) == union
        assert abs(signed_area(one)) == union.area == area_within(rings)


def test_rings_that_stand_apart_keep_their_points() -> None:
    rings = [(0.5, 0.5, 3.25, 0.5, 3.25, 2.75), box(8.5, 0.5, 2, 2), box(9, 1, 0.5, 0.5)]
    assert joined(rings[:2]) == (*rings[0], *rings[0][:2], *rings[1], *rings[1][:2])
    assert joined([rings[1], box(8.5, 0.5, 1, 1)]) == rings[1]
    assert are_apart(rings[:2])
    assert not are_apart(rings[1:])


@pytest.mark.parametrize("far", [1e300, 1e12, math.nan, math.inf])
def test_rings_that_cannot_be_filled_are_joined_as_they_are(far: float) -> None:
    rings = [(0.0, 0.0, far, 0.0, far, far), (1.0, 1.0, far, 1.0, far, far)]
    assert len(joined(rings)) == 16
    area_within(rings)
