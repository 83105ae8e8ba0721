"""Compares plain values including their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCALARS = frozenset({int, float, str, bool, type(None)})


def same_value(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of one type, including the values in lists and mappings.

    0, 0.0, "0" and false all differ, and so do [1] and [1.0]. A list equals a tuple of the same elements. Subclasses of
    int, float and str count as their base class. The order of a mapping's keys does not matter.

    Args:
        one: A value as documents hold it, or anything that can be compared.
        other: Another such value.
    """
    kind = type(one)
    if kind in _SCALARS and kind is type(other):
        return one is other or bool(one == other)
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(
            same_value(value, other[key]) for key, value in one.items()
        )  # fmt: skip
    return _kind(one) is _kind(other) and (one is other or bool(one == other))


def _kind(value: Any) -> type:
    """Return the plain type of a value, bool before int since True is an int; other values have their own type."""
    return next((kind for kind in (bool, int, float, str) if isinstance(value, kind)), type(value))
