"""Objects that bound no area, such as lines and points, and the boxes that stand in their place."""

from __future__ import annotations

from formatspec.model import derive
from formatspec.model.records import Object


def box_of(thing: Object, unheld: frozenset[str]) -> derive.Box | None:
    """Return the box of an object as a target may write it: none for lines or points that the target cannot hold."""
    if thing.bbox is None and unheld and is_unbounded(thing) in unheld:
        return None
    return derive.bbox(thing)


def is_flat(thing: Object) -> bool:
    """Return whether an object consists of only a line or points, around which a box has no area."""
    if is_unbounded(thing) is None:
        return False
    box = derive.surround(thing)
    return box is None or box[2] <= 0 or box[3] <= 0


def is_unbounded(thing: Object) -> str | None:
    """Return `polyline` or `keypoints` if an object consists of only that; None for any other object."""
    if (
        thing.bbox is not None
        or thing.region
        or thing.polygons
        or thing.rotated is not None
        or thing.circle is not None
        or thing.ellipse is not None
    ):
        return None
    return "polyline" if thing.polyline else "keypoints" if thing.keypoints else None
