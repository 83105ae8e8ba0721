"""CSV files: a document is the list of their rows, each a dict from column to text.

With the delimiter `blanks` any blanks and tabs part cells, and a cell with blanks stands between quotes.  Blank lines,
and rows whose first cell begins with `style.comment`, are no rows.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from formatspec.files.document import Document, FileError, LineColumn, Pointer, bytes_of, check_values, text_of
from formatspec.files.style import Style
from formatspec.model.limits import limits

STYLE = Style()
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\n|\r)|[^\r\n]++")
"""A line with its line ending."""
BLANKS = "blanks"
"""The delimiter for cells that are separated by any blanks and tabs."""


def decode(data: bytes, style: Style = STYLE) -> Document:
    """The rows of `data` as a list of `dict[str, str]`, in the order of the file.

    The header names the columns, or `style.columns` where there is none.  A row that is too short lacks the
    keys of its missing cells; one that is too long has its surplus cells as a list under the key None.  Both
    are for the caller to report.  Raises FileError on broken quotes, and on column names that are missing,
    empty or doubled.
    """
    check_values(data, costs(style))
    rows = _rows(text_of(data, style.encoding)[0], style)
    columns = _columns(rows, style)
    return [_row(columns, cells) for _, _, cells in rows]


def costs(style: Style) -> dict[bytes, int]:
    """Return how much memory the values of a table take, in the form of `document.check_values`."""
    return {b" " if style.delimiter == BLANKS else style.delimiter[0].encode(): 80, b"\n": 270}


HEAD = 1 << 16
"""Bytes of a table in which its first row is sought."""
_DELIMITERS = (",", ";", "\t", "|")


def style_of(data: bytes, style: Style, required: Sequence[frozenset[str]]) -> Style:
    """Return the style with which a table is read: with another delimiter than stated where its first row says so.

    Args:
        data: The table, or its beginning.
        style: The style that is stated.
        required: Names of columns that a header has, in one of these sets at least. A table without a header has as
            many cells in a row as there are columns.
    """
    if style.delimiter == BLANKS:
        return style
    try:
        text = text_of(data if len(data) <= HEAD else data[: data.rfind(b"\n", 0, HEAD) + 1], style.encoding)[0]
    except FileError:
        return style

    def fits(other: Style) -> bool:
        try:
            cells = next(_rows(text, other), (0, 0, list[str]()))[2]
        except FileError:
            return False
        if not style.header:
            blanks = other.delimiter[1:] != " " and len(cells) > 1 and all(cell[:1] == " " for cell in cells[1:])
            return len(cells) == len(style.columns) and not blanks
        return any(names.issubset(cells) for names in required) or not any(required)

    others = (
        replace(style, delimiter=delimiter, trimmed=trimmed)
        for trimmed in (False, True)
        for delimiter in dict.fromkeys((style.delimiter[0], *_DELIMITERS))
    )
    return style if fits(style) else next((one for one in others if fits(one)), style)


_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}


def parting(style: Style) -> str:
    """Return how the cells of a table of this style are parted, in words."""
    mark = _NAMES.get(style.delimiter[0], repr(style.delimiter))
    return f"{mark}, with blanks around the cells" if style.trimmed or _is_spaced(style) else mark


def columns_in(text: str, style: Style) -> tuple[str, ...]:
    """Return the names of the columns of a table that begins with this text. Raises FileError as `decode` does."""
    return _columns(_rows(text, style), style)


def rows_of(text: str, columns: tuple[str, ...], style: Style) -> list[dict[Any, Any]]:
    """Return the rows of a part of a table that consists of whole rows, without the header. Raises FileError."""
    plain = not (style.comment or style.trimmed or _is_spaced(style))
    if not plain or (style.quote or '"') in text or "\r" in text or len(text) > limits().cell:
        return [_row(columns, cells) for _, _, cells in _rows(text, style)]
    mark, count, made = style.delimiter[0], len(columns), []
    for line in text.split("\n"):
        if line:
            cells = line.split(mark)
            made.append(dict(zip(columns, cells, strict=True)) if len(cells) == count else _row(columns, cells))
    return made


def lines_of_rows(text: str, style: Style, whole: bool) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each row, from 1; the last row may be incomplete if not `whole`.

    Raises FileError if quotes are broken.
    """
    rows = _rows(text, style)
    try:
        for start, stop, _ in rows:
            yield start, stop
    except FileError:
        if whole or not _is_open(text, style):
            raise


def _is_open(text: str, style: Style) -> bool:
    """Return whether a text ends within a cell in quotes and is otherwise correct."""
    try:
        for _ in _rows(text + (style.quote or '"'), style):
            pass
    except FileError:
        return False
    return True


def encode(document: Document, style: Style = STYLE) -> bytes:
    """The rows as CSV, quoting only where it must be.

    The columns are `style.columns`, else those of the first row followed by what later rows add.  An absent
    key is an empty cell.  No rows and no `style.columns` are no bytes.  Raises FileError on a cell that is
    not text, a column not in `style.columns`, surplus cells, and a row that would be read as a comment.
    """
    known = tuple(dict.fromkeys(style.columns or (column for row in document for column in row)))
    return bytes_of("".join(_pieces(document, known, style)), style.encoding)


def streams(style: Style) -> bool:
    """Return whether rows of this style can be written one by one: in an encoding without a byte order mark."""
    return style.encoding[0] in ("utf-8", "ascii", "latin-1")


def stream(document: Iterable[dict[str, Any]], style: Style) -> Iterator[bytes]:
    """What `encode` gives of rows that need not be in memory together, in pieces; `style` names the columns.

    Raises FileError on the way.
    """
    return (bytes_of(text, style.encoding) for text in _pieces(document, style.columns, style))


def _pieces(document: Iterable[dict[Any, Any]], columns: tuple[Any, ...], style: Style) -> Iterator[str]:
    known = frozenset(columns)
    if any(not isinstance(column, str) or not column for column in columns):
        raise FileError("a row has a cell without a column")
    written = 0
    if style.header and columns:
        written = 1
        yield _line(list(columns), style)
    for number, row in enumerate(document, 1):
        unknown = [column for column in row if column not in known]
        if unknown or not known:
            raise FileError(f"row {number} has no column" if not unknown else f"no column is {unknown[0]!r}")
        line = _line([row.get(column, "") for column in columns], style)
        yield style.newline + line if written else line
        written = 1
    if written and style.final_newline:
        yield style.newline


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Line and column where a cell `(row index, column name)` or a row `(row index,)` begins."""
    return Places(data, style).at(pointer)


class Places:
    """The places of the cells of one table. Its rows are parsed once, as far as places are asked for."""

    def __init__(self, data: bytes, style: Style = STYLE) -> None:
        """Start before the first row of `data`; a table that cannot be read has no places."""
        self._style = style
        self._spans = array("q")
        """The first and the last line of each row that was parsed."""
        self._begins = array("q")
        """Where each line begins, once a cell is asked for."""
        self._text = ""
        self._columns: tuple[str, ...] = ()
        self._rows: Iterator[tuple[int, int, list[str]]] = iter(())
        try:
            self._text = text_of(data, style.encoding)[0]
            self._rows = _rows(self._text, style)
            self._columns = _columns(self._rows, style)
        except FileError:
            self._rows = iter(())

    def at(self, pointer: Pointer) -> LineColumn | None:
        """Line and column where a cell or a row begins; None if there is none."""
        if not pointer:
            return 1, 1
        place = 2 * int(pointer[0]) if str(pointer[0]).isdecimal() else -1
        if place < 0 or not self._passed(place):
            return None
        start, end = self._spans[place], self._spans[place + 1]
        if len(pointer) == 1:
            return start, 1
        if pointer[1] not in self._columns:
            return None
        if not self._begins:
            self._begins.extend(line.start() for line in _LINE.finditer(self._text))
            self._begins.append(len(self._text))
        text = self._text[self._begins[start - 1] : self._begins[end]]
        return _cell_place(text, start, self._columns.index(str(pointer[1])), self._style)

    def _passed(self, place: int) -> bool:
        """Parse on to the row at a position; return whether it exists."""
        try:
            while place >= len(self._spans) and (row := next(self._rows, None)) is not None:
                self._spans.extend(row[:2])
        except FileError:
            return False
        return place < len(self._spans)


def _rows(text: str, style: Style) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the first line, the last line (from 1) and the cells of each row, including the header."""
    if style.delimiter == BLANKS:
        yield from _words(text, style)
        return
    most = limits().cell
    reader = csv.reader(
        (line[0] for line in _LINE.finditer(text)),
        delimiter=style.delimiter[0],
        quotechar=style.quote or '"',
        skipinitialspace=_is_spaced(style) or style.trimmed,
        strict=True,
    )
    while True:
        start = reader.line_num + 1
        try:
            cells = _next_row(reader, most)
        except csv.Error as error:
            if "field limit" in str(error):
                raise FileError(
                    f"a cell has more than {most:,} characters (--limit cell={len(text)} raises the limit)", start
                ) from None
            raise FileError(f"not CSV: {error}", start) from None
        if cells is None:
            return
        if cells and not (style.comment and cells[0].startswith(style.comment)):
            yield start, reader.line_num, [cell.strip() for cell in cells] if style.trimmed else cells


def _next_row(reader: Iterator[list[str]], most: int) -> list[str] | None:
    """Return the next row, None at the end; a cell may have `most` characters, each of which takes four bytes."""
    before = csv.field_size_limit(most)  # the limit is that of the whole process
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def _words(text: str, style: Style) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the rows of a text with cells separated by blanks, as `_rows` does; a row is a line."""
    quote = style.quote or '"'
    cell = _cell_between_blanks(quote)
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if not line.strip() or (style.comment and line.lstrip().startswith(style.comment)):
            continue
        cells = []
        for found in cell.finditer(line):
            word = found[0]
            if word.startswith(quote):
                if len(word) < 2 or not word.endswith(quote):
                    raise FileError("a quote does not end in its line", number, found.start() + 1)
                word = word[1:-1].replace(quote * 2, quote)
            cells.append(word)
        yield number, number, cells


def _cell_between_blanks(quote: str) -> re.Pattern[str]:
    mark = re.escape(quote)
    return re.compile(rf"{mark}(?:[^{mark}]|{mark}{mark})*+(?:{mark}(?!\S))?|\S+")


def _columns(rows: Iterator[tuple[int, int, list[str]]], style: Style) -> tuple[str, ...]:
    """Return the names of the columns, after taking the header off `rows` if there is one."""
    line: int | None = None
    if style.header:
        line, _, names = next(rows, (1, 1, list[str]()))
        columns = tuple(names)
    else:
        columns = style.columns
        if not columns:
            raise FileError("there is neither a header nor a list of columns")
    known: set[str] = set()
    for index, name in enumerate(columns):
        if not name:
            raise FileError(f"column {index + 1} has no name", line)
        if name in known:
            raise FileError(f"two columns are called {name!r}", line)
        known.add(name)
    return columns


def _row(columns: tuple[str, ...], cells: list[str]) -> dict[Any, Any]:
    row: dict[Any, Any] = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        row[None] = cells[len(columns) :]
    return row


def _line(cells: list[Any], style: Style) -> str:
    """Return one row without its newline. Cells with either newline character are quoted in every style."""
    for cell in cells:
        if not isinstance(cell, str):
            raise FileError(f"a cell is {cell!r}, not text")
    if style.comment and cells[0].startswith(style.comment):
        raise FileError(f"a row begins as a comment: {cells[0]!r}")
    if style.delimiter == BLANKS:
        quote = style.quote or '"'
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise FileError("a cell of a line holds a line break")
        plain = re.compile(rf"[^\s{re.escape(quote)}]\S*")
        return " ".join(c if plain.fullmatch(c) else quote + c.replace(quote, quote * 2) + quote for c in cells)
    if _is_spaced(style):
        return style.delimiter.join(_spaced_cell(cell, style) for cell in cells) or 2 * (style.quote or '"')
    written: list[str] = []
    writer = csv.writer(
        SimpleNamespace(write=written.append),
        delimiter=style.delimiter[0],
        quotechar=style.quote or '"',
        lineterminator="\r\n",
    )
    try:
        writer.writerow(cells)
    except csv.Error as error:
        raise FileError(f"CSV cannot hold this: {error}") from None
    return "".join(written).removesuffix("\r\n")


def _is_spaced(style: Style) -> bool:
    """Return whether a blank that is not part of the next cell follows each delimiter."""
    return style.delimiter[1:] == " "


def _spaced_cell(cell: str, style: Style) -> str:
    """Return one cell of a row with blanks after its delimiters; it is quoted if it begins with a blank."""
    quote = style.quote or '"'
    if cell[:1] in (" ", quote) or any(mark in cell for mark in (style.delimiter[0], quote, "\n", "\r")):
        return quote + cell.replace(quote, quote * 2) + quote
    return cell


def _cell_place(text: str, line: int, index: int, style: Style) -> LineColumn | None:
    """Return where the cell `index` begins in the text of a row that begins at `line`; None in a short row."""
    quote = style.quote or '"'
    if style.delimiter == BLANKS:
        found = list(_cell_between_blanks(quote).finditer(text))
        return (line, found[index].start() + 1) if index < len(found) else None
    column, quoted = 1, False
    blank = int(index > 0 and _is_spaced(style))
    for at, character in enumerate(text):
        if index == 0:
            break
        quoted ^= character == quote
        index -= character == style.delimiter[0] and not quoted
        if character == "\n" or (character == "\r" and text[at + 1 : at + 2] != "\n"):
            line, column = line + 1, 1
        else:
            column += 1
    return (line, column + blank) if index == 0 else None
