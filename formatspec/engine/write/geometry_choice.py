"""Which geometry an alternative holds, and which of several fits an object as it is stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from formatspec.engine.evaluate.write_context import GEOMETRY, WriteContext, states
from formatspec.language.leaf import bindings
from formatspec.language.rules import LeafRule, ListRule, MapRule, Rule
from formatspec.model.records import Object

Geometry = frozenset[str]
"""The geometry that an alternative holds."""
BOX_ONLY: Geometry = frozenset({"bbox"})
OUTLINES: Geometry = frozenset({"polygon", "polygons"})


def shape_of(rule: Rule) -> Geometry:
    """The geometry that a rule's leaves bind."""
    return frozenset(name for name in bound_names(rule) if name in GEOMETRY)


def fitting_shapes(shapes: Sequence[Geometry], context: WriteContext, record: Any) -> tuple[int, ...]:
    """Which of several alternatives hold a record's geometry as it is stated, in order; a plain box stands last.

    Where only a plain box does, an outline that stands before it and follows from the object's region is better; so it
    is where an alternative for the region, which stands before that outline, cannot hold this one.
    """
    stated = (place for place, shape in enumerate(shapes) if all(states(record, name) for name in shape))
    exact = tuple(sorted(stated, key=lambda place: shapes[place] == BOX_ONLY))
    if context.setting.apart or not isinstance(record, Object) or not record.region:
        return exact
    whole = next((place for place in exact if shapes[place] - BOX_ONLY), None)
    outline = next((place for place, shape in enumerate(shapes) if shape & OUTLINES), None)
    if outline is None or outline in exact or (whole is not None and outline < whole):
        return exact
    outlines = (
        place
        for place, shape in enumerate(shapes)
        if shape & OUTLINES and all(states(record, name) for name in shape - OUTLINES)
    )
    return tuple(sorted({*outlines, *exact}))


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
