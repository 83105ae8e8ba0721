"""Items as parts of an export see them: one label alone, objects as a label image shows them."""

from __future__ import annotations

import msgspec

from formatspec.engine.evaluate.write_context import WriteSetting
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
