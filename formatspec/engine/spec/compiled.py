"""A spec, compiled: its roles with their path templates, and on demand their readers and writers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from formatspec.codecs.registry import Env
from formatspec.engine.documents.role_codec import RoleCodec, document_codec
from formatspec.engine.label_images.layers import BY_AREA, BY_ORDER
from formatspec.engine.label_images.reader import RasterReader, raster_reader
from formatspec.engine.label_images.writer import PAINT, RasterWriter, raster_writer
from formatspec.engine.read.compile_reader import compile_reader, row_reader
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.resolve.codec_chain import Convert, build
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
from formatspec.engine.write.compile_writer import compile_writer
from formatspec.engine.write.print_leaf import Writer
from formatspec.language.errors import Place, suggest
from formatspec.language.leaf import Bind, LeafSyntaxError, Text, parse_text
from formatspec.language.load import Layout, Source, place_at
from formatspec.language.rules import OneOf, Rule, TableRule, problem
from formatspec.language.schema import FileSpec, OptionSpec, Spec
from formatspec.model.slots import find_slot
from formatspec.paths.globs import globs
from formatspec.paths.names import with_small_extension
from formatspec.paths.templates import formats
from formatspec.paths.templates.template import Template, TemplateSyntaxError, compile_template
from formatspec.paths.templates.template import TemplateField as TemplateField

Span = Literal["item", "record", "shared"]
IMAGE = "image"
HIDDEN = ("**/.*", "**/.*/**", "__MACOSX/**")
"""Files that tools leave behind; no format's."""
_ENV = Env()


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
    ignored: Any
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
        """Whether nothing tells of objects but files of their own."""
        return not any(role.span != "record" and lists_objects(role.document_rule) for role in self.documents)

    @cached_property
    def documents(self) -> tuple[Role, ...]:
        """The roles that hold something to read."""
        return tuple(role for role in self.roles.values() if role.kind is not None)


def name_template(role: Role) -> Template | None:
    """The template of items' names as the image's path spells them, or None where the path names no items.

    It has the segments that tell items apart, without those that all items of a subset share, and without the
    extension.
    """
    segments: list[list[str | Bind]] = [[]]
    for part in _pieces(role.spec.path, role.place):
        if isinstance(part, Bind):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        segments[-1].append(first)
        segments.extend([text] for text in others)
    segments[-1] = _without_extension(segments[-1])
    telling = [one for one in segments if any(isinstance(part, Bind) and part.names != ("subset",) for part in one)]
    if not telling:
        return None
    parts: list[str | Bind] = []
    for number, segment in enumerate(telling):
        parts += ("/", *segment) if number else segment
    return _template(_merged(parts), role.scope.captures, role.place)


def _without_extension(segment: list[str | Bind]) -> list[str | Bind]:
    """The last segment of a path without what stands behind its last dot, as far as its template says where that is."""
    if segment and isinstance(segment[-1], str) and "." in segment[-1]:
        return [*segment[:-1], segment[-1].rpartition(".")[0]]
    if len(segment) > 1 and isinstance(segment[-1], Bind) and str(segment[-2]).endswith("."):
        return [*segment[:-2], str(segment[-2])[:-1]]
    return segment


def _merged(parts: list[str | Bind]) -> Pieces:
    """Parts with literal texts that follow each other as one, and none that is empty."""
    found: list[str | Bind] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


def everything(meaning: Meaning, scope: Scope) -> bool:
    """Every slot is wanted."""
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
        name: _pieces(
            role.path,
            files[name].value["path"].place if isinstance(files[name].value, dict) else files[name].place,
        )
        for name, role in spec.files.items()
    }
    known = _formats(pieces)
    key_names = _key_names(pieces.get(IMAGE, ()))
    bases = {
        name: _template(_pieces(role.seen_from, files[name].place), known, files[name].place)
        for name, role in spec.files.items()
        if role.seen_from is not None
    }
    roles = {
        name: _role(name, role, pieces[name], known, key_names, named, chosen, bases, files[name].place)
        for name, role in spec.files.items()
    }
    for name in spec.items:
        if name.partition(".")[0] not in roles:
            stated = layout.node.value["items"]
            raise problem(f"`items` names no role: {name!r}", stated.place, hint=suggest(name, roles))
    return Format(source, layout, roles, chosen, key_names, globs((*HIDDEN, *spec.ignore)), names or {})


def offered_options(spec: Spec) -> dict[str, OptionSpec]:
    """The options of a spec: its own; with label images what lies on top there; without crowds what becomes of them."""
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


Pieces = tuple[str | Bind, ...]


def _key_names(image: Pieces) -> tuple[str, ...]:
    """The captures of the image's path but for its extension, which is what stands last behind a dot."""
    names = [part.names[0] for part in image if isinstance(part, Bind)]
    if len(image) > 1 and isinstance(image[-1], Bind) and str(image[-2]).endswith("."):
        names = names[:-1]
    return tuple(dict.fromkeys(names))


def _pieces(path: str, place: Place) -> Pieces:
    try:
        text: Text = parse_text(path)
    except LeafSyntaxError as error:
        raise problem(f"in the path {path!r}: {error}", place) from None
    for part in text.parts:
        if not isinstance(part, str | Bind):
            raise problem(f"in the path {path!r}: a path holds names only", place)
        if isinstance(part, Bind) and part.format is not None:
            try:
                formats.field(part.names[0], part.format)
            except TemplateSyntaxError as error:
                raise problem(f"in the path {path!r}: {{{part.names[0]}:{part.format}}}: {error}", place) from None
    return tuple(part for part in text.parts if isinstance(part, str | Bind))


def _formats(pieces: Mapping[str, Pieces]) -> dict[str, str | None]:
    """What each capture looks like: as the image's path says, else as the first path that says it."""
    found: dict[str, str | None] = {}
    order = [IMAGE, *(name for name in pieces if name != IMAGE)]
    for name in order:
        for part in pieces.get(name, ()):
            if isinstance(part, Bind) and found.get(part.names[0]) is None:
                found[part.names[0]] = part.format or _words(part)
    return found


def _words(part: Bind) -> str | None:
    """The values that a name may have where a `map` lists them, as a format."""
    pairs = part.calls[0].arguments if part.calls and part.calls[0].name == "map" else ()
    return "|".join(str(pair.value) for pair in pairs) or None


def _role(
    name: str, spec: FileSpec, pieces: Pieces, known: Mapping[str, str | None], key_names: tuple[str, ...],
    layout: Layout, options: Mapping[str, Any], bases: Mapping[str, Template], place: Place,
) -> Role:  # fmt: skip
    names = tuple(dict.fromkeys([*(part.names[0] for part in pieces if isinstance(part, Bind)), *spec.given]))
    per_record = any(one.startswith("object.") for one in names)
    span: Span = "record" if per_record else "item" if key_names and set(key_names) <= set(names) else "shared"
    if name == IMAGE:
        span = "item"
    template = _template(pieces, known, place)
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


def _template(pieces: Pieces, known: Mapping[str, str | None], place: Place) -> Template:
    parts: list[Any] = []
    for part in pieces:
        if isinstance(part, str):
            parts.append(part.rstrip("/") if part is pieces[-1] else part)
            continue
        name = part.names[0]
        if part.calls:
            chain = build(part, [_type(name)], 1, True, place)
            if "size" in chain.needs:
                raise problem(
                    f"a path cannot be made by `{part.calls[-1].name}`, which asks for an image's size", place
                )
            parts.append(
                TemplateField(
                    name,
                    chain.pattern or "[^/]+",
                    _plain(chain.decode),
                    _plain(chain.encode),
                )
            )
            continue
        try:
            parts.append(formats.field(name, part.format or known.get(name)))
        except TemplateSyntaxError as error:
            raise problem(f"{{{name}:{part.format}}}: {error}", place) from None
    try:
        return compile_template([part for part in parts if part != ""])
    except ValueError as error:
        raise problem(str(error), place) from None


def _plain(convert: Convert) -> Callable[[Any], Any]:
    """A conversion as paths use it: they know of no image."""
    return lambda value: convert(value, _ENV)


def _type(name: str) -> Any:
    head, _, slot = name.partition(".")
    found = find_slot("object", slot) if head == "object" else find_slot("item", name)
    return "text" if found is None else found[1].type


def row_readers(rule: Rule, scope: Scope, context: ReadContext) -> tuple[RowReader, ...]:
    """The readers of a table's rows."""
    if isinstance(rule, TableRule):
        return (row_reader(rule, scope, context),)
    if isinstance(rule, OneOf):
        return tuple(reader for choice in rule.alternatives for reader in row_readers(choice, scope, context))
    return ()
