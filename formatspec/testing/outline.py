"""The leaves of a format in the form that the generator needs: what each binds, and how it reaches the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from formatspec.engine.documents.named_keys import named_keys
from formatspec.engine.evaluate.expressions import condition
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.questions.meanings import meanings
from formatspec.engine.resolve.questions.tables import object_tables
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.shared_values import value_names, value_slots
from formatspec.language import expression
from formatspec.language.errors import Place
from formatspec.language.expression import Binary, Literal, Name, Unary, conjuncts
from formatspec.language.leaf import Bind, Text, bindings
from formatspec.language.rules import (
    BLOCK,
    GROUP,
    KEY,
    Field,
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_derived,
)

DERIVED = "derived"
"""The kind under which leaves of derived slots are listed, for all records."""


Chosen = tuple[tuple[int, int], bool, Callable[[WriteContext], object]]
"""The condition of an alternative: which alternative it is, whether it is a row of items, and the condition."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A leaf of a format: what it binds, and how it reaches the file.

    Attributes:
        each: The slot is a mapping, and each of its values goes through the codecs.
        column: The codecs take the values of the slot in all rows of a table, as one list.
        keys: The keys of the file for the leaf; none in a list or a line.
    """

    slots: tuple[str, ...]
    types: tuple[str, ...]
    chain: Chain
    required: bool
    choice: tuple[tuple[int, int], ...]
    textual: bool
    leaf: Bind
    role: str
    pixels: bool
    place: Place
    keys: tuple[str, ...] = ()
    each: bool = False
    column: bool = False

    @property
    def named(self) -> str:
        """Return the name of the leaf in messages: its keys, its slots and its codecs."""
        spelled = " | ".join((", ".join(self.leaf.names), *(call.name for call in self.leaf.calls)))
        return f"the leaf `{', '.join(self.keys)}: {spelled}`" if self.keys else f"the leaf `{spelled}`"


@dataclass(slots=True)
class Outline:
    """What the records of each kind hold in a format."""

    everything: bool = False
    leaves: dict[str, list[Bound]] = field(default_factory=dict)
    constants: dict[str, list[tuple[int, int, str, Any]]] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    choices: int = 0
    widest: int = 8
    alone: bool = False
    places: dict[Place | str, int] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
    """How many lists of objects with one shape each a role's documents hold."""
    areas: list[Callable[[WriteContext], object]] = field(default_factory=list)
    conditions: list[tuple[bool, Callable[[WriteContext], object]]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    """Alternatives with a condition, and whether the condition is about the item, not the object."""
    object_roles: dict[str, bool] = field(default_factory=dict)
    rings: tuple[str, ...] = ()
    numbers: set[str] = field(default_factory=set)
    """Slots by which a label image distinguishes objects of one category."""
    shared: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    """Slots that a shared document states for all its items, and the names by which the items agree."""
    tracks: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    """For groups of one object: the names that distinguish sequences, and the slots that groups state."""
    keys: list[tuple[str, ...]] = field(default_factory=list)
    """Slots of objects that the key of their row gives; no two objects may have equal ones."""
    words: set[str] = field(default_factory=set)
    """Names of paths that a line spells as words without blanks."""
    complete: bool = False
    """Whether a file has a value in each column for every item, so that no item is without a label."""


def outline(form: Format, everything: bool = False) -> Outline:
    """Return the leaves of a format by kind of record.

    With `everything`, also leaves that no generated dataset uses: those of roles that are only kept, and of tables
    whose rows are linked to objects by overlap.
    """
    found = Outline(everything=everything)
    for role in form.roles.values():
        rule = role.codec.rule if role.codec is not None else role.rule
        if rule is not None and (everything or not role.kept) and (role.name != IMAGE or role.kind):
            _collect(rule, role.scope, role, True, (), found)
            if slots := value_slots(role):
                found.shared.append((slots, value_names(form, role)))
    painted = [name for name, pixels in found.object_roles.items() if pixels]
    if painted:
        bound = Bind(("region",))
        required = len(painted) == len(found.object_roles)
        region = Bound(
            ("region",), ("region",), _ANY, required, (), False, bound, painted[0], True, form.roles[painted[0]].place
        )
        found.leaves.setdefault("object", []).append(region)
    return found


def _collect(
    rule: Rule,
    scope: Scope,
    role: Role,
    required: bool,
    choice: tuple[tuple[int, int], ...],
    found: Outline,
    keys: tuple[str, ...] = (),
) -> None:
    if isinstance(rule, LeafRule):
        _leaf(rule, scope, role, required, choice, found, keys)
    elif isinstance(rule, MapRule):
        found.complete |= role.kind == "csv" and any(one.absent is not None for one in named_keys(rule))
        for one in rule.fields:
            if one.keys == (BLOCK,):
                continue  # blocks are numbered in order
            inner = scope if isinstance(one.rule, LeafRule) else scope.below()
            _collect(one.rule, inner, role, required and not one.optional, choice, found, _spelled(one, role))
        for alternatives in rule.alternatives:
            _collect(alternatives, scope, role, required, choice, found)
        if isinstance(rule.rest, LeafRule):
            _rest(rule.rest, scope, role, choice, found)
        elif rule.rest is not None:
            _collect(rule.rest, scope, role, False, choice, found)
    elif isinstance(rule, ListRule):
        for part in rule.rules:
            _collect(part, scope, role, required, choice, found)
    elif isinstance(rule, TableRule):
        if rule.each.kept or (rule.each.overlap and not found.everything):
            return
        if role.kind == "pixels" and is_derived(rule.row):
            return
        inner = scope.inside(rule.each.table)
        if not choice and _is_one_of_several(rule):
            # A document may have a list of objects for each shape; each object is made for one of these lists.
            number = found.places.setdefault(role.name, found.choices)
            found.choices = len(found.places)
            choice = ((number, found.lists.get(role.name, 0)),)
            found.lists[role.name] = choice[0][1] + 1
            found.widest = max(found.widest, found.lists[role.name])
        found.tables.add(rule.each.table)
        if rule.each.table == "areas" and rule.each.where is not None:
            found.areas.append(condition(rule.each.where, inner, rule.place))
        if rule.each.rings:
            found.rings = rule.each.by
        if rule.keyed and rule.each.table == "objects":
            found.keys.append(_key_slots(rule, inner))
        found.alone = found.alone or rule.each.by == ("item",)
        if role.kind == "pixels" and "category" in rule.each.by:
            slots = (inner.meaning(name) for name in rule.each.by if name != "category")
            found.numbers.update(slot.name for slot in slots if slot is not None and not slot.derived)
        for names, head in _heads_of_tracks(rule):
            stated = {meaning for meaning, _, _ in meanings(head, inner)}
            said = sorted(m.name for m in stated if m.where == "record" and not m.name.startswith("category."))
            found.tracks.append((names, tuple(said)))
            if sizes := tuple(sorted(m.name for m in stated if m.name in ("image.width", "image.height"))):
                found.shared.append((sizes, ("subset", *names)))  # the frames of one track have one size
        if rule.each.table == "objects":
            found.object_roles[role.name] = role.kind == "pixels"
        if rule.each.table == "objects" and (scope.kind == "item" or role.kind == "pixels"):
            where = rule.each.where
            holds = (lambda frame: True) if where is None else condition(where, inner, rule.place)
            found.conditions.append((role.kind == "pixels", holds))
        of_item = rule.each.table == "items" and any(object_tables(rule.row))
        told = of_item or rule.each.table == "objects"
        if told and role.kind != "pixels" and rule.each.where is not None and choice:
            found.chosen.append((choice[-1], of_item, condition(rule.each.where, inner, rule.place)))
        if role.kind == "pixels" and inner.kind == "object" and rule.each.where is None and not _slotted(rule.row):
            found.leaves.setdefault("object", []).append(
                Bound(
                    ("region",), ("region",), _ANY, not role.optional, (), False, Bind(("region",)), role.name, True,
                    rule.place,
                )
            )  # fmt: skip
        _conditions(rule, inner, choice, found, role.kind == "pixels")
        _collect(rule.row, inner, role, True, choice, found)
    elif isinstance(rule, OneOf):
        number = found.places.setdefault(rule.place, found.choices)
        found.choices = len(found.places)
        offered = [a for a in rule.alternatives if not (isinstance(a, TableRule) and a.each.kept)]
        found.widest = max(found.widest, len(offered))
        tables = [a.each.table for a in offered if isinstance(a, TableRule)]
        for place, alternative in enumerate(offered):
            alone = isinstance(alternative, TableRule) and tables.count(alternative.each.table) == 1
            further = choice if alone and len(tables) > 1 else (*choice, (number, place))
            _collect(alternative, scope, role, required, further, found)


def _is_one_of_several(rule: TableRule) -> bool:
    """Return whether a table takes only objects whose shape is given in a certain way."""
    where = rule.each.where
    return rule.each.table == "objects" and where is not None and "geometry" in expression.names(where)


def _spelled(one: Field, role: Role) -> tuple[str, ...]:
    """Return the keys of a field as the spec spells them; none for the placeholders of a line."""
    if role.kind == "lines":
        return ()
    return tuple(f"{key}?" if one.optional else key for key in one.keys)


def _heads_of_tracks(rule: TableRule) -> Iterator[tuple[tuple[str, ...], Rule]]:
    """Yield, for groups of an object's rows, the names that distinguish sequences, and what stands before the rows."""
    for depth, level in enumerate(rule.levels if rule.each.table == "objects" else ()):
        if "track" in level.each.by:
            head = next(field.rule for field in rule.row.fields if field.keys == (f"{GROUP}{depth}",))
            yield tuple(name for name in level.each.by if name != "track"), head


def _key_slots(rule: TableRule, scope: Scope) -> tuple[str, ...]:
    """Return the slots of a record that the key of its row gives."""
    fields = rule.row.fields
    leaves = [one.rule.leaf for one in fields if one.keys == (KEY,) and isinstance(one.rule, LeafRule)]
    names = [name for leaf in leaves for bind in bindings(leaf) for name in bind.names]
    told = (scope.meaning(name) for name in names)
    return tuple(one.name for one in told if one is not None and one.where == "record" and not one.derived)


def _slotted(row: Rule) -> bool:
    """Return whether the value of a row of pixels says which slot the pixels belong to."""
    fields = row.fields
    leaves = [one.rule.leaf for one in fields if isinstance(one.rule, LeafRule)]
    return any(isinstance(leaf, Bind) and leaf.names == ("slot",) for leaf in leaves)


def _rest(rule: LeafRule, scope: Scope, role: Role, choice: tuple[tuple[int, int], ...], found: Outline) -> None:
    """Add `*: attributes`: a mapping whose values each go through the codecs."""
    leaf = rule.leaf
    meaning = scope.meaning(leaf.names[0]) if isinstance(leaf, Bind) else None
    kind = None if meaning is None else _kind(meaning, scope)
    if meaning is None or kind is None:
        return
    assert isinstance(leaf, Bind)
    each = build(Bind(leaf.names, leaf.calls), ["json"], 1, scope.textual, rule.place)
    found.leaves.setdefault(kind, []).append(
        Bound(
            (meaning.name,), ("mapping",), each, False, choice, scope.textual, leaf, role.name, False, rule.place,
            ("*",), each=True,
        )
    )  # fmt: skip


def _conditions(
    rule: TableRule, scope: Scope, choice: tuple[tuple[int, int], ...], found: Outline, pixels: bool
) -> None:
    """Add `where single` and the like: conditions on rows of an alternative, or on objects of a label image."""
    if rule.each.where is None:
        return
    for part in conjuncts(rule.each.where):
        if isinstance(part, Binary) and part.operator == "==" and isinstance(part.right, Literal):
            left = part.left
            meaning = scope.meaning(left.name) if isinstance(left, Name) else None
            told = meaning is not None and (meaning.name.startswith("category.") or (pixels and not meaning.derived))
            if told and meaning is not None and meaning.where == "record":
                at = choice[-1] if choice else (-1, 0)
                found.constants.setdefault(scope.kind, []).append((*at, meaning.name, part.right.value))
        if not choice:
            continue
        if isinstance(part, Name) and (meaning := scope.meaning(part.name)) is not None and meaning.type == "bool":
            found.constants.setdefault(scope.kind, []).append((*choice[-1], meaning.name, True))
        if isinstance(part, Unary) and isinstance(part.operand, Name):
            meaning = scope.meaning(part.operand.name)
            if meaning is not None and meaning.type == "bool":
                found.constants.setdefault(scope.kind, []).append((*choice[-1], meaning.name, False))


def _leaf(
    rule: LeafRule, scope: Scope, role: Role, required: bool, choice: tuple[tuple[int, int], ...], found: Outline,
    keys: tuple[str, ...],
) -> None:  # fmt: skip
    textual = scope.textual or isinstance(rule.leaf, Text)
    for part in bindings(rule.leaf):
        if part.names == ("slot",):
            for call in part.calls:
                for argument in call.arguments:
                    if argument.value:
                        made = Bound((str(argument.value),), ("region",), _ANY, argument.value == "region", choice,
                                     False, part, role.name, True, rule.place)  # fmt: skip
                        found.leaves.setdefault("object", []).append(made)
            continue
        meanings = [scope.meaning(name) for name in part.names]
        if any(meaning is None for meaning in meanings):
            continue
        known = [meaning for meaning in meanings if meaning is not None]
        if part.format == "word":
            found.words.update(one.name for one in known if one.where == "capture")
        chain = build(part, [meaning.value_type for meaning in known], max(len(keys), 1), textual, rule.place)
        kind = DERIVED if found.everything and known[0].derived else _kind(known[0], scope)
        if kind is None:
            continue
        bound = Bound(
            tuple(meaning.name for meaning in known), tuple(meaning.type for meaning in known), chain,
            required and not part.optional and part.default is None, choice, textual, part, role.name,
            role.kind == "pixels", rule.place, keys, column=known[0].where == "column",
        )  # fmt: skip
        found.leaves.setdefault(kind, []).append(bound)


_ANY = Chain(lambda value, env: value, lambda value, env: value, (), frozenset())


def _kind(meaning: Meaning, scope: Scope) -> str | None:
    if meaning.derived or meaning.where in ("path", "option", "capture", "columns"):
        return None
    if meaning.where == "column":
        return {"categories": "category", "labels": "label"}.get(meaning.table)
    if meaning.where == "item":
        return "item"
    if meaning.where == "outer":
        return None
    if scope.kind == "item" and meaning.name.startswith("label."):
        return "label"
    return scope.kind
