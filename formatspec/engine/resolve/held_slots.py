"""Bit sets of the object slots that a rule writes.

`losses` subtracts them from the slots that an object has, so that counting what a target cannot hold costs one
operation for each object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from formatspec.codecs.registry import UNMARKED as UNMARKED_CODECS
from formatspec.engine.base.source_code import function
from formatspec.engine.resolve.questions.tables import certain, up_to_tables
from formatspec.engine.resolve.scope import Scope
from formatspec.language.expression import Binary, Expression, Literal, Name, Unary, conjuncts
from formatspec.language.leaf import Leaf, bindings
from formatspec.language.rules import Rule, TableRule
from formatspec.model.records import Area, Category, Object
from formatspec.model.slots import TABLES

GEOMETRY = ("bbox", "rotated", "polygons", "polyline", "keypoints", "circle", "ellipse", "region", "hidden")
COUNTED = (
    "id", "category", "parent", "level", "group", "track", "order", "single", "attributes", "tags", "score",
    *GEOMETRY, "text",
)  # fmt: skip
BITS = {name: 1 << place for place, name in enumerate(COUNTED)}

WRITTEN = 1 << len(COUNTED)
"""The bit for a record with a row of its own; a row that only looks up others adds to what those hold."""

SEVERAL = WRITTEN << 1
"""The bit for outlines that are written ring by ring; without it one ring, joined by bridges, holds them all."""

UNMARKED = WRITTEN << 2
"""The bit for keypoints without a mark that distinguishes visible from hidden ones."""

BOXED = WRITTEN << 3
"""The bit for a box that the row itself states; without it the box follows from other geometry."""

ATTRIBUTES = BITS["attributes"]
"""The bit for rows that hold attributes; each attribute that they hold has a further bit."""

ALL_ATTRIBUTES = WRITTEN << 4
"""The bit for rows that hold all attributes, whatever their names."""

_NAMED_ATTRIBUTES: dict[str, int] = {}
_FIRST_NAMED = 41

SETTLED = ("single",)
"""Slots with two values, of which a condition leaves one."""

SLOT_OF = {"polygon": "polygons"}
UNREAD: tuple[tuple[float, ...], ...] = ((),)
"""Stands for geometry that is present and was not decoded, because it is not needed."""

IMPLIED = {"region": BITS["bbox"], "polygons": BITS["bbox"], "ellipse": BITS["circle"], "rotated": 0, "bbox": 0}
"""What follows from a held slot and is therefore not lost: a box from its content, a circle from an ellipse."""


def record_mark(record: Any) -> Hashable:
    """Return a hashable value that identifies a record among those that were written.

    For most records this is their identity. An area has its category's mark, since a new area is made for each label
    image.
    """
    return mark_of_area(record.category) if isinstance(record, Area) else id(record)


def mark_of_area(category: Category | None) -> Hashable:
    """Return the mark of a category's area."""
    return None if category is None else (category.id, category.name)


def leaf_names(leaf: Leaf | None) -> Iterator[str]:
    """Yield the names that a leaf binds."""
    for bind in bindings(leaf):
        yield from bind.names
        if any(call.name == "map" for call in bind.calls) and "slot" in bind.names:
            for call in bind.calls:
                yield from (str(a.value) for a in call.arguments if a.value)


def attribute_bit(name: str) -> int:
    """Return the bit of an attribute; within one process it is always the same."""
    return _NAMED_ATTRIBUTES.setdefault(name, 1 << (_FIRST_NAMED + len(_NAMED_ATTRIBUTES)))


def attribute_bits(names: Iterable[str]) -> int:
    """Return the bits of the attributes that a rule's names hold."""
    bits = 0
    for name in names:
        head, _, rest = name.removeprefix("object.").partition(".")
        if head == "attributes":
            bits |= ATTRIBUTES | (attribute_bit(rest) if rest else ALL_ATTRIBUTES)
    return bits


def slot_bits(rule: Rule, scope: Scope) -> int:
    """Return the slots of an object that the rule holds whichever alternative is taken."""
    bits = 0
    for leaf in (one.leaf for one in certain(rule) if one.leaf is not None):
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
    if any(isinstance(one, TableRule) and TABLES[one.each.table] == "attribute" for one in certain(rule)):
        bits |= ATTRIBUTES | ALL_ATTRIBUTES
    if scope.table == "children":
        bits |= BITS["parent"]
    return bits


def condition_bits(where: Expression | None) -> int:
    """Return the slots whose value a condition determines, so that they are not lost for records that meet it."""
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


def names_within(rule: Rule) -> Iterator[str]:
    """Yield the names that any leaf of a rule binds, without rows of other records."""
    for one in up_to_tables(rule):
        if isinstance(one, TableRule) and TABLES[one.each.table] == "attribute":
            yield "attributes"
        yield from leaf_names(one.leaf)


def stated_source(slot: str, thing: str) -> str:
    """Return the source that tests if a slot of an object holds a value; an empty tuple or mapping counts as none.

    thing: the name of the object in the source.
    """
    default = getattr(Object(), slot)
    return f"{thing}.{slot} is not None" if default is None else f"{thing}.{slot}"


stated_bits: Callable[[Object], int] = function(
    "stated_bits(thing)",
    ["bits = 0", *(f"if {stated_source(slot, 'thing')}: bits |= {bit}" for slot, bit in BITS.items()), "return bits"],
    {},
)
"""Gives the slots of an object that hold a value, as bits."""
