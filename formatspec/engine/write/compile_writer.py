"""Rules compiled to writers: a writer takes a context and gives the document that tells of it.

Where a record still has its source, a leaf that would print what it would have printed for the record as it
was read gives the source instead, with its spelling or its absence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING
from formatspec.engine.documents.changed_rows import with_empty
from formatspec.engine.evaluate.expressions import condition
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting, getter, records_of
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.discriminators import is_filled, row_test
from formatspec.engine.resolve.held_slots import (
    ATTRIBUTES,
    WRITTEN,
    condition_bits,
    names_within,
    record_mark,
    slot_bits,
)
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.table_ids import table_number
from formatspec.engine.write.choose_alternative import alternatives_writer, keys_of_choice
from formatspec.engine.write.generate_rows import plain_writer
from formatspec.engine.write.geometry_choice import OUTLINES, Fitting, shape_chooser, shape_of
from formatspec.engine.write.mark_written import _held, hold, hold_no_more, refuse
from formatspec.engine.write.print_leaf import (
    NO_SOURCE,
    LackingError,
    Writer,
    as_lists,
    kept_or,
    leaf_writer,
    list_kept,
    same_value,
)
from formatspec.engine.write.row_rules import bound_attributes, holds_tables, is_settled, needs_columns
from formatspec.engine.write.source_rows import (
    contexts_of,
    is_elsewhere,
    lists_again,
    position_of,
    repeated,
    source_of,
)
from formatspec.engine.write.split_rings import split_rings
from formatspec.language.leaf import Bind
from formatspec.language.rules import (
    KEY,
    Field,
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_derived,
    problem,
)
from formatspec.model.records import Object
from formatspec.model.slots import TABLES


def compile_writer(rule: Rule, scope: Scope, required: bool = True) -> Writer:
    """The writer of a rule.  A value that is required raises LackingError, any other gives MISSING."""
    if isinstance(rule, LeafRule):
        return leaf_writer(rule.leaf, rule.place, scope, 1, required)
    if isinstance(rule, MapRule):
        return _map(rule, scope, required)
    if isinstance(rule, ListRule):
        return _list(rule, scope)
    if isinstance(rule, TableRule):
        return _table((rule,), scope)
    if isinstance(rule, OneOf):
        if all(isinstance(choice, TableRule) for choice in rule.alternatives):
            return _table(tuple(rule.alternatives), scope)  # type: ignore[arg-type]
        choose = alternatives_writer(rule, scope, compile_writer)
        return lambda context, source: choose(context, source)
    raise problem("this rule cannot stand here", rule.place)


def _list(rule: ListRule, scope: Scope) -> Writer:
    writers = [compile_writer(one, scope) for one in rule.rules]

    def show(context: WriteContext) -> list[Any]:
        return [write(context, NO_SOURCE) for write in writers]

    return kept_or(show)


def _map(rule: MapRule, scope: Scope, required: bool) -> Writer:
    fields = [(field.keys, field.optional, field_writer(field, scope)) for field in rule.fields]
    choices = [
        (alternatives_writer(choice, scope, compile_writer), keys_of_choice(choice)) for choice in rule.alternatives
    ]
    named = frozenset(key for field in rule.fields for key in field.keys)
    rest = _rest(rule, scope)
    others_bound = isinstance(rule.rest, LeafRule) and isinstance(rule.rest.leaf, Bind)
    plain = [(keys[0], writer) for keys, _, writer in fields] if all(len(keys) == 1 for keys, *_ in fields) else None
    bare = plain is not None and not choices and not others_bound and not isinstance(rule.rest, OneOf)
    filled = frozenset(field.keys[0] for field in rule.fields if is_filled(field, scope))
    del required

    def write(context: WriteContext, source: Any) -> Any:
        if bare and source is NO_SOURCE:
            return write_anew(context)
        known = source if isinstance(source, dict) else None
        document: dict[str, Any] = {}
        for keys, _, writer in fields:
            before = _source_of(keys, source, known)
            if before is MISSING and keys[0] in filled:
                before = NO_SOURCE
            value = writer(context, before)
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
    """The writer of one field; several keys are written as a tuple."""
    required = not field.optional
    if isinstance(field.rule, LeafRule):
        return leaf_writer(field.rule.leaf, field.rule.place, scope, len(field.keys), required)
    inner = compile_writer(field.rule, scope.below(), required)
    if required:
        return inner
    listed = isinstance(field.rule, TableRule | OneOf)
    names = () if listed else tuple(names_within(field.rule))

    def write(context: WriteContext, source: Any) -> Any:
        refused = len(context.setting.refused)
        try:
            value = inner(context, source)
        except LackingError:
            del context.setting.refused[refused:]
            refuse(context, names)
            return MISSING
        empty = source is MISSING and isinstance(value, dict) and all(part == [] for part in value.values())
        if empty or (not value and source in (NO_SOURCE, MISSING) and (listed or value == {})):
            return MISSING
        return value

    return write


RestWriter = Callable[[WriteContext, dict[str, Any] | None, frozenset[str]], dict[str, Any]]


def _rest(rule: MapRule, scope: Scope) -> RestWriter:
    leaf = rule.rest.leaf if isinstance(rule.rest, LeafRule) else None
    if isinstance(rule.rest, OneOf):
        run = compile_writer(rule.rest, scope)
        return lambda context, known, taken: {"*": run(context, NO_SOURCE if known is None else known.get("*", []))}
    if not isinstance(leaf, Bind):

        def others(context: WriteContext, known: dict[str, Any] | None, taken: frozenset[str]) -> dict[str, Any]:
            return {} if known is None else {key: part for key, part in known.items() if key not in taken}

        return others
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
        now = {key: value for key, value in show(context).items() if key not in taken}
        if known is None or context.as_read is None:
            return now
        then = show(context.as_read)
        return {
            key: known[key] if key in known and key in then and same_value(then[key], value) else value
            for key, value in now.items()
        }

    return write


class RowWriter:
    """How the records of one table are chosen and written."""

    __slots__ = (
        "choices", "holds", "kept", "late", "number", "plain", "repeats", "rule", "select", "shape", "table", "test",
        "where", "write",
    )  # fmt: skip

    def __init__(self, rule: TableRule, scope: Scope) -> None:
        inner = scope.inside(rule.each.table)
        self.rule = rule
        self.table = rule.each.table
        self.number = table_number(rule, scope)
        self.select = records_of(rule.each.table)
        self.kept = rule.each.kept
        self.repeats = rule.each.table == "items" or (self.kept and not holds_tables(rule.row))
        if rule.each.table == "attributes" and scope.bound:
            self.select = _but(self.select, scope.bound)
        inner = replace(inner, bound=frozenset(bound_attributes(rule.row)))
        self.where = None if rule.each.where is None else condition(rule.each.where, inner, rule.place)
        if self.where is not None and is_settled(rule.each.where) and self.where(_nowhere(scope)):
            self.where = None
        self.write = compile_writer(rule.row, inner)
        self.plain = plain_writer(rule.row, inner, field_writer) if self.where is None else None
        self.test = row_test(rule.row, inner)
        self.shape = shape_of(rule.row)
        choices = rule.row.alternatives if isinstance(rule.row, MapRule) else ()
        shapes = [[shape_of(one) for one in choice.alternatives] for choice in choices]
        self.choices = [(one, shape_chooser(one)) for one in shapes if any(shape & OUTLINES for shape in one)]
        written = 0 if rule.each.overlap else WRITTEN
        settled = condition_bits(rule.each.where)
        told = ATTRIBUTES if any(name.startswith("attributes") for name in names_within(rule.row)) else 0
        self.holds = 0 if is_derived(rule.row) else slot_bits(rule.row, inner) | settled | written | told
        self.late = needs_columns(rule.row)

    def outlined(self, thing: Object, context: WriteContext) -> bool:
        """Whether the row holds an object by its polygons."""
        for shapes, fits in self.choices:
            first = fits(context, thing).stated[:1]
            return bool(thing.polygons and first and shapes[first[0]] & OUTLINES)
        return bool(thing.polygons)

    def anew(self, record: Any, index: int, rows: int, up: WriteContext) -> Any:
        """The row of a record that has no source.  Raises LackingError."""
        if self.plain is None:
            return write_record(self, WriteContext(up.setting, up.item, record, up, index, rows))
        document = self.plain(record, index, rows, up)
        _held(up, record_mark(record), self.holds)
        return document

    def fits(self, context: WriteContext) -> bool:
        """Whether the context's record fulfils the table's condition."""
        return self.where is None or bool(self.where(context))


def _nowhere(scope: Scope) -> WriteContext:
    return WriteContext(WriteSetting({}, None, dict(scope.options)), None, None)


def _but(
    select: Callable[[WriteContext], Iterable[Any]], bound: frozenset[str]
) -> Callable[[WriteContext], Iterable[Any]]:
    """The attributes that have no leaf of their own."""
    return lambda context: tuple(pair for pair in select(context) if pair[0] not in bound)


def write_record(row: RowWriter, context: WriteContext) -> Any:
    """The row of one record.  Raises LackingError."""
    found = source_of(context.record, row.number, context.setting.file) if context.as_read is not None else None
    source = NO_SOURCE if found is None else found[1]
    setting = context.setting
    claims, refused = setting.claims, len(setting.refused)
    try:
        document = row.write(context, source)
    except LackingError:
        setting.claims = claims
        del setting.refused[refused:]
        raise
    hold(context, row.holds)
    return document


def is_spooled(rule: TableRule, scope: Scope) -> bool:
    """Whether a table's rows come from many items, so that they are written one by one as the items come."""
    return scope.kind == "dataset" and TABLES[rule.each.table] not in ("category", "attribute")


def spool_key(rules: tuple[TableRule, ...], scope: Scope) -> str:
    """Under which name the rows of a table of a shared document are gathered."""
    return f"$rows {table_number(rules[0], scope)}"


def _table(rules: tuple[TableRule, ...], scope: Scope) -> Writer:
    if is_spooled(rules[0], scope):
        if any(rule.each.rings for rule in rules):
            raise problem("rows in rings stand in a list of their item's own", rules[0].place)
        key = spool_key(rules, scope)
        return lambda context, source: with_empty(context.setting.rows.get(key, []), source)
    if any(rule.each.rings for rule in rules[1 if len(rules) == 1 else 0 :]):
        raise problem("rows in rings are the only table of their list", rules[0].place)
    rows = [RowWriter(rule, scope) for rule in rules]
    columns = rules[0].each.columns
    shaped = shape_tests(rows)

    numbers = {row.number for row in rows}
    of_categories = all(TABLES[rule.each.table] == "category" for rule in rules)

    def write(context: WriteContext, source: Any) -> Any:
        if of_categories and source and context.as_read is not None and lists_again(numbers, context):
            return again(context, source)
        documents = [document for document, _ in written_rows(rows, shaped, context)]
        return _in_columns(documents, source) if columns else with_empty(documents, source)

    def anew(context: WriteContext, source: Any) -> Any:
        context = WriteContext(context.setting, context.item, context.record, context.up, context.index, context.rows)
        return write(context, NO_SOURCE)

    again = list_kept(anew)
    if scope.kind == "item" and of_categories:
        return list_kept(write)  # a dataset's categories keep no row of an item's list
    return write


def _in_columns(documents: list[dict[str, Any]], source: Any) -> dict[str, list[Any]]:
    """Rows as a mapping from keys to lists; a row that lacks a key of another has null there."""
    keys = dict.fromkeys([*(source if isinstance(source, dict) else ()), *(key for row in documents for key in row)])
    return {key: [row.get(key) for row in documents] for key in keys}


ShapeTest = Callable[[WriteContext, Any], bool]
"""Whether a row holds a record's geometry as it is stated."""


def shape_tests(rows: Sequence[RowWriter]) -> dict[int, ShapeTest]:
    """For each row that shares its table with others, by its identity: whether of them it holds a record's geometry."""
    tests: dict[int, ShapeTest] = {}
    for table in {row.table for row in rows}:
        same = [row for row in rows if row.table == table]
        fits = shape_chooser([row.shape for row in same])
        tests.update({id(row): partial(_is_among, fits, place) for place, row in enumerate(same)})
    return tests


def _is_among(fits: Callable[[WriteContext, Any], Fitting], place: int, context: WriteContext, record: Any) -> bool:
    return place in fits(context, record).stated


def written_rows(
    rows: list[RowWriter], shaped: Mapping[int, ShapeTest], context: WriteContext
) -> Iterator[tuple[Any, Any]]:
    """Each record's row, with the record: as in the source, then in the model's order."""
    if len(rows) == 1:
        yield from _rows_of_one(rows[0], context)
        return
    pending: list[tuple[tuple[int, int], Any, Any]] = []
    lost: dict[int, tuple[str, Any, str]] = {}
    done: set[int] = set()
    tables = {row.table: row for row in reversed(rows) if row.table != "attributes"}  # whose pairs are made anew
    in_order = (r for row in sorted(tables.values(), key=rows.index) for r in row.select(context))
    places = {id(record): place for place, record in enumerate(in_order)}
    # Those come first that a record was read from, then those that hold its geometry as stated.  Rows that are only
    # kept stand beside another row of their record.
    made = [row for row in rows if not row.kept]
    passes = [(row, True, True) for row in sorted(rows, key=lambda row: row.kept) if context.as_read is not None]
    passes += [(row, True, False) for row in made] + [(row, False, False) for row in made]
    for row, stated_only, again in passes:
        beside = again and row.kept
        stated_only = stated_only and not beside
        chosen = [
            r for r in row.select(context) if (beside or id(r) not in done) and not is_elsewhere(r, row.number, context)
        ]
        chosen = [r for r in chosen if shaped[id(row)](context, r)] if stated_only else chosen
        chosen = [r for r in chosen if source_of(r, row.number, "") is not None] if again else chosen
        fitting = [f for f in contexts_of(chosen, context) if row.fits(f)]
        for index, inner in enumerate(fitting):
            inner.index, inner.rows = index, len(fitting)
            if inner.as_read is not None:
                inner.as_read.rows = len(fitting)
            try:
                document = write_record(row, inner)
            except LackingError as lacking:
                lost.setdefault(id(inner.record), (row.table, inner.record, f"no {lacking}"))
                continue
            done.add(id(inner.record))
            place = places.get(id(inner.record), 0)
            pending.append(((position_of(inner.record, row.number), place), document, inner.record))
            further = repeated(inner, row.number) if row.repeats else ()
            pending += (((position_of(one.record, row.number), place), write_record(row, one), inner.record)
                        for one in further)  # fmt: skip
    lacking_rows = [entry for record, entry in lost.items() if record not in done]
    if lacking_rows:
        context.setting.rows.setdefault("lost", []).extend(lacking_rows)
    pending.sort(key=lambda entry: entry[0])
    yield from ((document, record) for _, document, record in pending)


def _rows_of_one(row: RowWriter, context: WriteContext) -> Iterator[tuple[Any, Any]]:
    """The rows of the only table that can hold the records."""
    chosen = [record for record in row.select(context) if not is_elsewhere(record, row.number, context)]
    if row.kept:
        chosen = [r for r in chosen if context.as_read is not None and source_of(r, row.number, "") is not None]
    if row.rule.each.rings:
        yield from _rings_of(row, context, chosen)
        return
    yield from _written(row, context, chosen)


def _rings_of(row: RowWriter, context: WriteContext, chosen: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The rows of objects that have one for each of their rings."""
    parts = split_rings(chosen, row.number, row.rule.each.by, lambda thing: row.outlined(thing, context))
    wholes = {id(part.thing): part for part in parts}
    for document, record in _written(row, context, [part.thing for part in parts]):
        part, held = wholes[id(record)], context.setting.held
        held[record_mark(part.whole)] = (
            held.get(record_mark(part.whole), 0) | held.get(record_mark(record), 0) & ~part.lost
        )
        yield document, part.whole


def _written(row: RowWriter, context: WriteContext, chosen: list[Any]) -> Iterator[tuple[Any, Any]]:
    rows = _each_row(row, context, chosen)
    return _with_own_keys(row, context, rows) if row.rule.keyed else rows


def _with_own_keys(row: RowWriter, context: WriteContext, rows: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Rows of a mapping, which holds one under each key; of several records with one key the first is written."""
    taken: set[Any] = set()
    for document, record in rows:
        if document[KEY] in taken:
            hold_no_more(context, record)
            _lose(row, context, record, f"another stands under the same key {document[KEY]!r}")
            continue
        taken.add(document[KEY])
        yield document, record


def _lose(row: RowWriter, context: WriteContext, record: Any, why: str) -> None:
    """Note that a record has no row, and why; an attribute without one is left out of its record's row."""
    if row.table == "attributes":
        refuse(WriteContext(context.setting, context.item, record, context), ())
        return
    context.setting.rows.setdefault("lost", []).append((row.table, record, why))


def _each_row(row: RowWriter, context: WriteContext, chosen: list[Any]) -> Iterator[tuple[Any, Any]]:
    if row.where is None and context.as_read is None:
        for index, record in enumerate(chosen):
            try:
                yield row.anew(record, index, len(chosen), context), record
            except LackingError as lacking:
                _lose(row, context, record, f"no {lacking}")
        return
    fitting = contexts_of(chosen, context)
    if row.where is not None:
        fitting = [inner for inner in fitting if row.fits(inner)]
    count = len(fitting)
    for index, inner in enumerate(fitting):
        inner.index, inner.rows = index, count
        if inner.as_read is not None:
            inner.as_read.rows = count
        try:
            yield write_record(row, inner), inner.record
            for one in repeated(inner, row.number) if row.repeats else ():
                yield write_record(row, one), inner.record
        except LackingError as lacking:
            _lose(row, context, inner.record, f"no {lacking}")
