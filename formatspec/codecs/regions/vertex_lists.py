"""Rings and lines as lists of vertices, with a letter for each that says what kind of vertex it is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

LINE = "L"
"""The letter of a vertex that lies on the outline; others are control points of curves."""


@codec("vertex_lists")
def vertex_lists(arguments: Sequence[Argument], site: Site) -> Codec:
    """`vertex_lists`: rings as [{"vertices": [[x, y], ...], "types": "LLL", "closed": true}, ...].

    `vertex_lists(open)` is a single line, with `closed: false`. Each vertex has a letter in `types`, which is L for one
    that lies on the outline, and may be absent when read. Other letters, of control points of curves, do not fit.
    """
    given = take.plain(arguments, 0, 1)
    if given and given[0] != "open":
        raise take.BadArgumentsError("takes `open` or nothing")
    closed, single = not given, bool(given)

    def piece(ring: values.Ring) -> dict[str, Any]:
        vertices = values.as_pairs(ring)
        return {"vertices": vertices, "types": LINE * len(vertices), "closed": closed}

    def ring_of(value: Any) -> values.Ring:
        if not isinstance(value, dict) or value.get("closed") is not closed:
            raise UnfitError(f"vertices that are {'closed' if closed else 'open'}", value)
        ring = values.ring_of_pairs(value.get("vertices"))
        if (value.get("types") or LINE * (len(ring) // 2)) != LINE * (len(ring) // 2):
            raise UnfitError("vertices on the outline, not control points of curves", value)
        if value.keys() - {"vertices", "types", "closed"}:
            raise UnfitError("vertices, types and closed", value)
        return ring

    def some(found: tuple[Any, ...]) -> tuple[Any, ...]:
        if not all(found) or not found:
            raise UnfitError("an outline or a line", found)
        return found

    def encode(value: Any, env: Env) -> Any:
        rings = (values.ring_of(value),) if single else tuple(map(values.ring_of, values.sequence(value)))
        return values.listed(site, map(piece, some(rings)))

    def decode(value: Any, env: Env) -> Any:
        rings = some(tuple(map(ring_of, values.sequence(value, 1 if single else None))))
        return rings[0] if single else rings

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        if single:
            return value or (0, 0, 1, 1, 1, 0)
        return tuple(ring or (0, 0, 1, 1, 1, 0) for ring in value or ((),))

    return Codec(encode=encode, decode=decode, kind="table", fit=fit)
