"""The slots that a reader must give; leaves and files that serve no other purpose are not decoded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from formatspec.engine.base.remembered import remembered
from formatspec.engine.read.leaf_reader import Wanted
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format, Role, everything
from formatspec.engine.spec.object_rows import table_rules
from formatspec.language.expression import names
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import (
    LeafRule,
    LineRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    inside,
    is_derived,
)


@remembered(2048)
def leaves(rule: Rule, scope: Scope, kept: bool = True) -> tuple[tuple[Bind, Scope, bool], ...]:
    """Return every leaf that binds, with its scope, and whether it is in rows that only look up others.

    `kept` says whether rows count that are only written back to the same format.
    """
    return tuple(_leaves(rule, scope, False, kept))


def _leaves(rule: Rule, scope: Scope, lookup: bool, kept: bool) -> Iterator[tuple[Bind, Scope, bool]]:
    if isinstance(rule, LeafRule | LineRule):
        yield from ((bind, scope, lookup) for bind in bindings(rule.leaf))
    elif isinstance(rule, TableRule):
        if rule.each.kept and not kept:
            return
        scope, lookup = scope.inside(rule.each.table), lookup or rule.each.overlap
    for one in inside(rule):
        yield from _leaves(one, scope, lookup, kept)


@remembered(2048)
def meanings(rule: Rule, scope: Scope, kept: bool = True) -> tuple[tuple[Meaning, Scope, bool], ...]:
    """Return what the names of a rule's leaves mean; without `kept`, leaving out what is only written back."""
    return tuple(_meanings(leaves(rule, scope, kept)))


def _meanings(found: Iterable[tuple[Bind, Scope, bool]]) -> Iterator[tuple[Meaning, Scope, bool]]:
    for leaf, inner, lookup in found:
        for name in leaf.names:
            if name == "slot":
                for call in leaf.calls:
                    for argument in call.arguments:
                        if argument.value:
                            meaning = inner.meaning(str(argument.value))
                            if meaning is not None:
                                yield meaning, inner, lookup
                continue
            meaning = inner.meaning(name)
            if meaning is not None:
                yield meaning, inner, lookup


@remembered(2048)
def tables(rule: Rule, lookups: bool = True) -> frozenset[str]:
    """Return the tables whose rows hold something; without `lookups`, only those whose rows are new records."""
    return frozenset(_tables(rule, lookups))


def _tables(rule: Rule, lookups: bool) -> Iterator[str]:
    if isinstance(rule, TableRule) and not is_derived(rule.row) and (lookups or not rule.each.overlap):
        yield rule.each.table
    for one in inside(rule):
        yield from _tables(one, lookups)


def serves(role: Role, wanted: Wanted) -> bool:
    """Return whether a role's documents hold anything that is wanted."""
    if role.rule is None:
        return False
    if role.kind == "pixels" and any(wanted(_REGION, scope) for scope in _pixel_scopes(role)):
        return True
    rule = role.codec.rule if role.codec is not None else role.rule
    return any(not lookup and wanted(meaning, scope) for meaning, scope, lookup in meanings(rule, role.scope))


_REGION = Meaning("record", "region", "region")


def _pixel_scopes(role: Role) -> Iterator[Scope]:
    assert role.rule is not None
    tables = [role.rule] if isinstance(role.rule, TableRule) else getattr(role.rule, "alternatives", ())
    for table in tables:
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
        for meaning, scope, _ in meanings(role.document_rule, role.scope)
    }
    if any("areas" in tables(role.document_rule) for role in source.documents if role.name in present):
        return everything
    if needed & {*OUTLINES, "area", "void"} or any(role.kind == "pixels" for role in target.documents):
        return everything
    return boxes_only if _states_boxes(source) else everything


@lru_cache(KEPT_FORMATS)
def needs_sizes(form: Format) -> bool:
    """Return whether reading a format needs the images' sizes: for fractions of them, or since no file states them."""
    stated = False
    for role in form.documents:
        for leaf, scope, _ in leaves(role.document_rule, role.scope):
            stated = stated or "image.width" in leaf.names
            known = [meaning.value_type for name in leaf.names if (meaning := scope.meaning(name)) is not None]
            if leaf.calls and known and len(known) == len(leaf.names):
                chain = build(leaf, known, 1, scope.textual, role.place)
                if any("size" in codec.needs for codec in chain.codecs):
                    return True
    return not stated


def _states_boxes(form: Format) -> bool:
    """Return whether every object has a box that its row must state."""
    tables = [table for role in form.documents for table in _object_tables(role.document_rule)]
    return bool(tables) and all(
        any("bbox" in _bound(field.rule) and not field.optional for field in table.row.fields)
        for table in tables
        if isinstance(table.row, MapRule)
    )


def _object_tables(rule: Rule) -> Iterator[TableRule]:
    if isinstance(rule, TableRule):
        if rule.each.table in ("objects", "children"):
            yield rule
        else:
            yield from _object_tables(rule.row)
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            yield from _object_tables(field.rule)
        for choice in rule.alternatives:
            yield from _object_tables(choice)
    elif isinstance(rule, OneOf):
        for alternative in rule.alternatives:
            yield from _object_tables(alternative)


def _bound(rule: Rule) -> tuple[str, ...]:
    return rule.leaf.names if isinstance(rule, LeafRule) and isinstance(rule.leaf, Bind) else ()


def tells_states(form: Format) -> bool:
    """Return whether a format can say that a label is absent or unsure: by a value, or by its list or file."""
    for role in form.documents:
        for meaning, scope, _ in meanings(role.document_rule, role.scope):
            of_labels = scope.kind == "label" or (meaning.where == "column" and meaning.table == "labels")
            if meaning.name == "label.state" or (of_labels and meaning.name == "state"):
                return True
        for table in table_rules(role.document_rule):
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
        if role.span != "shared" and (serves(role, named) or sets_categories(role))
    )
    return by_path | roles if form.objects_are_files else roles


def sets_categories(role: Role) -> bool:
    """Return whether a condition of a role's tables states the category of their rows."""
    if role.rule is None or role.kind == "pixels":
        return False
    conditions = (table.each.where for table in table_rules(role.document_rule))
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
    return any(
        scope.kind == kind and meaning.where == "record" and meaning.name == name
        for role in form.documents
        for meaning, scope, _ in meanings(role.document_rule, role.scope)
    ) or any(f"{kind}.{name}" in role.captures for role in form.roles.values())
