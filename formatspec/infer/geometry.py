"""Finds how numbers mean boxes, outlines and points: the reading that fits the images in most rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from formatspec.infer.evidence import Picture, number

SLACK = 1.0
"""How many pixels a box may lie beyond its image and still count as inside, because of rounding."""
RARE = 0.02
"""A probability below which something is taken not to happen by chance."""
BETTER = 0.1
"""How many more rows must fit as percentages than as pixels."""
FAIR = 0.02
"""If shares of fitting rows differ by less than this, names decide."""


class Seen(NamedTuple):
    """A value, and its image if known."""

    value: Any
    picture: Picture | None


class Reading(NamedTuple):
    """A leaf for numbers, how well it fits, and a question if the data leave it open."""

    leaf: str
    comment: str = ""
    doubt: str = ""


class _Order(NamedTuple):
    """A way to read four numbers: its codec, and the resulting left, top, right and bottom."""

    codec: str
    sides: Any


_ORDERS = (
    _Order("xywh", lambda a, b, c, d: (a, b, a + c, b + d)),
    _Order("sides", lambda a, b, c, d: (a, b, c, d)),
    _Order("cxcywh", lambda a, b, c, d: (a - c / 2, b - d / 2, a + c / 2, b + d / 2)),
    _Order("sides | inclusive(1)", lambda a, b, c, d: (a - 1, b - 1, c, d)),
    _Order("sides | inclusive(0)", lambda a, b, c, d: (a, b, c + 1, d + 1)),
    _Order("sides(y1, x1, y2, x2)", lambda a, b, c, d: (b, a, d, c)),
    _Order("sides(x1, x2, y1, y2)", lambda a, b, c, d: (a, c, b, d)),
)
_NAMED = (
    (r"min.*max|x1.*x2|left.*right|x0.*x1|top.*bottom|xyxy|tl.*br|sides|corner", "sides"),
    (r"xywh|left.*width|min.*width|top.*height", "xywh"),
    (r"cx|cent|xc|mid", "cxcywh"),
)


Points = Sequence[tuple[float, float]]


def box(rows: Sequence[Seen], names: str, orders: Sequence[str] = (), inner: Sequence[Points] = ()) -> Reading | None:
    """Find how four numbers describe a box.

    Args:
        rows: Four numbers each, as numbers or as text, with their image.
        names: The key or keys of the numbers, which decide between readings that fit equally well.
        orders: The codecs to consider; all if it is empty.
        inner: For each row the points of its other shapes, which lie in the box; they decide if images do not.

    Returns:
        The leaf, with the number of rows that fit; None if no reading fits most rows.
    """
    quads = [(tuple(number(one) for one in row.value), row.picture) for row in rows]
    whole = [(values, picture) for values, picture in quads if len(values) == 4 and None not in values]
    if not whole or len(whole) < 0.5 * len(rows):
        return None
    numbers_told = [value for values, _ in whole for value in values if value is not None]
    units, top = "", 0.0
    best: list[tuple[float, float, str]] = []
    for tried in _units(numbers_told):
        found = _shares(whole, names, orders, tried)
        most = max((share for share, _, _ in found), default=0.0)
        if most > top + BETTER or not best:
            units, best, top = tried, found, most
    if top < 0.5:
        return None
    near = sorted(((prior, codec) for share, prior, codec in best if share >= top - FAIR), reverse=True)
    if len(near) > 1 and len(inner) == len(rows) and any(inner):
        held = {codec: _held(codec, quads, inner) for _, codec in near}
        most = max(held.values())
        near = [(prior, codec) for prior, codec in near if held[codec] >= most - FAIR]
    chosen = near[0][1]
    rivals = [codec for prior, codec in near[1:] if codec.split()[0] != chosen.split()[0] and "(" not in codec]
    named = near[0][0] >= 1
    comment = f"{round(top * len(whole))} of {len(whole)} boxes lie inside their images so"
    doubt = f"the data fit {' and '.join([chosen, *rivals])} alike: which is it?" if rivals and not named else ""
    return Reading(f"bbox | {chosen}{units}", comment, doubt)


def _held(codec: str, quads: Sequence[tuple[Any, Picture | None]], inner: Sequence[Points]) -> float:
    """Return the share of points inside the boxes of their rows, if four numbers are read in this way."""
    order = next(one for one in _ORDERS if one.codec == codec)
    inside = total = 0
    for (values, _), points in zip(quads, inner, strict=True):
        if len(values) != 4 or None in values:
            continue
        left, top, right, bottom = order.sides(*values)
        slack = 0.02 * max(right - left, bottom - top)
        total += len(points)
        inside += sum(left - slack <= x <= right + slack and top - slack <= y <= bottom + slack for x, y in points)
    return inside / total if total else 1.0


def points_of(value: Any) -> Points:
    """Return the points of an outline, or the visible ones of keypoints; none for any other value."""
    form = form_of(value)
    if form in ("points", "two points"):
        return [(float(x), float(y)) for x, y in value]
    if form == "points with visibility":
        return [(float(x), float(y)) for x, y, seen in value if seen]
    if form == "triplets":
        return [(float(value[i]), float(value[i + 1])) for i in range(0, len(value), 3) if value[i + 2]]
    if form == "flat rings":
        return [(float(ring[i]), float(ring[i + 1])) for ring in value for i in range(0, len(ring), 2)]
    return []


def _shares(
    rows: Sequence[tuple[Any, Picture | None]], names: str, orders: Sequence[str], units: str
) -> list[tuple[float, float, str]]:
    """Return, for each order, the share of rows that fit, the score of its names, and its codec."""
    found = []
    for order in _ORDERS:
        if orders and order.codec.split()[0].split("(")[0] not in orders:
            continue
        if "inclusive" in order.codec and units:
            continue
        share = sum(_fits(order, values, picture, units) for values, picture in rows) / len(rows)
        found.append((share, _prior(order.codec, names, rows), order.codec))
    return found


def _units(values: Sequence[float]) -> tuple[str, ...]:
    """Return the possible units, the likeliest first: nothing for pixels, shares of the size, percentages."""
    fractions = any(value != int(value) for value in values)
    if fractions and all(-0.01 <= value <= 1.01 for value in values):
        return (" | normalized",)
    if fractions and all(-1 <= value <= 101 for value in values):
        return ("", " | normalized | scaled(100)")
    return ("",)


def _fits(order: _Order, values: Any, picture: Picture | None, units: str) -> bool:
    left, top, right, bottom = order.sides(*values)
    if right <= left or bottom <= top:
        return False
    if units:
        limit = 100 if "scaled" in units else 1
        return bool(min(left, top) >= -0.02 * limit and max(right, bottom) <= 1.02 * limit)
    slack = 0.0 if "inclusive" in order.codec else SLACK
    if picture is None or not picture.width:
        return bool(min(left, top) >= -slack)
    return bool(min(left, top) >= -slack and right <= picture.width + slack and bottom <= picture.height + slack)


def _prior(codec: str, names: str, rows: Sequence[tuple[Any, Picture | None]]) -> float:
    """Return how well names suit a reading, and whether sides are the first and the last pixels inside."""
    folded = re.sub(r"[^a-z0-9]", "", names.lower())
    said = next((kind for pattern, kind in _NAMED if re.search(pattern, folded)), "")
    kind = codec.split()[0]
    prior = {"xywh": 0.3, "sides": 0.2, "cxcywh": 0.1}.get(kind, 0.0)
    if said and kind == said:
        prior += 1
    if "inclusive" in codec:
        return prior + 0.1 if _counts_pixels(codec, rows) else prior - 0.6
    return prior


def _counts_pixels(codec: str, rows: Sequence[tuple[Any, Picture | None]]) -> bool:
    """Return whether boxes avoid one edge of their images so often that sides must count pixels, from one or zero.

    Sides that count pixels from one are never below 1, and those that count from zero never end on the image's edge. If
    boxes are many and images small, and boxes often touch the next line, this is unlikely to happen by chance.
    """
    sized = [(values, one) for values, one in rows if one is not None and one.width]
    if not sized:
        return False
    chance, starts, ends = 1.0, 0, 0
    for (left, top, right, bottom), one in sized:
        if "(1)" in codec:
            if min(left, top) < 1:
                return False
            starts += min(left, top) == 1
        else:
            if right > one.width - 1 or bottom > one.height - 1:
                return False
            starts += left == 0 or top == 0
        edge = 0 if "(1)" in codec else 1
        ends += right == one.width - edge or bottom == one.height - edge
        for room in (one.width - (right - left), one.height - (bottom - top)):
            chance *= max(room - 1, 0.05) / max(room, 1)
    return chance < RARE or (starts >= 2 and ends >= 2 and len(sized) >= 10)


# -- outlines and points -------------------------------------------------------------------------------------


def form_of(value: Any) -> str:
    """Return the form of a value that may be a shape; "" for any other value, `empty` for nothing."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        if {"size", "counts"} <= value.keys():
            return "rle"
        return "named points" if _is_named_row(value) else ""
    if isinstance(value, str):
        return _form_of_text(value)
    if not isinstance(value, list):
        return ""
    if not value:
        return "empty"
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        return _form_of_numbers(value)
    if all(isinstance(one, list) for one in value):
        return _form_of_lists(value)
    if all(isinstance(one, dict) and {"x", "y"} <= one.keys() for one in value):
        return "points as x and y"
    return ""


def _is_named_row(value: Mapping[str, Any]) -> bool:
    keys = set(value)
    return len(keys) >= 6 and keys == {f"{axis}{i}" for axis in "xy" for i in range(1, len(keys) // 2 + 1)}


def _form_of_text(value: str) -> str:
    if re.fullmatch(r"\s*-?[\d.]+\s*,\s*-?[\d.]+(?:\s*;\s*-?[\d.]+\s*,\s*-?[\d.]+)+\s*", value):
        return "text of points"
    if re.fullmatch(r"\[\s*-?[\d.]+(?:\s*,\s*-?[\d.]+){3}\s*\]", value):
        return "text of four"
    return ""


def _form_of_numbers(value: Sequence[Any]) -> str:
    if len(value) == 4:
        return "four"
    if len(value) >= 6 and len(value) % 3 == 0 and all(one in (0, 1, 2) for one in value[2::3]):
        return "triplets"
    if len(value) == 5:
        return "five"
    return "flat" if len(value) >= 6 and len(value) % 2 == 0 else ""


def _form_of_lists(value: Sequence[Any]) -> str:
    inner = {form_of(one) or _pair(one) for one in value}
    if inner == {"pair"}:
        return "two points" if len(value) == 2 else "points" if len(value) > 2 else "one point"
    if inner == {"triple"}:
        return "points with visibility"
    if inner <= {"points", "two points"}:
        return "rings"
    if inner <= {"flat", "four", "triplets"}:
        return "flat rings"
    return ""


def _pair(value: Any) -> str:
    if isinstance(value, list) and all(number(one) is not None and not isinstance(one, str) for one in value):
        return {2: "pair", 3: "triple"}.get(len(value), "")
    return ""


_LEAVES = {
    "rle": "region | run_lengths",
    "points": "polygon{closed} | pairs{units}",
    "rings": "polygons | pairs{units}",
    "flat": "polygon{closed} | flat{units}",
    "flat rings": "polygons | flat_lists{units}",
    "points as x and y": "polygon{closed} | named_pairs(x, y){units}",
    "named points": "polygon | numbered_pairs(x, y){texts}",
    "triplets": "keypoints | triplets{some}",
    "points with visibility": "keypoints{some}",
    "text of points": "polygon | pairs{units} | joined",
    "two points": "bbox | two_corners{units}",
}


def shape(rows: Sequence[Seen], form: str, names: str, inner: Sequence[Points] = ()) -> Reading | None:
    """Find how values of one form describe a shape; None if they do not. `inner` is used as in `box`."""
    if form in ("four", "text of four"):
        parsed = rows
        if form == "text of four":
            parsed = [Seen([float(x) for x in row.value.strip("[] ").split(",")], row.picture) for row in rows]
        reading = box(parsed, names, (), inner)
        if reading is None or form == "four":
            return reading
        return reading._replace(leaf=f"[{{{reading.leaf} | joined(', ', numbers)}}]")
    if form not in _LEAVES:
        return None
    values = [number for row in rows for number in numbers_in(row.value, form)]
    share = bool(values) and all(-0.01 <= one <= 1.01 for one in values) and any(one != int(one) for one in values)
    units = " | normalized" if share else ""
    some = " | normalized(x, y, _)" if share else ""
    if form == "text of points":
        units = units and " | normalized"
    closed = " | closed" if form in ("points", "flat", "points as x and y") and _are_closed(rows, form) else ""
    texts = " | texts" if any(isinstance(one, str) for row in rows for one in _leaves(row.value)) else ""
    leaf = _LEAVES[form].format(units=units, some=some, closed=closed, texts=texts)
    return Reading(leaf, f"{len(rows)} of these" + (", as shares of the image's size" if share else ""))


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def numbers_in(value: Any, form: str) -> list[float]:
    """Return the coordinates of a shape, without marks of visibility."""
    if form == "text of points":
        return [float(one) for one in re.findall(r"-?[\d.]+", value)]
    found = [float(one) for one in map(number, _leaves(value)) if one is not None]
    if form in ("triplets", "points with visibility"):
        return [one for place, one in enumerate(found) if place % 3 != 2]
    return [] if form == "rle" else found


def _are_closed(rows: Sequence[Seen], form: str) -> bool:
    def closed(value: Any) -> bool:
        points = list(pairwise(value))[::2] if form == "flat" else value
        return len(points) > 3 and points[0] == points[-1]

    return all(closed(row.value) for row in rows)
