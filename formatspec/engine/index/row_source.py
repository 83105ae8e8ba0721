"""The rows of a shared document: held in memory, or located in the file and decoded when they are read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from formatspec.engine.base.scratch_records import Records
from formatspec.engine.index.id_columns import IdColumns
from formatspec.engine.read.projection import Decode, Fields, RowSource, row_type
from formatspec.files import json_file
from formatspec.files.document import LineColumn, Pointer
from formatspec.files.places import Places
from formatspec.files.rows import json_rows
from formatspec.files.rows.json_rows import KeyPath, NotRowsError
from formatspec.model.amounts import amounts
from formatspec.paths.trees.positioned import BINARY, read_at
from formatspec.paths.trees.tree import SourceChangedError, Tree

if TYPE_CHECKING:
    from formatspec.files.rows.csv_rows import Cells
    from formatspec.files.rows.xml_rows import Elements

SPAN = 1 << 20
"""Bytes of rows that are decoded at once when all rows of a table are read."""


AHEAD_SPAN = 1 << 18
"""Bytes of rows that are decoded ahead when rows are read one after another."""


class HeldRows(RowSource):
    """Rows of a document that was decoded whole."""

    def __init__(self, rows: Sequence[Any]) -> None:
        """Take the decoded rows."""
        self.rows = rows

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def at(self, position: int) -> Any:
        """The row at a position, from 0."""
        return self.rows[position]

    def some(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        """The rows from `start` up to `stop`; `decode` is not needed, since they are decoded."""
        return self.rows[start:stop]

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield all rows at once, with the position of the first."""
        yield 0, self.rows


class _Near:
    """The rows that were decoded last.

    Attributes:
        asked: The position after the last row that was asked for.
        alone: The position up to which no rows are decoded ahead, since one of them failed.
    """

    __slots__ = ("alone", "asked", "rows", "start", "stop")

    def __init__(self) -> None:
        self.start, self.stop, self.asked, self.alone = 0, 0, -1, 0
        self.rows: Sequence[Any] = ()


class FileRows(RowSource):
    """Rows that are located in a JSON file: where each begins and ends."""

    span = SPAN

    def __init__(self, file: RangeFile, stated: IdColumns | None = None) -> None:
        """Begin without rows.

        Args:
            file: The file that holds them.
            stated: Collects the ids that rows state while they are sought; None where no ids are needed.
        """
        self.file = file
        self.stated = IdColumns() if stated is None else stated
        self._spans = Records([("start", "i8"), ("end", "i8")])
        self._near: dict[Decode | None, _Near] = {}

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._spans)

    def add(self, starts: Any, ends: Any) -> None:
        """Append rows."""
        self._spans.add(starts, ends)

    def at(self, position: int) -> Any:
        """The row at a position, from 0, decoded anew at each call."""
        return msgspec.json.decode(self._between(position, position + 1)[1])

    def some(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        """Return the rows from `start` up to `stop`; some rows after them are decoded too, and kept for the next call.

        Args:
            start: The position of the first row, from 0.
            stop: The position after the last.
            decode: Decodes the bytes of a JSON list; None decodes whole rows.

        Raises:
            ValidationError: A row does not have the type that `decode` expects.
        """
        near = self._near.get(decode)
        if near is None:
            near = self._near[decode] = _Near()
        if not near.start <= start <= stop <= near.stop:
            self._fetch(near, start, stop, decode)
        near.asked = stop
        return near.rows[start - near.start : stop - near.start]

    def _fetch(self, near: _Near, start: int, stop: int, decode: Decode | None) -> None:
        """Decode rows; when rows are read one after another, also some rows after them.

        If one of those later rows does not have the type that `decode` expects, only the requested rows are decoded.
        """
        end = max(stop, self._ahead(start)) if start == near.asked and start >= near.alone else stop
        try:
            rows = self._decoded(start, end, decode)
        except msgspec.ValidationError:
            if end == stop:
                raise
            near.alone, end = end, stop
            rows = self._decoded(start, stop, decode)
        near.start, near.stop, near.rows = start, end, rows

    def _decoded(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        data = b"[" + self._between(start, stop)[1] + b"]"
        try:
            found: Sequence[Any] = msgspec.json.decode(data) if decode is None else decode(data)
        except msgspec.ValidationError:
            if decode is not None:
                raise
            found = json_file.decode_rows(data)
        except (ValueError, msgspec.MsgspecError):
            found = json_file.decode_rows(data)
        return found

    def _ahead(self, start: int) -> int:
        """Return the end of the run of rows that is decoded together, from row `start` on."""
        spans = self._spans.read(start, min(start + amounts().rows_ahead, len(self)))
        return start + int(np.searchsorted(spans["end"], spans["start"][0] + AHEAD_SPAN))

    def typed(self, start: int, stop: int, decode: Decode) -> Sequence[Any] | None:
        """Return what `some` returns, or None if a row does not have the type that `decode` expects."""
        try:
            return self.some(start, stop, decode)
        except (ValueError, msgspec.MsgspecError):
            return None

    def _between(self, start: int, stop: int) -> tuple[int, bytes]:
        """Return where consecutive rows begin, and the bytes from the first to the last of them."""
        spans = self._spans.read(start, stop)
        offset = int(spans["start"][0])
        return offset, self.file.read(int(spans["end"][-1]) - offset, offset)

    def locate(self, position: int, rest: Pointer) -> LineColumn | None:
        """Return line and column of a place within a row."""
        if not 0 <= position < len(self):
            return None
        start, row = self._between(position, position + 1)
        text, found = row.decode("utf-8", "replace"), json_file.locate(row, rest)
        if found is None:
            return None
        line, column = found
        before = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1
        return self.file.places.at(start + len(text[:before].encode()))

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield all rows in batches, each with the position of its first row.

        Args:
            fields: The keys that are decoded; None for whole rows.
        """
        decode = self._decoder(fields)
        for first, _, data in self._pieces():
            yield first, decode(data)

    def _pieces(self) -> Iterator[tuple[int, Iterable[tuple[int, int]], bytes]]:
        """Yield all rows in pieces of about `span` bytes: the first row's position, the rows' bounds, and the bytes."""
        for at, spans in self._spans.pieces():
            start = 0
            while start < len(spans):
                offset = int(spans["start"][start])
                stop = max(int(np.searchsorted(spans["start"], offset + self.span)), start + 1)
                begins, ends = ((spans[one][start:stop] - offset).tolist() for one in ("start", "end"))
                yield at + start, zip(begins, ends, strict=True), self.file.read(ends[-1], offset)
                start = stop

    def _decoder(self, fields: Fields | None) -> Callable[[bytes], Sequence[Any]]:
        """Return a function that decodes consecutive rows, as far as `fields` asks for."""
        typed = msgspec.json.Decoder(list[row_type(fields) if fields is not None else Any]).decode  # type: ignore[misc]

        def decode(data: bytes) -> Sequence[Any]:
            data = b"[" + data + b"]"
            try:
                rows: Sequence[Any] = typed(data)
            except (ValueError, msgspec.MsgspecError):  # a number that no double can hold
                rows = json_file.decode_rows(data)
            return rows

        return decode


class TextRows(FileRows):
    """Rows of a file that is not JSON, by their positions in it; they are decoded as a whole."""

    span = SPAN >> 2

    def __init__(self, file: RangeFile) -> None:
        """Begin without rows."""
        super().__init__(file, IdColumns())

    def at(self, position: int) -> Any:
        """The row at a position, from 0, decoded anew at each call."""
        return self._decoded(position, position + 1, None)[0]

    def some(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        """Return the rows from `start` up to `stop`, decoded whole; `decode` is only used for JSON."""
        return super().some(start, stop, None)

    def typed(self, start: int, stop: int, decode: Decode) -> Sequence[Any] | None:
        """Return None: only JSON has typed rows."""
        return None

    def locate(self, position: int, rest: Pointer) -> LineColumn | None:
        """Return the line of a place within a row."""
        if not 0 <= position < len(self):
            return None
        start, row = self._between(position, position + 1)
        found = self._place_in(row, rest)
        return None if found is None else (self.file.places.at(start)[0] + found[0] - 1, found[1])

    def _place_in(self, row: bytes, rest: Pointer) -> LineColumn | None:
        """Return line and column within the bytes of a row."""
        raise NotImplementedError


class ElementRows(TextRows):
    """Rows that are located in an XML file; other elements may stand between them."""

    def __init__(self, file: RangeFile, elements: Elements, path: KeyPath) -> None:
        """Start without rows; the table's rows lie under a path of elements."""
        super().__init__(file)
        self._elements = elements
        self._path = path
        self._texts: tuple[int, Sequence[bytes]] = (0, ())

    def text_at(self, position: int) -> tuple[bytes, Callable[[bytes], Any]] | None:
        """Return the bytes of a row and a function that decodes them; some following rows are read too and kept."""
        start, texts = self._texts
        if not start <= position < start + len(texts):
            start, stop = position, max(self._ahead(position), position + 1)
            spans = self._spans.read(start, stop)
            offset, piece = self._between(start, stop)
            bounds = zip((spans["start"] - offset).tolist(), (spans["end"] - offset).tolist(), strict=True)
            texts = [piece[begin:end] for begin, end in bounds]
            self._texts = start, texts
        return texts[position - start], self._row

    def _row(self, data: bytes) -> Any:
        [row] = self._elements.rows(data, self._path)
        return row

    def _place_in(self, row: bytes, rest: Pointer) -> LineColumn | None:
        return self._elements.locate(row, self._path, rest)

    def _decoded(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        return self._elements.rows(self._between(start, stop)[1], self._path)

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield all rows in batches of about `span` bytes; only the start tags if the attributes of rows are enough."""
        head = self._elements.heads(self._path, None if fields is None else fields.keys())
        if head is None:
            yield from super().batches(fields)
            return
        for first, bounds, data in self._pieces():
            heads = b"".join(head(data, begin, end) for begin, end in bounds)
            yield first, self._elements.rows(heads, self._path, fields)

    def _decoder(self, fields: Fields | None) -> Callable[[bytes], Sequence[Any]]:
        return lambda data: self._elements.rows(data, self._path, fields)


class CellRows(TextRows):
    """Rows of a CSV file, by their positions in it. `columns`: the names of the columns in the file's header."""

    def __init__(self, file: RangeFile, cells: Cells) -> None:
        """Begin without rows."""
        super().__init__(file)
        self._cells = cells
        self.columns: tuple[str, ...] = ()

    def seek(self) -> None:
        """Find all rows of the file. Raises NotRowsError, OSError."""
        self.columns = self._cells.scan(self.file.stream(), lambda spans: self.add(spans[:, 0], spans[:, 1]))

    def _place_in(self, row: bytes, rest: Pointer) -> LineColumn | None:
        return self._cells.locate(row, self.columns, rest)

    def _decoded(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        return self._cells.rows(self._between(start, stop)[1], self.columns)

    def _decoder(self, fields: Fields | None) -> Callable[[bytes], Sequence[Any]]:
        return lambda data: self._cells.rows(data, self.columns)


class RangeFile:
    """A file that is read in pieces. Several processes may use it, since no call depends on a current position."""

    def __init__(self, path: Path) -> None:
        """Note the path; the file is opened when it is first read."""
        self.path = path

    @cached_property
    def _descriptor(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | BINARY)
        except FileNotFoundError:
            raise SourceChangedError(f"{self.path} is gone: it was there when the run began") from None

    @cached_property
    def places(self) -> Places:
        """The file's lines and columns."""
        return Places(self.read)

    @cached_property
    def _stamp(self) -> tuple[int, int] | None:
        """The size and the time of the file when it was first opened; None if nothing else can change it."""
        return self._now()

    def _now(self) -> tuple[int, int] | None:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns

    def read(self, size: int, offset: int) -> bytes:
        """Return `size` bytes from an offset on, fewer at the end. Raises SourceChangedError after a change."""
        if self._stamp != self._now():
            raise SourceChangedError(f"{self.path} has changed since the run began")
        return read_at(self._descriptor, size, offset)

    def stream(self) -> json_rows.Read:
        """Return a function that gives the file's next bytes, from its beginning on."""
        offset = 0

        def read(size: int) -> bytes:
            nonlocal offset
            data = self.read(size, offset)
            offset += len(data)
            return data

        return read

    def __del__(self) -> None:
        """Close the file if it was opened."""
        if "_descriptor" in self.__dict__:
            os.close(self._descriptor)


class _Spooled(RangeFile):
    """A file that lies in no folder, copied to an unnamed temporary file."""

    def __init__(self, data: bytes) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            self.__dict__["_descriptor"] = os.dup(file.fileno())

    def _now(self) -> tuple[int, int] | None:
        return None


def range_file(tree: Tree, path: str) -> RangeFile:
    """Return a file of a tree, to be read in pieces. Raises OSError, and ValueError as `Tree.read` does."""
    local = tree.local(path)
    return RangeFile(local) if local is not None else _Spooled(tree.read(path))


def sought(
    file: RangeFile, noted: Mapping[KeyPath, Sequence[str]], elements: Elements | Cells | None = None
) -> tuple[Any, dict[KeyPath, FileRows]]:
    """Return a file's document without its rows, and its rows by the path of their table.

    noted: the tables, and the keys whose values in rows are noted. elements: how rows of an XML file or a CSV file are
    found; None for a JSON file. Raises NotRowsError, OSError.
    """
    found: dict[KeyPath, FileRows] = {}
    if elements is not None and elements.direct(()):
        lines = CellRows(file, cast("Cells", elements))
        lines.seek()
        return [], {(): lines}
    if elements is not None:
        way = cast("Elements", elements)

        def put(path: KeyPath, starts: Sequence[int], ends: Sequence[int]) -> None:
            if path not in found:
                found[path] = ElementRows(file, way, path)
            found[path].add(starts, ends)

        return way.scan(file.stream(), tuple(noted), put), found

    def take(rows: json_rows.RowSpans) -> None:
        if rows.path not in found:
            found[rows.path] = FileRows(file, IdColumns(noted[rows.path]))
        try:
            rows.data.decode()  # the decoder does not check the bytes between rows
            found[rows.path].stated.note(rows.data)
        except (ValueError, RecursionError):
            raise NotRowsError from None
        found[rows.path].add(rows.starts, rows.ends)

    return json_rows.scan(file.stream(), tuple(noted), take), found


def rows_at(document: Any, path: Sequence[str]) -> list[Any] | None:
    """Return the rows of a table in a document; None if the document has none there."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    if isinstance(document, list):
        return document
    return [document] if isinstance(document, dict) else None
