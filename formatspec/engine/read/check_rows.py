"""Compares the rows of one item: repeated rows, and tracks that a frame has twice."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from formatspec.engine.base.faults import DocumentPath, Fault, Record
from formatspec.engine.read.item_state import OBJECTS_BY_ID, ItemState
from formatspec.engine.resolve.held_slots import UNREAD
from formatspec.model.records import Item, Object


def place_of_row(state: ItemState, place: int) -> tuple[str, DocumentPath]:
    """Return the file and the path of an object's row, by the index of the object in its item."""
    if state.plain is not None:
        return state.plain.file, (*state.plain.path, state.plain.start + place)
    records = state.tables.get("object", ())
    record: Mapping[str, Any] = records[place] if place < len(records) else {}
    return record.get("$file", ""), record.get("$at", ())


def _note(code: str, words: str, place: int, state: ItemState, **more: Any) -> None:
    """Note a fault of an object, by its index in the item; `more` are further fields of the fault."""
    state.faults.append(Fault(code, *place_of_row(state, place), None, words, about=place, scope="object", **more))


def check_rows(item: Item, state: ItemState) -> None:
    """Note repeated objects of an item: equal rows, or two rows with one track."""
    things = item.objects
    if len(things) < 2:
        return
    if state.outlined:
        _check_outlined(things, state)
    with_ids = OBJECTS_BY_ID in state.keyed or (state.plain is not None and things[0].id is not None)
    if not with_ids:  # rows with ids are compared while they are read
        _check_equal(things, state.tables.get("object", ()), state)
    _check_tracks(things, state)


_UNREAD_PICTURE = frozenset({"PIXEL_SIZE", "IMAGE_SIZE", "FILE_UNREADABLE"})
"""Codes of label images of which no pixels were read."""


def check_pictured(item: Item, roles: Iterable[str], read: Container[str], state: ItemState) -> None:
    """Note objects that documents list and that their label image, the only place of their pixels, does not show.

    Args:
        item: An item of a format with a label image of the objects that documents list.
        roles: The roles of that label image.
        read: The roles of which a label image was read.
        state: The state in which the item was read.
    """
    if not any(role in read for role in roles) or any(fault.code in _UNREAD_PICTURE for fault in state.faults):
        return
    for place, thing in enumerate(item.objects):
        if thing.region is None and thing.id is not None:
            words = f"the label image has no pixel of the object {thing.id!r}"
            _note("UNKNOWN_REFERENCE", words, place, state, got=thing.id, object=thing.id)


def _check_outlined(things: Sequence[Object], state: ItemState) -> None:
    """Note objects with only a box in an item whose other objects have outlines or masks."""
    without = [place for place, thing in enumerate(things) if not thing.polygons and thing.region is None]
    if not without or len(without) == len(things):
        return
    records = state.tables.get("object", ())
    told = {id(fault.about) for fault in state.faults if isinstance(fault.about, dict)}
    for place in without:
        thing = things[place]
        if thing.bbox is None:
            continue
        if place < len(records) and id(records[place]) in told:
            continue  # its outline is faulty
        _note("SEGMENT_EMPTY", "the object has no outline, and others have one", place, state, object=thing.id)


def _check_equal(things: Sequence[Object], records: Sequence[Record], state: ItemState) -> None:
    if len({thing.bbox for thing in things}) == len(things):
        return  # no two objects have the same box
    first: dict[Any, int] = {}
    for place, thing in enumerate(things):
        shape = thing.bbox, thing.polygons, thing.rotated, thing.keypoints, thing.circle, thing.ellipse, thing.polyline
        if thing.region is None and not any(shape):
            continue
        key = (id(thing.category), *shape, thing.region)
        other = first.setdefault(key, place)
        if other == place or thing != things[other] or _is_part(records, place):
            continue
        if any(part is UNREAD for part in (*shape, thing.region)):
            continue  # a fast reader did not read the geometry
        _, before = place_of_row(state, other)
        where = f"as the one at {'/'.join(map(str, before))}" if before else "as another"
        _note("ROW_TWICE", f"this row says the same {where}", place, state)


def _is_part(records: Sequence[Record], place: int) -> bool:
    """Return whether an object's geometry was not read, or whether its row describes several objects."""
    return place < len(records) and any(value is UNREAD for value in records[place].values())


def _check_tracks(things: Sequence[Object], state: ItemState) -> None:
    """Note tracks that occur twice in a frame. Negative numbers are not tracks, and crowds are not tracked."""
    first: dict[Any, int] = {}
    for place, thing in enumerate(things):
        track = thing.track
        if track is None or thing.single is False or (isinstance(track, int) and track < 0):
            continue
        key = track, id(thing.category)
        if first.setdefault(key, place) == place or thing == things[first[key]]:
            continue
        words = f"the track {track!r} stands twice in this frame"
        _note(
            "DUPLICATE", words, place, state, expected="one object of a track", got=track, object=thing.id, case="track"
        )
