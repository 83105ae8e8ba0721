"""Counts the records of an item for the law of conservation: how many were handed over, and how many were written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.evaluate.write_context import WriteSetting
from formatspec.engine.export.lost.lost_records import Loss, Unwritten, tells_of_gone
from formatspec.engine.export.shard_output import SharedShard, TableShard
from formatspec.engine.resolve.held_slots import WRITTEN, record_mark
from formatspec.engine.spec.compiled import Role
from formatspec.model.records import RECORD_TABLES, Item


def tables_of(roles: Iterable[Role]) -> set[str]:
    """Return the tables that the documents of some roles hold."""
    found = {table for role in roles for table in role.table_names}
    return found | {"objects" for role in roles for name in role.captures if name.startswith("object.")}


def table_key(table: TableShard, part: SharedShard) -> str:
    """Return the name under which a table's rows are gathered."""
    return next(key for key, other in part.tables.items() if other is table)


def count_item(
    tally: Tally, handed: Item, own: Item, setting: WriteSetting, tables: Unwritten, lost: Sequence[Loss], made: int
) -> None:
    """Count the records of an item: those handed to the writers, and those that got rows or pixels.

    Args:
        tally: Takes the numbers.
        handed: The item as it was handed to the writers.
        own: The item as it was written. Its first objects were made of its areas.
        setting: What the writers noted.
        tables: The tables that the target's rules write.
        lost: The losses of the item.
        made: How many objects were made of areas.
    """
    for table in RECORD_TABLES:
        records = getattr(handed, table)
        if not records:
            continue
        named = sum(1 for what, unit in lost if unit == table and tells_of_gone(what, unit))
        standing = _standing(table, own, setting, tables, made)
        if table == "areas" and "areas, written as objects" in {what for what, _ in lost}:
            standing = 0
        tally.count(table, handed.key, len(records), standing, named)
    for given, there in setting.odd:
        tally.compare("values of a label image", handed.key, given, there)


def _standing(table: str, own: Item, setting: WriteSetting, tables: Unwritten, made: int) -> int:
    """Return how many records of a table were written: as a row, pixels, a column, or a file that is copied whole."""
    records = getattr(own, table)[made:] if table == "objects" else getattr(own, table)
    if table in tables.whole or table in tables.copied:
        return len(records)
    held = setting.held.get
    marks = map(record_mark, records) if table == "areas" else map(id, records)
    standing = sum([held(one, 0) & WRITTEN for one in marks]) // WRITTEN
    if not standing and table in tables.first and records:
        return 1
    return standing
