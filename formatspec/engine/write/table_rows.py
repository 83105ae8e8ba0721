"""The rows of tables: which records have a row, the order of rows, and notes of records without one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from msgspec.structs import replace

from formatspec.engine.evaluate.expressions import condition
from formatspec.engine.evaluate.value_source import condition_filter
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting, records_of
from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.resolve.discriminators import row_test
from formatspec.engine.resolve.held_slots import (
    SEVERAL,
    WRITTEN,
    attribute_bits,
    condition_bits,
    names_within,
    record_mark,
    slot_bits,
)
from formatspec.engine.resolve.questions.may_lack import following_box
from formatspec.engine.resolve.questions.tables import bound_attributes, holds_tables, needs_columns, tables_told
from formatspec.engine.resolve.row_counters import counting_keys
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.table_ids import table_number
from formatspec.engine.write.generate_rows import Lacking, PlainWriter
from formatspec.engine.write.geometry_choice import OUTLINES, Shapes, shape_chooser, shape_of, without_flat
from formatspec.engine.write.mark_written import hold, hold_no_more, refuse
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.engine.write.source_rows import (
    NOT_READ,
    contexts_of,
    each_row,
    is_elsewhere,
    position_of,
    source_count,
    source_of,
    stands_in,
)
from formatspec.engine.write.split_rings import are_split, split_rings
from formatspec.language import expression
from formatspec.language.expression import Expression
from formatspec.language.rules import KEY, MapRule, TableRule, is_derived
from formatspec.model.records import Object


def is_settled(where: Expression | None) -> bool:
    """Whether a condition is about options alone, which are known before anything is written."""
    return where is not None and all(name.startswith("option.") for name in expression.names(where))


def row_scope(rule: TableRule, scope: Scope) -> Scope:
    """Return what names mean in a row of a table, which binds some attributes by leaves of their own."""
    return replace(scope.inside(rule.each.table), bound=frozenset(bound_attributes(rule.row)))


def held_by_row(rule: TableRule, scope: Scope) -> int:
    """Return the slots that a row of a table holds, and whether it counts as its record's row."""
    if is_derived(rule.row):
        return 0
    written = 0 if rule.each.overlap else WRITTEN
    told = attribute_bits(names_within(rule.row))
    return slot_bits(rule.row, row_scope(rule, scope)) | condition_bits(rule.each.where) | written | told


class RowWriter:
    """How the records of one table are chosen and written."""

    __slots__ = (
        "choices", "counting", "holds", "kept", "late", "number", "parts", "plain", "quick", "repeats", "rule",
        "select", "shape", "table", "tells", "test", "where", "write",
    )  # fmt: skip

    def __init__(self, rule: TableRule, scope: Scope, write: Writer, holds: int) -> None:
        """Compile how records are selected, filtered and written.

        Args:
            rule: The table's rule.
            scope: What names mean around the table.
            write: The writer of one row.
            holds: The slots that a row holds, which are noted for its record.
        """
        inner = row_scope(rule, scope)
        self.rule = rule
        self.table = rule.each.table
        self.number = table_number(rule, scope)
        self.select = records_of(rule.each.table)
        self.kept = rule.each.kept
        self.tells = frozenset(tables_told(rule.row)) if rule.each.table == "items" else frozenset()
        self.parts = rule.each.table == "items" and holds_tables(rule.row)
        self.repeats = rule.each.table == "items" or (self.kept and not holds_tables(rule.row))
        if rule.each.table == "objects" and rule.each.by == ("index",):
            self.select = _with_rows(self.select)
        if rule.each.table == "attributes" and scope.bound:
            pairs, bound = self.select, scope.bound  # those with leaves of their own have no row
            self.select = lambda context: tuple(pair for pair in pairs(context) if pair[0] not in bound)
        self.where = None if rule.each.where is None else condition(rule.each.where, inner, rule.place)
        if (
            self.where is not None
            and is_settled(rule.each.where)
            and self.where(WriteContext(WriteSetting({}, None, dict(scope.options)), None, None))
        ):
            self.where = None
        self.quick = None if rule.each.where is None else condition_filter(rule.each.where, inner)
        self.write = write
        self.plain: PlainWriter | None = None
        self.test = row_test(rule.row, inner, following_box(rule.row))
        self.shape = shape_of(rule.row)
        choices = rule.row.alternatives if isinstance(rule.row, MapRule) else ()
        shapes = [[shape_of(one) for one in choice.alternatives] for choice in choices]
        self.choices = [(one, shape_chooser(one)) for one in shapes if any(shape & OUTLINES for shape in one)]
        self.holds = holds
        self.late = needs_columns(rule.row)
        self.counting = counting_keys(rule.row, inner)

    def outlined(self, thing: Object, context: WriteContext) -> bool:
        """Whether the row holds an object by its polygons."""
        for shapes, fits in self.choices:
            first = fits(context, thing).stated[:1]
            return bool(thing.polygons and first and shapes[first[0]] & OUTLINES)
        return bool(thing.polygons)

    def rows_anew(
        self, records: Sequence[Any], indices: Iterable[int], rows: int, up: WriteContext, documents: list[Any]
    ) -> Lacking:
        """Add the rows of some records without a source to `documents`; return those that have none, with the reason.

        A record whose row is given counts as written.
        """
        return (self.plain or self._each_anew)(records, indices, rows, up, documents)

    def _each_anew(
        self, records: Iterable[Any], indices: Iterable[int], rows: int, up: WriteContext, documents: list[Any]
    ) -> Lacking:
        lacking: Lacking = []
        for record, index in zip(records, indices, strict=False):
            try:
                documents.append(write_record(self, WriteContext(up.setting, up.item, record, up, index, rows)))
            except LackingError as reason:
                lacking.append((record, reason))
        return lacking

    def fits(self, context: WriteContext) -> bool:
        """Whether the context's record fulfils the table's condition."""
        return self.where is None or bool(self.where(context))

    def fitting(self, records: Sequence[Any], up: WriteContext) -> Sequence[Any] | None:
        """Return those records that fulfil the table's condition; None if each record needs a context of its own."""
        if self.where is None:
            return records
        return None if self.quick is None else self.quick(records, up)


def _with_rows(select: Callable[[WriteContext], Iterable[Any]]) -> Callable[[WriteContext], Iterable[Any]]:
    """Return a selection of objects without those that another table could not write.

    Rows that follow other rows in their order would otherwise stand beside the wrong ones.
    """

    def selected(context: WriteContext) -> Iterable[Any]:
        gone = {id(record) for _, record, _ in context.setting.lost}
        held = context.setting.held
        return [one for one in select(context) if id(one) not in gone or held.get(id(one), 0) & WRITTEN]

    return selected


def without(records: Sequence[Any], lacking: Lacking) -> Sequence[Any]:
    """Return those of some records that have a row."""
    gone = {id(record) for record, _ in lacking}
    return [record for record in records if id(record) not in gone] if gone else records


def write_record(row: RowWriter, context: WriteContext) -> Any:
    """Return the row of one record. Raises LackingError."""
    found = source_of(context.record, row.number, context.setting.file) if context.as_read is not None else None
    source = NO_SOURCE if found is None else found[1]
    setting = context.setting
    claims, refused = setting.claims, len(setting.refused)
    try:
        if row.plain is not None and context.as_read is None and context.up is not None:
            documents: list[Any] = []
            for _, reason in row.plain((context.record,), (context.index,), context.rows, context.up, documents):
                raise reason
            return documents[0]
        document = row.write(context, source)
    except LackingError:
        setting.claims = claims
        del setting.refused[refused:]
        raise
    hold(context, row.holds)
    return document


def rows_anew(rows: Sequence[RowWriter], context: WriteContext) -> list[Any] | None:
    """Return the rows of an item without a source, if one table alone gets rows; None if `written_rows` must give them.

    rows: the rows of the list that are not only kept.
    """
    row = rows[0]
    if len(rows) > 1 or row.table == "items" or row.kept or row.rule.keyed or row.plain is None:
        return None
    records: Any = row.select(context)
    if row.rule.each.rings and are_split(records, row.rule.each.by[-1]):
        return None
    own = row.fitting(records, context)
    if own is None:
        return None
    documents: list[Any] = []
    for record, reason in row.plain(own, range(len(own)), len(own), context, documents):
        _lose(row, context, record, f"no {reason}")
    return documents


def written_rows(
    rows: list[RowWriter], shapes: Shapes, context: WriteContext, source: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield each record's row with the record: rows of the source in its order, then others in the model's order.

    source: the rows as they were read. If the item has several such lists, they say which records belong to this one.
    """
    if context.as_read is None and len(rows) > 1:
        rows = [row for row in rows if not row.kept] or rows  # records without a source get no row that is only kept
    numbers = [row.number for row in rows] if context.part else []
    several = _hold_tables_often(rows, context)
    if len(rows) == 1:
        yield from _rows_of_one(rows[0], context, source, numbers, several)
        return
    pending: list[tuple[tuple[int, int], Any, Any]] = []
    for ringed in (row for row in rows if row.rule.each.rings):  # at most one row of these is a table of objects
        found = _rings_of(ringed, context, _chosen(ringed, context, source, numbers), source)
        pending += [((place, 0), document, record) for place, document, record in found]
    rows = [row for row in rows if not row.rule.each.rings]
    lost: dict[int, LostRow] = {}
    done: set[int] = set()
    parted: set[int] = set()
    told: dict[int, frozenset[str]] = {}
    again_told: set[str] = set()
    tables = {row.table: row for row in reversed(rows) if row.table != "attributes"}  # pairs of those are made anew
    in_order = [r for row in sorted(tables.values(), key=rows.index) for r in row.select(context)]
    places = dict(zip(map(id, in_order), itertools.count(), strict=False))
    # A record is written first by the row that it was read from, then by a row that holds its geometry as it is stated.
    # A row that is only kept is written beside another row of its record.
    made = [row for row in rows if not row.kept]
    by_shape = shapes.found(context) if context.as_read is None else {}
    passes = []
    if context.as_read is not None:
        passes = [(row, True, True) for row in sorted(rows, key=lambda row: row.kept)]
    passes += [(row, True, False) for row in made if context.as_read is not None or row in by_shape]
    for row, stated_only, again in itertools.chain(passes, _last_passes(made, shapes, done, places)):
        if not again and row.table in again_told:
            continue  # the item's own row describes the others
        beside = again and (row.kept or row.table == "items")
        stated_only = stated_only and not (again and row.kept)
        if context.as_read is None and len(done) == len(places) and not row.tells:
            continue  # each record has its row
        candidates = by_shape[row] if stated_only and by_shape else row.select(context)
        if not candidates:
            continue
        chosen = list(candidates)
        if not beside and done:
            chosen = [r for r in chosen if id(r) not in done or row.tells - told.get(id(r), row.tells)]
        if context.as_read is not None:
            chosen = [r for r in chosen if not is_elsewhere(r, row.number, context)]
        elif row.shape:
            chosen = without_flat(row.shape, chosen)
        whole = row.table == "items"
        if numbers or (whole and context.setting.in_lists):
            own = [row.number] if whole else numbers
            chosen = [r for r in chosen if stands_in(r, own, source, context.part or 1)]
        if stated_only and not by_shape:
            chosen = [r for r in chosen if shapes.tests[id(row)].holds(context, r)]
        chosen = [r for r in chosen if source_of(r, row.number, "") is not None] if again else chosen
        plain = row.fitting(chosen, context) if context.as_read is None and row.plain is not None else None
        if plain is not None:
            documents: list[Any] = []
            lacking = row.rows_anew(plain, range(len(plain)), len(plain), context, documents)
            for record, reason in lacking:
                lost.setdefault(id(record), LostRow(row.table, record, f"no {reason}"))
            plain = without(plain, lacking)
            done.update(map(id, plain))
            order = zip(
                _positions(plain, row.number), map(places.get, map(id, plain), itertools.repeat(0)), strict=True
            )
            pending += zip(order, documents, plain, strict=True)
            continue
        fitting = [f for f in contexts_of(chosen, context) if row.fits(f)]
        for index, inner in enumerate(fitting):
            inner.index, inner.rows = index, len(fitting)
            if inner.as_read is not None:
                inner.as_read.rows = len(fitting)
            place = places.get(id(inner.record), 0)
            for one in _parts(row, inner, source, several, id(inner.record) in parted):
                try:
                    document = write_record(row, one)
                except LackingError as lacking:
                    lost.setdefault(id(inner.record), LostRow(row.table, inner.record, f"no {lacking}"))
                    break
                done.add(id(inner.record))
                if one.part:
                    parted.add(id(inner.record))
                if row.tells:
                    again_told |= row.tells - {"items"} if again else frozenset()
                    told[id(inner.record)] = told.get(id(inner.record), frozenset()) | row.tells
                pending.append(((position_of(one.record, row.number), place), document, inner.record))
    lacking_rows = [entry for record, entry in lost.items() if record not in done]
    if lacking_rows:
        context.setting.lost += lacking_rows
    pending.sort(key=itemgetter(0))
    yield from map(itemgetter(1, 2), pending)


def _positions(records: Iterable[Any], number: int) -> list[int]:
    """Return the positions of records in a table; `NOT_READ` for those that were not read from there."""
    return [
        NOT_READ if record.__class__ is Object and record.origin is None else position_of(record, number)
        for record in records
    ]


def _last_passes(
    made: Sequence[RowWriter], shapes: Shapes, done: Collection[int], places: Collection[int]
) -> Iterator[tuple[RowWriter, bool, bool]]:
    """Yield the passes in which a row takes any record, after the others; none if each record has its row by then."""
    if shapes.tell or len(done) < len(places):
        yield from ((row, False, False) for row in made)


def _hold_tables_often(rows: Sequence[RowWriter], context: WriteContext) -> bool:
    """Whether several rows of the item hold tables of their own, so that its records are divided among them."""
    holders = [row for row in rows if row.parts] if context.as_read is not None else ()
    return sum(source_count(record, row.number) for row in holders for record in row.select(context)) > 1


def _parts(row: RowWriter, inner: WriteContext, source: Any, several: bool, later: bool) -> list[WriteContext]:
    """Return one context of a record for each of its rows in a table.

    several: whether several rows of the item hold tables of their own. later: whether one of them is written already.
    """
    up = inner.up.part if inner.up is not None else 0
    shared_out = up or (row.table == "items" and inner.setting.in_lists)
    parts = each_row(inner, row.number, source, shared_out) if row.repeats else [inner]
    if several and row.parts:
        for place, one in enumerate(parts):
            one.part = 2 if place or later or up > 1 else 1
    return parts


def _rows_of_one(
    row: RowWriter, context: WriteContext, source: Any, numbers: Sequence[int], several: bool
) -> Iterator[tuple[Any, Any]]:
    """Yield the rows of the only table that can hold the records."""
    chosen = _chosen(row, context, source, numbers)
    if row.rule.each.rings:
        yield from ((document, record) for _, document, record in _rings_of(row, context, chosen, source))
        return
    yield from _written(row, context, chosen, source, several)


def _chosen(row: RowWriter, context: WriteContext, source: Any, numbers: Sequence[int]) -> list[Any]:
    """Return the records that the table can hold, if no other table can hold them."""
    chosen = [record for record in row.select(context) if not is_elsewhere(record, row.number, context)]
    if numbers or (row.table == "items" and context.setting.in_lists):
        chosen = [record for record in chosen if stands_in(record, [row.number], source, context.part or 1)]
    if row.kept:
        chosen = [r for r in chosen if context.as_read is not None and source_of(r, row.number, "") is not None]
    return chosen


def _rings_of(row: RowWriter, context: WriteContext, chosen: list[Any], source: Any) -> Iterator[tuple[int, Any, Any]]:
    """Yield a row for each ring of each object, with the row's position in the source and the object."""
    parts = split_rings(chosen, row.number, row.rule.each.by, lambda thing: row.outlined(thing, context))
    wholes = {id(part.thing): part for part in parts}
    for document, record in _written(row, context, [part.thing for part in parts], source):
        part, held = wholes[id(record)], context.setting.held
        told = held.get(record_mark(record), 0) & ~part.lost
        if len(part.whole.polygons) > len(record.polygons):
            told |= SEVERAL  # each ring has a row of its own
        held[record_mark(part.whole)] = held.get(record_mark(part.whole), 0) | told
        yield position_of(record, row.number), document, part.whole


def _written(
    row: RowWriter, context: WriteContext, chosen: list[Any], source: Any, several: bool = False
) -> Iterator[tuple[Any, Any]]:
    rows = _each_row(row, context, chosen, source, several)
    return _with_own_keys(row, context, rows) if row.rule.keyed else rows


def _with_own_keys(row: RowWriter, context: WriteContext, rows: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield the rows of a mapping, one for each key; of several records with one key, the first is written."""
    taken: set[Any] = set()
    for document, record in rows:
        if document[KEY] in taken:
            hold_no_more(context, record)
            _lose(row, context, record, f"another stands under the same key {document[KEY]!r}")
            continue
        taken.add(document[KEY])
        yield document, record


def _lose(row: RowWriter, context: WriteContext, record: Any, why: str) -> None:
    """Note that a record has no row, and why; if it is an attribute, it is left out of its record's row."""
    if row.table == "attributes":
        refuse(WriteContext(context.setting, context.item, record, context), ())
        return
    context.setting.lost.append(LostRow(row.table, record, why))


def _each_row(
    row: RowWriter, context: WriteContext, chosen: list[Any], source: Any, several: bool
) -> Iterator[tuple[Any, Any]]:
    own = row.fitting(chosen, context) if context.as_read is None else None
    if own is not None:
        documents: list[Any] = []
        lacking = row.rows_anew(own, range(len(own)), len(own), context, documents)
        for record, reason in lacking:
            _lose(row, context, record, f"no {reason}")
        yield from zip(documents, without(own, lacking), strict=True)
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
            for one in _parts(row, inner, source, several, False):
                yield write_record(row, one), inner.record
        except LackingError as lacking:
            _lose(row, context, inner.record, f"no {lacking}")
