"""Facts about a format that an export needs before it writes: its shared tables, and where ids and outlines stand."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import msgspec

from formatspec.engine.base.remembered import remembered
from formatspec.engine.evaluate.write_context import WriteContext, derived_of
from formatspec.engine.export.adaptation.name_items import NoPlaceError
from formatspec.engine.export.render_path import Spelled, rendered
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.resolve.held_slots import BITS, stated_bits
from formatspec.engine.resolve.questions.meanings import expressions_within, leaves, meanings
from formatspec.engine.resolve.questions.tables import needs_columns
from formatspec.engine.resolve.row_counters import counts_plainly
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format, Role
from formatspec.engine.write.compile_writer import compile_writer, is_spooled, row_writer, spool_key
from formatspec.engine.write.geometry_choice import Shapes, shapes_of
from formatspec.engine.write.print_leaf import Writer
from formatspec.engine.write.source_rows import source_of
from formatspec.engine.write.table_rows import RowWriter, row_scope
from formatspec.language.expression import Binary, Call, Expression, Literal, Name, conjuncts, parts_of
from formatspec.language.leaf import Bind, Text
from formatspec.language.rules import MapRule, Rule, TableRule
from formatspec.model.amounts import amounts
from formatspec.model.records import RECORD_TABLES, Item
from formatspec.model.slots import TABLES

_PARTS = frozenset(RECORD_TABLES)
"""Tables of records that an item holds as such."""
_ITEM = frozenset({"items"})


class Spooled(msgspec.Struct, frozen=True, dict=True, eq=False):
    """A table of a shared document whose rows come from items; `rules` are the alternatives for one row."""

    key: str
    kind: str
    rules: tuple[TableRule, ...]
    scope: Scope

    @cached_property
    def writers(self) -> tuple[RowWriter, ...]:
        """The writers of its rows, compiled at first use."""
        return tuple(row_writer(rule, self.scope) for rule in self.rules)

    @cached_property
    def parts(self) -> frozenset[str]:
        """The tables of an item whose records have the rows; the item itself, `items`, if rows may need no record."""
        tables = frozenset(rule.each.table for rule in self.rules)
        return tables if tables <= _PARTS else _ITEM

    @cached_property
    def _asked(self) -> tuple[tuple[str, int], ...]:
        """The table of each alternative for records without a source, with the slots that its condition asks for."""
        rules = [row.rule for row, _ in self.turns_anew]
        return tuple({(one.each.table, required_bits(one.each.where, row_scope(one, self.scope))) for one in rules})

    def may_have_rows(self, empty: frozenset[str], stated: int) -> bool:
        """Return whether an item without a source may have a row.

        It may not only where no alternative has a record that it could take.

        Args:
            empty: The tables of which the item has no record.
            stated: The slots that any of its objects states, as bits.
        """
        return self.parts is _ITEM or any(table not in empty and not bits & ~stated for table, bits in self._asked)

    @cached_property
    def beside(self) -> tuple[RowWriter, ...]:
        """The writers of rows that are only kept beside an item's own row."""
        return tuple(row for row in self.writers if row.kept and self.kind == "item")

    @cached_property
    def turns(self) -> tuple[tuple[RowWriter, str], ...]:
        """The order in which the alternatives are tried, and which records each one takes in that turn.

        `read` takes the records that were read with this alternative, `stated` the records whose stated geometry the
        alternative holds, and an empty text any record.
        """
        writers = tuple(row for row in self.writers if row not in self.beside)
        if len(writers) == 1 or any(row.late for row in writers):
            return tuple((row, "") for row in writers)
        return tuple((row, which) for which in ("read", "stated", "") for row in writers)

    @cached_property
    def turns_anew(self) -> tuple[tuple[RowWriter, str], ...]:
        """The turns of records without a source, of which rows that are only kept take none."""
        return tuple(
            (row, which)
            for row, which in self.turns
            if which != "read" and (not row.kept or row.rule.each.by == ("item",))
        )

    @cached_property
    def _shapes(self) -> Shapes:
        return shapes_of(self.writers)

    def takes(self, row: RowWriter, which: str, context: WriteContext) -> bool:
        """Return whether an alternative is tried for the context's record in this turn."""
        if which == "read":
            read = context.as_read is not None
            return read and source_of(context.record, row.number, context.setting.file) is not None
        return self.holds(row, which, context, context.record)

    def holds(self, row: RowWriter, which: str, context: WriteContext, record: Any) -> bool:
        """Return whether an alternative holds a record's geometry as stated; true in turns for any record."""
        return not which or self._shapes.tests[id(row)].holds(context, record)


def required_bits(where: Expression | None, scope: Scope) -> int:
    """Return slots that an object of this scope must state to fulfil a condition; it may ask for more than these."""
    bits = 0
    for part in conjuncts(where) if where is not None and scope.kind == "object" else ():
        if isinstance(part, Binary) and part.operator == "==" and isinstance(part.right, Literal):
            part = part.left if part.right.value is not None else part
        meaning = scope.meaning(part.name) if isinstance(part, Name) else None
        if meaning is None or meaning.where != "record" or meaning.derived or derived_of(meaning.name):
            continue
        head, _, rest = meaning.name.partition(".")
        bits |= BITS.get(head, 0) if not rest or head == "attributes" else 0
    return bits


def stated_slots(item: Item) -> tuple[list[int], int]:
    """Return which slots each object of an item states, as bits, and the bits of them all together."""
    stated = [stated_bits(thing) for thing in item.objects]
    union = 0
    for bits in stated:
        union |= bits
    return stated, union


def without_records(item: Item) -> frozenset[str]:
    """Return the tables of an item that hold no record."""
    return frozenset([name for name in _PARTS if not getattr(item, name)])


def is_category_source(form: Format, role: Role) -> bool:
    """Return whether a role lists the same categories as a table beside the spec."""
    return role.name in form.spec.categories


def counts_of(role: Role, source: SharedFile, now: Mapping[str, range]) -> dict[str, range]:
    """Return how many rows of each table the source held, for leaves that print such a count."""
    rows = dict(now)
    if source.items is not None:
        rows["items"] = range(source.items)
    for path, rules in role.lists:
        table = rules[0].each.table
        if table in ("items", "objects"):
            rows[table] = range(len(source.tables.get(path, ())))
    return rows


@remembered(KEPT_FORMATS)
def spooled_tables(role: Role) -> tuple[Spooled, ...]:
    """Return the tables of a role's document whose rows come from items."""
    return tuple(
        Spooled(spool_key(rules, role.scope), TABLES[rules[0].each.table], rules, role.scope)
        for _, rules in role.lists
        if is_spooled(rules[0], role.scope)
    )


def written_alike(form: Format, made: Container[str]) -> dict[tuple[str, str], int]:
    """Number the tables that list items by the same rule, as files of boxes, keypoints and captions may do.

    Args:
        form: The layout.
        made: The names in paths that follow from items: their files list some items only.

    Returns:
        The number of each such table, by its role and key. Tables without another one like them are left out.
    """
    groups: list[tuple[Any, list[tuple[str, str]]]] = []
    for role in form.documents if amounts().generates else ():
        if role.span != "shared" or role.codec is None or role.kept:
            continue
        for table in () if role.spec.given or any(one in made for one in role.template.names) else spooled_tables(role):
            several = len(table.rules) > 1 or (role.name, table.key) in rows_of_groups(form)
            if table.kind != "item" or several or needs_columns(table.rules[0].row):
                continue
            kind = (role.kind, role.spec.style, role.captures, table.rules[0])
            members = next((members for known, members in groups if known == kind), None)
            if members is None:
                groups.append((kind, [(role.name, table.key)]))
            else:
                members.append((role.name, table.key))
    alike = [members for _, members in groups if len(members) > 1]
    return {member: number for number, members in enumerate(alike) for member in members}


@remembered(KEPT_FORMATS)
def rows_of_groups(form: Format) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the tables whose rows stand for several items each, by role and table, with the names that a row has.

    Such a row has some of the names of an item, such as its sequence, and nothing else, while another name of the item
    stands neither in the row nor in the path of the file.
    """
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    whole = {name for name in form.key_names if name not in _NOT_NAMED}
    for role in form.documents:
        for table in spooled_tables(role) if role.span == "shared" and role.codec is not None else ():
            bound = (leaf for rule in table.rules for leaf, _, _ in leaves(rule, role.scope))
            names = {name for leaf in bound for name in leaf.names}
            told = names.union(role.captures, role.spec.given)
            plain = table.kind == "item" and all(_is_plain(rule.row) for rule in table.rules)
            if plain and names and names <= whole and whole - told:
                found[role.name, table.key] = tuple(sorted(names))
    return found


def _is_plain(row: Rule) -> bool:
    """Return whether a row is made of texts with names, and of nothing else."""
    if isinstance(row, MapRule):
        return row.rest is None and not row.alternatives and all(_is_plain(field.rule) for field in row.fields)
    leaf = row.leaf
    return isinstance(leaf, Text) or (isinstance(leaf, Bind) and not leaf.calls and leaf.default is None)


_NOT_NAMED = ("subset", "ext")
"""Names of an item that say nothing about which one it is."""


def _all_spooled(form: Format) -> Iterator[Spooled]:
    """Yield the tables of all shared files whose rows come from items."""
    for role in form.documents:
        if role.span == "shared" and role.codec is not None:
            yield from spooled_tables(role)


def files_over_items(form: Format) -> frozenset[str]:
    """Return the roles whose files count all items, not only those of one file."""
    return frozenset(name for name, role in form.roles.items() if not set(role.captures) <= set(form.key_names))


def files_of_categories(form: Format) -> frozenset[str]:
    """Return the roles that have a file for each category."""
    return frozenset(
        name for name, role in form.roles.items() if any(one.startswith("category.") for one in role.captures)
    )


def told_twice(form: Format, roles: Mapping[str, Iterable[Spooled]]) -> bool:
    """Return whether several files may list one object by its id; the id must then be the same in all of them.

    These are files of several roles, or of several subsets that may list the same image.
    """
    by_id = [
        name
        for name, tables in roles.items()
        if any(rule.each.by == ("id",) for one in tables for rule in one.rules if one.kind == "object")
    ]
    apart = "subset" not in form.key_names and any("subset" in form.roles[name].captures for name in by_id)
    return len(by_id) > 1 or apart


def tells_of_items(form: Format) -> bool:
    """Return whether shared files hold rows of items."""
    return any(True for _ in _all_spooled(form))


@remembered(KEPT_FORMATS)
def listed_by_records(form: Format) -> frozenset[str]:
    """Return the roles whose rows of objects, labels or captions alone make an item known, or none."""
    sources = {name.partition(".")[0] for name in form.spec.items}
    return (
        frozenset(sources)
        if sources and all(_tells_records_only(form.roles[name]) for name in sources)
        else frozenset()
    )


@remembered(KEPT_FORMATS)
def subsets_by_records(form: Format) -> frozenset[str]:
    """Return the roles whose rows of objects, labels or captions alone tell an item's subset, or none."""
    if "subset" in form.key_names:
        return frozenset()
    told = [role for role in form.documents if not role.kept and _tells_subsets(role)]
    return frozenset(role.name for role in told) if all(map(_tells_records_only, told)) else frozenset()


def _tells_subsets(role: Role) -> bool:
    told = meanings(role.document_rule, role.scope, kept=False)
    return "subset" in role.captures or any(meaning.name in ("subset", "subsets") for meaning, _, _ in told)


def _tells_records_only(role: Role) -> bool:
    """Return whether a shared file tells of an item only in rows of its records, so that one without any is absent."""
    if role.span != "shared" or role.codec is None:
        return False
    kinds = {TABLES[rule.each.table] for table in spooled_tables(role) for rule in table.rules}
    return bool(kinds) and "item" not in kinds


def knows_all(form: Format) -> bool:
    """Return whether rows of shared files can be written only after all rows are known."""
    return any(needs_columns(rule.row) for table in _all_spooled(form) for rule in table.rules)


def counts_on(form: Format) -> bool:
    """Return whether rows contain counts of rows that cannot be raised later, for example inside a text."""
    return any(not counts_plainly(rule, table.scope) for table in _all_spooled(form) for rule in table.rules)


@remembered(KEPT_FORMATS)
def counts_objects(form: Format) -> bool:
    """Return whether documents say how many objects an item has, or depend on it, and no label image shows others."""
    made = [role for role in form.documents if not role.kept]
    return all(role.kind != "pixels" for role in made) and any(
        Call("count", (Name("objects"),)) in parts_of(asked)
        for role in made
        for asked in expressions_within(role.document_rule)
    )


def holds_apart(form: Format) -> bool:
    """Return whether a format stores the region and the polygons of one object in separate places."""
    held = {role.name: role.slots_of("object", lookups=False) for role in form.documents}
    polygons = {name for name, slots in held.items() if slots & {"polygons", "polygon"}}
    pixels = [role for role in form.documents if role.kind == "pixels" and not role.kept]
    regions = {name for name, slots in held.items() if "region" in slots}
    regions |= {role.name for role in pixels if wanted_slots.serves(role, _object_region)}
    return bool(polygons) and bool(regions - polygons)


def subsets_of(files: Iterable[SharedFile], named: Callable[[str], str | None]) -> dict[str, str]:
    """Return the subset of each document of a source that belongs to one, after renaming.

    Args:
        files: The shared files of the source.
        named: Gives the new name of a subset.
    """
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
    """Return the new roles and paths of a source's documents whose subset is renamed, with their old paths.

    A new path is left out if another document of the source keeps that path, since it then holds rows of that document
    too.
    """
    found: dict[tuple[str, str], str] = {}
    for (name, path), file in sources.items():
        now = subset_of.get(path)
        if now is not None and now != file.captures["subset"] and name in form.roles:
            found.setdefault((name, spelled(rendered(form.roles[name], {**file.captures, "subset": now}))), path)
    kept = {place for place, file in sources.items() if subset_of.get(file.path) == file.captures.get("subset")}
    return {place: path for place, path in found.items() if place not in kept}


def unheld_lines(form: Format) -> frozenset[str]:
    """Return which of `polyline` and `keypoints` a format does not hold."""
    return frozenset({"polyline", "keypoints"} - _held_slots(form))


def holds_boxes_only(form: Format) -> bool:
    """Return whether a format holds only the boxes of objects: no outlines, rotated boxes or pixels."""
    held = _held_slots(form)
    shapes = {"polygons", "polygon", "rotated", "region", "circle", "ellipse"}
    return "bbox" in held and not held & shapes and all(role.kind != "pixels" for role in form.documents)


def draws_outlines(form: Format) -> bool:
    """Return whether a format holds no outlines of objects, but the pixels inside them."""
    return not _held_slots(form) & {"polygons", "polygon"} and not holds_boxes_only(form)


def _held_slots(form: Format) -> set[str]:
    """Return the slots of objects that the rows of a format hold."""
    return {slot for role in form.documents if not role.kept for slot in role.slots_of("object")}


def frame_writer(role: Role) -> Writer | None:
    """Return a function that gives an item's frame as rows spell it; None for a role without frames."""
    if role.codec is None or role.codec.frames is None:
        return None
    rule, table = role.codec.frames
    return compile_writer(rule, role.scope.inside(table), False)


def _object_region(meaning: Meaning, scope: Scope) -> bool:
    return scope.kind == "object" and meaning.name == "region"
