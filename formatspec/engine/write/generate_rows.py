"""Fast writer for rows of objects, generated as Python source.

A leaf whose value is there is encoded at once. For any other leaf its own writer is called. Rows are mappings, or the
lines of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.evaluate.write_context import WriteContext, box_of, derived_of, getter
from formatspec.engine.resolve.codec_chain import Chain, Convert, build
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.write.print_leaf import NO_SOURCE, Writer, as_lists
from formatspec.language.leaf import Bind
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule
from formatspec.model.amounts import amounts
from formatspec.model.records import Category, Object

PlainWriter = Callable[[Object, int, int, WriteContext], Any]
"""Takes an object, its index, the count of rows and the context around it; gives the object's row.
Raises LackingError."""

_SCALARS = ("id", "int", "number", "text", "bool", "state")
_CATEGORY = frozenset(Category.__struct_fields__) - {"parent", "attributes", "origin"}
_OBJECT = frozenset(Object.__struct_fields__) - {"category", "attributes", "origin"}


def plain_writer(
    rule: Rule,
    scope: Scope,
    writer_of: Callable[[Field, Scope], Writer],
    choice_of: Callable[[OneOf, Scope], Writer],
) -> PlainWriter | None:
    """The writer of objects that have no source; None where rows ask for more than leaves and alternatives.

    writer_of: the writer of a field whose leaf is not written at once.  choice_of: the writer of alternatives within a
    row, which gives the keys of the one that is taken.
    """
    if not amounts().generates:
        return None
    if not isinstance(rule, MapRule) or not is_plain(rule, scope):
        return None
    names = Names(NAMES)
    body = ["env, item = context.env, context.item", *BEGINNING, "document = {}"]
    for field in rule.fields:
        body += value_lines(field, scope, writer_of, names)
        body.append(f"if value is not MISSING: document[{field.keys[0]!r}] = value")
    for choice in rule.alternatives:
        choose = names.of("choose", choice_of(choice, scope))
        body.append(f"document.update({choose}({_CONTEXT}, UNSOURCED))")
    return function("write(record, index, rows, context)", [*body, "return document"], names)


def is_plain(rule: MapRule, scope: Scope) -> bool:
    """Whether rows ask for no more than leaves, one under each key, and alternatives beside them."""
    if scope.kind != "object" or any(len(field.keys) > 1 for field in rule.fields):
        return False
    return rule.rest is None or (isinstance(rule.rest, LeafRule) and not isinstance(rule.rest.leaf, Bind))


NAMES: dict[str, Any] = {
    "UNSOURCED": NO_SOURCE, "MISSING": MISSING, "UnfitError": UnfitError, "WriteContext": WriteContext,
    "as_lists": as_lists, "box_of": box_of,
}  # fmt: skip
"""What the lines of any field use."""
BEGINNING = (
    "inner, category = None, record.category",
    "if category is not None: category = context.setting.categories.own(category)",
)
"""Lines that the lines of any field stand behind; `env` and `item` are the context's."""
_CONTEXT = "inner or (inner := WriteContext(context.setting, item, record, context, index, rows))"


def value_lines(
    field: Field, scope: Scope, writer_of: Callable[[Field, Scope], Writer], names: Names,
    encoding: Callable[[Chain], Convert] = attrgetter("encode"),
) -> Iterator[str]:  # fmt: skip
    """The lines of a function that give the `value` of one field; `names` are what they use from outside.

    encoding: which of its leaf's functions encodes a value that is there.
    """
    write = names.of("write", writer_of(field, scope))
    otherwise = f"value = {write}({_CONTEXT}, UNSOURCED)"
    yield from _encoded(field, scope, names, encoding, otherwise) or (otherwise,)


def _encoded(
    field: Field, scope: Scope, names: Names, encoding: Callable[[Chain], Convert], otherwise: str
) -> tuple[str, ...]:
    """The lines that encode a leaf's value; none where only its own writer can."""
    leaf = field.rule.leaf if isinstance(field.rule, LeafRule) else None
    if not isinstance(leaf, Bind) or len(leaf.names) > 1:
        return ()
    meaning = scope.resolve(leaf.names[0], field.place)
    value = _value(meaning, scope, names)
    if value is None or meaning.type == "mapping":
        return ()
    chain = build(leaf, [meaning.value_type], 1, scope.textual, field.place)
    encode = names.of("encode", encoding(chain))
    flat = meaning.value_type in _SCALARS and not leaf.calls
    flat = flat or (scope.textual and (not chain.codecs or chain.codecs[-1].kind != "tree"))
    encoded = f"{encode}(value, env)"
    return (
        f"value = {value}",
        f"if value is None or value == (): {otherwise}",
        "else:",
        f"    try: value = {encoded if flat else f'as_lists({encoded})'}",
        f"    except UnfitError: {otherwise}",
    )


def _value(meaning: Meaning, scope: Scope, names: Names) -> str | None:
    """The source of what a name means, from an object or from its item; None where it takes a context of its own."""
    name = meaning.name
    if meaning.where in ("option", "capture") or (meaning.where == "item" and not name.startswith("label.")):
        return f"{names.of('get', getter(meaning, scope))}(context)"
    if meaning.where != "record":
        return None
    if name == "id":
        return "None if 'objects' in context.setting.renumbered else record.id"
    if name == "bbox":
        return "record.bbox or box_of(record, context.setting.unheld)"
    head, _, rest = name.partition(".")
    if head == "category":
        return f"None if category is None else category.{rest}" if rest in _CATEGORY else None
    if head == "attributes" and rest:
        return f"record.attributes.get({rest!r})"
    return f"record.{name}" if name in _OBJECT and not derived_of(name) else None
