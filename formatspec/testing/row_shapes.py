"""The geometry that rows of objects need, and whether an object has it."""

from __future__ import annotations

from formatspec.engine.evaluate.write_context import states
from formatspec.engine.write.geometry_choice import bound_names, shape_of
from formatspec.language.rules import Rule
from formatspec.model import derive
from formatspec.model.records import Object


def _in_attributes(row: Rule) -> frozenset[str]:
    """Return the first attribute that a row without geometry binds."""
    return frozenset([name for name in bound_names(row) if name.startswith("attributes.")][:1])


def can_state(thing: Object, name: str) -> bool:
    """Return whether an object states a geometry or an attribute, or another geometry from which it follows."""
    if name.startswith("attributes."):
        return thing.attributes.get(name.removeprefix("attributes.")) is not None
    if name == "bbox":
        return derive.bbox(thing) is not None
    return states(thing, name) or (name in ("polygon", "polygons") and bool(derive.polygons(thing)))


def is_unlabelled(thing: Object) -> bool:
    """Return whether keypoints of which none is labelled are all that an object states of where it is."""
    labelled = any(visible for *_, visible in thing.keypoints)
    return bool(thing.keypoints) and not labelled and derive.bbox(thing) is None


def row_shapes(row: Rule) -> list[frozenset[str]]:
    """Return the geometry of each way to write a row; ways without any are left out if others have some."""
    own = shape_of(row)
    choices = [choice for one in getattr(row, "alternatives", ()) for choice in one.alternatives]
    return [shape for choice in choices if (shape := own | shape_of(choice))] or [own or _in_attributes(row)]
