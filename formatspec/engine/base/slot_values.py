"""What a value of each type of slot must be, whatever codecs it came through."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from formatspec.codecs.registry import Env, UnfitError
from formatspec.model.slots import Type

Convert = Callable[[Any, Env], Any]
"""Takes a value and what is known of the image; gives the value, or raises UnfitError."""


def _finite(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != float("inf")
    )


def _integer(value: Any, env: Env) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise UnfitError("an integer", value)
    return value


def _number(value: Any, env: Env) -> int | float:
    if not _finite(value):
        raise UnfitError("a finite number", value)
    return value  # type: ignore[no-any-return]


def _text(value: Any, env: Env) -> str:
    if not isinstance(value, str):
        raise UnfitError("text", value)
    return value


def _id(value: Any, env: Env) -> Any:
    if type(value) is int or type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UnfitError("an integer or text", value)
    return value


def _bool(value: Any, env: Env) -> bool:
    if not isinstance(value, bool):
        raise UnfitError("true or false", value)
    return value


_TEXT = frozenset({str})
_LISTS = frozenset({list, tuple})


def _texts(value: Any, env: Env) -> tuple[str, ...]:
    if type(value) in _LISTS and _TEXT.issuperset(map(type, value)):
        return tuple(value)
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise UnfitError("a list of texts", value)
    return tuple(value)


def _numbers(count: int | None, value: Any, env: Env) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)) or (count is not None and len(value) != count):
        raise UnfitError(f"{count} numbers" if count else "a list of numbers", value)
    for part in value:
        plain = type(part) is int or (type(part) is float and part - part == 0)
        if not plain and not _finite(part):
            raise UnfitError("finite numbers", value)
    return tuple(value)


def _rings(value: Any, env: Env) -> tuple[tuple[Any, ...], ...]:
    if not isinstance(value, list | tuple):
        raise UnfitError("a list of lists of numbers", value)
    return tuple(_ring(ring, env) for ring in value)


def _ring(value: Any, env: Env) -> tuple[Any, ...]:
    ring = _numbers(None, value, env)
    if len(ring) % 2:
        raise UnfitError("an even count of numbers, x and y in turn", value, "POLYGON")
    return ring


def _keypoints(value: Any, env: Env) -> tuple[tuple[Any, ...], ...]:
    if not isinstance(value, list | tuple):
        raise UnfitError("a list of x, y and visibility", value)
    return tuple(_numbers(3, point, env) for point in value)


def _coded(what: str, value: Any, env: Env) -> Any:
    raise UnfitError(f"{what}, which a codec gives", value)


def _color(value: Any, env: Env) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        raise UnfitError("a colour of three integers", value)
    return tuple(_integer(part, env) for part in value)


def _edges(value: Any, env: Env) -> tuple[tuple[int, ...], ...]:
    if not isinstance(value, list | tuple):
        raise UnfitError("pairs of integers", value)
    edges = tuple(tuple(edge) if isinstance(edge, list | tuple) else () for edge in value)
    if any(len(edge) != 2 or not all(isinstance(end, int) for end in edge) for edge in edges):
        raise UnfitError("pairs of integers", value)
    return edges


def _mapping(value: Any, env: Env) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnfitError("a mapping", value)
    return _finite_json(value, env)  # type: ignore[no-any-return]


_WITHOUT_NUMBERS = frozenset({str, int, bool, type(None)})


def _finite_json(value: Any, env: Env) -> Any:
    """A value of JSON, which has neither NaN nor infinities, though Python's reader of JSON takes them."""
    if type(value) in _WITHOUT_NUMBERS:
        return value
    inside = [value]
    while inside:
        part = inside.pop()
        if type(part) is float and part - part != 0:
            raise UnfitError("a value without NaN and infinities", value)
        if isinstance(part, dict):
            inside.extend(part.values())
        elif isinstance(part, list | tuple):
            inside.extend(part)
    return value


TYPES: dict[Type, Convert] = {
    "int": _integer,
    "number": _number,
    "text": _text,
    "id": _id,
    "bool": _bool,
    "state": _text,
    "texts": _texts,
    "box": partial(_numbers, 4),
    "rotated": partial(_numbers, 5),
    "ring": _ring,
    "circle": partial(_numbers, 3),
    "ellipse": partial(_numbers, 5),
    "color": _color,
    "edges": _edges,
    "mapping": _mapping,
    "json": _finite_json,
}  # fmt: skip
"""A check for each type of slot: it returns the value, or raises UnfitError. Types not listed take any value."""
BARE: dict[Type, Convert] = {
    "ring": _ring,
    "rings": _rings,
    "keypoints": _keypoints,
    "region": partial(_coded, "pixels"),
    "bytes": partial(_coded, "bytes"),
}
"""The conversion to each type of a value that no codec converts."""
