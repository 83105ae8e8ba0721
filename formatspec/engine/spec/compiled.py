"""A spec, compiled: its roles with their path templates, and on demand their readers and writers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from formatspec.engine.documents.line_document import alternative_lines
from formatspec.engine.documents.role_codec import RoleCodec, document_codec
from formatspec.engine.label_images.layers import BY_AREA, BY_ORDER
from formatspec.engine.label_images.reader import RasterReader, raster_reader
from formatspec.engine.label_images.writer import PAINT, RasterWriter, raster_writer
from formatspec.engine.read.compile_reader import compile_reader, row_reader
from formatspec.engine.read.generate_lines import FastLines, generate_lines_reader
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.resolve.json_schema import Schema, compile_schema
from formatspec.engine.resolve.schema_bounds import SchemaError
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.levels import Levels, stated_by
from formatspec.engine.spec.object_rows import (
    OF_OBJECTS,
    bound_names,
    is_by,
    lists_objects,
    object_tables,
    states_outlines,
)
from formatspec.engine.spec.option_keys import named_layout
from formatspec.engine.spec.path_templates import Pieces, capture_formats, key_names, path_pieces, path_template
from formatspec.engine.write.compile_writer import compile_writer
from formatspec.engine.write.print_leaf import Writer
from formatspec.language.errors import Place, suggest
from formatspec.language.leaf import Bind
from formatspec.language.load import Layout, Source, place_at
from formatspec.language.rules import OneOf, Rule, TableRule, problem
from formatspec.language.schema import FileSpec, OptionSpec, Spec
from formatspec.paths.globs import Globs, globs
from formatspec.paths.names import with_small_extension
from formatspec.paths.templates.template import Template

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_elements import FastElements

Span = Literal["item", "record", "shared"]
IMAGE = "image"
HIDDEN = ("**/.*", "**/.*/**", "__MACOSX/**")
"""Files that tools leave behind; no format's."""


class Role(msgspec.Struct, frozen=True, dict=True):
    """Files that play one part.

    span: `item` for one file per item, `record` for one per object or per value of one of its slots, `shared`
    for a file that many items share.  captures: names in the path; of a record's, those begin with `object.`.
    base: the folder from which paths inside files name these files, where it is not that of the file itself.
    """

    name: str
    spec: FileSpec
    template: Template
    captures: tuple[str, ...]
    span: Span
    kind: str | None
    scope: Scope
    layout: Layout
    place: Place
    folder: bool = False
    base: Template | None = None

    @property
    def path_place(self) -> Place:
        """Where the spec states the role's path."""
        value = self.layout.node.value["files"].value[self.name].value
        return value["path"].place if isinstance(value, dict) else self.place

    @cached_property
    def rule(self) -> Rule | None:
        """The rule under the role's kind of document.  Raises SpecError."""
        return self.layout.rules.get(self.name)

    @cached_property
    def codec(self) -> RoleCodec | None:
        """How the role's documents are read and written; None for label images.  Raises SpecError."""
        if self.kind is None or self.kind == "pixels" or self.rule is None:
            return None
        return document_codec(self.kind, self.spec, self.rule, self.scope)

    @property
    def document_rule(self) -> Rule:
        """The rule over the role's document, as its codec gives it."""
        rule = self.codec.rule if self.codec is not None else self.rule
        assert rule is not None
        return rule

    @property
    def optional(self) -> bool:
        """Whether a dataset may lack the role's files."""
        return self.spec.need != "required"

    @property
    def kept(self) -> bool:
        """Whether the role is only written back, never made."""
        return self.spec.need == "kept"

    def match(self, path: str) -> dict[str, Any] | None:
        """The values that the role's template captures of a path; None where the path does not fit.

        The extension may be spelled in capitals.
        """
        found = self.template.match(path)
        if found is None and (small := with_small_extension(path)) != path:
            found = self.template.match(small)
        return found

    @cached_property
    def record_names(self) -> tuple[str, ...]:
        """The names in the role's paths that tell of an object."""
        return tuple(name for name in self.captures if name.startswith("object."))

    @cached_property
    def record_slots(self) -> tuple[str, ...]:
        """The slots of an object that the role's paths name."""
        return tuple(name.removeprefix("object.") for name in self.record_names)

    @cached_property
    def is_named_by_object(self) -> bool:
        """Whether the role's paths hold the id of an object and no other name: the id alone tells whose file it is."""
        return self.captures == ("object.id",)

    @cached_property
    def schema(self) -> Schema | None:
        """The JSON Schema that the role's documents follow, if it states one.  Raises SpecError."""
        if self.spec.schema_ is None:
            return None
        try:
            return compile_schema(self.spec.schema_)
        except SchemaError as fault:
            raise problem(
                fault.message, place_at(self.layout.node, "files", self.name, "schema", *fault.path)
            ) from None

    def reader(self, context: ReadContext) -> Reader:
        """The reader of the role's document."""
        assert self.codec is not None
        return compile_reader(self.codec.rule, self.scope, context)

    def lines(self, context: ReadContext) -> FastLines | None:
        """The reader of the role's text where its lines are objects of numbers."""
        assert self.codec is not None
        return generate_lines_reader(alternative_lines(self.codec.rule, self.codec.shape), self.scope, context)

    def elements(
        self, context: ReadContext, row: RowReader | None = None, path: tuple[str, ...] = ()
    ) -> FastElements | None:  # fmt: skip
        """The fast reader of objects that are elements of the role's XML files.

        Args:
            context: What is read.
            row: The reader of the rows of items in which the objects stand; None where each file is one item's.
            path: Where the table of those rows stands in a file.
        """
        if self.kind != "xml" or self.codec is None or not self.codec.sought or self.schema is not None:
            return None
        from formatspec.engine.read.elements.fast_elements import generate_elements_reader  # it imports lxml
        from formatspec.files.rows.xml_rows import Elements

        elements = self.codec.elements
        if not isinstance(elements, Elements):
            return None
        if row is None:
            return generate_elements_reader(self.document_rule, True, elements.shape, self.scope, context)
        shape = elements.row_shape(path)
        return generate_elements_reader(row.rule.row, False, shape, row.scope.inside(row.table), context)

    def raster(self, context: ReadContext) -> RasterReader:
        """The reader of the role's label images."""
        assert self.rule is not None
        return raster_reader(self.spec, self.rule, self.scope, context)

    def writer(self) -> Writer:
        """The writer of the role's document."""
        assert self.codec is not None
        return compile_writer(self.codec.rule, self.scope)

    def painter(self) -> RasterWriter:
        """The writer of the role's label images."""
        assert self.rule is not None
        return raster_writer(self.spec, self.rule, self.scope)


class Format(msgspec.Struct, frozen=True, dict=True):
    """One layout of a spec, compiled.

    names: of each option that stands in keys, the names that the documents of a dataset have there.
    """

    source: Source
    layout: Layout
    roles: Mapping[str, Role]
    options: Mapping[str, Any]
    key_names: tuple[str, ...]
    ignored: Globs
    names: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the source, the layout and the chosen options; another process compiles them again."""
        defaults = offered_options(self.layout.spec)
        chosen = {name: value for name, value in self.options.items() if value != defaults[name].default}
        return compile_format, (self.source, self.layout, chosen, self.names)

    @property
    def name(self) -> str:
        """The name of the layout's spec."""
        return self.layout.spec.name

    @property
    def spec(self) -> Spec:
        """The layout's spec as data."""
        return self.layout.spec

    @cached_property
    def levels(self) -> Levels:
        """The levels that the spec gives to codes.  Raises SpecError."""
        given = self.spec.levels
        node = self.layout.node
        place = node.value["levels"].place if "levels" in node.value else node.place
        return Levels(
            given, place, lambda: (one for r in self.documents for one in stated_by(r.document_rule, r.scope))
        )

    @cached_property
    def shows_levels(self) -> bool:
        """Whether items have a label image for each level of parts."""
        return any(role.kind == "pixels" and role.record_slots in (("depth",), ("level",))
                   for role in self.roles.values())  # fmt: skip

    @cached_property
    def told_beside_pictures(self) -> bool:
        """Whether documents tell of objects by their ids beside one label image, the only place of their pixels.

        Then an object that the image does not show has no row, and a row tells of the pixels that the image shows.
        """
        pictured = [
            role
            for role in self.documents
            if role.kind == "pixels" and role.span == "item" and is_by(("id",), role.document_rule)
        ]
        others = [role for role in self.documents if role not in pictured and not role.kept]
        shapes = {"region", "polygons", "polygon", "path"}
        return (
            bool(pictured)
            and any(is_by(("id",), role.document_rule) for role in others)
            and not any(shapes & set(bound_names(role.document_rule, OF_OBJECTS)) for role in others)
        )

    @cached_property
    def numbered_by_rows(self) -> bool:
        """Whether label images number an item's objects by their place among the rows of a document of the item."""
        own = [role for role in self.documents if role.span == "item" and not role.kept]
        return any(role.kind == "pixels" and is_by(("index",), role.document_rule) for role in own) and any(
            role.kind != "pixels" and lists_objects(role.document_rule) for role in own
        )

    @cached_property
    def outlines_beside_boxes(self) -> bool:
        """Whether a row of an object states its box, and beside it an outline."""
        return any(states_outlines(role.document_rule) for role in self.documents if role.kind != "pixels")

    @cached_property
    def names_objects(self) -> bool:
        """Whether anything names objects by their ids: parents, files, label images."""
        if any("object.id" in role.captures for role in self.roles.values()):
            return True
        told = ((role, name) for role in self.documents for name in bound_names(role.document_rule, OF_OBJECTS))
        return any(name == "parent" or (name == "id" and role.kind == "pixels") for role, name in told)

    @cached_property
    def lists_objects(self) -> bool:
        """Whether documents list objects with their classes, of which label images show the pixels."""
        told = {
            role.kind == "pixels": True
            for role in self.documents
            for table in object_tables(role.document_rule)
            if role.kind == "pixels" or any(name.startswith("category.") for name in bound_names(table.row))
        }
        return len(told) == 2

    @cached_property
    def objects_are_files(self) -> bool:
        """Whether objects have no rows, only files of their own."""
        return not any(role.span != "record" and lists_objects(role.document_rule) for role in self.documents)

    @cached_property
    def documents(self) -> tuple[Role, ...]:
        """The roles that hold something to read."""
        return tuple(role for role in self.roles.values() if role.kind is not None)


def everything(meaning: Meaning, scope: Scope) -> bool:
    """Say that every slot is wanted: the choice of a reader that leaves nothing out."""
    return True


def compile_format(
    source: Source, layout: Layout, options: Mapping[str, Any] | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> Format:  # fmt: skip
    """Compile one layout of a spec: its paths now, its rules when they are asked for.

    names: what the documents of a dataset have in the places of options that stand in keys.  Raises SpecError.
    """
    spec = layout.spec
    chosen = options_of(layout, options or {})
    named = named_layout(layout, chosen)
    files = layout.node.value["files"].value
    pieces = {
        name: path_pieces(
            role.path,
            files[name].value["path"].place if isinstance(files[name].value, dict) else files[name].place,
        )
        for name, role in spec.files.items()
    }
    known = capture_formats(pieces, IMAGE)
    keys = key_names(pieces.get(IMAGE, ()))
    bases = {
        name: path_template(path_pieces(role.seen_from, files[name].place), known, files[name].place)
        for name, role in spec.files.items()
        if role.seen_from is not None
    }
    roles = {
        name: _role(name, role, pieces[name], known, keys, named, chosen, bases, files[name].place)
        for name, role in spec.files.items()
    }
    for name in spec.items:
        if name.partition(".")[0] not in roles:
            stated = layout.node.value["items"]
            raise problem(f"`items` names no role: {name!r}", stated.place, hint=suggest(name, roles))
    return Format(source, layout, roles, chosen, keys, globs((*HIDDEN, *spec.ignore)), names or {})


def offered_options(spec: Spec) -> dict[str, OptionSpec]:
    """The options of a spec, with those that the engine adds.

    Formats with label images get an option for what lies on top in them, and formats without crowds get one for what
    becomes of crowds.
    """
    paints = any(role.pixels is not None for role in spec.files.values())
    engine = {**({PAINT: _PAINT} if paints else {}), **({} if spec.crowds else {CROWDS: _CROWDS})}
    return {**engine, **spec.options}


CROWDS, KEEP = "crowds", "keep"
_CROWDS = OptionSpec(
    default="leave_out", choices=("leave_out", KEEP), about="what becomes of crowds: left out, or written as one object"
)


_PAINT = OptionSpec(
    default=BY_ORDER,
    choices=(BY_ORDER, BY_AREA),
    about="what lies on top in label images: the later object of greater drawing order, or the smaller one",
)


def options_of(layout: Layout, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a layout's spec, with those given in place of their defaults; a choice may be a text."""
    spec, offered = layout.spec, offered_options(layout.spec)
    chosen = dict(given)
    for name, value in given.items():
        if name not in offered:
            raise problem(f"{spec.name} has no option {name!r}", layout.node.place, hint=suggest(name, offered))
        choices = offered[name].choices
        chosen[name] = next((one for one in choices if isinstance(value, str) and str(one) == value), value)
        if choices and chosen[name] not in choices:
            raise problem(
                f"{value!r} is no choice of the option {name}",
                layout.node.place,
                hint=suggest(str(value), map(str, choices)),
            )
    return {name: chosen.get(name, option.initial) for name, option in offered.items()}


def _role(
    name: str, spec: FileSpec, pieces: Pieces, known: Mapping[str, str | None], key_names: tuple[str, ...],
    layout: Layout, options: Mapping[str, Any], bases: Mapping[str, Template], place: Place,
) -> Role:  # fmt: skip
    names = tuple(dict.fromkeys([*(part.names[0] for part in pieces if isinstance(part, Bind)), *spec.given]))
    per_record = any(one.startswith("object.") for one in names)
    span: Span = "record" if per_record else "item" if key_names and set(key_names) <= set(names) else "shared"
    if name == IMAGE:
        span = "item"
    template = path_template(pieces, known, place)
    kind = spec.document
    captures = {one: known.get(one) for one in dict.fromkeys([*names, *known])}
    base = Scope("item", name, captures, kind in ("xml", "ini", "csv", "lines"), kind == "csv", options, bases=bases)
    scope = base
    if span == "record":
        scope = base.inside("objects")
    elif span == "shared":
        scope = Scope("dataset", name, captures, base.textual, base.cells, options, bases=bases)
    folder = spec.path.endswith("/")
    return Role(name, spec, template, names, span, kind, scope, layout, place, folder, bases.get(name))


def row_readers(rule: Rule, scope: Scope, context: ReadContext) -> tuple[RowReader, ...]:
    """The readers of a table's rows."""
    if isinstance(rule, TableRule):
        return (row_reader(rule, scope, context),)
    if isinstance(rule, OneOf):
        return tuple(reader for choice in rule.alternatives for reader in row_readers(choice, scope, context))
    return ()
