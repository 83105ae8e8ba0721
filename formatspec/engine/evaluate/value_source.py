"""Source lines for the values that names and expressions have for a record and its item.

In the source, `context` is a context of the item, `setting`, `env` and `item` are its own, and `record` is the record.
For a record that is an object, `category` is the target's category of it. What may be missing is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.engine.base.source_code import Names, function
from formatspec.engine.evaluate.unbounded import box_of
from formatspec.engine.evaluate.write_context import WriteContext, derived_of, getter, records_of
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import Binary, Call, Conditional, Expression, Literal, Name, RowsOf, Unary, parts_of
from formatspec.language.values import OPERATORS, ExpressionError, equal, stated, truth
from formatspec.model import derive
from formatspec.model.amounts import amounts
from formatspec.model.records import Category, Item, Object

_CATEGORY = frozenset(Category.__struct_fields__) - {"parent", "attributes", "origin"}
_OBJECT = frozenset(Object.__struct_fields__) - {"category", "attributes", "origin"}
_ITEM = frozenset(Item.__struct_fields__) - {"origin"}
_ORDER = ("<", "<=", ">", ">=")

USED: dict[str, Any] = {
    "box_of": box_of, "equal": equal, "ExpressionError": ExpressionError, "fill_all": derive.fill_all,
    "region_of": derive.region, "stated": stated, "truth": truth,
}  # fmt: skip
"""What the source of values uses besides its own names."""

OF_ITEM = (
    "env, item, setting = context.env, context.item, context.setting",
    "image = None if item is None else item.image",
)
"""Lines that come before the source of values, once for all records of an item."""


def category_lines(source: str) -> tuple[str, ...]:
    """Return the lines that give an object's `category`, if the source asks for it."""
    if "category" not in source:
        return ()
    return (
        "category = record.category",
        "if category is not None:",
        "    place, categories = id(category), setting.categories",
        "    category = categories.known[place][1] if place in categories.known else categories.own(category)",
    )


def value_source(meaning: Meaning, scope: Scope, names: Names) -> str | None:
    """Return the source of the value that a name has for a record; None if it needs the record's own context."""
    name = meaning.name
    of_item = meaning.where == "item" or (meaning.where == "record" and scope.kind == "item")
    if of_item and not name.startswith("label.") and scope.kind != "dataset":
        return _of_item(meaning, scope, names)
    if meaning.where in ("option", "capture") or (meaning.where == "path" and scope.kind == "item"):
        return f"{names.of('get', getter(meaning, scope))}(context)"
    if meaning.where != "record" or scope.kind != "object":
        return None
    if name == "id":
        return "None if 'objects' in setting.renumbered else record.id"
    if name == "bbox":
        return "record.bbox or box_of(record, setting.unheld)"
    if name == "region":
        size = "env.height or None, env.width or None"
        return f"record.region if record.region is not None or not record.polygons else region_of(record, {size})"
    head, _, rest = name.partition(".")
    if head == "category":
        return f"None if category is None else category.{rest}" if rest in _CATEGORY else None
    if head == "attributes" and rest:
        return f"record.attributes.get({rest!r}) if record.attributes else None"
    return f"record.{name}" if name in _OBJECT and not derived_of(name) else None


def _of_item(meaning: Meaning, scope: Scope, names: Names) -> str:
    head, _, rest = meaning.name.partition(".")
    if meaning.name == "index":
        return "setting.index"
    if head == "image" and rest.isidentifier():
        return f"None if image is None else image.{rest}"
    if head == "attributes" and rest:
        return f"None if item is None else item.attributes.get({rest!r})"
    if meaning.name in _ITEM:
        return f"None if item is None else item.{meaning.name}"
    return f"{names.of('get', getter(meaning, scope))}(context)"


def condition_source(part: Expression, scope: Scope, names: Names) -> str | None:
    """Return the source that tests an expression for a record; None if looking at values is not enough."""
    if isinstance(part, Unary) and part.operator == "not":
        inner = condition_source(part.operand, scope, names)
        return None if inner is None else f"(not {inner})"
    if isinstance(part, Binary) and part.operator in ("and", "or"):
        first, second = condition_source(part.left, scope, names), condition_source(part.right, scope, names)
        return None if first is None or second is None else f"({first} {part.operator} {second})"
    value = expression_source(part, scope, names)
    if value is None or isinstance(part, Binary):
        return value
    counts_zero = isinstance(part, Name) and (found := scope.meaning(part.name)) is not None and found.counts_zero
    held = names.of("held", None)
    return f"(({held} := {value}) is not None and {'stated' if counts_zero else 'truth'}({held}))"


def expression_source(part: Expression, scope: Scope, names: Names) -> str | None:
    """Return the source of an expression's value; None for those that need a context of their own.

    The source raises ExpressionError where the expression has no value.
    """
    if isinstance(part, Literal):
        return names.of("constant", part.value)
    if isinstance(part, Name):
        meaning = scope.meaning(part.name)
        value = None if meaning is None else value_source(meaning, scope, names)
        return None if value is None else f"({value})"
    if isinstance(part, Conditional):
        test = condition_source(part.condition, scope, names)
        yes, no = expression_source(part.then, scope, names), expression_source(part.otherwise, scope, names)
        return None if test is None or yes is None or no is None else f"({yes} if {test} else {no})"
    if isinstance(part, Call):
        return _count_source(part, scope, names)
    if isinstance(part, Binary):
        return _comparison(part, scope, names)
    return None


def _comparison(part: Binary, scope: Scope, names: Names) -> str | None:
    left, right = expression_source(part.left, scope, names), expression_source(part.right, scope, names)
    if left is None or right is None:
        return None
    if part.operator in ("==", "!="):
        if isinstance(part.right, Literal) and type(part.right.value) is str:
            held = names.of("held", None)
            quick = f"({held} {part.operator} {right} if ({held} := {left}).__class__ is str"
            return f"{quick} else {'' if part.operator == '==' else 'not '}equal({held}, {right}))"
        return f"{names.of('apply', OPERATORS[part.operator])}({left}, {right})"
    if part.operator in _ORDER and _is_whole(part.left) and _is_whole(part.right):
        return f"({left} {part.operator} {right})"
    return None


def _is_whole(part: Expression) -> bool:
    """Return whether an expression always gives a whole number."""
    return isinstance(part, Call) or (isinstance(part, Literal) and type(part.value) is int)


def _count_source(part: Call, scope: Scope, names: Names) -> str | None:
    """Return the source that counts the records of a table of the item."""
    only = part.arguments[0] if len(part.arguments) == 1 else None
    if part.function != "count" or not isinstance(only, Name | RowsOf):
        return None
    rows = only if isinstance(only, RowsOf) else RowsOf(only.name, Literal(True))
    if rows.table != "objects" or any(isinstance(one, Call) for one in parts_of(rows.condition)):
        return None
    select = f"{names.of('select', records_of(rows.table))}(context)"
    if rows.condition == Literal(True):
        return f"len({select})"
    inner, own = scope.inside(rows.table), Names(USED)
    test = condition_source(rows.condition, inner, own)
    if test is None:
        return None
    fills = [
        "for record in records:",
        "    if record.polygons and record.region is None:",
        "        fill_all(records, env.height or None, env.width or None)",
        "        break",
    ]
    lines = [
        *OF_ITEM,
        *(fills if "region_of" in test else ()),
        "found = 0",
        "for record in records:",
        *(f"    {line}" for line in category_lines(test)),
        f"    if {test}: found += 1",
        "return found",
    ]
    count = function("count(records, context)", lines, own)
    return f"{names.of('count', count)}({select}, context)"


def condition_filter(
    where: Expression, scope: Scope
) -> Callable[[Sequence[Object], WriteContext], list[Object]] | None:
    """Return a function that gives the objects that fulfil a table's condition; None if each needs its own context.

    The function takes the objects and the context around them.
    """
    if not amounts().generates or scope.kind != "object":
        return None
    names = Names(USED)
    source = condition_source(where, scope, names)
    if source is None:
        return None
    tried = ["try:", f"    if {source}: found += (record,)", "except ExpressionError: pass"]
    inner = (f"    {line}" for line in (*category_lines(source), *tried))
    lines = [*OF_ITEM, "found = []", "for record in records:", *inner, "return found"]
    return function("fitting(records, context)", lines, names)


def evaluator(value: Expression, scope: Scope, is_condition: bool) -> Callable[[WriteContext], object] | None:
    """Return a function of a record's own context that evaluates an expression; None if only closures can.

    An error while it runs gives no value. is_condition: whether the expression's truth is asked.
    """
    if not amounts().generates or scope.kind not in ("item", "object"):
        return None
    names = Names(USED)
    source = (condition_source if is_condition else expression_source)(value, scope, names)
    if source is None:
        return None
    lines = [
        *OF_ITEM,
        "record = context.record",
        *category_lines(source),
        f"try: return {source}",
        "except ExpressionError: return None",
    ]
    return function("evaluate(context)", lines, names)
