"""Chooses the options of a format that nobody stated, by what the objects hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formatspec.engine.resolve.held_slots import BITS, stated_bits
from formatspec.language.schema import OptionSpec
from formatspec.model.records import Item

PEEKED = 100
"""How many items are looked at to choose an option."""


def with_following(
    stated: Mapping[str, Any], options: Mapping[str, OptionSpec], items: Callable[[], Iterable[Item]]
) -> dict[str, Any]:
    """Return the stated options, and a choice for each option that follows from the objects of the first items.

    Args:
        stated: The options that the user stated.
        options: The options of the format.
        items: Gives the items from the start; it is called once for each option to choose.
    """
    found = dict(stated)
    for name, option in options.items():
        if found.get(name) is None and option.follows:
            found[name] = _following(items(), option.follows)
        elif found.get(name) is None and option.counts:
            found[name] = _most(items(), option.counts)
    return found


def _most(items: Iterable[Item], slot: str) -> int | None:
    """Return the most values that a slot has in an object of the first items; None if no object has any."""
    things = (thing for item in itertools.islice(items, PEEKED) for thing in item.objects)
    return max((len(getattr(thing, slot)) for thing in things), default=0) or None


def _following(items: Iterable[Item], follows: Mapping[str, Any]) -> Any:
    """Return the choice of the first slot, in the option's order, that the first items hold.

    Objects are looked at first, then areas.
    """
    bits, of_areas = 0, 0
    for item in itertools.islice(items, PEEKED):
        for thing in item.objects:
            bits |= stated_bits(thing)
        of_areas |= BITS["region"] if item.areas else 0
    bits = bits or of_areas
    return next((choice for slot, choice in follows.items() if bits & BITS.get(slot, 0)), list(follows.values())[-1])
