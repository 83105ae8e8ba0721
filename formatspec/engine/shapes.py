"""Which geometry an alternative holds, and which of several fits an object as it is stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from formatspec.engine.frames import GEOMETRY, Frame, stated
from formatspec.language.leaf import bindings
from formatspec.language.rules import LeafRule, ListRule, MapRule, Rule
from formatspec.model.records import Object

Shape = frozenset[str]
"""The geometry that an alternative holds."""
BOX: Shape = frozenset({"bbox"})
OUTLINES: Shape = frozenset({"polygon", "polygons"})


def shape_of(rule: Rule) -> Shape:
    """The geometry that a rule's leaves bind."""
    return frozenset(name for name in bound_names(rule) if name in GEOMETRY)


def fitting_shapes(shapes: Sequence[Shape], frame: Frame, record: Any) -> tuple[int, ...]:
    """Which of several alternatives hold a record's geometry as it is stated, in order.

    Where only a plain box does, an outline that stands before it and follows from the object's region is better.
    """
    exact = tuple(place for place, shape in enumerate(shapes) if all(stated(record, name) for name in shape))
    if frame.setting.apart or not isinstance(record, Object) or not record.region:
        return exact
    if any(shapes[place] - BOX for place in exact):
        return exact
    outline = next((place for place, shape in enumerate(shapes) if shape & OUTLINES), None)
    if outline is None or not all(stated(record, name) for name in shapes[outline] - OUTLINES):
        return exact
    return tuple(sorted((outline, *exact)))


def bound_names(rule: Rule) -> Iterator[str]:
    """The names that the leaves of a rule bind, tables inside it left out."""
    if isinstance(rule, LeafRule):
        for bind in bindings(rule.leaf):
            yield from bind.names
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            yield from bound_names(field.rule)
    elif isinstance(rule, ListRule):
        for one in rule.rules:
            yield from bound_names(one)
