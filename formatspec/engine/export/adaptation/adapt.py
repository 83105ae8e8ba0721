"""Fits subsets, names, numbers and categories of items to a target. What does not fit is noted, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any

import msgspec

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.remembered import remembered
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.adaptation.category_names import NameOf, name_in, named_once
from formatspec.engine.export.adaptation.name_items import Naming, spoken
from formatspec.engine.export.adaptation.renumber import (
    TRACKS_AS_NUMBERS,
    has_ids_in_shared_rows_alone,
    numbers_tracks,
    renumbered_tables,
    tracks_as_numbers,
)
from formatspec.engine.read.categories import table_of
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.questions.meanings import leaves
from formatspec.engine.resolve.questions.tables import object_tables
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format
from formatspec.engine.spec.options import CROWDS, KEEP
from formatspec.language.leaf import Bind
from formatspec.language.schema import CategoryTable
from formatspec.model.records import Category, Item, Object
from formatspec.model.slots import slot_value, without


class TargetCategories:
    """The target's categories, and which of them each category of the source becomes.

    Attributes:
        fixed: Whether a table beside the spec lists the categories, so that no other file need list them.
        closed: Whether that table is complete, so that any other category has neither a number nor a name.
        as_read: The categories as the subsets of the source number them; these numbers are kept.
        name_of: Gives a category's name in the target.
        known: Each category of the source that was asked for, with the target's, by its `id()`.
    """

    def __init__(
        self,
        listed: Sequence[Category],
        fixed: bool,
        closed: bool = False,
        as_read: Iterable[Category] = (),
        name_of: NameOf = spoken,
    ) -> None:
        """Index the target's categories by name and by number; see the class."""
        self.listed = tuple(listed)
        self.fixed = fixed
        self.closed = closed
        self.name_of = name_of
        self._by_name = {category.name: category for category in self.listed}
        self._by_key = {(category.id, category.name): category for category in self.listed}
        self.known: dict[int, tuple[Category, Category | None]] = {id(one): (one, one) for one in as_read}

    def own(self, category: Category) -> Category | None:
        """Return the target's category for a category of the source.

        A category that the target's table lacks is returned unchanged if the table is open; otherwise the result is
        None.
        """
        known = self.known.get(id(category))
        if known is None:
            name = self.name_of(category)
            found = None if self.fixed else self._by_key.get((category.id, name))
            found = found or self._by_name.get(name)
            stranger = msgspec.structs.replace(category, id=None, index=None) if self.fixed else category
            own = found if found is not None else None if self.closed else stranger
            known = self.known[id(category)] = (category, own)
        return known[1]

    def with_stuff(self, names: Set[str]) -> TargetCategories:
        """Return these categories, of which those named are stuff unless the source says what they are."""
        if self.fixed or not any(one.countable is None and one.name in names for one in self.listed):
            return self
        listed = (
            msgspec.structs.replace(one, countable=False) if one.countable is None and one.name in names else one
            for one in self.listed
        )
        return TargetCategories(tuple(listed), fixed=False, name_of=self.name_of)

    def holds(self, category: Category) -> bool:
        """Return whether the table has this category."""
        return category.name in self._by_name or not self.listed


def target_categories(
    form: Format, source: Iterable[Category], same: bool, as_read: Iterable[Category] = ()
) -> TargetCategories:
    """Return the categories that a dataset of `form` gets for the categories of the source.

    Args:
        form: The layout that is written.
        source: The categories of the source.
        same: Whether source and target are one format.
        as_read: The categories as the subsets of the source number them.
    """
    listed = list(source)
    if same:
        return TargetCategories(listed, fixed=False, as_read=as_read)
    listed, name_of = named_once(form, listed), name_in(form)
    for entry in form.spec.categories:
        if isinstance(entry, CategoryTable):
            table = table_of(form.source, form.layout, entry)
            names = {category.name for category in table}
            if len(form.spec.categories) == 1 or all(category.name in names for category in listed):
                return TargetCategories(table, fixed=True, closed=not entry.open, as_read=as_read)
    numbered = [
        msgspec.structs.replace(category, index=index, name=name_of(category), parent=category.parent or None)
        if category.index != index or category.name != name_of(category) or category.parent == ""
        else category
        for index, category in enumerate(_in_order(listed))
    ]
    return TargetCategories(_coloured(form, _identified(form, numbered)), fixed=False, as_read=as_read, name_of=name_of)


def _in_order(categories: Sequence[Category]) -> list[Category]:
    return sorted(categories, key=lambda category: (category.index is None, category.index or 0))


def _identified(form: Format, categories: Sequence[Category]) -> list[Category]:
    """Give each category an id that the target can write; a category with a fitting id keeps it."""
    leaf, scope = _leaf_of(form, "id")
    taken = {category.id for category in categories if category.id is not None}
    made: list[Category] = []
    used: set[Any] = set()
    for index, category in enumerate(categories):
        own = None if category.id in used else category.id  # several names of a source may have one number
        if own is not None and leaf is not None and leaf.calls:
            chain = build(leaf, ["id"], 1, scope.textual, form.roles[scope.role].place)
            try:
                chain.encode(own, Env())
            except UnfitError:
                own = None
        if own is None:
            own = index + 1
            if leaf is not None and leaf.default is not None:
                given: Any = compiled(leaf.default, scope, form.roles[scope.role].place)
                setting = WriteSetting({}, TargetCategories(categories, False), {})
                own = given(WriteContext(setting, None, category, None, index))
            while own in taken and isinstance(own, int):
                own += 1
            taken.add(own)
        used.add(own)
        made.append(category if own == category.id else msgspec.structs.replace(category, id=own))
    return made


def _coloured(form: Format, categories: Sequence[Category]) -> Sequence[Category]:
    """Give each category the colour that the target's list assigns, where colours identify categories in pixels.

    A colour that another category has already is not used again.
    """
    leaf, scope = _leaf_of(form, "color")
    if leaf is None or leaf.default is None or not _shows_colours(form):
        return categories
    default: Any = compiled(leaf.default, scope, form.roles[scope.role].place)
    setting = WriteSetting({}, TargetCategories(categories, False), {})
    taken = {category.color for category in categories}
    made = []
    for index, category in enumerate(categories):
        if category.color is None:
            for place in range(index, index + len(categories) + 1):
                likely = msgspec.structs.replace(category, index=place)
                given = default(WriteContext(setting, None, likely, None, place))
                if given is None or tuple(given) not in taken:
                    break
            if isinstance(given, list | tuple):
                category = msgspec.structs.replace(category, color=tuple(given))
                taken.add(category.color)
        made.append(category)
    return made


def _shows_colours(form: Format) -> bool:
    """Return whether label images of a format contain the colours of categories, as values or as a palette."""
    return any(
        role.kind == "pixels"
        and role.rule is not None
        and (
            role.spec.palette == "category.color"
            or any("category.color" in leaf.names for leaf, _, _ in leaves(role.rule, role.scope))
        )
        for role in form.documents
    )


def _leaf_of(form: Format, slot: str) -> tuple[Bind | None, Any]:
    """Return the first leaf that holds a slot of categories, and its scope."""
    for role in form.documents:
        if role.codec is None:
            continue
        for leaf, scope, _ in role.leaves:
            if scope.kind == "category" and leaf.names == (slot,):
                return leaf, scope
    return None, None


NO_CATEGORY = "objects not written (no category.name)"
"""The report's words for objects that have no category name, in a target whose label images and documents need one."""
NO_PIXELS = "objects not written (no region)"
"""The report's words for objects that have no pixels, in a target where each row has its pixels in a label image."""
CROWDS_LEFT = "left out (crowds)"
"""The report's words for crowds, in a target that has no objects for them."""
STATES_LEFT = {"no": "left out (stated as absent)", "unsure": "left out (unsure)"}
"""The report's words for labels that say something is absent or unsure, in a target that cannot say so."""
RENUMBERED = "object ids renumbered"


class Adapter:
    """Turns items of one format into items of another. `notes` counts what is lost.

    Attributes:
        numbered: The `id()` of each object of the last item that had no number and got one; nothing of these is lost.
        renumbered: The tables whose ids are unique in a file of the target, but not in the source.
        rows_are_numbered: Whether the target's rows give every object a number, so that none needs an id before.
        numbers_meet: Whether items of several files, each with its own numbering, come into one file. Such items get
            new numbers, and no row is written as it was read.
    """

    def __init__(
        self, source: Format, target: Format, keys: Iterable[Mapping[str, Any]], renamed: Mapping[str, str],
        numbers_meet: bool = False, adds_objects: bool = False,
    ) -> None:  # fmt: skip
        """Compare source and target once, so that items are adapted without asking the specs again.

        Args:
            source: The layout that items are read with.
            target: The layout that they are written with.
            keys: The key names of all items of the source, from which their names in the target follow.
            renamed: New names of subsets by old ones.
            numbers_meet: Whether items come into one file whose numbers held in files of their own.
            adds_objects: Whether objects without a number of their own join those that have one.
        """
        self.source = source
        self.target = target
        self.numbers_meet = numbers_meet
        self.numbered: set[int] = set()
        self.same = not numbers_meet and alike(source, target)
        self.renamed = dict(renamed)
        self.notes: dict[str, int] = {}
        self.naming = Naming(source, target, None if self.same else keys, renamed)
        self.renumbered = frozenset() if self.same else renumbered_tables(source, target, numbers_meet or adds_objects)
        self.needs_ids = wanted_slots.binds(target, "object", "id")
        self.rows_are_numbered = "objects" in self.renumbered and has_ids_in_shared_rows_alone(target)
        self.ids_in_pixels = _binds_in_pixels(target, "id")
        self.ids_name_files = any(role.is_named_by_object for role in target.roles.values())
        self.lists_objects = not self.same and target.lists_objects
        self.needs_pixels = self.lists_objects and _needs_pixels(target)
        self.leaves_crowds = not self.same and not target.spec.crowds and target.options.get(CROWDS) != KEEP
        self.leaves_states = not self.same and not wanted_slots.tells_states(target)
        self.id_digits = _id_digits(target)
        self.numbers_tracks = not self.same and numbers_tracks(target)
        self.fits_ids = _fits_numbers(target, _id)
        self.fits_numbers = _fits_numbers(target, _own_number)

    def note(self, what: str, count: int) -> None:
        """Count objects that lose something; `what` names it."""
        if count:
            self.notes[what] = self.notes.get(what, 0) + count

    def item(self, item: Item, index: int) -> Item:
        """Return the item with the target's names. Raises NoPlaceError."""
        if self.same and not self.renamed:
            return item
        naming = self.naming
        names = naming.of(item, index)
        if self.numbers_meet and item.id is not None:
            item = msgspec.structs.replace(item, id=None)
        sequence, frame = naming.moments(item, names)
        return msgspec.structs.replace(
            item, key=naming.own_key(item, names), captures=names, subsets=naming.subsets(item.subsets),
            image=naming.placed(item.image, names), objects=self._objects(item, index),
            sequence=sequence, frame=frame, origin=item.origin if self.same else None,
        )  # fmt: skip

    def taken(self, item: Item, areas_as_objects: bool) -> tuple[Item, int, list[tuple[str, str]]]:
        """Leave out what the target would misread, and turn areas into objects where it holds only objects.

        Crowds are left out where the target would read them as single objects. Labels of absent things are left out
        where the target would read them as labels of present things.

        Args:
            item: The item.
            areas_as_objects: Whether areas become objects.

        Returns:
            The item, how many of its objects, from the first on, are made of areas, and the losses as words and table.
        """
        shown = self._without_crowds(item)
        denied = [label for label in item.labels if label.state in STATES_LEFT] if self.leaves_states else []
        if denied:
            shown = msgspec.structs.replace(shown, labels=tuple(one for one in item.labels if one not in denied))
        stated = len(shown.objects)
        lost = [(f"objects {CROWDS_LEFT}", "objects")] * (len(item.objects) - stated)
        lost += [(f"labels {STATES_LEFT[label.state]}", "labels") for label in denied]
        if self.lists_objects and [1 for thing in shown.objects if thing.category is None]:
            known = tuple(thing for thing in shown.objects if thing.category is not None)
            lost += [(NO_CATEGORY, "objects")] * (stated - len(known))
            shown, stated = msgspec.structs.replace(shown, objects=known), len(known)
        if self.needs_pixels and any(map(_is_without_pixels, shown.objects)):
            known = tuple(thing for thing in shown.objects if not _is_without_pixels(thing))
            lost += [(NO_PIXELS, "objects")] * (stated - len(known))
            shown, stated = msgspec.structs.replace(shown, objects=known), len(known)
        made = 0
        if areas_as_objects and item.areas:
            shown = self._without_crowds(with_areas_as_objects(shown))
            made = len(shown.objects) - stated
            lost += [(f"areas {CROWDS_LEFT}", "areas")] * (len(item.areas) - made)
            shown = msgspec.structs.replace(shown, areas=())
        return shown, made, lost

    def _without_crowds(self, item: Item) -> Item:
        if not self.leaves_crowds or not [1 for thing in item.objects if thing.single is False]:
            return item
        return msgspec.structs.replace(item, objects=tuple(one for one in item.objects if one.single is not False))

    def _objects(self, item: Item, index: int) -> Any:
        self.numbered.clear()
        things = item.objects
        if not self.same and (self.fits_numbers or self.numbers_tracks):
            things = self._numbered(things)
        if self.same or not self.needs_ids:
            return things
        ids = [thing.id for thing in things]
        if self.rows_are_numbered and ids.count(None) == len(ids):
            return things
        if self.ids_name_files:  # one file for each id, whatever the item, so that no two items may share an id
            self.note(RENUMBERED, sum(thing.id is not None for thing in things))
            own: dict[Any, str] = {one.id: f"{index}-{at}" for at, one in enumerate(things) if one.id is not None}
            made = tuple(
                msgspec.structs.replace(thing, id=f"{index}-{place}", parent=own.get(thing.parent))
                for place, thing in enumerate(things)
            )
            self.numbered.update(id(one) for one, thing in zip(made, things, strict=True) if thing.id is None)
            return made
        bad = self.ids_in_pixels and any(not isinstance(i, int) or i < 1 for i in ids if i is not None)
        bad = bad or not all(fits(i) for _, fits in self.fits_ids for i in ids if i is not None)
        bad = bad or (self.id_digits > 0 and any(len(str(i)) > self.id_digits for i in ids if i is not None))
        stated = [i for i in ids if i is not None]
        bad = bad or (not self.fits_ids and len(set(stated)) < len(stated))
        if not bad and None not in ids:
            return things
        start = self.target.spec.counts_from.get("object.id", 1 if self.ids_in_pixels else 0)
        if bad or all(i is None for i in ids):
            fresh = {id(thing): start + place for place, thing in enumerate(things)}
        else:
            free = (n for n in range(start, start + 2 * len(ids) + 1) if n not in ids)
            fresh = {id(thing): thing.id if thing.id is not None else next(free) for thing in things}  # type: ignore[misc]
        if bad:
            self.note(RENUMBERED, len(stated))
        named = {thing.id: fresh[id(thing)] for thing in things if thing.id is not None}
        made = tuple(
            msgspec.structs.replace(
                thing, id=fresh[id(thing)], parent=named.get(thing.parent) if thing.parent is not None else None
            )
            for thing in things
        )
        self.numbered.update(id(own) for own, thing in zip(made, things, strict=True) if thing.id is None)
        return made

    def _numbered(self, things: tuple[Object, ...]) -> tuple[Object, ...]:
        """Return objects without numbers that do not fit the target's pixels, and with tracks as it counts them."""
        for slot, fits in self.fits_numbers:
            seen: set[Any] = set()
            made = []
            for thing in things:
                value = slot_value(thing, slot)
                mark = (None if thing.category is None else spoken(thing.category), value)
                if value is None or (fits(value) and mark not in seen):
                    seen.add(mark)
                    made.append(thing)
                else:
                    made.append(without(thing, slot))
                    words = f"{slot.removeprefix('attributes.').replace('_', ' ')}s given anew"
                    self.note(words, 1)
            things = tuple(made)
        if self.numbers_tracks:
            things, count = tracks_as_numbers(things)
            self.note(TRACKS_AS_NUMBERS, count)
        return things


def alike(source: Format, target: Format) -> bool:
    """Return whether source and target are one layout of one format, so that rows keep their spelling."""
    return (
        source.source.is_same(target.source)
        and source.layout.variant == target.layout.variant
        and all(value in (None, target.options.get(name)) for name, value in source.options.items())
    )


Fits = Callable[[Any], bool]


@remembered(KEPT_FORMATS)
def _fits_numbers(form: Format, slot_of: Callable[[Bind], str | None]) -> list[tuple[str, Fits]]:
    """Return the slots that share a pixel value with the category, each with a test of whether a value fits there.

    Such numbers count the objects of one category.
    """
    found: list[tuple[str, Fits]] = []
    for role in form.documents:
        if role.kind != "pixels" or role.rule is None:
            continue
        for leaf, scope, _ in leaves(role.rule, role.scope):
            if scope.kind == "object" and len(leaf.names) > 1 and (slot := slot_of(leaf)):
                chain = build(leaf, ["id"] * len(leaf.names), 1, False, role.place)
                found.append((slot, partial(_fits, chain, leaf.names.index(slot), len(leaf.names))))
    return found


@remembered(KEPT_FORMATS)
def _id_digits(form: Format) -> int:
    """Return the slot of an object's number that a leaf holds beside the category, if it may be changed."""
    found = [
        int(leaf.format[1:-1])
        for role in form.documents
        if role.span == "item" and role.codec is not None
        for leaf, scope, _ in role.leaves
        if scope.kind == "object" and leaf.names == ("id",) and leaf.format and _PADDED.fullmatch(leaf.format)
    ]
    return min(found, default=0)


_PADDED = re.compile(r"0[1-9]d")


def _id(leaf: Bind) -> str | None:
    """Return the slot of an object's id if a leaf combines it with the category."""
    return "id" if "id" in leaf.names else None


def _own_number(leaf: Bind) -> str | None:
    """Return the slot of an object's number that a leaf combines with the category, if that number may be changed."""
    others = (name for name in leaf.names if not name.startswith("category.") and name != "id")
    return None if leaf.default is None else next(others, None)


def _fits(chain: Chain, place: int, count: int, value: Any) -> bool:
    try:
        chain.encode(tuple(value if i == place else 1 for i in range(count)), Env())
    except UnfitError:
        return False
    return True


@remembered(KEPT_FORMATS)
def _needs_pixels(form: Format) -> bool:
    """Return whether each object must have pixels in a label image that items cannot lack."""
    pictures = (role for role in form.documents if role.kind == "pixels" and not role.optional)
    return any(True for role in pictures for _ in object_tables(role.document_rule))


PAINTED = ("region", "hidden", "polygons", "rotated", "circle", "ellipse")
"""The slots of an object that give it pixels."""


def _is_without_pixels(thing: Object) -> bool:
    """Return whether an object states nothing that bounds pixels; a box alone does not tell which are the object's."""
    return not any(getattr(thing, slot) not in (None, ()) for slot in PAINTED)


def _binds_in_pixels(form: Format, name: str) -> bool:
    return any(role.kind == "pixels" and name in role.slots_of("object") for role in form.documents)


def with_areas_as_objects(item: Item) -> Item:
    """Turn each area into an object, for a target that knows only objects; they come first, beneath all others.

    An area of a category whose things can be counted becomes one object that stands for a group of them.
    """
    if not item.areas:
        return item
    made = tuple(
        Object(category=area.category, region=area.region,
               single=False if area.category is not None and area.category.countable else None)
        for area in item.areas
    )  # fmt: skip
    return msgspec.structs.replace(item, objects=(*made, *item.objects))
