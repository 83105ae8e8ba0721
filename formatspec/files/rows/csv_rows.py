"""Rows of a CSV file, found without decoding it: where each begins and ends in the file.

A file is read in pieces, so that memory does not grow with its size. In a piece without quotes, each line is a row and
is found with NumPy; in other pieces, the decoder finds the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np

from formatspec.files import csv_file
from formatspec.files.document import FileError, LineColumn, Pointer, check_values
from formatspec.files.rows.json_rows import KeyPath, NotRowsError, Read
from formatspec.files.style import Style
from formatspec.model.limits import TooLargeError, limits

PIECE = 1 << 18
"""Bytes that are looked through at once; a longer row makes it more."""

_UTF8 = ("utf-8", "utf8")
_MARK = b"\xef\xbb\xbf"

Take = Callable[[Any], None]
"""Takes consecutive rows: int64, shape (n, 2), with the beginning and the end of each in the file."""
Row = dict[Any, Any]


class Cells(msgspec.Struct, frozen=True):
    """Finds, decodes and locates the rows of CSV files of one style.

    style: the style of the files. made: converts decoded rows. told: gives the style of a file that begins with some
    bytes; files of another style are decoded whole.
    """

    style: Style
    made: Callable[[list[Row]], list[Row]]
    told: Callable[[bytes], Style] | None = None

    def can_seek(self) -> bool:
        """Whether rows of this style can be found in the bytes of a file."""
        style, marks = self.style, (self.style.delimiter[0], self.style.quote or '"')
        return (
            style.encoding[:1] != ()
            and style.encoding[0].lower() in _UTF8
            and style.delimiter != csv_file.BLANKS
            and all(mark.isascii() and mark not in "\r\n" for mark in marks)
        )

    def direct(self, path: KeyPath) -> bool:
        """Return whether the rows under a path are the rows of the file."""
        return path == ()

    def scan(self, read: Read, take: Take, piece: int = PIECE) -> tuple[str, ...]:
        """Give the rows of a file to `take`, without the header; return the names of the columns.

        Args:
            read: Gives the next bytes of the file, at most as many as it is asked for, none at its end.
            take: Takes rows, in their order.
            piece: How many bytes are read at once.

        Raises:
            NotRowsError: The file must be decoded whole: it is not UTF-8, begins with a mark, or is damaged.
        """
        try:
            return _Scan(self.style, take, self.told).whole(read, piece)
        except (FileError, TooLargeError, UnicodeError):
            raise NotRowsError from None

    def rows(self, data: bytes, columns: tuple[str, ...]) -> list[Row]:
        """Return the rows in bytes that consist of whole rows, as `csv_file.decode` gives them. Raises FileError."""
        return self.made(csv_file.rows_of(data.decode(), columns, self.style))

    def locate(self, row: bytes, columns: tuple[str, ...], rest: Pointer) -> LineColumn | None:
        """Return what `csv_file.locate` gives for a place within a row, counted from the row's first line."""
        bare = Style(**{**_fields(self.style), "header": False, "columns": columns, "encoding": ("utf-8",)})
        return csv_file.locate(row, (0, *rest), bare)


def _fields(style: Style) -> dict[str, Any]:
    return {name: getattr(style, name) for name in Style.__struct_fields__}


class _Scan:
    """The state of a search through a file."""

    def __init__(self, style: Style, take: Take, told: Callable[[bytes], Style] | None = None) -> None:
        self.style = style
        self.told = told
        self.take = take
        self.quote = (style.quote or '"').encode()
        self.by_lines = style.delimiter[1:] != " " and style.delimiter[0] not in (style.comment or "")
        self.costs = csv_file.costs(style)
        self.columns = None if style.header else csv_file.columns_in("", style)

    def whole(self, read: Read, piece: int) -> tuple[str, ...]:
        """Search the file; return the names of its columns."""
        base, data = 0, b""
        while True:
            more = read(max(piece, len(data)))
            data += more
            check_values(data, self.costs, "a row of this file")  # other rows are not held
            used = self._piece(data, base, last=not more)
            base, data = base + used, data[used:]
            if len(data) > limits().cell:
                raise NotRowsError  # a row so long that its cells are left to the decoder
            if not more:
                break
        if self.columns is None:
            raise NotRowsError  # decoding the file will say what is wrong
        return self.columns

    def _piece(self, data: bytes, base: int, last: bool) -> int:
        """Take the rows that end in some bytes; return how many bytes are done."""
        if last:
            stop = len(data)
        else:
            stop = data.rfind(b"\n") + 1
            if not stop:
                return 0
        part = data[:stop]
        text = part.decode()
        if (not base and part.startswith(_MARK)) or part.count(b"\r") != part.count(b"\r\n"):
            raise NotRowsError  # a mark is no part of a name, and lines that end with a return are not counted
        if not base and self.told is not None and self.told(part) != self.style:
            raise NotRowsError
        plain = self.by_lines and self.quote not in part
        spans = self._lines(part) if plain else None
        used = stop
        if spans is None:
            spans = self._read(part, text, last)
            used = stop if last or not len(spans) else int(spans[-1, 1])
            if not last and not len(spans):
                return 0
        if self.columns is None and len(spans):
            self.columns = csv_file.columns_in(part[int(spans[0, 0]) : int(spans[0, 1])].decode(), self.style)
            spans = spans[1:]
        if len(spans):
            self.take(spans + base)
        return used

    def _lines(self, data: bytes) -> Any:
        """Return where the rows in whole lines without quotes begin and end; None if one may be too long."""
        codes = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(codes == 0x0A) + 1
        if data and not data.endswith(b"\n"):
            ends = np.append(ends, len(data))
        spans = np.zeros((len(ends), 2), np.int64)
        spans[1:, 0], spans[:, 1] = ends[:-1], ends
        if len(ends) and int((spans[:, 1] - spans[:, 0]).max()) > limits().cell:
            return None
        first = codes[spans[:, 0]]
        kept = (first != 0x0A) & (first != 0x0D)  # an empty line is no row
        if self.style.comment:
            mark = self.style.comment.encode()
            likely = np.flatnonzero(kept & (first == mark[0])).tolist()
            kept[[at for at in likely if data.startswith(mark, int(spans[at, 0]))]] = False
        return spans[kept]

    def _read(self, data: bytes, text: str, last: bool) -> Any:
        """Return where the rows in any lines begin and end, as the decoder finds them; the last may be incomplete."""
        places = list(accumulate(map(len, data.splitlines(keepends=True)), initial=0))
        found = [(places[start - 1], places[stop]) for start, stop in csv_file.lines_of_rows(text, self.style, last)]
        return np.array(found, np.int64).reshape(-1, 2)
