"""Compares kept fields with the values that would be made for them: a value that is made again is no loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Raw, json

from formatspec.engine.base.faults import Record
from formatspec.engine.base.kept_fields import KEPT, forget_kept
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.read.categories import category_of
from formatspec.engine.read.generate_mapping import COUNTS
from formatspec.engine.read.item_state import ItemState, Restated, RestatingLeaf, whole_of
from formatspec.engine.resolve.codec_chain import spell
from formatspec.language import expression
from formatspec.model.plain.same_value import same_value
from formatspec.model.records import Item, Object


def forget_restated(item: Item, state: ItemState, options: Mapping[str, Any]) -> None:
    """Take back the notes of kept fields that hold just what would be made for them.

    Args:
        item: The item as it was read.
        state: What it was made of.
        options: The options of the spec.
    """
    setting = WriteSetting(item.captures, None, dict(options))
    setting.paths = {"image": lambda context: None if context.item is None or context.item.image is None
                     else context.item.image.path}  # fmt: skip
    root = context = WriteContext(setting, item, item)
    places: dict[int, int] = {}
    for one in state.restated:
        holder = whole_of(one.record)
        if holder is state.item:
            if is_made_again(one, root):
                state.item[KEPT] = forget_kept(state.item[KEPT], one.leaf.key)
            continue
        thing: Any = holder.get("$object")
        if thing is None:
            continue  # the row was rejected
        places = places or {id(made): place for table in _tables(item) for place, made in enumerate(table)}
        if context.record is not thing:
            context = WriteContext(setting, item, thing, root, places.get(id(thing), 0), len(item.objects))
        if is_made_again(one, context):
            thing.origin.kept = forget_kept(thing.origin.kept, one.leaf.key)
            state.kept -= isinstance(thing, Object)


def forget_restated_of_file(record: Record, state: ItemState, setting: WriteSetting) -> None:
    """Take back such notes of a shared document, and of the categories that it lists.

    Args:
        record: What the document itself says.
        state: What was read of it.
        setting: What is known of the document.
    """
    context = WriteContext(setting, None, None)
    for one in state.restated:
        holder = whole_of(one.record)
        if holder is record:
            told = context
        elif one.leaf.scope.kind == "category":
            told = WriteContext(setting, None, category_of(holder), context)
        else:
            continue
        if is_made_again(one, told):
            holder[KEPT] = forget_kept(holder[KEPT], one.leaf.key)


def _tables(item: Item) -> Iterator[Iterable[object]]:
    yield from (item.objects, item.labels, item.captions, item.areas)


def is_made_again(one: Restated, context: WriteContext) -> bool:
    """Return whether an expression makes the value of a kept field.

    A number that counts rows may count those of the item, or those of the document.
    """
    leaf, value = one.leaf, json.decode(one.value) if type(one.value) is Raw else one.value
    made = leaf.made = leaf.made or compiled(leaf.default, leaf.scope, leaf.spec_place)
    if _is_same(made(context), value, leaf):
        return True
    if COUNTS.isdisjoint(expression.names(leaf.default)):
        return False
    if one.place is None:
        return True  # only a document with others would tell the number
    setting, before = context.setting, (context.index, context.setting.index)
    context.index = setting.index = one.place
    try:
        return _is_same(made(context), value, leaf)
    finally:
        context.index, setting.index = before


def _is_same(made: Any, value: Any, leaf: RestatingLeaf) -> bool:
    """Return whether a made value is written as a stated one is."""
    if made is None:
        return False
    if leaf.scope.textual:
        return bool(spell(made) == value)
    return same_value(list(made) if isinstance(made, tuple) else made, value)
