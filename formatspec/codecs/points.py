"""Rings, polylines and keypoints: pairs, flat, flat_lists, columns, triplets, visible, closed and others.

A ring or polyline is a flat tuple x0, y0, x1, y1, ...; polygons are a tuple of rings; keypoints are tuples
(x, y, visibility).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.codecs.values import Number, Ring
from formatspec.model.plain.windings import against


def _counted(ring: Ring, count: int | None, what: str) -> Ring:
    if count is not None and len(ring) != count:
        raise UnfitError(what, ring)
    return ring


def _fit_length(ring: Ring, length: int | None) -> Ring:
    """Return a ring with `length` numbers: cut, or lengthened by repeating its first point."""
    if length is None:
        return ring
    start = ring[:2] or (0, 0)
    return (ring + start * length)[:length]


@codec("pairs")
def pairs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`pairs`: points as [[x, y], ...], and several rings as a list of such lists. `pairs(2)`: two points.

    Keypoints can be written if all are visible. They are read as a flat tuple, which `visible` or the slot completes.
    """
    count = take.optional_count(arguments)
    length = None if count is None else 2 * count
    what = f"{count} points"

    def points(value: Any) -> list[list[Number]]:
        return values.as_pairs(_counted(values.ring_of(value), length, what))

    def encode(value: Any, env: Env) -> Any:
        found = [points(ring) for ring in value] if _are_rings(value) else points(value)
        return values.listed(site, found)

    def decode(value: Any, env: Env) -> Any:
        if _are_listed_rings(value):
            return tuple(_counted(values.ring_of_pairs(ring), length, what) for ring in value)
        return _counted(values.ring_of_pairs(value), length, what)

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        if _are_rings(value):
            return tuple(_fit_length(values.ring(ring), length if len(ring) > 2 else length or 6) for ring in value)
        if values.is_keypoints(value):
            points = tuple((x, y, values.VISIBLE) for x, y, _ in value)
            return points if count is None else (points * count)[:count]
        return _fit_length(values.ring_of(value), length)

    return Codec(encode=encode, decode=decode, kind="table", fit=fit)


def _are_rings(value: Any) -> bool:
    """Return whether a value of the model is several flat rings, not points or keypoints."""
    flat = values.is_sequence(value) and bool(value) and all(values.is_sequence(r) and len(r) % 2 == 0 for r in value)
    return flat and any(len(ring) != 2 for ring in value)  # otherwise they are points


def _are_listed_rings(value: Any) -> bool:
    """Return whether a value of a file is a list of lists of points."""
    return (
        values.is_sequence(value)
        and bool(value)
        and all(values.is_sequence(ring) and all(map(values.is_sequence, ring)) for ring in value)
    )


@codec("named_pairs")
def named_pairs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`named_pairs(x, y)`: points as [{"x": 1, "y": 2}, ...], and several rings as a list of such lists."""
    x, y = (take.text(key) for key in take.plain(arguments, 2))

    def encode(value: Any, env: Env) -> Any:
        found = values.sequence(value)
        if found and values.is_sequence(found[0]) and len(found[0]) != 3:
            return [encode(ring, env) for ring in found]
        return [{x: a, y: b} for a, b in values.as_pairs(values.ring_of(found))]

    def decode(value: Any, env: Env) -> Any:
        if all(map(values.is_sequence, values.sequence(value))) and value:
            return tuple(decode(ring, env) for ring in value)
        found: list[Number] = []
        for point in value:
            if not isinstance(point, dict) or point.keys() != {x, y}:
                raise UnfitError(f"points with {x} and {y}", value)
            found += (values.coordinate(point[x]), values.coordinate(point[y]))
        return tuple(found)

    return Codec(encode=encode, decode=decode, kind="table")


@codec("numbered_pairs")
def numbered_pairs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`numbered_pairs(x, y)`: points as one mapping {"x1": 1, "y1": 2, "x2": 3, "y2": 4, ...}.

    The arguments name the two coordinates.
    """
    x, y = (take.text(key) for key in take.plain(arguments, 2))

    def encode(value: Any, env: Env) -> Any:
        pairs = values.as_pairs(values.ring_of(value))
        return {f"{name}{i}": c for i, pair in enumerate(pairs, 1) for name, c in zip((x, y), pair, strict=True)}

    def decode(value: Any, env: Env) -> Ring:
        count = len(value) // 2 if isinstance(value, dict) else 0
        names = [f"{name}{i}" for i in range(1, count + 1) for name in (x, y)]
        if not isinstance(value, dict) or value.keys() != set(names):
            raise UnfitError(f"a mapping with {x}1, {y}1, {x}2, {y}2 and so on", value)
        return tuple(values.coordinate(value[name]) for name in names)

    return Codec(encode=encode, decode=decode, kind="table")


@codec("with_holes")
def with_holes(arguments: Sequence[Argument], site: Site) -> Codec:
    """`exterior, interior: polygon | with_holes`: an outline as points, and the outlines of its holes.

    With `with_holes(flat)`, they are written as lists x, y, x, y, ...; both forms are read. When read, holes are turned
    to run against the outline, and joined to it by bridges of no width, which leave the filled area unchanged. A ring
    is written without holes.
    """
    is_flat = bool(take.names(take.plain(arguments, 0, 1), ["flat"]))

    def encode(value: Any, env: Env) -> Any:
        ring = values.ring_of(value)
        return values.listed(site, (list(ring) if is_flat else values.as_pairs(ring), []))

    def decode(value: Any, env: Env) -> Ring:
        exterior, holes = values.sequence(value, 2)
        ring = values.ring_of(exterior)
        joined = list(ring)
        for given in map(values.ring_of, values.sequence(holes)):
            hole = against(given, ring)
            joined += [*(ring[:2] if len(joined) == len(ring) else ()), *hole, *hole[:2], *ring[:2]]
        return tuple(joined)

    return Codec(
        encode=encode,
        decode=decode,
        kind="table",
        fit=lambda value, rng, env: values.ring_of(value),
    )


@codec("flat")
def flat(arguments: Sequence[Argument], site: Site) -> Codec:
    """`flat`: points as x, y, x, y, ... `flat(8)`: eight numbers. Pairs are flattened."""
    count = take.optional_count(arguments)
    if count is not None and count % 2:
        raise take.BadArgumentsError("takes an even count of numbers")
    what = f"{count} numbers"
    return Codec(
        encode=lambda value, env: values.listed(site, _counted(values.ring_of(value), count, what)),
        decode=lambda value, env: _counted(values.ring(value), count, what),
        kind="numbers",
        arity=count,
        fit=lambda value, rng, env: _fit_length(values.ring_of(value), count),
    )


@codec("upright")
def upright(arguments: Sequence[Argument], site: Site) -> Codec:
    """`upright`: a ring of the four corners of an upright box, unchanged. Other rings do not fit."""
    take.plain(arguments)

    def checked(value: Any) -> Ring:
        ring = values.ring_of(value)
        if len(ring) != 8 or not _is_upright(ring[::2], ring[1::2]):
            raise UnfitError("the four corners of an upright box", value)
        return ring

    def fit(value: Any, rng: random.Random, env: Env) -> Ring:
        ring = values.ring_of(value)
        if len(ring) == 8 and _is_upright(ring[::2], ring[1::2]):
            return ring
        left, top, right, low = _fit_length(ring, 4)
        return left, top, right, top, right, low, left, low

    return Codec(
        encode=lambda value, env: list(checked(value)),
        decode=lambda value, env: checked(value),
        kind="numbers",
        arity=8,
        fit=fit,
    )


def _is_upright(x: Ring, y: Ring) -> bool:
    """Return whether the sides of a ring of four points are alternately horizontal and vertical."""
    return any(
        all(axis[i] == axis[(i + 1) % 4] for i, axis in enumerate(axes)) for axes in ((x, y, x, y), (y, x, y, x))
    )


@codec("closed")
def closed(arguments: Sequence[Argument], site: Site) -> Codec:
    """`closed`: a ring whose first point is repeated at its end."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        ring = values.ring(value)
        if not ring:
            raise UnfitError("a ring of at least one point", value)
        return [*ring, *ring[:2]]

    def decode(value: Any, env: Env) -> Ring:
        ring = values.ring_of(value)
        if len(ring) < 4 or ring[:2] != ring[-2:]:
            raise UnfitError("a ring that ends with its first point", value)
        return ring[:-2]

    return Codec(
        encode=encode,
        decode=decode,
        kind="numbers",
        fit=lambda value, rng, env: tuple(value) or (0, 0),
    )


def _outline(value: Any) -> Ring:
    ring = values.ring(value)
    if len(ring) < 6:
        raise UnfitError("a ring of at least three points", value)
    return ring


_FLAT_LISTS = msgspec.json.Decoder(list[list[int | float]])


def _flat_lists_look_right(data: bytes) -> bool:
    """Return whether raw JSON is a list of rings of three points or more."""
    try:
        rings = _FLAT_LISTS.decode(data)
    except msgspec.MsgspecError:
        return False
    return all(len(ring) >= 6 and len(ring) % 2 == 0 for ring in rings)


@codec("flat_lists")
def flat_lists(arguments: Sequence[Argument], site: Site) -> Codec:
    """`flat_lists`: polygons as [[x, y, x, y, x, y, ...], ...], each with at least three points.

    Shorter ones are read too, and a finding reports them.
    """
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: values.listed(site, (list(_outline(r)) for r in values.sequence(value))),
        decode=lambda value, env: tuple(values.coordinates(ring) for ring in values.sequence(value)),
        kind="table",
        takes=list,
        looks_right=_flat_lists_look_right,
        fit=lambda value, rng, env: tuple(ring if len(ring) >= 6 else _fit_length(ring, 6) for ring in value),
    )


@codec("columns")
def columns(arguments: Sequence[Argument], site: Site) -> Codec:
    """`x, y: polygons | columns`: one ring, as the list of its x and the list of its y."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        rings = values.sequence(value)
        if len(rings) > 1:
            raise UnfitError("a single ring", value)
        ring = values.ring(rings[0]) if rings else ()
        if rings and not ring:
            raise UnfitError("a ring of at least one point", value)
        return values.listed(site, (list(ring[::2]), list(ring[1::2])))

    def decode(value: Any, env: Env) -> tuple[Ring, ...]:
        columns = values.sequence(value, 2)
        xs, ys = values.coordinates(columns[0]), values.coordinates(columns[1])
        if len(xs) != len(ys):
            raise UnfitError("as many x as y", value)
        ring = [*xs, *ys]
        ring[::2], ring[1::2] = xs, ys
        return (tuple(ring),) if xs else ()

    return Codec(
        encode=encode,
        decode=decode,
        kind="table",
        fit=lambda value, rng, env: tuple(ring for ring in value if ring)[:1],
    )


@codec("axes")
def axes(arguments: Sequence[Argument], site: Site) -> Codec:
    """`x, y: polyline | axes`: a flat ring or line, as the list of its x and the list of its y."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        ring = values.ring(value)
        if not ring:
            raise UnfitError("at least one point", value)
        return values.listed(site, (list(ring[::2]), list(ring[1::2])))

    def decode(value: Any, env: Env) -> Ring:
        xs, ys = (values.coordinates(column) for column in values.sequence(value, 2))
        if len(xs) != len(ys) or not xs:
            raise UnfitError("as many x as y, at least one", value)
        return tuple(c for point in zip(xs, ys, strict=True) for c in point)

    return Codec(encode=encode, decode=decode, kind="table")


@codec("visible")
def visible(arguments: Sequence[Argument], site: Site) -> Codec:
    """`keypoints | visible | pairs`: keypoints as points, if all are visible. `visible(n)`: n of them."""
    count = take.optional_count(arguments)

    def decode(value: Any, env: Env) -> tuple[tuple[Number, Number, int], ...]:
        ring = _counted(values.ring_of(value), None if count is None else 2 * count, "numbers")
        return tuple((x, y, values.VISIBLE) for x, y in zip(ring[::2], ring[1::2], strict=True))

    return Codec(
        encode=lambda value, env: values.listed(
            site, _counted(values.ring_of_visible(value), None if count is None else 2 * count, "numbers")
        ),
        decode=decode,
        kind="numbers",
        arity=None if count is None else 2 * count,
        fit=lambda value, rng, env: tuple(
            (x, y, values.VISIBLE) for x, y, _ in (value if count is None else (tuple(value) * count)[:count])
        ),
    )


@codec("zero_unseen", unmarked=True)
def zero_unseen(arguments: Sequence[Argument], site: Site) -> Codec:
    """`zero_unseen`: keypoints as x, y, x, y, ... An absent keypoint is 0, 0; any other is visible."""
    take.plain(arguments)

    def decode(value: Any, env: Env) -> tuple[tuple[Number, Number, int], ...]:
        found = values.coordinates(value)
        if len(found) % 2 or not found:
            raise UnfitError("numbers in pairs", value)
        return tuple((x, y, values.VISIBLE if x or y else 0) for x, y in zip(found[::2], found[1::2], strict=True))

    return Codec(
        encode=lambda value, env: values.listed(
            site, (c for x, y, seen in values.keypoints(value) for c in ((x, y) if seen else (0, 0)))
        ),
        decode=decode,
        kind="numbers",
        fit=lambda value, rng, env: tuple(
            (x, y, values.VISIBLE) if seen and (x or y) else (0, 0, 0) for x, y, seen in value
        ),
    )


@codec("nan_unseen", unmarked=True)
def nan_unseen(arguments: Sequence[Argument], site: Site) -> Codec:
    """`nan_unseen`: keypoints as [[x, y], ...] in fractions of the image; any point that is present is visible.

    Both numbers of an absent point are {"$numberDouble": "NaN"}.
    """
    take.plain(arguments)
    nothing = {"$numberDouble": "NaN"}

    def encode(value: Any, env: Env) -> list[list[Any]]:
        found = values.keypoints(value)
        if (env.width <= 0 or env.height <= 0) and any(seen for _, _, seen in found):
            raise UnfitError("an image of known size", value)
        return [[x / env.width, y / env.height] if seen else [dict(nothing), dict(nothing)] for x, y, seen in found]

    def decode(value: Any, env: Env) -> tuple[tuple[Number, Number, int], ...]:
        found: list[tuple[Number, Number, int]] = []
        for point in values.sequence(value):
            x, y = values.sequence(point, 2)
            if isinstance(x, dict) and isinstance(y, dict) and x == nothing == y:
                found.append((0, 0, 0))
            else:
                x, y = values.coordinates((x, y))
                found.append((x * env.width, y * env.height, values.VISIBLE))
        return tuple(found)

    return Codec(
        encode=encode,
        decode=decode,
        needs=frozenset({"size"}),
        fit=lambda value, rng, env: tuple((x, y, values.VISIBLE) if seen else (0, 0, 0) for x, y, seen in value),
    )


@codec("triplets")
def triplets(arguments: Sequence[Argument], site: Site) -> Codec:
    """`triplets`: keypoints as x, y, visibility, x, y, visibility, ..."""
    take.plain(arguments)

    def decode(value: Any, env: Env) -> tuple[tuple[Number, Number, int], ...]:
        found = values.coordinates(value)
        if len(found) % 3:
            raise UnfitError("numbers in groups of three", value)
        return tuple((found[i], found[i + 1], values.seen(found[i + 2])) for i in range(0, len(found), 3))

    return Codec(
        encode=lambda value, env: values.listed(site, (c for point in values.keypoints(value) for c in point)),
        decode=decode,
        kind="numbers",
    )


@codec("flat_and_visibility")
def flat_and_visibility(arguments: Sequence[Argument], site: Site) -> Codec:
    """`points, visibility: keypoints | flat_and_visibility`: [x, y, x, y, ...] and [v, v, ...]."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        points = values.keypoints(value)
        return values.listed(site, ([c for x, y, _ in points for c in (x, y)], [v for _, _, v in points]))

    def decode(value: Any, env: Env) -> tuple[tuple[Number, Number, int], ...]:
        points, seen = values.sequence(value, 2)
        ring, visibilities = values.ring(points), values.sequence(seen)
        if len(ring) != 2 * len(visibilities):
            raise UnfitError("one visibility for each point", value)
        return tuple((x, y, values.seen(v)) for x, y, v in zip(ring[::2], ring[1::2], visibilities, strict=True))

    return Codec(encode=encode, decode=decode, kind="table")
