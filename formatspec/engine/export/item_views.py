"""Items as parts of an export see them: one label alone, objects as a label image shows them, names in paths."""

from __future__ import annotations

from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.spec.compiled import Role
from formatspec.model.records import Item, Label, Object, Origin


def of_one_label(item: Item, label: Label) -> Item:
    """An item with one of its labels only, for a file of that label's category."""
    origin = None
    if item.origin is not None and item.origin.as_read is not None and label.origin is not None:
        origin = Origin(label.origin.rows)
        origin.as_read = msgspec.structs.replace(item.origin.as_read, labels=(label.origin.as_read,))
    return msgspec.structs.replace(item, labels=(label,), origin=origin)


def as_seen(item: Item, setting: WriteSetting) -> tuple[Item, list[tuple[Object, Object]]]:
    """An item with those objects that the label image shows, each with its pixels there; and which became which."""
    lost = setting.rows.setdefault("lost", [])
    twins = []
    for thing in item.objects:
        seen = setting.seen.get(id(thing))
        if seen is None:
            lost.append(("objects", thing, "no region"))
        elif seen.region is None:
            twins.append((thing, thing))
        elif seen.pixels:
            shown = msgspec.structs.replace(thing, region=seen.region, bbox=None)
            twins.append((thing, shown))
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


def _named_slot(slot: str, context: WriteContext) -> Any:
    if slot == "depth":
        return context.family().depth(context.record)
    head, _, rest = slot.partition(".")
    if head != "category":
        return getattr(context.record, slot, None)
    category = context.record.category
    return None if category is None else getattr(context.setting.categories.own(category), rest)
