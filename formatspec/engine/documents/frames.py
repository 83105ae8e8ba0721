"""Rows of one object along the frames of a sequence. Rows that follow from others are made, and left out again.

A file may hold a row for some frames only. Between two rows, the numbers of a box change linearly, and everything else
stays as in the earlier row. A row may also say that its object is gone. Rules see a row for every frame; a row that
says that an object is gone is attached to another row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from formatspec.engine.base.faults import DocumentPath
from formatspec.engine.documents.around import Around
from formatspec.engine.resolve.questions.tables import tables_within
from formatspec.files.document import FileError
from formatspec.language.each import Along
from formatspec.language.leaf import Bind, Text
from formatspec.language.rules import ASIDE, GROUP, Field, LeafRule, MapRule, Rule, TableRule, inside, problem
from formatspec.model.limits import limits

MADE, BEFORE, AFTER = "made", "before", "after"
"""Values of the field ASIDE of a row.

The row was made from others; or: the rows before and after it in the file that say that the object is gone.
"""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_STRAIGHT = frozenset({"bbox", "rotated", "circle", "ellipse"})
"""Slots whose numbers change linearly from frame to frame."""


class Numbers(msgspec.Struct, frozen=True):
    """Fields whose numbers change linearly; with `turn`, the last is an angle, and `turn` a full turn."""

    paths: tuple[DocumentPath, ...]
    turn: float = 0.0


class Frames(msgspec.Struct, frozen=True):
    """How rows go along frames.

    Attributes:
        along: What the table says of it.
        frame: The field for the frame.
        gone: The fields for whether the object is gone; a row has one of them. They may be fields of its parts.
        numbers: The fields whose numbers change.
    """

    along: Along
    frame: DocumentPath
    gone: tuple[DocumentPath, ...]
    numbers: tuple[Numbers, ...]

    @property
    def until(self) -> bool:
        """Whether rows also stand for later frames in which their object is gone."""
        return self.along.ends == "until"

    def number(self, row: Any) -> int | None:
        """Return the frame of a row; None if it states none."""
        value = _at(row, self.frame)
        if type(value) is int:
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value) else None

    def says_gone(self, row: Any) -> bool:
        """Return whether a row says that its object is gone."""
        marks = next((found for path in self.gone if (found := list(_each_at(row, path)))), ())
        return bool(marks) and {_spelled(mark) for mark in marks} == {_spelled(self.along.value)}

    def at(self, row: dict[str, Any], frame: int) -> dict[str, Any]:
        """Return a copy of a row for another frame."""
        before = _at(row, self.frame)
        value = f"{frame:0{len(before)}d}" if isinstance(before, str) else frame
        return _put(row, self.frame, value)

    def closing(self, row: dict[str, Any], frame: int | None = None) -> dict[str, Any]:
        """Return a row that says that its object is gone, in its own frame or in another."""
        value: Any = self.along.value
        gone = next((path for path in self.gone if any(True for _ in _each_at(row, path))), self.gone[0])
        marks = _each_at(row, gone)
        text = isinstance(_at(row, self.frame), str) or any(isinstance(mark, str) for mark in marks)
        made = _put(row, gone, _spelled(value) if text else value)
        return made if frame is None else self.at(made, frame)


def frames_of(rules: Sequence[TableRule]) -> Frames | None:
    """Return how the rows of a list go along frames; None if they do not. Raises SpecError."""
    alongs = [(one.each.along, one) for one in rules if one.each.along is not None and one.each.table == "objects"]
    if not alongs:
        return None
    along, rule = alongs[0]
    frame = next((path for one in rules for path in _paths(one.row, (), (along.name,))), None)
    if frame is None:
        raise problem(f"`along {along.name}` needs a field of the rows that holds {along.name!r}", rule.place,
                      f"a field such as `frame: {along.name}`")  # fmt: skip
    numbers = tuple(dict.fromkeys(one for each in rules for one in _numbers(each.row, ())))
    keys = dict.fromkeys(one.key for one, _ in alongs if one.key)
    if len({(one.name, one.ends, _spelled(one.value)) for one, _ in alongs}) > 1:
        raise problem("the rows of one list go along the frames in several ways", alongs[-1][1].place,
                      "the same words behind `along`; only the key may differ")  # fmt: skip
    return Frames(along, frame, tuple(_mark(key, frame[:-1]) for key in keys), numbers)


def _mark(key: str, within: DocumentPath) -> DocumentPath:
    """Return the path of a key by which rows, or all their parts, say that an object is gone."""
    *parts, last = key.split(".")
    return *parts, *within, last


def frame_leaf(rule: Rule) -> tuple[LeafRule, str] | None:
    """Return the leaf for the frame of rows along frames, with their table's name; None if there are none."""
    for table in tables_within(rule):
        if table.each.along is None or table.each.table != "objects":
            continue
        for _, field in _fields(table.row, ()):
            bind = _bound(field)
            if bind is not None and bind.names == (table.each.along.name,) and isinstance(field.rule, LeafRule):
                return field.rule, table.each.table
    return None


def _fields(rule: Any, at: DocumentPath) -> Iterator[tuple[DocumentPath, Field]]:
    """Yield the fields of a row, including those of nested mappings and alternatives, with the keys that lead there."""
    if isinstance(rule, MapRule):
        for field in rule.fields:
            if field.keys[0].startswith(GROUP):
                continue
            if isinstance(field.rule, LeafRule):
                yield at, field
            elif isinstance(field.rule, MapRule):
                yield from _fields(field.rule, (*at, field.keys[0]))
        for choice in rule.alternatives:
            for one in inside(choice):
                yield from _fields(one, at)


def _bound(field: Field) -> Bind | None:
    leaf = field.rule.leaf
    if isinstance(leaf, Text) and len(leaf.parts) == 1 and isinstance(leaf.parts[0], Bind):
        return leaf.parts[0]
    return leaf if isinstance(leaf, Bind) else None


def _paths(rule: Any, at: DocumentPath, names: tuple[str, ...]) -> Iterator[DocumentPath]:
    for path, field in _fields(rule, at):
        bind = _bound(field)
        if bind is not None and bind.names == names and len(field.keys) == 1:
            yield (*path, field.keys[0])


def _numbers(rule: Any, at: DocumentPath) -> Iterator[Numbers]:
    for path, field in _fields(rule, at):
        bind = _bound(field)
        if bind is None or len(bind.names) != 1 or bind.names[0] not in _STRAIGHT:
            continue
        turn = 0.0
        if bind.names[0] == "rotated" and len(field.keys) in (1, 5):
            turn = math.tau if any(call.name == "radians" for call in bind.calls) else 360.0
        yield Numbers(tuple((*path, key) for key in field.keys), turn)


def _at(value: Any, path: DocumentPath) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _each_at(value: Any, path: DocumentPath) -> Iterator[Any]:
    """Yield the values at a path that leads through lists; none where a key is absent."""
    if isinstance(value, list):
        for one in value:
            yield from _each_at(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _each_at(value[path[0]], path[1:])


def _put(value: dict[str, Any], path: DocumentPath, part: Any) -> dict[str, Any]:
    """Return a mapping with another value at a path, in all parts of a list; the original mapping stays unchanged."""
    key = str(path[0])
    inner = value.get(key)
    if isinstance(inner, list) and len(path) > 1:
        return {**value, key: [_put(one, path[1:], part) if isinstance(one, dict) else one for one in inner]}
    return {**value, key: part if len(path) == 1 else _put(inner if isinstance(inner, dict) else {}, path[1:], part)}


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def between(frames: Frames, first: dict[str, Any], then: dict[str, Any] | None, frame: int) -> dict[str, Any]:
    """Return the row of a frame between two rows; a copy of the first if there is no second or the object is gone."""
    row = frames.at(first, frame)
    start, stop = frames.number(first), None if then is None else frames.number(then)
    if then is None or start is None or stop is None or (frames.until and frames.says_gone(then)):
        return row
    share = (frame - start) / (stop - start)
    for numbers in frames.numbers:
        for place, path in enumerate(numbers.paths):
            turn = numbers.turn if place == len(numbers.paths) - 1 else 0.0
            mixed = _mixed(_at(first, path), _at(then, path), share, turn)
            if mixed is not None:
                row = _put(row, path, mixed)
    return row


def _mixed(first: Any, then: Any, share: float, turn: float) -> Any:
    """Interpolate between two values of numbers; None if the values differ in shape."""
    if isinstance(first, list) and isinstance(then, list) and len(first) == len(then):
        last = len(first) - 1
        pairs = enumerate(zip(first, then, strict=True))
        parts = [_mixed(a, b, share, turn if n == last else 0.0) for n, (a, b) in pairs]
        return None if any(part is None for part in parts) else parts
    if isinstance(first, str) and isinstance(then, str):
        if _NUMBER.split(first) != _NUMBER.split(then):
            return None
        found = list(zip(map(float, _NUMBER.findall(first)), map(float, _NUMBER.findall(then)), strict=True))
        mixed = iter([_on_the_way(*pair, share, turn if n == len(found) - 1 else 0.0) for n, pair in enumerate(found)])
        return _NUMBER.sub(lambda _: repr(next(mixed)), first) if found else None
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (first, then)):
        return None
    try:
        way = _on_the_way(float(first), float(then), share, turn)
    except OverflowError:  # an integer too large for a float
        return None
    whole = type(first) is int and type(then) is int and way.is_integer()
    return int(way) if whole else way


def _on_the_way(first: float, then: float, share: float, turn: float) -> float:
    """Interpolate between two numbers; `share` goes from 0 (the first) to 1 (the second)."""
    way = then - first
    if turn and math.isfinite(way):
        way = (way + turn / 2) % turn - turn / 2  # an angle takes the shorter way
    return round(first + way * share, 9)


def spread(
    rows: Sequence[Any], paths: Sequence[tuple[DocumentPath, ...]], frames: Frames, around: Around
) -> tuple[list[Any], list[tuple[DocumentPath, ...]]]:
    """Add a row for each frame between the rows of one group.

    A row that says that its object is gone is attached to the row before it.

    Returns:
        The rows in order of frame, and the path of each.

    Raises:
        FileError: A row has no frame number, or two rows of a track have the same.
    """
    behind = _following(rows, frames)
    found: list[Any] = []
    at: list[tuple[DocumentPath, ...]] = []
    before: list[Any] = []
    last: dict[str, Any] | None = None
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            found.append(row)
            at.append(paths[place])
            continue
        if frames.until and frames.says_gone(row):
            (before if last is None else last[ASIDE][AFTER]).append(_own(row))
            continue
        last = {**row, ASIDE: {BEFORE: before, AFTER: []}}
        before = []
        found.append(last)
        at.append(paths[place])
        then = behind.get(place)
        start, stop = frames.number(row), None if then is None else frames.number(rows[then])
        if then is None or start is None or stop is None or (not frames.until and frames.says_gone(row)):
            continue
        around.made += max(stop - start - 1, 0)
        if around.made > (most := limits().frames):
            raise FileError(
                f"more than {most:,} rows of frames would follow from the rows of this file "
                f"(--limit frames={around.made} raises the limit)"
            )
        for frame in range(start + 1, stop):
            found.append({**between(frames, row, rows[then], frame), ASIDE: {MADE: True}})
            at.append(paths[place])
    return found, at


def _following(rows: Sequence[Any], frames: Frames) -> dict[int, int]:
    """Return the index of the next frame's row, by the index of each row."""
    known = [(number, place) for place, row in enumerate(rows) if (number := frames.number(row)) is not None]
    return {a: b for (_, a), (_, b) in pairwise(sorted(known))}


def is_made(row: Any) -> bool:
    """Return whether a row was made from others."""
    return isinstance(row, dict) and bool((row.get(ASIDE) or {}).get(MADE))


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the field that notes which rows it was made from."""
    return {key: part for key, part in row.items() if key != ASIDE and not key.startswith(GROUP)}


def folded(rows: Sequence[Any], frames: Frames, around: Around) -> list[Any]:
    """Leave out rows that follow from others: the inverse of `spread`.

    Rows that say that their object is gone are added. Frames without the object are written only if the frames of the
    item are known.
    """
    if any(frames.number(row) is None for row in rows):
        return list(rows)
    known = around.frames
    ends = dict(_ends(rows, frames))
    left_out = _following_from_others(rows, frames, known)
    present = {frames.number(row) for row in rows}
    found: list[Any] = []
    for row in rows:
        if id(row) in left_out:
            continue
        aside = row.get(ASIDE) or {}
        own = _whole(row)
        found += aside.get(BEFORE, ())
        gone = [one for one in aside.get(AFTER, ()) if frames.number(one) not in present]
        start, end = frames.number(row), ends[id(row)]
        empty = (
            None
            if start is None
            else next((one for one in known if start < one < (math.inf if end is None else end)), None)
        )
        closes = bool(frames.gone) and empty is not None and not gone and (end is not None or BEFORE not in aside)
        if closes and not frames.until and not frames.says_gone(row):
            own = frames.closing(own)
        found.append(own)
        found += gone
        if closes and frames.until:
            found.append(frames.closing(own, empty))
    return found


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in row.items() if key != ASIDE}


def _ends(rows: Sequence[Any], frames: Frames) -> Iterator[tuple[int, int | None]]:
    """Yield each row's index with the next frame that has a row; None if there is none."""
    numbers = sorted({number for row in rows if (number := frames.number(row)) is not None})
    following: dict[int, int | None] = {**dict(pairwise(numbers)), numbers[-1]: None} if numbers else {}
    for row in rows:
        number = frames.number(row)
        yield id(row), None if number is None else following[number]


def _following_from_others(rows: Sequence[Any], frames: Frames, known: Sequence[int]) -> set[int]:
    """Return the rows that were made from others and still follow from them."""
    ordered = sorted(rows, key=lambda row: frames.number(row) or 0)
    real = [place for place, row in enumerate(ordered) if not is_made(row)]
    found: set[int] = set()
    for place, start in enumerate(real):
        stop = real[place + 1] if place + 1 < len(real) else len(ordered)
        made, first = ordered[start + 1 : stop], ordered[start]
        after = (first.get(ASIDE) or {}).get(AFTER) or ()
        then = after[0] if after else ordered[stop] if stop < len(ordered) else None
        if not made or then is None:
            continue
        limits = frames.number(first) or 0, frames.number(then) or 0
        wanted = [frame for frame in known if limits[0] < frame < limits[1]]
        if known and [frames.number(row) for row in made] != wanted:
            continue
        if all(_own(row) == _own(between(frames, first, then, frames.number(row) or 0)) for row in made):
            found |= {id(row) for row in made}
    return found
