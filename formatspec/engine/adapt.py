"""The source's model made to fit a target: subsets, names, categories; what cannot be is said, never guessed."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from formatspec.codecs.registry import Env, Unfit
from formatspec.engine import demand
from formatspec.engine.categories import from_table
from formatspec.engine.chain import Chain, build
from formatspec.engine.format import IMAGE, Format
from formatspec.engine.frames import Frame, Setting
from formatspec.engine.printing import compiled
from formatspec.engine.spill import PIECE, Marks, mark
from formatspec.language.leaf import Bind
from formatspec.language.schema import CategoryTable
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.slots import find_slot, slot_value, without

DEFAULT_SUBSET = "default"


class NoPlace(ValueError):
    """The target has no place for something that every item needs; the message says what to do."""


class TargetCategories:
    """The target's table, and which of its categories each of the source's becomes.

    fixed: the table beside the spec is used, so that nothing else need list it.  closed: it is all there is, so
    that a category that it lacks has neither number nor name.
    """

    def __init__(self, listed: Sequence[Category], fixed: bool, closed: bool = False) -> None:
        self.listed = tuple(listed)
        self.fixed = fixed
        self.closed = closed
        self._by_name = {category.name: category for category in self.listed}
        self._by_key = {(category.id, category.name): category for category in self.listed}
        self._own: dict[int, tuple[Category, Category | None]] = {}

    def own(self, category: Category) -> Category | None:
        """The target's category for one of the source's; itself where the target has none, if its table is open."""
        known = self._own.get(id(category))
        if known is None:
            name = spoken(category)
            found = None if self.fixed else self._by_key.get((category.id, name))
            found = found or self._by_name.get(name)
            stranger = msgspec.structs.replace(category, id=None, index=None) if self.fixed else category
            own = found if found is not None else None if self.closed else stranger
            known = self._own[id(category)] = (category, own)
        return known[1]

    def holds(self, category: Category) -> bool:
        """Whether the table has this category."""
        return category.name in self._by_name or not self.listed


def target_categories(form: Format, source: Iterable[Category], same: bool) -> TargetCategories:
    """The categories that a dataset of `form` will have, given the source's."""
    listed = list(source)
    if same:
        return TargetCategories(listed, fixed=False)
    for entry in form.spec.categories:
        if isinstance(entry, CategoryTable):
            table = from_table(form.source.file.parent / entry.table)
            names = {category.name for category in table}
            if len(form.spec.categories) == 1 or all(category.name in names for category in listed):
                return TargetCategories(table, fixed=True, closed=not entry.open)
    numbered = [
        msgspec.structs.replace(category, index=index, name=spoken(category), parent=category.parent or None)
        if category.index != index or category.name != spoken(category) or category.parent == ""
        else category
        for index, category in enumerate(_in_order(listed))
    ]
    return TargetCategories(_identified(form, numbered), fixed=False)


def spoken(category: Category) -> str:
    """A category's name; where its format only numbers it, the number."""
    return category.name or ("" if category.id is None else str(category.id))


def _in_order(categories: Sequence[Category]) -> list[Category]:
    return sorted(categories, key=lambda category: (category.index is None, category.index or 0))


def _identified(form: Format, categories: Sequence[Category]) -> list[Category]:
    """Every category with an id that the target can write; those that have one keep it."""
    leaf, scope = _id_leaf(form)
    taken = {category.id for category in categories if category.id is not None}
    made = []
    for index, category in enumerate(categories):
        own = category.id
        if own is not None and leaf is not None and leaf.calls:
            chain = build(leaf, ["id"], 1, scope.textual, form.roles[scope.role].place)
            try:
                chain.encode(own, Env())
            except Unfit:
                own = None
        if own is None:
            own = index + 1
            if leaf is not None and leaf.default is not None:
                given: Any = compiled(leaf.default, scope, form.roles[scope.role].place)
                setting = Setting({}, TargetCategories(categories, False), {})
                own = given(Frame(setting, None, category, None, index))
            while own in taken and isinstance(own, int):
                own += 1
            taken.add(own)
        made.append(category if own == category.id else msgspec.structs.replace(category, id=own))
    return made


def _id_leaf(form: Format) -> tuple[Bind | None, Any]:
    for role in form.documents:
        if role.codec is None:
            continue
        for leaf, scope, _ in demand.leaves(role.codec.rule, role.scope):
            if scope.kind == "category" and leaf.names == ("id",):
                return leaf, scope
    return None, None


MOMENTS = ("sequence", "frame")
"""What an item holds besides its captures where its name tells it."""


class Adapter:
    """Items of one format as items of another.  What is lost by it is noted in `notes`."""

    def __init__(
        self, source: Format, target: Format, keys: Iterable[Mapping[str, Any]], renamed: Mapping[str, str]
    ) -> None:
        self.source = source
        self.target = target
        self.same = _alike(source, target)
        self.renamed = dict(renamed)
        self.notes: dict[str, int] = {}
        self.extension = _extension(target)
        image = target.roles.get(IMAGE)
        self.names = target.key_names
        self.formats = dict(image.scope.captures) if image is not None else {}
        self._flat = self._flat_names(keys)
        self.needs_ids = _binds(target, "object", "id")
        self.ids_in_pixels = _binds_in_pixels(target, "id")
        self.fits_ids = _fits_numbers(target, lambda leaf: "id" in leaf.names and "id")
        self.fits_numbers = _fits_numbers(target, _own_number)

    def _flat_names(self, keys: Iterable[Mapping[str, Any]]) -> bool:
        """Whether the last part of a name is enough to tell items apart, where the target has no folders."""
        if self.same or any(str(self.formats.get(name)).startswith("path") for name in self.names):
            return False
        seen, coming = Marks(), map(self._flat_mark, keys)
        while some := list(islice(coming, PIECE)):
            if not seen.add(some):
                return False
        return True

    def _flat_mark(self, names: Mapping[str, Any]) -> int:
        subset = str(names.get("subset", "")) if "subset" in self.names else ""
        return mark(f"{subset}/{posixpath.basename(self.relative(names))}")

    def relative(self, names: Mapping[str, Any]) -> str:
        """An item's name below its subset."""
        parts = [str(names[name]) for name in self.source.key_names if name != "subset" and names.get(name)]
        return "/".join(parts)

    def subset(self, name: str | None) -> str | None:
        """The target's name for a subset.  Raises NoPlace where it has none."""
        if name is not None:
            name = self.renamed.get(name, name)
        for own, others in self.target.spec.subsets.items():
            if name is not None and (name == own or name.lower() in (own, *others)):
                return own
        words = self.formats.get("subset")
        choices = words.split("|") if words and "|" in words else []
        if not choices or name in choices:
            return name
        if name is None or name == DEFAULT_SUBSET:
            return choices[0]
        raise NoPlace(
            f"{self.target.name} has no subset {name!r}; it has {', '.join(choices)}: say which with "
            f"--subsets {name}={choices[0]}"
        )

    def item(self, item: Item, index: int) -> Item:
        """The item with the target's names.  Raises NoPlace."""
        if self.same and not self.renamed:
            return item
        names = self._captures(item, index)
        subsets = tuple(dict.fromkeys(s for name in item.subsets if (s := self.subset(name)) is not None))
        image = self._image(item.image, names)
        key = "/".join(str(names[name]) for name in self.names if names.get(name) not in (None, ""))
        objects = self._objects(item)
        moments = {slot: names.get(slot) if slot in self.names else getattr(item, slot) for slot in MOMENTS}
        return msgspec.structs.replace(
            item, key=key, captures=names, subsets=subsets, image=image, objects=objects, **moments,
            origin=item.origin if self.same else None,
        )  # fmt: skip

    def _objects(self, item: Item) -> Any:
        things = item.objects if self.same else self._numbered(item.objects)
        if self.same or not self.needs_ids:
            return things
        ids = [thing.id for thing in things]
        bad = self.ids_in_pixels and any(not isinstance(i, int) or i < 1 for i in ids if i is not None)
        bad = bad or not all(fits(i) for _, fits in self.fits_ids for i in ids if i is not None)
        stated = [i for i in ids if i is not None]
        bad = bad or (not self.fits_ids and len(set(stated)) < len(stated))
        if not bad and None not in ids:
            return things
        start = 1 if self.ids_in_pixels else 0
        if bad or all(i is None for i in ids):
            fresh = {id(thing): start + place for place, thing in enumerate(things)}
        else:
            free = (n for n in range(start, start + 2 * len(ids) + 1) if n not in ids)
            fresh = {id(thing): thing.id if thing.id is not None else next(free) for thing in things}  # type: ignore[misc]
        if bad:
            self.notes["object ids renumbered"] = self.notes.get("object ids renumbered", 0) + len(things)
        named = {thing.id: fresh[id(thing)] for thing in things if thing.id is not None}
        return tuple(
            msgspec.structs.replace(
                thing, id=fresh[id(thing)], parent=named.get(thing.parent) if thing.parent is not None else None
            )
            for thing in things
        )

    def _numbered(self, things: tuple[Object, ...]) -> tuple[Object, ...]:
        """The objects without those numbers that the target's pixels cannot show, or that two of a category have."""
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
                    self.notes[words] = self.notes.get(words, 0) + 1
            things = tuple(made)
        return things

    def _captures(self, item: Item, index: int) -> dict[str, Any]:
        relative = self.relative(item.captures) or posixpath.splitext(item.key)[0]
        whole = relative
        names: dict[str, Any] = {}
        folders = [name for name in self.names if self.formats.get(name) == "path?"]
        if folders:
            folder, _, relative = whole.rpartition("/")
            names[folders[0]] = folder
        for name in self.names:
            if name in names:
                continue
            names[name] = self._capture(name, item, index, relative)
        extension = posixpath.splitext(item.image.path if item.image else "")[1].lstrip(".")
        for name, kind in self.formats.items():
            if name not in names and name in self.target.roles[IMAGE].captures:
                names[name] = self._own_extension(extension, kind)
        if "subset" not in names:
            first = self.subset(item.subsets[0] if item.subsets else None)
            in_paths = any("subset" in role.captures for role in self.target.roles.values())
            names["subset"] = first or (DEFAULT_SUBSET if in_paths else None)
        return names

    def _own_extension(self, extension: str, kind: str | None) -> str:
        if kind is None or "|" not in kind or extension in kind.split("|"):
            return extension or "jpg"
        return kind.split("|")[0]

    def _capture(self, name: str, item: Item, index: int, relative: str) -> Any:
        kind = self.formats.get(name) or ""
        if name == "subset":
            return self.subset(item.subsets[0] if item.subsets else None) or DEFAULT_SUBSET
        if name in MOMENTS and getattr(item, name) is not None:
            return getattr(item, name)
        if name == "label.category.name" and item.labels and item.labels[0].category is not None:
            return spoken(item.labels[0].category)
        if name.startswith("label.category."):
            return getattr(item.labels[0].category, name.rpartition(".")[2], None) if item.labels else ""
        if name.startswith("attributes.") and find_slot("item", name):
            return item.attributes.get(name.removeprefix("attributes."), "")
        known = item.captures.get(name)
        if known is not None and name not in ("name", "id") and name in self.source.key_names:
            return known
        if kind.endswith("d"):
            return 0 if name == "sequence" else index
        if name not in ("name", "id") and self.names and name != self.names[-1]:
            return posixpath.dirname(relative).replace("/", "_") or DEFAULT_SUBSET
        if kind.startswith("path"):
            return relative
        return posixpath.basename(relative) if self._flat else relative.replace("/", "_")

    def _image(self, image: Image | None, names: Mapping[str, Any]) -> Image | None:
        role = self.target.roles.get(IMAGE)
        if image is None or role is None:
            return image
        try:
            path = role.template.render(names)
        except (KeyError, ValueError) as error:
            if any(name.startswith("label.") and names.get(name) in (None, "") for name in role.captures):
                raise NoPlace(f"{self.target.name} files images by their label, and this one has none") from None
            raise NoPlace(f"{self.target.name} cannot name the image of {names}: {error}") from None
        return msgspec.structs.replace(image, path=path)


def _alike(source: Format, target: Format) -> bool:
    return (
        source.source.is_same(target.source)
        and source.layout.variant == target.layout.variant
        and all(value in (None, target.options.get(name)) for name, value in source.options.items())
    )


def _extension(form: Format) -> str | None:
    role = form.roles.get(IMAGE)
    if role is None or not role.template.suffix.startswith("."):
        return None
    return role.template.suffix.lstrip(".")


def _binds(form: Format, kind: str, name: str) -> bool:
    return any(
        scope.kind == kind and meaning.where == "record" and meaning.name == name
        for role in form.documents
        for meaning, scope, _ in demand.meanings(role.document_rule, role.scope)
    ) or any(f"{kind}.{name}" in role.captures for role in form.roles.values())


Fits = Callable[[Any], bool]


def _fits_numbers(form: Format, slot_of: Callable[[Bind], Any]) -> list[tuple[str, Fits]]:
    """Slots that share a pixel value with the category, so that they count within it; and whether a value fits."""
    found: list[tuple[str, Fits]] = []
    for role in form.documents:
        if role.kind != "pixels" or role.rule is None:
            continue
        for leaf, scope, _ in demand.leaves(role.rule, role.scope):
            if scope.kind == "object" and len(leaf.names) > 1 and (slot := slot_of(leaf)):
                chain = build(leaf, ["id"] * len(leaf.names), 1, False, role.place)
                found.append((slot, partial(_fits, chain, leaf.names.index(slot), len(leaf.names))))
    return found


def _own_number(leaf: Bind) -> str | None:
    """The number of an object that a leaf binds beside its category, where another can be given."""
    others = (name for name in leaf.names if not name.startswith("category.") and name != "id")
    return None if leaf.default is None else next(others, None)


def _fits(chain: Chain, place: int, count: int, value: Any) -> bool:
    try:
        chain.encode(tuple(value if i == place else 1 for i in range(count)), Env())
    except Unfit:
        return False
    return True


def _binds_in_pixels(form: Format, name: str) -> bool:
    return any(
        meaning.where == "record" and meaning.name == name and scope.kind == "object"
        for role in form.documents
        if role.kind == "pixels" and role.rule is not None
        for meaning, scope, _ in demand.meanings(role.rule, role.scope)
    )
