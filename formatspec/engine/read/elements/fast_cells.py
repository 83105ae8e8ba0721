"""Fast reader of the objects of an item that are rows of a table of cells, as in CSV, and follow each other.

Rows with the same columns, of which the same are empty, are read by one generated function.  Whatever deviates makes
the fast reader give up, and the readers that judge read the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import DocumentPath
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.read.build_item import group_slots
from formatspec.engine.read.elements.element_document import Text, variable
from formatspec.engine.read.elements.skeleton_plan import Lines, lines_of_cells, may_be_planned
from formatspec.engine.read.item_state import FastObjects, ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.projection import RowSource
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.engine.read.rows.table_row import read_row
from formatspec.engine.resolve.discriminators import may_be_absent
from formatspec.engine.resolve.fuse_arithmetic import BOUNDS
from formatspec.language.rules import MapRule
from formatspec.model.amounts import amounts
from formatspec.model.records import Object, Origin

MOST_KINDS = 32
"""Kinds of rows that one reader knows."""
MOST_TRIALS = 64
"""So many items may be read in vain, and four more for each that is read fast; then no further item is tried."""

Make = Callable[[Sequence[Mapping[str, str]], ItemState], list[Object] | None]
"""Makes the objects of rows; None where anything is to be said of one of them."""
Kind = tuple[tuple[str, ...], tuple[bool, ...]]
"""The columns of a row, and whether each has a text."""


class CellObjects(FastObjects, frozen=True):
    """The objects of an item, made of rows of cells; `kept` says how many kept fields were counted."""

    reader: RowReader
    rows: Sequence[Any]
    kept: int

    def materialize(self, state: ItemState) -> None:
        """Read the rows with the reader that judges, which makes their records."""
        before = state.file, state.at
        state.kept -= self.kept
        state.file = self.file
        for position, row in enumerate(self.rows, self.start):
            state.at = (*self.path, position)
            read_row(row, position, (self.reader,), state.item, state)
        state.file, state.at = before


class FastCells:
    """How rows of cells become the objects of their item. Which cells rows have is learned from the rows."""

    def __init__(self, reader: RowReader, context: ReadContext) -> None:
        """Begin without knowing any row.

        Args:
            reader: The reader that judges rows of the table.
            context: What is read.
        """
        self._reader = reader
        self._context = context
        self._known: dict[Kind, Make | None] = {}
        self._vain, self._done = 0, 0

    def take(self, rows: RowSource, start: int, stop: int, path: DocumentPath, file: str, state: ItemState) -> bool:
        """Read rows into a state without objects. Return whether this was possible."""
        if self._vain > MOST_TRIALS + 4 * self._done or not state.may_be_plain():
            return False
        documents = rows.some(start, stop, None)
        faults, noted, kept = len(state.faults), len(state.judged), state.kept
        state.file, state.at = file, path
        made = self._made(documents, state)
        state.at = ()
        sized = len(state.judged) == noted or state.size() is not None
        if not (state.says_nothing(made, faults, noted) and sized) or made is None:
            del state.faults[faults:]
            state.kept = kept
            self._vain += 1
            return False
        self._done += 1
        state.plain = CellObjects(tuple(made), file, path, start, self._reader, documents, state.kept - kept)
        return True

    def _made(self, documents: Sequence[Any], state: ItemState) -> list[Object] | None:
        found: list[Object] = []
        for kind, run in groupby(documents, _kind):
            rows = list(run)
            if kind not in self._known and len(self._known) < MOST_KINDS:
                self._known[kind] = self._learned(rows[0])
            make = self._known.get(kind)
            made = None if make is None else make(rows, state)
            if made is None:
                return None
            found += made
        return found

    def _learned(self, row: Mapping[Any, Any]) -> Make | None:
        """Generate the reader of rows with the cells of this one; None where they are left to the reader that judges.

        An empty cell that may be absent is absent.
        """
        rule, scope = self._reader.rule.row, self._reader.scope.inside(self._reader.table)
        if not isinstance(rule, MapRule) or any(type(part) is not str for part in (*row, *row.values())):
            return None
        optional = {key for field in rule.fields if may_be_absent(field, scope) for key in field.keys}
        empty = {key for key, cell in row.items() if not cell}
        if (empty - optional) & {key for field in rule.fields for key in field.keys}:
            return None
        if empty and rule.alternatives:
            return None
        columns = tuple(row)
        there = [key for key in columns if key not in optional & empty]
        told = {key: "" if key in empty else Text(columns.index(key)) for key in there}
        names = Names(UnfitError=UnfitError, Object=Object, Origin=Origin, group_slots=group_slots)
        planned = lines_of_cells(told, self._reader, self._context, names)
        return None if planned is None else function("make(rows, state)", _body(*planned, columns, names), names)


def _kind(row: Mapping[str, Any]) -> Kind:
    return tuple(row), tuple(map(bool, row.values()))


def _body(made: Lines, lines: Sequence[str], columns: Sequence[str], names: Names) -> Iterator[str]:
    """The lines of a function that makes objects of rows."""
    yield "categories, size = state.categories, state.size()"
    yield from BOUNDS
    if made.named:
        yield f"named = categories.named({made.named_by!r})"
    yield from made.before
    yield "made = []"
    yield "add = made.append"
    yield "try:"
    yield "    for row in rows:"
    for place, pattern in sorted(made.texts.items()):
        yield f"        {variable(place)} = row[{columns[place]!r}]"
        if pattern:
            yield f"        if not {names.of('fits', re.compile(pattern).fullmatch)}({variable(place)}): return None"
    yield from (f"        {line}" for line in lines)
    yield "except (UnfitError, LookupError):"
    yield "    return None"
    yield "return None if size is None else made" if made.slots.get("bbox") == "box" else "return made"


def generate_cells_reader(reader: RowReader, context: ReadContext) -> FastCells | None:
    """Return the fast reader of the rows of a table of cells; None where rows need more than it can do."""
    plain = amounts().generates and context.often and not context.compares
    return FastCells(reader, context) if plain and reader.scope.cells and may_be_planned(reader) else None
