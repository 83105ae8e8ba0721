"""Rings and pixels: filling outlines, and tracing the pixel edges of a region.

A *ring* is a flat list [x0, y0, x1, y1, ...] that closes by itself; coordinates are continuous, the origin is
the outer corner of the first pixel, y points down.  A pixel is inside if its centre (x + 0.5, y + 0.5) is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from formatspec.model.limits import check_limit
from formatspec.model.runs import Ints, by_column, cover, toggles

if TYPE_CHECKING:
    import numpy.typing as npt

EdgeRing = Sequence[float]

_FAR = 2.0**52  # from here on, floats have no fractions, so no pixel has a centre


class TracedOutline(msgspec.Struct, frozen=True):
    """One piece of a region: its outer ring and the rings of its holes, to be filled even-odd."""

    outer: list[float]
    holes: list[list[float]]


# -- filling -------------------------------------------------------------------------------------------------


def fill_each(shapes: Sequence[Sequence[EdgeRing]], height: int, width: int) -> list[Ints]:
    """Return, for each shape, the bounds of the pixels inside any of its rings; each ring is filled even-odd by itself.

    Filling several shapes together takes a fraction of the time. Raises ValueError for a bad ring.
    """
    offsets, ring = _crossings([one for rings in shapes for one in rings], height, width)
    apart = height * width + 1  # each ring gets its own copy of the image, and no run reaches the next copy
    edges = toggles(offsets + ring * apart)
    copy = edges // apart
    edges -= copy * apart
    cuts = np.searchsorted(copy, np.cumsum([0, *map(len, shapes)])).tolist()
    found = []
    for rings, start, stop in zip(shapes, cuts[:-1], cuts[1:], strict=True):
        own = edges[start:stop]
        found.append(own if len(rings) < 2 else cover(own[::2], own[1::2]))
    return found


def fill_union(rings: Sequence[EdgeRing], height: int, width: int) -> Ints:
    """Return bounds of the pixels inside any ring, each filled even-odd. Raises ValueError for a bad ring."""
    return fill_each((rings,), height, width)[0]


def fill_evenodd(rings: Sequence[EdgeRing], height: int, width: int) -> Ints:
    """Return bounds of the pixels inside an odd number of rings. Raises ValueError for a bad ring."""
    return toggles(_crossings(rings, height, width)[0])


_AT_ONCE = 1 << 20
"""How many pairs of edges are compared at once."""


def crosses_itself(ring: Sequence[float]) -> bool:
    """Return whether two edges of a closed ring cross between their ends; touching and overlapping edges do not.

    Args:
        ring: x0, y0, x1, y1, …, in pixels; three points or more.
    """
    return crossing((ring,))


def crossing(rings: Sequence[Sequence[float]]) -> bool:
    """Return whether two edges of closed rings cross between their ends, in one of them or in two; see above."""
    own = [np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings]
    if not own:
        return False
    starts, ends = np.concatenate(own), np.concatenate([np.roll(points, -1, 0) for points in own])
    step = max(_AT_ONCE // len(starts), 1)
    for first in range(0, len(starts), step):
        a, b = starts[first : first + step, None], ends[first : first + step, None]
        across = _side(a, b, starts[None]) * _side(a, b, ends[None]) < 0
        if not across.any():
            continue
        back = _side(starts[None], ends[None], a) * _side(starts[None], ends[None], b) < 0
        if (across & back).any():
            return True
    return False


def _side(a: Any, b: Any, point: Any) -> Any:
    """Return on which side of the line from a to b points lie: above 0, below 0, or 0 for points on it."""
    return (b[..., 0] - a[..., 0]) * (point[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (point[..., 0] - a[..., 0])


def _crossings(rings: Sequence[EdgeRing], height: int, width: int) -> tuple[Ints, Ints]:
    """Return offsets where an edge crosses a column's centre line, clipped to the image, and each one's ring."""
    ends, sizes = _points(rings)
    if not ends.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lasts = np.cumsum(sizes)
    before = np.arange(-1, len(ends) - 1)
    some = sizes > 0
    before[(lasts - sizes)[some]] = lasts[some] - 1
    starts = ends[before]
    # Every edge is walked from left to right, so that two neighbouring rings get exactly the same crossings.
    back = starts[:, 0] > ends[:, 0]
    x0, y0 = np.where(back[:, None], ends, starts).T
    x1, y1 = np.where(back[:, None], starts, ends).T
    first = np.minimum(np.maximum(np.ceil(x0 - 0.5), 0), width).astype(np.int64)
    spans = np.minimum(np.maximum(np.ceil(x1 - 0.5), 0), width).astype(np.int64) - first
    until = np.cumsum(spans)
    check_limit("runs", int(until[-1]), "the outlines of a shape cross columns this often:")
    crossed = spans > 0
    slope = np.zeros(spans.size)
    np.divide(y1 - y0, x1 - x0, out=slope, where=crossed)
    edge = np.repeat(np.arange(spans.size), spans)
    column = np.arange(edge.size) + (first - until + spans)[edge]
    y = y0[edge] + (column + 0.5 - x0[edge]) * slope[edge]
    row = np.minimum(np.maximum(np.ceil(y - 0.5), 0), height).astype(np.int64)
    return column * height + row, np.repeat(np.arange(sizes.size), sizes)[edge]


def _points(rings: Sequence[EdgeRing]) -> tuple[npt.NDArray[np.float64], Ints]:
    """Return the points of all rings, one after another, and how many each has. Raises ValueError for a bad ring."""
    lengths = [len(ring) for ring in rings]
    odd = next((length for length in lengths if length % 2), None)
    if odd is not None:
        raise ValueError(f"a ring is a flat list of x and y in turn, but this one has {odd} entries")
    points = np.array(list(chain.from_iterable(rings)), np.float64)
    if points.ndim != 1:
        raise ValueError("a ring is a flat list of x and y in turn, but this one has entries that are no numbers")
    if not (np.abs(points) < _FAR).all():
        raise ValueError("a ring has a coordinate that is not a finite number of a sensible size")
    return points.reshape(-1, 2), np.array(lengths, np.int64) // 2


# -- pieces and tracing --------------------------------------------------------------------------------------


def label_runs(column: Ints, starts: Ints, stops: Ints, height: int) -> Ints:
    """Return, for every run of `by_column`, the index of the first run of its 4-connected piece."""
    # A run shifted by one column overlaps its right-hand neighbours, so offsets suffice to find them.
    low = np.searchsorted(stops, starts + height, "right")
    high = np.searchsorted(starts, stops + height, "left")
    degree = np.maximum(high - low, 0)
    a = np.repeat(np.arange(starts.size), degree)
    b = np.arange(a.size) - np.repeat(np.cumsum(degree) - degree, degree) + np.repeat(low, degree)
    label = np.arange(starts.size)
    while True:
        left, right = label[a], label[b]
        if (left == right).all():
            return label
        np.minimum.at(label, np.maximum(left, right), np.minimum(left, right))
        while (label[label] != label).any():
            label = label[label]


def trace(bounds: Ints, height: int) -> list[TracedOutline]:
    """Return the outlines of the 4-connected pieces, in the order of their first pixel; outer rings are clockwise.

    Every run has a top edge (left to right, node i) and a bottom edge (right to left, node n + i). The next edge
    depends only on the next column, so all are found at once; then a walk gathers the rings.
    """
    column, starts, stops = by_column(bounds, height)
    n = starts.size
    if not n:
        return []
    label = label_runs(column, starts, stops, height)
    follows = np.concatenate([_after_top(column, starts, stops, height), _after_bottom(column, starts, stops, height)])
    at = np.concatenate([starts - column * height, stops - column * height])
    outlines: dict[int, TracedOutline] = {}
    x = np.concatenate([column + 1, column])
    for node, ring, area in _walk(follows.tolist(), x.tolist(), at.tolist()):
        piece = int(label[node % n])
        if area > 0:
            outlines[piece] = TracedOutline(ring, outlines.pop(piece, TracedOutline([], [])).holes)
        else:
            outlines.setdefault(piece, TracedOutline([], [])).holes.append(ring)
    return [outlines[piece] for piece in sorted(outlines)]


def _after_top(column: Ints, starts: Ints, stops: Ints, height: int) -> Ints:
    """Return the edge after each run's top edge. Where pixels meet only at a corner, it stays with its own piece."""
    n = starts.size
    run = np.arange(n)
    j = np.searchsorted(stops, starts + height, "right")  # the first on the right that ends below our top
    there = (j < n) & (column[np.minimum(j, n - 1)] == column + 1)
    other = np.where(there, j, 0)
    top = starts[other] - height
    above = np.maximum(run - 1, 0)
    blocked = (run > 0) & (column[above] == column) & (stops[above] > top)  # another run comes first on the way up
    up = np.where(blocked, n + above, other)
    down = np.where(top < stops, other, n + run)
    return np.where(there, np.where(top < starts, up, down), n + run)


def _after_bottom(column: Ints, starts: Ints, stops: Ints, height: int) -> Ints:
    """Return the edge after each run's bottom edge: `_after_top` rotated by half a turn."""
    n = starts.size
    run = np.arange(n)
    j = np.searchsorted(starts, stops - height, "left") - 1
    there = (j >= 0) & (column[np.maximum(j, 0)] == column - 1)
    other = np.where(there, j, 0)
    bottom = stops[other] + height
    below = np.minimum(run + 1, n - 1)
    blocked = (run < n - 1) & (column[below] == column) & (starts[below] < bottom)
    down = np.where(blocked, below, n + other)
    up = np.where(bottom > starts, n + other, run)
    return np.where(there, np.where(bottom > stops, down, up), run)


def _walk(follows: list[int], x: list[int], y: list[int]) -> list[tuple[int, list[float], int]]:
    """Return (first node, ring, area) of every cycle; holes have a negative area, and rings only have corners."""
    seen = bytearray(len(follows))
    rings = []
    for start in range(len(follows)):
        if seen[start]:
            continue
        ring: list[float] = []
        area, node = 0, start
        while not seen[node]:
            seen[node] = 1
            after = follows[node]
            a, b = y[node], y[after]
            if a != b:
                ring += (x[node], a, x[node], b)
                area += x[node] * (b - a)
            node = after
        rings.append((start, [float(value) for value in ring[-2:] + ring[:-2]], area))
    return rings


def bridge(rings: Sequence[Sequence[float]]) -> list[float]:
    """Join `rings` to one: from each one's first point to the next one's, and back again.

    Each bridge is walked twice along the same line, so by the even-odd rule it encloses nothing.
    """
    if len(rings) == 1:
        return list(rings[0])
    way: list[float] = []
    for ring in rings:
        way += [*ring, *ring[:2]]
    for ring in rings[-2:0:-1]:
        way += ring[:2]
    return [*way, *rings[0][:2]]
