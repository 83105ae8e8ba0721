"""Items as parts of an export see them: one label alone, objects as a label image shows them, names in paths."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.resolve.held_slots import BITS, record_mark
from formatspec.engine.spec.compiled import Format, Role
from formatspec.model import derive
from formatspec.model.records import Area, Caption, Category, Item, Label, Object, Origin


def of_one_label(item: Item, label: Label) -> Item:
    """An item with one of its labels only, for a file of that label's category."""
    origin = None
    if item.origin is not None and item.origin.as_read is not None and label.origin is not None:
        origin = Origin(label.origin.rows)
        origin.as_read = msgspec.structs.replace(item.origin.as_read, labels=(label.origin.as_read,))
    return msgspec.structs.replace(item, labels=(label,), origin=origin)


def categories_of(things: Iterable[Object]) -> list[Category]:
    """The categories of some objects, each once."""
    found: list[Category] = []
    for thing in things:
        if thing.category is not None and thing.category not in found:
            found.append(thing.category)
    return found


def hold_category(things: Iterable[Object], held: dict[Hashable, int]) -> None:
    """Note of objects that the path of a file says their category, where that file holds them or is to."""
    for thing in things:
        held[record_mark(thing)] = held.get(record_mark(thing), 0) | BITS["category"]


def of_one_category(item: Item, category: Category) -> Item:
    """An item with the objects of one category only, for a file of that category's objects."""
    things = tuple(thing for thing in item.objects if thing.category == category)
    return msgspec.structs.replace(item, objects=things, labels=())


def of_one_subset(item: Item, subset: str, subset_of: Mapping[str, str]) -> Item:
    """An item with those of its records that documents of one of its subsets told of, where several tell of it.

    subset_of: the subset of each document that tells of one.  Records that no such document told are of all subsets.
    """

    def belongs(record: Object | Label | Caption) -> bool:
        told = None if record.origin is None else subset_of.get(record.origin.file)
        return told is None or told == subset or told not in item.subsets

    if subset not in item.subsets:
        return item
    return msgspec.structs.replace(
        item,
        objects=tuple(one for one in item.objects if belongs(one)),
        labels=tuple(one for one in item.labels if belongs(one)),
        captions=tuple(one for one in item.captions if belongs(one)),
    )


def as_seen(item: Item, setting: WriteSetting) -> tuple[Item, list[tuple[Object, Object]]]:
    """An item with those objects that the label image shows, each with its pixels there; and which became which.

    The area and the box of an object are those of its pixels.
    """
    lost = setting.rows.setdefault("lost", [])
    height, width = (None, None) if item.image is None else (item.image.height, item.image.width)
    twins = []
    for thing in item.objects:
        seen = setting.seen.get(id(thing))
        if seen is None:
            lost.append(("objects", thing, "no region"))
        elif seen.find is None or seen.pixels:
            region = derive.region(thing, height, width) if seen.find is None else seen.find()
            twins.append((thing, msgspec.structs.replace(thing, region=region, bbox=None)))
    return msgspec.structs.replace(item, objects=tuple(shown for _, shown in twins)), twins


def is_named(role: Role, context: WriteContext) -> bool:
    """Whether a record has all that the path of its file names."""
    return None not in record_names(role, context).values()


def record_names(role: Role, context: WriteContext) -> dict[str, Any]:
    """The names of an object that the path of its role's file spells."""
    names = {}
    for name in role.captures:
        if name.startswith("object.") and isinstance(context.record, Object):
            names[name] = _named_slot(name.removeprefix("object."), context)
    return names


def _place_of(thing: Object, item: Item | None, of_category: bool) -> int | None:
    """The place of an object among those of its item, or among those of its category there."""
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
    """The names of the categories that records of an item have."""
    records: tuple[Object | Label | Area, ...] = (*item.objects, *item.labels, *item.areas)
    for record in records:
        if record.category is not None:
            yield spoken(record.category)


PathOf = Callable[[WriteContext], str | None]
"""Gives the path by which a file names another one."""


def path_from(role: Role, item: Item) -> PathOf:
    """How a path inside a file names a file of `role`: as seen from its base or the file's own folder."""

    def path(context: WriteContext) -> str | None:
        names = {**item.captures, **record_names(role, context)}
        try:
            target = item.captures.get(f"path.{role.name}") or role.template.render(names)
            folder = context.setting.folder if role.base is None else role.base.render(names)
        except (KeyError, ValueError):
            return None
        return posixpath.relpath(target, folder or ".")

    return path


def paths_as_read(target: Format, item: Item) -> dict[str, PathOf]:
    """How paths inside files named those of an item's files that lay elsewhere than the layout says.

    item: the item as it was read.
    """
    return {role.name: path_from(role, item) for role in target.roles.values() if f"path.{role.name}" in item.captures}


def own_path(role: Role, item: Item) -> str | None:
    """Where an item's file lay, if a row named it there and the item has the names that it had; else None."""
    then = item.origin.as_read if item.origin is not None else None
    if then is None or f"path.{role.name}" not in then.captures or _names(then.captures) != _names(item.captures):
        return None
    return str(then.captures[f"path.{role.name}"])


def _names(captures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in captures.items() if not name.startswith("path.")}
