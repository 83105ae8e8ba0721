"""Fast writer of rows of objects, and of the rows of items in shared files, generated as Python source.

A leaf whose value is present is encoded directly. For any other leaf, its own writer is called. Rows are mappings, or
the lines of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.base.slot_values import Convert
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.evaluate.unbounded import box_of
from formatspec.engine.evaluate.write_context import WriteContext, area_of, derived_of, getter
from formatspec.engine.resolve.codec_chain import Chain, as_it_is, build
from formatspec.engine.resolve.held_slots import WRITTEN, slot_bits
from formatspec.engine.resolve.questions.tables import OUTLINES
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.write.choose_alternative import PlainAlternative, can_be_plain, chooser_of_plain
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer, as_lists, filler
from formatspec.language import expression
from formatspec.language.expression import Binary, Expression, Literal, Name, Unary
from formatspec.language.leaf import Bind, Keep
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.language.values import OPERATORS, ExpressionError, stated, truth
from formatspec.model.amounts import amounts
from formatspec.model.records import Category, Object

PlainWriter = Callable[[Iterable[Object], Iterable[int], int, WriteContext], Iterator[Any]]
"""Takes objects, their indices, the number of rows and the context around them.

Yields each object's row, or the LackingError that says why it has none. An index is taken from its iterable only when
its object is written.
"""

_SCALARS = ("id", "int", "number", "text", "bool", "state")
_CATEGORY = frozenset(Category.__struct_fields__) - {"parent", "attributes", "origin"}
_OBJECT = frozenset(Object.__struct_fields__) - {"category", "attributes", "origin"}


class FunctionInMaking(NamedTuple):
    """A function whose source is being put together, and how the parts of rows are written that it calls for.

    Attributes:
        names: What the source uses from outside.
        before: The lines that come before the first row, for what is the same for all objects of an item.
        writer_of: The writer of a field whose value is not encoded at once.
        choice_of: The writer of alternatives within a row, which gives the keys of the one that is taken.
    """

    names: Names
    before: list[str]
    writer_of: Callable[[Field, Scope], Writer]
    choice_of: Callable[[OneOf, Scope], Writer]


def _begun(
    writer_of: Callable[[Field, Scope], Writer], choice_of: Callable[[OneOf, Scope], Writer]
) -> FunctionInMaking:
    """A function without lines for any field yet."""
    return FunctionInMaking(Names(NAMES, LackingError=LackingError), list(OF_ITEM), writer_of, choice_of)


def plain_writer(
    rule: Rule,
    scope: Scope,
    writer_of: Callable[[Field, Scope], Writer],
    choice_of: Callable[[OneOf, Scope], Writer],
    holds: int,
) -> PlainWriter | None:
    """Return the writer of objects without a source; None if rows need more than leaves and alternatives.

    Args:
        rule: The rule of a row.
        scope: What names mean in it.
        writer_of: Gives the writer of a field whose leaf is not encoded directly.
        choice_of: Gives the writer of alternatives within a row, which returns the keys of the alternative that is
            used.
        holds: The slots that a row holds, which is noted for each object whose row is given.
    """
    if not amounts().generates:
        return None
    if not isinstance(rule, MapRule) or not is_plain(rule, scope):
        return None
    making = _begun(writer_of, choice_of)
    body = _mapping_lines(rule, scope, making, "document")
    lines = [
        *making.before,
        "for record, index in zip(records, indices):",
        "    claims, mark = setting.claims, len(refused)",
        "    try:",
        *(f"        {line}" for line in (*beginning(scope), *body)),
        "    except LackingError as lacking:",
        "        setting.claims = claims",
        "        del refused[mark:]",
        "        yield lacking",
        "    else:",
        *([f"        held[id(record)] = held.get(id(record), 0) | {holds}"] if holds else ()),
        *(["        setting.claims += 1"] if holds & WRITTEN else ()),
        "        yield document",
    ]
    return function("write(records, indices, rows, context)", lines, making.names)


def _mapping_lines(rule: MapRule, scope: Scope, making: FunctionInMaking, into: str) -> list[str]:
    """Return the source lines that make a mapping for an object, under a local name."""
    body = [f"{into} = {{}}"]
    for field in rule.fields:
        lines = _field_lines(field, scope, making, into)
        if _is_of_item(field, scope):
            known = f"known{len(making.before)}"
            making.before.append(f"{known} = MISSING")
            *lines, put = lines
            lines = [*(f"    {line}" for line in lines), f"    if not isinstance(value, (list, dict)): {known} = value"]
            lines = [f"value = {known}", "if value is MISSING:", *lines, put]
        body += lines
    for choice in rule.alternatives:
        body += _choice_lines(choice, scope, making, into)
    return body


def _field_lines(field: Field, scope: Scope, making: FunctionInMaking, into: str) -> list[str]:
    """Return the source lines that put a field's value under its keys; the last line puts it there."""
    rule, keys = field.rule, field.keys
    if isinstance(rule, MapRule) and not field.optional and len(keys) == 1 and is_plain(rule, scope):
        part = making.names.of("part", None)
        return [*_mapping_lines(rule, scope.below(), making, part), f"{into}[{keys[0]!r}] = {part}"]
    put = f"{into}[{keys[0]!r}] = value" if len(keys) == 1 else f"{into}.update(zip({keys!r}, value))"
    lines = list(value_lines(field, scope, making.writer_of, making.names))
    empty = None if _is_leaf(field) or not field.optional else _is_empty(rule, scope, making)
    if empty is not None:
        lines = [f"if {empty}: value = MISSING", "else:", *(f"    {line}" for line in lines)]
    return [*lines, f"if value is not MISSING: {put}"]


def _is_leaf(field: Field) -> bool:
    return isinstance(field.rule, LeafRule)


def _is_empty(rule: Rule, scope: Scope, making: FunctionInMaking) -> str | None:
    """Return the source that tests if an optional part of a row is empty for an object; None if none can."""
    if isinstance(rule, TableRule):
        return _is_empty_table(rule.each.table, making)
    if isinstance(rule, LeafRule):
        return _is_empty_leaf(rule, scope, making)
    if isinstance(rule, OneOf):
        return _all_of(_is_empty(one, scope, making) for one in rule.alternatives)
    if not isinstance(rule, MapRule):
        return None
    parts = [_is_empty(field.rule, scope.below(), making) for field in rule.fields]
    parts += [_is_empty(choice, scope.below(), making) for choice in rule.alternatives]
    if rule.rest is not None and is_told(rule.rest):
        parts.append(_is_empty(rule.rest, scope.below(), making))
    needed = [field for field in rule.fields if not field.optional]
    if needed and not any(isinstance(one.rule, LeafRule) and _is_bare(one.rule) for one in needed):
        return None
    return _all_of(parts)


def _is_bare(rule: LeafRule) -> bool:
    """Return whether a leaf is a slot without codecs, so that a required one cannot be written if the slot is empty."""
    return isinstance(rule.leaf, Bind) and not rule.leaf.calls and rule.leaf.default is None


def is_told(rule: Rule) -> bool:
    """Return whether keys besides the named ones describe a record, so that they are written for every record."""
    return not isinstance(rule, LeafRule) or isinstance(rule.leaf, Bind)


def _all_of(parts: Iterable[str | None]) -> str | None:
    told = list(dict.fromkeys(parts))
    return None if None in told or not told else "(" + " and ".join(map(str, told)) + ")"


def _is_empty_table(table: str, making: FunctionInMaking) -> str | None:
    if table == "attributes":
        return "not record.attributes"
    if table != "children":
        return None
    if FAMILIES not in making.before:
        making.before.append(FAMILIES)
    return "record.id not in parents"


FAMILIES = "parents = context.family().children"


def _is_empty_leaf(rule: LeafRule, scope: Scope, making: FunctionInMaking) -> str | None:
    leaf = rule.leaf
    if not isinstance(leaf, Bind) or leaf.default is not None:
        return None
    tests: list[str | None] = []
    for name in leaf.names:
        meaning = scope.meaning(name)
        if meaning is None or meaning.where != "record" or meaning.name in ("id", "bbox"):
            return None
        if meaning.type == "mapping" and meaning.name == "attributes":
            tests.append("not record.attributes")
            continue
        value = _value(meaning, scope, making.names)
        tests.append(None if value is None or not value.startswith("record.") else f"{value} in (None, ())")
    return _all_of(tests)


def _choice_lines(rule: OneOf, scope: Scope, making: FunctionInMaking, into: str) -> list[str]:
    """Return the source lines that put the keys of one of several alternatives into a mapping."""
    if _is_outlines(rule, scope):
        choose = making.names.of("choose", making.choice_of(rule, scope))
        bits = slot_bits(rule.alternatives[0], scope)
        put = f"if {_HAS_OUTLINES}: {into}.update({choose}({_CONTEXT}, UNSOURCED))"
        return [put, f"else: held[id(record)] = held.get(id(record), 0) | {bits}"]
    if can_be_plain(rule, scope) and all(
        isinstance(one, MapRule) and is_plain(one, scope) for one in rule.alternatives
    ):
        writers = [_alternative(one, scope, making) for one in rule.alternatives if isinstance(one, MapRule)]
        choose = making.names.of("choose", chooser_of_plain(rule, scope, writers))
        return [f"{into}.update({choose}(record, index, rows, context))"]
    choose = making.names.of("choose", making.choice_of(rule, scope))
    return [f"{into}.update({choose}({_CONTEXT}, UNSOURCED))"]


def _alternative(rule: MapRule, scope: Scope, making: FunctionInMaking) -> PlainAlternative:
    """Return the writer of one of several alternatives within a row."""
    inner = _begun(making.writer_of, making.choice_of)
    body = _mapping_lines(rule, scope, inner, "document")
    lines = [*inner.before, *beginning(scope), *body, "return document"]
    return function("alternative(record, index, rows, context)", lines, inner.names)


_HAS_OUTLINES = "record.polygons or record.region is not None or record.rotated is not None"
"""Whether an object has anything from which outlines or pixels can be computed."""


def _is_outlines(rule: OneOf, scope: Scope) -> bool:
    """Whether alternatives hold only an object's outlines or pixels, so that an object with a box alone fills none."""
    return scope.kind == "object" and all(
        isinstance(choice, MapRule)
        and choice.rest is None
        and not choice.alternatives
        and all(
            field.optional
            and isinstance(field.rule.leaf, Bind)
            and field.rule.leaf.default is None
            and {scope.resolve(name, field.place).name for name in field.rule.leaf.names} <= OUTLINES
            for field in choice.fields
        )
        for choice in rule.alternatives
    )


def _is_of_item(field: Field, scope: Scope) -> bool:
    """Whether a field has the same value in each row of an item."""
    leaf = field.rule.leaf
    if not isinstance(leaf, Bind) or len(field.keys) > 1:
        return False
    default = expression.names(leaf.default) if leaf.default is not None else ()
    meanings = [scope.meaning(name) for name in (*leaf.names, *default)]
    return all(one is not None and one.where in ("item", "capture", "option") for one in meanings)


def condition_filter(
    where: Expression, scope: Scope
) -> Callable[[Sequence[Object], WriteContext], list[Object]] | None:
    """Return a function that gives the objects that fulfil a table's condition; None if each needs its own context.

    The function takes the objects and the context around them.
    """
    if not amounts().generates or scope.kind != "object":
        return None
    names = Names(NAMES, truth=truth, stated=stated, ExpressionError=ExpressionError)
    source = _holds(where, scope, names)
    if source is None:
        return None
    body = ["category = record.category"] if "category." in source else []
    own = "if category is not None: category = context.setting.categories.own(category)"
    tried = ["try:", f"    if {source}: found.append(record)", "except ExpressionError: pass"]
    lines = [*body, *([own] if body else []), *tried]
    inner = (f"    {line}" for line in lines)
    return function(
        "fitting(records, context)", ["found = []", "for record in records:", *inner, "return found"], names
    )


def _holds(part: Expression, scope: Scope, names: Names) -> str | None:
    """Return the source that tests an expression for an object; None if looking at values is not enough."""
    if isinstance(part, Unary) and part.operator == "not":
        inner = _holds(part.operand, scope, names)
        return None if inner is None else f"(not {inner})"
    if isinstance(part, Binary) and part.operator in ("and", "or"):
        first, second = _holds(part.left, scope, names), _holds(part.right, scope, names)
        return None if first is None or second is None else f"({first} {part.operator} {second})"
    value = _of_expression(part, scope, names)
    if value is None or not isinstance(part, Name):
        return value
    meaning = scope.meaning(part.name)
    return f"{'stated' if meaning is not None and meaning.counts_zero else 'truth'}({value})"


def _of_expression(part: Expression, scope: Scope, names: Names) -> str | None:
    """Return the source of an expression's value; None for all but names, constants and their equality."""
    if isinstance(part, Literal):
        return names.of("constant", part.value)
    if isinstance(part, Name):
        meaning = scope.meaning(part.name)
        return None if meaning is None or meaning.where not in ("record", "option") else _value(meaning, scope, names)
    if isinstance(part, Binary) and part.operator in ("==", "!="):
        left, right = _of_expression(part.left, scope, names), _of_expression(part.right, scope, names)
        return (
            None if left is None or right is None else f"{names.of('apply', OPERATORS[part.operator])}({left}, {right})"
        )
    return None


def is_plain(rule: MapRule, scope: Scope) -> bool:
    """Whether rows of objects are leaves, one under each key, and alternatives; or rows of items are leaves alone."""
    of_items = scope.kind == "item" and scope.outer is not None and scope.outer.kind == "dataset"
    if not (scope.kind == "object" or (of_items and not rule.alternatives)):
        return False
    return rule.rest is None or not is_told(rule.rest)


NAMES: dict[str, Any] = {
    "UNSOURCED": NO_SOURCE, "MISSING": MISSING, "UnfitError": UnfitError, "WriteContext": WriteContext,
    "as_lists": as_lists, "box_of": box_of,
}  # fmt: skip
"""Names that the source lines of any field use."""


def beginning(scope: Scope) -> tuple[str, ...]:
    """Return the lines that come before the source lines of the fields of a record."""
    if scope.kind != "object":
        return ("inner = None",)
    own = "if category is not None: category = context.setting.categories.own(category)"
    return "inner, category = None, record.category", own


OF_ITEM = (
    "env, item, setting = context.env, context.item, context.setting",
    "refused, held = setting.refused, setting.held",
)
"""Lines that compute what is the same for all objects of an item."""
_CONTEXT = "inner or (inner := WriteContext(context.setting, item, record, context, index, rows))"


def value_lines(
    field: Field, scope: Scope, writer_of: Callable[[Field, Scope], Writer], names: Names,
    encoding: Callable[[Chain], Convert] = attrgetter("encode"),
) -> Iterator[str]:  # fmt: skip
    """Yield the source lines that compute the `value` of one field; `names` holds what they use from outside.

    encoding: selects the function of the field's codecs that encodes a present value.
    """
    write = names.of("write", writer_of(field, scope))
    otherwise = f"value = {write}({_CONTEXT}, UNSOURCED)"
    yield from _encoded(field, scope, names, encoding, otherwise) or (otherwise,)


def _encoded(
    field: Field, scope: Scope, names: Names, encoding: Callable[[Chain], Convert], otherwise: str
) -> tuple[str, ...]:
    """Return the source lines that encode a leaf's value; none if only the leaf's own writer can."""
    leaf = field.rule.leaf
    if isinstance(leaf, Keep):
        return _stated_or_area(leaf, scope, names, otherwise)
    if not isinstance(leaf, Bind) or len(leaf.names) > 1:
        return ()
    meaning = scope.resolve(leaf.names[0], field.place)
    value = _value(meaning, scope, names)
    gone = "value = MISSING" if field.optional and leaf.default is None else otherwise
    if meaning.type == "mapping":
        of_record = meaning.where == "record" or (meaning.where == "item" and scope.kind == "item")
        whole = of_record and meaning.name == "attributes" and gone != otherwise
        return (f"if record.attributes: {otherwise}", f"else: {gone}") if whole else ()
    if value is None:
        return ()
    keys = len(field.keys)
    chain = build(leaf, [meaning.value_type], keys, scope.textual, field.place)
    encode, scalar = encoding(chain), meaning.value_type in _SCALARS
    flat = (scalar and not leaf.calls) or (bool(chain.codecs) and all(one.formulas for one in chain.codecs))
    flat = flat or (scope.textual and (not chain.codecs or chain.codecs[-1].kind != "tree"))
    called = f"{names.of('encode', encode)}(value, env)"
    encoded = () if encode is as_it_is and flat else (f"value = {called if flat else f'as_lists({called})'}",)
    absent = "value is None" if scalar else "value is None or value == ()"
    fill = filler(leaf, meaning.value_type, scope, field.place)
    checks = (
        *(f"try: {one}" for one in encoded),
        *(f"except UnfitError: {otherwise}" for _ in encoded),
        *([f"if len(value) != {keys}: {otherwise}"] if keys > 1 else []),
    )
    body = ["else:", *(f"    {one}" for one in checks)] if checks else []
    always = None
    if keys == 1 and fill is None and gone == otherwise:
        always = _encoded_default(leaf, chain, encode, names)
    if always is not None:
        return f"value = {value}", f"if {absent}: value = {always}", *body
    made = _default(leaf, scope, names)
    return (
        f"value = {value}",
        *([f"if {absent}: value = {made}"] if made is not None else []),
        f"if {absent}: {gone}",
        *([f"elif len(value) < len({names.of('fill', fill)}(context)): {otherwise}"] if fill is not None else []),
        *body,
    )


def _stated_or_area(leaf: Keep, scope: Scope, names: Names, otherwise: str) -> tuple[str, ...]:
    """Return the source lines of a kept leaf that is the area of an object without a stated one; none for another."""
    if scope.kind != "object" or scope.textual or leaf.default != Name("area"):
        return ()
    area = f"{names.of('area', area_of)}(record, context.setting)"
    return (
        f"value = None if record.origin is not None and record.origin.area is not None else {area}",
        f"if value is None: {otherwise}",
    )


def _encoded_default(leaf: Bind, chain: Chain, encode: Convert, names: Names) -> str | None:
    """Return the source of what is written for a missing value of a key that must be there, if that is always the same.

    It is the leaf's default, or what its codecs make of null.
    """
    literal = Literal(None) if leaf.default is None else leaf.default
    if not isinstance(literal, Literal) or literal == leaf.default == Literal(None) or chain.needs:
        return None
    try:
        encoded = encode(literal.value, Env())
    except (UnfitError, TypeError, ValueError, AttributeError, LookupError):  # a codec of a plugin may not expect null
        return None
    if isinstance(encoded, list | tuple | dict) or (literal.value is None and encoded in (None, "")):
        return None
    return names.of("constant", encoded)


def _default(leaf: Bind, scope: Scope, names: Names) -> str | None:
    """Return the source of the value that replaces a missing one; None if only the leaf's own writer can give it."""
    default = leaf.default
    if isinstance(default, Binary) and default.operator == "+" and isinstance(default.right, Literal):
        left = default.left if type(default.right.value) is int else None
        meaning = scope.meaning("index") if left == Name("index") else None
        if meaning is None or meaning.where != "record":
            return None
        return f"{'setting.index' if scope.kind == 'item' else 'index'} + {default.right.value}"
    if isinstance(default, Literal) and not isinstance(default.value, list | None):
        return names.of("constant", default.value)
    return None


def _value(meaning: Meaning, scope: Scope, names: Names) -> str | None:
    """Return the source of the value that a name has for an object or its item; None if it needs its own context."""
    name = meaning.name
    of_item = meaning.where == "item" or (meaning.where == "record" and scope.kind == "item")
    if meaning.where in ("option", "capture") or (of_item and not name.startswith("label.")):
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
