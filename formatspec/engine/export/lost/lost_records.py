"""Finds the records for which a target has no row. Each is counted once, with the reason, after its item is written."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from formatspec.engine.evaluate.unbounded import is_unbounded
from formatspec.engine.evaluate.write_context import WriteSetting
from formatspec.engine.resolve.held_slots import BITS, WRITTEN, mark_of_area, record_mark
from formatspec.engine.resolve.questions.meanings import tables
from formatspec.engine.spec.compiled import Format, Role
from formatspec.model import derive
from formatspec.model.records import RECORD_TABLES, Area, Item, Object

HIDDEN = "hidden by others"
COVERED = "pixels covered by others"
NO_TABLE = "no table is for them"
UNBOUNDED = {"polyline": "lines, which bound no area", "keypoints": "points, which bound no area"}
ONE_PER_ITEM = "one per item"
_SINGLE = {"labels": "label.", "captions": "caption."}
"""The first part of item slots that hold the item's first label or caption."""

Loss = tuple[str, str]


class Unwritten:
    """Which records a target's tables hold, and which they do not.

    Attributes:
        rows: Tables whose rows are counted record by record.
        listed: Those of them that documents hold.
        whole: Tables that lose no record, since a column lists the records or each has a file.
        first: Tables of which an item's slots hold only the first record.
        paints_areas: Whether areas are painted, and no row of a document states them.
        copied: Roles whose files are copied unchanged.
    """

    def __init__(self, target: Format, same: bool = False, copied: Collection[str] = ()) -> None:
        """Work out which tables the target's rules write.

        Args:
            target: The layout that is written.
            same: Whether source and target are one format, so that kept files count too.
            copied: Roles whose files are copied as they are, so that nothing of them is lost.
        """
        self.copied = frozenset(copied)
        made = [role for role in target.documents if same or not role.kept]
        self.rows = {table for role in made for table in role.table_names}
        self.listed = {
            table for role in made if role.span != "record" for table in tables(role.document_rule, lookups=False)
        }
        stated = {table for role in made if role.kind != "pixels" for table in role.table_names}
        self.paints_areas = "areas" in self.rows - stated
        self.rows |= {"objects"} & {_parts(name) for role in target.roles.values() for name in role.captures}
        self.whole = {meaning.table for role in made for meaning, _, _ in role.meanings if meaning.where == "column"}
        if any(name.startswith("category.") for role in made for name in role.captures):
            self.whole.add("labels")
        names = {name for role in target.roles.values() if not role.kept for name in _names(role)}
        self.first = {table for table, head in _SINGLE.items() if any(name.startswith(head) for name in names)}

    def all_stand(self, item: Item, setting: WriteSetting, written: Iterable[int]) -> bool:
        """Return whether an item's only records are objects that each got a row, so that `of` has nothing to tell.

        Args:
            item: The item.
            setting: What the writers noted.
            written: For each object, the slots that are written, as bits.
        """
        if item.labels or item.captions or item.areas or setting.lost or setting.seen or setting.odd:
            return False
        common = WRITTEN
        for bits in written:
            common &= bits
        return bool(common)

    def of(self, item: Item, setting: WriteSetting, made: int) -> Iterator[Loss]:
        """Yield each loss of a written item, whose first `made` objects were made of its areas."""
        reasons: dict[Hashable, str] = {}
        others: dict[Loss, None] = {}
        for table, record, why in setting.lost:
            if table in RECORD_TABLES or table == "children":
                reasons.setdefault(record_mark(record), why)
            elif table == "items":
                others[f"{table} not written ({why})", table] = None  # once for each item, however many lists name it
            else:
                yield f"{table} not written ({why})", table
        yield from others
        yield from self._objects(item, setting, reasons, made)
        for table in ("labels", "captions"):
            yield from self._of(table, getattr(item, table), setting.held, reasons)
        if not made:
            yield from self._areas(item, setting, reasons)

    def _objects(self, item: Item, setting: WriteSetting, reasons: Mapping[Hashable, str], made: int) -> Iterator[Loss]:
        if "objects" in self.whole | self.copied:
            return
        held = setting.held
        in_areas = {one: drawn for area in setting.in_areas.values() for one, drawn in area.items()}
        is_plain = not reasons and not setting.seen and not made
        if is_plain and 0 not in [held.get(one, 0) & WRITTEN for one in map(id, item.objects)]:
            return  # each has a row of its own, and nothing was left out
        for place, thing in enumerate(item.objects):
            bits = held.get(id(thing), 0)
            written, seen = bits & WRITTEN, setting.seen.get(id(thing))
            unit = "objects" if place >= made else "areas"
            drawn_in = in_areas.get(id(thing))
            if seen is not None and seen.find is not None and not bits & BITS["polygons"]:
                if seen.pixels or written:
                    yield COVERED, unit
                else:
                    yield f"{unit} {HIDDEN}", unit
                    continue
            if written and place >= made:
                why = _not_drawn(thing, held, reasons)
                if why:
                    yield f"not drawn as areas ({why})", "objects"
                continue
            if written:
                yield "areas, written as objects", unit
            elif drawn_in is not None and drawn_in.seen == 0:
                yield f"{unit} {HIDDEN}", unit
            elif _is_drawn(thing, held):
                yield "objects, drawn as areas", unit
                if drawn_in is not None and drawn_in.seen is not None and drawn_in.seen < drawn_in.region.area:
                    yield COVERED, unit
            elif "objects" in self.rows:
                why = UNBOUNDED.get(is_unbounded(thing) or "") or reasons.get(record_mark(thing), NO_TABLE)
                yield f"{unit} not written ({why})", unit
            elif "areas" in self.rows:
                yield f"{unit} not written ({_no_area(thing, reasons)})", unit
            else:
                yield unit, unit

    def _areas(self, item: Item, setting: WriteSetting, reasons: Mapping[Hashable, str]) -> Iterator[Loss]:
        held = setting.held
        for area in () if "areas" in self.copied else item.areas:
            if "areas" not in self.rows | self.whole:
                yield "areas", "areas"
            elif not held.get(record_mark(area), 0) & WRITTEN:
                seen = _is_seen(area, item.objects)
                why = f"not written ({reasons.get(record_mark(area), NO_TABLE)})" if seen else HIDDEN
                yield f"areas {why}", "areas"
            elif self.paints_areas and _is_covered(area, setting):
                yield COVERED, "areas"

    def _of(
        self, table: str, records: Sequence[Any], held: Mapping[Hashable, int], reasons: Mapping[Hashable, str]
    ) -> Iterator[Loss]:
        if table in self.whole | self.copied:
            return
        for place, record in enumerate(records):
            if held.get(record_mark(record), 0) & WRITTEN or (place == 0 and table in self.first):
                continue
            if table in self.rows:
                yield f"{table} not written ({reasons.get(record_mark(record), NO_TABLE)})", table
            else:
                yield (f"{table} not written ({ONE_PER_ITEM})" if table in self.first else table), table


def tells_of_gone(what: str, unit: str) -> bool:
    """Return whether a line of the report names records that are not in the output as what they were."""
    gone = (unit, f"{unit} {HIDDEN}", "objects, drawn as areas", "areas, written as objects")
    return what.startswith((f"{unit} not written", f"{unit} left out")) or what in gone


def _parts(name: str) -> str:
    return "objects" if name.startswith("object.") else ""


def _names(role: Role) -> Iterator[str]:
    """Yield the names of the item's slots that a role's path and documents hold."""
    yield from role.captures
    if role.kind is not None:
        for meaning, scope, _ in role.meanings:
            if meaning.where == "item" or scope.kind == "item":
                yield meaning.name


def _is_drawn(thing: Object, held: Mapping[Hashable, int]) -> bool:
    """Return whether an object's pixels are part of an area that was drawn."""
    if thing.parent is not None or thing.category is None or not (thing.region or thing.polygons):
        return False
    return bool(held.get(mark_of_area(thing.category), 0) & WRITTEN)


def _not_drawn(thing: Object, held: Mapping[Hashable, int], reasons: Mapping[Hashable, str]) -> str:
    """Return why the area that an object belongs to was not drawn; an empty text if nothing was to be drawn."""
    if thing.parent is not None or thing.category is None or not (thing.region or thing.polygons):
        return ""
    area = mark_of_area(thing.category)
    return "" if held.get(area, 0) & WRITTEN else reasons.get(area, "")


def _no_area(thing: Object, reasons: Mapping[Hashable, str]) -> str:
    """Return why an object is in no area."""
    if thing.parent is not None:
        return "parts of others"
    if not (thing.region or thing.polygons):
        return "no region"
    return reasons.get(mark_of_area(thing.category), NO_TABLE)


def _is_covered(area: Area, setting: WriteSetting) -> bool:
    """Return whether the image that shows most of an area's category shows fewer pixels than the area has."""
    shown = setting.seen.get(record_mark(area))
    return shown is not None and shown.pixels < area.region.area


def _is_seen(area: Area, objects: Iterable[Object]) -> bool:
    """Return whether an area has a pixel that belongs to no object."""
    left = area.region
    for thing in objects:
        region = derive.region(thing, left.height, left.width)
        left = left if region is None else left - region
    return bool(left)
