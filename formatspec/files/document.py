"""What all file formats share: documents, places in them, errors, and text encodings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from formatspec.model.limits import TooLargeError, limits

Document: TypeAlias = Any
"""Plain data: None, bool, int, float, str, lists and dicts of these. It is never changed after decoding."""

Pointer: TypeAlias = tuple[str | int, ...]
"""The path to a place in a document: keys of dicts and indices of lists, from the root."""

LineColumn: TypeAlias = tuple[int, int]
"""Line and column in a text, both from 1; columns count characters."""

MAX_DEPTH = 200
"""How deep containers may be nested. Real files stay far below this."""


EXPANSION = 24
"""How many times the size of its file a document may take in memory, if it exceeds the limit `values`."""

MOST_COSTLY = 1 << 10
"""More bytes of memory than any character of a document stands for."""
PIECE = 1 << 20


def check_values(data: bytes | bytearray, costs: Mapping[bytes, int], what: str = "this file") -> None:
    """Raise TooLargeError if a document of very many small values would take too much memory for its file.

    Honest files take up to about twenty times their size, so only those that take more are held to the limit. The text
    is read in pieces, and not at all if it is too short to matter.

    Args:
        data: The bytes of the document.
        costs: The bytes of memory that some characters stand for: a comma for the value after it, a bracket for what it
            opens.
        what: Which file, or which part of one, the data are, for the message.
    """
    if len(data) * MOST_COSTLY <= limits().values:
        return
    if len(data) * (1 + max(costs.values())) <= max(limits().values, EXPANSION * len(data)):
        return
    counted = ValueCosts(costs)
    for start in range(0, len(data), PIECE):
        counted.add(data[start : start + PIECE])
    counted.check(what)


class ValueCosts:
    """Adds up the memory for the values of a document whose bytes come in pieces; see `check_values`."""

    def __init__(self, costs: Mapping[bytes, int]) -> None:
        """Start without bytes."""
        self._costs = costs
        self._size = 0
        self._asked = 0

    def add(self, piece: bytes | bytearray) -> None:
        """Take the next bytes of the document."""
        self._size += len(piece)
        self._asked += len(piece) + sum(cost * piece.count(mark) for mark, cost in self._costs.items())

    def check(self, what: str = "this file") -> None:
        """Raise TooLargeError if the values take too much memory for the bytes that were added."""
        check_estimate(self._asked, self._size, what)


def check_estimate(asked: int, size: int, what: str = "this file") -> None:
    """Raise TooLargeError if the values of a file take too much memory: `asked` bytes for a file of `size` bytes."""
    most = max(limits().values, EXPANSION * size)
    if asked > most:
        raise TooLargeError(
            f"the values of {what} would take some {asked:,} bytes of memory, over the limit of {most:,} "
            f"for {size:,} bytes (--limit values={asked} raises it)"
        )


class FileError(ValueError):
    """A file cannot be read as its format, or a document cannot be written as one.

    Attributes:
        message: What is wrong, without the place.
        line, column: The place, counted from 1; None if there is none, as when writing.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        """Take the message and the place; see the class."""
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """Return the message, after the line and the column if these are known."""
        place = ", ".join(
            f"{name} {at}" for name, at in (("line", self.line), ("column", self.column)) if at is not None
        )
        return f"{place}: {self.message}" if place else self.message


class EncodingError(FileError):
    """A file's bytes are not text in any of the allowed encodings."""


def pointer_text(parts: Pointer) -> str:
    """A pointer as RFC 6901 writes it: `/objects/0/a~1b`; the whole document is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def place_of(text: str, offset: int) -> LineColumn:
    """Return line and column of the character at `offset`; lines end with a line feed."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def text_of(data: bytes, encodings: tuple[str, ...]) -> tuple[str, str]:
    """Decode with the first encoding that fits; return the text and the encoding used.

    A UTF-8 byte order mark is taken off and named: the encoding is then `utf-8-sig`, and only then.
    Raises EncodingError if none fits, with the place where the first one failed.
    """
    first: UnicodeDecodeError | None = None
    for encoding in encodings:
        utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        name = ("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8") if utf8 else encoding
        try:
            return data.decode(name), name
        except UnicodeDecodeError as error:
            first = first or error
        except LookupError:
            raise FileError(f"there is no text encoding {encoding!r}") from None
    tried = " or ".join(encodings)
    if first is None:
        raise FileError("no text encoding is given")
    line = data.count(b"\n", 0, first.start) + 1
    odd = f"byte {first.start} (0x{data[first.start]:02x}) is not {tried}"
    raise EncodingError(f"{odd}{_other_encoding(data, first.start)}", line) from None


def _other_encoding(data: bytes, at: int) -> str:
    """Return a hint about bytes that look like another encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "; the file begins as UTF-16 does: save it as UTF-8, or name `utf-16` in `encoding` of the spec's role"
    meant = data[at : at + 1].decode("cp1252", "replace")
    if not meant.isalpha():
        return ""
    return (
        f"; in Windows-1252 it is {meant!r}: save the file as UTF-8, or name `cp1252` in `encoding` of the spec's role"
    )


def bytes_of(text: str, encodings: tuple[str, ...]) -> bytes:
    """Encode with the first of the encodings. Raises FileError if it lacks a character of the text."""
    if not encodings:
        raise FileError("no text encoding is given")
    try:
        return text.encode(encodings[0])
    except UnicodeEncodeError as error:
        raise FileError(f"{encodings[0]} cannot hold the character {text[error.start]!r}") from None
    except LookupError:
        raise FileError(f"there is no text encoding {encodings[0]!r}") from None


def finite(document: Document) -> tuple[Document, int]:
    """Return a document with null in place of NaN and infinities, which JSON lacks, and how many these were."""
    if isinstance(document, dict):
        parts = [(key, *finite(value)) for key, value in document.items()]
        return {key: value for key, value, _ in parts}, sum(count for *_, count in parts)
    if isinstance(document, list | tuple):
        values = [finite(value) for value in document]
        return [value for value, _ in values], sum(count for _, count in values)
    return (None, 1) if type(document) is float and document - document != 0 else (document, 0)
