"""Text files: a document is the list of their lines, without line endings and comments."""

from __future__ import annotations

import re

from formatspec.files.document import Document, FileError, Place, Pointer, bytes_of, text_of
from formatspec.files.style import Style

STYLE = Style()

_NEWLINE = re.compile(r"\r\n|\n|\r")


def decode(data: bytes, style: Style = STYLE) -> Document:
    """The lines of `data` as a list of str; `\\n`, `\\r\\n` and `\\r` end a line.

    An empty file has no lines.  A newline at the end of the file begins no further line.  Lines that begin
    with `style.comment` are left out, empty lines are kept.  Raises FileError on a wrong encoding.
    """
    lines = _lines(text_of(data, style.encoding)[0])
    if style.comment is None:
        return lines
    return [line for line in lines if not line.startswith(style.comment)]


def encode(document: Document, style: Style = STYLE) -> bytes:
    """The lines joined by `style.newline`; no lines are no bytes.

    Without `style.final_newline` a last line that is empty still gets its newline: else it would be no line.
    Raises FileError on a line that would not be read back: one that holds a newline or begins as a comment.
    """
    for number, line in enumerate(document, 1):
        if not isinstance(line, str):
            raise FileError(f"line {number} is {line!r}, not text")
        if _NEWLINE.search(line):
            raise FileError(f"line {number} holds a newline: {line!r}")
        if style.comment is not None and line.startswith(style.comment):
            raise FileError(f"line {number} begins as a comment: {line!r}")
    text = style.newline.join(document)
    if document and (style.final_newline or not document[-1]):
        text += style.newline
    return bytes_of(text, style.encoding)


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> Place | None:
    """Line, counting comments, and column 1 of the line whose index is `pointer[0]`."""
    if not pointer:
        return 1, 1
    try:
        lines = _lines(text_of(data, style.encoding)[0])
    except FileError:
        return None
    comment = style.comment
    numbers = [n for n, line in enumerate(lines, 1) if comment is None or not line.startswith(comment)]
    at = {str(index): number for index, number in enumerate(numbers)}.get(str(pointer[0]))
    return None if at is None else (at, 1)


def _lines(text: str) -> list[str]:
    lines = _NEWLINE.split(text) if "\r" in text else text.split("\n")
    return lines if lines[-1] else lines[:-1]
