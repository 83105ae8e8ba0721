"""Required keys that data may lack: a box that follows from other geometry, and lists of labels beside items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from formatspec.engine.base.faults import MISSING
from formatspec.language.leaf import Bind, names_of
from formatspec.language.rules import Field, MapRule, Rule, TableRule, inside
from formatspec.model.slots import TABLES

SOURCES = frozenset({"polygon", "polygons", "region", "rotated", "circle", "ellipse", "polyline", "keypoints"})
"""Slots of an object from which its box follows."""
_EMPTY = (b"null", b"[]", b"{}", b'""')


class FollowingBox(msgspec.Struct, frozen=True):
    """A key that states an object's box, and the keys of the same mapping that state other geometry of the object."""

    key: str
    sources: frozenset[str]

    def lacks(self, value: Mapping[str, Any]) -> bool:
        """Return whether a mapping states no box, but another geometry."""
        box = value.get(self.key, MISSING)
        if type(box) is list and box:
            return False
        return _says_nothing(box) and any(not _says_nothing(value.get(key, MISSING)) for key in self.sources)


def _says_nothing(value: Any) -> bool:
    """Return whether a value is missing, null or empty."""
    if type(value) is Raw:
        return bytes(value).strip() in _EMPTY
    return value is MISSING or value is None or value in ("", [], {})


def following_box(rule: Rule) -> FollowingBox | None:
    """Return the box that a mapping requires, if it may state other geometry of the same object as well."""
    if not isinstance(rule, MapRule):
        return None
    boxes = [field for field in rule.fields if not field.optional and _is_box(field)]
    sources = frozenset(
        key
        for field in _possible(rule)
        if any(slot in SOURCES for one in _own(field.rule) for slot in names_of(one.leaf))
        for key in field.keys
    )
    return FollowingBox(boxes[0].keys[0], sources) if len(boxes) == 1 and sources else None


def _possible(rule: Rule) -> Iterator[Field]:
    """Yield the fields of a mapping and of its alternatives."""
    yield from rule.fields
    for one in rule.alternatives if isinstance(rule, MapRule) else ():
        for choice in one.choices:
            yield from _possible(choice)


def _is_box(field: Field) -> bool:
    """Return whether a field holds a box and nothing else, under a key of its own."""
    if len(field.keys) > 1:
        return False
    inner = field.rule.fields if isinstance(field.rule, MapRule) and not field.rule.alternatives else ()
    leaves = [one.rule.leaf for one in inner if not one.optional] if inner else [field.rule.leaf]
    return bool(leaves) and all(isinstance(leaf, Bind) and leaf.names == ("bbox",) for leaf in leaves)


def _own(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and the rules in it, without those of other records."""
    if not isinstance(rule, TableRule):
        yield rule
        for one in inside(rule):
            yield from _own(one)


class LabelLists(msgspec.Struct, frozen=True):
    """Required lists of a document: of labels of any kind, and of categories; `named` are all keys of the document."""

    labels: frozenset[str]
    categories: frozenset[str]
    named: frozenset[str]

    def lacks(self, value: Mapping[str, Any]) -> bool:
        """Return whether a document lists items and no labels of them, not even under a key that no rule names."""
        if any(key in value for key in self.labels):
            return False
        others = (part for key, part in value.items() if key not in self.named)
        return not any(map(_may_hold_rows, others))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all these lists."""
        return self.labels | self.categories


def _may_hold_rows(part: Any) -> bool:
    """Return whether a part of a document is a list of anything, or a mapping that holds lists or mappings."""
    if isinstance(part, dict):
        return any(isinstance(inner, dict | list | tuple) and bool(inner) for inner in part.values())
    return isinstance(part, list | tuple) and bool(part)


_OF_ITEMS = frozenset({"object", "label", "caption", "area"})
"""Kinds of records that tell of an item, which may have none of them."""


def label_lists(rule: Rule) -> LabelLists | None:
    """Return the lists of labels that a document requires beside a list of items; None if it does not list both."""
    if not isinstance(rule, MapRule):
        return None
    required = [field for field in rule.fields if not field.optional and field.rule.tables]
    kinds = {field.keys[0]: {TABLES[one.each.table] for one in field.rule.tables} for field in required}
    labels = frozenset(key for key, found in kinds.items() if found <= _OF_ITEMS)
    if not labels or not any("item" in found for found in kinds.values()):
        return None
    named = frozenset(key for field in rule.fields for key in field.keys)
    categories = frozenset(key for key, found in kinds.items() if found == {"category"})
    return LabelLists(labels, categories, named)


def lenient(rule: MapRule, keys: Iterable[str]) -> MapRule:
    """Return the rule of a mapping that may lack some keys."""
    known = frozenset(keys)
    fields = (replace(one, optional=one.optional or known.issuperset(one.keys)) for one in rule.fields)
    return replace(rule, fields=tuple(fields))
