"""A compiled spec: its roles with their path templates, and their readers and writers, made on demand."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from formatspec.engine.base.remembered import remembered
from formatspec.engine.documents.line_document import alternative_lines
from formatspec.engine.documents.role_codec import RoleCodec, document_codec
from formatspec.engine.label_images.reader import RasterReader, raster_reader
from formatspec.engine.label_images.writer import RasterWriter, raster_writer
from formatspec.engine.read.compile_reader import compile_reader, row_reader
from formatspec.engine.read.generate_lines import FastLines, generate_lines_reader
from formatspec.engine.read.generate_rows import FastRows, generate_rows_reader
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.resolve.json_schema import Schema, compile_schema
from formatspec.engine.resolve.questions.meanings import leaves, meanings, tables
from formatspec.engine.resolve.questions.tables import (
    OF_OBJECTS,
    bound_names,
    is_by,
    lists_objects,
    object_tables,
    outer_tables,
    states_outlines,
)
from formatspec.engine.resolve.schema_bounds import SchemaError
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.levels import Levels, stated_by
from formatspec.engine.spec.option_keys import named_layout
from formatspec.engine.spec.options import offered_options, options_of
from formatspec.engine.spec.path_options import with_options_in_paths
from formatspec.engine.spec.path_templates import Pieces, capture_formats, key_names, path_pieces, path_template
from formatspec.engine.write.compile_writer import compile_writer
from formatspec.engine.write.print_leaf import Writer
from formatspec.language.errors import Place, suggest
from formatspec.language.leaf import Bind
from formatspec.language.load import Layout, Source, place_at
from formatspec.language.rules import Rule, TableRule, problem
from formatspec.language.schema import FileSpec, Spec
from formatspec.model.amounts import amounts
from formatspec.paths.globs import Globs, globs
from formatspec.paths.names import with_small_extension
from formatspec.paths.templates.template import Template

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_cells import FastCells
    from formatspec.engine.read.elements.fast_elements import FastElements

Span = Literal["item", "record", "shared"]
IMAGE = "image"
HIDDEN = ("**/.*", "**/.*/**", "__MACOSX/**")
"""Files that tools leave behind, which belong to no format."""


class Role(msgspec.Struct, frozen=True, dict=True, eq=False):
    """Files with one function in the dataset.

    Attributes:
        span: `item` for one file per item, `record` for one per object or per value of a slot of objects, `shared` for
            a file that many items share.
        captures: The names in the path; those of a record begin with `object.`.
        base: The folder from which paths inside files are relative, if it is not the file's own folder.
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
        """The place where the spec states the role's path."""
        value = self.layout.node.value["files"].value[self.name].value
        return value["path"].place if isinstance(value, dict) else self.place

    @cached_property
    def rule(self) -> Rule | None:
        """The rule under the role's kind of document.  Raises SpecError."""
        return self.layout.rules.get(self.name)

    @cached_property
    def codec(self) -> RoleCodec | None:
        """How the role's documents are read and written; None for label images. Raises SpecError."""
        if self.kind is None or self.kind == "pixels" or self.rule is None:
            return None
        return document_codec(self.kind, self.spec, self.rule, self.scope)

    @property
    def document_rule(self) -> Rule:
        """The rule over the role's document, in the form that its codec gives."""
        rule = self.codec.rule if self.codec is not None else self.rule
        assert rule is not None
        return rule

    @cached_property
    def leaves(self) -> tuple[tuple[Bind, Scope, bool], ...]:
        """Every leaf of the documents that binds, as `questions.meanings.leaves` gives them."""
        return leaves(self.document_rule, self.scope)

    @cached_property
    def meanings(self) -> tuple[tuple[Meaning, Scope, bool], ...]:
        """What the names in the documents mean, as `questions.meanings.meanings` gives them."""
        return meanings(self.document_rule, self.scope)

    def slots_of(self, kind: str, lookups: bool = True) -> set[str]:
        """Return the slots of records of a kind that the documents state; without `lookups`, only of new records."""
        return {
            meaning.name
            for meaning, scope, lookup in self.meanings
            if meaning.where == "record" and scope.kind == kind and (lookups or not lookup)
        }

    @cached_property
    def table_names(self) -> frozenset[str]:
        """The tables whose rows in the documents hold something."""
        return tables(self.document_rule)

    @cached_property
    def lists(self) -> tuple[tuple[tuple[str, ...], tuple[TableRule, ...]], ...]:
        """The outermost tables of the documents, those of one list together, with the keys that lead there."""
        return tuple(outer_tables(self.document_rule))

    @property
    def encodings(self) -> tuple[str, ...]:
        """The encodings that the texts of the role's files may have; none for a pickle, whose bytes are no text."""
        return () if self.kind == "pickle" else self.spec.encoding

    @cached_property
    def optional(self) -> bool:
        """Whether a dataset may lack the role's files."""
        return self.spec.need != "required"

    @property
    def kept(self) -> bool:
        """Whether the role is only written back to the same format."""
        return self.spec.need == "kept"

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the values that the role's template captures from a path; None if the path does not match.

        The extension may be in capitals.
        """
        found = self.template.match(path)
        if found is None and (small := with_small_extension(path)) != path:
            found = self.template.match(small)
        return found

    @cached_property
    def record_names(self) -> tuple[str, ...]:
        """The names in the role's paths that come from an object."""
        return tuple(name for name in self.captures if name.startswith("object."))

    @cached_property
    def record_slots(self) -> tuple[str, ...]:
        """The slots of an object that the role's paths contain."""
        return tuple(name.removeprefix("object.") for name in self.record_names)

    @cached_property
    def is_named_by_object(self) -> bool:
        """Whether the role's paths contain the id of an object and no other name, so that it identifies the file."""
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
        """Return the reader of the role's document."""
        made = self._readers.get(context)
        if made is None:
            assert self.codec is not None
            made = self._readers[context] = compile_reader(self.codec.rule, self.scope, context)
        return made

    @cached_property
    def _readers(self) -> dict[ReadContext, Reader]:
        return {}

    @cached_property
    def _rasters(self) -> dict[ReadContext, RasterReader]:
        return {}

    def lines(self, context: ReadContext) -> FastLines | None:
        """Return the fast reader of the role's text if its lines are objects of numbers."""
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
        """Return the reader of the role's label images."""
        made = self._rasters.get(context)
        if made is None:
            assert self.rule is not None
            made = self._rasters[context] = raster_reader(self.spec, self.rule, self.scope, context)
        return made

    def writer(self) -> Writer:
        """Return the writer of the role's document."""
        return self._writer

    def painter(self) -> RasterWriter:
        """Return the writer of the role's label images."""
        return self._painter

    @cached_property
    def _writer(self) -> Writer:
        assert self.codec is not None
        return compile_writer(self.codec.rule, self.scope)

    @cached_property
    def _painter(self) -> RasterWriter:
        assert self.rule is not None
        return raster_writer(self.spec, self.rule, self.scope)


class Format(msgspec.Struct, frozen=True, dict=True, eq=False):
    """One compiled layout of a spec.

    `names` holds, for each option in keys, the names that the documents of a dataset have there.
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
        """The levels that the spec gives to codes. Raises SpecError."""
        given = self.spec.levels
        node = self.layout.node
        place = node.value["levels"].place if "levels" in node.value else node.place
        return Levels(
            given, place, lambda: (one for r in self.documents for one in stated_by(r.document_rule, r.scope))
        )

    @cached_property
    def item_names(self) -> frozenset[str]:
        """Those of the names in paths that are slots of items, and the names by which rows know items."""
        slots, of_slots = ("id", "sequence", "frame"), ("attributes.", "label.", "image.path")
        told = {name for role in self.roles.values() for name in role.captures}
        return frozenset({"id", "image.path", *(one for one in told if one in slots or one.startswith(of_slots))})

    @cached_property
    def shows_levels(self) -> bool:
        """Whether items have a label image for each level of parts."""
        return any(role.kind == "pixels" and role.record_slots in (("depth",), ("level",))
                   for role in self.roles.values())  # fmt: skip

    @cached_property
    def told_beside_pictures(self) -> bool:
        """Whether documents list objects by id beside one label image, which is the only place of their pixels.

        An object that the image does not show then has no row, and each row describes pixels of the image.
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
        """Whether label images number an item's objects by their position among the rows of a document."""
        own = [role for role in self.documents if role.span == "item" and not role.kept]
        return any(role.kind == "pixels" and is_by(("index",), role.document_rule) for role in own) and any(
            role.kind != "pixels" and lists_objects(role.document_rule) for role in own
        )

    @cached_property
    def outlines_beside_boxes(self) -> bool:
        """Whether a row of an object states both its box and an outline."""
        return any(states_outlines(role.document_rule) for role in self.documents if role.kind != "pixels")

    @cached_property
    def names_objects(self) -> bool:
        """Whether anything refers to objects by their ids: parents, files, label images."""
        if any("object.id" in role.captures for role in self.roles.values()):
            return True
        told = ((role, name) for role in self.documents for name in bound_names(role.document_rule, OF_OBJECTS))
        return any(name == "parent" or (name == "id" and role.kind == "pixels") for role, name in told)

    @cached_property
    def lists_objects(self) -> bool:
        """Whether documents list objects with their classes, and label images hold their pixels."""
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
    def embeds_images(self) -> bool:
        """Whether documents may hold the images themselves."""
        return any(meaning.name == "image.data" for role in self.documents for meaning, *_ in role.meanings)

    @cached_property
    def documents(self) -> tuple[Role, ...]:
        """The roles with content to read."""
        return tuple(role for role in self.roles.values() if role.kind is not None)


def everything(meaning: Meaning, scope: Scope) -> bool:
    """Return True: every slot is wanted, so that a reader leaves nothing out."""
    return True


def compile_format(
    source: Source, layout: Layout, options: Mapping[str, Any] | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> Format:  # fmt: skip
    """Compile one layout of a spec: its paths now, its rules when they are needed.

    What was compiled lately is given again, with the codecs that it has made since.

    Args:
        source: The spec.
        layout: The layout.
        options: The options that are chosen.
        names: What the documents of a dataset have in the places of options that stand in keys.

    Raises:
        SpecError: The layout cannot be compiled.
    """
    chosen = options_of(layout, options or {})
    told = tuple((name, type(value), str(value)) for name, value in chosen.items())  # 1, 1.0 and true are three choices
    found = _lately(source, layout)
    key = told, tuple((names or {}).items()), amounts()
    form = found.pop(key, None) or _compiled(source, layout, chosen, names or {})
    found[key] = form
    while len(found) > CHOICES:
        found.pop(next(iter(found)), None)
    return form


KEPT_FORMATS, CHOICES = 512, 16
"""How many layouts are remembered, and how many choices of options of each."""


@remembered(KEPT_FORMATS)
def _lately(source: Source, layout: Layout) -> dict[Hashable, Format]:
    """What was compiled of one layout, by what was chosen."""
    return {}


def _compiled(
    source: Source, layout: Layout, chosen: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]
) -> Format:
    spec = with_options_in_paths(layout, chosen)
    named = named_layout(layout, chosen)
    files = layout.node.value["files"].value
    pieces = {
        name: path_pieces(
            role.path, files[name].value["path"].place if isinstance(files[name].value, dict) else files[name].place
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
        role = roles.get(name.partition(".")[0])
        if role is None:
            raise problem(
                f"`items` names no role: {name!r}", layout.node.value["items"].place, hint=suggest(name, roles)
            )
        if role.name != IMAGE and role.kind is None:
            words = (
                f"`items` names the role {role.name!r}, whose files have no document in the layout {layout.variant!r}"
            )
            raise problem(words, files[role.name].place, "a document whose rows are items, such as `json`")
    if spec.anywhere is not None and (spec.anywhere not in roles or roles[spec.anywhere].kind in (None, "pixels")):
        words = f"`anywhere` names no role with documents: {spec.anywhere!r}"
        raise problem(words, layout.node.value["anywhere"].place, hint=suggest(spec.anywhere, roles))
    return Format(source, layout, roles, chosen, keys, globs((*HIDDEN, *spec.ignore)), names)


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


@lru_cache(KEPT_FORMATS)
def asking(reader: RowReader, context: ReadContext) -> RowReader:
    """Return the reader of the same rows for another purpose."""
    return row_reader(reader.rule, reader.scope, context)


@lru_cache(KEPT_FORMATS)
def plain_rows(reader: RowReader, context: ReadContext, generates: bool) -> FastRows | FastCells | None:
    """Return the fast reader of the same rows, if one is generated at all."""
    if not generates:
        return None
    if reader.scope.cells:
        from formatspec.engine.read.elements.fast_cells import generate_cells_reader  # it imports lxml

        return generate_cells_reader(reader, context)
    return generate_rows_reader(reader, context)
