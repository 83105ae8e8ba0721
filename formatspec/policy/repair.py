"""Applies actions to items: objects are left out, clipped or repaired. All functions are pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from formatspec.findings.codes import Action
from formatspec.findings.finding import Finding
from formatspec.model import derive
from formatspec.model.flaws import RING, Size
from formatspec.model.records import Item, Object, Origin, Ring, note_area


class Decision(NamedTuple):
    """What is done about a finding.

    Attributes:
        about: The index of the object in its item; None if the finding is about no remaining object.
        slot: The slot at fault.
        within: For `clip`, the part of the image's side by which a value may stick out; None for any.
    """

    finding: Finding
    action: Action
    about: int | None = None
    slot: str = ""
    within: float | None = None


class RepairedItem(NamedTuple):
    """An item after the actions (None if it is left out), and what was done; `error` if nothing could be."""

    item: Item | None
    done: tuple[Decision, ...]


def repaired(item: Item, decisions: Sequence[Decision]) -> RepairedItem:
    """Apply all actions to an item. An action that is impossible becomes `error`."""
    if any(one.action == "drop-item" for one in decisions):
        return RepairedItem(None, tuple(decisions))
    if any(one.action == "fix" and one.finding.code == "ROWS_MIXED" for one in decisions):
        item = _boxes_only(item)
    if any(one.action == "fix" and one.finding.code == "PIXEL_VALUE" for one in decisions):
        item = _painted_anew(item)
    size = size_of(item)
    things: dict[int, Object | None] = dict(enumerate(item.objects))
    done, void = [], item.void
    for one in decisions:
        thing = None if one.about is None else things[one.about]
        if thing is None or one.action in ("keep", "error"):
            done.append(one)
            continue
        assert one.about is not None
        made = _acted(thing, one, size)
        if one.finding.code == "PIXEL_VALUE" and one.action == "fix" and thing.region is not None:
            void = thing.region if void is None else void | thing.region
        if made is thing and (one.action == "clip" or one.finding.code in _FIXES):
            done.append(one._replace(action="error"))
            continue
        things[one.about] = made
        done.append(one if made is not None or one.action == "fix" else one._replace(action="drop"))
    kept = [thing for thing in things.values() if thing is not None]
    if len(kept) == len(item.objects) and all(a is b for a, b in zip(kept, item.objects, strict=True)):
        return RepairedItem(item, tuple(done))
    left = tuple(_without_lost_parents(kept, item))
    return RepairedItem(replace(item, objects=left, void=void), tuple(done))


def size_of(item: Item) -> Size | None:
    """Return the size of an item's image, if known."""
    image = item.image
    return (image.width, image.height) if image is not None and image.width and image.height else None


def _without_lost_parents(kept: Sequence[Object], item: Item) -> Iterable[Object]:
    """Yield the objects, without references to parents that were left out."""
    ids = {thing.id for thing in kept}
    lost = {thing.id for thing in item.objects} - ids
    return (
        replace(thing, parent=None) if thing.parent is not None and thing.parent in lost else thing for thing in kept
    )


def _acted(thing: Object, one: Decision, size: Size | None) -> Object | None:
    """Return an object after one action: None if it is left out, itself if nothing can be done."""
    if one.action == "drop":
        return None
    if one.action == "clip":
        return thing if size is None else _clipped(thing, one, size)
    if one.finding.code == "KEYPOINT_OUTSIDE":
        return unseen_outside(thing, size)
    fix = _FIXES.get(one.finding.code)
    return thing if fix is None else fix(thing)


def _clipped(thing: Object, one: Decision, size: Size) -> Object | None:
    clip = {"bbox": _clip_bbox, "polygons": _clip_polygons, "keypoints": _clip_keypoints}
    slot = one.slot or "bbox"
    act = clip.get(slot)
    if act is None or (one.within is not None and _reach(thing, slot, size) > one.within):
        return thing
    return act(thing, size)


def _reach(thing: Object, slot: str, size: Size) -> float:
    """Return by which part of the image's side a slot's value sticks out."""
    value: Any = getattr(thing, slot)
    if slot == "bbox":
        xs, ys = (value[0], value[0] + value[2]), (value[1], value[1] + value[3])
    elif slot == "polygons":
        xs = tuple(x for ring in value for x in ring[::2])
        ys = tuple(y for ring in value for y in ring[1::2])
    else:
        xs, ys = tuple(point[0] for point in value), tuple(point[1] for point in value)
    width, height = size
    return float(max(-min(xs) / width, (max(xs) - width) / width, -min(ys) / height, (max(ys) - height) / height))


def _clip_bbox(thing: Object, size: Size) -> Object | None:
    """Cut a box at the image's edges; a box that follows from an outline is computed from the cut outline."""
    if thing.bbox is None:
        return _clip_polygons(thing, size) if thing.polygons else thing
    x, y, width, height = thing.bbox
    left, top = min(max(x, 0), size[0]), min(max(y, 0), size[1])
    right, bottom = min(max(x + width, 0), size[0]), min(max(y + height, 0), size[1])
    if right <= left or bottom <= top:
        return None
    return replace(thing, bbox=(left, top, right - left, bottom - top))


def _clip_polygons(thing: Object, size: Size) -> Object | None:
    """Cut outlines at the image's edges; an object without any outline or box left is left out."""
    stated = thing.polygons or derive.outlines_around(thing)
    rings = tuple(ring for one in stated if len(ring := clipped_ring(one, size)) >= RING)
    if not rings and thing.bbox is None and thing.region is None:
        return None
    if not thing.polygons:
        return replace(thing, polygons=rings, rotated=None, circle=None, ellipse=None)
    return replace(thing, polygons=rings)


def clipped_ring(ring: Ring, size: Size) -> Ring:
    """Cut a ring at the image's edges, by the algorithm of Sutherland and Hodgman.

    Args:
        ring: x0, y0, x1, y1, …, in pixels.
        size: Width and height of the image.
    """
    points = list(zip(ring[::2], ring[1::2], strict=True))
    for axis, bound, sign in ((0, 0.0, 1), (0, float(size[0]), -1), (1, 0.0, 1), (1, float(size[1]), -1)):
        found: list[tuple[float, float]] = []
        for place, point in enumerate(points):
            before = points[place - 1]
            inside, was_inside = sign * (point[axis] - bound) >= 0, sign * (before[axis] - bound) >= 0
            if inside != was_inside:
                found.append(_crossing(before, point, axis, bound))
            if inside:
                found.append(point)
        points = found
    return tuple(number for point in points for number in point)


def _crossing(a: tuple[float, float], b: tuple[float, float], axis: int, bound: float) -> tuple[float, float]:
    """Return where the line between two points meets a side of the image."""
    share = (bound - a[axis]) / (b[axis] - a[axis])
    other = a[1 - axis] + share * (b[1 - axis] - a[1 - axis])
    return (bound, other) if axis == 0 else (other, bound)


def _clip_keypoints(thing: Object, size: Size) -> Object:
    points = tuple(
        (min(max(x, 0), size[0]), min(max(y, 0), size[1]), seen) if seen else (x, y, seen)
        for x, y, seen in thing.keypoints
    )
    return replace(thing, keypoints=points)


def _right_way_round(thing: Object) -> Object:
    """Return the object with a box whose corners were swapped."""
    changed: dict[str, Any] = {}
    if thing.bbox is not None:
        x, y, width, height = thing.bbox
        changed["bbox"] = (min(x, x + width), min(y, y + height), abs(width), abs(height))
    if thing.rotated is not None:
        x, y, width, height, degrees = thing.rotated
        changed["rotated"] = (x, y, abs(width), abs(height), degrees)
    return replace(thing, **changed)


def _box_only(thing: Object) -> Object:
    """Return the object without its outline, if it has a box."""
    return thing if thing.bbox is None else replace(thing, polygons=(), region=None)


def unseen_outside(thing: Object, size: Size | None) -> Object:
    """Return the object with keypoints outside the image marked as not labelled."""
    if size is None:
        return thing
    inside = ((0 <= x <= size[0] and 0 <= y <= size[1]) for x, y, _ in thing.keypoints)
    points = (point if there else (*point[:2], 0) for point, there in zip(thing.keypoints, inside, strict=True))
    return replace(thing, keypoints=tuple(points))


def _computed_anew(thing: Object) -> Object:
    """Return the object without the source of its computed values, so that they are computed again."""
    if thing.origin is None:
        return replace(thing, score=thing.score)
    before = thing.origin
    fresh = replace(thing, origin=Origin(before.rows, before.rasters, before.index, before.documents, before.kept))
    area = derive.area(fresh, closely=True)
    if area is not None and area != derive.area(fresh):
        note_area(fresh, area)
    return fresh


def _without_parent(thing: Object) -> Object:
    return replace(thing, parent=None)


def _nothing(thing: Object) -> None:
    """Leave the object out: pixels that name no object belong to none, and are void."""


def _painted_anew(item: Item) -> Item:
    """Return the item without its label images, which are then painted from its records, without unknown values."""
    if item.origin is None or not item.origin.rasters:
        return item
    pictures: dict[str, Any] = {
        role: {} if isinstance(one, dict) else None for role, one in item.origin.rasters.items()
    }
    origin = Origin(item.origin.rows, pictures, item.origin.index, item.origin.documents, item.origin.kept)
    origin.as_read = item.origin.as_read
    return replace(item, origin=origin)


def _boxes_only(item: Item) -> Item:
    """Return the item with only the boxes of its objects."""
    things = (replace(thing, bbox=derive.bbox(thing), polygons=(), rotated=None, region=None) for thing in item.objects)
    return replace(item, objects=tuple(things))


_FIXES: dict[str, Callable[[Object], Object | None]] = {
    "PIXEL_VALUE": _nothing,
    "CYCLE": _without_parent,
    "BOX_SIZE": _right_way_round,
    "POLYGON": _box_only,
    "REGION_SIZE": _box_only,
    "DIFFERS": _computed_anew,
}
"""Repairs of objects. All other repairs are made while the item is read, and are only counted here."""
