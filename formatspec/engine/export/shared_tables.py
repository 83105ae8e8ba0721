"""What an export asks of a format before it writes: its shared tables, and where ids and outlines have their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import msgspec

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.export.adaptation.adapt import Adapter
from formatspec.engine.export.adaptation.name_items import NoPlaceError
from formatspec.engine.export.render_path import Spelled, rendered
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.resolve.row_counters import counts_plainly
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import Format, Role
from formatspec.engine.spec.tables import first_of, rules_of, tables_in
from formatspec.engine.write.compile_writer import compile_writer, is_spooled, row_writer, spool_key
from formatspec.engine.write.print_leaf import Writer
from formatspec.engine.write.source_rows import source_of
from formatspec.engine.write.table_rows import RowWriter, Shaped, needs_columns, shape_tests
from formatspec.language.rules import TableRule
from formatspec.model.slots import TABLES


class Spooled(msgspec.Struct, frozen=True, dict=True):
    """A table of a shared document whose rows come from items; `rules` are its alternatives."""

    key: str
    kind: str
    rules: tuple[TableRule, ...]
    scope: Scope

    @cached_property
    def writers(self) -> tuple[RowWriter, ...]:
        """How its rows are written: compiled when the first is."""
        return tuple(row_writer(rule, self.scope) for rule in self.rules)

    @cached_property
    def turns(self) -> tuple[tuple[RowWriter, str], ...]:
        """In which order the alternatives try to hold a record, and which records each takes at that turn.

        `read` takes records that were read from this alternative, `stated` those whose stated geometry the alternative
        holds, and "" any.
        """
        if len(self.writers) == 1 or any(row.late for row in self.writers):
            return tuple((row, "") for row in self.writers)
        return tuple((row, which) for which in ("read", "stated", "") for row in self.writers)

    @cached_property
    def _shaped(self) -> Mapping[int, Shaped]:
        return shape_tests(self.writers)

    def takes(self, row: RowWriter, which: str, context: WriteContext) -> bool:
        """Whether a row tries to hold the context's record in its turn."""
        if which == "read":
            read = context.as_read is not None
            return read and source_of(context.record, row.number, context.setting.file) is not None
        return self.holds(row, which, context, context.record)

    def holds(self, row: RowWriter, which: str, context: WriteContext, record: Any) -> bool:
        """Whether a row holds a record's geometry as it is stated, where that counts in its turn."""
        return not which or self._shaped[id(row)].holds(context, record)


def is_category_source(form: Format, role: Role) -> bool:
    """Whether a role lists the categories that a table beside the spec holds as well."""
    return role.name in form.spec.categories


def counts_of(role: Role, source: SharedFile, now: Mapping[str, Any]) -> dict[str, Any]:
    """How many rows of each table the source held, for what counts them."""
    rows = dict(now)
    if source.items is not None:
        rows["items"] = range(source.items)
    assert role.codec is not None
    for path, rule in tables_in(role.codec.rule, ()):
        table = first_of(rule).each.table
        if table in ("items", "objects"):
            rows[table] = range(len(source.tables.get(path, ())))
    return rows


def spooled_tables(role: Role) -> Iterable[Spooled]:
    """The tables of a role's document whose rows come from items."""
    assert role.codec is not None
    for _, rule in tables_in(role.codec.rule, ()):
        rules = rules_of(rule)
        if is_spooled(rules[0], role.scope):
            yield Spooled(spool_key(rules, role.scope), TABLES[rules[0].each.table], rules, role.scope)


def _all_spooled(form: Format) -> Iterator[Spooled]:
    """The tables of all shared files whose rows come from items."""
    for role in form.documents:
        if role.span == "shared" and role.codec is not None:
            yield from spooled_tables(role)


def told_twice(form: Format, roles: Mapping[str, Iterable[Spooled]]) -> bool:
    """Whether several files may tell of one object by its id, which then must be one number in all of them.

    They are files of several roles, or of several subsets in which one image may stand.
    """
    by_id = [
        name
        for name, tables in roles.items()
        if any(rule.each.by == ("id",) for one in tables for rule in one.rules if one.kind == "object")
    ]
    apart = "subset" not in form.key_names and any("subset" in form.roles[name].captures for name in by_id)
    return len(by_id) > 1 or apart


def tells_of_items(form: Format) -> bool:
    """Whether shared files hold rows of items."""
    return any(True for _ in _all_spooled(form))


def knows_all(form: Format) -> bool:
    """Whether rows of shared files can be written only when all rows are known."""
    return any(needs_columns(rule.row) for table in _all_spooled(form) for rule in table.rules)


def counts_on(form: Format) -> bool:
    """Whether rows of shared files hold numbers of rows in a way that cannot be raised later, as in a text."""
    return any(not counts_plainly(rule, table.scope) for table in _all_spooled(form) for rule in table.rules)


def narrower(adapter: Adapter) -> frozenset[str]:
    """The tables of records whose ids must be unique in the target and are not in the source."""
    if adapter.same:
        return frozenset()
    spread = _spread(adapter.target)
    return spread if adapter.numbers_meet or adapter.adds_objects else spread - _spread(adapter.source)


def holds_apart(form: Format) -> bool:
    """Whether one object's region and polygons have places of their own in a format."""

    def holds(slot: str, roles: Iterable[Role]) -> set[str]:
        return {
            role.name
            for role in roles
            for meaning, scope, lookup in wanted_slots.meanings(role.document_rule, role.scope)
            if meaning.where == "record" and meaning.name == slot and scope.kind == "object" and not lookup
        }

    polygons = holds("polygons", form.documents) | holds("polygon", form.documents)
    pixels = [role for role in form.documents if role.kind == "pixels" and not role.kept]
    regions = holds("region", form.documents) | {
        role.name for role in pixels if wanted_slots.serves(role, _object_region)
    }
    return bool(polygons) and bool(regions - polygons)


def subsets_of(files: Iterable[SharedFile], named: Callable[[str], str | None]) -> dict[str, str]:
    """The subset of each document of a source that tells of one, as it is `named` now."""
    found: dict[str, str] = {}
    for file in files:
        stated = file.captures.get("subset")
        with suppress(NoPlaceError):
            subset = named(stated) if isinstance(stated, str) else None
            if subset is not None:
                found[file.path] = subset
    return found


def renamed_files(
    form: Format, sources: Mapping[tuple[str, str], SharedFile], subset_of: Mapping[str, str], spelled: Spelled
) -> dict[tuple[str, str], str]:
    """The documents of a source by the roles and paths that they have now, where their subset has another name now.

    A path that another document of the source keeps is left out: rows of that document stand there, too.
    """
    found: dict[tuple[str, str], str] = {}
    for (name, path), file in sources.items():
        now = subset_of.get(path)
        if now is not None and now != file.captures["subset"] and name in form.roles:
            found.setdefault((name, spelled(rendered(form.roles[name], {**file.captures, "subset": now}))), path)
    kept = {place for place, file in sources.items() if subset_of.get(file.path) == file.captures.get("subset")}
    return {place: path for place, path in found.items() if place not in kept}


def unheld_lines(form: Format) -> frozenset[str]:
    """Which of lines and keypoints a format has no place for."""
    return frozenset({"polyline", "keypoints"} - _held_slots(form))


def holds_boxes_only(form: Format) -> bool:
    """Whether a format has no place for outlines, turned boxes or pixels of objects, but for their boxes."""
    held = _held_slots(form)
    shapes = {"polygons", "polygon", "rotated", "region", "circle", "ellipse"}
    return "bbox" in held and not held & shapes and all(role.kind != "pixels" for role in form.documents)


def draws_outlines(form: Format) -> bool:
    """Whether a format has no place for the outlines of objects, but for the pixels inside them."""
    return not _held_slots(form) & {"polygons", "polygon"} and not holds_boxes_only(form)


def _held_slots(form: Format) -> set[str]:
    """The slots of objects that rows of a format tell."""
    return {
        meaning.name
        for role in form.documents
        if not role.kept
        for meaning, scope, _ in wanted_slots.meanings(role.document_rule, role.scope)
        if scope.kind == "object" and meaning.where == "record"
    }


def frame_writer(role: Role) -> Writer | None:
    """What spells the frame of an item as rows do that go along frames; None where the role has no such rows."""
    if role.codec is None or role.codec.frames is None:
        return None
    rule, table = role.codec.frames
    return compile_writer(rule, role.scope.inside(table), False)


def _object_region(meaning: Meaning, scope: Scope) -> bool:
    return scope.kind == "object" and meaning.name == "region"


def _spread(form: Format) -> frozenset[str]:
    """The tables of records whose ids are unique over a whole shared document."""
    return frozenset(
        each.table
        for role in form.documents
        if role.span == "shared" and role.codec is not None
        for _, rule in tables_in(role.codec.rule, ())
        if (each := first_of(rule).each).table in ("objects", "captions") and "id" in each.by
    )
