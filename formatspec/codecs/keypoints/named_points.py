"""Keypoints that a file names one by one, and a category's graph of names: points_by_name, named_points, named_graph.

A category names its keypoints once (`keypoint_names`), and rows may name those that they tell of.  Where rows leave
some out, or have them in another order, `engine.read.build_item` puts them in the category's order.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from html import escape, unescape
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.codecs.values import Number

Named = tuple[str, tuple[Number, Number, int]]


@codec("points_by_name")
def points_by_name(arguments: Sequence[Argument], site: Site) -> Codec:
    """`points_by_name`: keypoints as a mapping from their names to their places, {name: {"loc": [x, y]}, ...}.

    Example: `nodes: keypoints, category.keypoint_names | points_by_name(loc, disabled)`. A point of visibility 1 also
    has "disabled": true, and a point of visibility 0 is left out. If the category has no names, the names are 1, 2, 3
    and so on. `points_by_name` without arguments is a mapping to bare places, {name: [x, y], ...}: all points are
    visible, and null stands for an absent one.
    """
    keys = [take.text(one) for one in take.plain(arguments, 0, 2)]
    if not keys:
        return _codec(_bare, _read_bare, dict, hides=False)
    if len(keys) != 2:
        raise take.BadArgumentsError("takes the keys of the place and of what marks a hidden point, or no argument")
    place, hidden = keys

    def written(named: Iterable[Named]) -> dict[str, Any]:
        return {
            name: {place: [x, y], **({hidden: True} if seen < values.VISIBLE else {})} for name, (x, y, seen) in named
        }

    def read(value: Any) -> list[Named]:
        if not isinstance(value, dict) or not value:
            raise UnfitError("a mapping from names to points", value)
        found = []
        for name, one in value.items():
            x, y = values.coordinates(_mapping(one, place)[place], 2)
            found.append((values.text(name), (x, y, 1 if one.get(hidden) is True else values.VISIBLE)))
        return found

    return _codec(written, read, dict, others=lambda value: _further(value.values(), {place, hidden}))


def _bare(named: Iterable[Named]) -> dict[str, Any]:
    points = list(named)
    if any(seen < values.VISIBLE for _, (_, _, seen) in points):
        raise UnfitError("keypoints that are visible or not there", points)
    return {name: [x, y] for name, (x, y, _) in points}


def _read_bare(value: Any) -> list[Named]:
    if not isinstance(value, dict) or not value:
        raise UnfitError("a mapping from names to points [x, y]", value)
    found: list[Named] = []
    for name, one in value.items():
        x, y = values.coordinates(one, 2) if one is not None else (0, 0)
        found.append((values.text(name), (x, y, 0 if one is None else values.VISIBLE)))
    return found


@codec("named_points")
def named_points(arguments: Sequence[Argument], site: Site) -> Codec:
    """`named_points`: keypoints as a list of mappings with their names, [{"name": name, "x": x, ...}].

    Example: `nodes: keypoints, category.keypoint_names | named_points(name, x, y, occluded)`. A point of visibility 1
    is occluded, and a point of visibility 0 is left out. If the category has no names, the names are 1, 2, 3 and so on.
    """
    called, left, top, hidden = (take.text(one) for one in take.plain(arguments, 4, 4))

    def written(named: Iterable[Named]) -> list[dict[str, Any]]:
        return [{called: name, left: x, top: y, hidden: seen < values.VISIBLE} for name, (x, y, seen) in named]

    def read(value: Any) -> list[Named]:
        found = []
        for one in values.sequence(value):
            x, y = values.coordinates([_mapping(one, left)[left], _mapping(one, top)[top]], 2)
            name = values.text(_mapping(one, called)[called])
            found.append((name, (x, y, 1 if one.get(hidden) is True else values.VISIBLE)))
        if not found or len({name for name, _ in found}) < len(found):
            raise UnfitError("points, each with a name of its own", value)
        return found

    return _codec(written, read, list, others=lambda value: _further(value, {called, left, top, hidden}))


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or key not in value:
        raise UnfitError(f"a mapping with {key}", value)
    return value


def _further(points: Iterable[Mapping[str, Any]], read: Container[str]) -> list[str]:
    """Return the keys of points that hold a value and are not read, each once."""
    held = (key for one in points for key, part in one.items() if part is not None)
    return list(dict.fromkeys(key for key in held if key not in read))


def _counting(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(1, count + 1)))


def _codec(
    written: Callable[[Iterable[Named]], Any], read: Callable[[Any], list[Named]], takes: type, hides: bool = True,
    others: Callable[[Any], Iterable[str]] | None = None,
) -> Codec:  # fmt: skip
    """Return the codec of keypoints and names, from functions that write and read points with their names.

    `hides` says whether a point may be labelled and hidden; `others` names what else points hold.
    """

    def encode(value: Any, env: Env) -> Any:
        told, given = values.sequence(value, 2)
        points = values.keypoints(told)
        names = tuple(map(values.text, values.sequence(() if given is None else given)))
        if not names and any(not seen for _, _, seen in points):
            raise UnfitError("keypoints that are all there, since the category has no names for them", told)
        names = names or _counting(len(points))
        if len(names) != len(points) or len(set(names)) < len(names):
            raise UnfitError("a name of its own for each keypoint", given)
        found = [(name, point) for name, point in zip(names, points, strict=True) if point[2]]
        if not found:
            raise UnfitError("keypoints of which one is there", told)
        return written(found)

    def decode(value: Any, env: Env) -> tuple[Any, tuple[str, ...] | None]:
        found = read(value)
        names = tuple(name for name, _ in found)
        return tuple(point for _, point in found), None if names == _counting(len(names)) else names

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        told, given = value if values.is_sequence(value) and len(value) == 2 else (value, None)
        points = tuple((x, y, seen or 1) for x, y, seen in told) if values.is_keypoints(told) else ((1, 1, 2),)
        if not hides:
            points = tuple((x, y, values.VISIBLE) for x, y, _ in points)
        names = tuple(values.sequence(given)) if values.is_sequence(given) else ()
        fitting = len(set(names)) == len(points) == len(names) and names != _counting(len(names))
        return points, names if fitting else None

    return Codec(encode=encode, decode=decode, kind="table", fit=fit, takes=takes, others=others)


@codec("marked_points")
def marked_points(arguments: Sequence[Argument], site: Site) -> Codec:
    """`marked_points`: keypoints as XML elements <points label="nose" outside="0" occluded="0" points="x,y"/>.

    Example: `points: keypoints, category.keypoint_names | marked_points`. A point that is outside has visibility 0, an
    occluded one 1, and any other 2. If the category has no names, the labels are 1, 2, 3 and so on.
    `marked_points(seen)` takes no points that are all outside.
    """
    one_seen = bool(take.names(take.plain(arguments, 0, 1), ("seen",)))

    def checked(points: Sequence[tuple[Number, Number, int]]) -> None:
        if one_seen and not any(seen for _, _, seen in points):
            raise UnfitError("a point that is not outside", points)

    def element(name: str, point: tuple[Number, Number, int]) -> dict[str, Any]:
        x, y, seen = point
        marks = {"outside": str(int(seen == 0)), "occluded": str(int(seen == 1))}
        spelled = f"{values.spell_number(x)},{values.spell_number(y)}"
        return {"@": {"label": name, **marks, "points": spelled}}

    def read(value: Any) -> Named:
        marks = value.get("@") if isinstance(value, dict) else None
        if not isinstance(marks, dict):
            raise UnfitError("elements with points", value)
        x, y = values.coordinates([values.read_number(p) for p in values.text(marks.get("points")).split(",")], 2)
        seen = 0 if marks.get("outside") == "1" else 1 if marks.get("occluded") == "1" else values.VISIBLE
        return values.text(marks.get("label")), (x, y, seen)

    def encode(value: Any, env: Env) -> list[dict[str, Any]]:
        told, given = values.sequence(value, 2)
        points = values.keypoints(told)
        names = tuple(map(values.text, values.sequence(() if given is None else given))) or _counting(len(points))
        if len(names) != len(points) or len(set(names)) < len(names):
            raise UnfitError("a name of its own for each keypoint", given)
        checked(points)
        return [element(name, point) for name, point in zip(names, points, strict=True)]

    def decode(value: Any, env: Env) -> tuple[Any, tuple[str, ...] | None]:
        found = [read(one) for one in values.sequence([value] if isinstance(value, dict) else value)]
        names = tuple(name for name, _ in found)
        if len(set(names)) < len(names):
            raise UnfitError("points, each with a label of its own", value)
        points = tuple(point for _, point in found)
        checked(points)
        return points, None if names == _counting(len(names)) else names

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        told, given = value if values.is_sequence(value) and len(value) == 2 else (value, None)
        points = tuple(told) if values.is_keypoints(told) else ()
        if one_seen and not any(seen for _, _, seen in points):
            points = tuple((x, y, values.VISIBLE) for x, y, _ in points) or ((0, 0, values.VISIBLE),)
        names = tuple(values.sequence(given)) if values.is_sequence(given) else ()
        fitting = len(set(names)) == len(points) == len(names) and names != _counting(len(names))
        return points, names if fitting and names else None

    def others(value: Any) -> list[str]:
        points = [value] if isinstance(value, dict) else value
        marks = ({key: part for key, part in one["@"].items() if (key, part) != _PLAIN} for one in points)
        return [*_further(marks, _MARKS), *_further(points, ("@", "#", "<>"))]

    return Codec(encode=encode, decode=decode, kind="tree", fit=fit, others=others)


_MARKS = frozenset({"label", "outside", "occluded", "points"})
_PLAIN = ("keyframe", "1")
"""What a point of a keyframe says by rule."""


@codec("named_graph")
def named_graph(arguments: Sequence[Argument], site: Site) -> Codec:
    """`keypoint_names, skeleton | named_graph`: {"nodes": {name: {"label": name, "loc": [x, y]}}, "edges": [...]}.

    An edge is {"src": name, "dst": name}. Places and colours only say how a program draws the graph. They are not read;
    new places are put on a line.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> dict[str, Any]:
        names, edges = _graph_of(value)
        return {
            "nodes": {name: {"label": name, "loc": [10 * i, 10 * i]} for i, name in enumerate(names, 1)},
            "edges": [{"src": names[a - 1], "dst": names[b - 1]} for a, b in edges],
        }

    def decode(value: Any, env: Env) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        nodes = _mapping(value, "nodes")["nodes"]
        if not isinstance(nodes, dict) or not nodes:
            raise UnfitError("a mapping of nodes", value)
        number = {values.text(name): i for i, name in enumerate(nodes, 1)}
        ends = [
            tuple(values.text(_mapping(one, key)[key]) for key in ("src", "dst"))
            for one in values.sequence(value.get("edges", ()))
        ]
        if not all(name in number for pair in ends for name in pair):
            raise UnfitError("edges between nodes", value)
        return tuple(number), tuple((number[a], number[b]) for a, b in ends)

    def others(value: Any) -> list[str]:
        nodes, edges = value["nodes"].values(), value.get("edges", ())
        parts = (nodes, {"label", "loc"}), (edges, {"src", "dst"}), ([value], {"nodes", "edges"})
        return list(dict.fromkeys(key for some, read in parts for key in _further(some, read)))

    return Codec(encode=encode, decode=decode, kind="table", fit=_fit_graph, takes=dict, others=others)


def _graph_of(value: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return the names of a category's keypoints, and the edges between them as pairs of their numbers, from 1.

    Raises:
        UnfitError: A name stands twice or none does, or an edge leads to no keypoint.
    """
    told, pairs = values.sequence(value, 2)
    names = tuple(map(values.text, values.sequence(() if told is None else told)))
    if not names or len(set(names)) < len(names):
        raise UnfitError("names of keypoints, each once", told)
    edges = [values.sequence(pair, 2) for pair in values.sequence(() if pairs is None else pairs)]
    if not all(type(end) is int and 0 < end <= len(names) for pair in edges for end in pair):
        raise UnfitError(f"pairs of numbers from 1 to {len(names)}", pairs)
    return names, edges


def _fit_graph(value: Any, rng: random.Random, env: Env) -> Any:
    """Return names and pairs of their numbers, made from any value."""
    told, pairs = value if values.is_sequence(value) and len(value) == 2 else (value, ())
    names = tuple(dict.fromkeys(told)) if values.is_sequence(told) else ()
    names = names or ("point",)
    ends = [pair for pair in pairs if values.is_sequence(pair)] if values.is_sequence(pairs) else []
    return names, tuple(
        tuple(end if 0 < end <= len(names) else 1 + abs(end) % len(names) for end in pair) for pair in ends
    )


@codec("svg_graph")
def svg_graph(arguments: Sequence[Argument], site: Site) -> Codec:
    """`keypoint_names, skeleton | svg_graph`: a drawing of circles with `data-label-name` and of lines between them.

    Circles have numbers in `data-node-id`, to which `data-node-from` and `data-node-to` of lines refer. Places and
    colours only say how a program draws the graph. They are not read; new places are put on a line.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> str:
        names, edges = _graph_of(value)
        lines = [
            f'<line x1="{10 * a}" y1="{10 * a}" x2="{10 * b}" y2="{10 * b}" data-type="edge" data-node-from="{a}" '
            f'data-node-to="{b}"></line>'
            for a, b in edges
        ]
        circles = [
            f'<circle r="1.5" cx="{10 * i}" cy="{10 * i}" data-type="element node" data-element-id="{i}" '
            f'data-node-id="{i}" data-label-name="{escape(name, quote=True)}"></circle>'
            for i, name in enumerate(names, 1)
        ]
        return "".join([*lines, *circles])

    def decode(value: Any, env: Env) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        marks = [dict(_MARK.findall(tag)) for tag in _TAG.findall(values.text(value))]
        named = {
            one["node-id"]: unescape(one["label-name"]) for one in marks if one.keys() >= {"node-id", "label-name"}
        }
        ends = [(one["node-from"], one["node-to"]) for one in marks if one.keys() >= {"node-from", "node-to"}]
        if not named or len(set(named.values())) < len(named) or not all(end in named for pair in ends for end in pair):
            raise UnfitError("circles with names and lines between them", value)
        number = {node: i for i, node in enumerate(named, 1)}
        return tuple(named.values()), tuple((number[a], number[b]) for a, b in ends)

    return Codec(encode=encode, decode=decode, fit=_fit_graph)


_TAG = re.compile(r"<(?:line|circle)\b([^<>]*)>")
_MARK = re.compile(r'\bdata-([a-z-]+)="([^"]*)"')
