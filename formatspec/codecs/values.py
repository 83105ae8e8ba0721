"""Checks for codecs' values: each function returns the value in its proper form, or raises `UnfitError`."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any, TypeAlias, TypeGuard

from formatspec.codecs.registry import Site, UnfitError
from formatspec.model.plain.decimals import read_decimal, spell_decimal

Number: TypeAlias = int | float
Ring: TypeAlias = tuple[Number, ...]

FARTHEST = 1e15
"""Beyond this, floats no longer resolve a pixel, and sums of coordinates may overflow."""

VISIBLE = 2


def is_number(value: object) -> TypeGuard[Number]:
    """Return whether a value is a finite int or float; a bool is not."""
    return type(value) is int or (isinstance(value, float) and math.isfinite(value))


def number(value: object) -> Number:
    """Return the value if it is an int or a finite float. Raises UnfitError for anything else, including booleans."""
    if is_number(value):
        return value
    raise UnfitError("a finite number", value)


def coordinate(value: object) -> Number:
    """Return a number that is small enough for calculations."""
    found = number(value)
    if not -FARTHEST < found < FARTHEST:
        raise UnfitError("a coordinate in pixels", value)
    return found


def whole(value: object, minimum: int = 0) -> int:
    """Return an int of at least `minimum`."""
    if type(value) is not int or value < minimum:
        raise UnfitError(f"a whole number of at least {minimum}", value)
    return value


def integral(value: object, minimum: int = 0) -> int:
    """Return a whole number as an int, also if it is a float such as 3.0."""
    found = coordinate(value)
    if found != int(found) or found < minimum:
        raise UnfitError(f"a whole number of at least {minimum}", value)
    return int(found)


def text(value: object) -> str:
    """Return the value if it is a str. Raises UnfitError for anything else."""
    if not isinstance(value, str):
        raise UnfitError("a text", value)
    return value


def is_sequence(value: object) -> bool:
    """Return whether a value is a list or a tuple."""
    return isinstance(value, (list, tuple))


def sequence(value: object, length: int | None = None) -> tuple[Any, ...]:
    """Return a list or tuple as a tuple; of `length` elements if that is given."""
    if isinstance(value, (list, tuple)) and (length is None or len(value) == length):
        return tuple(value)
    raise UnfitError("a list" if length is None else f"a list of {length}", value)


def numbers(value: object, length: int | None = None) -> tuple[Number, ...]:
    """Return the finite numbers of a list or a tuple.

    Raises:
        UnfitError: The value is anything else, or has not `length` numbers.
    """
    return tuple(number(element) for element in sequence(value, length))


def coordinates(value: object, length: int | None = None) -> tuple[Number, ...]:
    """Return the coordinates of a list or a tuple, in pixels, each nearer to 0 than FARTHEST.

    The loop handles floats and ints, which nearly all coordinates are, about three times as fast as `coordinate`.

    Args:
        value: A list or a tuple of numbers.
        length: How many numbers there must be, or None for any number of them.

    Raises:
        UnfitError: The value is no sequence of this length, or an element is no coordinate.
    """
    if (type(value) is tuple or type(value) is list) and (length is None or len(value) == length):
        for element in value:
            kind = type(element)
            if (kind is not float and kind is not int) or not -FARTHEST < element < FARTHEST:
                break  # `coordinate` raises below
        else:
            return tuple(value)
    return tuple(coordinate(element) for element in sequence(value, length))


def bbox(value: object) -> tuple[Number, Number, Number, Number]:
    """Return x, y, width, height; in pixels, with the origin at the outer corner of the first pixel."""
    x, y, width, height = coordinates(value, 4)
    if width < 0 or height < 0:
        raise UnfitError("a box with a width and a height of at least 0", value)
    return x, y, width, height


def ring(value: object) -> Ring:
    """Return a flat tuple x0, y0, x1, y1 and so on."""
    found = coordinates(value)
    if len(found) % 2:
        raise UnfitError("an even count of coordinates", value, "POLYGON")
    return found


def ring_of_pairs(value: object) -> Ring:
    """Return the ring of [[x0, y0], [x1, y1], …]."""
    return tuple(coordinate(c) for point in sequence(value) for c in sequence(point, 2))


def keypoints(value: object) -> tuple[tuple[Number, Number, int], ...]:
    """Return keypoints (x, y, visibility) with a visibility of 0, 1 or 2."""
    return tuple(_keypoint(point) for point in sequence(value))


def _keypoint(value: object) -> tuple[Number, Number, int]:
    x, y, visibility = sequence(value, 3)
    return coordinate(x), coordinate(y), seen(visibility)


def seen(value: object) -> int:
    """Return a keypoint's visibility: 0, 1 or 2."""
    found = number(value)
    if found not in (0, 1, 2):
        raise UnfitError("a visibility of 0, 1 or 2", value)
    return int(found)


def ring_of_visible(value: object) -> Ring:
    """Return the points of keypoints that are all visible."""
    found = keypoints(value)
    if any(visibility != VISIBLE for _, _, visibility in found):
        raise UnfitError("keypoints that are all visible", value)
    return tuple(c for x, y, _ in found for c in (x, y))


def is_keypoints(value: object) -> bool:
    """Return whether a value is nested three deep, as keypoints are."""
    return isinstance(value, (list, tuple)) and bool(value) and is_sequence(value[0]) and len(value[0]) == 3


def ring_of(value: object) -> Ring:
    """Return the ring of a ring, of pairs, or of keypoints that are all visible."""
    items = sequence(value)
    if is_keypoints(items):
        return ring_of_visible(items)
    if items and is_sequence(items[0]):
        return ring_of_pairs(items)
    return ring(items)


def listed(site: Site, found: Iterable[Any]) -> Any:
    """Return a tuple if the file has several keys, or else a list."""
    return tuple(found) if site.right > 1 else list(found)


def as_pairs(flat: Ring) -> list[list[Number]]:
    """Return flat coordinates x0, y0, x1, y1, … as a list of pairs [x, y]."""
    return [[flat[i], flat[i + 1]] for i in range(0, len(flat), 2)]


def read_number(spelled: str) -> Number:
    """The finite number that a text spells, in any spelling that has one meaning: `10.`, `.5` and `+007` too.

    It is an int where neither a point nor an exponent is spelled.

    Raises:
        UnfitError: The text spells no number, or none that a double holds.
    """
    found = read_decimal(spelled)
    if found is None:
        raise UnfitError("a number", spelled)
    return number(found)


def spell_number(value: object) -> str:
    """The shortest decimal that reads back as the same number, without an exponent where it needs none.

    Raises:
        UnfitError: The value is no finite number, or an int of more than 1000 bits.
    """
    found = number(value)
    if isinstance(found, int) and found.bit_length() > 1000:
        raise UnfitError("a number of fewer digits", value)
    return spell_decimal(found)


def any_whole(value: object, rng: random.Random, below: int) -> int:
    """Return a whole number in [0, below), the value itself if possible; used by `fit`."""
    return abs(value) % below if type(value) is int else rng.randrange(below)


def any_bool(value: object, rng: random.Random) -> bool:
    """Return a boolean, the value itself if possible, else a random one; used by `fit`."""
    return value if isinstance(value, bool) else rng.random() < 0.5
