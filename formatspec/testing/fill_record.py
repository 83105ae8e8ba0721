"""Generates values for the slots of one record, leaf by leaf."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.model.records import Category
from formatspec.testing import carry
from formatspec.testing.outline import Bound, Chosen


def fill_record(
    rng: random.Random, bounds: Sequence[Bound], env: Env, known: Mapping[str, Any], choices: Mapping[int, int]
) -> dict[str, Any]:
    """Return values for the slots of a record: those of the chosen alternatives, and some of the others."""
    values: dict[str, Any] = dict(known)
    for bound in bounds:
        if not _chosen(bound, choices, bounds):
            continue
        if all(slot in values for slot in bound.slots) and not any(slot in ("polygon",) for slot in bound.slots):
            continue
        if not bound.required and rng.random() < 0.4:
            for slot in bound.slots:
                values.setdefault(slot, None)
            continue
        made = leaf_value(rng, bound, bounds, env)
        for slot, value in zip(bound.slots, made, strict=True):
            if values.get(slot) is None:
                values[slot] = value
    return values


def leaf_value(rng: random.Random, bound: Bound, bounds: Sequence[Bound], env: Env) -> tuple[Any, ...]:
    """Return values that this leaf, and every other leaf of the same slots, takes; None for each if none was found.

    Raises LawBrokenError if a leaf reads another value than it wrote.
    """
    alike = (bound, *(o for o in bounds if o is not bound and o.slots == bound.slots and o.choice == bound.choice))
    try:
        value = carry.make(alike, rng, env)
    except UnfitError:
        return (None,) * len(bound.slots)
    return (value,) if len(bound.slots) == 1 else tuple(value)


def _chosen(bound: Bound, choices: Mapping[int, int], bounds: Sequence[Bound]) -> bool:
    for number, place in bound.choice:
        count = 1 + max(p for other in bounds for n, p in other.choice if n == number)
        if choices.get(number, 0) % count != place:
            return False
    return True


def is_id_untold(bounds: Sequence[Bound], chosen: Sequence[Chosen], context: WriteContext) -> bool:
    """Return whether each table that states ids of objects has a condition that a context's object does not meet."""
    conditions = {at: holds for at, of_item, holds in chosen if not of_item}
    told = [conditions.get(one.choice[-1]) if one.choice else None for one in bounds if "id" in one.slots]
    return bool(told) and all(holds is not None and not holds(context) for holds in told)


def attributes_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes among the values of slots, without unset ones."""
    found = {
        slot.removeprefix("attributes."): value
        for slot, value in values.items()
        if slot.startswith("attributes.") and value is not None and value != {}
    }
    return {**(whole if isinstance(whole := values.get("attributes"), dict) else {}), **found}


def counted_keypoints(slots: Mapping[str, Any], category: Category) -> dict[str, Any]:
    """Return as many keypoints as an object's category names, if both are stated."""
    points, named = slots.get("keypoints"), len(category.keypoint_names)
    return {"keypoints": (points * named)[:named]} if points and named else {}


def category_of(values: Mapping[str, Any]) -> Category:
    """Return a category from the values of its slots."""
    fields = set(Category.__struct_fields__)
    plain = {slot: value for slot, value in values.items() if slot in fields and value is not None}
    plain["attributes"] = attributes_of(values)
    return Category(**plain)


def of_category(bound: Bound) -> Bound:
    """Return a leaf of rows as a leaf of the category itself."""
    slots = tuple(slot.removeprefix("label.").removeprefix("category.") for slot in bound.slots)
    return replace(bound, slots=slots, choice=())
