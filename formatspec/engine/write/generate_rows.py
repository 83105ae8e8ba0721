"""Fast writer of rows of objects, and of the rows of items in shared files, generated as Python source.

A leaf whose value is present is encoded directly. For any other leaf, its own writer is called. Rows are mappings, or
the lines of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from formatspec.engine.base.source_code import Names, function
from formatspec.engine.evaluate.value_source import OF_ITEM, category_lines, value_source
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.resolve.held_slots import WRITTEN, names_within, slot_bits
from formatspec.engine.resolve.questions.tables import OUTLINES
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.write.choose_alternative import PlainAlternative, can_be_plain, chooser_of_plain
from formatspec.engine.write.generate_leaves import CONTEXT, NAMES, value_lines
from formatspec.engine.write.print_leaf import LackingError, Writer
from formatspec.language import expression
from formatspec.language.leaf import Bind
from formatspec.language.rules import Field, LeafRule, ListRule, MapRule, OneOf, Rule, TableRule
from formatspec.model.amounts import amounts
from formatspec.model.records import Object

Lacking = list[tuple[Any, LackingError]]
"""Records that have no row, each with the reason."""
PlainWriter = Callable[[Iterable[Object], Iterable[int], int, WriteContext, list[Any]], Lacking]
"""Takes objects, their indices, the number of rows, the context around them, and a list to which it adds their rows.

Returns the objects that have none. An index is taken from its iterable only when its object is written.
"""

OF_ROWS = "refused, held = setting.refused, setting.held"
"""The line that comes before rows, for what their writers note."""


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
    return FunctionInMaking(Names(NAMES, LackingError=LackingError), [*OF_ITEM, OF_ROWS], writer_of, choice_of)


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
    of_items = scope.kind == "item" and scope.outer is not None and scope.outer.kind == "dataset"
    if not isinstance(rule, MapRule) or not is_plain(rule, scope) or not (scope.kind == "object" or of_items):
        return None
    making = _begun(writer_of, choice_of)
    body = _mapping_lines(rule, scope, making, "document")
    lines = [
        *making.before,
        "lacking = []",
        "for record, index in zip(records, indices):",
        "    claims, mark = setting.claims, len(refused) if refused else 0",
        "    inner = None",
        "    try:",
        *(f"        {line}" for line in (*_own_category(scope, body), *body)),
        "    except LackingError as reason:",
        "        setting.claims = claims",
        "        del refused[mark:]",
        "        lacking += ((record, reason),)",
        "    else:",
        *(f"        {line}" for line in _held_lines(holds)),
        *(["        setting.claims += 1"] if holds & WRITTEN else ()),
        "        documents += (document,)",
        "return lacking",
    ]
    return function("write(records, indices, rows, context, documents)", lines, making.names)


def mapping_writer(
    rule: MapRule,
    scope: Scope,
    writer_of: Callable[[Field, Scope], Writer],
    choice_of: Callable[[OneOf, Scope], Writer],
) -> Callable[[WriteContext], Any] | None:
    """Return the writer of a mapping in an item's document, or in its row, for items without a source.

    It takes the context of the mapping's item. None is given for mappings that hold more than fields, and for those of
    other records. `writer_of` and `choice_of` are as in `plain_writer`.
    """
    if not amounts().generates or scope.kind != "item" or not is_plain(rule, scope):
        return None
    making = _begun(writer_of, choice_of)
    body = _mapping_lines(rule, scope, making, "document")
    own = "record, inner, index, rows = item, context, context.index, context.rows"
    return function("write(context)", [*making.before, own, *body, "return document"], making.names)


def _own_category(scope: Scope, body: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that give the category of an object, if its fields ask for it."""
    return category_lines("\n".join(body)) if scope.kind == "object" else ()


def _held_lines(bits: int) -> tuple[str, ...]:
    """Return the lines that note that a record's row holds some slots."""
    return ("own = id(record)", f"held[own] = held[own] | {bits} if own in held else {bits}") if bits else ()


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
    put = f"{', '.join(f'{into}[{key!r}]' for key in keys)} = value"
    lines = list(value_lines(field, scope, making.writer_of, making.names))
    if isinstance(rule, MapRule) and len(keys) == 1 and is_plain(rule, scope):
        lines = _optional_lines(rule, scope, making)
    elif isinstance(rule, MapRule) and len(keys) == 1 and field.optional and _holds_all_attributes(rule, scope):
        few = replace(rule, rest=None)
        lines = [*_guarded("record.attributes", lines), *_guarded("", _optional_lines(few, scope, making))]
    elif isinstance(rule, ListRule) and len(keys) == 1 and _is_list_of_slots(rule):
        lines = _list_lines(field, rule, scope, making)
    empty = None if _is_leaf(field) or not field.optional else _is_empty(rule, scope, making)
    if empty is not None:
        lines = [f"if {empty}: value = MISSING", *_guarded("", lines)]
    return [*lines, f"if value is not MISSING: {put}"]


def _guarded(test: str, lines: Iterable[str]) -> list[str]:
    """Return source lines that run if a test holds; an empty test stands for all that earlier tests left."""
    return [f"if {test}:" if test else "else:", *(f"    {line}" for line in lines)]


def _holds_all_attributes(rule: MapRule, scope: Scope) -> bool:
    """Whether a mapping is plain but for the record's attributes, which all have keys in it."""
    leaf = rule.rest_leaf
    if not isinstance(leaf, Bind) or leaf.names != ("attributes",) or not is_plain(replace(rule, rest=None), scope):
        return False
    meaning = scope.meaning("attributes")
    return meaning is not None and meaning.where == "record"


def _is_list_of_slots(rule: ListRule) -> bool:
    return all(isinstance(one, LeafRule) and isinstance(one.leaf, Bind) for one in rule.rules)


def _list_lines(field: Field, rule: ListRule, scope: Scope, making: FunctionInMaking) -> list[str]:
    """Return the source lines that give a list of slots as `value`; MISSING if it may be left out and lacks one."""
    parts = [making.names.of("part", None) for _ in rule.rules]
    lines: list[str] = []
    for part, one in zip(parts, rule.rules, strict=True):
        each = replace(field, rule=one, optional=False)
        lines += [*value_lines(each, scope.below(), making.writer_of, making.names), f"{part} = value"]
    lines.append(f"value = [{', '.join(parts)}]")
    return _tried(lines, rule, making) if field.optional else lines


def _optional_lines(rule: MapRule, scope: Scope, making: FunctionInMaking) -> list[str]:
    """Return the source lines that give a mapping as `value`; MISSING if it lacks what it needs, or holds nothing."""
    part = making.names.of("part", None)
    lines = _mapping_lines(rule, scope.below(), making, part)
    return _tried([*lines, f"value = {part} or MISSING"], rule, making)


def _tried(lines: Iterable[str], rule: Rule, making: FunctionInMaking) -> list[str]:
    """Return source lines that give an optional part of a document as `value`; MISSING if it lacks what it needs."""
    mark, lost = making.names.of("mark", None), making.names.of("lost", tuple(names_within(rule)))
    return [
        f"{mark} = len(refused) if refused else 0",
        "try:",
        *(f"    {line}" for line in lines),
        "except LackingError:",
        f"    del refused[{mark}:]",
        f"    refuse({CONTEXT}, {lost})",
        "    value = MISSING",
    ]


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
        value = value_source(meaning, scope, making.names)
        tests.append(None if value is None or not value.startswith("record.") else f"({value}) in (None, ())")
    return _all_of(tests)


def _choice_lines(rule: OneOf, scope: Scope, making: FunctionInMaking, into: str) -> list[str]:
    """Return the source lines that put the keys of one of several alternatives into a mapping."""
    if _is_outlines(rule, scope):
        choose = making.names.of("choose", making.choice_of(rule, scope))
        bits = slot_bits(rule.alternatives[0], scope)
        put = f"if {_HAS_OUTLINES}: {into} |= {choose}({CONTEXT}, UNSOURCED)"
        return [put, "else:", *(f"    {line}" for line in _held_lines(bits))]
    if can_be_plain(rule, scope) and all(
        isinstance(one, MapRule) and is_plain(one, scope) for one in rule.alternatives
    ):
        writers = [_alternative(one, scope, making) for one in rule.alternatives if isinstance(one, MapRule)]
        choose = making.names.of("choose", chooser_of_plain(rule, scope, writers))
        return [f"{into} |= {choose}(record, index, rows, context)"]
    choose = making.names.of("choose", making.choice_of(rule, scope))
    return [f"{into} |= {choose}({CONTEXT}, UNSOURCED)"]


def _alternative(rule: MapRule, scope: Scope, making: FunctionInMaking) -> PlainAlternative:
    """Return the writer of one of several alternatives within a row."""
    inner = _begun(making.writer_of, making.choice_of)
    body = _mapping_lines(rule, scope, inner, "document")
    lines = [*inner.before, "inner = None", *_own_category(scope, body), *body, "return document"]
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
    if scope.kind != "object" or not isinstance(leaf, Bind) or len(field.keys) > 1:
        return False
    default = expression.names(leaf.default) if leaf.default is not None else ()
    meanings = [scope.meaning(name) for name in (*leaf.names, *default)]
    return all(one is not None and one.where in ("item", "capture", "option") for one in meanings)


def is_plain(rule: MapRule, scope: Scope) -> bool:
    """Whether a mapping of an object or of an item is leaves, one under each key, and alternatives."""
    return scope.kind in ("object", "item") and (rule.rest is None or not is_told(rule.rest))
