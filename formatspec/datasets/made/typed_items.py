"""Checks that the slots of items that a program made hold values of their types."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_args

import msgspec

from formatspec.model.records import Area, Caption, Category, Image, Item, Label, Object
from formatspec.model.region import Region

RECORDS = (Item, Image, Object, Label, Caption, Area, Category)
NOT_JUDGED = frozenset({"origin", "source", "group", "captures"})
"""Slots with values from reading, or with any value; they are not checked."""
COUNTS = {"bbox": 4, "rotated": 5, "circle": 3, "ellipse": 5}
"""How many numbers a slot of an object holds."""
NUMBERS = frozenset({*COUNTS, "polygons", "polyline", "keypoints", "score", "order"})
"""The slots of numbers, which must be finite."""
EXPECTED = {
    "polygons": "a tuple of rings, each an even number of numbers: x, y, x, y and so on",
    "polyline": "an even number of numbers: x, y, x, y and so on",
    "keypoints": "a tuple of x, y and visibility for each keypoint",
    "region": "a formatspec.Region, which Region.from_mask(mask) makes",
    "hidden": "a formatspec.Region, which Region.from_mask(mask) makes",
    "void": "a formatspec.Region, which Region.from_mask(mask) makes",
    "subsets": "a tuple of names: ('train',)",
    "attributes": "a dict with texts as keys",
    "data": "the bytes of an image file",
}
"""What is expected of a slot, for messages."""
NAMES = {Image: "image", Object: "object", Label: "label", Caption: "caption", Area: "area", Category: "category"}


class UnfitItemsError(ValueError):
    """Items cannot make a dataset: one sentence says which and why."""


class Slot(NamedTuple):
    """A slot of a record: its name, its type, and the record's type if it holds one record or a tuple of them."""

    name: str
    type: Any
    record: Any = None
    is_tuple: bool = False


@cache
def _slots(record: Any) -> tuple[Slot, ...]:
    found = []
    for field in msgspec.structs.fields(record):
        if field.name in NOT_JUDGED:
            continue
        kinds = get_args(field.type)
        one = next((kind for kind in (field.type, *kinds) if kind in RECORDS), None)
        found.append(Slot(field.name, field.type, one, one is not None and ... in kinds))
    return tuple(found)


def typed(item: object) -> Item:
    """Return the item if all its values have the right type; lists and arrays of numbers become tuples.

    Raises:
        UnfitItemsError: A value has another type. The message names the item, the object and the slot.
    """
    if not isinstance(item, Item):
        raise UnfitItemsError(f"an item is a formatspec.Item, not {item!r}")
    made: Item = _typed(item, f"{item.key!r}")
    return made


def _typed(record: Any, where: str) -> Any:
    changes: dict[str, Any] = {}
    kind: Any = type(record)
    for slot in _slots(kind):
        value = getattr(record, slot.name)
        if value is None or (isinstance(value, tuple | dict) and not value):
            if value is None and not _takes_none(slot.type):
                raise _wrong(slot.name, where, value)
            continue
        if slot.record is None:
            own = _value(slot, value, where)
        elif slot.is_tuple:
            own = _records(slot, value, where)
        else:
            own = _record(slot.record, value, _named(slot.name, where))
        if own is not value:
            changes[slot.name] = own
    return msgspec.structs.replace(record, **changes) if changes else record


def _record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        hint = f"; say formatspec.Category(name={value!r})" if kind is Category and isinstance(value, str) else ""
        more = "(path=…)" if kind is Image else ""
        raise UnfitItemsError(f"{where} is {_short(value)}; expected a formatspec.{kind.__name__}{more}{hint}")
    return _typed(value, where.removeprefix("the "))


def _records(slot: Slot, values: Any, where: str) -> Any:
    if not isinstance(values, tuple | list):
        raise UnfitItemsError(f"{slot.name} of {where} is {_short(values)}; expected a tuple of "
                              f"formatspec.{slot.record.__name__}")  # fmt: skip
    kind = NAMES[slot.record]
    own = [_record(slot.record, one, f"{kind} {place} of {where}") for place, one in enumerate(values)]
    return values if all(map(_is, own, values)) else tuple(own)


def _is(one: object, other: object) -> bool:
    return one is other


def _value(slot: Slot, value: Any, where: str) -> Any:
    """Return a value of a slot, with lists, arrays and numbers of numpy as plain tuples and numbers."""
    if Region in (slot.type, *get_args(slot.type)):
        if not isinstance(value, Region):
            raise _wrong(slot.name, where, value)
        return value
    try:
        msgspec.convert(value, slot.type)
    except (msgspec.ValidationError, TypeError):
        value = _plain(value)
        try:
            msgspec.convert(value, slot.type)
        except (msgspec.ValidationError, TypeError):
            raise _wrong(slot.name, where, value) from None
    if slot.name in NUMBERS:
        numbers = list(_numbers(value))
        if slot.name in COUNTS and len(numbers) != COUNTS[slot.name]:
            raise _wrong(slot.name, where, value)
        if not _fits(slot.name, value):
            raise _wrong(slot.name, where, value)
        if not all(map(math.isfinite, numbers)):
            raise UnfitItemsError(f"{slot.name} of {where} is {_short(value)}; expected finite numbers")
    return value


def _plain(value: Any) -> Any:
    """Return lists as tuples, arrays of numpy as tuples of numbers, and a number of numpy as a number."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, tuple | list):
        for one in value:
            yield from _numbers(one)
    else:
        yield value


def _fits(slot: str, value: Any) -> bool:
    """Return whether rings have an x and a y for each point, and keypoints three numbers each."""
    if slot == "polygons":
        return all(len(ring) % 2 == 0 for ring in value)
    if slot == "keypoints":
        return all(len(point) == 3 for point in value)
    return slot != "polyline" or len(value) % 2 == 0


def _takes_none(kind: Any) -> bool:
    return kind is Any or type(None) in get_args(kind)


def _named(slot: str, where: str) -> str:
    return f"the {slot} of {where}"


def _wrong(slot: str, where: str, value: Any) -> UnfitItemsError:
    other = EXPECTED.get(slot, "a value of the type that the model states")
    expected = f"{COUNTS[slot]} numbers" if slot in COUNTS else other
    return UnfitItemsError(f"{slot} of {where} is {_short(value)}; expected {expected}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
