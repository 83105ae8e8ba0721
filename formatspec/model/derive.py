"""Derives geometry from other geometry: a box from a region, an outline from pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from formatspec.model.limits import TooLargeError
from formatspec.model.outlines import area_within, joined
from formatspec.model.region import Region

SAME_OUTLINE = 0.99
"""Intersection over union above which polygons count as the outline of the visible pixels."""

Box = tuple[float, ...]
Ring = tuple[float, ...]
"""A flat tuple x0, y0, x1, y1, …; closed without repeating the first point."""


class Shape(Protocol):
    """Anything with the geometry of an object, in the terms of `formatspec.model.records.Object`."""

    @property
    def bbox(self) -> tuple[float, ...] | None:
        """x, y, width, height in pixels, with the origin at the outer corner of the first pixel; None if not stated."""

    @property
    def rotated(self) -> tuple[float, ...] | None:
        """A rotated box: centre x and y, width, height in pixels, and the angle; None if there is none."""

    @property
    def polygons(self) -> tuple[Ring, ...]:
        """Rings x0, y0, x1, y1, … in pixels; () if there are none."""

    @property
    def polyline(self) -> Ring:
        """Points x0, y0, x1, y1, … in pixels; () if there is none."""

    @property
    def keypoints(self) -> tuple[tuple[float, ...], ...]:
        """Triples x, y, visibility; () if there are none."""

    @property
    def circle(self) -> tuple[float, ...] | None:
        """Centre x and y, and radius, in pixels; None if there is none."""

    @property
    def ellipse(self) -> tuple[float, ...] | None:
        """Centre x and y, both radii in pixels, and the angle; None if there is none."""

    @property
    def region(self) -> Region | None:
        """The visible pixels; None if there is no mask."""


def bbox(thing: Shape) -> Box | None:
    """Return the stated box, or else that of the visible region, or else that of any other geometry."""
    return thing.bbox if thing.bbox is not None else surround(thing)


def surround(thing: Shape) -> Box | None:
    """Return the box around the visible region, or else around any other geometry; the stated box is not used."""
    if thing.region is not None:
        return thing.region.bbox
    if thing.polygons and any(thing.polygons):
        return extent(point for ring in thing.polygons for point in points(ring))
    if thing.rotated is not None:
        return extent(corners(thing.rotated))
    if thing.circle is not None:
        x, y, radius = thing.circle
        return (x - radius, y - radius, 2 * radius, 2 * radius)
    if thing.ellipse is not None:
        return _around_ellipse(thing.ellipse)
    if thing.polyline:
        return extent(points(thing.polyline))
    seen = [(x, y) for x, y, visible in thing.keypoints if visible]
    return extent(seen) if seen else None


def _around_ellipse(shape: Sequence[float]) -> Box:
    """Return the upright box around a rotated ellipse."""
    x, y, first, second, degrees = shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    if degrees % 90 == 0:  # exact, unlike cosine and sine
        cosine, sine = round(cosine), round(sine)
    half_width, half_height = math.hypot(first * cosine, second * sine), math.hypot(first * sine, second * cosine)
    return (x - half_width, y - half_height, 2 * half_width, 2 * half_height)


def ellipse(thing: Shape) -> tuple[float, ...] | None:
    """Return the stated ellipse, or else the circle as one."""
    if thing.ellipse is not None or thing.circle is None:
        return thing.ellipse
    x, y, radius = thing.circle
    return (x, y, radius, radius, 0.0)


def circle(thing: Shape) -> tuple[float, ...] | None:
    """Return the stated circle, or else the ellipse if its radii are equal up to rounding."""
    if thing.circle is not None or thing.ellipse is None:
        return thing.circle
    if not math.isclose(thing.ellipse[2], thing.ellipse[3], rel_tol=1e-9):
        return None
    return thing.ellipse[:3]


def points(ring: Sequence[float]) -> list[tuple[float, float]]:
    """Return a flat ring as points. Raises ValueError for a ring whose last point has no y."""
    if len(ring) % 2:
        raise ValueError(f"a ring is a flat list of x and y in turn, but this one has {len(ring)} entries")
    return list(zip(ring[::2], ring[1::2], strict=True))


def extent(where: Iterable[tuple[float, float]]) -> Box:
    """Return the box around points."""
    xs, ys = zip(*where, strict=True)
    left, top = min(xs), min(ys)
    return (left, top, max(xs) - left, max(ys) - top)


def corners(rotated: Sequence[float]) -> list[tuple[float, float]]:
    """Return the four corners of a rotated box, clockwise on screen from the one that is top left at 0 degrees."""
    x, y, width, height, degrees = rotated
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (
            x + dx * width / 2 * cosine - dy * height / 2 * sine,
            y + dx * width / 2 * sine + dy * height / 2 * cosine,
        )
        for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def labelled(thing: Shape) -> int:
    """Return how many of an object's keypoints are labelled, visible or not."""
    return sum(1 for _, _, visibility in thing.keypoints or () if visibility > 0)


def rotated(thing: Shape) -> Box | None:
    """Return the stated rotated box, or else the plain box at 0 degrees."""
    if thing.rotated is not None:
        return thing.rotated
    box = bbox(thing)
    return None if box is None else (box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3], 0.0)


def polygons(thing: Shape, as_stated: bool = False) -> tuple[Ring, ...]:
    """Return the stated outlines if they show the visible pixels, or else one bridged ring per piece."""
    if thing.polygons and (as_stated or thing.region is None or _shows(thing.polygons, thing.region)):
        return thing.polygons
    if thing.region is not None:
        rings = (piece.one_ring() for piece in thing.region.pieces())
        return tuple(tuple(ring) for ring in rings if ring)
    if thing.rotated is not None:
        return (tuple(value for corner in corners(thing.rotated) for value in corner),)
    return ()


def outlines_around(thing: Shape) -> tuple[Ring, ...]:
    """Return the outline of a rotated box, or of the box around a circle or an ellipse; none for other objects."""
    if thing.rotated is not None:
        return polygons(thing)
    around = bbox(thing) if thing.circle is not None or thing.ellipse is not None else None
    if around is None:
        return ()
    x, y, width, height = around
    return ((x, y, x + width, y, x + width, y + height, x, y + height),)


def polygon(thing: Shape, as_stated: bool = False) -> Ring | None:
    """Return one ring for the whole object; several rings are joined by bridges of no width."""
    kept = thing.polygons and (as_stated or thing.region is None or _shows(thing.polygons, thing.region))
    if thing.region is not None and not kept:
        ring = thing.region.one_ring()
        return None if ring is None else tuple(ring)
    rings = thing.polygons or polygons(thing)
    return joined(rings) if rings else None


def is_outlined(thing: Shape) -> bool:
    """Return whether the stated polygons outline the visible pixels, if both are stated."""
    return thing.region is None or not thing.polygons or _shows(thing.polygons, thing.region)


_KEPT = 64
"""How many filled outlines are kept at most; those of one image are all kept."""
_filled: dict[tuple[tuple[Ring, ...], int, int], Region] = {}
"""The pixels inside outlines, by the outlines and the image's height and width."""


def _fill(rings: tuple[Ring, ...], height: int, width: int) -> Region:
    key = rings, height, width
    known = _filled.get(key)
    if known is None:
        if len(_filled) >= _KEPT:
            _filled.clear()
        known = _filled[key] = Region.from_polygons(rings, height, width)
    return known


def fill_all(things: Iterable[Shape], height: int | None, width: int | None) -> None:
    """Fill the outlines of several objects of an image at once; `region` then gives these pixels.

    This takes a fraction of the time of filling them one by one. If an outline cannot be filled, none is; then `region`
    raises the error for the object that has it.
    """
    if not height or not width:
        return
    wanted = {(thing.polygons, height, width): None for thing in things if thing.region is None and thing.polygons}
    new = [key for key in wanted if key not in _filled]
    if len(new) < 2:
        return
    if len(_filled) + len(new) > _KEPT:
        _filled.clear()
        new = list(wanted)
    try:
        found = Region.of_each([rings for rings, _, _ in new], height, width)
    except (ValueError, TooLargeError):
        return
    _filled.update(zip(new, found, strict=True))


def _shows(rings: tuple[Ring, ...], visible: Region) -> bool:
    return _fill(rings, visible.height, visible.width).iou(visible) >= SAME_OUTLINE


def region(thing: Shape, height: int | None, width: int | None) -> Region | None:
    """Return the stated region, or else the pixels inside the polygons."""
    if thing.region is not None:
        return thing.region
    if not thing.polygons or not height or not width:
        return None
    return _fill(thing.polygons, height, width)


def mask_region(thing: Shape, size: tuple[int, int] | None) -> Region | None:
    """Return the stated region, or else the pixels inside the outlines or the rotated box; None without any of these.

    `size` is height and width of the image. Raises ValueError if it is needed and unknown.
    """
    rings = () if thing.region is not None else polygons(thing)
    if not rings:
        return thing.region
    if size is None:
        raise ValueError("the size of the image is not known; mask((height, width)) says it")
    return _fill(rings, *size)


def area(thing: Shape, closely: bool = False) -> float | None:
    """Return the area of the region in pixels, or else of the polygons, of the rotated box, or of the box.

    Args:
        thing: The object.
        closely: Whether every outline is searched for edges that cross, not only those that look like it.
    """
    if thing.region is not None:
        return thing.region.area
    if thing.polygons:
        return area_within(thing.polygons, closely)
    if thing.rotated is not None:
        return thing.rotated[2] * thing.rotated[3]
    return box_area(thing)


def box_area(thing: Shape) -> float | None:
    """Return the area of an object's box, for cases where only the box is known."""
    box = surround(thing) if thing.bbox is None else thing.bbox
    return None if box is None else box[2] * box[3]


def touches_border(thing: Shape, height: int | None, width: int | None) -> bool | None:
    """Return whether the object reaches the image's border."""
    if thing.region is not None:
        return bool(thing.region.touches_border)
    box = bbox(thing)
    if box is None or not height or not width:
        return None
    return box[0] <= 0 or box[1] <= 0 or box[0] + box[2] >= width or box[1] + box[3] >= height
