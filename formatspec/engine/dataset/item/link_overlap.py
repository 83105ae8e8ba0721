"""Links rows without a key to the objects that they overlap most, if the spec asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.evaluate.expressions import condition
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.model import derive
from formatspec.model.records import Category, Item
from formatspec.model.region import Region


def link(item: Item, pending: Sequence[dict[str, Any]], state: ItemState) -> dict[int, dict[str, Region]]:
    """Link rows to objects one to one, pair by pair in descending IoU, within the same category.

    A row that overlaps no object is reported.

    Returns:
        For each linked object, by its index, the region that each role gives it.
    """
    told: dict[int, dict[str, Region]] = {}
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for entry in pending:
        groups.setdefault((entry["reader"].number, entry["at"][0]), []).append(entry)
    for (_, file), entries in groups.items():
        reader: RowReader = entries[0]["reader"]
        candidates = _candidates(item, reader)
        pairs = sorted(_pairs(entries, candidates, item, state), key=lambda pair: (-pair[0], pair[1], pair[2]))
        rows_taken: set[int] = set()
        things_taken: set[int] = set()
        for _, row, index in pairs:
            if row in rows_taken or index in things_taken:
                continue
            rows_taken.add(row)
            things_taken.add(index)
            record = entries[row]["row"]
            told.setdefault(index, {})[reader.scope.role] = record["region"]
            origin = item.objects[index].origin
            if origin is not None and "$rows" in record:
                origin.rows.update(record["$rows"])
        for row, entry in enumerate(entries):
            if row not in rows_taken:
                state.faults.append(
                    Fault("NOT_FITTED", file, (), reader.place, "pixels overlap no object of their category",
                          got=entry["row"].get("category.id"))
                )  # fmt: skip
    return told


def _candidates(item: Item, reader: RowReader) -> list[int]:
    where = reader.rule.each.where
    if where is None:
        return list(range(len(item.objects)))
    holds = condition(where, reader.scope.inside(reader.table), reader.place)
    root = WriteContext(WriteSetting({}, None, {}), item, item)
    return [i for i, thing in enumerate(item.objects) if holds(WriteContext(root.setting, item, thing, root, i))]


def _pairs(
    entries: Sequence[dict[str, Any]], candidates: Sequence[int], item: Item, state: ItemState
) -> list[tuple[float, int, int]]:
    found = []
    by_category: dict[Any, list[int]] = {}
    for index in candidates:
        by_category.setdefault(_name(item.objects[index].category), []).append(index)
    height = item.image.height if item.image else None
    width = item.image.width if item.image else None
    for row, entry in enumerate(entries):
        region: Region = entry["row"]["region"]
        for index in by_category.get(_name(state.categories.resolve(entry["row"])), ()):
            mine = derive.region(item.objects[index], height, width)
            if mine is None or (mine.height, mine.width) != (region.height, region.width):
                continue
            iou = region.iou(mine)
            if iou > 0:
                found.append((iou, row, index))
    return found


def _name(category: Category | None) -> Any:
    return None if category is None else category.id if category.id is not None else category.name
