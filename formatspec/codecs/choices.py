"""Codecs for values that are one of a few: map, flag, flags, truth_bits."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs import values
from formatspec.codecs.arguments import BadArgumentsError, plain
from formatspec.codecs.registry import Argument, Codec, Env, Kind, Site, UnfitError, codec
from formatspec.model.plain.same_value import same_value

Pairs = Sequence[tuple[Any, Any]]
"""Pairs of the file's value and the model's value."""

_SCALARS = (str, int, float, bool, type(None))
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}


def _spell(value: Any) -> str:
    """Return a constant as specs spell it."""
    return _CONSTANTS.get(repr(value), repr(value))


def _lookup(pairs: Pairs) -> Callable[[Any], Any]:
    """Return a function from left sides to right sides; the first pair wins."""
    expected = "one of " + ", ".join(_spell(left) for left, _ in pairs)
    table: dict[tuple[type, Any], Any] = {}
    others: list[tuple[Any, Any]] = []
    for left, right in pairs:
        if isinstance(left, _SCALARS):
            table.setdefault((type(left), left), right)
        else:
            others.append((left, right))

    def find(value: Any) -> Any:
        if isinstance(value, _SCALARS):
            try:
                return _fresh(table[type(value), value])
            except KeyError:
                raise UnfitError(expected, value) from None
        for left, right in others:
            if same_value(left, value):
                return _fresh(right)
        raise UnfitError(expected, value)

    def find_scalar(value: Any) -> Any:
        try:
            return table[type(value), value]
        except (KeyError, TypeError):
            raise UnfitError(expected, value) from None

    scalars = not others and all(isinstance(right, _SCALARS) for right in table.values())
    return find_scalar if scalars else find


def _fresh(value: Any) -> Any:
    """Return a copy of a constant, so that changing it does not change the spec."""
    if isinstance(value, list):
        return [_fresh(element) for element in value]
    return {key: _fresh(element) for key, element in value.items()} if isinstance(value, dict) else value


def _kind(files: Sequence[Any], number: Kind = "number") -> Kind:
    if all(isinstance(file, str) for file in files):
        return "text"
    return number if all(type(file) in (int, float) for file in files) else "any"


def _mapping(pairs: Pairs) -> Codec:
    for place, (file, _) in enumerate(pairs):
        if any(same_value(file, other) for other, _ in pairs[:place]):
            raise BadArgumentsError(f"the file's side {_spell(file)} is given twice")
    to_file, to_model = _lookup([(model, file) for file, model in pairs]), _lookup(pairs)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        known = any(same_value(model, value) for _, model in pairs)
        return value if known else rng.choice(pairs)[1]

    return Codec(
        encode=lambda value, env: to_file(value),
        decode=lambda value, env: to_model(value),
        kind=_kind([file for file, _ in pairs]),
        fit=fit,
    )


@codec("map")
def map_(arguments: Sequence[Argument], site: Site) -> Codec:
    """`map('yes'=true, 'no'=false)`: pairs of the file's value and the model's value.

    When writing, the first pair with the model's value is used.
    """
    if not arguments or not all(argument.paired for argument in arguments):
        raise BadArgumentsError("takes pairs file=model")
    return _mapping([(argument.file, argument.value) for argument in arguments])


@codec("null_as")
def null_as(arguments: Sequence[Argument], site: Site) -> Codec:
    """`null_as(-1)`: null is written as -1, and all other values unchanged. The value -1 itself cannot be written."""
    found = plain(arguments, 1, 1)[0]
    numeric = isinstance(found, int | float) and not isinstance(found, bool)

    def alike(value: Any) -> bool:
        return not numeric or values.is_number(value)

    def encode(value: Any, env: Env) -> Any:
        if value is not None and not alike(value):
            raise UnfitError("a number", value)
        if value is not None and same_value(value, found):
            raise UnfitError(f"a value other than {found!r}, which stands for none", value)
        return found if value is None else value

    def decode(value: Any, env: Env) -> Any:
        if same_value(value, found):
            return None
        if not alike(value):
            raise UnfitError("a number", value)
        return value

    return Codec(
        encode=encode,
        decode=decode,
        kind="number" if numeric else "any",
        fit=lambda value, rng, env: None if same_value(value, found) or not alike(value) else value,
    )


def _flag_pairs(arguments: Sequence[Argument]) -> Pairs:
    found = plain(arguments, 0, 3) or (1, 0)
    if len(found) == 1:
        raise BadArgumentsError("takes what stands for true and what for false")
    return list(zip(found, (True, False, None), strict=False))


@codec("flag")
def flag(arguments: Sequence[Argument], site: Site) -> Codec:
    """`flag`: true is 1, and false is 0. Arguments give other values for true, false and null: `flag(1, 0, -1)`."""
    return _mapping(_flag_pairs(arguments))


@codec("flags")
def flags(arguments: Sequence[Argument], site: Site) -> Codec:
    """`flags(1, -1)`: the same as `flag`, for each element of a tuple or each value of a mapping."""
    pairs = _flag_pairs(arguments)
    one = _mapping(pairs)

    def each(value: Any, change: Callable[[Any], Any]) -> Any:
        if isinstance(value, dict):
            return {key: change(element) for key, element in value.items()}
        return tuple(change(element) for element in values.sequence(value))

    def encode(value: Any, env: Env) -> Any:
        changed = each(value, lambda element: one.encode(element, env))
        return list(changed) if isinstance(changed, tuple) and site.right == 1 else changed

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        value = value if isinstance(value, (dict, list, tuple)) else (value,)
        return each(value, lambda element: one.fit(element, rng, env))

    return Codec(
        encode=encode,
        decode=lambda value, env: each(value, lambda element: one.decode(element, env)),
        kind=_kind([file for file, _ in pairs], "numbers"),
        fit=fit,
    )


@codec("truth_bits")
def truth_bits(arguments: Sequence[Argument], site: Site) -> Codec:
    """`truth_bits(4, 2, -1)`: several truth values as the bits of one number.

    Example: `attributes.cut, attributes.hidden, single | truth_bits(4, 2, -1)`. Each argument is the bit of one slot, a
    power of two. The bit is set if the slot is true; a negative bit is set if the slot is false. A number with any
    other bit does not fit.
    """
    bits = plain(arguments, 1, 31)
    if any(type(bit) is not int or bit == 0 or abs(bit) & (abs(bit) - 1) for bit in bits):
        raise BadArgumentsError("takes powers of two, negative ones for what is set where a slot is false")
    if len({abs(bit) for bit in bits}) < len(bits):
        raise BadArgumentsError("takes each bit once")
    known = sum(map(abs, bits))

    def encode(value: Any, env: Env) -> int:
        found = values.sequence(value, len(bits)) if len(bits) > 1 else (value,)
        if not all(isinstance(one, bool) for one in found):
            raise UnfitError("true or false", value)
        return sum(abs(bit) for bit, one in zip(bits, found, strict=True) if one == (bit > 0))

    def decode(value: Any, env: Env) -> Any:
        number = values.whole(value)
        if number < 0 or number & ~known:
            raise UnfitError(f"a sum of some of {', '.join(str(abs(bit)) for bit in bits)}", value)
        found = tuple((number & abs(bit) != 0) == (bit > 0) for bit in bits)
        return found if len(bits) > 1 else found[0]

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        stated = value if len(bits) > 1 else (value,)
        if not isinstance(stated, tuple) or len(stated) != len(bits):
            stated = (None,) * len(bits)
        found = tuple(one if isinstance(one, bool) else rng.random() < 0.5 for one in stated)
        return found if len(bits) > 1 else found[0]

    return Codec(encode=encode, decode=decode, fit=fit)
