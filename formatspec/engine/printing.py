"""One leaf printed: from a frame to the value that stands in the file, or to the source while nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from formatspec.codecs.registry import Unfit
from formatspec.engine.chain import build, spell
from formatspec.engine.frames import Frame, Getter, WriteScope, getter
from formatspec.engine.job import MISSING
from formatspec.engine.scope import Scope
from formatspec.engine.telling import constant_of
from formatspec.engine.templates import text_template
from formatspec.language import expression
from formatspec.language.errors import Place
from formatspec.language.expression import Expression, ExpressionError, Literal, UnknownName
from formatspec.language.leaf import Bind, Computed, Constant, Keep, Leaf, Text
from formatspec.language.rules import problem

NO_SOURCE: Any = type("NoSource", (), {"__repr__": lambda self: "NO_SOURCE"})()
"""Stands for the source of what has none; MISSING stands for what its source left out."""


Writer = Callable[[Frame, Any], Any]


Print = Callable[[Frame], Any]


class Lacking(ValueError):
    """A required value is not there, or does not fit: the record cannot be written."""

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
        self.why = why


def same_value(a: Any, b: Any) -> bool:
    """Equality that tells 0, 0.0, "0" and false apart, through lists and mappings."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)
    return a is b or bool(a == b)


def kept_or(show: Print) -> Writer:
    """A writer that gives the source while what is shown has not changed."""

    def write(frame: Frame, source: Any) -> Any:
        if source is NO_SOURCE or frame.then is None:
            return show(frame)
        try:
            now: Any = show(frame)
        except Lacking as lacking:
            now = lacking
        try:
            then: Any = show(frame.then)
        except Lacking as lacking:
            then = lacking
        if isinstance(now, Lacking):
            if isinstance(then, Lacking):
                return source
            raise now
        return source if same_value(now, then) else now

    return write


def list_kept(write: Writer) -> Writer:
    """A writer of an item's list of categories that gives the source while neither the list nor a category changed."""
    kept = kept_or(lambda frame: write(frame, NO_SOURCE))

    def write_list(frame: Frame, source: Any) -> Any:
        then = frame.then
        same = then is not None and then.setting.categories.listed == frame.setting.categories.listed
        return kept(frame, source) if same else write(frame, NO_SOURCE)

    return write_list


def leaf_writer(leaf: Leaf, place: Place, scope: Scope, keys: int, required: bool) -> Writer:
    if isinstance(leaf, Constant):
        value = constant_of(leaf, scope)
        return lambda frame, source: value
    if isinstance(leaf, Keep):
        return _keep(leaf, place, scope, required)
    if isinstance(leaf, Computed):
        return kept_or(_computed(leaf, place, scope, required))
    if isinstance(leaf, Text):
        return kept_or(_text(leaf, place, scope, required))
    return kept_or(_bind(leaf, place, scope, keys, required))


def compiled(value: Expression, scope: Scope, place: Place) -> Callable[[Frame], object]:
    """An expression as a function of a frame; an error while it runs is no value."""
    return _total(expression.compile_expression, value, scope, place)


def condition(value: Expression, scope: Scope, place: Place) -> Callable[[Frame], object]:
    """Whether an expression holds for a frame; where it goes wrong it does not."""
    return _total(expression.compile_condition, value, scope, place)


def _total(
    compile_it: Callable[..., Getter], value: Expression, scope: Scope, place: Place
) -> Callable[[Frame], object]:
    try:
        run = compile_it(value, WriteScope(scope))
    except UnknownName as error:
        scope.resolve(error.name, place)
        raise problem(f"{error.name!r} has no value here", place) from None

    def evaluate(frame: Frame) -> object:
        try:
            return run(frame)
        except ExpressionError:
            return None

    return evaluate


def _keep(leaf: Keep, place: Place, scope: Scope, required: bool) -> Writer:
    if leaf.default is None:
        return lambda frame, source: MISSING if source is NO_SOURCE else source
    default = compiled(leaf.default, scope, place)
    textual, what = scope.textual, expression.format(leaf.default)
    null_said = leaf.default == Literal(None) and (required or not textual)

    def show(frame: Frame) -> Any:
        value = default(frame)
        if value is not None:
            return spell(value) if textual else listed(value)
        if null_said:
            return None
        if required:
            raise Lacking(what)
        return MISSING

    return kept_or(show)


def listed(value: Any) -> Any:
    return [listed(part) for part in value] if isinstance(value, list | tuple) else value


def _computed(leaf: Computed, place: Place, scope: Scope, required: bool) -> Print:
    run = compiled(leaf.expression, scope, place)
    textual = scope.textual

    def show(frame: Frame) -> Any:
        value = run(frame)
        if value is None:
            if required:
                raise Lacking(expression.format(leaf.expression))
            return MISSING
        return spell(value) if textual else listed(value)

    return show


def _bind(leaf: Bind, place: Place, scope: Scope, keys: int, required: bool) -> Print:
    meanings = [scope.resolve(name, place) for name in leaf.names]
    chain = build(leaf, [meaning.value_type for meaning in meanings], keys, scope.textual, place)
    getters = [getter(meaning, scope) for meaning in meanings]
    default = None if leaf.default is None else compiled(leaf.default, scope, place)
    null_said = leaf.default == Literal(None) and not scope.textual
    encode, what = chain.encode, ", ".join(leaf.names)
    get = _one(getters[0]) if len(getters) == 1 else _several(getters)
    mapping = meanings[0].type == "mapping"
    if mapping and scope.bound:
        get = _unbound(get, scope.bound)

    def show(frame: Frame) -> Any:
        value, said = get(frame), False
        if (value is None or value == ()) and default is not None:
            value = default(frame)
            value = tuple(value) if isinstance(value, list) else value
            said = null_said if value is None else True
        if not said and (value is None or ((value == () or (mapping and not value)) and not required)):
            if value is None and required and not _null_fits(encode, frame, scope.textual):
                raise Lacking(what)
            if not required:
                return MISSING
        try:
            encoded = encode(value, frame.env)
        except Unfit as unfit:
            if not required:
                return MISSING
            raise Lacking(what, unfit.expected) from None
        if keys > 1:
            return tuple(listed(part) for part in encoded)
        return listed(encoded)

    return show


def _unbound(get: Callable[[Frame], Any], bound: frozenset[str]) -> Callable[[Frame], Any]:
    """A mapping without the entries that have leaves of their own."""

    def rest(frame: Frame) -> Any:
        held = get(frame)
        return {name: part for name, part in held.items() if name not in bound} if isinstance(held, dict) else held

    return rest


def _null_fits(encode: Callable[[Any, Any], Any], frame: Frame, textual: bool) -> bool:
    """Whether the codecs have a spelling for no value; in a text, nothing is none."""
    try:
        shown = encode(None, frame.env)
        return shown is not None and not (textual and shown == "")
    except Unfit:
        return False


def _one(get: Getter) -> Getter:
    return get


def _several(getters: list[Getter]) -> Getter:
    def get(frame: Frame) -> Any:
        values = tuple(one(frame) for one in getters)
        return None if any(value is None for value in values) else values

    return get


def _text(leaf: Text, place: Place, scope: Scope, required: bool) -> Print:
    template = text_template(leaf, scope, place)
    inner = replace(scope, textual=True)
    printers = {
        name: _computed(part, place, inner, name not in template.optional)
        if isinstance(part, Computed)
        else _bind(part, place, inner, 1, name not in template.optional)
        for name, part in template.leaves.items()
    }

    def show(frame: Frame) -> Any:
        values: dict[str, Any] = {}
        for name, printer in printers.items():
            value = printer(frame)
            if value is not MISSING:
                values[name] = value
        try:
            return template.template.render(values)
        except (ValueError, KeyError) as error:
            if required:
                raise Lacking(leaf.source, str(error)) from None
            return MISSING

    return show
