"""Text files: a document is the list of their lines, without line endings and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from formatspec.files.document import Document, FileError, LineColumn, Pointer, bytes_of, check_values, text_of
from formatspec.files.style import Style

STYLE = Style()

_NEWLINE = re.compile(r"\r\n|\n|\r")


def decode(data: bytes, style: Style = STYLE) -> Document:
    r"""Read a text as a list of its lines; `\n`, `\r\n` and `\r` end a line.

    An empty file has no lines.  A newline at the end of the file begins no further line.  Lines that begin
    with `style.comment` are left out, empty lines are kept.

    Raises:
        FileError: The bytes are not of the style's encoding.
        TooLargeError: The text has more lines than the limits allow.
    """
    check_values(data, {b"\n": 60, b"\r": 60})
    lines = _lines(text_of(data, style.encoding)[0])
    if style.comment is None:
        return lines
    return [line for line in lines if not line.startswith(style.comment)]


def encode(document: Document, style: Style = STYLE) -> bytes:
    """Return the lines joined by `style.newline`; no lines give no bytes.

    Without `style.final_newline` an empty last line still gets its newline, since it would not be a line otherwise.
    Raises FileError on a line that would not be read back: one with a newline, or one that begins like a comment.
    """
    return bytes_of(_joined(document, style) or "".join(_pieces(document, style)), style.encoding)


def _joined(document: Document, style: Style) -> str:
    """Join all lines in one step; return an empty text if a line needs a closer look."""
    try:
        text = "\n".join(document)
    except TypeError:
        return ""
    if not text or style.comment is not None or "\r" in text or text.count("\n") >= len(document):
        return ""
    if style.newline != "\n":
        text = text.replace("\n", style.newline)
    return text + style.newline if style.final_newline or not document[-1] else text


def streams(style: Style) -> bool:
    """Return whether lines of this style can be written one by one: in an encoding without a byte order mark."""
    return style.encoding[0] in ("utf-8", "ascii", "latin-1")


def stream(document: Iterable[str], style: Style = STYLE) -> Iterator[bytes]:
    """Yield what `encode` returns in pieces, for lines that are not all in memory. Raises FileError on the way."""
    return (bytes_of(text, style.encoding) for text in _pieces(document, style))


def _pieces(document: Iterable[Any], style: Style) -> Iterator[str]:
    line = None
    for number, line in enumerate(document, 1):
        if not isinstance(line, str):
            raise FileError(f"line {number} is {line!r}, not text")
        if _NEWLINE.search(line):
            raise FileError(f"line {number} holds a newline: {line!r}")
        if style.comment is not None and line.startswith(style.comment):
            raise FileError(f"line {number} begins as a comment: {line!r}")
        yield style.newline + line if number > 1 else line
    if line is not None and (style.final_newline or not line):
        yield style.newline


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Return line, counting comments, and column 1 of the line whose index is `pointer[0]`."""
    if not pointer:
        return 1, 1
    try:
        numbers = line_numbers(data, style)
    except FileError:
        return None
    at = {str(index): number for index, number in enumerate(numbers)}.get(str(pointer[0]))
    return None if at is None else (at, 1)


def line_numbers(data: bytes, style: Style = STYLE) -> list[int]:
    """Return the number of each line of the document in its file, counting comments. Raises FileError."""
    lines = _lines(text_of(data, style.encoding)[0])
    comment = style.comment
    return [n for n, line in enumerate(lines, 1) if comment is None or not line.startswith(comment)]


def _lines(text: str) -> list[str]:
    lines = _NEWLINE.split(text) if "\r" in text else text.split("\n")
    return lines if lines[-1] else lines[:-1]
