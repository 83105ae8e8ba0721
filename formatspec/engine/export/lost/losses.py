"""Counts what a target cannot hold. The counts follow from the two specs; no list of losses is written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence, Set
from copy import copy
from typing import Any

import msgspec

from formatspec.engine.base.remembered import remembered
from formatspec.engine.documents.line_document import TextShape, blocks_anew
from formatspec.engine.export.adaptation.adapt import TargetCategories
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.resolve.held_slots import (
    ALL_ATTRIBUTES,
    ATTRIBUTES,
    BITS,
    BOXED,
    SEVERAL,
    SLOT_OF,
    UNMARKED,
    UNREAD,
    WRITTEN,
    attribute_bit,
)
from formatspec.engine.resolve.questions.meanings import meanings
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format
from formatspec.model import derive
from formatspec.model.outlines import joined, overlap
from formatspec.model.records import Category, Id, Item, Object
from formatspec.model.region import Region

NAMES = {
    "id": "object ids",
    "category": "categories of objects",
    "parent": "parents",
    "level": "levels",
    "group": "groups",
    "track": "tracks",
    "order": "drawing order",
    "single": "crowd or group marks",
    "tags": "tags of objects",
    "score": "scores",
    "bbox": "boxes",
    "rotated": "rotated boxes",
    "polygons": "polygons",
    "polyline": "polylines",
    "keypoints": "keypoints",
    "circle": "circles",
    "ellipse": "ellipses",
    "region": "visible regions",
    "hidden": "hidden regions",
    "text": "texts of objects",
}


CATEGORY_NAMES = {
    "id": "category ids",
    "parent": "parents of categories",
    "path": "paths of categories",
    "color": "colours of categories",
    "countable": "things and stuff told apart",
    "keypoint_names": "names of keypoints",
    "skeleton": "skeletons",
    "attribute_names": "names of attributes",
    "part_names": "names of parts",
}
"""The parts of a category besides its name, and their names in the report."""


HIDDEN = 1
"""The visibility of a keypoint that something else covers."""
BOX_ROUNDING = 1.0
"""How far a side of a stated box may be from the outlines, in pixels.

Tools differ in whether they count the first or last pixel, and outlines are rounded to whole pixels.
"""
BESIDE_MASKS = 1 << 40
"""A bit beside those of lost slots: the outlines are lost, but the pixels of the object are held."""


SUBSETS = frozenset({"subset", "subsets"})
"""The names by which paths and rows state subsets."""


def tells_of(form: Format, slots: Set[str]) -> bool:
    """Return whether a format's paths or documents hold one of some slots of items."""
    return bool(_item_slots(form, _meanings(form, False)) & slots)


@remembered(KEPT_FORMATS)
def _meanings(form: Format, kept: bool) -> list[tuple[Meaning, Scope]]:
    """Return what the leaves of a format's documents mean; those of rows that are only kept are included if `kept`."""
    return [
        (meaning, scope)
        for role in form.documents
        if not role.kept
        for meaning, scope, _ in meanings(role.document_rule, role.scope, kept=kept)
    ]


def _item_slots(form: Format, meanings: Iterable[tuple[Meaning, Scope]]) -> set[str]:
    """Return the slots of items that a format's documents and paths hold."""
    captured = {name for role in form.roles.values() if not role.kept for name in role.captures}
    return {meaning.name for meaning, scope in meanings if meaning.where == "item" or scope.kind == "item"} | captured


class Losses:
    """The loss report while a conversion runs."""

    def __init__(self, target: Format, categories: TargetCategories, same: bool) -> None:
        """Work out which slots the target's rules write.

        Args:
            target: The layout that is written.
            categories: The target's categories, of which a colour or a supercategory may be lost.
            same: Whether source and target are one format, so that kept files count too.
        """
        self._noted: Counter[tuple[str, str]] = Counter()
        self._slots: dict[int, int] = {}
        self._plain: dict[tuple[int, int, bool | None], int] = {}
        self.same = same
        self.categories = categories
        self.renumbered: Set[str] = frozenset()
        self.numbered: Set[int] = frozenset()
        made = [role for role in target.documents if not role.kept]
        meanings = _meanings(target, same)
        self.item_slots = _item_slots(target, meanings)
        self.lists_subsets = "subset" not in target.key_names and any(
            role.span == "shared" and "subset" in role.captures and "items" in role.table_names for role in made
        )
        self.tables = {meaning.table for meaning, _ in meanings if meaning.where == "column"}
        self.tables |= {table for role in made for table in role.table_names}
        self.category_slots = {
            meaning.name.removeprefix("label.").removeprefix("category.")
            for meaning, scope in meanings
            if scope.kind == "category" or "category." in meaning.name or meaning.table == "categories"
        }
        self.object_attributes = {
            meaning.name.removeprefix("attributes").removeprefix(".")
            for meaning, scope in meanings
            if scope.kind == "object" and meaning.where == "record" and meaning.name.startswith("attributes")
        }
        self.by_number = not same and not wanted_slots.names_category_by(target, "name")
        self.may_lack_categories = not same and (categories.fixed or "categories" not in self.tables)
        if any(scope.kind == "attribute" for _, scope in meanings):
            self.object_attributes.add("")
        self.label_slots, self.caption_slots = (
            {name.removeprefix(f"{kind}.").removeprefix("attributes.") for name in names}
            for kind, names in (
                (kind, {m.name for m, scope in meanings if scope.kind == kind or m.name.startswith(f"{kind}.")})
                for kind in ("label", "caption")
            )
        )
        tables = {scope.outer.kind for _, scope in meanings if scope.kind == "attribute" and scope.outer is not None}
        for kind, slots in (("label", self.label_slots), ("caption", self.caption_slots)):
            slots |= {"attributes"} if kind in tables else set()

    def note(self, what: str, unit: str = "objects", count: int = 1) -> None:
        """Count a loss."""
        self._noted[what, unit] += count

    def blocks(self, document: Any, shape: TextShape | None) -> None:
        """Count the rows of a text document that will be read back as another number of rows."""
        for slot, count in blocks_anew(document, shape).items() if shape is not None else ():
            attribute = slot.partition(".")[2]
            told = f"{NAMES.get(slot, slot)} that blocks of lines number anew"
            self.note(f"attribute {attribute}" if attribute else told, "objects", count)

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """The losses so far: how many, by words and unit."""
        counts = Counter(self._noted)
        for slots, count in self._slots.items():
            for name, words in NAMES.items():
                if slots & BITS[name]:
                    counts[words, "objects"] += count
            if slots & BESIDE_MASKS:
                counts["outlines beside masks", "objects"] += count
        return counts

    def apart(self) -> Losses:
        """Return what counts the same losses from nothing, so that these stay as they are."""
        made = copy(self)
        made._noted, made._slots = Counter(), {}
        return made

    def clear(self) -> None:
        """Forget all counts."""
        self._noted.clear()
        self._slots.clear()

    def listed(self, categories: Iterable[Category], used: Collection[str]) -> None:
        """Count what categories hold and the target's list does not.

        Args:
            categories: The categories of the source.
            used: The names of the categories that records have. In a target without a list, any other category is lost.
        """
        if self.same:
            return
        for category in categories:
            if self.may_lack_categories and not self._lists(category) and spoken(category) not in used:
                self.note("categories without objects", "categories")
            if self.categories.name_of(category) != spoken(category):
                self.note("blanks at the ends of names", "categories")
            for name, words in CATEGORY_NAMES.items():
                value = getattr(category, name)
                if value is None or value in ((), ""):
                    continue
                if name not in self.category_slots or (name == "id" and self._numbers_anew(category)):
                    self.note(words, "categories")
            told = self.category_slots
            if "attributes" not in told and any(f"attributes.{name}" not in told for name in category.attributes):
                self.note("attributes of categories", "categories")

    def _numbers_anew(self, category: Category) -> bool:
        """Return whether a category has another id in the target, such as a number in place of a text."""
        own = self.categories.own(category)
        return own is not None and own.id != category.id

    def _lists(self, category: Category) -> bool:
        """Return whether the target's own list of categories has this one."""
        return self.categories.fixed and self.categories.holds(category)

    def item(
        self, item: Item, stated: Sequence[int], held: Sequence[int],
        refused: Sequence[tuple[Hashable, tuple[str, ...]]] = (),
    ) -> None:  # fmt: skip
        """Count what an item and its objects hold and the writers did not write.

        Args:
            item: The item.
            stated: For each object, the slots that it states, as bits.
            held: For each object, the slots that are written, as bits.
            refused: Records, by their marks, with the slots that their rows leave out because the value cannot be
                written.
        """
        if self.same:
            return
        left_out: dict[Hashable, set[str]] = {}
        for mark, names in refused:
            left_out.setdefault(mark, set()).update(names)
        if stated and (left_out or not self._is_counted_before(item.objects, stated, held)):
            self._objects(item, stated, held, left_out)
        self._of_item(item, left_out.get(id(item), ()) if left_out else ())

    def _objects(
        self, item: Item, of_all: Sequence[int], held: Sequence[int], left_out: Mapping[Hashable, set[str]]
    ) -> None:  # fmt: skip
        """Count what the objects of an item lose, one by one."""
        slots_lost, numbered, plain, is_fixed = self._slots, self.numbered, self._plain, self.categories.fixed
        by_number = self.by_number
        for thing, stated, bits in zip(item.objects, of_all, held, strict=True):
            if not bits & WRITTEN:
                continue
            one = id(thing)
            if left_out and one in left_out:
                bits &= ~_bits_of(left_out[one])
                if "area" in left_out[one]:
                    self.note("stated areas that differ from those of what is written")
                if not bits & (BOXED | BITS["polygons"] | BITS["region"]):
                    bits &= ~BITS["bbox"]  # the box follows from the slots that are left out
            if numbered and one in numbered:
                stated &= ~BITS["id"]
            key = stated, bits, thing.single
            gone = plain.get(key)
            if gone is None:
                gone = self._gone(thing, stated, bits, item)
                if not _asks_object(stated, bits):
                    plain[key] = gone
            if gone:
                slots_lost[gone] = slots_lost.get(gone, 0) + 1
            if thing.attributes or is_fixed:
                self._named(thing, bits, left_out.get(one, ()))
            if by_number and thing.category is not None and not thing.category.name:
                self._unnamed(thing.category)

    def _is_counted_before(self, things: Sequence[Object], stated: Sequence[int], held: Sequence[int]) -> bool:
        """Count the objects of an item at once, if the same was counted for others like them; return whether it was."""
        if self.numbered or self.categories.fixed or self.by_number:
            return False
        plain = self._plain
        keys = list(zip(stated, held, [thing.single for thing in things], strict=True))
        alike = set(keys)
        for key in alike:
            if key not in plain or key[0] & ATTRIBUTES:
                return False
        for key in alike:
            if plain[key]:
                self._slots[plain[key]] = self._slots.get(plain[key], 0) + keys.count(key)
        return True

    def _gone(self, thing: Object, stated: int, bits: int, item: Item) -> int:
        """Return which of the slots that an object states are lost, given those that its rows hold."""
        gone = stated & ~bits & ~ATTRIBUTES
        if stated & bits & BITS["bbox"] and not bits & BOXED and _is_another_box(thing, bits, item):
            self.note("bounding boxes that differ from their outlines")
        if gone & BITS["single"] and thing.single:
            gone &= ~BITS["single"]  # a single object is the default
        if gone & BITS["polygons"] and bits & BITS["region"]:
            gone = gone & ~BITS["polygons"] | BESIDE_MASKS
        elif gone & BITS["region"] and thing.polygons and bits & BITS["polygons"] and not derive.is_outlined(thing):
            gone |= BESIDE_MASKS  # the outlines that are written are those of the pixels
        may_join = bits & BITS["polygons"] and (gone & BITS["region"] or len(thing.polygons) > 1)
        if may_join and _is_joined(thing, bits):
            self.note("holes and pieces, joined to one outline by bridges")
            if not gone & BITS["region"] and overlap(thing.polygons):
                self.note("outlines that overlap, joined along the edges of their pixels")
        if bits & UNMARKED and any(map(_is_told_otherwise, thing.keypoints)):
            self.note("visibility of keypoints")
        if gone & BITS["region"] and not thing.region:
            gone &= ~BITS["region"]  # an empty region has no pixel to lose
        return gone

    def image_id(self, item: Item, words: str) -> None:
        """Count the id of an item that is not written, unless the item's name spells it."""
        if item.id is not None and not _is_named(item.id, item.key):
            self.note(words, "items")

    def _of_item(self, item: Item, left_out: Collection[str]) -> None:
        """Count what an item, its labels and its captions hold and the writers did not write."""
        slots, tables = self.item_slots, self.tables
        if item.tags and "tags" not in slots:
            self.note("tags", "items")
        names = {f"attributes.{name}" for name in item.attributes}
        if not names.isdisjoint(left_out) or ("attributes" not in slots and names - slots):
            self.note("attributes of items", "items")
        if "id" not in slots or "id" in left_out:
            self.image_id(item, "image ids")
        if item.sequence is not None and "sequence" not in slots:
            self.note("sequences", "items")
        if item.frame is not None and "frame" not in slots:
            self.note("frames", "items")
        if item.void and "void" not in tables:
            self.note("void pixels", "items")
        if item.subsets and not slots & SUBSETS:
            self.note("subsets", "items")
        elif len(item.subsets) > 1 and "subsets" not in slots and not self.lists_subsets:
            self.note("further subsets", "items")
        if "labels" in self.tables or self.label_slots:
            for label in item.labels:
                if label.score is not None and "score" not in self.label_slots:
                    self.note("scores of labels", "labels")
                self._attributes_of("labels", label.attributes, self.label_slots)
        if "captions" in self.tables or self.caption_slots:
            for caption in item.captions:
                if caption.id is not None and "id" not in self.caption_slots:
                    self.note("ids of captions", "captions")
                elif caption.id is not None and "captions" in self.renumbered:
                    self.note("ids of captions renumbered", "captions")
                self._attributes_of("captions", caption.attributes, self.caption_slots)

    def _attributes_of(self, unit: str, attributes: Mapping[str, Any], told: Collection[str]) -> None:
        """Count the attributes of a label or a caption that its rows do not hold."""
        if attributes and "attributes" not in told and not all(name in told for name in attributes):
            self.note(f"attributes of {unit}", unit)

    def _named(self, thing: Object, held: int, left_out: Collection[str]) -> None:
        """Count lost attributes by their names, and a category that the target's table lacks.

        Args:
            thing: The object.
            held: The slots that the object's rows hold.
            left_out: The names that they leave out.
        """
        for name in thing.attributes:
            is_told = held & (ALL_ATTRIBUTES | attribute_bit(name))
            if not is_told or f"attributes.{name}" in left_out:
                self.note(f"attribute {name}")
        if thing.category is not None and self.categories.fixed and not self.categories.holds(thing.category):
            self.note(f"category {thing.category.name}")

    def _unnamed(self, category: Category) -> None:
        """Count a category without a name, such as a mere colour, that has no number in the target's list either."""
        own = self.categories.own(category)
        if own is None or (own.id is None and own.index is None):
            self.note("categories of objects")

    def lines(self) -> list[str]:
        """Return one line per kind of loss, sorted: `hidden regions: 64 objects`, `kept fields: license (3 items)`."""
        return [_line(what, unit, count) for (what, unit), count in sorted(self.counts.items())]

    def report(self) -> list[dict[str, Any]]:
        """Return the report as plain data."""
        return [{"what": what, "unit": unit, "count": count} for (what, unit), count in sorted(self.counts.items())]


def _is_named(number: Id, key: str) -> bool:
    """Return whether the last part of an item's name is its id, with or without zeros before it."""
    name = key.rpartition("/")[2]
    return name.lstrip("0") == str(number).lstrip("0")


def _asks_object(stated: int, bits: int) -> bool:
    """Return whether losses depend on more of an object than which slots it states and which slots its rows hold."""
    follows = stated & bits & BITS["bbox"] and not bits & BOXED
    return bool(follows or bits & (BITS["polygons"] | UNMARKED) or stated & ~bits & BITS["region"])


def _is_told_otherwise(point: Sequence[float]) -> bool:
    """Return whether a keypoint reads back as another one where absent points are spelled 0, 0.

    Such a format has no state for a hidden point, and reads a visible point at 0, 0 as absent.
    """
    x, y, visibility = point
    return visibility == HIDDEN or (visibility > 0 and x == y == 0)


def _is_joined(thing: Object, held: int) -> bool:
    """Return whether the written outlines join several rings of an object into one.

    Stated rings are written unchanged where the target holds several rings. Of a region, each connected piece becomes
    one ring, into which its holes are joined.
    """
    follows = isinstance(thing.region, Region) and not held & BITS["region"] and not _stands(thing)
    if not follows:
        return len(thing.polygons) > 1 and not held & SEVERAL
    outlines = thing.region.to_polygons()  # type: ignore[union-attr]
    return any(outline.holes for outline in outlines) or (len(outlines) > 1 and not held & SEVERAL)


def _is_another_box(thing: Object, held: int, item: Item) -> bool:
    """Return whether the stated box of an object differs from the box around the geometry that is written."""
    if thing.polygons is UNREAD:
        return False
    around = _around(thing, held, item)
    if around is None or thing.bbox is None:
        return thing.bbox is not None
    x, y, width, height = thing.bbox
    left, top, wide, tall = around
    sides = (x - left, y - top, x + width - left - wide, y + height - top - tall)
    return any(abs(off) > BOX_ROUNDING for off in sides)


def _around(thing: Object, held: int, item: Item) -> derive.Box | None:
    """Return the box around the pixels of an object if these are written, or else around its outlines."""
    if held & BITS["region"] and not held & BITS["polygons"] and item.image is not None:
        region = derive.region(thing, item.image.height, item.image.width)
        return None if region is None else region.bbox
    stands, rings = _stands(thing), thing.polygons
    if stands and len(rings) > 1 and held & BITS["polygons"] and not held & SEVERAL:
        rings = (joined(rings),)  # which may run along the edges of pixels
    return derive.bbox(
        msgspec.structs.replace(thing, bbox=None, polygons=rings, region=None if stands else thing.region)
    )


def _stands(thing: Object) -> bool:
    """Return whether the outlines that an object states are the ones that are written."""
    return bool(thing.polygons) and derive.is_outlined(thing)


def _bits_of(names: Iterable[str]) -> int:
    """Return the bits of the slots of an object that names refer to, without its attributes."""
    heads = (SLOT_OF.get(head, head) for head in (name.partition(".")[0] for name in names))
    return sum({BITS.get(head, 0) for head in heads} - {ATTRIBUTES})


def _line(what: str, unit: str, count: int) -> str:
    number = f"{count} {_unit(unit, count)}"
    return f"{what} ({number})" if what.startswith("kept ") else f"{what}: {number}"


def name_of(line: str) -> str:
    """Return what a line of the report is about, without its number."""
    return line.rpartition(" (")[0] if line.startswith("kept ") else line.rpartition(":")[0]


def _unit(unit: str, count: int) -> str:
    singular = "category" if unit == "categories" else unit[:-1]
    return singular if count == 1 else unit
