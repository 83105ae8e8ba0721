"""Boxes, circles and ellipses: xywh, sides, corners, sides_and_angle, about_corner, two_corners, radii and others."""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.formulas import computed
from formatspec.codecs.registry import Argument, Codec, Env, Formulas, Site, UnfitError, codec
from formatspec.codecs.values import Number

DEEPEST = 3
"""How deep lists may be nested: rings of points."""

SIDES = ("x1", "y1", "x2", "y2")


def _boxed(site: Site, formulas: Formulas, inverse: Formulas) -> Codec:
    """Return a codec of boxes whose numbers in the file are arithmetic on x, y, width and height, both ways."""
    run, back = computed(formulas, 4), computed(inverse, 4)
    return Codec(
        encode=lambda value, env: values.listed(site, run(*values.bbox(value))),
        decode=lambda value, env: back(*values.coordinates(value, 4)),
        kind="numbers",
        arity=4,
        formulas=formulas,
        inverse=inverse,
    )


@codec("xywh")
def xywh(arguments: Sequence[Argument], site: Site) -> Codec:
    """`xywh`: left, top, width, height."""
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: values.listed(site, values.bbox(value)),
        decode=lambda value, env: values.coordinates(value, 4),
        kind="numbers",
        arity=4,
        same=True,
        formulas=lambda box: box,
        inverse=lambda box: box,
    )


@codec("sides")
def sides(arguments: Sequence[Argument], site: Site) -> Codec:
    """`sides`: left, top, right, bottom. Arguments give another order: `sides(x1, x2, y1, y2)`."""
    order = take.names(take.plain(arguments, 0, 4), SIDES) or SIDES
    if sorted(order) != sorted(SIDES):
        raise take.BadArgumentsError("takes x1, y1, x2, y2 once each, in the order of the file")
    places = [SIDES.index(name) for name in order]
    back = [order.index(name) for name in SIDES]

    def formulas(box: Sequence[str]) -> Sequence[str]:
        x, y, width, height = box
        ends = (x, y, f"({x} + {width})", f"({y} + {height})")
        return [ends[place] for place in places]

    def inverse(found: Sequence[str]) -> Sequence[str]:
        x1, y1, x2, y2 = (found[place] for place in back)
        return [x1, y1, f"({x2} - {x1})", f"({y2} - {y1})"]

    return _boxed(site, formulas, inverse)


@codec("box_ring")
def box_ring(arguments: Sequence[Argument], site: Site) -> Codec:
    """`box_ring`: a box as a ring of its corners, clockwise on screen from the upper left; any first corner is read."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        x, y, width, height = values.bbox(value)
        return values.listed(site, (x, y, x + width, y, x + width, y + height, x, y + height))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        ring = values.ring_of(value)
        if len(ring) != 8:
            raise UnfitError("four corners", value)
        points = list(zip(ring[::2], ring[1::2], strict=True))
        (left, top), (right, bottom) = map(min, zip(*points, strict=True)), map(max, zip(*points, strict=True))
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        turned = [corners[i:] + corners[:i] for i in range(4)]
        if points not in turned and points[::-1] not in turned:
            raise UnfitError("the four corners of an upright box", value)
        return left, top, right - left, bottom - top

    return Codec(encode=encode, decode=decode, kind="numbers", arity=8)


@codec("cxcywh")
def cxcywh(arguments: Sequence[Argument], site: Site) -> Codec:
    """`cxcywh`: x and y of the centre, width, height."""
    take.plain(arguments)

    def formulas(box: Sequence[str]) -> Sequence[str]:
        x, y, width, height = box
        return [f"({x} + {width} / 2)", f"({y} + {height} / 2)", width, height]

    def inverse(found: Sequence[str]) -> Sequence[str]:
        cx, cy, width, height = found
        return [f"({cx} - {width} / 2)", f"({cy} - {height} / 2)", width, height]

    return _boxed(site, formulas, inverse)


@codec("two_corners")
def two_corners(arguments: Sequence[Argument], site: Site) -> Codec:
    """`two_corners`: a box as [[x, y], [x, y]]: its upper left and lower right corners; any opposite ones are read."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        x, y, width, height = values.bbox(value)
        return values.listed(site, ([x, y], [x + width, y + height]))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        first, second = (values.coordinates(point, 2) for point in values.sequence(value, 2))
        (x1, x2), (y1, y2) = (sorted(ends) for ends in zip(first, second, strict=True))
        return x1, y1, x2 - x1, y2 - y1

    return Codec(encode=encode, decode=decode, kind="table")


@codec("inclusive")
def inclusive(arguments: Sequence[Argument], site: Site) -> Codec:
    """`inclusive(1)`: sides as the first and the last pixel inside the box, counted from 1.

    It follows `sides`: left and top become x + 1 and y + 1 in the file, right and bottom are unchanged. With
    `inclusive(0)`, left and top are unchanged, and right and bottom become x - 1 and y - 1.
    """
    start = take.whole(take.plain(arguments, 1)[0], 0)
    shifts = (start, start, start - 1, start - 1)

    def formulas(sides: Sequence[str]) -> Sequence[str]:
        return [f"({side} + {shift})" for side, shift in zip(sides, shifts, strict=True)]

    def inverse(sides: Sequence[str]) -> Sequence[str]:
        return [f"({side} - {shift})" for side, shift in zip(sides, shifts, strict=True)]

    run, back = computed(formulas, 4), computed(inverse, 4)
    return Codec(
        encode=lambda value, env: values.listed(site, run(*values.coordinates(value, 4))),
        decode=lambda value, env: back(*values.coordinates(value, 4)),
        kind="numbers",
        arity=4,
        formulas=formulas,
        inverse=inverse,
    )


def _direction(degrees: Number) -> tuple[float, float]:
    """Return cosine and sine, exact for right angles."""
    quarter, rest = divmod(degrees % 360, 90)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _canonical(degrees: float) -> float:
    """Return the same angle in (-180, 180]."""
    turned = math.remainder(degrees, 360)
    return 180.0 if turned <= -180 + 1e-9 else turned


@codec("corners")
def corners(arguments: Sequence[Argument], site: Site) -> Codec:
    """`corners`: a rotated box as its four corners [[x, y], ...].

    The corners are written clockwise on screen, beginning with the one that is upper left before the rotation. They are
    read in either direction. They must form a rectangle; each may be off by a millionth of its size, or by as many
    pixels as an argument allows, as in `corners(0.5)`. The angle that is read lies in (-180, 180] degrees.
    """
    found = take.plain(arguments, 0, 1)
    if found and not (values.is_number(found[0]) and found[0] >= 0):
        raise take.BadArgumentsError(f"takes a tolerance in pixels, not {found[0]!r}")
    tolerance = float(found[0]) if found else None

    def encode(value: Any, env: Env) -> Any:
        cx, cy, width, height, degrees = values.coordinates(value, 5)
        values.bbox((cx, cy, width, height))
        cosine, sine = _direction(degrees)
        half = (
            (-width / 2, -height / 2),
            (width / 2, -height / 2),
            (width / 2, height / 2),
            (-width / 2, height / 2),
        )
        points = ([cx + x * cosine - y * sine, cy + x * sine + y * cosine] for x, y in half)
        return values.listed(site, points)

    return Codec(
        encode=encode,
        decode=lambda value, env: _rotated_box(value, tolerance),
        kind="table",
        fit=_fit_rotated,
    )


def _rotated_box(value: Any, tolerance: float | None) -> tuple[float, ...]:
    ring = values.ring_of(value)
    if len(ring) != 8:
        raise UnfitError("four corners", value)
    first, second, third, fourth = (complex(x, y) for x, y in zip(ring[::2], ring[1::2], strict=True))
    along, down = second - first, fourth - first
    if along.real * down.imag - along.imag * down.real < 0:
        along, down = down, along
    width, height = abs(along), abs(down)
    # If one side has no length, the other one gives the angle.
    axis = along if width >= height else down / 1j
    # Coordinates are only accurate to about 16 digits.
    allowed = 1e-6 * (width + height) + 1e-12 * max(map(abs, ring)) if tolerance is None else tolerance
    turned = down / 1j * axis.conjugate() if width >= height else along * axis.conjugate()
    skew = abs(turned.imag) / (abs(axis) or 1.0)
    if abs(first + along + down - third) > allowed or skew > allowed:
        raise UnfitError("the corners of a rectangle", value)
    centre = (first + second + third + fourth) / 4
    degrees = _canonical(math.degrees(math.atan2(axis.imag, axis.real)))
    return centre.real, centre.imag, width, height, degrees


def _fit_rotated(value: Any, rng: random.Random, env: Env) -> tuple[Number, ...]:
    cx, cy, width, height, degrees = value
    return cx, cy, width, height, _canonical(degrees) if width or height else 0.0


@codec("turned")
def turned(arguments: Sequence[Argument], site: Site) -> Codec:
    """`rotated | turned`: five numbers whose last one, the angle, is not 0, since an upright box is a plain box."""
    take.plain(arguments)

    def checked(value: Any) -> tuple[Number, ...]:
        found = values.coordinates(value, 5)
        if not found[4]:
            raise UnfitError("a box that is turned", value)
        return found

    return Codec(
        encode=lambda value, env: values.listed(site, checked(value)),
        decode=lambda value, env: checked(value),
        kind="numbers",
        arity=5,
        fit=lambda value, rng, env: (*value[:4], value[4] or 90),
    )


@codec("sides_and_angle")
def sides_and_angle(arguments: Sequence[Argument], site: Site) -> Codec:
    """`left, top, right, bottom, angle: rotated | sides_and_angle`: the sides before the rotation about the centre.

    The angle is in degrees, clockwise on screen.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        cx, cy, width, height, degrees = values.coordinates(value, 5)
        values.bbox((cx, cy, width, height))
        ends = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
        return values.listed(site, (*ends, degrees))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        x1, y1, x2, y2, degrees = values.coordinates(value, 5)
        return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, degrees

    return Codec(encode=encode, decode=decode, kind="numbers", arity=5)


@codec("about_corner")
def about_corner(arguments: Sequence[Argument], site: Site) -> Codec:
    """`x, y, width, height, angle: rotated | about_corner`: a box that is rotated about its upper left corner.

    x and y are that corner, which the rotation leaves in place. The angle is in degrees, clockwise on screen.
    """
    take.plain(arguments)

    def half(width: Number, height: Number, degrees: Number) -> tuple[float, float]:
        """Return the vector from the corner to the centre."""
        cosine, sine = _direction(degrees)
        return (width * cosine - height * sine) / 2, (width * sine + height * cosine) / 2

    def encode(value: Any, env: Env) -> Any:
        cx, cy, width, height, degrees = values.coordinates(value, 5)
        values.bbox((cx, cy, width, height))
        across, down = half(width, height, degrees)
        return values.listed(site, (cx - across, cy - down, width, height, degrees))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        x, y, width, height, degrees = values.coordinates(value, 5)
        values.bbox((x, y, width, height))
        across, down = half(width, height, degrees)
        return x + across, y + down, width, height, degrees

    return Codec(encode=encode, decode=decode, kind="numbers", arity=5)


def _angle_codec(site: Site, encode: Callable[[Number], Number], decode: Callable[[Number], Number]) -> Codec:
    """Return a codec of angles: of a single number, or of the last number in a list."""

    def change(value: Any, turn: Callable[[Number], Number]) -> Any:
        if not values.is_sequence(value):
            return turn(values.coordinate(value))
        found = values.coordinates(value)
        if not found:
            raise UnfitError("numbers, the last of them an angle", value)
        return (*found[:-1], turn(found[-1]))

    def to_file(value: Any, env: Env) -> Any:
        found = change(value, encode)
        return values.listed(site, found) if isinstance(found, tuple) else found

    return Codec(encode=to_file, decode=lambda value, env: change(value, decode), kind="any")


@codec("counterclockwise")
def counterclockwise(arguments: Sequence[Argument], site: Site) -> Codec:
    """`rotated | counterclockwise`: the angle, which is the last number, is counted counterclockwise."""
    take.plain(arguments)
    return _angle_codec(site, lambda angle: 0 - angle, lambda angle: 0 - angle)


@codec("radians")
def radians(arguments: Sequence[Argument], site: Site) -> Codec:
    """`rotated | radians`: the angle, which is the last number, is in radians. A single number is itself an angle."""
    take.plain(arguments)
    return _angle_codec(site, math.radians, math.degrees)


@codec("two_radii")
def two_radii(arguments: Sequence[Argument], site: Site) -> Codec:
    """`cx, cy, rx, ry: circle | two_radii`: a circle as an ellipse whose radii are equal."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        cx, cy, radius = values.coordinates(value, 3)
        return values.listed(site, (cx, cy, radius, radius))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        cx, cy, first, second = values.coordinates(value, 4)
        if first != second:
            raise UnfitError("two equal radii", value)
        return cx, cy, first

    return Codec(encode=encode, decode=decode, kind="numbers", arity=4)


@codec("radii")
def radii(arguments: Sequence[Argument], site: Site) -> Codec:
    """`cx, cy, rx, ry: ellipse | radii`: an ellipse without rotation, with its radii along x and y.

    Ellipses with equal radii do not fit; they are circles, see `two_radii`.
    """
    take.plain(arguments)

    def differing(value: Any) -> tuple[Number, ...]:
        found = values.coordinates(value, 4)
        if found[2] == found[3]:
            raise UnfitError("two radii that differ", value)
        return found

    def encode(value: Any, env: Env) -> Any:
        *found, degrees = values.coordinates(value, 5)
        if degrees:
            raise UnfitError("an ellipse that is not turned", value)
        return values.listed(site, differing(found))

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Number, ...]:
        found = value if values.is_sequence(value) and len(value) == 5 else (rng.randrange(99), 2, 3, 4, 0)
        return (*found[:2], abs(found[2]), abs(found[2]) + 1, 0.0)

    return Codec(
        encode=encode,
        decode=lambda value, env: (*differing(value), 0.0),
        kind="numbers",
        arity=4,
        fit=fit,
    )


@codec("sides_around")
def sides_around(arguments: Sequence[Argument], site: Site) -> Codec:
    """`ellipse | sides_around`: an ellipse without rotation, as left, top, right, bottom of the box around it."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        cx, cy, rx, ry, degrees = values.coordinates(value, 5)
        if degrees:
            raise UnfitError("an ellipse that is not turned", value)
        return values.listed(site, (cx - rx, cy - ry, cx + rx, cy + ry))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        left, top, right, bottom = values.coordinates(value, 4)
        if right < left or bottom < top:
            raise UnfitError("left, top, right, bottom", value)
        return (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, 0.0

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Number, ...]:
        found = value if values.is_sequence(value) and len(value) == 5 else (rng.randrange(99), 2, 3, 4, 0)
        return (*found[:2], abs(found[2]), abs(found[3]), 0.0)

    return Codec(encode=encode, decode=decode, kind="numbers", arity=4, fit=fit)


@codec("axes_and_angle")
def axes_and_angle(arguments: Sequence[Argument], site: Site) -> Codec:
    """`axes_and_angle`: an ellipse as [[x, y] of its centre, [width, height] before the rotation, degrees]."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        cx, cy, first, second, degrees = values.coordinates(value, 5)
        return values.listed(site, ([cx, cy], [2 * first, 2 * second], degrees))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        center, axes, degrees = values.sequence(value, 3)
        width, height = values.coordinates(axes, 2)
        if width < 0 or height < 0:
            raise UnfitError("a width and a height of at least 0", value)
        return (*values.coordinates(center, 2), width / 2, height / 2, values.coordinate(degrees))

    return Codec(encode=encode, decode=decode, kind="table")


@codec("center_and_rim")
def center_and_rim(arguments: Sequence[Argument], site: Site) -> Codec:
    """`center_and_rim`: a circle as [[x, y], [x, y]]: its centre, and a point on it."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        cx, cy, radius = values.coordinates(value, 3)
        if radius < 0:
            raise UnfitError("a radius of at least 0", value)
        return values.listed(site, ([cx, cy], [cx + radius, cy]))

    def decode(value: Any, env: Env) -> tuple[Number, ...]:
        (cx, cy), (x, y) = (values.coordinates(point, 2) for point in values.sequence(value, 2))
        return cx, cy, abs(x - cx) if y == cy else math.hypot(x - cx, y - cy)

    return Codec(encode=encode, decode=decode, kind="table")


@codec("normalized")
def normalized(arguments: Sequence[Argument], site: Site) -> Codec:
    """`normalized`: each x is divided by the image's width, and each y by its height.

    It applies to flat lists, lists of points, and lists of rings of points. Arguments say what each number is:
    `normalized(x, x, y, y)`; `_` stands for one that is not divided: `triplets | normalized(x, y, _)`.
    """
    pattern = take.names(take.plain(arguments, 0, 16), ("x", "y", "_")) or ("x", "y")
    sizes = {"x": "width", "y": "height"}

    def by_size(flat: Sequence[str], operation: str) -> Sequence[str]:
        pairs = zip(flat, itertools.cycle(pattern), strict=False)
        return [f"({one} {operation} {sizes[name]})" if name in sizes else one for one, name in pairs]

    def scales(env: Env) -> tuple[int | None, ...]:
        if env.width <= 0 or env.height <= 0:
            raise UnfitError("an image of known size")
        if pattern == ("x", "y"):
            return env.width, env.height
        of_image = {"x": env.width, "y": env.height, "_": None}
        return tuple(of_image[name] for name in pattern)

    def flat(value: Any) -> tuple[Number, ...]:
        found = values.coordinates(value)
        if len(found) % len(pattern):
            raise UnfitError(f"numbers in groups of {len(pattern)}", value)
        return found

    def divided(value: Any, by: tuple[int | None, ...]) -> list[Number]:
        if None not in by:
            return list(map(operator.truediv, flat(value), itertools.cycle(by)))
        return [v if size is None else v / size for v, size in zip(flat(value), itertools.cycle(by), strict=False)]

    def multiplied(value: Any, by: tuple[int | None, ...]) -> tuple[Number, ...]:
        if None not in by:
            return tuple(map(operator.mul, flat(value), itertools.cycle(by)))
        return tuple(v if s is None else v * s for v, s in zip(flat(value), itertools.cycle(by), strict=False))

    def each(value: Any, change: Callable[[Any, Any], Any], by: Any, container: type, depth: int = 0) -> Any:
        found = values.sequence(value)
        if any(map(values.is_sequence, found)):
            if depth == DEEPEST:
                raise UnfitError("lists less deep", value)
            return container(each(part, change, by, container, depth + 1) for part in found)
        return change(found, by)

    def encode(value: Any, env: Env) -> Any:
        return values.listed(site, each(value, divided, scales(env), list))

    def decode(value: Any, env: Env) -> Any:
        return each(value, multiplied, scales(env), tuple)

    return Codec(
        encode=encode, decode=decode, kind="any", needs=frozenset({"size"}),
        formulas=lambda flat: by_size(flat, "/"), inverse=lambda flat: by_size(flat, "*"),
    )  # fmt: skip
