"""Decodes the bytes of a role's files to documents and encodes them again, for all kinds of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from formatspec.engine.base.faults import DocumentPath
from formatspec.engine.documents import line_document
from formatspec.engine.documents.frames import frame_leaf
from formatspec.engine.documents.keyed_rows import file_path, mapping_from_rows, rows_from_mapping
from formatspec.engine.documents.named_keys import NamedKeys, named_keys
from formatspec.engine.documents.whole_keys import with_whole_keys
from formatspec.engine.resolve.scope import Scope
from formatspec.files.document import FileError, pointer_text
from formatspec.files.style import Style
from formatspec.language.rules import (
    GROUP,
    LeafRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_beside,
    mappings,
    possible_fields,
    problem,
)
from formatspec.language.schema import FileSpec

if TYPE_CHECKING:
    from formatspec.files.rows.csv_rows import Cells
    from formatspec.files.rows.xml_rows import Elements


class Decoded(NamedTuple):
    """A document.

    Attributes:
        strays: The lines of its file that match nothing.
        parted: What parts the cells of its file, and what should, in words; None if these are the same.
    """

    document: Any
    strays: tuple[line_document.Stray, ...] = ()
    parted: tuple[str, str] | None = None


class RoleCodec(msgspec.Struct, frozen=True):
    """How a role's files are read and written; `rule` is the role's rule over the document.

    Attributes:
        named: Translates a path in the document as the rule sees it to the path in the file, if they differ.
        sought: Whether rows can be located in a file without decoding all of it (`files.rows`).
        elements: How rows are located in an XML file or a CSV file; None for other files.
        seen: Turns a JSON document, or its beginning, into the form that the rule sees; None for other files.
        encode: Encodes a document. If `frames` is set, it also takes what is known around the document.
        frames: The leaf for the frame of rows along frames, with the name of its table.
        rows: Encodes several rows as they stand beside each other, with `comma` between them; None if a document is not
            written row by row.
        comma: What stands between two rows.
        stream: Yields the pieces of a document that is written row by row, from the texts of its rows.
        shape, encode_lines: For text lines, how they make the document, and how they are encoded.

    Without `rows`, `stream` takes the rows of the document itself, which need not be in memory.
    """

    rule: Rule
    decode: Callable[[bytes], Decoded]
    encode: Callable[..., bytes]
    locate: Callable[[bytes, DocumentPath], tuple[int, int] | None]
    named: Callable[[bytes, DocumentPath], DocumentPath] | None = None
    sought: bool = False
    elements: Elements | Cells | None = None
    seen: Callable[[Any], Any] | None = None
    rows: Callable[[list[Any]], bytes] | None = None
    comma: bytes = b","
    stream: Callable[[Any, Mapping[DocumentPath, Iterator[bytes]]], Iterator[bytes]] | None = None
    shape: line_document.TextShape | None = None
    encode_lines: Callable[[list[str]], bytes] | None = None
    frames: tuple[LeafRule, str] | None = None


def style_of(kind: str, spec: FileSpec) -> Style:
    """Return the style that a role states, with its format's style as the default."""
    stated = {name: value for name, value in spec.style.model_dump().items() if value is not None}
    own = {"indent": 2} if kind in ("xml", "yaml") else {"separators": "compact"} if kind == "ini" else {}
    return Style(**{**own, **stated, "encoding": spec.encoding, "comment": spec.comment})


def document_codec(kind: str, spec: FileSpec, rule: Rule, scope: Scope) -> RoleCodec:
    """Return the codec of a role whose document is of `kind` (not pixels)."""
    style = style_of(kind, spec)
    if style.quote is not None and kind != "csv":
        raise problem(
            "`style: {quote: …}` is for csv only", rule.place, hint="in lines the codec `quoted` encloses a text"
        )
    if kind in _WITH_WHOLE_KEYS:
        rule = with_whole_keys(rule)
    if kind in _PLAIN:
        return _plain(_PLAIN[kind], style, rule)
    if kind == "xml":
        return _xml(style, rule)
    if kind == "csv":
        return _csv(style, rule)
    return _lines(style, rule, scope)


_PLAIN = {
    "json": "json_file", "jsonl": "jsonl_file", "yaml": "yaml_file", "ini": "ini_file", "pickle": "pickles.pickle_file",
}  # fmt: skip
"""The modules of kinds of files that hold a document as it is."""
_WITH_WHOLE_KEYS = frozenset({"yaml", "pickle"})


def _module(name: str) -> Any:
    """Return a file format's module, imported when a spec that uses it is compiled."""
    from importlib import import_module

    return import_module(f"formatspec.files.{name}")


def _plain(name: str, style: Style, rule: Rule) -> RoleCodec:
    module = _module(name)
    listed, keyed = rows_from_mapping(rule), mapping_from_rows(rule)
    is_json = name == "json_file" and style.encoding[:1] == ("utf-8",)
    plain = RoleCodec(
        rule,
        lambda data: Decoded(module.decode(data, style)),
        lambda document: module.encode(document, style),
        _locating(module, style),
        sought=is_json and len(style.encoding) == 1,
        seen=(lambda document: document) if is_json else None,
        **_streamed(module, style),
    )
    return plain if listed is None or keyed is None else _in_rows(plain, listed, keyed, frame_leaf(rule))


def _in_rows(
    plain: RoleCodec, listed: Callable[[Any], Any], keyed: Callable[..., Any], frames: tuple[LeafRule, str] | None
) -> RoleCodec:
    """Return the codec of documents whose rows have another form in the file: it changes what `plain` reads and writes.

    Args:
        plain: The codec of the file as it is.
        listed: Turns a document's rows into lists.
        keyed: Turns them back.
        frames: The leaf for the frame of rows along frames, with the name of its table.
    """
    last = Last(lambda data: listed(plain.decode(data).document))

    def decode(data: bytes) -> Decoded:
        decoded = plain.decode(data)
        return Decoded(listed(decoded.document), parted=decoded.parted)

    return RoleCodec(
        plain.rule,
        decode,
        lambda document, around=None: plain.encode(keyed(document, around)),
        lambda data, path: plain.locate(data, file_path(last.of(data), path)),
        lambda data, path: file_path(last.of(data), path),
        seen=None if plain.seen is None else listed,
        frames=frames,
    )


def _locating(
    module: Any, style: Style, told: Callable[[bytes], Style] | None = None
) -> Callable[[bytes, DocumentPath], tuple[int, int] | None]:
    """Return a function that finds line and column of places in a file; it parses the file only once.

    `told` gives the style of a file, if not all have the same.
    """
    if not hasattr(module, "Places"):
        return lambda data, path: module.locate(data, path, style)
    last = Last(lambda data: module.Places(data, style if told is None else told(data)))

    def locate(data: bytes, path: DocumentPath) -> tuple[int, int] | None:
        place: tuple[int, int] | None = last.of(data).at(path)
        return place

    return locate


def _streamed(module: Any, style: Style) -> dict[str, Any]:
    """Return the functions that write documents row by row, by name; empty if the style does not allow it."""
    if not hasattr(module, "stream") or not module.streams(style):
        return {}
    return {
        "rows": module.rows_writer(style),
        "comma": module.comma(style),
        "stream": lambda document, tables: module.stream(document, tables, style),
    }


def _csv(style: Style, rule: Rule) -> RoleCodec:
    module = _module("csv_file")
    rows = list(mappings(rule))
    listed, keyed = rows_from_mapping(rule), mapping_from_rows(rule)
    named = [one for row in rows for one in named_keys(row)]  # these tables have a column for each row
    fields = [field for row in rows for field in row.fields if not field.is_excluded]
    fields = [field for field in fields if all(field.keys != (one.key,) for one in named)]
    columns = style.columns or tuple(dict.fromkeys(key for field in fields for key in field.keys))
    structured = {f.keys[0] for row in rows for f in row.fields if isinstance(f.rule, MapRule)}
    stated = bool(style.columns) or not style.header  # then every file has all columns
    reading = replace(style, columns=() if style.header else columns)

    needed = style.header and any(not field.optional for field in fields)

    headed = [frozenset(key for one in row.fields if not one.optional for key in one.keys) for row in rows]

    def told(data: bytes) -> Style:
        style: Style = module.style_of(data, reading, [one for one in headed if one])
        return style

    def read(data: bytes) -> Decoded:
        if needed and not data.strip():
            raise FileError(f"the file is empty; its first line must name the columns: {', '.join(columns)}")
        using = told(data)
        parted = None if using == reading else (module.parting(using), module.parting(reading))
        return Decoded(made(module.decode(data, using)), parted=parted)

    def made(rows: Any) -> Any:
        for line in rows if structured else ():
            line.update({key: _structure(line[key]) for key in structured & line.keys()})
        return rows

    def style_for(document: Any) -> Style:
        """Return the style with the columns that rows have."""
        present = dict.fromkeys(key for line in document for key in line)
        extra = [key for key in present if key not in columns]
        optional = {k for row in rows for f in row.fields if f.optional for k in f.keys}
        kept = [c for c in columns if stated or c not in optional or c in present]
        if not style.columns and style.header and present.keys() >= set(kept):
            kept.sort(key=list(present).index)  # in the order of the source, whose rows keep their form
        return replace(style, columns=(*kept, *extra))

    def cells(document: Any) -> Iterator[Any]:
        return ({key: _cell(part) for key, part in line.items()} if structured else line for line in document)

    def encode(document: Any) -> bytes:
        data: bytes = module.encode(list(cells(document)), style_for(document))
        return data

    def stream(document: Any, tables: Mapping[DocumentPath, Iterator[bytes]]) -> Iterator[bytes]:
        """Yield the pieces of a document; its rows are read twice and not held in memory."""
        pieces: Iterator[bytes] = module.stream(cells(document), style_for(document))
        return pieces

    seeking = _module("rows.csv_rows").Cells(reading, made, told)
    plain = RoleCodec(
        rule,
        read,
        encode,
        _locating(module, reading, told),
        sought=seeking.can_seek(),
        elements=seeking,
        stream=stream if module.streams(style) else None,
    )
    if listed is None or keyed is None:
        return plain
    in_rows = keyed
    return _in_rows(plain, listed, lambda document, around: _filled(in_rows(document, around), named), None)


def _filled(lines: list[Any], named: Sequence[NamedKeys]) -> list[Any]:
    """Return lines with a cell for each column of any line, if a table of columns says what an absent cell holds."""
    for one in named:
        if one.absent is not None:
            present = dict.fromkeys(key for line in lines for key in line if one.taken(key))
            lines = [{**line, **{key: line.get(key, one.absent) for key in present}} for line in lines]
    return lines


def _structure(cell: str) -> Any:
    """Return the JSON value of a cell; its text if it holds none, to be reported later."""
    try:
        return _module("json_file").decode(cell.encode())
    except FileError:
        return cell


def _cell(part: Any) -> Any:
    """Return a cell's text: JSON for a mapping."""
    if not isinstance(part, dict | list):
        return part
    return _module("json_file").encode(part, Style(separators="compact", final_newline=False)).decode()


class Last:
    """Keeps a function's result for the last bytes, so that many places in one file need one decoding."""

    def __init__(self, make: Callable[[bytes], Any]) -> None:
        """Take the function."""
        self.make = make
        self._data: bytes | None = None
        self._made: Any = None

    def of(self, data: bytes) -> Any:
        """Return the function's result for some bytes."""
        if self._data is not data:
            self._made = self.make(data)
            self._data = data
        return self._made


def _lines(style: Style, rule: Rule, scope: Scope) -> RoleCodec:
    module = _module("text_file")
    normal, shape = line_document.structured(rule, scope)

    def decode(data: bytes) -> Decoded:
        document, strays = line_document.decode_lines(module.decode(data, style), shape)
        return Decoded(document, tuple(strays))

    last = Last(lambda data: (decode(data).document, module.line_numbers(data, style)))

    def locate(data: bytes, path: DocumentPath) -> tuple[int, int] | None:
        document, numbers = last.of(data)
        index = line_document.line_of(document, path)
        return None if index is None or index >= len(numbers) else (numbers[index], 1)

    return RoleCodec(
        normal,
        decode,
        lambda document: module.encode(line_document.encode_lines(document, shape), style),
        locate,
        stream=(lambda document, tables: module.stream(line_document.encoded(document, shape), style))
        if module.streams(style)
        else None,
        shape=shape,
        encode_lines=lambda text: module.encode(text, style),
    )


def _xml(style: Style, rule: Rule) -> RoleCodec:
    module = _module("xml_file")
    shape = _shape(rule, module.XmlShape)
    roots = Last(lambda data: module.parsed(data, style))
    listed, keyed = rows_from_mapping(rule, elements=True), mapping_from_rows(rule, elements=True)
    plain = RoleCodec(
        rule,
        lambda data: Decoded(module.decode(data, style, shape)),
        lambda document: module.encode(document, style),
        lambda data, path: module.place_in(roots.of(data), path, shape),
        sought=style.encoding == ("utf-8",),
        elements=_module("rows.xml_rows").Elements(shape, style),
        stream=(lambda document, tables: module.stream(document, style)) if module.streams(style) else None,
    )
    return plain if listed is None or keyed is None else _in_rows(plain, listed, keyed, frame_leaf(rule))


def _shape(rule: Rule, make: Any) -> Any:
    """Return what the XML reader must know of a rule: which elements are lists, and which have mixed children."""
    children: dict[str, Any] = {}
    lists: set[str] = set()
    members: dict[str, Any] = {}
    runs = False
    for field in possible_fields(rule):
        key = field.keys[0]
        if key in ("@", "#", "<>") or is_beside(key):
            continue
        if field.rule.tables:
            lists.add(key)
        levels = next((one.levels for one in _tables(field.rule)), ())
        inner = _group_shape(_tables(field.rule), 0, make) if levels else _shape(field.rule, make)
        children[key] = _joined(children[key], inner, make) if key in children else inner
    for one in mappings(rule):
        if isinstance(one.rest, OneOf):
            runs = True
            members["*"] = _shape(one.rest, make)
    return make(children=children, lists=frozenset(lists), runs=runs, members=members)


def _group_shape(tables: list[TableRule], depth: int, make: Any) -> Any:
    """Return what the XML reader must know of the elements of one level of groups."""
    levels, name = tables[0].levels, f"{GROUP}{depth}"
    head = next(field.rule for field in possible_fields(tables[0].row) if field.keys == (name,))
    own, key = _shape(head, make), levels[depth].rows
    inner = make()
    if depth + 1 < len(levels):
        inner = _group_shape(tables, depth + 1, make)
    else:
        for table in tables:
            inner = _joined(inner, _shape(table.row, make), make)
    if key == "*":
        return _joined(own, make(runs=True, members={"*": inner}), make)
    return _joined(own, make(children={key: inner}, lists=frozenset({key})), make)


def _tables(rule: Rule) -> list[TableRule]:
    return [choice for choice in rule.choices if isinstance(choice, TableRule)]


def _joined(a: Any, b: Any, make: Any) -> Any:
    return make(
        children={**a.children, **b.children},
        lists=a.lists | b.lists,
        runs=a.runs or b.runs,
        members={**a.members, **b.members},
    )


__all__ = ["Decoded", "FileError", "RoleCodec", "document_codec", "pointer_text"]
