"""Merges rows that describe one record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import DocumentPath, MisfitError, Record
from formatspec.engine.base.kept_fields import take_kept
from formatspec.engine.read.item_state import OBJECTS_BY_ID, ItemState, put
from formatspec.engine.read.rows.row_condition import Condition
from formatspec.engine.resolve.discriminators import RowTest
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.table_ids import rows_key, stood_key
from formatspec.language.errors import Place
from formatspec.language.leaf import Bind
from formatspec.language.rules import TableRule
from formatspec.model.plain.ids import free_ids


class Ranks(msgspec.Struct, frozen=True):
    """The numbers of a file that order records, sorted; `spread` gives the number of rank k of n."""

    numbers: tuple[int, ...]
    spread: Callable[[int, int], int | None]

    def place(self, number: Any, count: int) -> int | None:
        """Return the index of the record that a number means, out of `count`; None if it cannot be known.

        If there are as many numbers as records, they are matched in order. Otherwise a number means the record whose
        rank is spelled so, if that works for all numbers.
        """
        if number not in self.numbers:
            return None
        if len(self.numbers) == count:
            return self.numbers.index(number)
        spelled = [self.spread(rank, count) for rank in range(1, count + 1)]
        return spelled.index(number) if set(self.numbers) <= set(spelled) else None


Reader = Callable[[Any, Record, ItemState], None]
"""Takes a document and binds its values to the model's slots."""


class RowReader(msgspec.Struct, frozen=True, eq=False):
    """The reader of one row of a table: its form, what it binds, and which record it belongs to.

    Attributes:
        constants: Whether values in the row show that it belongs to this table.
        carried: Whether it is only kept, so that a conversion to another format can only name and count it.
        nests: Whether the row contains tables, so that reading it makes records of other kinds.
    """

    number: int
    kind: str
    by: tuple[str, ...]
    test: RowTest
    read: Reader
    fits: Condition
    overlap: bool
    table: str
    place: Place
    rule: TableRule
    scope: Scope
    constants: bool
    carried: bool = False
    nests: bool = False


RINGS = "polygons"
PLURAL = (RINGS, "tags")
BOX = "bbox"
BY_ID = ("id",)


def keep_row(reader: RowReader, record: Record, outer: Record, state: ItemState) -> None:
    """Keep the record of a row, either as a new record or merged into the record that it describes."""
    kind = reader.kind
    if kind == "attribute":
        put_at(outer, f"attributes.{record.get('key')}", record.get("value"), reader, state)
        record["$same"] = outer
        take_kept(outer, record)
        return
    if kind == "item":
        _merge(state.item, record, state, reader)
        return
    if kind == "void":
        state.add_void(record.get("region"))
        record["$same"] = state.item
        take_kept(state.item, record)
        return
    rows = state.tables.setdefault(kind, [])
    record["$at"] = state.at
    if kind == "object" and reader.by == BY_ID and not reader.overlap and type(record.get("id")) is int:
        known = state.keyed.setdefault(OBJECTS_BY_ID, {})
        if (record["id"],) not in known:
            record.setdefault("$file", state.file)
            record["$table"] = reader.number
            known[record["id"],] = record
            rows.append(record)
            return
    if reader.overlap:
        state.tables.setdefault("$overlap", []).append({"row": record, "reader": reader, "at": (state.file, state.at)})
        return
    if reader.rule.each.rings:
        _keep_ring(reader, record, rows, state)
        return
    if kind == "caption" and reader.by == BY_ID and record.get("id") is not None:
        known = state.keyed.setdefault(("caption", "id"), {})
        if known.setdefault((record["id"],), record) is not record:
            words = f"the id {record['id']!r} stands twice"
            state.fault("DUPLICATE", state.at, reader.place, words, "an id of its own", record["id"], case="item")
    if kind == "caption" or not reader.by:
        record.setdefault("$file", state.file)
        rows.append(record)
        return
    placed = _placed_category(reader, record, rows)
    if placed is not None:
        _merge(placed, record, state, reader)
        return
    key = _key(reader.by, record, state)
    beside = _beside(reader, record, rows, state) if key is not None and BOX in reader.by else None
    if beside is not None:
        _merge(beside, record, state, reader)
        return
    if key is None or BOX in reader.by:
        record.setdefault("$file", state.file)
        rows.append(record)
        return
    known = state.keyed.setdefault((kind, *reader.by), {})
    same = known.get(key)
    if same is None and any(f"?{name}" in record for name in reader.by):
        same = _look_up(reader, record, rows, state)
    if same is None and reader.rule.each.counted:
        same = _counted(reader, record, rows, state)
    if same is None:
        record.setdefault("$file", state.file)
        record["$table"] = reader.number
        known[key] = record
        rows.append(record)
        return
    if same.get("$table") == reader.number and reader.by == ("id",):
        _, path = record.get("$id_at", (state.file, state.at))
        if kind != "object":
            words, case = f"the id {key[0]!r} stands twice", "item"
            if kind == "category":
                names = record.get("name"), same.get("name")
                case = "category" if names[0] == names[1] else "named"
                words = (
                    words if case == "category" else f"the id {key[0]!r} is that of {names[0]!r} and of {names[1]!r}"
                )
            state.fault("DUPLICATE", path, reader.place, words, "an id of its own", key[0], case=case)
            return
        record["id"] = free_ids({one[0] for one in known})(key[0])
        _renumber_row(record, reader)
        record["$file"], record["$table"] = state.file, reader.number
        known[record["id"],] = record
        rows.append(record)
        said_twice(key[0], path, reader.place, record, state)
        return
    known[key] = same
    _merge(same, record, state, reader)


def _renumber_row(record: Record, reader: RowReader) -> None:
    """Write the record's present id into its source row."""
    leaves = ((one.keys[0], one.rule.leaf) for one in reader.rule.row.fields)
    key = next((key for key, leaf in leaves if isinstance(leaf, Bind) and leaf.names == BY_ID), None)
    for number, (place, row) in list(record.get("$rows", {}).items()):
        if isinstance(row, dict) and key in row:
            fresh = str(record["id"]) if isinstance(row[key], str) else record["id"]
            record["$rows"][number] = (place, {**row, key: fresh})
            record["$rows"][stood_key(number)] = (place, row)


def said_twice(value: Any, path: DocumentPath, place: Place, record: Record | None, state: ItemState) -> None:
    """Note that an object's id occurs in an earlier row; the object of the later row, if any, has a new id."""
    case = "referred" if state.refers else ""
    words = f"the id {value!r} stands twice"
    state.fault("DUPLICATE", path, place, words, "an id of its own", value, case=case, about=record, scope="object")


def _keep_ring(reader: RowReader, record: Record, rows: list[Record], state: ItemState) -> None:
    """Keep the record of a row that may hold one ring of an object: merged with the other rings, or alone."""
    key = _key(reader.by, record, state) if record.get(RINGS) else None
    known = state.keyed.setdefault((reader.kind, RINGS, *reader.by), {})
    same = record if key is None else known.setdefault(repr(key), record)  # 1, 1.0, true and "1" are four groups
    if same is record:
        record.setdefault("$file", state.file)
        rows.append(record)
        return
    same[RINGS] = (*same[RINGS], *record[RINGS])
    record["$same"] = same
    take_kept(same, record)
    if "$rows" in record:
        told = same["$rows"]
        told.setdefault(rows_key(reader.number), [told[reader.number]]).append(record["$rows"][reader.number])
    for slot, value in record.items():
        if slot != RINGS and not slot.startswith(("$", "?")) and same.setdefault(slot, value) != value:
            message = f"{slot} is not that of the first row of this object, which is taken"
            state.fault("ROWS_UNLIKE", state.at, reader.place, message, repr(same[slot]), value)


def _beside(reader: RowReader, record: Record, rows: list[Record], state: ItemState) -> Record | None:
    """Return the first record with this box from other tables to which this table has not added yet."""
    kind = category_key(record, state) if "category" in reader.by else None
    for row in rows:
        told = row.setdefault("$boxed", set())
        alike = row.get(BOX) == record[BOX] and (kind is None or category_key(row, state) == kind)
        if alike and reader.number not in told:
            told.add(reader.number)
            return row
    return None


def put_at(record: Record, slot: str, value: Any, reader: RowReader, state: ItemState) -> None:
    """Put a value into a slot; a conflict is noted instead of raised."""
    try:
        put(record, slot, value, state)
    except MisfitError as misfit:
        state.fault(misfit.code, state.at, reader.place, misfit.message, misfit.expected, misfit.got)
    except UnfitError as unfit:
        state.fault("FIELD", state.at, reader.place, "the value does not fit", unfit.expected, value)


def _merge(same: Record, record: Record, state: ItemState, reader: RowReader) -> None:
    record["$same"] = same
    take_kept(same, record)
    again = same.get("$table") == reader.number
    for slot, value in record.items():
        if slot == "$rows":
            told = same.setdefault("$rows", {})
            if (reader.rule.each.kept or same is state.item) and reader.number in told:  # they are separate records
                told.setdefault(rows_key(reader.number), [told[reader.number]]).append(value[reader.number])
            else:
                told.update(value)
        elif slot.startswith(("$", "?")):
            continue
        elif again and slot in PLURAL and slot in same:
            told = same[slot]
            same[slot] = (*told, *(one for one in value if slot != "tags" or one not in told))
        else:
            put_at(same, slot, value, reader, state)


def _key(by: tuple[str, ...], record: Record, state: ItemState) -> tuple[Any, ...] | None:
    key: list[Any] = []
    for name in by:
        if name == "item":
            key.append(True)
            continue
        value = category_key(record, state) if name == "category" else record.get(name, record.get(f"?{name}"))
        if value is None:
            return None
        key.append(tuple(value) if isinstance(value, list) else value)
    return tuple(key)


def category_key(record: Record, state: ItemState) -> Any:
    """Return what identifies a record's category in every document: the table's category, or its name, id or index."""
    found = state.categories.find(record)
    if found is not None:
        return found.name or found.id
    for slot in ("category.name", "category.id", "category.index", "category.color"):
        value = record.get(slot)
        if value is not None:
            return value
    return None


def _placed_category(reader: RowReader, record: Record, rows: list[Record]) -> Record | None:
    """Return the category that another table has at the index that a row gives."""
    position = record.get("index")
    if reader.kind != "category" or reader.by != ("index",) or not isinstance(position, int):
        return None
    if not 0 <= position < len(rows) or rows[position].get("$table") == reader.number:
        return None
    return rows[position] if rows[position].get("index", position) == position else None


def _look_up(reader: RowReader, record: Record, rows: list[Record], state: ItemState) -> Record | None:
    """Return the record of other documents that derived keys refer to."""
    candidates = [row for row in rows if row.get("$table") != reader.number and reader.fits(dict(row), state)]
    position: int | None = None
    ranks: Ranks | None = record.get("$ranks")
    for name in reader.by:
        if name == "category":
            mine = category_key(record, state)
            candidates = [row for row in candidates if category_key(row, state) == mine]
        elif name in ("index", "number"):
            position = record.get(f"?{name}")
        elif name == "rank":
            position = None if ranks is None else ranks.place(record.get("?rank"), len(candidates))
            if position is None and ranks is not None:
                told = f"{len(ranks.numbers)} records are shown, and {len(candidates)} are listed"
                state.fault("PIXEL_VALUE", state.at, reader.place, f"{told}; no number says which are not shown")
        else:
            candidates = [row for row in candidates if row.get(name) == record.get(name)]
    if position is None or not 0 <= position < len(candidates):
        return None
    return candidates[position]


def _counted(reader: RowReader, record: Record, rows: list[Record], state: ItemState) -> Record | None:
    """Return the record of other documents with the same number as this one.

    Records of other documents that state no number are numbered by counting.
    """
    slot = reader.by[-1]
    kind, number = category_key(record, state), record.get(slot)
    told = [row for row in rows if row.get("$table") != reader.number and category_key(row, state) == kind]
    told = [row for row in told if row.get("$counted") == reader.number or reader.fits(dict(row), state)]
    stated = {row[slot]: row for row in told if type(row.get(slot)) is int and "$counted" not in row}
    if type(number) is not int or number in stated:
        return None if type(number) is not int else stated[number]
    rest = [row for row in told if row.get(slot) is None or "$counted" in row]
    place = number - sum(1 for other in stated if other < number)
    if not 0 <= place < len(rest):
        return None
    rest[place]["$counted"] = reader.number
    return rest[place]
