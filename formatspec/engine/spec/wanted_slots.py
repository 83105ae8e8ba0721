"""The slots that a reader must give; leaves and files that serve no other purpose are not decoded."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from formatspec.engine.base.remembered import remembered
from formatspec.engine.read.leaf_reader import Wanted
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.questions.meanings import meanings
from formatspec.engine.resolve.questions.tables import OF_OBJECTS, tables_within
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format, Role, everything
from formatspec.language.expression import names
from formatspec.language.leaf import Bind
from formatspec.language.rules import MapRule, TableRule


def serves(role: Role, wanted: Wanted) -> bool:
    """Return whether a role's documents hold anything that is wanted."""
    if role.rule is None:
        return False
    if role.kind == "pixels" and any(wanted(_REGION, scope) for scope in _pixel_scopes(role)):
        return True
    return any(not lookup and wanted(meaning, scope) for meaning, scope, lookup in role.meanings)


_REGION = Meaning("record", "region", "region")


def _pixel_scopes(role: Role) -> Iterator[Scope]:
    assert role.rule is not None
    for table in role.rule.choices:
        if isinstance(table, TableRule) and not table.each.overlap:
            yield role.scope.inside(table.each.table)


OUTLINES = ("polygons", "polygon", "region", "hidden")
"""Slots that take long to decode, and are not wanted if only boxes are."""


def boxes_only(meaning: Meaning, scope: Scope) -> bool:
    """Return whether a slot is needed by a target that holds only boxes: all but outlines and pixels."""
    return not (scope.kind == "object" and meaning.name in OUTLINES)


def for_target(source: Format, target: Format, present: Collection[str]) -> Wanted:
    """Return which slots of `source` are needed for `target`; `present` are the roles with files.

    Areas are the pixels that objects leave free, so with areas all outlines are needed.
    """
    needed = {
        meaning.name if scope.kind == "object" else scope.kind
        for role in target.documents
        for meaning, scope, _ in role.meanings
    }
    if any("areas" in role.table_names for role in source.documents if role.name in present):
        return everything
    if needed & {*OUTLINES, "area", "void"} or any(role.kind == "pixels" for role in target.documents):
        return everything
    return boxes_only if _states_boxes(source) else everything


@remembered(KEPT_FORMATS)
def needs_sizes(form: Format) -> bool:
    """Return whether reading a format needs the images' sizes: for fractions of them, or since no file states them."""
    stated = False
    for role in form.documents:
        for leaf, scope, _ in role.leaves:
            stated = stated or "image.width" in leaf.names
            known = [meaning.value_type for name in leaf.names if (meaning := scope.meaning(name)) is not None]
            if leaf.calls and known and len(known) == len(leaf.names):
                chain = build(leaf, known, 1, scope.textual, role.place)
                if any("size" in codec.needs for codec in chain.codecs):
                    return True
    return not stated


def _states_boxes(form: Format) -> bool:
    """Return whether every object has a box that its row must state."""
    tables = [
        one for role in form.documents for one in tables_within(role.document_rule) if one.each.table in OF_OBJECTS
    ]
    return bool(tables) and all(
        any(not field.optional and isinstance(field.rule.leaf, Bind) and "bbox" in field.rule.leaf.names
            for field in table.row.fields)
        for table in tables
        if isinstance(table.row, MapRule)
    )  # fmt: skip


def tells_states(form: Format) -> bool:
    """Return whether a format can say that a label is absent or unsure: by a value, or by its list or file."""
    for role in form.documents:
        for meaning, scope, _ in role.meanings:
            of_labels = scope.kind == "label" or (meaning.where == "column" and meaning.table == "labels")
            if meaning.name == "label.state" or (of_labels and meaning.name == "state"):
                return True
        for table in tables_within(role.document_rule):
            each = table.each
            if each.table == "labels" and each.where is not None and "state" in names(each.where):
                return True
    return any("label.state" in role.captures for role in form.roles.values())


def categories_only(meaning: Meaning, scope: Scope) -> bool:
    """Return whether a slot names categories, or joins or distinguishes rows.

    If one leaf holds all attributes, they may be all by which a row of an object differs from one of a label.
    """
    if meaning.where == "column":
        return True
    return (
        meaning.name.startswith(("category.", "label.category."))
        or meaning.name in ("id", "index", "level", "number", "rank", "single", "attributes", "attributes.raw_name")
        or scope.kind == "category"
    )


def names_categories(form: Format) -> frozenset[str]:
    """Return the roles that must be read to know all categories."""

    def named(meaning: Meaning, scope: Scope) -> bool:
        return meaning.name.startswith(("category.", "label.category."))

    by_path = frozenset(
        name for name, role in form.roles.items() if any(slot.startswith("category.") for slot in role.record_slots)
    )
    roles = frozenset(
        name
        for name, role in form.roles.items()
        if role.span != "shared" and (serves(role, named) or (role.kind != "pixels" and sets_categories(role)))
    )
    return by_path | roles if form.objects_are_files else roles


def sets_categories(role: Role) -> bool:
    """Return whether a condition of a role's tables states the category of their rows."""
    if role.rule is None:
        return False
    conditions = (table.each.where for table in tables_within(role.document_rule))
    return any(name.startswith("category.") for where in conditions if where is not None for name in names(where))


def names_category_by(form: Format, slot: str) -> bool:
    """Return whether rows refer to their category by this slot: its `index`, the position in the list, or its `id`."""
    return bool(roles_naming_category_by(form, slot))


def roles_naming_category_by(form: Format, slot: str) -> frozenset[str]:
    """Return the roles whose rows refer to their category by this slot."""
    return frozenset(
        role.name
        for role in form.documents
        if role.rule is not None
        and any(
            meaning.name in (f"category.{slot}", f"label.category.{slot}")
            and meaning.where in ("record", "item", "outer")
            for meaning, _, _ in meanings(role.rule, role.scope)
        )
    )


def spells_category_names(role: Role) -> bool:
    """Return whether the rows of a role's document hold names of categories."""
    return role.rule is not None and any(
        meaning.name in ("category.name", "label.category.name")
        or (scope.kind == "category" and meaning.name == "name")
        for meaning, scope, _ in meanings(role.document_rule, role.scope, kept=False)
    )


@remembered(KEPT_FORMATS)
def binds(form: Format, kind: str, name: str) -> bool:
    """Return whether the documents or paths of a format hold a slot of records of a kind."""
    return any(name in role.slots_of(kind) for role in form.documents) or any(
        f"{kind}.{name}" in role.captures for role in form.roles.values()
    )
