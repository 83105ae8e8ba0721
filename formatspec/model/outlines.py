"""Areas inside outlines, and several rings joined to one: where rings overlap, their pixels count once.

A ring is a flat sequence x0, y0, x1, y1, … that closes by itself; each is filled by the even-odd rule, and several
rings cover what any of them covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from formatspec.model.limits import TooLargeError
from formatspec.model.plain.windings import signed_area, turned
from formatspec.model.region import Region
from formatspec.model.rings import crossing

Ring = tuple[float, ...]
Point = tuple[float, float]

_MANY_POINTS = 2000
"""Outlines of more points are not searched for edges that cross."""
_MANY_LOOPS = 50
"""Outlines of more loops are not searched for loops that lie in each other."""
_NEAR = 0.1
"""By which part of it an area of one of these may be off."""


def ring_area(ring: Sequence[float], closely: bool = False) -> float:
    """Return the area inside a ring.

    Args:
        ring: The outline.
        closely: Whether to look at any outline for edges that cross and parts that run in different directions.
            Otherwise only those of four points are looked at, which may be given in a wrong order, and those without
            an area.
    """
    area = abs(signed_area(ring))
    if closely or area < 1 or (len(ring) == _QUAD and _is_bow(ring)):
        return _evenodd_area(ring, area) if len(ring) >= _QUAD and len(ring) % 2 == 0 else area
    return area


_QUAD = 8
"""How many numbers a ring of four points has."""


def _is_bow(ring: Sequence[float]) -> bool:
    """Return whether two sides of four points cross: then it turns right at two of them, and left at two."""
    x0, y0, x1, y1, x2, y2, x3, y3 = ring
    a = (x1 - x0) * (y2 - y1) > (y1 - y0) * (x2 - x1)
    b = (x2 - x1) * (y3 - y2) > (y2 - y1) * (x3 - x2)
    c = (x3 - x2) * (y0 - y3) > (y3 - y2) * (x0 - x3)
    d = (x0 - x3) * (y1 - y0) > (y0 - y3) * (x1 - x0)
    return a + b + c + d == 2


def area_within(rings: Sequence[Sequence[float]], closely: bool = False) -> float:
    """Return the area that any of some rings covers: in whole pixels where they overlap.

    Args:
        rings: The outlines.
        closely: See `ring_area`.
    """
    if len(rings) == 1:
        return ring_area(rings[0], closely)
    total = sum(ring_area(ring, closely) for ring in rings)
    if are_apart(rings):
        return total
    found = _pixels_of_each(rings)
    return total if found is None else float(found[1].area)


def are_apart(rings: Sequence[Sequence[float]]) -> bool:
    """Return whether the boxes around rings have no point in common, except at their sides."""
    boxes = sorted((min(ring[::2]), max(ring[::2]), min(ring[1::2]), max(ring[1::2])) for ring in rings if ring)
    for place, (_, right, top, bottom) in enumerate(boxes):
        for left, _, other_top, other_bottom in boxes[place + 1 :]:
            if left >= right:
                break
            if other_top < bottom and top < other_bottom:
                return False
    return True


def overlap(rings: Sequence[Sequence[float]]) -> bool:
    """Return whether rings cover pixels that others of them cover too, and none lies wholly inside another."""
    return len(rings) > 1 and not are_apart(rings) and _outer(rings)[1] is not None


def joined(rings: Sequence[Sequence[float]]) -> Ring:
    """Join rings to one by bridges of no width; filled by the even-odd rule, it covers what any of the rings covers.

    All pieces run like the first. A ring inside another is left out; where others overlap, the ring runs along the
    edges of the pixels that they cover.
    """
    if len(rings) == 1:
        return tuple(rings[0])
    if not are_apart(rings):
        rings, union = _outer(rings)
        if union is not None:
            return union
        if len(rings) == 1:
            return tuple(rings[0])
    start, clockwise = rings[0][:2], signed_area(rings[0]) > 0
    way: list[float] = [*rings[0], *start]
    for ring in rings[1:]:
        way += [*turned(ring, clockwise), *ring[:2], *start]
    return tuple(way[:-2])


def _outer(rings: Sequence[Sequence[float]]) -> tuple[Sequence[Sequence[float]], Ring | None]:
    """Return the rings that do not lie inside another, and the ring around their pixels if these overlap."""
    found = _pixels_of_each(rings)
    if found is None:
        return rings, None
    pixels, union, left, top = found
    if sum(region.area for region in pixels) == union.area:
        return rings, None
    kept: list[int] = []
    for place in sorted(range(len(rings)), key=lambda place: (-pixels[place].area, place)):
        if not any((pixels[place] - pixels[larger]).area == 0 for larger in kept):
            kept.append(place)
    kept.sort()
    outer = [rings[place] for place in kept]
    if sum(pixels[place].area for place in kept) == union.area:
        return outer, None
    ring = union.one_ring() or []
    return outer, tuple(value + (top if odd % 2 else left) for odd, value in enumerate(ring))


def _pixels_of_each(rings: Sequence[Sequence[float]]) -> tuple[list[Region], Region, int, int] | None:
    """Return the pixels inside each ring, those inside any of them, and the column and the row where these begin.

    None if the rings cover too much, or are no rings.
    """
    try:
        left, top = (math.floor(min(min(ring[axis::2]) for ring in rings if ring)) for axis in (0, 1))
        width, height = (
            math.ceil(max(max(ring[axis::2]) for ring in rings if ring)) - first
            for axis, first in ((0, left), (1, top))
        )
        if width * height * (2 * len(rings) + 1) >= 1 << 62:
            return None
        here = [[value - (top if odd % 2 else left) for odd, value in enumerate(ring)] for ring in rings]
        *pixels, union = Region.of_each([*([ring] for ring in here), here], height, width)
    except (ValueError, OverflowError, TooLargeError):
        return None
    return pixels, union, left, top


def _evenodd_area(ring: Sequence[float], plain: float) -> float:
    """Return the area inside a ring whose edges may cross, or whose parts may run in different directions.

    Args:
        ring: The outline.
        plain: Its area if it is simple.
    """
    found = _pixels_of_each((ring,))
    pixels = plain if found is None else float(found[1].area)
    if abs(pixels - plain) <= 1:
        return plain
    rough = plain if abs(pixels - plain) <= _NEAR * plain else pixels
    if len(ring) > 2 * _MANY_POINTS:
        return rough
    loops = _loops(ring)
    if crossing(loops):
        return pixels
    if len(loops) > _MANY_LOOPS:
        return rough
    return abs(sum(abs(signed_area(loop)) * (1 - 2 * (_depth(loop, loops) % 2)) for loop in loops))


def _loops(ring: Sequence[float]) -> list[Ring]:
    """Return the closed ways of a ring that meet no point twice, without bridges that are walked there and back."""
    points: list[Point] = list(zip(ring[::2], ring[1::2], strict=True))
    after: dict[Point, list[Point]] = {}
    for place, point in enumerate(points):
        before = points[place - 1]
        if before in after.get(point, ()):
            after[point].remove(before)
        elif before != point:
            after.setdefault(before, []).append(point)
    found: list[Ring] = []
    for start in after:
        way, places = [start], {start: 0}
        while after.get(way[-1]):
            point = after[way[-1]].pop()
            if point not in places:
                places[point] = len(way)
                way.append(point)
                continue
            first = places[point]
            found.append(tuple(value for one in way[first:] for value in one))
            for one in way[first + 1 :]:
                del places[one]
            del way[first + 1 :]
    return found


def _depth(loop: Ring, loops: Sequence[Ring]) -> int:
    """Return in how many other loops a loop lies; none of them cross."""
    x, y = (loop[0] + loop[2]) / 2, (loop[1] + loop[3]) / 2
    return sum(1 for other in loops if other is not loop and _is_inside(x, y, other))


def _is_inside(x: float, y: float, ring: Ring) -> bool:
    inside = False
    for place in range(0, len(ring), 2):
        x0, y0, x1, y1 = ring[place - 2], ring[place - 1], ring[place], ring[place + 1]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside
