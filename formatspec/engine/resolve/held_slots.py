"""Bit sets of the object slots that a rule writes.

`losses` subtracts them from the slots that an object has, so that counting what a target cannot hold costs one
operation for each object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from formatspec.codecs.registry import UNMARKED as UNMARKED_CODECS
from formatspec.engine.base.source_code import function
from formatspec.engine.resolve.scope import Scope
from formatspec.language.expression import Binary, Expression, Literal, Name, Unary, conjuncts
from formatspec.language.leaf import Leaf, bindings
from formatspec.language.rules import LeafRule, ListRule, MapRule, OneOf, Rule, TableRule, inside
from formatspec.model.records import Area, Category, Object
from formatspec.model.slots import TABLES

GEOMETRY = ("bbox", "rotated", "polygons", "polyline", "keypoints", "circle", "ellipse", "region", "hidden")
COUNTED = (
    "id", "category", "parent", "level", "group", "track", "order", "single", "attributes", "tags", "score",
    *GEOMETRY, "text",
)  # fmt: skip
BITS = {name: 1 << place for place, name in enumerate(COUNTED)}

WRITTEN = 1 << len(COUNTED)
"""Set beside the slots of what has a row of its own: one that only looks up others adds to what they tell."""

SEVERAL = WRITTEN << 1
"""Set beside outlines that stand ring by ring; without it one ring holds all of an object, joined by bridges."""

UNMARKED = WRITTEN << 2
"""Set beside keypoints of which nothing tells the visible from the hidden."""

BOXED = WRITTEN << 3
"""Set beside a box that stands in the row itself; without it the box follows from what it surrounds."""

ATTRIBUTES = BITS["attributes"]
"""Set where rows tell attributes at all; beside it stands a bit for each attribute that they tell."""

ALL_ATTRIBUTES = WRITTEN << 4
"""Set where rows tell attributes whatever their names are."""

_NAMED_ATTRIBUTES: dict[str, int] = {}
_FIRST_NAMED = 41

SETTLED = ("single",)
"""Slots with two values, of which a condition leaves one."""

SLOT_OF = {"polygon": "polygons"}
UNREAD: tuple[tuple[float, ...], ...] = ((),)
"""Stands for geometry that is there and was not decoded, since nobody asked for it."""

IMPLIED = {
    "region": BITS["bbox"],
    "polygons": BITS["bbox"],
    "ellipse": BITS["circle"],
    "rotated": 0,
    "bbox": 0,
}
"""What follows from a held slot, so that it is not lost: a box from what it surrounds, a circle from an ellipse."""


def record_mark(record: Any) -> Hashable:
    """A hashable value that stands for a record among those that were written.

    It is the record's identity. An area has its category's mark, since an area is made anew for each label image.
    """
    return mark_of_area(record.category) if isinstance(record, Area) else id(record)


def mark_of_area(category: Category | None) -> Hashable:
    """What stands for the area of a category."""
    return None if category is None else (category.id, category.name)


def leaf_names(leaf: Leaf) -> Iterator[str]:
    """The names that a leaf binds."""
    for bind in bindings(leaf):
        yield from bind.names
        if any(call.name == "map" for call in bind.calls) and "slot" in bind.names:
            for call in bind.calls:
                yield from (str(a.value) for a in call.arguments if a.value)


def attribute_bit(name: str) -> int:
    """The bit of an attribute of this name: the same wherever this process asks for it."""
    return _NAMED_ATTRIBUTES.setdefault(name, 1 << (_FIRST_NAMED + len(_NAMED_ATTRIBUTES)))


def attribute_bits(names: Iterable[str]) -> int:
    """The bits of the attributes that a rule's names tell."""
    bits = 0
    for name in names:
        head, _, rest = name.removeprefix("object.").partition(".")
        if head == "attributes":
            bits |= ATTRIBUTES | (attribute_bit(rest) if rest else ALL_ATTRIBUTES)
    return bits


def slot_bits(rule: Rule, scope: Scope) -> int:
    """The slots of an object that the rule holds whatever alternative is taken."""
    bits = 0
    for leaf in _leaves(rule):
        for name in leaf_names(leaf):
            bits |= attribute_bits((name,))
            head = name.removeprefix("object.").partition(".")[0]
            bits |= {"polygons": SEVERAL, "bbox": BOXED}.get(head, 0)
            head = SLOT_OF.get(head, head)
            bits |= BITS.get(head, 0) | IMPLIED.get(head, 0)
            if head == "depth":
                bits |= BITS["level"]
        if any(call.name in UNMARKED_CODECS for bind in bindings(leaf) for call in bind.calls):
            bits |= UNMARKED
    if _tells_attributes(rule):
        bits |= ATTRIBUTES | ALL_ATTRIBUTES
    if scope.table == "children":
        bits |= BITS["parent"]
    return bits


def condition_bits(where: Expression | None) -> int:
    """The slots whose value a condition settles, so that whoever fulfils it has said them."""
    bits = 0
    for part in conjuncts(where) if where is not None else ():
        if isinstance(part, Unary) and part.operator == "not":
            part = part.operand
        elif isinstance(part, Binary) and part.operator in ("==", "!=") and isinstance(part.right, Literal):
            settled = part.operator == "==" or isinstance(part.right.value, bool)
            part = part.left if settled else part.right
        if isinstance(part, Name) and part.name in SETTLED:
            bits |= BITS[part.name]
    return bits


def _leaves(rule: Rule) -> Iterator[Leaf]:
    """The leaves of a rule that stand whatever alternative is taken, those of other records' rows left out."""
    if isinstance(rule, LeafRule):
        yield rule.leaf
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            yield from _leaves(field.rule)
        if rule.rest is not None and isinstance(rule.rest, LeafRule):
            yield rule.rest.leaf
    elif isinstance(rule, ListRule):
        for one in rule.rules:
            yield from _leaves(one)
    elif isinstance(rule, OneOf) and len(rule.alternatives) == 1:
        yield from _leaves(rule.alternatives[0])


def _tells_attributes(rule: Rule) -> bool:
    """Whether a table of attributes stands in a rule whatever alternative is taken."""
    if isinstance(rule, MapRule):
        return any(_tells_attributes(field.rule) for field in rule.fields)
    if isinstance(rule, ListRule):
        return any(map(_tells_attributes, rule.rules))
    if isinstance(rule, OneOf):
        return len(rule.alternatives) == 1 and _tells_attributes(rule.alternatives[0])
    return isinstance(rule, TableRule) and TABLES[rule.each.table] == "attribute"


def names_within(rule: Rule) -> Iterator[str]:
    """The names that all leaves of a rule bind, whichever alternative is taken; not those of other records' rows."""
    if isinstance(rule, LeafRule):
        yield from leaf_names(rule.leaf)
    if isinstance(rule, TableRule):
        yield from ("attributes",) if TABLES[rule.each.table] == "attribute" else ()
        return
    for one in inside(rule):
        yield from names_within(one)


def _stated(slot: str) -> str:
    """The condition that a slot holds a value: an empty tuple or mapping is none."""
    default = getattr(Object(), slot)
    return f"thing.{slot} is not None" if default is None else f"thing.{slot}"


stated_bits: Callable[[Object], int] = function(
    "stated_bits(thing)",
    ["bits = 0", *(f"if {_stated(slot)}: bits |= {bit}" for slot, bit in BITS.items()), "return bits"],
    {},
)
"""The slots of an object that hold a value."""
