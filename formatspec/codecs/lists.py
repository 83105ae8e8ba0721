"""Tuples of the model as lists and mappings: one_or_many, one_or_none, index_map, by_name and others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

MOST_NAMES = 1 << 20
"""How many names a count may stand for."""


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, bool)) or values.is_number(value)


def _scalar(value: Any) -> Any:
    if _is_scalar(value):
        return value
    raise UnfitError("a text, a number, true or false", value)


@codec("at_least")
def at_least(arguments: Sequence[Argument], site: Site) -> Codec:
    """`at_least(2)`: a list of two or more elements, unchanged."""
    count = take.whole(take.plain(arguments, 1)[0], 1)

    def checked(value: Any) -> tuple[Any, ...]:
        found = values.sequence(value)
        if len(found) < count:
            raise UnfitError(f"at least {count}", value)
        return found

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Any, ...]:
        found = tuple(value) if values.is_sequence(value) else (value,)
        return found + ("x",) * (count - len(found))

    return Codec(encode=lambda value, env: list(checked(value)), decode=lambda value, env: checked(value), fit=fit)


@codec("led_by")
def led_by(arguments: Sequence[Argument], site: Site) -> Codec:
    """`led_by(2)`: a list with a fixed value before its elements.

    `bbox | xywh | led_by(2)` stands for [2, 10, 20, 30, 40].
    """
    head = take.plain(arguments, 1)[0]

    def decode(value: Any, env: Env) -> tuple[Any, ...]:
        found = values.sequence(value)
        if not found or type(found[0]) is not type(head) or found[0] != head:
            raise UnfitError(f"a list that begins with {head!r}", value)
        return tuple(found[1:])

    def encode(value: Any, env: Env) -> list[Any]:
        return [head, *values.sequence(value)]

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Any, ...]:
        return tuple(value) if values.is_sequence(value) else (value,)

    return Codec(encode=encode, decode=decode, fit=fit)


@codec("one_or_many")
def one_or_many(arguments: Sequence[Argument], site: Site) -> Codec:
    """`one_or_many`: no element is [], a single element is written without a list, and several are a list.

    A list of one element is read too. An empty text is read as no element.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        found = [_scalar(v) for v in values.sequence(value)]
        if found == [""]:
            raise UnfitError("texts that are not empty", value)
        return found[0] if len(found) == 1 else found

    def decode(value: Any, env: Env) -> tuple[Any, ...]:
        if values.is_sequence(value):
            return tuple(map(_scalar, value))
        found = _scalar(value)
        return () if found == "" else (found,)

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Any, ...]:
        found = tuple(value) if values.is_sequence(value) else (value,)
        return tuple(v for v in found if _is_scalar(v) and v != "")

    return Codec(encode=encode, decode=decode, kind="table", fit=fit)


@codec("one_or_none")
def one_or_none(arguments: Sequence[Argument], site: Site) -> Codec:
    """`one_or_none`: null is [], and any other value is written without a list."""
    take.plain(arguments)

    def decode(value: Any, env: Env) -> Any:
        return None if isinstance(value, (list, tuple)) and not value else _scalar(value)

    return Codec(
        encode=lambda value, env: [] if value is None else _scalar(value),
        decode=decode,
        kind="table",
        fit=lambda value, rng, env: value if _is_scalar(value) else None,
    )


def _from_indices(value: Any) -> tuple[Any, ...]:
    """Return the tuple for a mapping from 0, 1, 2, … (as numbers or text) to values."""
    if not isinstance(value, dict):
        raise UnfitError("a mapping from numbers", value)
    found = {str(key): element for key, element in value.items() if type(key) in (int, str)}
    wanted = [str(index) for index in range(len(value))]
    if len(found) != len(value) or any(index not in found for index in wanted):
        raise UnfitError("a mapping from 0, 1, 2, ... without gaps", value)
    return tuple(found[index] for index in wanted)


@codec("first_and_rest")
def first_and_rest(arguments: Sequence[Argument], site: Site) -> Codec:
    """`category.name, tags | first_and_rest`: the first value and the elements of the second in one list.

    The first value of an empty list is null.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> list[Any]:
        first, rest = values.sequence(value, 2)
        if first is None and not values.sequence(rest):
            return []
        return [_scalar(first), *map(_scalar, values.sequence(rest))]

    def decode(value: Any, env: Env) -> tuple[Any, tuple[Any, ...]]:
        found = tuple(map(_scalar, values.sequence(value)))
        return (found[0], found[1:]) if found else (None, ())

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Any, tuple[Any, ...]]:
        found = tuple(value) if values.is_sequence(value) and len(value) == 2 else (value, ())
        rest = found[1] if values.is_sequence(found[1]) else ()
        return found[0] if _is_scalar(found[0]) else "word", tuple(filter(_is_scalar, rest))

    return Codec(encode=encode, decode=decode, kind="table", fit=fit)


@codec("index_map")
def index_map(arguments: Sequence[Argument], site: Site) -> Codec:
    """`index_map`: a tuple as {0: first, 1: second, ...}. The keys are numbers in YAML and texts in JSON."""
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: dict(enumerate(values.sequence(value))),
        decode=lambda value, env: _from_indices(value),
        kind="table",
    )


@codec("list_or_index_map")
def list_or_index_map(arguments: Sequence[Argument], site: Site) -> Codec:
    """`list_or_index_map`: a tuple as a list. A mapping from 0, 1, 2, ... is read too."""
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: list(values.sequence(value)),
        decode=lambda value, env: tuple(value) if values.is_sequence(value) else _from_indices(value),
        kind="table",
    )


@codec("entry")
def entry(arguments: Sequence[Argument], site: Site) -> Codec:
    """`entry(rating)`: a mapping with one entry as its key and its value.

    `"name, value": attributes | entry(rating)` writes the value as the mapping {"rating": value}. With `entry(rating,
    x)`, only values that also have the key x are read. Other keys of a value are not read.
    """
    key, *beside = (take.text(one) for one in take.plain(arguments, 1, 9))

    def encode(value: Any, env: Env) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise UnfitError("a mapping with one entry", value)
        ((name, part),) = value.items()
        return values.listed(site, (values.text(name), {key: part, **dict.fromkeys(beside)}))

    def decode(value: Any, env: Env) -> dict[str, Any]:
        name, part = values.sequence(value, 2)
        if not isinstance(part, dict) or not {key, *beside} <= part.keys():
            raise UnfitError(f"a mapping with {', '.join((key, *beside))}", part)
        return {values.text(name): part[key]}

    def fit(value: Any, rng: random.Random, env: Env) -> dict[str, Any]:
        return dict(list(value.items())[:1]) if isinstance(value, dict) and value else {"x": _scalar(value or 1)}

    return Codec(encode=encode, decode=decode, arity=2, fit=fit)


@codec("numbers_at")
def numbers_at(arguments: Sequence[Argument], site: Site) -> Codec:
    """`numbers_at('x', 'y')`: numbers under keys of a mapping.

    `ellipse | numbers_at('center.x', 'center.y', 'radius.x', 'radius.y', 'angle')` gives the key of each number. A dot
    separates the keys of nested mappings.
    """
    paths = [take.text(one).split(".") for one in take.plain(arguments, 1, 9)]
    if any(paths[i][: len(paths[k])] == paths[k] for i in range(len(paths)) for k in range(len(paths)) if i != k):
        raise take.BadArgumentsError("takes keys of which none stands in another")

    def encode(value: Any, env: Env) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for path, number in zip(paths, values.coordinates(value, len(paths)), strict=True):
            at = made
            for key in path[:-1]:
                at = at.setdefault(key, {})
            at[path[-1]] = number
        return made

    def decode(value: Any, env: Env) -> tuple[Any, ...]:
        found = []
        for path in paths:
            part = value
            for key in path:
                if not isinstance(part, dict) or key not in part:
                    raise UnfitError(f"a number under {'.'.join(path)}", value)
                part = part[key]
            found.append(values.coordinate(part))
        if encode(found, env).keys() != value.keys():
            raise UnfitError(f"no keys but {', '.join(dict.fromkeys(path[0] for path in paths))}", value)
        return tuple(found)

    return Codec(encode=encode, decode=decode, kind="table", takes=dict)


@codec("names")
def names(arguments: Sequence[Argument], site: Site) -> Codec:
    """`names`: a tuple of texts. A number in the file is read as the text that spells it."""
    take.plain(arguments)

    def spelled(one: Any) -> str:
        if isinstance(one, bool) or not isinstance(one, (int, float)):
            return values.text(one)
        return values.spell_number(one)

    return Codec(
        encode=lambda value, env: list(map(values.text, values.sequence(value))),
        decode=lambda value, env: tuple(map(spelled, values.sequence(value))),
        kind="table",
    )


@codec("numbered_names")
def numbered_names(arguments: Sequence[Argument], site: Site) -> Codec:
    """`numbered_names('class_')`: the number of names, for the names class_0, class_1, and so on.

    Other names cannot be written.
    """
    begin = take.text(take.plain(arguments, 1)[0])

    def made(count: int) -> tuple[str, ...]:
        return tuple(f"{begin}{i}" for i in range(count))

    def encode(value: Any, env: Env) -> int:
        found = tuple(map(values.text, values.sequence(value)))
        if found != made(len(found)):
            raise UnfitError(f"{begin}0, {begin}1 and so on", value)
        return len(found)

    def decode(value: Any, env: Env) -> tuple[str, ...]:
        if type(value) is not int or not 0 <= value <= MOST_NAMES:
            raise UnfitError(f"a count of at most {MOST_NAMES}", value)
        return made(value)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        return made(len(value)) if values.is_sequence(value) else None

    return Codec(encode=encode, decode=decode, kind="table", fit=fit)


@codec("unless_counting")
def unless_counting(arguments: Sequence[Argument], site: Site) -> Codec:
    """`unless_counting(1)`: a tuple as a list, which is not written if it is 1, 2, 3, ..."""
    start = take.plain(arguments, 1, 1)[0]
    if not isinstance(start, int) or isinstance(start, bool):
        raise take.BadArgumentsError("takes a whole number")

    def counts(found: Sequence[Any]) -> bool:
        return all(type(one) is int and one == start + i for i, one in enumerate(found))

    def encode(value: Any, env: Env) -> Any:
        found = [_scalar(one) for one in values.sequence(value)]
        if found and counts(found):
            raise UnfitError("values that do not just count", value)
        return found

    def decode(value: Any, env: Env) -> Any:
        found = tuple(_scalar(one) for one in values.sequence(value))
        return () if counts(found) else found

    return Codec(encode=encode, decode=decode, kind="table")


@codec("by_name")
def by_name(arguments: Sequence[Argument], site: Site) -> Codec:
    """`by_name(columns)`: a mapping from names to values, as the list of its values in the header's order.

    If the names in the header come in pairs, as in `eye_x eye_y nose_x nose_y`, the values are points.
    """
    if take.plain(arguments, 1) != ("columns",):
        raise take.BadArgumentsError("takes `columns`")
    return Codec(
        encode=_values_in_order,
        decode=_named_values,
        kind="numbers",
        needs=frozenset({"columns"}),
        fit=_fit_columns,
    )


def _are_points(columns: Sequence[str]) -> bool:
    pairs = list(zip(columns[::2], columns[1::2], strict=False))
    return (
        bool(columns)
        and len(columns) % 2 == 0
        and all(x.endswith("_x") and y == x.removesuffix("_x") + "_y" for x, y in pairs)
    )


def _values_in_order(value: Any, env: Env) -> list[Any]:
    if len(set(env.columns)) != len(env.columns):
        raise UnfitError("a header that names no column twice", env.columns)
    if _are_points(env.columns):
        ring = values.ring_of_pairs(value)
        if len(ring) != len(env.columns):
            raise UnfitError(f"{len(env.columns) // 2} points", value)
        return list(ring)
    if not isinstance(value, dict) or value.keys() != set(env.columns):
        raise UnfitError("a value for each of the header's names", value)
    return [value[name] for name in env.columns]


def _named_values(value: Any, env: Env) -> Any:
    if len(set(env.columns)) != len(env.columns):
        raise UnfitError("a header that names no column twice", env.columns)
    found = values.sequence(value, len(env.columns))
    if _are_points(env.columns):
        return tuple(map(tuple, values.as_pairs(values.ring(found))))
    return dict(zip(env.columns, found, strict=True))


def _fit_columns(value: Any, rng: random.Random, env: Env) -> Any:
    if _are_points(env.columns):
        ring = values.ring_of(value) if values.is_sequence(value) else ()
        return tuple(map(tuple, values.as_pairs((ring + (0,) * len(env.columns))[: len(env.columns)])))
    known = value if isinstance(value, dict) else {}
    return {name: known.get(name, rng.random() < 0.5) for name in env.columns}
