"""JSON files: bytes to documents and back.

`decode` has a fast way, which takes nearly every file, and a strict way, which takes the rest or says what is
wrong with it and where.  NaN, Infinity and numbers beyond the range of a double are let through as floats, so
that the caller reports them at their pointers; `encode` refuses them.  The fast way keeps the last of two
equal keys; `duplicate_keys` finds them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.files.broken.json_text import broken
from formatspec.files.document import (
    Document,
    FileError,
    LineColumn,
    Pointer,
    bytes_of,
    check_values,
    place_of,
    text_of,
)
from formatspec.files.style import Style

STYLE = Style()

_SPACE = re.compile(r"[ \t\n\r]*")
COSTS = {b"[": 64, b"{": 150, b",": 32, b":": 40}
"""Bytes of memory for each list, mapping, value and key of a document (`check_values`)."""

_CLOSING = {"[": "]", "{": "}"}
_scan = json.JSONDecoder().raw_decode


def decode(data: bytes, style: Style = STYLE) -> Document:
    """Return the document in `data`; integers of any size stay integers. Raises FileError, and TooLargeError."""
    check_values(data, COSTS)
    try:
        if style.encoding == ("utf-8",) or (style.encoding[:1] == ("utf-8",) and data.isascii()):
            return msgspec.json.decode(data)
        return msgspec.json.decode(text_of(data, style.encoding)[0])
    except FileError:
        raise
    except (ValueError, RecursionError):
        return _decode_strictly(text_of(data, style.encoding)[0])


def encode(document: Document, style: Style = STYLE) -> bytes:
    """Return the document as JSON, with floats in their shortest form that reads back equal.

    The keys of dicts are strings. Raises FileError on NaN, infinities and values that JSON cannot hold.
    """
    comma, colon = (",", ":") if style.separators == "compact" else (", ", ": ")
    try:
        text = json.dumps(
            document,
            ensure_ascii=style.ascii,
            allow_nan=False,
            indent=style.indent,
            separators=(comma if style.indent is None else ",", colon),
        )
    except RecursionError:
        raise FileError("nested too deeply for JSON") from None
    except (ValueError, TypeError) as error:
        raise FileError(f"JSON cannot hold this: {error}") from None
    if style.final_newline:
        text += "\n"
    return bytes_of(text.replace("\n", style.newline), style.encoding)


def rows_writer(style: Style = STYLE) -> Callable[[list[Document]], bytes]:
    """Return a function that encodes rows of a list, as they stand beside each other in a document without layout.

    `comma(style)` stands between them. The function raises FileError as `encode` does.
    """
    plain = Style(separators=style.separators, ascii=style.ascii, final_newline=False)
    separators = (",", ":") if style.separators == "compact" else (", ", ": ")
    spell = json.JSONEncoder(ensure_ascii=style.ascii, allow_nan=False, separators=separators).encode

    def write(documents: list[Document]) -> bytes:
        try:
            return spell(documents).encode()[1:-1]
        except (ValueError, TypeError, RecursionError):
            return encode(documents, plain)[1:-1]  # this call raises the error

    return write


def comma(style: Style = STYLE) -> bytes:
    """Return what stands between two rows of a list in a document without layout."""
    return b"," if style.separators == "compact" else b", "


def streams(style: Style) -> bool:
    """Return whether a document of this style can be written row by row."""
    return style.encoding[0] == "utf-8" and style.newline == "\n"


def stream(document: Document, tables: Mapping[Pointer, Iterator[bytes]], style: Style = STYLE) -> Iterator[bytes]:
    """Yield the document as JSON in pieces, with rows from `rows_writer` in its lists under some paths.

    Whatever the document has under these paths is left out. Raises FileError as `encode` does, before the first piece.
    """
    marks: dict[str, Pointer] = {}
    salt, text = 0, ""
    while not marks or any(text.count(mark) > 1 for mark in marks):
        salt += 1
        tokens = {path: f"\0{salt} {number}\0" for number, path in enumerate(tables)}
        marks = {json.dumps(token): path for path, token in tokens.items()}
        text = encode(_marked(document, tokens), style).decode()
    return _pieces(text, {mark: path for mark, path in marks.items() if mark in text}, tables, style)


def _pieces(
    text: str, marks: Mapping[str, Pointer], tables: Mapping[Pointer, Iterator[bytes]], style: Style
) -> Iterator[bytes]:
    at = 0
    for mark in sorted(marks, key=text.index):
        begin = text.index(mark)
        yield text[at:begin].encode() + b"["
        yield from _spaced(tables[marks[mark]], len(marks[mark]), style)
        yield b"]"
        at = begin + len(mark)
    yield text[at:].encode()


def _spaced(rows: Iterator[bytes], depth: int, style: Style) -> Iterator[bytes]:
    """Yield rows with the commas, blanks and newlines between them, for a list that is `depth` levels deep.

    rows: texts of one or more rows each.
    """
    if style.indent is None:
        between = comma(style)
        for number, text in enumerate(rows):
            yield between + text if number else text
        return
    step = style.indent if isinstance(style.indent, str) else " " * style.indent
    outer, inner = "\n" + step * depth, "\n" + step * (depth + 1)
    bare = replace(style, final_newline=False)
    number = -1
    for number, row in enumerate(row for text in rows for row in json.loads(b"[%b]" % text)):
        laid = encode(row, bare).decode().replace("\n", inner)
        yield ((("," + inner) if number else inner) + laid).encode()
    if number >= 0:
        yield outer.encode()


def _marked(document: Document, tokens: Mapping[Pointer, str]) -> Document:
    """Put a token in place of each list that is written row by row."""
    if () in tokens:
        return tokens[()]
    if not isinstance(document, dict):
        return document
    inner: dict[str | int, dict[Pointer, str]] = {}
    for path, token in tokens.items():
        inner.setdefault(path[0], {})[path[1:]] = token
    return {key: _marked(part, inner[key]) if key in inner else part for key, part in document.items()}


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Return line and column where the value under `pointer` begins; None if there is none.

    Of equal keys the last one counts, as in `decode`. Costs one scan of the text for each part of the pointer.
    """
    return Places(data, style).at(pointer)


class Places:
    """The places of values in one document; text that one lookup has passed is not scanned again for the next."""

    def __init__(self, data: bytes, style: Style = STYLE) -> None:
        """Take the bytes of a document, which are decoded when a place is first asked for."""
        self._data: bytes | None = data
        self._style = style
        self._text = ""
        self._known: dict[Pointer, int] = {}
        self._last: dict[Pointer, tuple[int, int]] = {}
        """For lists that were searched, the index of the last member that was found, and its offset."""

    def at(self, pointer: Pointer) -> LineColumn | None:
        """Return line and column where the value under `pointer` begins; None if there is none."""
        try:
            if self._data is not None:
                self._text, self._data = text_of(self._data, self._style.encoding)[0], None
                self._known[()] = _skip(self._text, 0)
            at = self._offset(tuple(str(part) for part in pointer))
        except (ValueError, IndexError, RecursionError):
            return None
        return None if at is None or at >= len(self._text) else place_of(self._text, at)

    def _offset(self, pointer: tuple[str, ...]) -> int | None:
        path: tuple[str, ...] = ()
        at: int | None = self._known.get(())
        for part in pointer:
            before, path = path, (*path, part)
            known = self._known.get(path)
            at = self._entered(before, at, part) if known is None and at is not None else known
            if at is None:
                return None
            self._known[path] = at
        return at

    def _entered(self, path: Pointer, at: int, part: str) -> int | None:
        """Return the offset of a member of the container that opens at an offset."""
        if self._text[at] != "[":
            return _enter(self._text, at, part)
        last = self._last.get(path)
        ahead = last if last is not None and part.isdecimal() and last[0] <= int(part) else None
        found = _enter(self._text, at, part, ahead)
        if found is not None:
            self._last[path] = int(part), found
        return found


def duplicate_keys(data: bytes, style: Style = STYLE) -> list[Pointer]:
    """Return the pointers of keys that occur more than once in one object, in the order of the document.

    The value of the earlier of two equal keys is not searched. Raises FileError if the data is no JSON, and
    TooLargeError.
    """
    check_values(data, COSTS)
    return _parse(text_of(data, style.encoding)[0])[1]


def whole(digits: str) -> int | float:
    """Return an integer. One with too many digits becomes infinite, and is reported at its pointer."""
    return int(digits) if len(digits) <= DIGITS else float("-inf" if digits.startswith("-") else "inf")


DIGITS = 4000
"""The most digits of integers that are read."""
_STEP = 100
_LONG = re.compile(rf"(?<![0-9])[0-9]{{{DIGITS // _STEP - 1}}}")
"""What every hundredth character of a text shows of an integer with too many digits, if it holds one."""


def decode_rows(data: bytes) -> Any:
    """Return a list of rows with any numbers. Raises ValueError if it is no JSON."""
    return json.loads(data, parse_int=whole)


class _Doubled(dict[str, Any]):
    """A JSON object with a repeated key."""

    __slots__ = ("again",)
    again: list[str]


def _parse(text: str) -> tuple[Document, list[Pointer]]:
    """Return the document and the pointers of its repeated keys, with the standard library's parser."""
    found = False

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        found = True
        doubled = _Doubled(members)
        seen: set[str] = set()
        again = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        doubled.again = list(dict.fromkeys(again))
        return doubled

    try:
        long = _LONG.search(text[::_STEP]) is not None
        document = json.loads(text, object_pairs_hook=object_of, parse_int=whole if long else None)
    except json.JSONDecodeError as error:
        raise FileError(f"not JSON: {broken(text, error)}", error.lineno, error.colno) from None
    except RecursionError:
        raise FileError("nested too deeply") from None
    except ValueError as error:
        raise FileError(f"not JSON: {error}") from None
    return document, _doubled(document) if found else []


def _doubled(document: Document) -> list[Pointer]:
    found: list[Pointer] = []
    stack: list[tuple[Pointer, Document]] = [((), document)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, _Doubled):
            found += [(*pointer, key) for key in value.again]
        members = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [((*pointer, key), member) for key, member in members if isinstance(member, (dict, list))]
        stack += reversed(inner)
    return found


def _decode_strictly(text: str) -> Document:
    document, doubled = _parse(text)
    if doubled:
        place = locate(text.encode(), doubled[0]) or (None, None)
        raise FileError(f"the key {doubled[0][-1]!r} stands twice in one object", *place)
    return document


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _enter(text: str, at: int, part: str, ahead: tuple[int, int] | None = None) -> int | None:
    """Return the offset of the value under `part` in the well-formed container that opens at `at`.

    `ahead` is the index and the offset of a list's member from which the search starts.
    """
    opening = text[at]
    closing = _CLOSING.get(opening)
    if closing is None:
        return None
    found = None
    index, at = ahead or (0, _skip(text, at + 1))
    while text[at] != closing:
        key = str(index)
        if opening == "{":
            key, at = _scan(text, at)
            at = _skip(text, _skip(text, at) + 1)
        if key == part:
            found = at
            if opening == "[":
                break
        at = _skip(text, _scan(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return found
