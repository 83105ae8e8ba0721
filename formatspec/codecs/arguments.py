"""Reads the arguments of a codec call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from formatspec.codecs.registry import Argument


class BadArgumentsError(ValueError):
    """A spec calls a codec with arguments that it does not take."""


def plain(arguments: Sequence[Argument], at_least: int = 0, at_most: int | None = None) -> tuple[Any, ...]:
    """Return the values of arguments that are not pairs.

    There must be at least `at_least` and at most `at_most` of them (by default exactly `at_least`).
    """
    at_most = at_least if at_most is None else at_most
    if any(argument.paired for argument in arguments):
        raise BadArgumentsError("takes no pairs a=b")
    if not at_least <= len(arguments) <= at_most:
        count = f"{at_least}" if at_least == at_most else f"{at_least} to {at_most}"
        raise BadArgumentsError(f"takes {count} arguments, not {len(arguments)}")
    return tuple(argument.value for argument in arguments)


def whole(value: object, minimum: int) -> int:
    """Return an argument that is a whole number of at least `minimum`."""
    if type(value) is not int or value < minimum:
        raise BadArgumentsError(f"takes a whole number of at least {minimum}, not {value!r}")
    return value


def optional_count(arguments: Sequence[Argument]) -> int | None:
    """Return the argument `n` of codecs like `pairs(2)`; None for `pairs` without one."""
    values = plain(arguments, 0, 1)
    return whole(values[0], 1) if values else None


def text(value: object) -> str:
    """Return an argument that is a text and not empty."""
    if not isinstance(value, str) or not value:
        raise BadArgumentsError(f"takes a text, not {value!r}")
    return value


def names(values: Sequence[object], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return arguments that are all among the names `allowed`."""
    for value in values:
        if value not in allowed:
            raise BadArgumentsError(f"takes {', '.join(allowed)}, not {value!r}")
    return tuple(str(value) for value in values)
