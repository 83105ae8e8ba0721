"""What one leaf carries: a value that it writes must read back unchanged.

Whether a leaf takes a value is decided by writing alone: by what each codec's `fit` leaves unchanged, and what `encode`
accepts. Decoders are not asked, so a wrong decoder cannot hide the values that it reads wrongly.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from formatspec.codecs import values
from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.slot_values import TYPES
from formatspec.language.errors import Problem
from formatspec.testing.outline import Bound
from formatspec.testing.values import MAKERS

DIGITS = 1e-9
"""Numbers that differ by less, relative to the larger of them and to 1, count as equal, because of rounding."""

TRIES = 12
TRIES_AT_LEAST = 300
"""How many values are tried before a leaf is reported to carry none."""
VALUES = 6
"""How many values that a leaf takes are written and read back: whole numbers and fractions, one element and several."""
_TRY = "try another codec, or the same codecs in another order"


class LawBrokenError(AssertionError):
    """A law does not hold; the message says where, and what differs."""


def close(a: Any, b: Any) -> bool:
    """Return whether two values are equal, with numbers up to rounding in the ninth digit.

    Integers must be equal; a tuple equals a list of the same elements; true and false equal no number.
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return type(a) is type(b) and a == b
    if isinstance(a, int | float) and isinstance(b, int | float):
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        return abs(a - b) <= DIGITS * max(1.0, abs(a), abs(b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    return bool(a == b)


def make(bounds: Sequence[Bound], rng: random.Random, env: Env, tries: int = TRIES, empty: bool = True) -> Any:
    """Return a random value of the slots of some leaves, which all of these leaves take.

    Args:
        bounds: The leaves, at least one.
        rng: The source of randomness.
        env: The image's size and the columns of a table.
        tries: How many values are tried.
        empty: Whether null and empty values may be returned.

    Returns:
        One value, or a tuple with a value for each slot if the leaves bind several.

    Raises:
        UnfitError: None of the values fits.
        LawBrokenError: A leaf reads another value than it wrote.
    """
    textual = any(bound.textual for bound in bounds)
    refusal = UnfitError("a value")
    for _ in range(tries):
        try:
            value = _made(bounds[0], textual, rng, env)
            if not empty and value in (None, (), {}):
                continue
            for bound in bounds:
                carry(bound, value, env)
        except UnfitError as unfit:
            refusal = unfit
        else:
            return value
    raise refusal


def empty_leaves(bounds: Iterable[Bound], env: Env) -> Iterator[Problem]:
    """Yield the leaves that carry no value of their slots, because values are lost or codecs accept none.

    Null and empty values do not count. Raises LawBrokenError if a leaf reads another value than it wrote.
    """
    seen = set()
    for bound in bounds:
        if (bound.place, bound.keys, bound.slots) in seen:
            continue
        seen.add((bound.place, bound.keys, bound.slots))
        rng = random.Random(0)
        try:
            taken = [make((bound,), rng, env, TRIES_AT_LEAST, empty=False)]
        except UnfitError as unfit:
            yield _problem(bound, unfit)
            continue
        with suppress(UnfitError):
            taken += [make((bound,), rng, env, empty=False) for _ in range(VALUES - 1)]
            if bound.column:
                _carry(bound, tuple(taken), env)


def _problem(bound: Bound, unfit: UnfitError) -> Problem:
    """Return the problem of a leaf that took none of the values; `unfit` is why it refused the last one."""
    kinds = zip(bound.slots, bound.types, strict=True)
    slots = " and ".join(f"`{slot}` is {_KINDS.get(kind, kind)}" for slot, kind in kinds)
    got = "" if unfit.got is None else f", not {str(unfit.got)[:80]}"
    return Problem(
        f"{bound.named} can carry no value: {slots}, but its codecs take none of {TRIES_AT_LEAST} values tried",
        bound.place,
        f"{unfit.expected}{got}",
        "use codecs that take this slot, or bind another slot",
    )


_KINDS = {
    "box": "4 numbers (x, y, width, height)",
    "rotated": "5 numbers (centre x, centre y, width, height, angle)",
    "circle": "3 numbers (centre x, centre y, radius)",
    "ring": "one ring (x, y, x, y, …)",
    "rings": "a list of rings",
    "keypoints": "a list of (x, y, visibility)",
    "texts": "a list of texts",
    "id": "an id",
    "int": "an integer",
    "number": "a number",
    "json": "any value",
    "edges": "pairs of keypoints",
    "mapping": "a mapping",
    "bool": "true or false",
    "region": "a mask",
    "color": "a colour",
}


def _made(bound: Bound, textual: bool, rng: random.Random, env: Env) -> Any:
    """Return a random value of the kind that the first codec takes."""
    makers = [MAKERS.get(_made_as(kind, bound), MAKERS["text"]) for kind in bound.types]
    made = [maker(rng, env.width, env.height, textual) for maker in makers]
    value: Any = made[0] if len(made) == 1 else tuple(made)
    try:
        for codec in bound.chain.codecs[:1]:
            if bound.each:
                return {name: codec.fit(part, rng, env) for name, part in value.items()}
            if bound.column:
                return next(iter(values.sequence(codec.fit((value,), rng, env))), value)
            return codec.fit(value, rng, env)
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnfitError("a value of another type", value) from error
    return value


def _made_as(kind: str, bound: Bound) -> str:
    """Return the type of value to make: a number if a placeholder spells one."""
    number = (bound.leaf.format or "").endswith("d") or bound.leaf.format == "f"
    return {True: "int" if bound.leaf.format != "f" else "number"}.get(number and kind == "json", kind)


def carry(bound: Bound, value: Any, env: Env) -> None:
    """Write a value with a leaf and read it back.

    Raises:
        UnfitError: The leaf does not take the value.
        LawBrokenError: The leaf takes the value, and reads another one.
    """
    if bound.column:
        _carry(bound, (value,), env)
        return
    if not bound.each:
        _check_types(bound, value, env)
    for one in value.values() if bound.each else (value,):
        _carry(bound, one, env)


def takes(bounds: Iterable[Bound], value: Any, env: Env) -> bool:
    """Return whether all leaves take a value. Raises LawBrokenError if one reads another value than it wrote."""
    try:
        for bound in bounds:
            carry(bound, value, env)
    except UnfitError:
        return False
    return True


def _carry(bound: Bound, value: Any, env: Env) -> None:
    _check_fits(bound, value, env)
    text = bound.chain.encode(value, env)
    joined = values.is_sequence(value)  # a codec may put each element of a list on a line of its own
    if isinstance(text, str) and (("\n" in text and not joined) or text != text.strip() or not text):
        raise UnfitError("a text of one line, with no blanks around it", value)
    try:
        back = bound.chain.decode(text, env)
    except UnfitError as unfit:
        expected = f"refuses to read it: it expects {unfit.expected}"
        said = f"{bound.named} writes {value!r} as {text!r} and {expected}"
        raise LawBrokenError(f"{bound.place}: {said}; {_TRY}") from None
    if not close(back, value):
        said = f"{bound.named} writes {value!r} as {text!r} and reads {back!r}"
        raise LawBrokenError(f"{bound.place}: {said}; {_TRY}")


def _check_fits(bound: Bound, value: Any, env: Env) -> None:
    """Raise UnfitError if the first codec cannot carry a value without loss, by its `fit`."""
    for codec in bound.chain.codecs[:1]:
        if not close(codec.fit(value, random.Random(0), env), value):
            raise UnfitError("a value that the codec carries without loss", value)


def _check_types(bound: Bound, value: Any, env: Env) -> None:
    """Raise UnfitError if a value is not of its slot's type, which a codec's `fit` may ignore."""
    for kind, one in zip(bound.types, value if len(bound.types) > 1 else (value,), strict=True):
        check = _CHECKS.get(kind) or TYPES.get(kind)  # type: ignore[call-overload]
        if check is not None and one is not None:
            check(one, env)


_CHECKS: dict[str, Callable[[Any, Env], Any]] = {
    "rings": lambda value, env: tuple(values.ring(ring) for ring in values.sequence(value)),
    "ring": lambda value, env: values.ring(value),
    "keypoints": lambda value, env: values.keypoints(value),
}
