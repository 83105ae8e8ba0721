"""Rows of an XML document, found without decoding it: elements directly below the root, and the document around them.

A file is read in pieces, so that memory does not grow with its size. Expat says where elements begin and end. The bytes
of each piece are parsed in the same way as `files.xml_file` parses a file, so that the same documents are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from xml.parsers import expat

import msgspec

from formatspec.files import xml_file
from formatspec.files.document import MAX_DEPTH, Document, FileError, LineColumn, Pointer, ValueCosts
from formatspec.files.rows.json_rows import KeyPath, NotRowsError, Read
from formatspec.files.style import Style
from formatspec.files.xml_file import COSTS, PLAIN, XmlShape
from formatspec.model.limits import TooLargeError

PIECE = 1 << 18
"""How many bytes are read at once; more if a row is longer."""

_SPACE = b" \t\r\n"
_START_TAG = re.compile(rb"""<(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")

Take = Callable[[KeyPath, Sequence[int], Sequence[int]], None]
"""Takes consecutive rows of one table: the table's path, and where each row begins and ends in the file."""


class Elements(msgspec.Struct, frozen=True):
    """Finds, decodes and locates the rows of documents of one shape.

    Attributes:
        shape: The shape of the document.
        style: The style of its files, which are UTF-8.
    """

    shape: XmlShape
    style: Style

    def direct(self, path: KeyPath) -> bool:
        """Whether all elements with the tag of a path are rows, directly below the root."""
        if len(path) != 2 or path[1] in ("@", "#", "*", "<>"):
            return False
        return path[1] in self.shape.children.get(path[0], PLAIN).lists

    def scan(self, read: Read, paths: Collection[KeyPath], take: Take, piece: int = PIECE) -> Document:
        """Give the rows of `paths` that are directly below the root to `take`; return the document without these rows.

        In the document, an empty list replaces rows.

        Args:
            read: Gives the next bytes of the file, at most as many as it is asked for, none at its end.
            paths: The tables; rows of tables that are not `direct` remain in the document.
            take: Takes rows, in their order.
            piece: How many bytes are read at once.

        Raises:
            NotRowsError: The file must be decoded whole: it is no XML document, it is not UTF-8, or it has namespaces.
        """
        scan = _Scan(self, tuple(filter(self.direct, paths)), take)
        try:
            return scan.whole(read, piece)
        except (FileError, TooLargeError, expat.ExpatError, UnicodeError):
            raise NotRowsError from None

    def rows(self, data: bytes, path: KeyPath, only: Collection[str] | None = None) -> list[Document]:
        """Return the rows of a table among elements that follow each other in a file, as `xml_file.decode` does.

        only: the keys of a row that are read; None for all. Raises FileError.
        """
        return xml_file.rows_in(data, path[1], self.row_shape(path), only)

    def heads(self, path: KeyPath, only: Collection[str] | None) -> Callable[[bytes, int, int], bytes] | None:
        """What gives the start tag of a row, as an empty element; None where `only` asks for more of rows than that.

        The function takes bytes, and where in them the row begins and ends.  A row without attributes, which may be
        nothing but a text, is given whole.
        """
        if only is None or set(only) - {"@"} or not self.row_shape(path).structural:
            return None
        match = _START_TAG.match

        def head(data: bytes, begin: int, end: int) -> bytes:
            found = match(data, begin)
            if found is None or b"=" not in found[0] or found[0].endswith(b"/>"):
                return data[begin:end]
            return b"%b/>" % found[0][:-1]

        return head

    def locate(self, row: bytes, path: KeyPath, rest: Pointer) -> LineColumn | None:
        """Return what `xml_file.locate` gives for a place within a row, counted from the row's first line."""
        _, tag = path
        shape = XmlShape(children={tag: self.row_shape(path)}, lists=frozenset({tag}))
        root = xml_file.wrapped(row)
        return xml_file.place_in(root, (root.tag, tag, 0, *rest), XmlShape(children={str(root.tag): shape}))

    def row_shape(self, path: KeyPath) -> XmlShape:
        """What is known beforehand of the rows of a table."""
        return self.shape.children.get(path[0], PLAIN).children.get(path[1], PLAIN)


def beginning(read: Read, count: int, piece: int = PIECE) -> bytes:
    """Return a UTF-8 document with at most the first `count` elements of each tag directly below its root, as bytes.

    read: gives the next bytes of the file, at most as many as it is asked for, none at its end. Raises NotRowsError if
    the file is no XML document or must be decoded whole.
    """
    first = _Beginning(count)
    try:
        first.walk(read, piece)
    except expat.ExpatError:
        raise NotRowsError from None
    return bytes(first.around)


class _Walk:
    """The state of a search through a document for elements directly below its root.

    begins, ends, tags: the elements that were found and not yet taken: the offset in the file where each begins, and
    where it ends or its end tag begins.
    """

    def __init__(self) -> None:
        self.begins: list[int] = []
        self.ends: list[int] = []
        self.tags: list[str] = []
        self.around = bytearray()

    def meets(self, tag: str, attributes: Sequence[str]) -> Collection[str] | None:
        """Take note of the root; return the tags of the elements that are looked for, None for all."""
        raise NotImplementedError

    def add(self, piece: bytes) -> None:
        """Take note of the next bytes of the file."""

    def take(self, base: int, data: bytes, begins: Sequence[int], ends: Sequence[int], tags: Sequence[str]) -> None:
        """Take elements with what comes before each; begins, ends: positions in `data`, whose offset is `base`."""
        raise NotImplementedError

    def walk(self, read: Read, piece: int) -> None:
        """Search the file; add what comes after the last element to `around` too."""
        parser = self._parser()
        base, data = 0, b""
        while True:
            more = read(max(piece, len(data)))
            parser.Parse(more, not more)
            self.add(more)
            data += more
            used = self._done(data, base)
            base, data = base + used, data[used:]
            if not more:
                break
        self.around += data

    def _parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        begins, ends, tags, depth = self.begins, self.ends, self.tags, 0
        wanted: Collection[str] | None = None

        def start(tag: str, attributes: list[str]) -> None:
            nonlocal depth, wanted
            depth += 1
            if depth == 2:
                if wanted is None or tag in wanted:
                    begins.append(parser.CurrentByteIndex)
                    tags.append(tag)
            elif depth == 1:
                wanted = self.meets(tag, attributes)
            elif depth > MAX_DEPTH:
                raise NotRowsError

        def end(tag: str) -> None:
            nonlocal depth
            if depth == 2 and (wanted is None or tag in wanted):
                ends.append(parser.CurrentByteIndex)
            depth -= 1

        def declared(version: str, encoding: str | None, standalone: int) -> None:
            if version != "1.0" or (encoding or "utf-8").lower() != "utf-8":
                raise NotRowsError

        def refused(*_: object) -> None:
            raise NotRowsError

        parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.XmlDeclHandler, parser.StartDoctypeDeclHandler = declared, refused
        return parser

    def _done(self, data: bytes, base: int) -> int:
        """Take the elements that have ended; return how many bytes are no longer needed."""
        count = len(self.ends)
        if not count:
            return 0
        begins, tags = [begin - base for begin in self.begins[:count]], self.tags[:count]
        ends = [_end(data, begin, end - base) for begin, end in zip(begins, self.ends, strict=False)]
        self.take(base, data, begins, ends, tags)
        del self.begins[:count], self.ends[:count], self.tags[:count]
        return ends[-1]


class _Beginning(_Walk):
    """Keeps the first elements of each tag."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.met: Counter[str] = Counter()

    def meets(self, tag: str, attributes: Sequence[str]) -> Collection[str] | None:
        return None

    def take(self, base: int, data: bytes, begins: Sequence[int], ends: Sequence[int], tags: Sequence[str]) -> None:
        done = 0
        for begin, end, tag in zip(begins, ends, tags, strict=True):
            self.met[tag] += 1
            kept = self.met[tag] <= self.count
            if kept or data[done:begin].strip(_SPACE):
                self.around += data[done : end if kept else begin]
            done = end


class _Scan(_Walk):
    """Hands on the rows of tables, and keeps what is around them."""

    def __init__(self, elements: Elements, paths: Sequence[KeyPath], put: Take) -> None:
        super().__init__()
        self.elements = elements
        self.put = put
        self.paths = paths
        self.tables: dict[str, KeyPath] = {}
        self.met: set[str] = set()
        self.costs = ValueCosts(COSTS)

    def meets(self, tag: str, attributes: Sequence[str]) -> Collection[str] | None:
        if any(name.startswith("xmlns") for name in attributes[::2]):
            raise NotRowsError
        self.tables = {path[1]: path for path in self.paths if path[0] == tag}
        return self.tables

    def add(self, piece: bytes) -> None:
        self.costs.add(piece)

    def whole(self, read: Read, piece: int) -> Document:
        """Search the file; see `Elements.scan`."""
        self.walk(read, piece)
        self.costs.check()
        document = xml_file.decode(bytes(self.around), self.elements.style, self.elements.shape)
        [root] = document.values()
        if self.met and "#" in root:
            raise NotRowsError  # texts between rows are joined across rows
        for tag in self.met:
            root[tag] = []
        return document

    def take(self, base: int, data: bytes, begins: Sequence[int], ends: Sequence[int], tags: Sequence[str]) -> None:
        if xml_file.tags_in(data[begins[0] : ends[-1]], self.tables) != Counter(tags):
            raise NotRowsError  # a tag is in a namespace
        done = 0
        for begin, end, tag in zip(begins, ends, tags, strict=True):
            gap = data[done:begin]
            if not self.met or gap.strip(_SPACE):
                self.around += gap
            if tag not in self.met:
                self.around += b"<%b/>" % tag.encode()
                self.met.add(tag)
            done = end
        for tag in dict.fromkeys(tags):
            own = [place for place, one in enumerate(tags) if one == tag]
            self.put(self.tables[tag], [base + begins[one] for one in own], [base + ends[one] for one in own])


def _end(data: bytes, begin: int, place: int) -> int:
    """Return where an element ends; `place`: where its end tag begins, or where the element ends if it has none."""
    if data[place - 2 : place] == b"/>":
        tag = _START_TAG.match(data, begin)
        if tag is not None and tag.end() == place:
            return place
    return data.index(b">", place) + 1
