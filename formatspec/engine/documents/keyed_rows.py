"""Rows in groups, under keys, or as bare values. Rules see all of these as a list of mappings.

The key of a row is its field KEY, and a bare value its field BARE. The values of a bare list are the fields "0", "1",
…. What the groups around it state are the fields GROUP with the number of the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from formatspec.engine.base.faults import DocumentPath
from formatspec.engine.base.remembered import remembered
from formatspec.engine.documents.around import Around
from formatspec.engine.documents.changed_rows import ChangeRows, Empty, with_empty
from formatspec.engine.documents.entries_elsewhere import (
    Elsewhere,
    elsewhere_of,
    note_entries,
    with_entries,
    with_noted,
)
from formatspec.engine.documents.frames import Frames, folded, frames_of, spread
from formatspec.engine.documents.group_numbers import group_numbers, is_alone, put_number
from formatspec.engine.documents.lists_in_step import LENGTH, NAMED, Places, Step, entries, joined, parted, step_of
from formatspec.engine.documents.named_keys import NamedKeys, named_keys
from formatspec.files.document import FileError
from formatspec.language.rules import (
    ASIDE,
    BARE,
    GROUP,
    GROUPED_BY,
    KEY,
    ORDER,
    PLACE,
    Level,
    MapRule,
    OneOf,
    Rule,
    is_bare,
    is_places,
)

Change = Callable[[Any, Around], Any]
COUNTED = "rows"
"""A key in the field ASIDE of a group: how many rows the group had."""


def rows_from_mapping(rule: Rule, elements: bool = False) -> Callable[[Any], Any] | None:
    """Return a function that turns a document's rows into lists; None if all rows are lists of mappings already.

    The function raises FileError if too many rows would have to be made from others.

    Args:
        rule: The rule of the document.
        elements: Whether rows are XML elements, whose text is the field BARE.
    """
    change = _change(rule, _How(True, None, elements))
    return None if change is None else lambda document: change(document, Around(document))


def mapping_from_rows(rule: Rule, elements: bool = False) -> Callable[..., Any] | None:
    """Return the inverse of `rows_from_mapping`: a function of a document and, optionally, of what is around it.

    The function raises FileError if two rows have one key, or one has no place.
    """
    change = _change(rule, _How(False, None, elements))
    if change is None:
        return None
    first, then = (_change(rule, _How(False, refers, elements)) for refers in (False, True))

    def write(document: Any, around: Around | None = None) -> Any:
        around = Around() if around is None else around
        if then is None:
            return change(document, around)
        around.root = document if first is None else first(document, around)
        return with_noted(then(around.root, around), around)  # rows that refer to other parts of the document come last

    return write


def file_path(document: Any, path: DocumentPath) -> DocumentPath:
    """Translate a path in a document with its rows as lists into the path in the file."""
    found: list[str | int] = []
    start = 0  # where the path of the innermost rows begins
    around: tuple[DocumentPath, ...] = ()
    plain = False
    behind: DocumentPath = ()
    for part in path:
        if part == KEY:
            break
        if isinstance(part, str) and part.startswith(GROUP) and part[1:].isdecimal() and around:
            found[start:], behind = around[int(part[1:])], ()
        elif isinstance(part, str) and part.startswith("[") and around:
            break
        elif (
            isinstance(part, str)
            and "{" in part
            and isinstance(document, dict)
            and isinstance(document.get(part), ChangeRows)
        ):
            pass  # the rows stand beside the other keys
        elif part == BARE and not (isinstance(document, dict) and BARE in document and not around):
            pass
        elif isinstance(document, ChangeRows) and isinstance(part, int) and part < len(document.paths):
            start, around, plain = len(found), document.paths[part], document.plain
            own = around[-1]
            behind = own[-1:] if document.lists else ()
            found += own[:-1] if document.lists else own
        else:
            found.append(int(part) if plain and isinstance(part, str) and part.isdecimal() else part)
            found += behind
            around, plain, behind = (), False, ()
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
    return tuple(found)


class _How(msgspec.Struct, frozen=True):
    """Which tables are changed; `refers` chooses those that refer to other parts of the document, or the others."""

    reads: bool
    refers: bool | None
    elements: bool


class Tables(msgspec.Struct, frozen=True, dict=True):
    """The tables that the rows of one list may belong to, reduced to what decides the form of the rows in the file.

    Attributes:
        keyed, levels: As in a table's rule.
        bare, places: Whether rows may be bare values, and bare lists.
        frames, step: How rows go along frames, and how their places in a list are known.
        ordered: Whether new rows have a field that gives their order.
        elsewhere: The tables with an entry under a row's key.
        inner_refers: Whether rows inside the rows refer to other parts of the document.
    """

    keyed: bool
    levels: tuple[Level, ...]
    bare: bool
    places: bool
    frames: Frames | None = None
    step: Step | None = None
    ordered: bool = False
    elsewhere: tuple[Elsewhere, ...] = ()
    inner_refers: bool = False

    @property
    def apart(self) -> bool:
        """Whether the rows have another form in the file than a list of mappings."""
        return (
            self.keyed
            or bool(self.levels)
            or self.bare
            or self.places
            or bool(self.frames)
            or bool(self.step)
            or self.ordered
        )

    @cached_property
    def beside(self) -> frozenset[str]:
        """The fields of a row that give its place and are not part of it in the file."""
        own = {KEY, ASIDE, ORDER, *(f"{GROUP}{depth}" for depth in range(len(self.levels)))}
        own |= {one.field for one in self.elsewhere}
        return frozenset(own if self.step is None else own | {self.step.field})

    @property
    def refers(self) -> bool:
        """Whether rows, or rows in them, refer to other parts of the document."""
        return bool(self.step and self.step.list) or bool(self.elsewhere) or self.inner_refers

    def row(self, row: Any) -> Any:
        """Return a row in the form that rules see; any other value is returned unchanged, and reported later."""
        if self.places and isinstance(row, list):
            return {str(place): part for place, part in enumerate(row)}
        return {BARE: row} if self.bare else row

    def stood(self, row: Any) -> Any:
        """Return a row in its form in the file: the inverse of `row`. Raises FileError."""
        if BARE in row and self.bare:
            return row[BARE]
        own = {key: part for key, part in row.items() if key not in self.beside}
        if not self.places or not all(key.isdecimal() for key in own):
            return own
        stated = {int(key): part for key, part in own.items()}
        absent = next((place for place in range(len(stated)) if place not in stated), None)
        if absent is not None:
            raise FileError(f"a list cannot be without its value {absent} and have one behind it")
        return [stated[place] for place in range(len(stated))]


@remembered(1 << 10)
def _tables(listed: Rule, elements: bool) -> Tables:
    rules = listed.tables
    rows = [rule.row for rule in rules]
    bare, places = not elements and any(map(is_bare, rows)), any(map(is_places, rows))
    ordered = any(rule.each.along is not None and rule.each.table == "items" for rule in rules)
    inner = any(_change(row, _How(True, True, elements)) is not None for row in rows)
    elsewhere = elsewhere_of(rules) if rules[0].keyed else ()
    return Tables(
        rules[0].keyed, rules[0].levels, bare, places, frames_of(rules), step_of(rules), ordered, elsewhere, inner
    )


def _to_list(document: Any, tables: Tables, around: Around) -> Any:
    rows = ChangeRows(plain=tables.places, lists=tables.step is not None and bool(tables.step.lists))
    fits = _gather(document, tables, (), (), (), rows, around)
    return rows if fits else document  # the reader reports what does not fit


def _gather(
    document: Any, tables: Tables, heads: tuple[Any, ...], paths: tuple[DocumentPath, ...], places: tuple[int, ...],
    rows: ChangeRows, around: Around,
) -> bool:  # fmt: skip
    """Add the rows below some groups to `rows`; return False for a value that is neither rows nor groups of rows."""
    depth, at = len(heads), paths[-1] if paths else ()
    if depth == len(tables.levels):
        return _gather_rows(document, tables, heads, paths, rows, around)
    level = tables.levels[depth]
    if level.keyed and isinstance(document, dict):
        groups = list(document.items())
    elif not level.keyed and isinstance(document, list):
        groups = list(enumerate(document))
    else:
        return False
    for place, (key, group) in enumerate(groups):
        head: dict[str, Any] = {KEY: key} if level.keyed else {}
        inner, path = group, (*at, key)
        if level.lists and isinstance(group, dict):
            head.update((name, part) for name, part in group.items() if name not in level.lists)
            inner, below = joined(group, level.lists), path
        elif level.rows and isinstance(group, dict):
            head.update((name, part) for name, part in group.items() if name != level.rows)
            inner, below = group.get(level.rows), (*path, level.rows)
        else:
            below = path
        head[PLACE] = place
        if level.counts and isinstance(inner, list):
            head[ASIDE] = {COUNTED: len(inner)}
        before, empties = len(rows), len(rows.empty)
        fits = _gather(inner, tables, (*heads, head), (*paths[:-1], path, below), (*places, place), rows, around)
        if not fits and inner is not None:
            # A value that is not a row is read as one, so that it is reported in its place.
            rows.append(inner)
            rows.paths.append((*paths[:-1], path, below))
        elif len(rows) == before:
            del rows.empty[empties:]
            rows.empty.append(Empty((*places, place), key if level.keyed else None, group))
    return True


def _gather_rows(
    document: Any, tables: Tables, heads: tuple[Any, ...], paths: tuple[DocumentPath, ...], rows: ChangeRows,
    around: Around,
) -> bool:  # fmt: skip
    at = paths[-1] if paths else ()
    keyed = tables.keyed and isinstance(document, dict)
    if not keyed and not isinstance(document, list):
        return False
    if keyed and not tables.bare and not all(isinstance(row, dict | list) for row in document.values()):
        return False
    heads, beside, listed = _step_fields(document, tables.step, heads, around)
    groups = {f"{GROUP}{depth}": head for depth, head in enumerate(heads)}
    found: list[Any] = []
    own: list[tuple[DocumentPath, ...]] = []
    for key, row in document.items() if keyed else enumerate(document):
        if row is None and tables.step is not None:
            continue
        made = tables.row(row)
        if isinstance(made, dict):
            made = {**groups, **({KEY: key} if keyed else {}), **made, **beside}
            if tables.elsewhere:
                made = with_entries(made, key, tables.elsewhere, around)
            if tables.step is not None and listed is None and not tables.step.list:
                made[tables.step.field] = key
            elif tables.step is not None and listed is not None and key < len(listed):
                made[tables.step.field] = listed[key]
        found.append(made)
        own.append((*paths[:-1], (*at, key)))
    if tables.frames is not None:
        found, own = spread(found, own, tables.frames, around)
    rows.extend(found)
    rows.paths.extend(own)
    return True


def _step_fields(
    document: Any, step: Step | None, heads: tuple[Any, ...], around: Around
) -> tuple[tuple[Any, ...], dict[str, Any], list[Any] | None]:
    """Return the heads of a list's rows without the name of another list, what is noted for each row, and that list."""
    if step is None:
        return heads, {}, None
    aside: dict[str, Any] = {} if step.list else {LENGTH: len(document)}
    name = heads[-1].get(step.key) if heads and step.key else None
    listed = entries(step, name, around) if step.list else None
    if listed is not None and step.key:
        aside[NAMED] = name
        heads = (*heads[:-1], {key: part for key, part in heads[-1].items() if key != step.key})
    return heads, {ASIDE: aside}, listed


def _from_list(document: Any, tables: Tables, around: Around) -> Any:
    if not isinstance(document, list):
        return document
    empty = document.empty if isinstance(document, ChangeRows) else []
    places = None if tables.step is None else Places(tables.step, around)
    return _nested(document, tables, 0, (), empty, around, places)


def _nested(
    rows: Sequence[Any], tables: Tables, depth: int, above: tuple[int, ...], empty: Sequence[Empty], around: Around,
    places: Places | None,
) -> Any:  # fmt: skip
    """Put rows back into their groups, from the level `depth` on."""
    if depth == len(tables.levels):
        return _stood(rows, tables, around, places)
    level = tables.levels[depth]
    groups = _grouped(rows, level, f"{GROUP}{depth}", places if depth + 1 == len(tables.levels) else None)
    made: list[tuple[float, Any, Any]] = [
        (one.places[-1], one.key, one.group) for one in empty if one.places[:-1] == above
    ]
    numbered = group_numbers([group for _, _, group in made], groups, level, f"{GROUP}{depth}", around)
    for (place, *_), members in groups.items():
        head = members[0][f"{GROUP}{depth}"]
        inner = _nested(members, tables, depth + 1, (*above, -1 if place is None else place), empty, around, places)
        group = inner
        if level.rows:
            beside = (PLACE, KEY, ASIDE, *(f"{GROUPED_BY}{number}" for number in range(len(level.each.by))))
            group = {key: part for key, part in head.items() if key not in beside}
            if id(members) in numbered:
                put_number(group, level.each.numbered, numbered[id(members)])
            if tables.step is not None and tables.step.key and depth + 1 == len(tables.levels) and places is not None:
                group[tables.step.key] = places.of(members[0])[0]
            if level.counts and isinstance(inner, list) and (head.get(ASIDE) or {}).get(COUNTED) != len(inner):
                group[level.counts] = len(inner)
            group.update(inner if level.lists else {level.rows: inner})
        made.append((math.inf if place is None else place, head.get(KEY), group))
    made.sort(key=lambda entry: entry[0])
    if not level.keyed:
        return [group for _, _, group in made]
    if len({key for _, key, _ in made}) < len(made):
        raise FileError("two groups of rows would stand under one key")
    return {key: group for _, key, group in made}


def _grouped(rows: Sequence[Any], level: Level, name: str, places: Places | None) -> dict[tuple[Any, ...], list[Any]]:
    """Return the rows of each group of one level, in the order of their first row.

    `places` gives the places of rows directly inside this level.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    taken: set[tuple[Any, ...]] = set()
    for row in rows:
        head = row[name]
        said, place = _said(head), head.get(PLACE)
        alone = place is None and is_alone(head, level)
        where, step = (None, 0) if places is None else places.of(row)
        mark = (said, repr(where), len(groups) if alone else -1)
        key = first.get(mark, (None, *mark)) if place is None else (place, *mark)
        while places is not None and (*key, step) in taken:  # another row of the group has this place
            key = (*key, "again")
        taken.add((*key, step))
        first.setdefault(mark, key)
        groups.setdefault(key, []).append(row)
    return groups


def _said(head: Mapping[str, Any]) -> bytes:
    """Return a text that is equal for two groups exactly if they state the same."""
    said = {key: part for key, part in head.items() if key not in (PLACE, ASIDE)}
    return msgspec.json.encode(said, enc_hook=repr, order="sorted")


def _stood(rows: Sequence[Any], tables: Tables, around: Around, places: Places | None) -> Any:
    """Return rows in their form in the file."""
    if tables.frames is not None:
        rows = folded(rows, tables.frames, around)
    if tables.ordered and all(isinstance(row, dict) and ORDER in row for row in rows):
        rows = sorted(rows, key=lambda row: (str(type(row[ORDER])), row[ORDER]))
    if places is not None:
        return _at_places(rows, tables, places)
    if not tables.keyed:
        return [tables.stood(row) for row in rows]
    for row in rows if tables.elsewhere else ():
        note_entries(row, row[KEY], tables.elsewhere, around)
    made = {row[KEY]: tables.stood(row) for row in rows}
    if len(made) < len(rows):
        raise FileError("two rows would stand under one key")
    return made


def _at_places(rows: Sequence[Any], tables: Tables, places: Places) -> Any:
    """Return the list of rows at their places, or the lists whose values at one place make a row."""
    found = [(places.of(row), tables.stood(row)) for row in rows]
    last = max((place for (_, place), _ in found), default=-1)
    listed: list[Any] = [None] * places.length(found[0][0][0] if found else None, rows, last)
    for (_, place), row in found:
        if listed[place] is not None:
            raise FileError(f"two rows would stand at the place {place} of a list")
        listed[place] = row
    return parted(listed, places.step) if places.step.lists else listed


def _change(rule: Rule, how: _How) -> Change | None:
    """Return how the tables of a rule are changed when a document is read; None if they stay unchanged."""
    if rule.tables:
        return _of_tables(rule, how)
    if isinstance(rule, OneOf):
        changes = (_change(one, how) for one in rule.alternatives)
        return next((change for change in changes if change is not None), None)
    if isinstance(rule, MapRule):
        fields = {one.keys[0]: change for one in rule.fields if (change := _change(one.rule, how)) is not None}
        others = [change for one in rule.alternatives if (change := _change(one, how)) is not None]
        if isinstance(rule.rest, OneOf) and (run := _change(rule.rest, how)) is not None:
            fields["*"] = run
        return _of_fields(fields, others, named_keys(rule), how.reads)
    return None


def _of_tables(rule: Rule, how: _How) -> Change | None:
    inner = next((change for one in rule.tables if (change := _change(one.row, how)) is not None), None)
    tables = _tables(rule, how.elements)
    apart = tables.apart and how.refers in (None, tables.refers)
    if inner is None and not apart:
        return None

    def read(document: Any, around: Around) -> Any:
        if apart:
            document = _to_list(document, tables, around)
        if inner is None or not isinstance(document, list):
            return document
        if isinstance(document, ChangeRows):
            document[:] = [inner(row, around) for row in document]
            return document
        return [inner(row, around) for row in document]

    def write(document: Any, around: Around) -> Any:
        if inner is not None and isinstance(document, list):
            document = with_empty([inner(row, around) for row in document], document)
        return _from_list(document, tables, around) if apart else document

    return read if how.reads else write


def _of_fields(
    fields: dict[str, Change], others: Sequence[Change], named: Sequence[NamedKeys], reads: bool
) -> Change | None:
    if not fields and not others:
        return None

    def change(document: Any, around: Around) -> Any:
        if not isinstance(document, dict):
            return document
        for one in named if reads else ():
            document = one.gathered(document)
        document = {key: fields[key](part, around) if key in fields else part for key, part in document.items()}
        for other in others:
            document = other(document, around)
        for one in () if reads else named:
            document = one.scattered(document)
        return document

    return change
