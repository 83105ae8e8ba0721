"""The context of a leaf when it is written: its record, and the item and the records around it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from formatspec.codecs.registry import Env
from formatspec.engine.evaluate.unbounded import box_of
from formatspec.engine.evaluate.writing_notes import InArea, LostRow, ShownPixels
from formatspec.engine.resolve import held_slots
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import UnknownNameError
from formatspec.model import derive
from formatspec.model.families import Family
from formatspec.model.records import Category, Item, Label, Object
from formatspec.model.region import Region
from formatspec.model.slots import TABLES

Getter = Callable[["WriteContext"], Any]
PathOf = Callable[["WriteContext"], str | None]
"""Gives the path by which one file refers to another one."""


class Paths(Protocol):
    """How the paths of an item's files are rendered, by role."""

    def get(self, role: str, /) -> PathOf | None:
        """Return what renders the path of a role's file; None for a role that the item does not have."""
        ...


class UnmappedCategories:
    """Categories without a target's table: each stands for itself."""

    listed = ()
    known: Mapping[int, tuple[Category, Category | None]] = {}

    def own(self, category: Category) -> Category:
        """Return the category itself."""
        return category


class WriteSetting(msgspec.Struct, eq=False):
    """What is the same for all records of one item, or of one shared file.

    Attributes:
        captures: The names for paths.
        options: The values of the target's options.
        file: The shared file that rows are written for.
        categories: The target's categories, if there is a target.
        paths: Gives, for the name of a role, how its path is rendered for a context.
        apart: Whether the target holds regions and polygons in separate places, so that neither replaces the other.
        unheld: Which of lines and keypoints the target does not hold, so that an object of nothing else has no box.
        beneath: The `id()` of each object that was made of an area and therefore lies beneath all others.
        boxed: Whether the target holds only the boxes of objects, so that their areas are those of the boxes.
        closely: Whether areas are computed with regard to edges of outlines that cross.
        drawn: Whether the target holds outlines of objects only as the pixels inside them.
        claims: How many rows the writers have given.
        counts: The records of a shared file that are only counted, by table.
        lost: The records without a row.
        rows: The rows of tables of a shared file that were gathered before the file is written, by the table's key.
        told: The regions that roles give an object, by the role's name, by the position of the object.
        odd: Label images that do not show what was painted, each with the number of values painted and found.
        seen: For each record that label images show, by its mark, its visible pixels in the image that shows most.
        renumbered: Tables of records whose ids are not written, since they were unique only within smaller files.
        in_lists: Whether several shared files list the item, so that rows inside its row of one file stay there.
        in_documents: Whether documents list the item's objects, so that label images show only those with a row there.
        in_areas: The objects that are drawn as parts of areas, by their `id()`, by the mark of the area.
        number: An object's number in its category, where a label image counts objects; otherwise its position.
        refused: Records, by their marks, with names that their rows leave out because the value cannot be written.
    """

    captures: dict[str, Any]
    categories: Any
    options: dict[str, Any]
    values: dict[str, Any] = {}
    paths: Paths = {}
    folder: str = ""
    file: str = ""
    renumbered: frozenset[str] = frozenset()
    apart: bool = False
    beneath: frozenset[int] = frozenset()
    boxed: bool = False
    closely: bool = False
    drawn: bool = False
    index: int = 0
    held: dict[Hashable, int] = {}
    claims: int = 0
    counts: Mapping[str, range] = {}
    in_areas: dict[Hashable, dict[int, InArea]] = {}
    in_documents: bool = False
    in_lists: bool = False
    lost: list[LostRow] = []
    odd: list[tuple[int, int]] = []
    refused: list[tuple[Hashable, tuple[str, ...]]] = []
    rows: dict[str, Sequence[Any]] = {}
    seen: dict[Hashable, ShownPixels] = {}
    number: Callable[[WriteContext], int] = attrgetter("index")
    subsets: tuple[str, ...] = ()
    told: Mapping[int, Mapping[str, Region]] = {}
    unheld: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Let each category stand for itself if there is no target."""
        if self.categories is None:
            self.categories = UnmappedCategories()


class WriteContext:
    """One record and what is around it.

    as_read: the same context for the record as it was read; None without a source.
    part: which of the rows of its record this is, from 1, if several of them hold tables of their own; otherwise 0.
    """

    __slots__ = ("as_read", "env", "family_of", "index", "item", "part", "record", "rows", "setting", "up")

    def __init__(
        self,
        setting: WriteSetting,
        item: Item | None,
        record: Any,
        up: WriteContext | None = None,
        index: int = 0,
        rows: int = 0,
    ) -> None:
        """Place a record in its context.

        Args:
            setting: What is the same for all records.
            item: The record's item, or None if the record belongs to the whole dataset.
            record: The record.
            up: The context of the record that contains this one.
            index: The record's index in its table, from 0.
            rows: How many records its table has.
        """
        self.setting = setting
        self.item = item
        self.record = record
        self.up = up
        self.index = index
        self.rows = rows
        self.part = 0
        self.as_read: WriteContext | None = None
        self.family_of: Family | None = None
        self.env: Env = up.env if up is not None and up.item is item else _env(item)

    def anew(self) -> WriteContext:
        """Return the context of the same record as if it had no source."""
        return WriteContext(self.setting, self.item, self.record, self.up, self.index, self.rows)

    def family(self) -> Family:
        """Return which objects of the item are parts of which others; found once per item."""
        context = self
        while context.up is not None and context.up.item is self.item:
            context = context.up
        if context.family_of is None:
            assert self.item is not None
            context.family_of = Family(self.item)
        return context.family_of


def _env(item: Item | None) -> Env:
    if item is None or item.image is None:
        return Env()
    return Env(item.image.width or 0, item.image.height or 0)


class WriteScope:
    """The names of expressions, resolved for contexts of a scope."""

    def __init__(self, scope: Scope) -> None:
        """Take the scope that gives names their meaning."""
        self.scope = scope
        self.asks_regions = False

    def value(self, name: str) -> Getter:
        """Return a function that gets the value of a name from a context. Raises UnknownNameError."""
        meaning = self.scope.meaning(name)
        if meaning is None:
            raise UnknownNameError(name)
        self.asks_regions = self.asks_regions or (self.scope.kind == "object" and meaning.name == "region")
        return getter(meaning, self.scope)

    def counts_zero(self, name: str) -> bool:
        """Return whether 0 is an ordinary value of this slot; see `NameScope.counts_zero`."""
        meaning = self.scope.meaning(name)
        return meaning is not None and meaning.counts_zero

    def table(self, name: str) -> tuple[Callable[[WriteContext], Iterable[WriteContext]], WriteScope] | None:
        """Return how to get the contexts of a table's rows, and the scope inside; None if the name is no table."""
        if name not in TABLES:
            return None
        select = records_of(name)
        inner = WriteScope(self.scope.inside(name))

        def contexts(context: WriteContext) -> Iterable[WriteContext]:
            rows = list(select(context))
            if inner.asks_regions:
                derive.fill_all(rows, *_size(context))
            return [
                WriteContext(context.setting, context.item, row, context, i, len(rows)) for i, row in enumerate(rows)
            ]

        return contexts, inner


def records_of(table: str) -> Callable[[WriteContext], Iterable[Any]]:
    """Return a function that gives the records of a table from a context."""
    if table == "children":
        return lambda context: context.family().children.get(context.record.id, ())
    if table == "categories":
        return lambda context: context.setting.categories.listed
    if table == "items":
        return lambda context: context.setting.counts.get("items", ()) if context.item is None else (context.item,)
    if table == "void":
        return lambda context: () if context.item is None or context.item.void is None else (context.item.void,)
    if table == "attributes":
        return lambda context: tuple(_attributes_of(context.record).items())
    if table == "areas":
        return lambda context: () if context.item is None else context.item.areas
    if table == "objects":
        return lambda context: (
            context.setting.counts.get("objects", ()) if context.item is None else context.item.objects
        )
    read = attrgetter(table)
    return lambda context: () if context.item is None else read(context.item)


def _attributes_of(record: Any) -> dict[str, Any]:
    return record.attributes if record is not None else {}


def getter(meaning: Meaning, scope: Scope) -> Getter:
    """Return a function that gets the value of a name from a context of `scope`; None means no value."""
    if meaning.where == "column":
        return _column(meaning)
    if meaning.where == "option":
        name = meaning.name
        return lambda context: context.setting.options.get(name)
    if meaning.where == "columns":
        return lambda context: context.setting.columns or None
    if meaning.where == "capture":
        return _capture(meaning.name)
    if meaning.where == "path":
        role = meaning.name
        return lambda context: None if (path := context.setting.paths.get(role)) is None else path(context)
    if meaning.where == "item" and scope.kind == "dataset":
        return _of_all_items(meaning.name)
    if meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
        return _of_item(meaning.name)
    if meaning.where == "outer":
        inner = _RECORD_GETTERS[_outer_kind(scope, meaning.outer)](meaning.name)
        steps = meaning.outer

        def climb(context: WriteContext) -> Any:
            for _ in range(steps):
                assert context.up is not None
                context = context.up
            return inner(context)

        return climb
    return _RECORD_GETTERS[scope.kind](meaning.name)


def _outer_kind(scope: Scope, steps: int) -> str:
    at: Scope | None = scope
    for _ in range(steps):
        at = at.outer if at is not None else None
    return at.kind if at is not None else scope.kind


def _capture(name: str) -> Getter:
    def get(context: WriteContext) -> Any:
        if context.item is not None and name in context.item.captures:
            return context.item.captures[name]
        return context.setting.captures.get(name)

    return get


def _column(meaning: Meaning) -> Getter:
    select = records_of(meaning.table)
    inner = _RECORD_GETTERS[TABLES[meaning.table]](meaning.name)

    def get(context: WriteContext) -> tuple[Any, ...]:
        rows = list(select(context))
        if not rows:
            return ()
        return tuple(
            inner(WriteContext(context.setting, context.item, row, context, i, len(rows))) for i, row in enumerate(rows)
        )

    return get


def _of_all_items(name: str) -> Getter:
    """Return a getter for documents that state a value for all items: a row's item if there is one, or all items."""
    get = _of_item(name)
    return lambda context: context.setting.values.get(name) if context.item is None else get(context)


def _of_item(name: str) -> Getter:
    if name == "subset":
        return lambda context: _subset(context.item)
    if name == "index":
        return lambda context: context.setting.index
    if name.startswith("image."):
        read = attrgetter(name)
        return lambda context: None if context.item is None or context.item.image is None else read(context.item)
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda context: None if context.item is None else context.item.attributes.get(key)
    if name.startswith("label."):
        inner = _of_label(name.removeprefix("label."))

        def get_label(context: WriteContext) -> Any:
            if isinstance(context.record, Label):
                return inner(context)
            if context.item is None or not context.item.labels:
                return None
            return inner(WriteContext(context.setting, context.item, context.item.labels[0], context))

        return get_label
    if name == "caption.text":
        return lambda context: (
            context.item.captions[0].text if context.item is not None and context.item.captions else None
        )
    if name == "area":
        return lambda context: (
            None if context.item is None or context.item.image is None or not context.item.image.width
            else context.item.image.width * (context.item.image.height or 0)
        )  # fmt: skip
    read = attrgetter(name)
    return lambda context: None if context.item is None else read(context.item)


def _attribute(name: str) -> Getter:
    """Return the getter of one attribute of a record, by the name of its slot."""
    key = name.removeprefix("attributes.")
    return lambda context: context.record.attributes.get(key)


def _of_category(name: str) -> Getter:
    if name.startswith("attributes."):
        return _attribute(name)
    if name == "parent":
        return lambda context: parent_of(context.record)
    if name == "index":
        return lambda context: context.record.index if context.record.index is not None else context.index
    return lambda context: getattr(context.record, name)


def parent_of(category: Category) -> str | None:
    """Return the stated parent, or else the next category on the path."""
    if category.parent is not None:
        return category.parent
    return category.path[1] if len(category.path) > 1 else None


def _category_of(name: str) -> Getter:
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda context: None if context.record.category is None else context.record.category.attributes.get(key)
    if name == "parent":
        return lambda context: None if (own := _own(context)) is None else parent_of(own)
    read = attrgetter(name)

    def get(context: WriteContext) -> Any:
        own = _own(context)
        return None if own is None else read(own)

    return get


def _own(context: WriteContext) -> Category | None:
    """Return the target's category for the category of a record."""
    category = context.record.category
    own: Category | None = None if category is None else context.setting.categories.own(category)
    return own


def _of_label(name: str) -> Getter:
    if name.startswith("category."):
        return _category_of(name.removeprefix("category."))
    if name.startswith("attributes."):
        return _attribute(name)
    if name == "index":
        return lambda context: context.index
    if name in ("area", "bbox"):
        read = attrgetter(f"region.{name}")
        return lambda context: read(context.record)
    return lambda context: getattr(context.record, name)


def _of_caption(name: str) -> Getter:
    if name == "id":
        return lambda context: None if "captions" in context.setting.renumbered else context.record.id
    return _of_label(name)


def _of_object(name: str) -> Getter:
    if name.startswith("category."):
        return _category_of(name.removeprefix("category."))
    if name.startswith("attributes."):
        return _attribute(name)
    if name.startswith("children"):
        return lambda context: tuple(child.id for child in context.family().children.get(context.record.id, ()))
    if name in _OBJECT:
        return _OBJECT[name]
    return lambda context: getattr(context.record, name)


def area_of(thing: Object, setting: WriteSetting) -> float | None:
    """Return the area of an object's shape as it is written, in square pixels; None if it has none."""
    return derive.box_area(thing) if setting.boxed else derive.area(thing, setting.closely)


def derived_of(name: str) -> bool:
    """Return whether an object's slot is computed from others."""
    return name in _OBJECT


def _subset(item: Item | None) -> Any:
    """Return an item's subset; if it has none, the one that the target uses for such items."""
    if item is None:
        return None
    return item.subsets[0] if item.subsets else item.captures.get("subset")


def _size(context: WriteContext) -> tuple[int | None, int | None]:
    return context.env.height or None, context.env.width or None


_OBJECT: dict[str, Getter] = {
    "id": lambda context: None if "objects" in context.setting.renumbered else context.record.id,
    "index": lambda context: context.index,
    "rank": lambda context: (context.index + 1, context.rows),
    "number": lambda context: context.setting.number(context),
    "depth": lambda context: context.family().depth(context.record),
    "level": lambda context: (
        context.family().depth(context.record) if context.record.level is None else context.record.level
    ),
    "bbox": lambda context: box_of(context.record, context.setting.unheld),
    "circle": lambda context: derive.circle(context.record),
    "ellipse": lambda context: derive.ellipse(context.record),
    "rotated": lambda context: (
        None if box_of(context.record, context.setting.unheld) is None else derive.rotated(context.record)
    ),
    "polygons": lambda context: derive.polygons(context.record, context.setting.apart),
    "polygon": lambda context: derive.polygon(context.record, context.setting.apart),
    "region": lambda context: derive.region(context.record, *_size(context)),
    "area": lambda context: area_of(context.record, context.setting),
    "extent": lambda context: derive.surround(context.record) or context.record.bbox,
    "labelled": lambda context: derive.labelled(context.record),
    "touches_border": lambda context: derive.touches_border(context.record, *_size(context)),
    "geometry": lambda context: tuple(name for name in held_slots.GEOMETRY if states(context.record, name)),
}


def _of_attribute(name: str) -> Getter:
    position = 0 if name == "key" else 1
    return lambda context: context.record[position]


_RECORD_GETTERS: dict[str, Callable[[str], Getter]] = {
    "object": _of_object,
    "category": _of_category,
    "label": _of_label,
    "area": _of_label,
    "caption": _of_caption,
    "void": lambda name: lambda context: context.record,
    "attribute": _of_attribute,
    "item": _of_item,
    "dataset": lambda name: lambda context: context.setting.subsets if name == "subsets" else None,
}


GEOMETRY = (*held_slots.GEOMETRY, "polygon")
"""The slots of an object's geometry."""


def states(record: Any, name: str) -> bool:
    """Return whether a slot of an object holds a value of its own, not one derived from others."""
    if isinstance(record, Object) and name in GEOMETRY:
        value = getattr(record, "polygons" if name == "polygon" else name)
        return value is not None and value != ()
    return True
