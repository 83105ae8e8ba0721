"""The validating reader of one row of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Raw, json

from formatspec.engine.base.faults import Fault, Record
from formatspec.engine.base.kept_fields import KEPT, KEPT_ROWS, name_of_row
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.rows.alternatives import has_no_outline
from formatspec.engine.read.rows.merge_rows import RowReader, keep_row
from formatspec.engine.read.rows.row_condition import always
from formatspec.engine.resolve.discriminators import constants_in, required_keys, told_by
from formatspec.engine.resolve.held_slots import GEOMETRY
from formatspec.engine.resolve.questions.tables import bound_names
from formatspec.language.expression import asks_options
from formatspec.language.leaf import Bind
from formatspec.language.rules import within
from formatspec.model.amounts import amounts


def read_row(
    row: Any,
    position: int,
    readers: Sequence[RowReader],
    outer: Record,
    state: ItemState,
    known: Mapping[str, Any] = {},
    among: Sequence[RowReader] | None = None,
    strict: bool = True,
) -> RowReader | None:
    """Read one row with the first reader that fits, and keep its record.

    Args:
        row: The row.
        position: Its position in the table.
        readers: The readers of the table's alternatives.
        outer: The record around it.
        state: The state of the item.
        known: Slots that are already set.
        among: Those of the readers that the row's constants allow, if known; otherwise all are tried.
        strict: A reader that would leave out an attribute, or whose outline is null, does not fit as long as another
            one may fit better.

    Returns:
        The reader; None if the row is rejected.
    """
    before, alone = len(state.faults), len(readers) == 1
    strict = strict and not alone
    judged, restated = len(state.judged), len(state.restated)
    nearest: tuple[tuple[int, int, int], list[Fault]] | None = None
    passable: RowReader | None = None  # the first that would read the row without an attribute, or without an outline
    hollow = False  # whether an outline that is null is all that a reader found of an object
    within = False  # whether a nested row is at fault, which a table without nested rows could not report
    for reader in readers if among is None else among:
        if len(readers) > 1 and (not reader.test(row) or (within and not reader.nests)):
            continue
        if passable is not None and (reader.carried or reader.rule.each.kept):
            continue
        record: Record = {"$up": outer, **known} if reader.table == "children" else dict(known)
        mark = state.mark() if reader.nests and len(readers) > 1 else None
        reader.read(row, record, state)
        if reader.kind == "object" and "index" in reader.by:
            record.setdefault("?index", position)
        new = state.faults[before:] if len(state.faults) > before else ()
        costs = bool(new) and any(costs_row(fault, reader, alone) for fault in new)
        bare = bool(hollow or (new and has_no_outline(new))) and not any(slot in record for slot in GEOMETRY)
        if strict and not costs and (bare or any(_is_own_attribute(fault, state) for fault in new)):
            passable, hollow = passable or reader, hollow or bare
            del state.faults[before:], state.judged[judged:], state.restated[restated:]
            if mark is not None:
                state.forget(mark)
            continue
        if costs:
            _of_row(state, before, reader, record)
            wrong = _distance(state.faults[before:])
            if nearest is None or wrong < nearest[0]:
                nearest = wrong, state.faults[before:]
            del state.faults[before:]
            within = within or (reader.nests and any(len(fault.path) > len(state.at) + 1 for fault in nearest[1]))
            others = () if reader is readers[-1] else readers[readers.index(reader) + 1 :]
            if any(_may_be(other, reader, row) and (other.nests or not within) for other in others):
                if mark is not None:
                    state.forget(mark)
                continue
            break
        if reader.fits is not always and not reader.fits(record, state):
            if mark is not None:
                state.forget(mark)
            continue
        if state.origin:
            record["$rows"] = {reader.number: (position, row)}
        if reader.carried:
            key = next((str(part) for part in reversed(state.at) if isinstance(part, str)), reader.table)
            state.item[KEPT_ROWS] = (*state.item.get(KEPT_ROWS, ()), name_of_row(row, key))
            return reader
        if KEPT in record and reader.kind == "object" and not reader.overlap:
            state.kept += len(record[KEPT])
        keep_row(reader, record, outer, state)
        return reader
    if passable is not None:
        return read_row(row, position, readers, outer, state, known, (passable,), strict=False)
    lacking = None if alone else _lacking(row, readers)
    if lacking is not None and (nearest is None or lacking[0] <= nearest[0][0]):
        return read_row(row, position, (lacking[1],), outer, state, known)  # it says what is missing
    if nearest is not None:
        state.faults += _as_resembled(nearest[1], readers, row)  # the most similar alternative tells the row's faults
        return None
    scope = "object" if readers[0].kind in _COSTS_A_ROW else ""
    message = "the row fits no table that could hold it"
    state.fault("ALTERNATIVE", state.at, readers[0].place, message, got=_shown(row), scope=scope)
    return None


def by_constant(readers: Sequence[RowReader]) -> Callable[[Any], Sequence[RowReader] | None]:
    """Return a function that finds the readers that a row's constants allow.

    This works if each reader requires a constant text at the same place, such as the name of an element. The row's own
    text there then decides. None is returned otherwise; each reader must then be tried.
    """
    constants = [constants_in(reader.rule, reader.scope.inside(reader.table)) for reader in readers]
    path = told_by(constants)
    if path is None or not amounts().generates:
        return lambda row: None
    open_to: dict[Any, list[RowReader]] = {}
    for reader, own in zip(readers, constants, strict=True):
        open_to.setdefault(next(value for other, value in own if other == path), []).append(reader)

    def among(row: Any) -> Sequence[RowReader]:
        for key in path:
            row = row.get(key) if isinstance(row, dict) else None
        return open_to.get(row, ()) if isinstance(row, str) else ()

    return among


def costs_row(fault: Fault, reader: RowReader, alone: bool = False) -> bool:
    """Return whether a fault rejects the row.

    A fault in a nested row that describes an object costs only that object, and so does a fault in a nested row that no
    other alternative could read (`alone`).
    """
    return fault.sets_aside and not (fault.scope == "object" and (alone or reader.kind == "item"))


def _is_own_attribute(fault: Fault, state: ItemState) -> bool:
    """Return whether a fault is about an attribute that a row itself states, not one of a row within it."""
    return fault.is_of_attribute and not any(isinstance(part, int) for part in fault.path[len(state.at) :])


def _lacking(row: Any, readers: Sequence[RowReader]) -> tuple[int, RowReader] | None:
    """Return the alternative of which a row lacks the fewest keys, with their number; None if that is open.

    Alternatives of which the row has all keys or none are left out.
    """
    found: list[tuple[frozenset[str], RowReader]] = []
    for reader in readers if isinstance(row, dict) else ():
        if reader.carried or reader.rule.each.kept:
            continue
        required = required_keys(reader.rule.row, reader.scope.inside(reader.table))
        missing = required.difference(row)
        if missing and missing != required:
            found.append((missing, reader))
    least = min((len(missing) for missing, _ in found), default=0)
    nearest = [one for one in found if len(one[0]) == least]
    return (least, nearest[0][1]) if len({missing for missing, _ in nearest}) == 1 else None


_LACKING = frozenset({"FIELD_MISSING", "ALTERNATIVE"})
"""Codes of rows that lack a key, or one of several keys."""


def _distance(faults: Sequence[Fault]) -> tuple[int, int, int]:
    """Return how far a row is from an alternative: missing keys, other faults, and their depth in the row."""
    aside = [fault for fault in faults if fault.sets_aside]
    missing = sum(fault.code in _LACKING for fault in aside)
    return missing, len(aside), -max((len(fault.path) for fault in aside), default=0)


def _as_resembled(faults: list[Fault], readers: Sequence[RowReader], row: Any) -> list[Fault]:
    """Return the faults of a line with one value too few or too many, as reported for the box with that many values.

    The lines of boxes have a fixed number of values. Lines of outlines take any number, so they would fit less well.
    """
    parts = row.values() if isinstance(row, dict) else ()
    line = next((part[""] for part in parts if isinstance(part, dict) and "" in part), None)
    if line is None or not faults or faults[0].code != "LINE":
        return faults
    count = len(line[1].split())
    lengths = dict(filter(None, (_values_of(reader) for reader in readers)))
    near = [length for length in lengths if abs(length - count) == 1]
    if not near:
        return faults
    words = f"a row of a {lengths[near[0]]} has {near[0]} values, and this one has {count}"
    return [faults[0]._replace(message=words, expected=f"{near[0]} values", got=line[1])]


def _values_of(reader: RowReader) -> tuple[int, str] | None:
    """Return how many values a line of a box has, and the name of the geometry; None if the number varies."""
    scope, count, box = reader.scope.inside(reader.table), 0, False
    for leaf in (one.leaf for one in within(reader.rule.row) if one.leaf is not None):
        if not isinstance(leaf, Bind) or leaf.optional:
            return None
        known = scope.meaning(leaf.names[0])
        if known is None or (known.type == "box") is (leaf.format == "d") or known.type not in (*_SINGLE, "box"):
            return None
        box = box or known.type == "box"
        count += 4 if known.type == "box" else 1
    return (count, "box") if box else None


_SINGLE = ("id", "int", "number")


def rows_of_tasks(readers: Sequence[RowReader]) -> dict[int, str]:
    """Return the kind of geometry of each alternative that a choice of options separates, by their indices."""
    kinds = {}
    for reader in readers:
        if not asks_options(reader.rule.each.where):
            return {}
        names = set(bound_names(reader.rule.row))
        kinds[reader.number] = "boxes" if "bbox" in names else "outlines" if names & _OUTLINES else ""
    return kinds


_OUTLINES = {"polygon", "polygons", "rotated"}


def _of_row(state: ItemState, before: int, reader: RowReader, record: Record) -> None:
    """Mark the faults of a rejected row, whose object is left out."""
    scope = "object" if reader.kind in _COSTS_A_ROW else ""
    for at, fault in enumerate(state.faults[before:], before):
        if fault.about is not None or scope:
            state.faults[at] = fault._replace(
                about=None, scope=fault.scope or scope, object=fault.object or record.get("id")
            )


_COSTS_A_ROW = frozenset({"object", "label", "caption", "area"})
"""Kinds of records that an item may lack."""


def _may_be(other: RowReader, reader: RowReader, row: Any) -> bool:
    """Return whether a row with other constants may belong to another table, not counting tables that take any row."""
    return other.test(row) and (other.constants or not reader.constants)


def _shown(row: Any) -> Any:
    """Return a row for a message, with values that were still undecoded."""
    if not isinstance(row, dict):
        return row
    return {key: json.decode(part) if type(part) is Raw else part for key, part in row.items()}


def rows_of_columns(value: Any) -> Any:
    """Return the rows of a mapping from keys to lists of equal length; any other value unchanged."""
    if not isinstance(value, dict) or not all(isinstance(column, list) for column in value.values()):
        return value
    if len({len(column) for column in value.values()}) > 1:
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
