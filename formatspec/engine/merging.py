"""Rows that tell of one record become one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formatspec.codecs.registry import Unfit
from formatspec.engine.job import Job, Misfit, Record, put
from formatspec.engine.ranks import Ranks
from formatspec.engine.rings import rows_key

if TYPE_CHECKING:
    from formatspec.engine.row_reading import RowReader

RINGS = "polygons"
PLURAL = (RINGS, "tags")
BOX = "bbox"
BY_ID = ("id",)
OBJECTS_BY_ID = ("object", "id")


def keep_row(reader: RowReader, record: Record, outer: Record, job: Job) -> None:
    """Keep the record of a row: as one of its table, or as part of the record that it is the same as."""
    kind = reader.kind
    if kind == "attribute":
        job_put(outer, f"attributes.{record.get('key')}", record.get("value"), reader, job)
        return
    if kind == "item":
        _merge(job.item, record, job, reader)
        return
    if kind == "void":
        job.item["void"] = record.get("region")
        return
    rows = job.tables.setdefault(kind, [])
    if kind == "object" and reader.by == BY_ID and not reader.overlap and type(record.get("id")) is int:
        known = job.keyed.setdefault(OBJECTS_BY_ID, {})
        if (record["id"],) not in known:
            record.setdefault("$file", job.file)
            record["$table"] = reader.number
            known[record["id"],] = record
            rows.append(record)
            return
    if reader.overlap:
        job.tables.setdefault("$overlap", []).append({"row": record, "reader": reader, "at": (job.file, job.at)})
        return
    if reader.rule.each.rings:
        _keep_ring(reader, record, rows, job)
        return
    if kind == "caption" or not reader.by:
        record.setdefault("$file", job.file)
        rows.append(record)
        return
    placed = _placed_category(reader, record, rows)
    if placed is not None:
        _merge(placed, record, job, reader)
        return
    key = _key(reader.by, record, job)
    beside = _beside(reader, record, rows, job) if key is not None and BOX in reader.by else None
    if beside is not None:
        _merge(beside, record, job, reader)
        return
    if key is None or BOX in reader.by:
        record.setdefault("$file", job.file)
        rows.append(record)
        return
    known = job.keyed.setdefault((kind, *reader.by), {})
    same = known.get(key)
    if same is None and any(f"?{name}" in record for name in reader.by):
        same = _look_up(reader, record, rows, job)
    if same is None and reader.rule.each.counted:
        same = _counted(reader, record, rows, job)
    if same is None:
        record.setdefault("$file", job.file)
        record["$table"] = reader.number
        known[key] = record
        rows.append(record)
        return
    if same.get("$table") == reader.number and reader.by == ("id",):
        _, path = record.get("$id_at", (job.file, job.at))
        job.fault("DUPLICATE", path, reader.place, f"the id {key[0]!r} stands twice", "an id of its own", key[0])
        return
    known[key] = same
    _merge(same, record, job, reader)


def _keep_ring(reader: RowReader, record: Record, rows: list[Record], job: Job) -> None:
    """Keep the record of a row that may tell one ring of an object: with the object's others, or as one of its own."""
    key = _key(reader.by, record, job) if record.get(RINGS) else None
    known = job.keyed.setdefault((reader.kind, RINGS, *reader.by), {})
    same = record if key is None else known.setdefault(repr(key), record)  # 1, 1.0, true and "1" are four groups
    if same is record:
        record.setdefault("$file", job.file)
        rows.append(record)
        return
    same[RINGS] = (*same[RINGS], *record[RINGS])
    if "$rows" in record:
        told = same["$rows"]
        told.setdefault(rows_key(reader.number), [told[reader.number]]).append(record["$rows"][reader.number])
    for slot, value in record.items():
        if slot != RINGS and not slot.startswith(("$", "?")) and same.setdefault(slot, value) != value:
            message = f"{slot} is not that of the first row of this object, which is taken"
            job.fault("ROWS_UNLIKE", job.at, reader.place, message, repr(same[slot]), value)


def _beside(reader: RowReader, record: Record, rows: list[Record], job: Job) -> Record | None:
    """The first record with this box that other tables told of and this one has not yet; boxes may stand twice."""
    kind = category_key(record, job) if "category" in reader.by else None
    for row in rows:
        told = row.setdefault("$boxed", set())
        alike = row.get(BOX) == record[BOX] and (kind is None or category_key(row, job) == kind)
        if alike and reader.number not in told:
            told.add(reader.number)
            return row
    return None


def job_put(record: Record, slot: str, value: Any, reader: RowReader, job: Job) -> None:
    """Put a value, noting a conflict instead of raising it."""
    try:
        put(record, slot, value, job)
    except Misfit as misfit:
        job.fault(misfit.code, job.at, reader.place, misfit.message, misfit.expected, misfit.got)
    except Unfit as unfit:
        job.fault("FIELD", job.at, reader.place, "the value does not fit", unfit.expected, value)


def _merge(same: Record, record: Record, job: Job, reader: RowReader) -> None:
    again = same.get("$table") == reader.number
    for slot, value in record.items():
        if slot == "$rows":
            same.setdefault("$rows", {}).update(value)
        elif slot.startswith(("$", "?")):
            continue
        elif again and slot in PLURAL and slot in same:
            same[slot] = (*same[slot], *value)
        else:
            job_put(same, slot, value, reader, job)


def _key(by: tuple[str, ...], record: Record, job: Job) -> tuple[Any, ...] | None:
    key: list[Any] = []
    for name in by:
        if name == "item":
            key.append(True)
            continue
        value = category_key(record, job) if name == "category" else record.get(name, record.get(f"?{name}"))
        if value is None:
            return None
        key.append(tuple(value) if isinstance(value, list) else value)
    return tuple(key)


def category_key(record: Record, job: Job) -> Any:
    """What names a record's category in every document alike: the table's own, else its name, id or index."""
    found = job.categories.find(record)
    if found is not None:
        return found.name or found.id
    for slot in ("category.name", "category.id", "category.index", "category.color"):
        value = record.get(slot)
        if value is not None:
            return value
    return None


def _placed_category(reader: RowReader, record: Record, rows: list[Record]) -> Record | None:
    """The category that another table has at the index by which a row means it."""
    position = record.get("index")
    if reader.kind != "category" or reader.by != ("index",) or not isinstance(position, int):
        return None
    if not 0 <= position < len(rows) or rows[position].get("$table") == reader.number:
        return None
    return rows[position] if rows[position].get("index", position) == position else None


def _look_up(reader: RowReader, record: Record, rows: list[Record], job: Job) -> Record | None:
    """The record that derived keys point at, among those that other documents told of."""
    candidates = [row for row in rows if row.get("$table") != reader.number and reader.fits(dict(row), job)]
    position: int | None = None
    ranks: Ranks | None = record.get("$ranks")
    for name in reader.by:
        if name == "category":
            mine = category_key(record, job)
            candidates = [row for row in candidates if category_key(row, job) == mine]
        elif name in ("index", "number"):
            position = record.get(f"?{name}")
        elif name == "rank":
            position = None if ranks is None else ranks.place(record.get("?rank"), len(candidates))
            if position is None and ranks is not None:
                told = f"{len(ranks.numbers)} records are shown, {len(candidates)} told of"
                job.fault("PIXEL_VALUE", job.at, reader.place, f"{told}, and no number says which are not seen")
        else:
            candidates = [row for row in candidates if row.get(name) == record.get(name)]
    if position is None or not 0 <= position < len(candidates):
        return None
    return candidates[position]


def _counted(reader: RowReader, record: Record, rows: list[Record], job: Job) -> Record | None:
    """The record that other documents told of under the number of this one; those that state none are counted."""
    slot = reader.by[-1]
    kind, number = category_key(record, job), record.get(slot)
    told = [row for row in rows if row.get("$table") != reader.number and category_key(row, job) == kind]
    told = [row for row in told if row.get("$counted") == reader.number or reader.fits(dict(row), job)]
    stated = {row[slot]: row for row in told if type(row.get(slot)) is int and "$counted" not in row}
    if type(number) is not int or number in stated:
        return None if type(number) is not int else stated[number]
    rest = [row for row in told if row.get(slot) is None or "$counted" in row]
    place = number - sum(1 for other in stated if other < number)
    if not 0 <= place < len(rest):
        return None
    rest[place]["$counted"] = reader.number
    return rest[place]
