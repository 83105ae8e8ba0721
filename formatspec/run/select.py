"""Which items and objects go over, and under which names: `--where` and `--labels`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext, WriteScope, WriteSetting
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format
from formatspec.language import expression
from formatspec.language.errors import Problem, SpecError, suggest
from formatspec.language.expression import ExpressionError, ExpressionSyntaxError, UnknownNameError
from formatspec.model.records import Category, Item
from formatspec.model.slots import SLOTS

Select = Callable[[Item], Item | None]
Choose = Callable[[Item, int], Item | None]
"""Takes an item and its number."""


class ItemCondition:
    """Keeps the items for which an expression holds; if it is about objects, keeps those objects."""

    def __init__(self, text: str, form: Format) -> None:
        """Raises SpecError where the expression cannot be."""
        self.text, self.form = text, form
        self._select = _compiled(text, form)

    def __call__(self, item: Item) -> Item | None:
        return self._select(item, 0)

    def at(self, item: Item, index: int) -> Item | None:
        """Likewise, of an item that has a number among all."""
        return self._select(item, index)

    def __reduce__(self) -> tuple[Any, ...]:
        return ItemCondition, (self.text, self.form)


def _compiled(text: str, form: Format) -> Choose:
    try:
        parsed = expression.parse(text)
    except ExpressionSyntaxError as error:
        raise SpecError((Problem(f"--where {text!r}: {error}", None),)) from None
    scope = Scope("item", "", dict.fromkeys(form.key_names), options=form.options)
    objects = scope.inside("objects")
    try:
        return _items(expression.compile_condition(parsed, WriteScope(scope)), form)
    except UnknownNameError:
        pass
    try:
        return _objects(expression.compile_condition(parsed, WriteScope(objects)), form)
    except UnknownNameError as error:
        known = [*SLOTS["item"], *SLOTS["object"], *form.key_names]
        raise SpecError(
            (Problem(f"--where: {error.name!r} is no slot", None, hint=suggest(error.name, known)),)
        ) from None


def _items(holds: Callable[[Any], object], form: Format) -> Choose:
    def select(item: Item, index: int) -> Item | None:
        context = WriteContext(WriteSetting(item.captures, None, dict(form.options)), item, item)
        context.setting.index = index
        try:
            return item if holds(context) else None
        except ExpressionError:
            return None

    return select


def _objects(holds: Callable[[Any], object], form: Format) -> Choose:
    def select(item: Item, index: int) -> Item:
        setting = WriteSetting(item.captures, None, dict(form.options))
        setting.index = index
        root = WriteContext(setting, item, item)

        def fits(index: int) -> bool:
            try:
                return bool(holds(WriteContext(setting, item, item.objects[index], root, index, len(item.objects))))
            except ExpressionError:
                return False

        kept = tuple(thing for index, thing in enumerate(item.objects) if fits(index))
        return item if len(kept) == len(item.objects) else msgspec.structs.replace(item, objects=kept)

    return select


class Labels:
    """A map of category names: renamed, merged where two become one, dropped where the new name is null."""

    def __init__(self, names: Mapping[str, str | None]) -> None:
        self.names = dict(names)
        self._made: dict[int, tuple[Category, Category | None]] = {}
        self._first: dict[str, Category] = {}

    def category(self, category: Category) -> Category | None:
        """What a category becomes; None if it is dropped."""
        known = self._made.get(id(category))
        if known is None:
            own = spoken(category)
            name = self.names.get(own, own)
            made = category
            if name is None:
                known = self._made[id(category)] = (category, None)
                return None
            if name != own:
                made = self._first.setdefault(name, msgspec.structs.replace(category, name=name))
            else:
                made = self._first.setdefault(name, category)
            known = self._made[id(category)] = (category, made)
        return known[1]

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """The table with the new names, each once."""
        made = (self.category(category) for category in listed)
        return tuple({spoken(one): one for one in made if one is not None}.values())

    def item(self, item: Item) -> Item:
        """An item with the new names."""
        return msgspec.structs.replace(
            item,
            objects=tuple(self._renamed(item.objects)),
            labels=tuple(self._renamed(item.labels)),
            areas=tuple(self._renamed(item.areas)),
        )

    def _renamed(self, records: Any) -> Any:
        for record in records:
            if record.category is None:
                yield record
                continue
            own = self.category(record.category)
            if own is not None:
                yield record if own is record.category else msgspec.structs.replace(record, category=own)
