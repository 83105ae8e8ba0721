"""In which direction rings run, and rings turned round; a ring is a flat sequence of x and y in turn."""

from __future__ import annotations

from collections.abc import Sequence


def signed_area(ring: Sequence[float]) -> float:
    """Return the area inside a ring (the shoelace formula): above 0 if it runs clockwise on screen, else below 0."""
    xs, ys = ring[::2], ring[1::2]
    return sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs))) / 2


def turned(ring: Sequence[float], clockwise: bool) -> Sequence[float]:
    """Return a ring with the same first point that runs clockwise on screen, or else against it."""
    if (signed_area(ring) > 0) == clockwise:
        return ring
    back = [value for x, y in zip(ring[-2:1:-2], ring[-1:1:-2], strict=True) for value in (x, y)]
    return (*ring[:2], *back)


def against(hole: Sequence[float], outline: Sequence[float]) -> Sequence[float]:
    """Return the ring of a hole such that it runs against its outline."""
    return turned(hole, signed_area(outline) <= 0)
