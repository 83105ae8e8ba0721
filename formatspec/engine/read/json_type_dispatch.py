"""Chooses among alternatives by the types of their values, which may be decoded or raw JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw, json

from formatspec.engine.base.faults import Record
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.held_slots import SLOT_OF, UNREAD
from formatspec.engine.resolve.scope import Scope
from formatspec.language.leaf import Bind
from formatspec.language.rules import MapRule, OneOf

Choose = Callable[[Any, Record, ItemState], frozenset[str]]
"""Reads an alternative of a mapping; returns the keys that it names."""

_BEGINNINGS: dict[str, Any] = {"[": [None], "{": {"": None}, '"': "…", "n": None}
_SHORT = 16
"""Bytes of JSON up to which a value may be an empty list with blanks; longer values are taken to hold something."""
_EMPTY = re.compile(rb"\[\s*\]|\{\s*\}|\"\"")


def _is_empty(value: Any) -> bool:
    """Return whether a value, decoded or raw JSON, is empty."""
    if type(value) is Raw:
        return memoryview(value).nbytes < _SHORT and not first_value(value)
    return not value


def json_type_of(value: Any) -> type:
    """Return the type of a value, decoded or raw JSON."""
    return type(_BEGINNINGS.get(chr(memoryview(value)[0]), 0)) if type(value) is Raw else type(value)


def first_value(raw: Raw) -> Any:
    """Return an example of the type that raw JSON holds; it is empty if the JSON is."""
    data = bytes(raw)
    value = _BEGINNINGS.get(chr(data[0]), 0)
    return type(value)() if value is not None and _EMPTY.fullmatch(data) else value


class JsonTypes(NamedTuple):
    """Alternatives of one key each that differ in the types of their values.

    Attributes:
        shapes: For each alternative, a test of whether raw JSON may be one of its values, if there is one.
    """

    keys: tuple[str, ...]
    places: dict[tuple[str, type], int]
    slots: tuple[tuple[str, ...], ...]
    shapes: tuple[Callable[[bytes], bool] | None, ...]

    def looks_right(self, place: int, value: Any) -> bool:
        """Return whether a value, decoded or raw JSON, may belong to an alternative."""
        test = self.shapes[place]
        return test is None or test(bytes(value) if type(value) is Raw else json.encode(value))

    def which(self, value: Mapping[str, Any]) -> int | None:
        """Return the index of a mapping's alternative."""
        for key in self.keys:
            part = value.get(key)
            if part is not None:
                return self.places.get((key, json_type_of(part)))
        return None


def json_types_of(rule: OneOf, scope: Scope) -> JsonTypes | None:
    """Return the alternatives of a rule if the types of their values distinguish them; None otherwise."""
    places: dict[tuple[str, type], int] = {}
    slots, shapes = [], []
    for place, choice in enumerate(rule.alternatives):
        only = choice.fields[0] if isinstance(choice, MapRule) and len(choice.fields) == 1 else None
        if only is None or not isinstance(choice, MapRule) or choice.alternatives or choice.rest is not None:
            return None
        leaf = only.rule.leaf
        if not isinstance(leaf, Bind) or not leaf.calls or len(only.keys) > 1:
            return None
        meanings = [scope.resolve(name, only.place) for name in leaf.names]
        last = build(leaf, [one.value_type for one in meanings], 1, scope.textual, only.place).codecs[-1]
        takes = last.takes
        if takes is None or (only.keys[0], takes) in places:
            return None
        places[only.keys[0], takes] = place
        slots.append(tuple(SLOT_OF.get(one.name, one.name) for one in meanings if one.where == "record"))
        shapes.append(last.looks_right)
    return JsonTypes(tuple(dict.fromkeys(key for key, _ in places)), places, tuple(slots), tuple(shapes))


def raw_held(kinds: JsonTypes) -> Callable[[Raw], tuple[str, ...] | None] | None:
    """Return a function that gives the geometry that the bytes of a JSON value hold.

    The function gives () for an empty value, and None for a value that fits no alternative. No function is returned if
    the alternatives have different keys.
    """
    if len(kinds.keys) > 1:
        return None
    known = {
        ord(first): kinds.places[kinds.keys[0], type(value)]
        for first, value in _BEGINNINGS.items()
        if (kinds.keys[0], type(value)) in kinds.places
    }

    def held(value: Raw) -> tuple[str, ...] | None:
        data = memoryview(value)
        place = known.get(data[0])
        if place is None or (data.nbytes < _SHORT and not first_value(value)):
            return None if place is None else ()
        return kinds.slots[place] if kinds.looks_right(place, value) else None

    return held


def noting(kinds: JsonTypes, named: Sequence[frozenset[str]], others: Choose) -> Choose:
    """Return a reader that notes which geometry a mapping holds without reading it; `others` takes everything else."""

    def choose(value: Any, record: Record, state: ItemState) -> frozenset[str]:
        place = kinds.which(value) if isinstance(value, dict) else None
        if place is None or not all(kinds.looks_right(place, value[key]) for key in kinds.keys if key in value):
            return others(value, record, state)
        if any(not _is_empty(value[key]) for key in kinds.keys if key in value):
            for slot in kinds.slots[place]:
                record[slot] = UNREAD
        return named[place]

    return choose
