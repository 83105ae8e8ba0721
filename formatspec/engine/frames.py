"""What a leaf sees when writing: the innermost record, its item, what surrounds them; and how it gets values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any

from formatspec.codecs.registry import Env
from formatspec.engine import held
from formatspec.engine.scope import Meaning, Scope
from formatspec.language.expression import UnknownName
from formatspec.model import derive
from formatspec.model.derive import Family
from formatspec.model.records import Category, Item, Label, Object
from formatspec.model.slots import TABLES

Getter = Callable[["Frame"], Any]


class AsTheyAre:
    """Categories where there is no target's table: each is its own."""

    listed = ()

    def own(self, category: Category) -> Category:
        return category


class Setting:
    """What is the same for all records of one item, or of one shared file.

    captures: names for paths; file: the shared file that rows are written for; categories: the target's, if
    there is one; paths: how a role's path is rendered for a frame;
    apart: whether the target holds regions and polygons side by side, so that neither stands in for the other.
    """

    __slots__ = (
        "apart",
        "captures",
        "categories",
        "columns",
        "counts",
        "file",
        "folder",
        "held",
        "index",
        "options",
        "paths",
        "renumbered",
        "rows",
        "subsets",
    )

    def __init__(self, captures: dict[str, Any], categories: Any, options: dict[str, Any]) -> None:
        self.captures = captures
        self.categories = AsTheyAre() if categories is None else categories
        self.options = options
        self.paths: dict[str, Callable[[Frame], str | None]] = {}
        self.folder = ""
        self.file = ""
        self.renumbered = False
        self.apart = False
        self.index = 0
        self.held: dict[Hashable, int] = {}
        self.rows: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self.subsets: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()


class Frame:
    """One record in its surroundings.  `then` is the same as it was read, None where there is no source."""

    __slots__ = ("env", "family_of", "index", "item", "record", "rows", "setting", "then", "up")

    def __init__(
        self,
        setting: Setting,
        item: Item | None,
        record: Any,
        up: Frame | None = None,
        index: int = 0,
        rows: int = 0,
    ) -> None:
        self.setting = setting
        self.item = item
        self.record = record
        self.up = up
        self.index = index
        self.rows = rows
        self.then: Frame | None = None
        self.family_of: Family | None = None
        self.env: Env = up.env if up is not None and up.item is item else _env(item)

    def family(self) -> Family:
        """Who is whose part, found once per item."""
        frame = self
        while frame.up is not None and frame.up.item is self.item:
            frame = frame.up
        if frame.family_of is None:
            assert self.item is not None
            frame.family_of = Family(self.item)
        return frame.family_of


def _env(item: Item | None) -> Env:
    if item is None or item.image is None:
        return Env()
    return Env(item.image.width or 0, item.image.height or 0)


class WriteScope:
    """The names of expressions, resolved for frames of a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def value(self, name: str) -> Getter:
        meaning = self.scope.meaning(name)
        if meaning is None:
            raise UnknownName(name)
        return getter(meaning, self.scope)

    def counts_zero(self, name: str) -> bool:
        meaning = self.scope.meaning(name)
        return meaning is not None and meaning.counts_zero

    def table(self, name: str) -> tuple[Callable[[Frame], Iterable[Frame]], WriteScope] | None:
        if name not in TABLES:
            return None
        select = records_of(name)
        inner = self.scope.inside(name)

        def frames(frame: Frame) -> Iterable[Frame]:
            rows = list(select(frame))
            return [Frame(frame.setting, frame.item, row, frame, i, len(rows)) for i, row in enumerate(rows)]

        return frames, WriteScope(inner)


def records_of(table: str) -> Callable[[Frame], Iterable[Any]]:
    """The records of a table, seen from a frame."""
    if table == "children":
        return lambda frame: frame.family().children.get(frame.record.id, ())
    if table == "categories":
        return lambda frame: frame.setting.categories.listed
    if table == "items":
        return lambda frame: frame.setting.rows.get("items", ()) if frame.item is None else (frame.item,)
    if table == "void":
        return lambda frame: () if frame.item is None or frame.item.void is None else (frame.item.void,)
    if table == "attributes":
        return lambda frame: tuple(_attributes_of(frame.record).items())
    if table == "areas":
        return lambda frame: () if frame.item is None else frame.item.areas
    if table == "objects":
        return lambda frame: frame.setting.rows.get("objects", ()) if frame.item is None else frame.item.objects
    read = attrgetter(table)
    return lambda frame: () if frame.item is None else read(frame.item)


def _attributes_of(record: Any) -> dict[str, Any]:
    return record.attributes if record is not None else {}


def getter(meaning: Meaning, scope: Scope) -> Getter:
    """How the value of a name is found from a frame of `scope`; None is no value."""
    if meaning.where == "column":
        return _column(meaning)
    if meaning.where == "option":
        name = meaning.name
        return lambda frame: frame.setting.options.get(name)
    if meaning.where == "columns":
        return lambda frame: frame.setting.columns or None
    if meaning.where == "capture":
        return _capture(meaning.name)
    if meaning.where == "path":
        role = meaning.name
        return lambda frame: frame.setting.paths[role](frame) if role in frame.setting.paths else None
    if meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
        return _of_item(meaning.name)
    if meaning.where == "outer":
        inner = _RECORD_GETTERS[_outer_kind(scope, meaning.outer)](meaning.name)
        steps = meaning.outer

        def climb(frame: Frame) -> Any:
            for _ in range(steps):
                assert frame.up is not None
                frame = frame.up
            return inner(frame)

        return climb
    return _RECORD_GETTERS[scope.kind](meaning.name)


def _outer_kind(scope: Scope, steps: int) -> str:
    at: Scope | None = scope
    for _ in range(steps):
        at = at.outer if at is not None else None
    return at.kind if at is not None else scope.kind


def _capture(name: str) -> Getter:
    def get(frame: Frame) -> Any:
        if frame.item is not None and name in frame.item.captures:
            return frame.item.captures[name]
        return frame.setting.captures.get(name)

    return get


def _column(meaning: Meaning) -> Getter:
    select = records_of(meaning.table)
    inner = _RECORD_GETTERS[TABLES[meaning.table]](meaning.name)

    def get(frame: Frame) -> tuple[Any, ...]:
        rows = list(select(frame))
        if not rows:
            return ()
        return tuple(inner(Frame(frame.setting, frame.item, row, frame, i, len(rows))) for i, row in enumerate(rows))

    return get


def _of_item(name: str) -> Getter:
    if name == "subset":
        return lambda frame: _subset(frame.item)
    if name == "index":
        return lambda frame: frame.setting.index
    if name.startswith("image."):
        read = attrgetter(name)
        return lambda frame: None if frame.item is None or frame.item.image is None else read(frame.item)
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda frame: None if frame.item is None else frame.item.attributes.get(key)
    if name.startswith("label."):
        inner = _of_label(name.removeprefix("label."))

        def get_label(frame: Frame) -> Any:
            if isinstance(frame.record, Label):
                return inner(frame)
            if frame.item is None or not frame.item.labels:
                return None
            return inner(Frame(frame.setting, frame.item, frame.item.labels[0], frame))

        return get_label
    if name == "caption.text":
        return lambda frame: frame.item.captions[0].text if frame.item is not None and frame.item.captions else None
    if name == "area":
        return lambda frame: (
            None if frame.item is None or frame.item.image is None or not frame.item.image.width
            else frame.item.image.width * (frame.item.image.height or 0)
        )  # fmt: skip
    read = attrgetter(name)
    return lambda frame: None if frame.item is None else read(frame.item)


def _of_category(name: str) -> Getter:
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda frame: frame.record.attributes.get(key)
    if name == "parent":
        return lambda frame: parent_of(frame.record)
    if name == "index":
        return lambda frame: frame.record.index if frame.record.index is not None else frame.index
    return lambda frame: getattr(frame.record, name)


def parent_of(category: Category) -> str | None:
    """The stated parent, else the next on the path."""
    if category.parent is not None:
        return category.parent
    return category.path[1] if len(category.path) > 1 else None


def _category_of(name: str) -> Getter:
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda frame: None if frame.record.category is None else frame.record.category.attributes.get(key)
    if name == "parent":
        return lambda frame: None if (own := _own(frame)) is None else parent_of(own)
    read = attrgetter(name)

    def get(frame: Frame) -> Any:
        own = _own(frame)
        return None if own is None else read(own)

    return get


def _own(frame: Frame) -> Category | None:
    """The target's category for a record's own."""
    category = frame.record.category
    own: Category | None = None if category is None else frame.setting.categories.own(category)
    return own


def _of_label(name: str) -> Getter:
    if name.startswith("category."):
        return _category_of(name.removeprefix("category."))
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda frame: frame.record.attributes.get(key)
    if name == "index":
        return lambda frame: frame.index
    if name in ("area", "bbox"):
        read = attrgetter(f"region.{name}")
        return lambda frame: read(frame.record)
    return lambda frame: getattr(frame.record, name)


def _of_object(name: str) -> Getter:
    if name.startswith("category."):
        return _category_of(name.removeprefix("category."))
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return lambda frame: frame.record.attributes.get(key)
    if name.startswith("children"):
        return lambda frame: tuple(child.id for child in frame.family().children.get(frame.record.id, ()))
    if name in _OBJECT:
        return _OBJECT[name]
    return lambda frame: getattr(frame.record, name)


def derived_of(name: str) -> bool:
    """Whether an object's slot is found some other way than by looking at it."""
    return name in _OBJECT


def _subset(item: Item | None) -> Any:
    """An item's subset; where it has none, the one under which the target puts it."""
    if item is None:
        return None
    return item.subsets[0] if item.subsets else item.captures.get("subset")


def _size(frame: Frame) -> tuple[int | None, int | None]:
    return frame.env.height or None, frame.env.width or None


_OBJECT: dict[str, Getter] = {
    "id": lambda frame: None if frame.setting.renumbered else frame.record.id,
    "index": lambda frame: frame.index,
    "rank": lambda frame: (frame.index + 1, frame.rows),
    "number": lambda frame: frame.setting.counts.get(f"{frame.index}", frame.index),
    "depth": lambda frame: frame.family().depth(frame.record),
    "bbox": lambda frame: derive.bbox(frame.record),
    "rotated": lambda frame: derive.rotated(frame.record),
    "polygons": lambda frame: derive.polygons(frame.record, frame.setting.apart),
    "polygon": lambda frame: derive.polygon(frame.record, frame.setting.apart),
    "region": lambda frame: derive.region(frame.record, *_size(frame)),
    "area": lambda frame: derive.area(frame.record),
    "labelled": lambda frame: derive.labelled(frame.record),
    "touches_border": lambda frame: derive.touches_border(frame.record, *_size(frame)),
    "geometry": lambda frame: tuple(name for name in held.GEOMETRY if stated(frame.record, name)),
}


def _of_void(name: str) -> Getter:
    return lambda frame: frame.record


def _of_attribute(name: str) -> Getter:
    position = 0 if name == "key" else 1
    return lambda frame: frame.record[position]


_RECORD_GETTERS: dict[str, Callable[[str], Getter]] = {
    "object": _of_object,
    "category": _of_category,
    "label": _of_label,
    "area": _of_label,
    "caption": _of_label,
    "void": _of_void,
    "attribute": _of_attribute,
    "item": _of_item,
    "dataset": lambda name: lambda frame: frame.setting.subsets if name == "subsets" else None,
}


GEOMETRY = (*held.GEOMETRY, "polygon")
"""The slots of an object that say where it is."""


def stated(record: Any, name: str) -> bool:
    """Whether a slot of an object holds a value of its own, not one derived from others."""
    if isinstance(record, Object) and name in GEOMETRY:
        value = getattr(record, "polygons" if name == "polygon" else name)
        return value is not None and value != ()
    return True
