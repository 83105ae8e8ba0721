"""XML files: conversion of elements to plain data and back.

- An element with neither attributes nor child elements is its text, a str, `''` when empty.
- Any other element is a dict: its attributes under `"@"`, its text under `"#"`, and one key per child tag, holding the
  child, or the list of the children of that tag if there are several.
- The document is `{tag of the root: root}`.

`"#"` is present if there is text other than white space, or if there are no children. Text around children is joined
and stripped. A `Shape` says where this depends on more than the element itself. Tags in a namespace are written
`{uri}tag`. Comments and processing instructions are ignored. A document type declaration is refused, and with it all
entities except the five of XML.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from lxml import etree

from formatspec.files.broken.xml_text import broken
from formatspec.files.document import (
    MAX_DEPTH,
    Document,
    FileError,
    LineColumn,
    Pointer,
    bytes_of,
    check_values,
    text_of,
)
from formatspec.files.serialize import xml_text
from formatspec.files.serialize.xml_text import UnusualError, children
from formatspec.files.style import Style

STYLE = Style(indent=2)

COSTS = {b"<": 100, b"</": -100, b"=": 150}
"""How many bytes of memory each element and attribute of a document takes; used by `check_values`."""


class XmlShape(msgspec.Struct, frozen=True):
    """What is known of an element beforehand.

    children: the shapes of children by tag.
    lists: tags whose children are a list even if there is one.  Where there is none, the key is absent.
    runs: children that neither `children` nor `lists` names are collected, in the order of the file, in a
        list under `"*"`.  Each is a dict with its tag under `"<>"`, whatever else it holds.
    members: the shapes of those collected by tag; that of `"*"` serves all other tags.

    An element whose shape names children, lists or runs is structure: white space in it is layout, so it is
    `{}`, not text, when it has nothing else.
    """

    children: Mapping[str, XmlShape] = msgspec.field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    runs: bool = False
    members: Mapping[str, XmlShape] = msgspec.field(default_factory=dict)

    @property
    def structural(self) -> bool:
        """Whether an element has children at known places, so that it is a mapping even if it is empty."""
        return self.runs or bool(self.children) or bool(self.lists)

    def runs_over(self, tag: str) -> bool:
        """Return whether a child with this tag belongs to the run."""
        return self.runs and tag not in self.children and tag not in self.lists

    def member(self, tag: str) -> XmlShape:
        """Return the shape of the children with this tag."""
        return self.members.get(tag) or self.members.get("*") or PLAIN


PLAIN = XmlShape()
"""The shape of elements of which nothing is known: each element's own content decides."""

WIDE = 500
"""From how many attributes on they are taken from a second parse: lxml looks up each in quadratic time."""

# Possessive, so that no prologue makes it backtrack.
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=|\xff\xfe|\xfe\xff")
_PLACE = re.compile(r", line \d+, column \d+$")


def decode(data: bytes, style: Style = STYLE, shape: XmlShape = PLAIN) -> Document:
    """Return the document in `data`; `shape` is the shape of the document, so its children hold the root's tag.

    If the file declares its encoding, the declaration takes precedence over `style.encoding`. Raises FileError, also
    for a document type declaration and for elements nested deeper than MAX_DEPTH. Raises TooLargeError.
    """
    check_values(data, COSTS)
    root, source = _parse(data, style)
    tag = _tag(root)
    wide = _wide_elements(root, source) if source.count(b"=") > WIDE else {}
    return {tag: _value(root, shape.children.get(tag, PLAIN), 1, wide)}


def encode(document: Document, style: Style = STYLE) -> bytes:
    """Return the document as XML, with elements and attributes in the order of their keys; no shape is needed.

    Children with one tag follow each other, as in the document. Every leaf must be a str. Raises FileError for other
    leaves, for names that XML does not allow, and for characters that XML or the encoding cannot hold.
    """
    tag, value = _root_of(document)
    try:
        text = xml_text.element(tag, value, _step(style), not style.short_empty)
    except UnusualError:
        return _by_elements(tag, value, style)
    return _spelled(_declaration(style) + text + _end(style), style)


def _by_elements(tag: Any, value: Any, style: Style) -> bytes:
    """A document by way of lxml's elements."""
    with _understood():
        root = _element(tag, value, style)
    return _spelled(_declaration(style) + _text_of(_laid_out(root, style)) + _end(style), style, root)


def _end(style: Style) -> str:
    return "\n" if style.final_newline else ""


def streams(style: Style) -> bool:
    """Return whether a document of this style can be written in pieces: if its encoding begins with no mark."""
    return style.encoding[0] in ("utf-8", "ascii", "latin-1")


def stream(document: Document, style: Style = STYLE) -> Iterator[bytes]:
    """Yield what `encode` returns, in pieces of several children of the root each.

    The children may be in sequences of any kind, which are iterated once and need not be in memory. Raises FileError as
    `encode` does, while it runs.
    """
    tag, value = _root_of(document)
    own = {key: part for key, part in value.items() if key in ("@", "#")} if isinstance(value, Mapping) else {}
    attributes, said, step = own.get("@", {}), own.get("#", ""), _step(style)
    try:
        start = xml_text.start(tag, attributes, said)
        mixed = bool(said.strip())
        start = start if mixed or step is None else xml_text.start(tag, attributes, "")
    except UnusualError:
        yield _by_elements(tag, value, style)  # names in a namespace hold for all that follows
        return
    if not isinstance(value, Mapping):
        yield encode(document, style)
        return
    root, before = etree.Element(tag), _declaration(style) + start
    newline = "" if step is None else "\n"
    for some in _batched(children({key: part for key, part in value.items() if key not in own}), TOGETHER):
        text = _together(some, root, style)
        if mixed and before:
            text = text[len(newline + (step or "")) :]
        yield _spelled(before + text, style, root)
        before = ""
        del root[:]
    if before:
        yield encode({tag: own}, style)
        return
    yield _spelled(f"{newline}</{tag}>{_end(style)}", style)


def _together(values: Sequence[tuple[Any, Any]], root: etree._Element, style: Style) -> str:
    """Children of a root, given by name and value, each behind its indentation; `root` takes those that are unusual."""
    try:
        return xml_text.elements(values, _step(style), not style.short_empty, 2)
    except UnusualError:
        with _understood():
            for name, content in values:
                _fill(etree.SubElement(root, name), name, content, not style.short_empty, 2)
        root.text = None
        end = f"</{root.tag}>" if style.indent is None else f"\n</{root.tag}>"
        return _text_of(_laid_out(root, style))[len(f"<{root.tag}>") : -len(end)]


TOGETHER = 64
"""How many children of the root `stream` writes at once."""


def _batched(values: Iterable[Any], count: int) -> Iterator[list[Any]]:
    """Yield values in lists of `count` each; the last list may be shorter."""
    rest = iter(values)
    while some := list(islice(rest, count)):
        yield some


def _root_of(document: Document) -> tuple[Any, Any]:
    if not isinstance(document, dict | Mapping) or len(document) != 1:
        raise FileError("an XML document has exactly one root element")
    [(tag, value)] = document.items()
    return tag, value


@contextmanager
def _understood() -> Iterator[None]:
    """Raise FileError if lxml refuses names or characters that XML does not have."""
    try:
        yield
    except FileError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise FileError(f"XML cannot hold this: {error}") from None


def _step(style: Style) -> str | None:
    """What each level is indented by; None where all stands on one line."""
    return " " * style.indent if isinstance(style.indent, int) else style.indent


def _laid_out(root: etree._Element, style: Style) -> etree._Element:
    step = _step(style)
    if step is not None:
        etree.indent(root, space=step)
    return root


def _declaration(style: Style) -> str:
    if not style.declaration:
        return ""
    end = "" if style.indent is None else "\n"
    return f'<?xml version="1.0" encoding="{_declared_name(style.encoding[0])}"?>{end}'


def _text_of(root: etree._Element) -> str:
    return str(etree.tostring(root, encoding="unicode"))


def _spelled(text: str, style: Style, root: etree._Element | None = None) -> bytes:
    """A text as the bytes of the style; `root` holds the elements whose names stand in it, where lxml made them."""
    if style.newline != "\n":
        text = text.replace("\n", style.newline)
    if style.ascii:
        text = _escaped(root, text, "ascii")
    elif style.encoding[0] != "utf-8" and not style.encoding[0].lower().startswith("utf"):
        text = _escaped(root, text, style.encoding[0])
    return bytes_of(text, style.encoding)


def locate(data: bytes, pointer: Pointer, style: Style = STYLE, shape: XmlShape = PLAIN) -> LineColumn | None:
    """Return the line of the element under `pointer`, or of the element with the attribute or text there; column 1.

    The line is the one on which the start tag ends. None is returned if there is no such element.
    """
    return place_in(parsed(data, style), pointer, shape)


def rows_in(data: bytes, tag: str, shape: XmlShape, only: Collection[str] | None = None) -> list[Document]:
    """Return the elements with a tag among elements that follow each other in a UTF-8 file, as children of the root.

    shape: the shape of each. only: the keys of each that are read; None for all. Raises FileError.
    """
    root = wrapped(data)
    wide = _wide_elements(root, _wrapping(data)) if data.count(b"=") > WIDE else {}
    return [_value(child, shape, 2, wide, only) for child in root.iterchildren(tag)]


def tags_in(data: bytes, tags: Collection[str]) -> Counter[str]:
    """Return how many of the elements in a UTF-8 file have each of some tags. Raises FileError."""
    return Counter(tag for child in wrapped(data) if (tag := _tag(child)) in tags)


def wrapped(data: bytes) -> etree._Element:
    """Return elements that follow each other in a UTF-8 file, below a root made for them. Raises FileError."""
    try:
        return etree.fromstring(_wrapping(data), _parser(False))
    except etree.XMLSyntaxError as error:
        raise FileError(f"not XML: {error.msg}") from None


def _wrapping(data: bytes) -> bytes:
    return b"<rows>%b</rows>" % data


def parsed(data: bytes, style: Style = STYLE) -> etree._Element | None:
    """Return the root of the document in `data`, for `place_in`; None if it cannot be read."""
    try:
        return _parse(data, style)[0]
    except FileError:
        return None


def place_in(root: etree._Element | None, pointer: Pointer, shape: XmlShape = PLAIN) -> LineColumn | None:
    """Return what `locate` gives, for a document that is parsed already."""
    if root is None or (pointer and str(pointer[0]) != _tag(root)):
        return None
    element, shape, rest = root, shape.children.get(_tag(root), PLAIN), [str(part) for part in pointer[1:]]
    while rest and rest[0] not in ("@", "#", "<>"):
        name, index, rest = rest[0], 0, rest[1:]
        if rest and rest[0].isdecimal():
            index, rest = int(rest[0]), rest[1:]
        children = (
            (child for child in element if shape.runs_over(_tag(child))) if name == "*" else element.iterchildren(name)
        )
        chosen = next(islice(children, index, None), None)
        if chosen is None:
            return None
        element = chosen
        shape = shape.member(_tag(element)) if name == "*" else shape.children.get(name, PLAIN)
    line = _line(element)
    return None if line is None else (line, 1)


def _parse(data: bytes, style: Style) -> tuple[etree._Element, bytes]:
    """Return the root element, and the bytes that it was parsed from."""
    doctype = _DOCTYPE.match(data)
    if doctype:
        raise FileError("a document type declaration is not allowed", data.count(b"\n", 0, doctype.end()) + 1)
    declared = bool(_DECLARED.match(data))
    parser = _parser(declared)
    source = data if declared else text_of(data, style.encoding)[0].encode()
    try:
        root = etree.fromstring(source, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        message = _PLACE.sub("", error.msg or "empty")
        raise FileError(f"not XML: {broken(message)}", line or None, column or None) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise FileError("a document type declaration is not allowed")
    return root, source


@lru_cache(maxsize=2)
def _parser(declared: bool) -> etree.XMLParser:
    """Return a parser that opens no other file; `declared`: whether the file declares its encoding, else UTF-8."""
    return _new_parser(declared)


def _new_parser(declared: bool, target: Any = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=None if declared else "utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        target=target,
    )


class _Attributes:
    """A target of a parser that keeps the attributes of some elements, by each element's place."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self.wanted = wanted
        self.found: dict[int, dict[str, str]] = {}
        self.place = -1

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Keep an element's attributes if they are wanted."""
        self.place += 1
        if self.place in self.wanted:
            self.found[self.place] = dict(attributes)

    def end(self, tag: str) -> None:
        """Ignore the end of an element; the parser calls this."""

    def close(self) -> dict[int, dict[str, str]]:
        """Return the attributes that were kept, once the document has ended."""
        return self.found


def _wide_elements(root: etree._Element, source: bytes) -> dict[etree._Element, dict[str, str]]:
    """Return the attributes of the elements that have more than `WIDE` of them."""
    wide = {place: element for place, element in enumerate(root.iter()) if len(element.attrib) > WIDE}
    if not wide:
        return {}
    parser = _new_parser(bool(_DECLARED.match(source)), _Attributes(frozenset(wide)))
    found: Any = etree.fromstring(source, parser)
    return {wide[place]: attributes for place, attributes in found.items()}


def _tag(element: etree._Element) -> str:
    return str(element.tag)


def _line(element: etree._Element) -> int | None:
    line: Any = element.sourceline
    return int(line) if line else None


Wide = Mapping[etree._Element, dict[str, str]]


def _value(
    element: etree._Element, shape: XmlShape, depth: int, wide: Wide, only: Collection[str] | None = None
) -> str | dict[str, Any]:
    """Return an element as plain data; if it has children, `only` says which keys of the mapping are read."""
    if depth > MAX_DEPTH:
        raise FileError(f"elements are nested deeper than {MAX_DEPTH}", _line(element))
    value: dict[str, Any] = {}
    if element.attrib:
        attributes = (wide and wide.get(element)) or element.attrib
        value["@"] = {str(name): str(text) for name, text in attributes.items()}
    if not len(element):
        text = element.text or ""
        if shape.structural and not text.strip():
            return value
        return {**value, "#": text} if value else text
    text = "".join(_texts(element)).strip() if only is None or "#" in only else ""
    if text:
        value["#"] = text
    for child in element:
        if only is not None and ("*" if shape.runs_over(_tag(child)) else _tag(child)) not in only:
            continue
        _put(value, child, shape, depth, wide)
    return value


def _texts(element: etree._Element) -> Iterable[str]:
    yield element.text or ""
    for child in element:
        yield child.tail or ""


def _put(value: dict[str, Any], child: etree._Element, shape: XmlShape, depth: int, wide: Wide) -> None:
    """Put a child into its parent's value: as the value under its tag, or into the list there."""
    tag = _tag(child)
    if shape.runs_over(tag):
        inner = _value(child, shape.member(tag), depth + 1, wide)
        content = {"#": inner} if isinstance(inner, str) else inner
        value.setdefault("*", []).append({"<>": tag, **content})
        return
    inner = _value(child, shape.children.get(tag, PLAIN), depth + 1, wide)
    if tag not in value:
        value[tag] = [inner] if tag in shape.lists else inner
    elif isinstance(value[tag], list):
        value[tag].append(inner)
    else:
        value[tag] = [value[tag], inner]


def _element(tag: Any, value: Any, style: Style) -> etree._Element:
    """Return the root element of a document, with all its content."""
    root = etree.Element(tag)
    _fill(root, tag, value, not style.short_empty, 1)
    return root


def _fill(element: etree._Element, tag: Any, value: Any, both_tags: bool, depth: int) -> None:
    """Put a value into an element.

    Args:
        element: The element, which is empty.
        tag: Its name, for messages.
        value: A text, or a mapping of attributes, text and children.
        both_tags: Whether an element without content gets a start tag and an end tag.
        depth: How deep the element is nested, from 1.
    """
    if depth > MAX_DEPTH:
        raise FileError(f"elements are nested deeper than {MAX_DEPTH}")
    if both_tags:
        element.text = ""
    if type(value) is str:
        element.text = value or element.text  # with an empty text, the serializer would write both tags
        return
    if not isinstance(value, Mapping):
        raise FileError(f"<{tag}> holds {value!r}, not text")
    for key, inner in value.items():
        if key == "@":
            for name, text in inner.items():
                element.set(name, _text(text, f"{tag}/@{name}"))
        elif key == "#":
            element.text = _text(inner, tag) or element.text
        else:
            for name, content in children({key: inner}):
                _fill(etree.SubElement(element, name), name, content, both_tags, depth + 1)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise FileError(f"<{where}> holds {value!r}, not text")
    return value


def _declared_name(encoding: str) -> str:
    """Return the encoding's name as other XML readers know it; Python's aliases are unknown to them."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise FileError(f"there is no text encoding {encoding!r}") from None
    return name.replace("iso8859", "iso-8859") if name.startswith("iso8859") else encoding.removesuffix("-sig")


def _escaped(root: etree._Element | None, text: str, encoding: str) -> str:
    """Return the text with character references for what the encoding lacks; names cannot have references."""
    for element in root.iter() if root is not None else ():
        for name in (_tag(element), *element.attrib):
            bytes_of(str(name), (encoding,))
    return text.encode(encoding, "xmlcharrefreplace").decode(encoding)
