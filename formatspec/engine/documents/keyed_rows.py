"""Rows that stand in groups, under keys, or as bare values: to the rules they are a list of mappings.

The key of a row is its field KEY, a bare value its field BARE, the values of a bare list the fields "0", "1", …, and
what the groups around it say the fields GROUP with the number of the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.base.faults import DocumentPath
from formatspec.files.document import FileError
from formatspec.language.rules import (
    BARE,
    GROUP,
    KEY,
    PLACE,
    Level,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_bare,
    is_places,
)

Change = Callable[[Any], Any]


class Empty(msgspec.Struct, frozen=True):
    """A group of a source that has no rows: its place and those of the groups around it, its key, and itself."""

    places: tuple[int, ...]
    key: str | int | None
    group: Any


class ChangeRows(list[Any]):
    """The rows of a table that stand otherwise in the file.

    paths: by row, the path of each group around it, and at last its own, each from the table's own place on.
    plain: whether rows are bare lists; empty: the groups without rows.
    """

    __slots__ = ("empty", "paths", "plain")

    def __init__(
        self, rows: Sequence[Any] = (), paths: Sequence[tuple[DocumentPath, ...]] = (), plain: bool = False
    ) -> None:
        super().__init__(rows)
        self.paths = list(paths)
        self.plain = plain
        self.empty: list[Empty] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (list(self), self.paths, self.plain, self.empty)


def _remade(rows: list[Any], paths: list[tuple[DocumentPath, ...]], plain: bool, empty: list[Empty]) -> ChangeRows:
    made = ChangeRows(rows, paths, plain)
    made.empty = empty
    return made


def with_empty(rows: Any, source: Any) -> Any:
    """Rows, with the groups that have no rows in their source."""
    if not isinstance(source, ChangeRows) or not source.empty:
        return rows
    made = ChangeRows(rows)
    made.empty = source.empty
    return made


def rows_from_mapping(rule: Rule) -> Change | None:
    """A function that makes lists of a document's rows; None where all rows stand in lists of mappings."""
    return _change(rule, True)


def mapping_from_rows(rule: Rule) -> Change | None:
    """The inverse of `listing`.  The function raises FileError where two rows have one key."""
    return _change(rule, False)


def file_path(document: Any, path: DocumentPath) -> DocumentPath:
    """A path through a document that `listing` gave as one through the document as it is in the file."""
    found: list[str | int] = []
    start = 0  # where the path of the innermost rows begins
    around: tuple[DocumentPath, ...] = ()
    plain = False
    for part in path:
        if part == KEY:
            break
        if isinstance(part, str) and part.startswith(GROUP) and part[1:].isdecimal() and around:
            found[start:] = around[int(part[1:])]
        elif part == BARE and not (isinstance(document, dict) and BARE in document and not around):
            pass
        elif isinstance(document, ChangeRows) and isinstance(part, int) and part < len(document.paths):
            start, around, plain = len(found), document.paths[part], document.plain
            found += around[-1]
        else:
            found.append(int(part) if plain and isinstance(part, str) and part.isdecimal() else part)
            around, plain = (), False
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
    return tuple(found)


class Tables(msgspec.Struct, frozen=True):
    """The tables that the rows of one list may be of, as far as it matters how the rows stand.

    keyed, levels: as a table's rule has them; bare, places: whether rows may be bare values, and bare lists.
    """

    keyed: bool
    levels: tuple[Level, ...]
    bare: bool
    places: bool

    @property
    def apart(self) -> bool:
        """Whether rows stand otherwise than as a list of mappings."""
        return self.keyed or bool(self.levels) or self.bare or self.places

    def row(self, row: Any) -> Any:
        """A row as it stands to the mapping that it is to the rules; what is none of these as it is, to be reported."""
        if self.places and isinstance(row, list):
            return {str(place): part for place, part in enumerate(row)}
        return {BARE: row} if self.bare else row

    def stood(self, row: Any) -> Any:
        """The inverse of `row`.  Raises FileError."""
        if BARE in row and self.bare:
            return row[BARE]
        own = {key: part for key, part in row.items() if key != KEY and not _names_group(key)}
        if not self.places or not all(key.isdecimal() for key in own):
            return own
        stated = {int(key): part for key, part in own.items()}
        absent = next((place for place in range(len(stated)) if place not in stated), None)
        if absent is not None:
            raise FileError(f"a list cannot be without its value {absent} and have one behind it")
        return [stated[place] for place in range(len(stated))]


def _names_group(key: Any) -> bool:
    return isinstance(key, str) and key.startswith(GROUP) and key[len(GROUP) :].isdecimal()


def _tables(rules: Sequence[TableRule]) -> Tables:
    rows = [rule.row for rule in rules]
    return Tables(rules[0].keyed, rules[0].levels, any(map(is_bare, rows)), any(map(is_places, rows)))


def _to_list(document: Any, tables: Tables) -> Any:
    rows = ChangeRows(plain=tables.places)
    fits = _gather(document, tables, (), (), (), rows)
    return rows if fits else document  # what does not fit is reported by who reads it


def _gather(
    document: Any, tables: Tables, heads: tuple[Any, ...], paths: tuple[DocumentPath, ...], places: tuple[int, ...],
    rows: ChangeRows,
) -> bool:  # fmt: skip
    """Put what stands below some groups into `rows`; False where it is neither rows nor groups of rows."""
    depth, at = len(heads), paths[-1] if paths else ()
    if depth == len(tables.levels):
        return _gather_rows(document, tables, heads, paths, rows)
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
        if level.rows and isinstance(group, dict):
            head.update((name, part) for name, part in group.items() if name != level.rows)
            inner, below = group.get(level.rows), (*path, level.rows)
        else:
            below = path
        head[PLACE] = place
        before, empties = len(rows), len(rows.empty)
        fits = _gather(inner, tables, (*heads, head), (*paths[:-1], path, below), (*places, place), rows)
        if not fits and inner is not None:
            # What is no rows is read as one, to be reported where it stands.
            rows.append(inner)
            rows.paths.append((*paths[:-1], path, below))
        elif len(rows) == before:
            del rows.empty[empties:]
            rows.empty.append(Empty((*places, place), key if level.keyed else None, group))
    return True


def _gather_rows(
    document: Any, tables: Tables, heads: tuple[Any, ...], paths: tuple[DocumentPath, ...], rows: ChangeRows
) -> bool:
    groups = {f"{GROUP}{depth}": head for depth, head in enumerate(heads)}
    at = paths[-1] if paths else ()
    keyed = tables.keyed and isinstance(document, dict)
    if not keyed and not isinstance(document, list):
        return False
    if keyed and not tables.bare and not all(isinstance(row, dict | list) for row in document.values()):
        return False
    for key, row in document.items() if keyed else enumerate(document):
        made = tables.row(row)
        if isinstance(made, dict):
            made = {**groups, **({KEY: key} if keyed else {}), **made}
        rows.append(made)
        rows.paths.append((*paths[:-1], (*at, key)))
    return True


def _from_list(document: Any, tables: Tables) -> Any:
    if not isinstance(document, list):
        return document
    empty = document.empty if isinstance(document, ChangeRows) else []
    return _nested(document, tables, 0, (), empty)


def _nested(rows: Sequence[Any], tables: Tables, depth: int, around: tuple[int, ...], empty: Sequence[Empty]) -> Any:
    """Rows in their groups, from the level of `depth` on."""
    if depth == len(tables.levels):
        return _stood(rows, tables)
    level, name = tables.levels[depth], f"{GROUP}{depth}"
    groups: dict[tuple[Any, bytes], list[Any]] = {}
    first: dict[bytes, tuple[Any, bytes]] = {}
    for row in rows:
        said, place = _said(row[name]), row[name].get(PLACE)
        key = first.get(said, (None, said)) if place is None else (place, said)
        first.setdefault(said, key)
        groups.setdefault(key, []).append(row)
    made: list[tuple[float, Any, Any]] = [
        (one.places[-1], one.key, one.group) for one in empty if one.places[:-1] == around
    ]
    for (place, _), members in groups.items():
        head = members[0][name]
        inner = _nested(members, tables, depth + 1, (*around, -1 if place is None else place), empty)
        group = inner
        if level.rows:
            group = {key: part for key, part in head.items() if key not in (PLACE, KEY)}
            group[level.rows] = inner
        made.append((math.inf if place is None else place, head.get(KEY), group))
    made.sort(key=lambda entry: entry[0])
    if not level.keyed:
        return [group for _, _, group in made]
    if len({key for _, key, _ in made}) < len(made):
        raise FileError("two groups of rows would stand under one key")
    return {key: group for _, key, group in made}


def _said(head: Mapping[str, Any]) -> bytes:
    """What a group says, as text that is the same for groups that say the same."""
    return msgspec.json.encode({key: part for key, part in head.items() if key != PLACE}, enc_hook=repr, order="sorted")


def _stood(rows: Sequence[Any], tables: Tables) -> Any:
    """Rows as they stand in the file."""
    if not tables.keyed:
        return [tables.stood(row) for row in rows]
    made = {row[KEY]: tables.stood(row) for row in rows}
    if len(made) < len(rows):
        raise FileError("two rows would stand under one key")
    return made


def _change(rule: Rule, reads: bool) -> Change | None:
    if isinstance(rule, OneOf) and all(isinstance(one, TableRule) for one in rule.alternatives):
        return _of_tables([one for one in rule.alternatives if isinstance(one, TableRule)], reads)
    if isinstance(rule, TableRule):
        return _of_tables([rule], reads)
    if isinstance(rule, OneOf):
        return next((change for one in rule.alternatives if (change := _change(one, reads)) is not None), None)
    if isinstance(rule, MapRule):
        fields = {one.keys[0]: change for one in rule.fields if (change := _change(one.rule, reads)) is not None}
        others = [change for one in rule.alternatives if (change := _change(one, reads)) is not None]
        return _of_fields(fields, others)
    return None


def _of_tables(rules: Sequence[TableRule], reads: bool) -> Change | None:
    inner = next((change for rule in rules if (change := _change(rule.row, reads)) is not None), None)
    tables = _tables(rules)
    if inner is None and not tables.apart:
        return None

    def read(document: Any) -> Any:
        if tables.apart:
            document = _to_list(document, tables)
        if inner is None or not isinstance(document, list):
            return document
        if isinstance(document, ChangeRows):
            document[:] = [inner(row) for row in document]
            return document
        return [inner(row) for row in document]

    def write(document: Any) -> Any:
        if inner is not None and isinstance(document, list):
            document = with_empty([inner(row) for row in document], document)
        return _from_list(document, tables) if tables.apart else document

    return read if reads else write


def _of_fields(fields: dict[str, Change], others: Sequence[Change]) -> Change | None:
    if not fields and not others:
        return None

    def change(document: Any) -> Any:
        if isinstance(document, dict):
            document = {key: fields[key](part) if key in fields else part for key, part in document.items()}
            for other in others:
                document = other(document)
        return document

    return change
