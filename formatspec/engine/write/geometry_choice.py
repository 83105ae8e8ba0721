"""Which geometry an alternative can hold, and which of several alternatives fits an object's stated geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from formatspec.engine.evaluate.write_context import GEOMETRY, WriteContext, states
from formatspec.engine.resolve.held_slots import BITS, SLOT_OF, stated_bits
from formatspec.language.leaf import bindings
from formatspec.language.rules import LeafRule, ListRule, MapRule, Rule
from formatspec.model import derive
from formatspec.model.records import Object

Geometry = frozenset[str]
"""The geometry slots that an alternative can hold."""
BOX_ONLY: Geometry = frozenset({"bbox"})
KEYPOINTS_ONLY: Geometry = frozenset({"keypoints"})
OUTLINES: Geometry = frozenset({"polygon", "polygons"})


def shape_of(rule: Rule) -> Geometry:
    """Return the geometry slots that a rule's leaves bind."""
    return frozenset(name for name in bound_names(rule) if name in GEOMETRY)


class Fitting(NamedTuple):
    """The alternatives, given by their positions, grouped by how well they hold an object's geometry.

    Attributes:
        stated: Alternatives all of whose geometry the object states.
        first: Those of `stated` that hold any geometry; all of `stated` where no alternative holds geometry.
        others: All other alternatives, in the order in which they are tried.
    """

    stated: tuple[int, ...]
    first: tuple[int, ...]
    others: tuple[int, ...]


def shape_chooser(shapes: Sequence[Geometry]) -> Callable[[WriteContext, Any], Fitting]:
    """Return a function that says which of several alternatives fit a record's stated geometry.

    Alternatives come in their order, one for a box alone last. If an object's region is its stated geometry, an outline
    can follow from it: that outline is preferred to a box alone if it stands before it, and also if an alternative for
    the region stands before the outline but cannot hold this region. The answer depends only on which slots are stated,
    so it is computed once for each combination of them.
    """
    names = frozenset().union(*shapes)
    bits = {name: BITS[SLOT_OF.get(name, name)] for name in names}
    asked = sum(set(bits.values()))
    known: dict[tuple[int, bool, bool], Fitting] = {}

    def choose(context: WriteContext, record: Any) -> Fitting:
        is_object = isinstance(record, Object)
        stated = stated_bits(record) & asked if is_object else asked
        by_region = is_object and bool(record.region) and not context.setting.apart
        unseen = is_object and bool(record.keypoints) and _says_more_than_keypoints(record)
        found = known.get((stated, by_region, unseen))
        if found is None:
            slots = frozenset(name for name, bit in bits.items() if stated & bit)
            found = known[stated, by_region, unseen] = _fitting(shapes, slots, by_region, unseen)
        return found

    return choose


def _says_more_than_keypoints(thing: Object) -> bool:
    """Whether none of an object's keypoints is labelled while it has other geometry."""
    return not derive.labelled(thing) and any(states(thing, name) for name in GEOMETRY if name != "keypoints")


def _fitting(shapes: Sequence[Geometry], slots: Geometry, by_region: bool, unseen: bool) -> Fitting:
    """Return which alternatives fit an object with these slots.

    Args:
        shapes: The geometry that each alternative holds.
        slots: The geometry that the object states.
        by_region: Whether an outline may be computed from the object's region.
        unseen: Whether an alternative for keypoints alone would lose the object's other geometry.
    """
    fitting = sorted(
        (place for place, shape in enumerate(shapes) if shape <= slots and not (unseen and shape == KEYPOINTS_ONLY)),
        key=lambda p: shapes[p] == BOX_ONLY,
    )
    if by_region:
        whole = next((place for place in fitting if shapes[place] - BOX_ONLY), None)
        outline = next((place for place, shape in enumerate(shapes) if shape & OUTLINES), None)
        if outline is not None and outline not in fitting and (whole is None or outline >= whole):
            outlines = (p for p, shape in enumerate(shapes) if shape & OUTLINES and shape - OUTLINES <= slots)
            fitting = sorted({*outlines, *fitting})
    # An alternative without geometry is not preferred to one whose geometry is computed.
    first = [place for place in fitting if shapes[place]] if any(shapes) else fitting
    others = (place for place in range(len(shapes)) if place not in first)
    last = sorted(others, key=lambda place: not (shapes[place] - BOX_ONLY) & slots)
    return Fitting(tuple(fitting), tuple(first), tuple(last))


def bound_names(rule: Rule) -> Iterator[str]:
    """Yield the names that the leaves of a rule bind, without those of tables inside it."""
    if isinstance(rule, LeafRule):
        for bind in bindings(rule.leaf):
            yield from bind.names
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            yield from bound_names(field.rule)
    elif isinstance(rule, ListRule):
        for one in rule.rules:
            yield from bound_names(one)
