"""Views of items that the writers need: a part of an item's records, or its objects as a label image shows them."""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import PathOf, WriteContext, WriteSetting
from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.resolve.held_slots import BITS, record_mark
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.model import derive
from formatspec.model.records import Area, Caption, Category, Item, Label, Object, Origin
from formatspec.paths.names import relative_path


def of_one_label(item: Item, label: Label) -> Item:
    """Return the item with only one of its labels, for a file of that label's category."""
    origin = None
    if item.origin is not None and item.origin.as_read is not None and label.origin is not None:
        origin = Origin(label.origin.rows)
        origin.as_read = msgspec.structs.replace(item.origin.as_read, labels=(label.origin.as_read,))
    return msgspec.structs.replace(item, labels=(label,), origin=origin)


def categories_of(things: Iterable[Object]) -> list[Category]:
    """Return the categories of some objects, each once."""
    found: list[Category] = []
    for thing in things:
        if thing.category is not None and thing.category not in found:
            found.append(thing.category)
    return found


def hold_category(things: Iterable[Object], held: dict[Hashable, int]) -> None:
    """Note that the file path of these objects states their category, so that the category does not count as lost."""
    for thing in things:
        held[record_mark(thing)] = held.get(record_mark(thing), 0) | BITS["category"]


def of_one_category(item: Item, category: Category) -> Item:
    """Return the item with only the objects of one category, for a file of that category's objects."""
    things = tuple(thing for thing in item.objects if thing.category == category)
    return msgspec.structs.replace(item, objects=things, labels=())


def parts_by_category(item: Item, setting: WriteSetting, of_objects: bool) -> Iterator[tuple[Item, dict[str, Any]]]:
    """Yield a part of an item for each of its categories, with the names that the category gives to a file's path.

    Args:
        item: The item.
        setting: What is the same for all its records; takes notes of objects without a category.
        of_objects: Whether such files hold objects, beside labels.
    """
    for label in item.labels:
        if label.category is not None:
            yield of_one_label(item, label), _category_names(label.category)
    if of_objects:
        unnamed = (thing for thing in item.objects if thing.category is None)
        setting.lost.extend(LostRow("objects", thing, "no category") for thing in unnamed)
        for category in categories_of(item.objects):
            yield of_one_category(item, category), _category_names(setting.categories.own(category))
        hold_category(item.objects, setting.held)


def _category_names(category: Category) -> dict[str, Any]:
    return {f"category.{slot}": getattr(category, slot) for slot in ("id", "name", "index")}


def of_one_subset(item: Item, subset: str, subset_of: Mapping[str, str]) -> Item:
    """Return the item with only the records that belong to one of its subsets.

    Several documents, each of another subset, may list one image. A record belongs to the subset of the document that
    it was read from. A record that no such document listed belongs to all subsets.

    Args:
        item: The item.
        subset: The subset.
        subset_of: The subset of each such document, by its path.
    """

    def belongs(record: Object | Label | Caption | Area) -> bool:
        told = None if record.origin is None else subset_of.get(record.origin.file)
        return told is None or told == subset or told not in item.subsets

    if subset not in item.subsets:
        return item
    return msgspec.structs.replace(
        item,
        objects=tuple(one for one in item.objects if belongs(one)),
        labels=tuple(one for one in item.labels if belongs(one)),
        captions=tuple(one for one in item.captions if belongs(one)),
        areas=tuple(one for one in item.areas if belongs(one)),
    )


def as_seen(item: Item, setting: WriteSetting) -> tuple[Item, list[tuple[Object, Object]]]:
    """Return the item with only the objects that a label image shows, and each object beside its new version.

    The new version has the pixels that are visible in the label image. Its area and its box follow from these.
    """
    lost = setting.lost
    height, width = (None, None) if item.image is None else (item.image.height, item.image.width)
    twins = []
    for thing in item.objects:
        seen = setting.seen.get(id(thing))
        if seen is None:
            lost.append(LostRow("objects", thing, "no region"))
        elif seen.find is None or seen.pixels:
            region = derive.region(thing, height, width) if seen.find is None else seen.find()
            twins.append((thing, msgspec.structs.replace(thing, region=region, bbox=None)))
    return msgspec.structs.replace(item, objects=tuple(shown for _, shown in twins)), twins


def is_named(role: Role, context: WriteContext) -> bool:
    """Return whether a record has a value for every name in the path of its file."""
    return None not in record_names(role, context).values()


def record_names(role: Role, context: WriteContext) -> dict[str, Any]:
    """Return the names in the path of a role's file that follow from the object, such as `object.id`."""
    names = {}
    for name in role.captures:
        if name.startswith("object.") and isinstance(context.record, Object):
            names[name] = _named_slot(name.removeprefix("object."), context)
    return names


def _place_of(thing: Object, item: Item | None, of_category: bool) -> int | None:
    """Return the index of an object in its item, or among the item's objects of the same category."""
    before = () if item is None else item.objects
    alike = [one for one in before if not of_category or one.category == thing.category]
    return next((place for place, one in enumerate(alike) if one is thing), None)


def _named_slot(slot: str, context: WriteContext) -> Any:
    if slot == "depth":
        return context.family().depth(context.record)
    if slot in ("number", "index"):
        return _place_of(context.record, context.item, slot == "number")
    head, _, rest = slot.partition(".")
    if head != "category":
        return getattr(context.record, slot, None)
    category = context.record.category
    return None if category is None else getattr(context.setting.categories.own(category), rest)


def category_names(item: Item) -> Iterator[str]:
    """Yield the name of each category that the item's objects, labels and areas have."""
    records: tuple[Object | Label | Area, ...] = (*item.objects, *item.labels, *item.areas)
    for record in records:
        if record.category is not None:
            yield spoken(record.category)


def names_of(things: Iterable[Object]) -> Iterator[str]:
    """Yield the names of the categories that objects have."""
    return (spoken(thing.category) for thing in things if thing.category is not None)


class ItemPaths:
    """The paths of an item's files as other files write them; see `path_from`."""

    __slots__ = ("item", "roles")

    def __init__(self, roles: Mapping[str, Role], item: Item) -> None:
        """Take the roles of the target, and the item as the target names it."""
        self.roles = roles
        self.item = item

    def get(self, role: str, /) -> PathOf | None:
        """Return what renders the path of a role's file; None if there is no such role."""
        found = self.roles.get(role)
        return None if found is None else path_from(found, self.item)


def path_from(role: Role, item: Item) -> PathOf:
    """Return a function that gives the path of a role's file as other files write it.

    The path is relative to the role's `base`, or to the folder of the file that contains the path.
    """

    def path(context: WriteContext) -> str | None:
        names = {**item.captures, **record_names(role, context)}
        if role.name == IMAGE and "ext" not in names and item.image is not None:
            names["ext"] = posixpath.splitext(item.image.path)[1].removeprefix(".") or None  # the image is not there
        try:
            target = item.captures.get(f"path.{role.name}") or role.template.render(names)
            folder = context.setting.folder if role.base is None else role.base.render(names)
        except (KeyError, ValueError):
            return None
        return relative_path(target, folder)

    return path


def paths_as_read(target: Format, item: Item, then: Item) -> dict[str, PathOf]:
    """Return the paths of those files that lay elsewhere than the layout says, as functions by role.

    Args:
        target: The layout that is written.
        item: The item.
        then: The item as it was read. The path of its image is empty if a document stated another one.
    """
    found = {role.name: path_from(role, then) for role in target.roles.values() if f"path.{role.name}" in then.captures}
    if item.image is not None and item.image.path and then.image is not None and not then.image.path:
        found[IMAGE] = lambda context: None
    return found


def own_path(role: Role, item: Item) -> str | None:
    """Return the path that a source row gave for an item's file, if the item still has the names that it had then."""
    then = item.origin.as_read if item.origin is not None else None
    if then is None or f"path.{role.name}" not in then.captures or _names(then.captures) != _names(item.captures):
        return None
    return str(then.captures[f"path.{role.name}"])


def _names(captures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in captures.items() if not name.startswith("path.")}
