"""Source lines that give the value of a leaf for a record that has no source.

A value that is there is encoded directly. For any other value, the leaf's own writer is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.base.slot_values import Convert
from formatspec.engine.base.source_code import Names
from formatspec.engine.evaluate.value_source import USED, evaluator, value_source
from formatspec.engine.evaluate.write_context import WriteContext, area_of
from formatspec.engine.resolve.codec_chain import Chain, as_it_is, build, spell
from formatspec.engine.resolve.discriminators import constant_of
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.write.mark_written import refuse
from formatspec.engine.write.print_leaf import NO_SOURCE, Writer, as_lists, filler
from formatspec.language.expression import Binary, Conditional, Expression, Literal, Name
from formatspec.language.leaf import Absent, Bind, Computed, Constant, Keep, Text
from formatspec.language.rules import Field

_SCALARS = ("id", "int", "number", "text", "bool", "state")

NAMES: dict[str, Any] = {
    **USED, "UNSOURCED": NO_SOURCE, "MISSING": MISSING, "UnfitError": UnfitError, "WriteContext": WriteContext,
    "as_lists": as_lists, "refuse": refuse, "spell": spell,
}  # fmt: skip
"""Names that the source lines of any field use."""

CONTEXT = "inner or (inner := WriteContext(context.setting, item, record, context, index, rows))"
"""The source of the record's own context, which is made when it is first asked for; `inner` is None before."""


def value_lines(
    field: Field, scope: Scope, writer_of: Callable[[Field, Scope], Writer], names: Names,
    encoding: Callable[[Chain], Convert] = attrgetter("encode"),
) -> Iterator[str]:  # fmt: skip
    """Yield the source lines that compute the `value` of one field; `names` holds what they use from outside.

    encoding: selects the function of the field's codecs that encodes a present value.
    """
    write = names.of("write", writer_of(field, scope))
    otherwise = f"value = {write}({CONTEXT}, UNSOURCED)"
    yield from _encoded(field, scope, names, encoding, otherwise) or (otherwise,)


def _encoded(
    field: Field, scope: Scope, names: Names, encoding: Callable[[Chain], Convert], otherwise: str
) -> tuple[str, ...]:
    """Return the source lines that encode a leaf's value; none if only the leaf's own writer can."""
    leaf = field.rule.leaf
    if isinstance(leaf, Bind):
        return _bound(leaf, field, scope, names, encoding, otherwise) if len(leaf.names) == 1 else ()
    if len(field.keys) > 1:
        return ()
    if isinstance(leaf, Constant):
        return (f"value = {names.of('constant', constant_of(leaf, scope))}",)
    if isinstance(leaf, Absent):
        return ("value = MISSING",)
    if isinstance(leaf, Text):
        return _joined(leaf, field, scope, names, otherwise)
    if isinstance(leaf, Keep):
        return _kept(leaf, field, scope, names, otherwise)
    if isinstance(leaf, Computed) and isinstance(leaf.expression, Literal):
        return _literal(leaf.expression, scope, names)
    return ()


def _kept(leaf: Keep, field: Field, scope: Scope, names: Names, otherwise: str) -> tuple[str, ...]:
    """Return the source lines of a leaf that only a source fills, or else its default."""
    if leaf.default is None:
        return ("value = MISSING",)
    if leaf.default == Literal(None):
        return ("value = MISSING" if field.optional and scope.textual else "value = None",)
    if isinstance(leaf.default, Literal):
        return _literal(leaf.default, scope, names)
    if leaf.default == Name("area") and scope.kind == "object":
        if scope.textual:
            return ()
        area = f"{names.of('area', area_of)}(record, setting)"
        return (
            f"value = None if record.origin is not None and record.origin.area is not None else {area}",
            f"if value is None: {otherwise}",
        )
    value = _default(leaf.default, scope, names)
    if value is None:
        return ()
    spelled = "f'{value!r}' if value.__class__ is int else spell(value)" if scope.textual else "as_lists(value)"
    plain = "value.__class__ is str" if scope.textual else "value.__class__ is str or value.__class__ is int"
    return f"value = {value}", f"if value is None: {otherwise}", f"elif not ({plain}): value = {spelled}"


def _literal(literal: Literal, scope: Scope, names: Names) -> tuple[str, ...]:
    """Return the source line of a constant; none for null."""
    if literal.value is None:
        return ()
    return (f"value = {names.of('constant', spell(literal.value) if scope.textual else literal.value)}",)


def _joined(leaf: Text, field: Field, scope: Scope, names: Names, otherwise: str) -> tuple[str, ...]:
    """Return the source lines of a text whose placeholders are slots that take any text."""
    template = text_template(leaf, scope, field.place)
    lines: list[str] = []
    shown = []
    for name, part in template.leaves.items():
        plain = isinstance(part, Bind) and not part.calls and part.format is None and part.default is None
        if not isinstance(part, Bind) or not plain or len(part.names) > 1 or not template.literals:
            return ()
        meaning = scope.resolve(part.names[0], field.place)
        value = value_source(meaning, scope, names) if meaning.value_type in _SCALARS else None
        if value is None:
            return ()
        shown.append(names.of(f"part_{name}" if name.isidentifier() else "part", None))
        lines.append(f"{shown[-1]} = {value}")
    literals = [repr(one) for one in template.literals]
    parts = [literals[0], *(one for pair in zip(shown, literals[1:], strict=True) for one in pair)]
    joined = " + ".join(part for part in parts if part != repr(""))
    texts = " and ".join(f"{one}.__class__ is str" for one in shown)
    return *lines, f"if {texts}: value = {joined}", f"else: {otherwise}"


def _bound(
    leaf: Bind, field: Field, scope: Scope, names: Names, encoding: Callable[[Chain], Convert], otherwise: str
) -> tuple[str, ...]:
    """Return the source lines that encode the value of a slot; none if only the leaf's own writer can."""
    meaning = scope.resolve(leaf.names[0], field.place)
    value = value_source(meaning, scope, names)
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
    absent = "value is None" if scalar else "value is None or value == ()"
    fill = filler(leaf, meaning.value_type, scope, field.place)
    checks = _encoding_lines(leaf, chain, encode, scalar, field, scope, names, otherwise)
    body = ["else:", *(f"    {one}" for one in checks)] if checks else []
    always = None
    if keys == 1 and fill is None and gone == otherwise:
        always = _encoded_default(leaf, scope, chain, encode, names)
    if always is not None:
        return f"value = {value}", f"if {absent}: value = {always}", *body
    made = None if leaf.default is None else _default(leaf.default, scope, names)
    return (
        f"value = {value}",
        *([f"if {absent}: value = {made}"] if made is not None else []),
        f"if {absent}: {gone}",
        *([f"elif len(value) < len({names.of('fill', fill)}(context)): {otherwise}"] if fill is not None else []),
        *body,
    )


def _encoding_lines(
    leaf: Bind, chain: Chain, encode: Convert, scalar: bool, field: Field, scope: Scope, names: Names, otherwise: str
) -> list[str]:
    """Return the source lines that encode a `value` that is there; one that does not fit is left out if it may be."""
    if field.optional:
        unfit = f"value = refuse({CONTEXT}, {names.of('slots', leaf.names)}) or MISSING"
    else:
        unfit = otherwise
    if encode is spell:
        tried = ("    try: value = spell(value)", f"    except UnfitError: {unfit}")
        return ["if value.__class__ is int: value = f'{value!r}'", "elif value.__class__ is not str:", *tried]
    calculated = bool(chain.codecs) and all(one.formulas for one in chain.codecs)
    flat = (scalar and not leaf.calls) or calculated
    flat = flat or (scope.textual and (not chain.codecs or chain.codecs[-1].kind != "tree"))
    if encode is as_it_is and flat:
        lines = []
    else:
        called = f"{names.of('encode', encode)}(value, env)"
        lines = [f"try: value = {called if flat else f'as_lists({called})'}", f"except UnfitError: {unfit}"]
    if len(field.keys) > 1:
        counted = f"if len(value) != {len(field.keys)}: {otherwise}"
        lines += ["else:", f"    {counted}"] if lines else [counted]
    return lines


def _encoded_default(leaf: Bind, scope: Scope, chain: Chain, encode: Convert, names: Names) -> str | None:
    """Return the source of what is written for a missing value of a key that must be there, if that is always the same.

    It is the leaf's default, or what its codecs make of null.
    """
    literal = Literal(None) if leaf.default is None else leaf.default
    says_null = leaf.default == Literal(None)
    if not isinstance(literal, Literal) or (says_null and scope.textual) or chain.needs:
        return None
    try:
        encoded = encode(literal.value, Env())
    except (UnfitError, TypeError, ValueError, AttributeError, LookupError):  # a codec of a plugin may not expect null
        return None
    if isinstance(encoded, list | tuple | dict) or (literal.value is None and not says_null and encoded in (None, "")):
        return None
    return names.of("constant", encoded)


def _default(default: Expression, scope: Scope, names: Names) -> str | None:
    """Return the source of the value that replaces a missing one; None if only the leaf's own writer can give it."""
    if isinstance(default, Literal):
        return None if default.value is None else names.of("constant", default.value)
    if isinstance(default, Binary) and default.operator == "+" and isinstance(default.right, Literal):
        left = default.left if type(default.right.value) is int else None
        meaning = scope.meaning(left.name) if isinstance(left, Name) else None
        if meaning is None or meaning.name != "index" or meaning.where not in ("record", "item"):
            return None
        of_item = scope.kind == "item" or meaning.where == "item"
        return f"{'setting.index' if of_item else 'index'} + {default.right.value}"
    if scope.kind != "item":
        return None
    if isinstance(default, Name):
        meaning = scope.meaning(default.name)
        return None if meaning is None or meaning.value_type not in _SCALARS else value_source(meaning, scope, names)
    ends = (default.then, default.otherwise) if isinstance(default, Conditional) else (default,)
    evaluate = evaluator(default, scope, False) if all(isinstance(one, Literal) for one in ends) else None
    return None if evaluate is None else f"{names.of('evaluate', evaluate)}(context)"
