"""The writer of one leaf: it gives the value for the file, or the source's own value while nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import Getter, WriteContext, getter
from formatspec.engine.resolve.codec_chain import build, spell
from formatspec.engine.resolve.discriminators import constant_of
from formatspec.engine.resolve.held_slots import record_mark
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.write.mark_written import refuse
from formatspec.language import expression
from formatspec.language.errors import Place
from formatspec.language.expression import Literal, Name
from formatspec.language.leaf import Absent, Bind, Computed, Constant, Keep, Leaf, Text
from formatspec.language.rules import problem
from formatspec.model.plain.same_value import same_value
from formatspec.model.records import StatedArea, is_reshaped

NO_SOURCE: Any = type("NoSource", (), {"__repr__": lambda self: "NO_SOURCE"})()
"""Stands for the source of a value that has none; MISSING stands for a key that the source left out."""


Writer = Callable[[WriteContext, Any], Any]


Print = Callable[[WriteContext], Any]


class LackingError(ValueError):
    """A required value is missing or does not fit, so the record cannot be written."""

    def __init__(self, what: str, why: str = "") -> None:
        """Take the name of what is missing, and the reason if it is known."""
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
        self.why = why


def kept_or(show: Print) -> Writer:
    """Wrap a printer so that it gives the source's value as long as the printed value has not changed since reading."""

    def write(context: WriteContext, source: Any) -> Any:
        if source is NO_SOURCE or context.as_read is None:
            return show(context)
        try:
            now: Any = show(context)
        except LackingError as lacking:
            now = lacking
        try:
            then: Any = show(context.as_read)
        except LackingError as lacking:
            then = lacking
        if isinstance(now, LackingError):
            if isinstance(then, LackingError):
                return source
            raise now
        return source if same_value(now, then) else now

    return write


def list_kept(write: Writer) -> Writer:
    """Wrap the writer of an item's list of categories: it gives the source while nothing in them changed."""
    kept = kept_or(lambda context: write(context, NO_SOURCE))

    def write_list(context: WriteContext, source: Any) -> Any:
        then = context.as_read
        same = then is not None and then.setting.categories.listed == context.setting.categories.listed
        return kept(context, source) if same else write(context, NO_SOURCE)

    return write_list


def leaf_writer(leaf: Leaf, place: Place, scope: Scope, keys: int, required: bool) -> Writer:
    """Compile the writer of one leaf, which makes a value of the document from slots of a record.

    Args:
        leaf: The leaf as it was parsed.
        place: Where the spec states it.
        scope: What names mean there.
        keys: How many keys its value fills.
        required: Whether a record without a value cannot be written, so that the writer raises LackingError.

    Raises:
        SpecError: The leaf's slots or codecs do not go together.
    """
    if isinstance(leaf, Constant):
        value = constant_of(leaf, scope)
        return lambda context, source: value
    if isinstance(leaf, Absent):
        return lambda context, source: MISSING
    if isinstance(leaf, Keep):
        return _keep(leaf, place, scope, required)
    if isinstance(leaf, Computed):
        return kept_or(_computed(leaf, place, scope, required))
    if isinstance(leaf, Text):
        return kept_or(_text(leaf, place, scope, required))
    return kept_or(_bind(leaf, place, scope, keys, required))


def _keep(leaf: Keep, place: Place, scope: Scope, required: bool) -> Writer:
    if leaf.default is None:
        return lambda context, source: MISSING if source is NO_SOURCE else source
    default = compiled(leaf.default, scope, place)
    textual, what = scope.textual, expression.format(leaf.default)
    null_said = leaf.default == Literal(None) and (required or not textual)

    areas = scope.kind == "object" and leaf.default == Name("area")

    def show(context: WriteContext) -> Any:
        value = default(context)
        if areas and context.record.origin is not None and context.record.origin.area is not None:
            value = _area(context, context.record.origin.area, value)
        if value is not None:
            return spell(value) if textual else as_lists(value)
        if null_said:
            return None
        if required:
            raise LackingError(what)
        return MISSING

    return kept_or(show)


AREA_ROUNDING = 1.0
"""By how many square pixels a computed area may differ from the stated one: some tools count whole pixels."""


def _area(context: WriteContext, stated: StatedArea, computed: Any) -> Any:
    """Return the area that is written for an object.

    It is the area that the source states if the shape is written unchanged. Otherwise it is the area of the written
    shape, and if that is another number, the report counts it.
    """
    setting, thing = context.setting, context.record
    drawn = record_mark(thing) in setting.seen or (setting.drawn and thing.polygons and thing.region is None)
    if not (setting.boxed or drawn or is_reshaped(thing, stated)):
        return stated.value
    if computed is None or abs(computed - stated.value) > AREA_ROUNDING:
        refuse(context, ("area",))
    return computed


def as_lists(value: Any) -> Any:
    """Return a value with all tuples in it as lists, as in JSON."""
    if value.__class__ is not list and value.__class__ is not tuple and not isinstance(value, list | tuple):
        return value
    for part in value:
        if part.__class__ not in _FLAT:
            return [as_lists(part) for part in value]
    return [*value]


_FLAT = frozenset({float, int, str, bool, type(None)})
"""Types of values that are no tuples."""


def _computed(leaf: Computed, place: Place, scope: Scope, required: bool) -> Print:
    run = compiled(leaf.expression, scope, place)
    textual = scope.textual

    def show(context: WriteContext) -> Any:
        value = run(context)
        if value is None:
            if required:
                raise LackingError(expression.format(leaf.expression))
            return MISSING
        return spell(value) if textual else as_lists(value)

    return show


def _bind(leaf: Bind, place: Place, scope: Scope, keys: int, required: bool) -> Print:
    meanings = [scope.resolve(name, place) for name in leaf.names]
    chain = build(leaf, [meaning.value_type for meaning in meanings], keys, scope.textual, place)
    getters = [getter(meaning, scope) for meaning in meanings]
    default = None if leaf.default is None else compiled(leaf.default, scope, place)
    null_said = leaf.default == Literal(None) and not scope.textual
    encode, what, names = chain.encode, ", ".join(leaf.names), tuple(leaf.names)
    get = getters[0] if len(getters) == 1 else _several(getters)
    mapping = meanings[0].type == "mapping"
    shape = len(meanings) == 1 and meanings[0].value_type in ("ring", "keypoints")  # one without points is missing
    fill = filler(leaf, meanings[0].value_type, scope, place) if len(meanings) == 1 else None
    if mapping and scope.bound:
        get = _unbound(get, scope.bound)

    def show(context: WriteContext) -> Any:
        value, said = get(context), False
        if shape and value == ():
            value = None
        if (value is None or value == ()) and default is not None:
            value = default(context)
            value = tuple(value) if isinstance(value, list) else value
            said = null_said if value is None else True
        if fill is not None and value and len(value) < len(points := fill(context)):
            value = (*value, *points[len(value) :])
        if not said and (value is None or ((value == () or (mapping and not value)) and not required)):
            if value is None and required and not _null_fits(encode, context, scope.textual):
                raise LackingError(what)
            if not required:
                return MISSING
        try:
            encoded = encode(value, context.env)
        except UnfitError as unfit:
            entries = names == ("attributes",) and isinstance(value, dict)
            kept = _entries_that_fit(encode, context, value) if entries else {}
            if not kept:
                if required:
                    raise LackingError(what, unfit.expected) from None
                if value is not None:
                    refuse(context, [f"attributes.{name}" for name in value] if entries else names)
                return MISSING
            refuse(context, [f"attributes.{name}" for name in value if name not in kept])
            encoded = encode(kept, context.env)
        if keys > 1:
            if len(encoded) != keys:
                message = f"`{what}` stands under {keys} keys, and its codecs give {len(encoded)} values"
                raise problem(
                    message, place, "a key for each value, or codecs that give as many values as there are keys"
                )
            return tuple(as_lists(part) for part in encoded)
        return as_lists(encoded)

    return show


def _entries_that_fit(encode: Callable[[Any, Any], Any], context: WriteContext, value: Any) -> dict[str, Any]:
    """Return those entries of a mapping that the codecs can spell; none if these do not fit together either."""
    kept = {name: part for name, part in value.items() if _fits(encode, context, {name: part})}
    return kept if len(kept) < len(value) and kept and _fits(encode, context, kept) else {}


def _fits(encode: Callable[[Any, Any], Any], context: WriteContext, value: Any) -> bool:
    try:
        encode(value, context.env)
    except UnfitError:
        return False
    return True


def filler(leaf: Bind, value_type: str, scope: Scope, place: Place) -> Callable[[WriteContext], tuple[Any, ...]] | None:
    """Return a function that gives the points that stand where an object lacks keypoints; None for any other leaf.

    They also fill up the keypoints of objects that have too few of them. Only an `else` about categories and options,
    which is the same for every object, does this; it is evaluated once for each list of categories.
    """
    if value_type != "keypoints" or leaf.default is None or isinstance(leaf.default, Literal):
        return None
    if not all(name.startswith(("categories", "option.")) for name in expression.names(leaf.default)):
        return None
    default: Any = compiled(leaf.default, scope, place)
    known: list[Any] = [None, ()]

    def points(context: WriteContext) -> tuple[Any, ...]:
        if known[0] is not context.setting.categories:
            known[:] = context.setting.categories, tuple(default(context) or ())
        return known[1]  # type: ignore[no-any-return]

    return points


def _unbound(get: Callable[[WriteContext], Any], bound: frozenset[str]) -> Callable[[WriteContext], Any]:
    """Return a getter of a mapping without the entries that have leaves of their own."""

    def rest(context: WriteContext) -> Any:
        held = get(context)
        return {name: part for name, part in held.items() if name not in bound} if isinstance(held, dict) else held

    return rest


def _null_fits(encode: Callable[[Any, Any], Any], context: WriteContext, textual: bool) -> bool:
    """Whether the codecs can spell null; in a text, an empty text does not count."""
    try:
        shown = encode(None, context.env)
        return shown is not None and not (textual and shown == "")
    except UnfitError:
        return False


def _several(getters: list[Getter]) -> Getter:
    def get(context: WriteContext) -> Any:
        values = tuple(one(context) for one in getters)
        return None if any(value is None for value in values) else values

    return get


def _text(leaf: Text, place: Place, scope: Scope, required: bool) -> Print:
    template = text_template(leaf, scope, place)
    inner = replace(scope, textual=True)
    printers: dict[str, Print] = {}
    for name, part in template.leaves.items():
        assert not isinstance(part, Keep)  # only lines keep text, and each of their fields is its own leaf
        required_part = name not in template.optional
        printers[name] = (
            _computed(part, place, inner, required_part)
            if isinstance(part, Computed)
            else _bind(part, place, inner, 1, required_part)
        )

    def show(context: WriteContext) -> Any:
        values: dict[str, Any] = {}
        for name, printer in printers.items():
            value = printer(context)
            if value is not MISSING:
                values[name] = value
        try:
            return template.template.render(values)
        except (ValueError, KeyError) as error:
            if required:
                raise LackingError(leaf.source, str(error)) from None
            return MISSING

    return show
