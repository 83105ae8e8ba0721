"""Numbers and tuples of numbers: digits, bits, steps, spread, from, times, whole, positive, reversed, numbers."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs import values
from formatspec.codecs.arguments import BadArgumentsError, optional_count, plain, whole
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.pixels.palettes import palette_color

DEEPEST = 8
"""How deep `from` looks into nested lists."""


@codec("numbers")
def numbers(arguments: Sequence[Argument], site: Site) -> Codec:
    """`numbers(3)`: a tuple of three numbers. `numbers`: a tuple of any length."""
    count = optional_count(arguments)
    if count is None and site.right > 1:
        count = site.right

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        found = tuple(value) if values.is_sequence(value) else (value,)
        found = tuple(v if values.is_number(v) else rng.randrange(256) for v in found)
        return found if count is None else (found + (0,) * count)[:count]

    return Codec(
        encode=lambda value, env: values.listed(site, values.numbers(value, count)),
        decode=lambda value, env: values.numbers(value, count),
        kind="numbers",
        arity=count,
        fit=fit,
    )


def _combine(found: Sequence[int], base: int) -> int:
    """Join digits to one number; the first part may have several digits, each other part has one."""
    total = found[0]
    for digit in found[1:]:
        total = total * base + digit
    return total


def _take_apart(value: int, base: int, count: int) -> tuple[int, ...]:
    """Split a number into `count` parts; each part but the first is one digit."""
    digits: list[int] = []
    for _ in range(count - 1):
        value, digit = divmod(value, base)
        digits.append(digit)
    return (value, *reversed(digits))


def _whole_and_digits(value: object, base: int, count: int) -> tuple[int, ...]:
    first, *rest = (values.whole(element) for element in values.sequence(value, count))
    for digit in rest:
        if digit >= base:
            raise UnfitError(f"a number below {base}", digit)
    return (first, *rest)


def _one_digit(base: int) -> Codec:
    def check(value: Any, env: Env) -> Any:
        if values.whole(value) >= base:
            raise UnfitError(f"a number below {base}", value)
        return value

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        return values.any_whole(value, rng, base)

    return Codec(encode=check, decode=check, kind="number", fit=fit)


@codec("digits")
def digits(arguments: Sequence[Argument], site: Site) -> Codec:
    """`digits(base)`: the digits of a whole number, the most significant first.

    With one slot and several keys, the number is split into one digit for each key. With several slots and one key, the
    slots are combined to a * base + b, with b below the base. With one slot and one key, the number has one digit.
    """
    base = whole(plain(arguments, 1)[0], 2)
    left, right = site.left, site.right
    if left == right == 1:
        return _one_digit(base)
    limit = base**right if right > 1 else None

    def encode(value: Any, env: Env) -> Any:
        number = values.whole(value) if left == 1 else _combine(_whole_and_digits(value, base, left), base)
        if limit is None:
            return number
        if number >= limit:
            raise UnfitError(f"a number below {limit}", number)
        return _take_apart(number, base, right)

    def decode(value: Any, env: Env) -> Any:
        if limit is None:
            number = values.whole(value)
        else:
            found = _whole_and_digits(value, base, right)
            number = _combine(found, base)
            if number >= limit:
                raise UnfitError(f"a number below {base}", found[0])
        return number if left == 1 else _take_apart(number, base, left)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        if left == 1:
            return values.any_whole(value, rng, base**right)
        found = tuple(value) if values.is_sequence(value) and len(value) == left else (None,) * left
        first = abs(found[0]) if type(found[0]) is int else rng.randrange(base)
        number = _combine((first, *(values.any_whole(v, rng, base) for v in found[1:])), base)
        return _take_apart(number if limit is None else number % limit, base, left)

    return Codec(
        encode=encode,
        decode=decode,
        kind="number" if right == 1 else "numbers",
        arity=right,
        fit=fit,
    )


@codec("bits")
def bits(arguments: Sequence[Argument], site: Site) -> Codec:
    """`bits`: a whole number below 2 ** 24 as a colour [R, G, B], as the classic palette numbers its colours.

    The bits of the number go to R, G and B in turn. The lowest bits of the number become the highest bits of the
    channels.
    """
    plain(arguments, 0)

    def encode(value: Any, env: Env) -> Any:
        number = values.whole(value)
        if number >= 1 << 24:
            raise UnfitError(f"a number below {1 << 24}", number)
        return values.listed(site, palette_color(number))

    def decode(value: Any, env: Env) -> Any:
        found = _whole_and_digits(value, 256, 3)
        if found[0] >= 256:
            raise UnfitError("a number below 256", found[0])
        return sum(
            (part >> 7 - place & 1) << 3 * place + channel for channel, part in enumerate(found) for place in range(8)
        )

    return Codec(
        encode=encode,
        decode=decode,
        kind="numbers",
        arity=3,
        fit=lambda value, rng, env: values.any_whole(value, rng, 1 << 24),
    )


def _ints(value: Any, rng: random.Random, count: int) -> tuple[int, ...]:
    found = tuple(value) if values.is_sequence(value) and len(value) == count else (None,) * count
    return tuple(abs(v) if type(v) is int else rng.randrange(256) for v in found)


@codec("steps")
def steps(arguments: Sequence[Argument], site: Site) -> Codec:
    """`steps(10, 1)`: each number is a multiple of its own step. A number in between is read as the lower multiple."""
    sizes = tuple(whole(value, 1) for value in plain(arguments, 1, 16))

    def encode(value: Any, env: Env) -> Any:
        found = values.sequence(value, len(sizes))
        return values.listed(site, [values.whole(v) * size for v, size in zip(found, sizes, strict=True)])

    def decode(value: Any, env: Env) -> Any:
        found = values.sequence(value, len(sizes))
        return tuple(values.whole(v) // size for v, size in zip(found, sizes, strict=True))

    return Codec(
        encode=encode,
        decode=decode,
        kind="numbers",
        arity=len(sizes),
        fit=lambda value, rng, env: _ints(value, rng, len(sizes)),
    )


@codec("spread")
def spread(arguments: Sequence[Argument], site: Site) -> Codec:
    """`spread(n)`: ranks k = 1 ... count are spread over 0 ... n, as the nearest number to n * k / count.

    A pair (k, count) is written so. A number that is read gives the order: its rank is its place among the numbers of
    the file. A single number is written unchanged.
    """
    top = whole(plain(arguments, 1)[0], 1)

    def encode(value: Any, env: Env) -> Any:
        if not values.is_sequence(value):
            return decode(value, env)
        rank, count = (values.whole(v) for v in values.sequence(value, 2))
        if not rank <= count <= top or count == 0:
            raise UnfitError(f"a rank among at most {top}", value)
        return (2 * top * rank + count) // (2 * count)

    def decode(value: Any, env: Env) -> Any:
        if values.whole(value) > top:
            raise UnfitError(f"a whole number of at most {top}", value)
        return value

    return Codec(
        encode=encode,
        decode=decode,
        kind="number",
        arity=1,
        fit=lambda value, rng, env: values.any_whole(value, rng, top + 1),
    )


def _shifted(value: Any, change: Callable[[int], int], container: type, depth: int = 0) -> Any:
    if not values.is_sequence(value):
        return change(value)
    if depth == DEEPEST:
        raise UnfitError("lists less deep", value)
    return container(_shifted(element, change, container, depth + 1) for element in value)


@codec("from")
def from_(arguments: Sequence[Argument], site: Site) -> Codec:
    """`from(1)`: the file counts from 1, and the model from 0; also inside nested lists.

    `from(1, 0)` is for tuples: each element has its own first number.
    """
    starts = tuple(whole(value, 0) for value in plain(arguments, 1, 16))

    def up(start: int) -> Callable[[Any], int]:
        return lambda value: values.whole(value) + start

    def down(start: int) -> Callable[[Any], int]:
        return lambda value: values.whole(value, start) - start

    def encode(value: Any, env: Env) -> Any:
        if len(starts) > 1:
            found = values.sequence(value, len(starts))
            return values.listed(site, [up(start)(v) for v, start in zip(found, starts, strict=True)])
        shifted = _shifted(value, up(starts[0]), list)
        return tuple(shifted) if site.right > 1 and isinstance(shifted, list) else shifted

    def decode(value: Any, env: Env) -> Any:
        if len(starts) > 1:
            found = values.sequence(value, len(starts))
            return tuple(down(start)(v) for v, start in zip(found, starts, strict=True))
        return _shifted(value, down(starts[0]), tuple)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        if len(starts) > 1:
            return _ints(value, rng, len(starts))
        return _shifted(value, lambda v: values.any_whole(v, rng, 2**31), tuple)

    return Codec(encode=encode, decode=decode, kind="any", fit=fit)


@codec("times")
def times(arguments: Sequence[Argument], site: Site) -> Codec:
    """`times(256)`: a whole number times 256. A number that is no multiple of 256 does not fit."""
    factor = whole(plain(arguments, 1)[0], 1)

    def decode(value: Any, env: Env) -> int:
        quotient, rest = divmod(values.whole(value), factor)
        if rest:
            raise UnfitError(f"a multiple of {factor}", value)
        return quotient

    return Codec(
        encode=lambda value, env: values.whole(value) * factor,
        decode=decode,
        kind="number",
        arity=1,
        fit=lambda value, rng, env: values.any_whole(value, rng, 2**31),
    )


@codec("whole")
def whole_(arguments: Sequence[Argument], site: Site) -> Codec:
    """`whole`: a whole number. `3.0` is read as 3; if the file's value is text, `3` and `03` are too."""
    plain(arguments, 0)

    def encode(value: Any, env: Env) -> int:
        if type(value) is not int:
            raise UnfitError("a whole number", value)
        return value

    def decode(value: Any, env: Env) -> int:
        if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 19:
            return int(value)
        found = values.coordinate(value)
        if found != int(found):
            raise UnfitError("a whole number", value)
        return int(found)

    return Codec(
        encode=encode,
        decode=decode,
        kind="number",
        arity=1,
        fit=lambda value, rng, env: value if type(value) is int else rng.randrange(1000),
    )


@codec("scaled")
def scaled(arguments: Sequence[Argument], site: Site) -> Codec:
    """`scaled(100)`: numbers times 100, such as fractions as percentages; a single number or a list.

    `scaled(100, 100, 1)` is for lists: each number has its own factor.
    """
    factors = plain(arguments, 1, 16)
    for factor in factors:
        if not values.is_number(factor) or not factor:
            raise BadArgumentsError(f"takes numbers other than 0, not {factor!r}")
    first, several = factors[0], len(factors) > 1

    def change(value: Any, times: Callable[[Any, Any], Any]) -> Any:
        if several:
            found = values.coordinates(value, len(factors))
            return tuple(one if by == 1 else times(one, by) for one, by in zip(found, factors, strict=True))
        if values.is_sequence(value):
            return tuple(change(one, times) for one in value)
        return times(values.coordinate(value), first)

    def encode(value: Any, env: Env) -> Any:
        found = change(value, operator.mul)
        return values.listed(site, found) if isinstance(found, tuple) else found

    return Codec(encode=encode, decode=lambda value, env: change(value, operator.truediv), kind="any")


@codec("hexadecimal")
def hexadecimal(arguments: Sequence[Argument], site: Site) -> Codec:
    """`hexadecimal`: a colour as "#rrggbb"."""
    plain(arguments)

    def encode(value: Any, env: Env) -> str:
        channels = [values.whole(v) for v in values.sequence(value, 3)]
        if max(channels) > 255:
            raise UnfitError("three numbers from 0 to 255", value)
        return "#" + bytes(channels).hex()

    def decode(value: Any, env: Env) -> tuple[int, ...]:
        spelled = values.text(value)
        try:
            found = tuple(bytes.fromhex(spelled[1:]))
        except ValueError:
            found = ()
        if spelled[:1] != "#" or len(found) != 3 or " " in spelled:
            raise UnfitError('a colour as "#rrggbb"', value)
        return found

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[int, ...]:
        found = tuple(value) if values.is_sequence(value) else ()
        good = len(found) == 3 and all(type(v) is int and 0 <= v < 256 for v in found)
        return found if good else tuple(rng.randbytes(3))

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


@codec("positive")
def positive(arguments: Sequence[Argument], site: Site) -> Codec:
    """`positive`: a number greater than 0. `positive(2)`: a tuple whose second number is greater than 0."""
    place = optional_count(arguments)

    def check(value: Any, env: Env) -> Any:
        found = (value,) if place is None else values.sequence(value)
        at = (place or 1) - 1
        if at >= len(found) or values.number(found[at]) <= 0:
            raise UnfitError("a number greater than 0", value)
        return value if place is None else found

    def encode(value: Any, env: Env) -> Any:
        found = check(value, env)
        return found if place is None else values.listed(site, found)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        if place is None:
            return _made_positive(value)
        found = list(value) if values.is_sequence(value) else [value]
        found += [1] * (place - len(found))
        found[place - 1] = _made_positive(found[place - 1])
        return tuple(found)

    return Codec(encode=encode, decode=check, kind="any", fit=fit)


def _made_positive(value: Any) -> Any:
    return (abs(value) or 1) if values.is_number(value) else 1


@codec("reversed")
def reversed_(arguments: Sequence[Argument], site: Site) -> Codec:
    """`reversed`: the elements in the opposite order."""
    plain(arguments)
    return Codec(
        encode=lambda value, env: values.listed(site, values.sequence(value)[::-1]),
        decode=lambda value, env: values.sequence(value)[::-1],
        kind="any",
        fit=lambda value, rng, env: tuple(value) if values.is_sequence(value) else (value,),
    )
