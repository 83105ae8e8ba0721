"""Reads an item's rows of shared files, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from formatspec.engine.base.faults import Record
from formatspec.engine.base.kept_fields import KEPT, KEPT_ROWS
from formatspec.engine.dataset.item.purpose import Readers
from formatspec.engine.index.row_ownership import RepeatedId, Run, Table, TableFile
from formatspec.engine.read.item_state import OBJECTS_BY_ID, ItemState
from formatspec.engine.read.projection import Decode, RowSource
from formatspec.engine.read.rows.merge_rows import RowReader, said_twice
from formatspec.engine.read.rows.row_condition import always
from formatspec.engine.read.rows.table_row import costs_row, read_row
from formatspec.engine.resolve.table_ids import beside_key
from formatspec.engine.spec.compiled import Role
from formatspec.engine.splits.turns import Turns

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_elements import FastElements


def read_rows(role: Role, runs: Sequence[Run], readers: Readers, turns: Turns, state: ItemState) -> None:
    """Read an item's rows of a role's shared files into its state."""
    for run in runs:
        part, start, which = run.part, run.start, run.which
        stop = start + len(which)
        using = readers.tables[role.name, part.table.path]
        table = using.table
        if turns.needed:
            turns.to(part.split, part.captures, state, part.file)
        repeated = part.repeated and any(start <= place < stop for place in part.repeated)
        known = _told_by_path(part.captures) if using.labels and table.kind in ("object", "area") else {}
        if part.columns != state.env.columns:
            state.env = replace(state.env, columns=part.columns)
        plain = None if repeated or known else using.plain
        if plain is not None and plain.take(part.rows, start, stop, table.path, part.file, state):
            continue
        if using.elements is not None:
            alone = stop == start + 1 and not repeated and not using.labels
            if alone and _is_plain(using.elements, part, start, table, state):
                continue
            state.materialize_records()
        state.file = part.file
        if table.kind not in ("item", "label", "caption"):
            state.materialize_records()
        documents = _documents(part.rows, start, stop, using.decode)
        for position, (alternative, document) in enumerate(zip(which, documents, strict=True), start):
            state.at = (*table.path, position)
            if position in part.repeated:
                _read_repeated(part.repeated[position], document, position, table, role, state)
            elif table.kind != "item":
                read_row(document, position, table.readers, state.item, state, known)
            elif using.labels:
                _read_label(role, table.readers[alternative], document, position, state)
            elif table.readers[alternative].rule.each.kept:
                _keep_item_row(role, table.readers[alternative], document, position, state)
            else:
                _read_item(table.readers[alternative], document, position, state)
    if turns.needed:
        turns.back(state)
    state.at = ()


def _is_plain(elements: FastElements, part: TableFile, position: int, table: Table, state: ItemState) -> bool:
    """Return whether the fast reader of elements could read an item's row; it can if there is nothing to report."""
    found = part.rows.text_at(position)
    if found is None:
        return False
    data, parse = found
    reader = table.readers[0]

    def read(document: Any, record: Record, state: ItemState) -> None:
        _read_item(reader, document, position, state)

    return elements.take(data, parse, read, part.file, (*part.table.path, position), state)


def _told_by_path(captures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the path of a file states about the category of all its objects."""
    return {name: value for name, value in captures.items() if name.startswith("category.") and value is not None}


def _documents(rows: RowSource, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
    """Return consecutive rows; if some do not have the type that `decode` expects, all are decoded whole."""
    try:
        return rows.some(start, stop, decode)
    except (ValueError, msgspec.MsgspecError):
        return rows.some(start, stop, None)


def _read_repeated(
    repeated: RepeatedId, document: Any, position: int, table: Table, role: Role, state: ItemState
) -> None:
    """Read a row without an id, or with the id of an earlier row; its record gets a new id."""
    read_row({**document, repeated.key: repeated.fresh}, position, table.readers, state.item, state)
    record = state.keyed.get(OBJECTS_BY_ID, {}).get((repeated.fresh,))
    if repeated.value is None:
        words = f"{repeated.key!r} is missing, and is filled"
        state.fault("ID_MISSING", (*state.at, repeated.key), role.place, words, got=repeated.fresh)
    else:
        said_twice(repeated.value, (*state.at, repeated.key), role.place, record, state)


def _read_item(reader: RowReader, document: Any, position: int, state: ItemState) -> None:
    """Read a row that describes its item itself."""
    before = len(state.faults) if state.origin else 0
    reader.read(document, state.item, state)
    if reader.fits is not always:
        reader.fits(state.item, state)
    if state.origin and not any(costs_row(fault, reader) for fault in state.faults[before:]):
        state.item.setdefault("$rows", {})[reader.number, state.file] = (position, document)


def _keep_item_row(role: Role, reader: RowReader, document: Any, position: int, state: ItemState) -> None:
    """Keep a row that stands beside an item's own row, and says nothing about the item."""
    before = len(state.faults)
    whole, state.item = state.item, {}
    reader.read(document, {}, state)
    state.item = whole
    state.item[KEPT_ROWS] = (*state.item.get(KEPT_ROWS, ()), role.name)
    if state.origin and not any(costs_row(fault, reader) for fault in state.faults[before:]):
        rows = state.item.setdefault("$rows", {}).setdefault(beside_key(reader.number, state.file), [])
        rows.append((position, document))


def _read_label(role: Role, reader: RowReader, document: Any, position: int, state: ItemState) -> None:
    """Read a row of a file whose name holds a category, as a label."""
    whole, state.item = state.item, {}
    reader.read(document, state.item, state)
    told, kept = state.item, state.item.get(KEPT)
    label = {slot.removeprefix("label."): value for slot, value in state.item.items() if slot.startswith("label.")}
    state.item = whole
    if kept:
        label[KEPT], told["$same"] = kept, label
    captures = role.match(state.file) or {}
    label.update({name: value for name, value in captures.items() if name.startswith("category.")})
    if state.origin:
        label["$rows"] = {(reader.number, state.file): (position, document)}
    labels = state.tables.setdefault("label", [])
    same = next((one for one in labels if {**one, "$rows": None} == {**label, "$rows": None}), None)
    if same is None:
        labels.append(label)
    elif state.origin:
        same["$rows"].update(label["$rows"])
