"""Rules compiled to writers; a writer takes a context and returns the value that goes into the document.

Where a record still has its source, a leaf is printed twice: for the record as it is now, and for the record as it was
read. If both are equal, the value of the source is written as it was spelled, or stays absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from formatspec.codecs.regions.shared_runs import runs_of_rows
from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.documents.changed_rows import with_empty
from formatspec.engine.evaluate.write_context import WriteContext, getter
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.discriminators import is_filled, keys_of
from formatspec.engine.resolve.held_slots import names_within
from formatspec.engine.resolve.questions.may_lack import label_lists
from formatspec.engine.resolve.questions.tables import NOT_OF_ITEMS, bound_attributes
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.table_ids import table_number
from formatspec.engine.write.choose_alternative import alternatives_writer
from formatspec.engine.write.generate_rows import mapping_writer, plain_writer
from formatspec.engine.write.geometry_choice import shapes_of
from formatspec.engine.write.mark_written import refuse
from formatspec.engine.write.print_leaf import (
    NO_SOURCE,
    LackingError,
    Writer,
    as_lists,
    kept_or,
    leaf_writer,
    list_kept,
)
from formatspec.engine.write.source_rows import lists_again
from formatspec.engine.write.table_rows import (
    RowWriter,
    held_by_row,
    row_scope,
    rows_anew,
    written_rows,
)
from formatspec.language.leaf import Bind, Computed, Constant, bindings
from formatspec.language.rules import (
    Field,
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_mapping_or_rows,
    problem,
)
from formatspec.model.plain.same_value import same_value
from formatspec.model.slots import TABLES


def compile_writer(rule: Rule, scope: Scope, required: bool = True) -> Writer:
    """Return the writer of a rule.

    If its value is missing, the writer raises LackingError where the value is required, and gives MISSING elsewhere.
    """
    if isinstance(rule, LeafRule):
        return leaf_writer(rule.leaf, rule.place, scope, 1, required)
    if isinstance(rule, MapRule):
        return _map(rule, scope)
    if isinstance(rule, ListRule):
        return _list(rule, scope)
    if rule.tables:
        return _table(rule.tables, scope)
    if isinstance(rule, OneOf):
        choose = alternatives_writer(rule, scope, compile_writer)
        return lambda context, source: choose(context, source)
    raise problem("a rule of lines can stand only under `lines:`", rule.place)


def _list(rule: ListRule, scope: Scope) -> Writer:
    writers = [compile_writer(one, scope) for one in rule.rules]

    return kept_or(lambda context: [write(context, NO_SOURCE) for write in writers])


def _map(rule: MapRule, scope: Scope) -> Writer:
    fields = [(field.keys, field.optional, field_writer(field, scope)) for field in rule.fields]
    choices = [(alternatives_writer(choice, scope, compile_writer), keys_of(choice)) for choice in rule.alternatives]
    named = frozenset(key for field in rule.fields for key in field.keys)
    rest = _rest(rule, scope)
    others_bound = isinstance(rule.rest_leaf, Bind)
    plain = [(keys[0], writer) for keys, _, writer in fields] if all(len(keys) == 1 for keys, *_ in fields) else None
    bare = plain is not None and not choices and not others_bound and not isinstance(rule.rest, OneOf)
    filled = frozenset(field.keys[0] for field in rule.fields if is_filled(field, scope))
    lists = label_lists(rule) if scope.kind == "dataset" else None
    may_lack = frozenset() if lists is None else lists.keys

    def write(context: WriteContext, source: Any) -> Any:
        if bare and source is NO_SOURCE:
            return anew[0](context)
        known = source if isinstance(source, dict) else None
        document: dict[str, Any] = {}
        for keys, _, writer in fields:
            before = _source_of(keys, source, known)
            if source is not MISSING and (before is MISSING or before is None) and keys[0] in filled:
                before = NO_SOURCE
            value = writer(context, before)
            if known is not None and not value and keys[0] in may_lack and keys[0] not in known:
                value = before  # a list that the source lacks, and that would be empty
            if value is MISSING:
                continue
            if len(keys) == 1:
                document[keys[0]] = value
            else:
                document.update(zip(keys, value, strict=True))
        taken = named
        for choose, keys_of_all in choices:
            document.update(choose(context, source))
            taken = taken | keys_of_all
        for key, value in rest(context, known, named | document.keys() if others_bound else taken).items():
            document.setdefault(key, value)
        return document if known is None else _in_order(document, known)

    def write_anew(context: WriteContext) -> Any:
        document: dict[str, Any] = {}
        for key, writer in plain or ():
            value = writer(context, NO_SOURCE)
            if value is not MISSING:
                document[key] = value
        return document

    def first_anew(context: WriteContext) -> Any:
        """Write the first mapping without a source; a function is made for it and all others."""
        choice_of = partial(alternatives_writer, compile_writer=compile_writer)
        anew[0] = mapping_writer(rule, scope, field_writer, choice_of) or write_anew
        return anew[0](context)

    anew: list[Callable[[WriteContext], Any]] = [first_anew]
    return write


def _source_of(keys: tuple[str, ...], source: Any, known: dict[str, Any] | None) -> Any:
    if known is None:
        return NO_SOURCE if source is NO_SOURCE else source if source is MISSING else NO_SOURCE
    if len(keys) == 1:
        return known.get(keys[0], MISSING)
    parts = tuple(known.get(key, MISSING) for key in keys)
    return MISSING if MISSING in parts else parts


def _in_order(document: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    ordered = {key: document[key] for key in source if key in document}
    ordered.update(document)
    return ordered


def field_writer(field: Field, scope: Scope) -> Writer:
    """Return the writer of one field; the values of several keys are given as a tuple."""
    required = not field.optional
    if isinstance(field.rule, LeafRule):
        return leaf_writer(field.rule.leaf, field.rule.place, scope, len(field.keys), required)
    inner = compile_writer(field.rule, scope.below(), required)
    if required:
        return inner
    listed = isinstance(field.rule, TableRule | OneOf)
    may_be_null = is_mapping_or_rows(field.rule)
    names = () if listed else tuple(names_within(field.rule))
    stated = _stated(field.rule)

    def write(context: WriteContext, source: Any) -> Any:
        refused = len(context.setting.refused)
        gone = MISSING if source is None and may_be_null else source  # null means the same as an absent key
        try:
            value = inner(context, gone)
        except LackingError:
            del context.setting.refused[refused:]
            refuse(context, names)
            return source if source is None else MISSING
        if gone is MISSING and isinstance(value, dict):
            empty = all(_is_empty_list(part) for key, part in value.items() if key not in stated)
            if empty:
                return source
        if not value and gone in (NO_SOURCE, MISSING) and (listed or value == {}):
            return source if source is None else MISSING
        return value

    return write


def _stated(rule: Rule) -> frozenset[str]:
    """Return the keys of a mapping whose values are the same for every record.

    A mapping that has only these keys is not written where the source had none.
    """
    stated = (one for one in rule.fields if isinstance(one.rule.leaf, Constant | Computed))
    return frozenset(key for one in stated for key in one.keys)


RestWriter = Callable[[WriteContext, dict[str, Any] | None, frozenset[str]], dict[str, Any]]


def _is_empty_list(part: Any) -> bool:
    return isinstance(part, Sequence) and not isinstance(part, str) and not part


def _rest(rule: MapRule, scope: Scope) -> RestWriter:
    leaf = rule.rest_leaf
    if isinstance(rule.rest, OneOf):
        run = compile_writer(rule.rest, scope)
        return lambda context, known, taken: {"*": run(context, NO_SOURCE if known is None else known.get("*", []))}
    if not isinstance(leaf, Bind):
        return lambda context, known, taken: {key: part for key, part in (known or {}).items() if key not in taken}
    assert rule.rest is not None
    meaning = scope.resolve(leaf.names[0], rule.rest.place)
    get = getter(meaning, scope)
    chain = build(Bind(leaf.names, leaf.calls), ["json"], 1, scope.textual, rule.rest.place)
    bound = scope.bound.union(bound_attributes(rule))

    def show(context: WriteContext) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        held = get(context)
        for key, value in held.items() if isinstance(held, dict) else ():
            if key in bound:
                continue
            try:
                shown[key] = as_lists(chain.encode(value, context.env))
            except UnfitError:
                refuse(context, (f"attributes.{key}",))
        return shown

    def write(context: WriteContext, known: dict[str, Any] | None, taken: frozenset[str]) -> dict[str, Any]:
        shown = show(context)
        now = {key: value for key, value in shown.items() if key not in taken}
        if len(now) < len(shown):
            refuse(context, tuple(f"attributes.{key}" for key in shown if key in taken))
        if known is None or context.as_read is None:
            return now
        then = show(context.as_read)
        return {
            key: known[key] if key in known and key in then and same_value(then[key], value) else value
            for key, value in now.items()
        }

    return write


def row_writer(rule: TableRule, scope: Scope, holds: int | None = None) -> RowWriter:
    """Return the writer of one table's rows: which records it takes, and how each is written.

    holds: the slots that are noted for the record of a row; None for those that the row holds.
    """
    holds = held_by_row(rule, scope) if holds is None else holds
    inner = row_scope(rule, scope)
    written = RowWriter(rule, scope, compile_writer(rule.row, inner), holds)
    if not written.late:  # the names of columns are known to the context of such a row alone
        choice_of = partial(alternatives_writer, compile_writer=compile_writer)
        written.plain = plain_writer(rule.row, inner, field_writer, choice_of, holds)
    return written


def is_spooled(rule: TableRule, scope: Scope) -> bool:
    """Whether a table's rows come from many items, so that they are written one by one as the items come."""
    return scope.kind == "dataset" and TABLES[rule.each.table] not in NOT_OF_ITEMS


def spool_key(rules: tuple[TableRule, ...], scope: Scope) -> str:
    """Return the name under which the rows of a table of a shared document are gathered."""
    return f"$rows {table_number(rules[0], scope)}"


def _table(rules: tuple[TableRule, ...], scope: Scope) -> Writer:
    if is_spooled(rules[0], scope):
        if any(rule.each.rings for rule in rules):
            raise problem(
                "`in rings` needs a list in a document of one item, not in one that many items share", rules[0].place
            )
        key = spool_key(rules, scope)
        return lambda context, source: with_empty(context.setting.rows.get(key, []), source)
    if any(rule.each.rings for rule in rules) and sum(TABLES[rule.each.table] == "object" for rule in rules) > 1:
        raise problem("a list whose rows are `in rings` can hold no other table of objects", rules[0].place)
    rows = [row_writer(rule, scope) for rule in rules]
    columns, names = rules[0].each.columns, _key_of_names(rules[0])
    shapes = shapes_of(rows)

    made = [row for row in rows if not row.kept] or rows
    numbers = {row.number for row in rows}
    of_categories = all(TABLES[rule.each.table] == "category" for rule in rules)

    def write(context: WriteContext, source: Any) -> Any:
        if of_categories and source and context.as_read is not None and lists_again(numbers, context):
            return again(context, source)
        documents = rows_anew(made, context) if context.as_read is None else None
        if documents is None:
            documents = [document for document, _ in written_rows(rows, shapes, context, source)]
        if names:
            return runs_of_rows(documents, names, source)
        return _in_columns(documents, source) if columns else with_empty(documents, source)

    again = list_kept(lambda context, source: write(context.anew(), NO_SOURCE))
    if scope.kind == "item" and of_categories:
        return list_kept(write)  # categories of a dataset have no origin in the list of an item
    return write


def _key_of_names(rule: TableRule) -> str:
    """Return the key of rows in runs that holds their objects' name; empty for other rows."""
    if not rule.each.runs:
        return ""
    for field in rule.row.fields:
        if any(bind.names == rule.each.by for bind in bindings(field.rule.leaf)):
            return field.keys[0]
    raise problem(f"no key of the rows tells `{rule.each.by[0]}`, by which runs name their objects", rule.place)


def _in_columns(documents: list[dict[str, Any]], source: Any) -> dict[str, list[Any]]:
    """Return rows as a mapping from each key to the list of its values; a row without a key has null in its list."""
    keys = dict.fromkeys([*(source if isinstance(source, dict) else ()), *(key for row in documents for key in row)])
    return {key: [row.get(key) for row in documents] for key in keys}
