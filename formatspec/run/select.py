"""Selects items and objects by `--where`, and renames categories by `--labels`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext, WriteScope, WriteSetting
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format
from formatspec.language import expression
from formatspec.language.errors import Problem, SpecError, nearest, suggest
from formatspec.language.expression import ExpressionError, ExpressionSyntaxError, UnknownNameError
from formatspec.model.records import Area, Category, Item, Object
from formatspec.model.slots import SLOTS

Choose = Callable[[Item, int], Item | None]
"""Takes an item and its number; gives it, changed or not, or None."""


class ItemCondition:
    """Keeps the items for which an expression holds; an expression about objects keeps those objects."""

    def __init__(self, text: str, form: Format) -> None:
        """Compile the expression. Raises SpecError if it is invalid."""
        self.text, self.form = text, form
        self._select = _compiled(text, form)

    def __call__(self, item: Item) -> Item | None:
        """Return the item, perhaps with fewer objects; None if nothing of it is kept."""
        return self._select(item, 0)

    def at(self, item: Item, index: int) -> Item | None:
        """Return the same for an item with a number."""
        return self._select(item, index)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text of the expression, which is compiled again."""
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


def categories_taken(select: object, listed: tuple[Category, ...]) -> tuple[Category, ...]:
    """Return the categories of a selection: those of `listed`, unless the selection renames some."""
    renamed = getattr(select, "categories", None)
    return listed if renamed is None else tuple(renamed(listed))


class NewCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a category becomes: its name, its number, and whether it has instances (None: unchanged)."""

    name: str
    id: int | None = None
    countable: bool | None = None


NewName = str | NewCategory | None
OTHERS = "*"
"""The old name that stands for all names that the map does not list."""


class Coverage(msgspec.Struct):
    """How many objects a map of category names met, and what it does with them.

    Attributes:
        objects: How many objects it met.
        named: How many have a category that it names.
        left_out: How many it leaves out, by name or with all others.
        others: How many have a category that it does not name, and get the name that it gives all others.
        own: How many have a category that it does not name, and keep its name.
    """

    objects: int = 0
    named: int = 0
    left_out: int = 0
    others: int = 0
    own: int = 0

    def add(self, other: Coverage) -> None:
        """Add the counts of another part of the dataset."""
        self.objects += other.objects
        self.named += other.named
        self.left_out += other.left_out
        self.others += other.others
        self.own += other.own


class Labels:
    """A map of category names: it renames categories, merges those with one new name, and drops those with null.

    Objects of a category that has no instances are joined to one area in each image.
    """

    def __init__(self, names: Mapping[str, NewName]) -> None:
        """Take new names by old ones; None as a new name drops the category."""
        self.names = dict(names)
        stated = dict.fromkeys(new.name for new in self.names.values() if isinstance(new, NewCategory))
        self._places = {name: place for place, name in enumerate(stated)}
        self.joined = 0
        """How many objects were joined."""
        self.coverage = Coverage()
        self._made: dict[int, tuple[Category, Category | None]] = {}
        self._first: dict[str, Category] = {}

    def category(self, category: Category) -> Category | None:
        """Return what a category becomes; None if it is dropped."""
        known = self._made.get(id(category))
        if known is None:
            own = spoken(category)
            new = self.names.get(own, self.names.get(OTHERS, own))
            name = new.name if isinstance(new, NewCategory) else new
            made = category
            if name is None:
                known = self._made[id(category)] = (category, None)
                return None
            if isinstance(new, NewCategory):
                own_id, counts = category.id if new.id is None else new.id, new.countable
                counts = category.countable if counts is None else counts
                place = self._places[name]
                renamed = msgspec.structs.replace(category, name=name, id=own_id, index=place, countable=counts)
                made = self._first.setdefault(name, renamed)
            elif name != own:
                made = self._first.setdefault(name, msgspec.structs.replace(category, name=name))
            else:
                made = self._first.setdefault(name, category)
            known = self._made[id(category)] = (category, made)
        return known[1]

    @property
    def met(self) -> set[str]:
        """The old names of the categories that were met."""
        return {spoken(category) for category, _ in self._made.values()}

    def refuse_unmet(self, met: Set[str]) -> None:
        """Raise SpecError if the map renames none of the categories of these names.

        A map may name categories that only other data have. If none of its names occurs, it is misspelt or belongs to
        another dataset. This does not concern a map that says what becomes of all others, or that adds categories.
        """
        states = any(isinstance(new, NewCategory) for new in self.names.values())
        if not self.names or not met or states or OTHERS in self.names or not met.isdisjoint(self.names):
            return
        name = next((name for name in self.names if nearest(name, met)), next(iter(self.names)))
        several = "" if len(self.names) == 1 else ", nor any other that --labels names"
        hint = suggest(name, sorted(met))
        raise SpecError((Problem(f"the dataset has no category {name!r}{several}", None, hint=hint),))

    def unmet(self, met: Set[str]) -> Iterator[str]:
        """Yield notices about names in the map that are probably misspelt.

        Such a name is no category of the dataset, but resembles one that the map does not name.
        """
        if met.isdisjoint(self.names):
            return
        free = met - self.names.keys()
        for name, new in self.names.items():
            if name == OTHERS or name in met or isinstance(new, NewCategory):
                continue
            hint = suggest(name, sorted(free))
            if nearest(name, free):
                yield f"--labels names {name!r}, which is no category of the dataset; {hint}"

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """Return the table with the new names, each once; new categories come first, even if the data have none."""
        made = [one for one in map(self.category, listed) if one is not None]
        stated = [self._stated(new) for new in self.names.values() if isinstance(new, NewCategory)]
        return tuple({spoken(one): one for one in (*stated, *made)}.values())

    def _stated(self, new: NewCategory) -> Category:
        made = Category(name=new.name, id=new.id, index=self._places[new.name], countable=new.countable)
        return self._first.setdefault(new.name, made)

    def item(self, item: Item) -> Item:
        """Return an item with the new names."""
        self._count(item)
        things, areas = tuple(self._renamed(item.objects)), tuple(self._renamed(item.areas))
        if any(isinstance(new, NewCategory) and new.countable is False for new in self.names.values()):
            things, areas = self._with_areas(things, areas)
        return msgspec.structs.replace(item, objects=things, labels=tuple(self._renamed(item.labels)), areas=areas)

    def _count(self, item: Item) -> None:
        own = [thing.category for thing in item.objects if thing.category is not None]
        self.coverage.objects += len(item.objects)
        self.coverage.left_out += sum(self.category(one) is None for one in own)
        unnamed = [one for one in own if spoken(one) not in self.names]
        self.coverage.named += len(own) - len(unnamed)
        if OTHERS not in self.names:
            self.coverage.own += len(unnamed)
        elif self.names[OTHERS] is not None:
            self.coverage.others += len(unnamed)

    def take_coverage(self) -> Coverage:
        """Return what was counted since the last call."""
        counted, self.coverage = self.coverage, Coverage()
        return counted

    def _with_areas(
        self, things: tuple[Object, ...], areas: tuple[Area, ...]
    ) -> tuple[tuple[Object, ...], tuple[Area, ...]]:
        """Join the objects and areas of each category without instances to one area."""
        joined: dict[str, Area] = {}
        nobodys = [area for area in areas if not _joined(joined, area)]
        others = [thing for thing in things if not _joined(joined, thing)]
        self.joined += len(things) - len(others)
        return tuple(others), (*nobodys, *joined.values())

    def _renamed(self, records: Any) -> Any:
        for record in records:
            if record.category is None:
                yield record
                continue
            own = self.category(record.category)
            if own is not None:
                yield record if own is record.category else msgspec.structs.replace(record, category=own)


def _joined(areas: dict[str, Area], one: Object | Area) -> bool:
    """Return whether a record's category has no instances; its pixels are then added to the category's area."""
    category, region = one.category, one.region
    if category is None or category.countable is not False or region is None:
        return False
    before = areas.get(spoken(category))
    areas[spoken(category)] = Area(category=category, region=region if before is None else before.region | region)
    return True
