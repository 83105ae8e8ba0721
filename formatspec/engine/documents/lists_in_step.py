"""Rows at places of lists: the place says which row it is, and null stands for no row.

A row's place may be a number (the field STEP), or refer to the same place in another list of the document. Such a field
is `[frames]`, or `[videos.names where id = video]`: the list of the one of `videos` whose `id` equals the `video` of
the row's group. A row may also consist of the values at one place of several lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.documents.around import Around
from formatspec.files.document import FileError
from formatspec.language.rules import ASIDE, STEP, STEP_OF, MapRule, TableRule

LONGEST = 1 << 22
"""The longest list whose rows are placed by their numbers."""
LENGTH, NAMED = "length", "named"
"""Keys in the field ASIDE of a row: the length of its list, and how its group names another list."""


class Step(msgspec.Struct, frozen=True):
    """How places of a list are known.

    Attributes:
        field: The field of a row with its place, or with the value at that place of another list.
        list: The keys that lead to the other list; empty if places are numbers.
        id, key: If there are several such lists, the key of a list's id, and the key of the row's group that names it.
        lists: The keys of the lists, for rows that are spread over several.
        always: Those of them that are always written.
    """

    field: str
    list: tuple[str, ...] = ()
    id: str = ""
    key: str = ""
    lists: tuple[str, ...] = ()
    always: frozenset[str] = frozenset()


def step_of(rules: Sequence[TableRule]) -> Step | None:
    """Return how the places of the rows of a list are known; None if places have no meaning."""
    levels = rules[0].levels
    lists = levels[-1].lists if levels else ()
    for rule in rules:
        fields = rule.row.fields
        always = frozenset(key for field in fields if not field.optional for key in field.keys if key in lists)
        for field in fields:
            if field.keys[0] == STEP:
                return Step(STEP, lists=lists, always=always)
            found = STEP_OF.fullmatch(field.keys[0])
            if found is not None and not isinstance(field.rule, MapRule):
                way = tuple(found["list"].split("."))
                return Step(field.keys[0], way, found["id"] or "", found["key"] or "", lists, always)
    return None


def joined(group: Mapping[str, Any], lists: Sequence[str]) -> Any:
    """Return the rows at the places of several lists, null where all have null; a value that is no list stays."""
    columns = {name: group[name] for name in lists if group.get(name) is not None}
    if not all(isinstance(column, list) for column in columns.values()):
        return columns
    length = max(map(len, columns.values()), default=0)
    rows: list[Any] = []
    for place in range(length):
        row = {
            name: column[place]
            for name, column in columns.items()
            if place < len(column) and column[place] is not None
        }  # fmt: skip
        rows.append(row or None)
    return rows if columns else None


def parted(rows: Sequence[Any], step: Step) -> dict[str, list[Any]]:
    """Return a list for each key, with null where a row has no value: the inverse of `joined`."""
    present = {name for row in rows if row for name in row} | step.always
    return {name: [row.get(name) if row else None for row in rows] for name in step.lists if name in present}


def entries(step: Step, name: Any, around: Around) -> list[Any] | None:
    """Return the list that says what each place stands for; None if there is none."""
    if not step.id:
        found = _inside(around.root, step.list)
        return found if isinstance(found, list) else None
    return _lists(step, around).get(_mark(name))


def _lists(step: Step, around: Around) -> dict[str, list[Any]]:
    """Return the lists among which a name chooses, by their names."""
    key = f"lists {step.field}"
    if key not in around.known:
        around.known[key] = {
            _mark(one[step.id]): one[step.list[-1]]
            for one in _those(step, around.root)
            if step.id in one and isinstance(one.get(step.list[-1]), list)
        }
    found: dict[str, list[Any]] = around.known[key]
    return found


def _those(step: Step, root: Any) -> list[dict[str, Any]]:
    found = _inside(root, step.list[:-1])
    those = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    return [one for one in those if isinstance(one, dict)]


def _inside(document: Any, way: Sequence[str]) -> Any:
    for key in way:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _mark(name: Any) -> str:
    return f"{type(name).__name__} {name}"


class Places:
    """The places of the rows in a written document, and the names of their lists."""

    def __init__(self, step: Step, around: Around) -> None:
        """Note the places of the rows in the list, or in each of the lists, of the document."""
        self.step = step
        self._frames = around.frames
        self._of: dict[str, list[tuple[Any, int]]] = {}
        self._lengths: dict[str, int] = {}
        if not step.list:
            return
        if not step.id:
            self._note(None, _inside(around.root, step.list) or [])
            return
        for one in _those(step, around.root):
            self._note(one.get(step.id), one.get(step.list[-1]) or [])

    def _note(self, name: Any, values: Sequence[Any]) -> None:
        self._lengths[_mark(name)] = len(values)
        for place, value in enumerate(values):
            self._of.setdefault(_mark(value), []).append((name, place))

    def of(self, row: Mapping[str, Any]) -> tuple[Any, int]:
        """Return the name of a row's list, and the row's place. Raises FileError."""
        value = row.get(self.step.field)
        if not self.step.list:
            if type(value) is not int or value < 0:
                raise FileError(f"{value!r} is no place in a list")
            return None, value
        found = self._of.get(_mark(value))
        if not found:
            raise FileError(f"{value!r} does not stand in the list {'.'.join(self.step.list)}")
        named = _mark((row.get(ASIDE) or {}).get(NAMED))
        return next((one for one in found if _mark(one[0]) == named), found[0])

    def length(self, name: Any, rows: Sequence[Mapping[str, Any]], last: int) -> int:
        """Return how long the list of some rows must be, given the place of the last. Raises FileError."""
        if self.step.list:
            return self._lengths[_mark(name)]
        if last >= LONGEST:
            raise FileError(f"a list of {last + 1} places is too long: it may have {LONGEST}")
        before = max(((row.get(ASIDE) or {}).get(LENGTH, 0) for row in rows), default=0)
        return max(before, last + 1, (self._frames[-1] + 1) if self._frames else 0)
