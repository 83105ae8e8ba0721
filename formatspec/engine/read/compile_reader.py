"""Compiles rules to readers. A reader takes a document and binds its values to the model's slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formatspec.codecs.regions.shared_runs import EXPECTED, rows_of_runs
from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING, DocumentPath, Record, missing_key
from formatspec.engine.base.kept_fields import holds_value, note_all_kept
from formatspec.engine.read.bind_slots import Binder, binder, report
from formatspec.engine.read.generate_mapping import (
    FieldReaders,
    Others,
    Several,
    plain_alternative,
    read_empty,
    several_reader,
    single_field,
    written_reader,
)
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.json_type_dispatch import Choose, JsonTypes, json_types_of, noting
from formatspec.engine.read.leaf_reader import ReadContext, leaf_reader, nothing, outlined
from formatspec.engine.read.rows.alternatives import has_no_outline, is_aside, is_remark, lacking_keys, readdress
from formatspec.engine.read.rows.lacking import box_may_follow, labels_may_lack
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.read.rows.row_condition import reading_condition
from formatspec.engine.read.rows.table_row import by_constant, read_row, rows_of_columns, rows_of_tasks
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.discriminators import (
    alternative_test,
    constants_in,
    deep_test,
    filling,
    is_filled,
    keys_of,
    may_be_absent,
    row_test,
)
from formatspec.engine.resolve.held_slots import GEOMETRY
from formatspec.engine.resolve.questions.may_lack import following_box, label_lists, lenient
from formatspec.engine.resolve.questions.meanings import scoped
from formatspec.engine.resolve.questions.tables import holds_tables
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.table_ids import table_number
from formatspec.language.errors import Place
from formatspec.language.expression import names
from formatspec.language.leaf import Bind, Keep, names_of
from formatspec.language.rules import (
    Field,
    LeafRule,
    LineRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_mapping_or_rows,
    problem,
    within,
)
from formatspec.model.slots import TABLES


def compile_reader(rule: Rule, scope: Scope, context: ReadContext, at: DocumentPath = ()) -> Reader:
    """Compile the reader of a rule; `at` is its place within the row that contains it."""
    if isinstance(rule, LeafRule):
        return leaf_reader(rule.leaf, rule.place, scope, context, at, 1)
    if isinstance(rule, MapRule):
        return _map(rule, scope, context, at)
    if isinstance(rule, ListRule):
        return _list(rule, scope, context, at)
    if rule.tables:
        return _table(rule.tables, scope, context, at, rule.place)
    if isinstance(rule, OneOf):
        return _choice(rule, scope, context, at)
    raise problem("a rule of lines can stand only under `lines:`", rule.place)


def _list(rule: ListRule, scope: Scope, context: ReadContext, at: DocumentPath) -> Reader:
    readers = [compile_reader(one, scope, context, (*at, i)) for i, one in enumerate(rule.rules)]
    count = len(readers)

    def read(value: Any, record: Record, state: ItemState) -> None:
        if not isinstance(value, list | tuple) or len(value) != count:
            state.fault("FIELD", (*state.at, *at), rule.place, "the list does not fit", f"{count} values", value)
            return
        for reader, part in zip(readers, value, strict=True):
            reader(part, record, state)

    return read


def _fields(rule: MapRule, scope: Scope, context: ReadContext, at: DocumentPath) -> FieldReaders:
    return [
        (field.keys, may_be_absent(field, scope), field_reader(field, scope, context, at), field.place)
        for field in rule.fields
    ]


def field_reader(field: Field, scope: Scope, context: ReadContext, at: DocumentPath) -> Reader:
    """Compile the reader of one field; several keys are read as one tuple."""
    inner = (*at, field.keys[0])
    if isinstance(field.rule, LeafRule):
        return leaf_reader(field.rule.leaf, field.rule.place, scope, context, inner, len(field.keys))
    reader = compile_reader(field.rule, scope.below(), context, inner)
    if not field.optional or scope.textual or not is_mapping_or_rows(field.rule) or reader is nothing:
        return reader

    def read(value: Any, record: Record, state: ItemState) -> None:
        if value is not None:  # null in place of an optional mapping, or of optional rows, means that it is absent
            reader(value, record, state)

    return read


def _map(rule: MapRule, scope: Scope, context: ReadContext, at: DocumentPath, whole: bool = True) -> Reader:
    """Compile the reader of a mapping; if not `whole`, it is an alternative within another mapping."""
    if context.sparse:
        return _sparse(rule, scope, context, at)
    read = _whole_map(rule, scope, context, at, whole)

    def without(keys: Iterable[str], context: ReadContext) -> Callable[[], Reader]:
        return lambda: _whole_map(lenient(rule, keys), scope, context, at, whole)

    if scope.kind == "object" and (box := following_box(rule)) is not None:
        return box_may_follow(read, box, rule.place, at, without((box.key,), outlined(context, scope)))
    if scope.kind == "dataset" and (lists := label_lists(rule)) is not None:
        return labels_may_lack(read, lists, rule.place, at, without(lists.keys, context))
    return read


def _whole_map(rule: MapRule, scope: Scope, context: ReadContext, at: DocumentPath, whole: bool) -> Reader:
    """Compile the reader of a mapping all of whose required keys are there."""
    fields = _fields(rule, scope, context, at)
    filled = {field.keys[0]: filling(field) for field in rule.fields if is_filled(field, scope)}
    single = [
        (keys[0], optional, reader, place)
        for keys, optional, reader, place in fields
        if len(keys) == 1 and not (optional and reader is nothing and keys[0] not in filled)
    ]
    several = [entry for entry in fields if len(entry[0]) > 1]
    judge_several = several_reader(several, scope.cells, at)
    choices = [choice_reader(choice, scope, context, at) for choice in rule.alternatives]
    named = frozenset(key for field in rule.fields for key in field.keys)
    rest = _rest(rule, scope, context, at) if whole or rule.rest is not None else _no_rest
    cells, textual = scope.cells, scope.cells or scope.textual

    def read(value: Any, record: Record, state: ItemState) -> None:
        if not isinstance(value, dict):
            if value != "" or not scope.textual:
                state.fault("FIELD", (*state.at, *at), rule.place, "the value does not fit", "a mapping", value)
                return
            value = {}
        if cells and None in value:
            words = f"the row has {len(value) - 1 + len(value[None])} cells, and the table {len(value) - 1} columns"
            state.fault("LINE", (*state.at, *at), rule.place, words, f"{len(value) - 1} cells", value[None])
            return
        get = value.get
        for key, optional, reader, place in single:
            part = get(key, MISSING)
            if part is MISSING or (part is None and key in filled):
                if key in filled:
                    lacks = "missing" if part is MISSING else "null"
                    state.fault(filled[key], (*state.at, *at, key), place, f"{key!r} is {lacks}, and is filled")
                elif not optional:
                    state.fault("FIELD_MISSING", (*state.at, *at), place, missing_key(key, tuple(value)))
            elif textual and optional and part == "":
                if not cells:
                    read_empty(reader, record, state)
            else:
                reader(part, record, state)
        if several:
            judge_several(value, record, state)
        if choices:
            known = named
            for choose in choices:
                known |= choose(value, record, state)
            rest(value, known, record, state)
        elif rest is not _no_rest:
            rest(value, named, record, state)

    rows = rule.rest.tables if isinstance(rule.rest, OneOf) else ()
    simple = bool(rows) and not any(one.each.columns or one.each.runs for one in rows)
    if not context.often or cells or (isinstance(rule.rest, OneOf) and not simple):
        return read
    told = [
        single_field(field, optional, None if reader is nothing else reader, scope, context)._replace(
            filled=filled.get(field.keys[0], "")
        )
        for field, (keys, optional, reader, _) in zip(rule.fields, fields, strict=True)
        if len(keys) == 1 and not (optional and reader is nothing and keys[0] not in filled)
    ]
    groups = [Several(entry[0], entry[2], several_reader([entry], False, at)) for entry in several]
    passed = named | OPEN_KEYS if rule.rest is None else named
    others = Others(choices, passed, None if rest is _no_rest else rest, simple)
    return written_reader(told, groups, others, scope, at, read)


def _sparse(rule: MapRule, scope: Scope, context: ReadContext, at: DocumentPath) -> Reader:
    """Compile a reader for only the wanted keys of a mapping; `nothing` if none is wanted."""
    fields = [(keys, reader) for keys, _, reader, _ in _fields(rule, scope, context, at) if reader is not nothing]
    inner = [_map(c, scope, context, at) for o in rule.alternatives for c in o.alternatives if isinstance(c, MapRule)]
    choices = [choice_reader(o, scope, context, at) for o in rule.alternatives] if set(inner) - {nothing} else []
    if not fields and not choices:
        return nothing

    def read(value: Any, record: Record, state: ItemState) -> None:
        if not isinstance(value, dict):
            state.fault("FIELD", (*state.at, *at), rule.place, "the value does not fit", "a mapping", value)
            return
        for keys, reader in fields:
            if len(keys) == 1:
                part = value.get(keys[0], MISSING)
                if part is not MISSING:
                    reader(part, record, state)
            elif all(key in value for key in keys):
                reader(tuple(value[key] for key in keys), record, state)
        for choose in choices:
            choose(value, record, state)

    return read


OPEN_KEYS = frozenset({"", "#", "<>", "*"})
"""Keys about which nothing is said if a rule does not name them."""
RestReader = Callable[[Mapping[str, Any], frozenset[str], Record, ItemState], None]


def _no_rest(value: Mapping[str, Any], known: frozenset[str], record: Record, state: ItemState) -> None:
    """Ignore the keys that an alternative does not name."""


def _rest(rule: MapRule, scope: Scope, context: ReadContext, at: DocumentPath) -> RestReader:
    if isinstance(rule.rest, OneOf):
        run = compile_reader(rule.rest, scope, context, (*at, "*"))
        return lambda value, known, record, state: run(value.get("*", []), record, state)
    if rule.rest is None and rule.part:
        return _no_rest
    counts, text = context.counts, scope.textual
    if rule.rest is None:

        def unknown(value: Mapping[str, Any], known: frozenset[str], record: Record, state: ItemState) -> None:
            if len(value) > len(known) or not value.keys() <= known:
                others = [key for key in value if key not in known and key not in OPEN_KEYS]
                for key in others:
                    state.fault(
                        "FIELD_UNKNOWN", (*state.at, *at, key), rule.place, f"the spec knows no field {key!r} here"
                    )
                if counts:
                    note_all_kept(record, [key for key in others if holds_value(value[key], text)])

        return unknown
    leaf = rule.rest.leaf
    if not isinstance(leaf, Bind):
        return _note_others(text) if counts and not rule.part else _no_rest
    reader = leaf_reader(leaf, rule.rest.place, scope, context, at, 1)
    each_value = bool(leaf.calls)
    meaning = scope.resolve(leaf.names[0], rule.rest.place)
    if each_value:
        chain = build(Bind(leaf.names, leaf.calls), ["json"], 1, scope.textual, rule.rest.place)
        bind = binder(meaning, scope, at, rule.rest.place)
        return _rest_each(chain, bind, at, rule.rest.place, scope)

    def read_rest(value: Mapping[str, Any], known: frozenset[str], record: Record, state: ItemState) -> None:
        if len(value) > 0:
            others = {key: part for key, part in value.items() if key not in known}
            if others:
                reader(others, record, state)

    return read_rest


def _note_others(textual: bool) -> RestReader:
    """Return a reader that notes the other keys of a mapping, if they hold a value."""

    def note(value: Mapping[str, Any], known: frozenset[str], record: Record, state: ItemState) -> None:
        others = [key for key, part in value.items() if key not in known and holds_value(part, textual)]
        note_all_kept(record, others)

    return note


def _rest_each(chain: Chain, bind: Binder, at: DocumentPath, place: Place, scope: Scope) -> RestReader:
    def read(value: Mapping[str, Any], known: frozenset[str], record: Record, state: ItemState) -> None:
        try:
            others = {k: chain.decode(part, state.env) for k, part in value.items() if k not in known}
            if others:
                bind(others, record, state)
        except UnfitError as unfit:
            report(unfit, at, place, unfit.got, record, scope, state)

    return read


def choice_reader(rule: OneOf, scope: Scope, context: ReadContext, at: DocumentPath = ()) -> Choose:
    """Compile the reader of alternatives within a mapping."""
    tried = [
        (
            (deep_test if context.sparse else alternative_test)(choice, scope),  # a sparse reader ignores missing keys
            _map(choice, scope, context, at, whole=False)
            if isinstance(choice, MapRule)
            else compile_reader(choice, scope, context, at),
            keys_of(choice),
            tuple(name for name, _ in constants_in(choice, scope)),
        )
        for choice in rule.alternatives
    ]

    kinds = json_types_of(rule, scope)
    often = context.often and kinds is None
    plain = plain_alternative(rule.alternatives[0], scope, context.wanted) if often else None
    first_keys = tried[0][2]
    lacking = lacking_keys(rule, scope)

    def choose(value: Any, record: Record, state: ItemState) -> frozenset[str]:
        if plain is not None and type(value) is dict and plain(value, record, state):
            return first_keys
        if kinds is not None and isinstance(value, dict):
            place = kinds.which(value)
            if place is not None:
                _, reader, keys, _ = tried[place]
                reader(value, record, state)
                return keys
        before, noted, restated = len(state.faults), len(state.judged), len(state.restated)
        kept: list[Any] = []
        aside: list[tuple[Reader, frozenset[str]]] = []
        hollow: list[tuple[Reader, frozenset[str]]] = []  # an outline that is null leaves the object without geometry
        for test, reader, keys, _ in tried:
            if not test(value):
                continue
            fresh = dict(record)
            reader(value, fresh, state)
            new = state.faults[before:]
            bare = (hollow or (new and has_no_outline(new))) and not any(
                slot in fresh.keys() - record.keys() for slot in GEOMETRY
            )
            if not bare and (not new or all(map(is_remark, new))):
                record.update(fresh)
                readdress(state, fresh, record, before, noted, restated)
                return keys
            if all(map(is_remark, new)):
                hollow.append((reader, keys))
            else:
                kept.append((new, keys))
                aside.extend([(reader, keys)] if all(map(is_aside, new)) else [])
            del state.faults[before:]
            del state.judged[noted:], state.restated[restated:]
        for reader, keys in (*hollow, *aside)[:1]:  # nothing fits better than this one without geometry or an attribute
            fresh = dict(record)
            reader(value, fresh, state)
            record.update(fresh)
            readdress(state, fresh, record, before, noted, restated)
            return keys
        if not kept:
            words, wanted = "none of the alternatives fits", lacking(value)
            state.fault("ALTERNATIVE", (*state.at, *at), rule.place, words, wanted, value)
            return frozenset()
        faults, keys = kept[-1]
        if len(kept) > 1:
            expected = " or ".join(dict.fromkeys(group[0].expected for group, _ in kept if group[0].expected))
            faults = [faults[0]._replace(expected=expected)]
        state.faults.extend(fault._replace(about=record) if fault.about is not None else fault for fault in faults)
        return keys  # type: ignore[no-any-return]

    unread = unread_kinds(rule, scope, context)
    return choose if unread is None else noting(unread, [keys for _, _, keys, _ in tried], choose)


def unread_kinds(rule: OneOf, scope: Scope, context: ReadContext) -> JsonTypes | None:
    """Return the kinds of alternatives with an object's geometry, if only its presence matters."""
    kinds = json_types_of(rule, scope)
    if kinds is None or any(is_asked(one, scope, context) for one in rule.alternatives):
        return None
    outlines = scope.kind == "object" and all(set(slots) <= set(GEOMETRY) for slots in kinds.slots)
    return kinds if outlines else None


def _choice(rule: OneOf, scope: Scope, context: ReadContext, at: DocumentPath) -> Reader:
    choose = choice_reader(rule, scope, context, at)

    def read(value: Any, record: Record, state: ItemState) -> None:
        choose(value, record, state)

    return read


def row_reader(rule: TableRule, scope: Scope, context: ReadContext) -> RowReader:
    """Compile the reader of one row; its path is taken from the state."""
    inner = scope.inside(rule.each.table)
    if not rule.each.overlap:
        for name in rule.each.by:
            if name not in ("category", "item"):
                inner.resolve(name, rule.place)
    return RowReader(
        table_number(rule, scope),
        TABLES[rule.each.table],
        rule.each.by,
        row_test(rule.row, inner, following_box(rule.row)),
        compile_reader(rule.row, inner, context),
        reading_condition(rule.each.where, inner),
        rule.each.overlap,
        rule.each.table,
        rule.place,
        rule,
        scope,
        bool(constants_in(rule.row, inner)),
        context.counts and _is_carried(rule.row),
        holds_tables(rule.row),
    )


def _is_carried(row: Rule) -> bool:
    """Return whether a row binds nothing and is only kept."""
    if not isinstance(row, MapRule) or row.rest_leaf is None:
        return False
    parts = [(one.leaf, isinstance(one, MapRule) and not one.alternatives) for one in within(row)]
    return all(isinstance(leaf, Keep) or plain for leaf, plain in parts)


def is_asked(rule: Rule, scope: Scope, context: ReadContext) -> bool:
    """Return whether anything that a rule gives is wanted. Unwanted rows are not checked either."""
    if context.compares:
        return True
    for one, inner in scoped(rule, scope):
        if isinstance(one, LineRule):
            return True
        told = map(inner.meaning, names_of(one.leaf))
        if isinstance(one, TableRule) and one.each.where is not None:  # it supplies values that rows do not state
            inner = inner.inside(one.each.table)
            told = map(inner.meaning, names(one.each.where))
        if any(meaning is not None and context.wanted(meaning, inner) for meaning in told):
            return True
    return False


def _table(rules: tuple[TableRule, ...], scope: Scope, context: ReadContext, at: DocumentPath, place: Place) -> Reader:
    if not any(is_asked(rule, scope, context) for rule in rules):
        return nothing
    readers = [row_reader(rule, scope, context) for rule in rules]
    among = by_constant(readers)
    single, columns, runs = scope.textual, rules[0].each.columns, rules[0].each.runs
    tasks = rows_of_tasks(readers) if len(readers) > 1 else {}

    def read(value: Any, record: Record, state: ItemState) -> None:
        if isinstance(value, dict | str) and single:
            value = [value]
        if columns:
            value = rows_of_columns(value)
        if runs:
            found = rows_of_runs(value)
            if found is None:
                state.fault("FIELD", (*state.at, *at), place, "the value does not fit", EXPECTED, value)
                return
            value = found
        if not isinstance(value, list | tuple):
            state.fault("FIELD", (*state.at, *at), place, "the value does not fit", "a list", value)
            return
        base = state.at
        before = ""
        for position, row in enumerate(value):
            state.at = (*base, *at, position)
            chosen = read_row(row, position, readers, record, state, among=among(row))
            if tasks and chosen is not None and (kind := tasks[chosen.number]):
                if before and kind != before:
                    words = f"a row of {kind} stands after rows of {before}: they are of two tasks"
                    state.fault("ROWS_MIXED", state.at, place, words, scope="item")
                    kind = ""
                before = before or kind
        state.at = base

    return read
