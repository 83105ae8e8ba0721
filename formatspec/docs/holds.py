"""What a compiled format holds, what it cannot hold, and what is lost from one format to another.

All of this follows from the leaves of the rules; nobody lists it by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from formatspec.engine.dataset.lint import choices, forms
from formatspec.engine.export.adaptation.adapt import TargetCategories
from formatspec.engine.export.lost.losses import CATEGORY_NAMES as CATEGORY
from formatspec.engine.export.lost.losses import NAMES, Losses
from formatspec.engine.read.categories import table_of
from formatspec.engine.resolve.held_slots import BITS, IMPLIED, leaf_names
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.language.expression import Binary, Name, conjuncts
from formatspec.language.leaf import Keep
from formatspec.language.load import Source
from formatspec.language.rules import (
    KEY,
    LeafRule,
    LineRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    SequenceRule,
    TableRule,
    inside,
    is_derived,
)
from formatspec.language.schema import CategoryTable
from formatspec.model.slots import TABLES

Grade = Literal["full", "update", "none"]

MAIN = (
    "labels", "captions", "boxes", "rotated boxes", "polygons", "polylines", "keypoints", "circles", "ellipses",
    "visible regions", "hidden regions", "areas", "void pixels", "texts of objects", "tracks", "parents",
)  # fmt: skip
"""The main kinds of annotations, for which people choose a format."""

KINDS = (
    *MAIN, *(words for words in NAMES.values() if words not in MAIN), "attributes of objects", "tags",
    "attributes of items", "image ids", "sequences", "frames", "subsets", "further subsets", "states of labels",
    "scores of labels", "attributes of labels", "ids of captions", "attributes of captions", *CATEGORY.values(),
    "attributes of categories",
)  # fmt: skip
"""Every kind of thing that the model knows and a format may lack, in the order of the pages."""

_OBJECT = {name: NAMES[name] for name in BITS if name in NAMES}
_AREAS_AS_OBJECTS, _OBJECTS_AS_AREAS = "areas, written as objects", "objects, drawn as areas"
_OBJECTS = "objects"


def holds(form: Format) -> tuple[str, ...]:
    """Return everything that a format holds, including files that are only kept."""
    return in_order(_kinds(form, form.documents, form.roles.values()))


def cannot_hold(form: Format) -> tuple[str, ...]:
    """Return what a format neither holds nor derives, so that it is lost when writing."""
    written = _written(form)
    return in_order(kind for kind in KINDS if kind not in written)


def write_grade(form: Format) -> tuple[Grade, tuple[str, ...]]:
    """Return how far new datasets can be written, and the leaves that prevent it, each with its place.

    `full`: everything is made from the model. `update`: only data that was read from this format can be written back,
    since a required value has no meaning in the model. `none`: the content of a required file is not described.
    """
    unmade = [
        f"{role.name}: {role.spec.path}"
        for role in form.roles.values()
        if role.kind is None and role.name != IMAGE and not role.optional and not role.folder
    ]
    if unmade:
        return "none", tuple(unmade)
    opaque = tuple(
        f"{role.name}: {place}"
        for role in form.documents
        if not role.kept
        for place in dict.fromkeys(_opaque(role.document_rule, ""))
    )
    return ("update", opaque) if opaque else ("full", ())


@dataclass(frozen=True, slots=True)
class Profile:
    """The facts about a format from which losses follow.

    Attributes:
        told: The kinds that it holds.
        written: The kinds that can be written to it.
        always: The slots of objects that it holds whichever alternative is taken.
        attributes, item_attributes: Those of objects and of items with leaves of their own; "" stands for any.
    """

    told: frozenset[str]
    written: frozenset[str]
    always: int
    attributes: frozenset[str]
    item_attributes: frozenset[str]
    objects: bool
    areas: bool


def profile(form: Format) -> Profile:
    """Return the profile of one layout of a format."""
    losses = Losses(form, TargetCategories((), fixed=False), same=False)
    return Profile(
        told=_kinds(form, form.documents, form.roles.values()),
        written=_written(form),
        always=_always(form),
        attributes=frozenset(losses.object_attributes),
        item_attributes=_item_attributes(losses.item_slots),
        objects="objects" in losses.tables,
        areas="areas" in losses.tables,
    )


def lost(source: Profile, target: Profile) -> tuple[str, ...]:
    """Return what one format holds and the other cannot hold."""
    found = source.told - target.written
    if "areas" in found and target.objects:
        as_objects = frozenset({_OBJECT["region"], _OBJECT["category"]})
        found = found - {"areas"} | {_AREAS_AS_OBJECTS} | as_objects - target.written
    if source.objects and not target.objects:
        found |= {_OBJECTS_AS_AREAS if target.areas else _OBJECTS}
    if "attributes of objects" in source.told & target.written and "" not in target.attributes:
        names = source.attributes - target.attributes
        found |= {"attributes of objects"} if "" in names else {f"attribute {name}" for name in names}
    if "" not in target.item_attributes and source.item_attributes - target.item_attributes:
        found |= {"attributes of items"}
    return in_order(found)


def _item_attributes(slots: Iterable[str]) -> frozenset[str]:
    names = (name for name in slots if name.partition(".")[0] == "attributes")
    return frozenset(name.removeprefix("attributes").removeprefix(".") for name in names)


def lost_by_choice(source: Profile, target: Profile) -> tuple[str, ...]:
    """Return what one format holds and the other holds only in some of its alternatives."""
    found = {words for slot, words in _OBJECT.items() if words in source.told and not target.always & BITS[slot]}
    found |= source.told & {"further subsets"}
    return in_order(found - set(lost(source, target)))


def lost_between_specs(
    sources: Sequence[Profile], targets: Sequence[Profile]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is lost between two formats of several layouts and options: always, and depending on these."""
    whole = Profile(
        told=frozenset().union(*(one.told for one in sources)),
        written=frozenset(),
        always=0,
        attributes=frozenset().union(*(one.attributes for one in sources)),
        item_attributes=frozenset().union(*(one.item_attributes for one in sources)),
        objects=any(one.objects for one in sources),
        areas=any(one.areas for one in sources),
    )
    never = [set(lost(whole, target)) for target in targets]
    surely = set.intersection(*never)
    perhaps = set().union(*never, *(lost_by_choice(whole, target) for target in targets))
    return in_order(surely), in_order(perhaps - surely)


def written_forms(source: Source) -> tuple[Format, ...]:
    """Return the layout in which data of other formats is written, with each choice of its options."""
    layout = source.layouts[0]
    return tuple(compile_format(source, layout, options) for options in choices(layout.spec.options))


def read_forms(source: Source) -> tuple[Format, ...]:
    """Return every layout, with each choice of its options."""
    return tuple(forms(source))


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return kinds of annotations in the order of the pages; unknown ones come last."""
    place = {kind: number for number, kind in enumerate((_OBJECTS, _OBJECTS_AS_AREAS, *KINDS, _AREAS_AS_OBJECTS))}
    return tuple(sorted(set(kinds), key=lambda kind: (place.get(kind, len(place)), kind)))


def _written(form: Format) -> frozenset[str]:
    """Return what a format holds of another format's data; files that are only kept are not written then."""
    roles = [role for role in form.roles.values() if not role.kept]
    kinds = set(_kinds(form, [role for role in form.documents if not role.kept], roles))
    if any(isinstance(entry, CategoryTable) for entry in form.spec.categories):
        kinds |= {*CATEGORY.values(), "attributes of categories"}  # those of the table itself
    for role in form.documents:
        if not role.kept:
            kinds.update(_carried(role.document_rule, role.scope))
    for slot, implied in IMPLIED.items():
        if NAMES[slot] in kinds:
            kinds |= {words for name, words in _OBJECT.items() if implied & BITS[name]}
    return frozenset(kinds)


def _carried(rule: Rule, scope: Scope) -> Iterator[str]:
    """Yield what kept leaves hold about categories if they are printed from a slot without a source."""
    if isinstance(rule, LeafRule):
        if isinstance(rule.leaf, Keep) and isinstance(rule.leaf.default, Name) and scope.kind == "category":
            yield from _of_category(rule.leaf.default.name)
    else:
        inner = scope.inside(rule.each.table) if isinstance(rule, TableRule) else scope
        for part in inside(rule):
            yield from _carried(part, inner)


def _kinds(form: Format, documents: Iterable[Role], roles: Iterable[Role]) -> frozenset[str]:
    found: set[str] = set()
    for role in documents:
        for meaning, scope, lookup in role.meanings:
            if not lookup:
                found.update(_told(meaning, scope))
        for table, scope in _tables(role.document_rule, role.scope):
            found.update(_of_table(scope, role.kind == "pixels"))
            found.update(kind for name in _conditions(table) for kind in _of_record(scope.kind, name))
    for role in roles:
        for name in role.captures:
            found.update(_of_name(name))
    for entry in form.spec.categories:
        if isinstance(entry, CategoryTable):
            listed = table_of(form.source, form.layout, entry)
            found.update(words for slot, words in CATEGORY.items() if any(_stated(c, slot) for c in listed))
            found.update({"attributes of categories"} if any(c.attributes for c in listed) else ())
    return frozenset(found)


def _stated(category: object, slot: str) -> bool:
    return getattr(category, slot) not in (None, "", ())


def _told(meaning: Meaning, scope: Scope) -> Iterator[str]:
    name = meaning.name
    if meaning.where == "column":
        kind = TABLES[meaning.table]
        yield from _of_record(kind, name)
        yield from _of_kind(meaning.table)
    elif meaning.where == "record":
        yield from _of_record(scope.kind, name)
    elif meaning.where in ("item", "capture"):
        yield from _of_name(name)


def _of_record(kind: str, name: str) -> Iterator[str]:
    head = name.partition(".")[0]
    if kind == "object":
        head = {"polygon": "polygons", "depth": "level"}.get(head, head)
        if head in _OBJECT and not name.startswith("category."):
            yield _OBJECT[head]
        if head == "attributes":
            yield "attributes of objects"
    if name.startswith("category."):
        yield from _of_category(name.removeprefix("category."))
        if kind == "object":
            yield _OBJECT["category"]
    if kind == "category":
        yield from _of_category(name)
    if kind == "label" and head in ("state", "score"):
        yield f"{head}s of labels"
    if kind == "caption" and head == "id":
        yield "ids of captions"
    if kind in ("label", "caption") and head == "attributes":
        yield f"attributes of {kind}s"
    if kind == "item":
        yield from _of_name(name)


def _of_category(slot: str) -> Iterator[str]:
    if slot in CATEGORY:
        yield CATEGORY[slot]
    if slot.partition(".")[0] == "attributes":
        yield "attributes of categories"


def _of_name(name: str) -> Iterator[str]:
    """Yield what a slot of the item, or a capture of a path, holds."""
    head, _, rest = name.partition(".")
    plain = {
        "id": ("image ids",),
        "sequence": ("sequences",),
        "frame": ("frames",),
        "subset": ("subsets",),
        "subsets": ("subsets", "further subsets"),
    }
    yield from plain.get(name, ())
    if name == "tags":
        yield "tags"
    elif head == "attributes":
        yield "attributes of items"
    elif head == "object":
        yield from _of_record("object", rest)
    elif head == "caption":
        yield "captions"
    elif head == "label":
        yield "labels"
        if rest in ("state", "score"):
            yield f"{rest}s of labels"
        if rest.startswith("category."):
            yield from _of_category(rest.removeprefix("category."))
    elif head == "category":
        yield from _of_category(rest)


def _of_kind(table: str) -> Iterator[str]:
    words = {"labels": "labels", "captions": "captions", "areas": "areas", "void": "void pixels", "children": "parents"}
    if table in words:
        yield words[table]


def _of_table(scope: Scope, pixels: bool) -> Iterator[str]:
    """Yield what the rows of a table hold besides their leaves."""
    yield from _of_kind(scope.table)
    if pixels and scope.kind == "object":
        yield _OBJECT["region"]
    if scope.kind == "attribute" and scope.outer is not None:
        yield "attributes of objects" if scope.outer.kind == "object" else "attributes of items"


def _tables(rule: Rule, scope: Scope) -> Iterator[tuple[TableRule, Scope]]:
    """Yield every table with content of its own, with the scope of its rows."""
    if isinstance(rule, TableRule):
        if not rule.each.overlap and not is_derived(rule.row):
            inner = scope.inside(rule.each.table)
            yield rule, inner
            yield from _tables(rule.row, inner)
        return
    for part in inside(rule):
        yield from _tables(part, scope)


def _conditions(table: TableRule) -> Iterator[str]:
    """Yield the slots that a table's condition sets when rows are read."""
    for part in conjuncts(table.each.where) if table.each.where is not None else ():
        left = part.left if isinstance(part, Binary) and part.operator in ("==", "!=") else part
        if isinstance(left, Name) and "." not in left.name:
            yield left.name


def _always(form: Format) -> int:
    """Return the slots of an object that a format's rows hold whichever alternative is taken."""
    bits = 0
    for role in form.documents:
        if not role.kept:
            bits |= _rows(role.document_rule, role.kind == "pixels")
    for role in form.roles.values():
        for name in role.captures:
            if name.startswith("object."):
                bits |= _bits(name.removeprefix("object."))
    return bits


def _rows(rule: Rule, pixels: bool) -> int:
    if isinstance(rule, OneOf):
        tables = [a for a in rule.alternatives if isinstance(a, TableRule) and TABLES[a.each.table] == "object"]
        return _both(_rows(table, pixels) for table in tables) if tables else 0
    if isinstance(rule, TableRule) and TABLES[rule.each.table] == "object" and not rule.each.overlap:
        seen = _bits("region") if pixels and rule.each.where is None else 0
        return seen | (BITS["parent"] if rule.each.table == "children" else 0) | _held(rule.row)
    bits = 0
    for part in inside(rule):
        bits |= _rows(part, pixels)
    return bits


def _held(rule: Rule) -> int:
    bits = 0
    if isinstance(rule, LeafRule | LineRule):
        for name in leaf_names(rule.leaf):
            bits |= _bits(name)
    elif isinstance(rule, OneOf):
        bits = _both(_held(one) for one in rule.alternatives)
    elif isinstance(rule, TableRule):
        bits = BITS["attributes"] if TABLES[rule.each.table] == "attribute" else 0
        bits |= BITS["parent"] if rule.each.table == "children" else 0
    else:
        for part in inside(rule):
            bits |= _held(part)
    return bits


def _bits(name: str) -> int:
    head = name.removeprefix("object.").partition(".")[0]
    head = {"polygon": "polygons", "depth": "level"}.get(head, head)
    return BITS.get(head, 0) | IMPLIED.get(head, 0)


def _both(found: Iterable[int]) -> int:
    bits = -1
    for one in found:
        bits &= one
    return 0 if bits == -1 else bits


def _opaque(rule: Rule, at: str) -> Iterator[str]:
    """Yield the places of `keep` leaves that every file must have, with no alternative without them."""
    if isinstance(rule, LeafRule | LineRule):
        optional = isinstance(rule, LineRule) and rule.optional
        if isinstance(rule.leaf, Keep) and rule.leaf.default is None and not optional:
            yield at or "the document"
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            if not field.optional:
                key = "{key}" if field.keys == (KEY,) else ", ".join(field.keys)
                yield from _opaque(field.rule, f"{at}.{key}".lstrip("."))
        for choice in rule.alternatives:
            yield from _opaque(choice, at)
    elif isinstance(rule, ListRule | SequenceRule):
        for place, one in enumerate(rule.rules):
            yield from _opaque(one, f"{at}[{place}]")
    elif isinstance(rule, TableRule):
        yield from _opaque(rule.row, f"{at}[]")
    else:
        found = [list(_opaque(one, at)) for one in rule.alternatives]
        if all(found):
            yield from (place for places in found for place in places)
