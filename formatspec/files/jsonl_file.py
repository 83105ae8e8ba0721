"""JSON lines: a document is the list of the lines' documents. Blank lines are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from formatspec.files import json_file
from formatspec.files.document import Document, FileError, LineColumn, Pointer, bytes_of, check_values, text_of
from formatspec.files.style import Style

STYLE = Style()


def decode(data: bytes, style: Style = STYLE) -> Document:
    """Return the documents of all lines. Raises FileError with the line, and TooLargeError."""
    check_values(data, {**json_file.COSTS, b"\n": 32})
    found = []
    for number, line in _lines(data, style):
        try:
            found.append(json_file.decode(line.encode()))
        except FileError as error:
            raise FileError(f"{error.message}{_as_a_whole(data)}", number, error.column) from None
    return found


def _as_a_whole(data: bytes) -> str:
    """Return a hint if the lines are no documents, but the file as a whole is one."""
    try:
        msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return ""
    return "; the file as a whole is one document: it is read as `json`, not as `jsonl`"


def encode(document: Document, style: Style = STYLE) -> bytes:
    """One line of JSON per document.  Raises FileError on what JSON cannot hold."""
    inner = Style(separators=style.separators, ascii=style.ascii, final_newline=False)
    lines = [json_file.encode(row, inner).decode() for row in document]
    text = style.newline.join(lines) + (style.newline if lines and style.final_newline else "")
    return bytes_of(text, style.encoding)


def rows_writer(style: Style = STYLE) -> Callable[[list[Document]], bytes]:
    """Return a function that encodes documents, each as a line. It raises FileError as `encode` does."""
    write = json_file.rows_writer(style)
    return lambda documents: b"\n".join([write([document]) for document in documents])


def comma(style: Style = STYLE) -> bytes:
    """Return what stands between two documents."""
    return b"\n"


streams = json_file.streams


def stream(document: Document, tables: Mapping[Pointer, Iterator[bytes]], style: Style = STYLE) -> Iterator[bytes]:
    """Write the rows under the empty path, each as a line. A text under this path holds one or more of them."""
    for number, text in enumerate(tables[()]):
        yield (b"\n" if number else b"") + text
    if document and style.final_newline:
        yield b"\n"


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Line and column where the value under `pointer` begins; None if there is none."""
    if not pointer:
        return 1, 1
    for index, (number, line) in enumerate(_lines(data, style)):
        if str(index) == str(pointer[0]):
            found = json_file.locate(line.encode(), pointer[1:])
            return None if found is None else (number, found[1])
    return None


def _lines(data: bytes, style: Style) -> list[tuple[int, str]]:
    """Return the lines with content, with their numbers from 1."""
    lines = text_of(data, style.encoding)[0].split("\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
