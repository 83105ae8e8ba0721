"""Rows of shared documents: held where a document is decoded whole, else sought in the file and decoded when read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypedDict

import msgspec
import numpy as np

from formatspec.engine.reading import Context
from formatspec.engine.scope import Scope
from formatspec.engine.spill import Records
from formatspec.engine.stated import Stated
from formatspec.files import json_file, json_rows
from formatspec.files.document import Place, Pointer
from formatspec.files.json_rows import NotRows
from formatspec.files.places import Places
from formatspec.language.leaf import Bind, Computed, Keep
from formatspec.language.rules import LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.paths.tree import Tree

Decode = Callable[[bytes], Any]
"""The bytes of a list of rows to as much of the rows as is asked for."""

SPAN = 1 << 20
"""Bytes of rows that are decoded at once where all rows of a table are gone through."""
AHEAD, AHEAD_SPAN = 256, 1 << 18
"""Rows, and their bytes, that are decoded ahead while rows are asked for one after another."""


class RowSource(Protocol):
    """The rows of one table in one file."""

    def __len__(self) -> int: ...

    def at(self, position: int) -> Any:
        """One row."""
        ...

    def some(self, first: int, behind: int, decode: Decode | None) -> Sequence[Any]:
        """Rows that follow each other; `decode` takes their list."""
        ...

    def typed(self, first: int, behind: int, decode: Decode) -> Sequence[Any] | None:
        """Rows that follow each other, as `decode` types them; None where one is of another type."""
        ...

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        """All rows in order, some at a time, with the position of the first; of mappings, these fields suffice."""
        ...


class HeldRows:
    """Rows of a document that was decoded whole."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, position: int) -> Any:
        return self.rows[position]

    def some(self, first: int, behind: int, decode: Decode | None) -> Sequence[Any]:
        return self.rows[first:behind]

    def typed(self, first: int, behind: int, decode: Decode) -> Sequence[Any] | None:
        return None

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        yield 0, self.rows


class _Near:
    """Rows that were decoded.  asked: up to where they were asked for; alone: up to where none are decoded ahead."""

    __slots__ = ("alone", "asked", "behind", "first", "rows")

    def __init__(self) -> None:
        self.first, self.behind, self.asked, self.alone = 0, 0, -1, 0
        self.rows: Sequence[Any] = ()


class FileRows:
    """Rows by their places in a JSON file: where each begins and ends."""

    def __init__(self, file: RangeFile, stated: Stated | None = None) -> None:
        self.file = file
        self.stated = Stated() if stated is None else stated
        self._spans = Records([("start", "i8"), ("end", "i8")])
        self._near: dict[Decode | None, _Near] = {}

    def __len__(self) -> int:
        return len(self._spans)

    def add(self, starts: Any, ends: Any) -> None:
        """Put rows behind all others."""
        self._spans.add(starts, ends)

    def at(self, position: int) -> Any:
        return msgspec.json.decode(self._between(position, position + 1)[1])

    def some(self, first: int, behind: int, decode: Decode | None) -> Sequence[Any]:
        near = self._near.get(decode)
        if near is None:
            near = self._near[decode] = _Near()
        if not near.first <= first <= behind <= near.behind:
            self._fetch(near, first, behind, decode)
        near.asked = behind
        return near.rows[first - near.first : behind - near.first]

    def _fetch(self, near: _Near, first: int, behind: int, decode: Decode | None) -> None:
        """Decode rows with some that follow, where those before them were asked for last; where one of these is not as
        `decode` types it, only those that are asked for."""
        end = max(behind, self._ahead(first)) if first == near.asked and first >= near.alone else behind
        try:
            rows = self._decoded(first, end, decode)
        except msgspec.ValidationError:
            if end == behind:
                raise
            near.alone, end = end, behind
            rows = self._decoded(first, behind, decode)
        near.first, near.behind, near.rows = first, end, rows

    def _decoded(self, first: int, behind: int, decode: Decode | None) -> Sequence[Any]:
        data = b"[" + self._between(first, behind)[1] + b"]"
        found: Sequence[Any] = msgspec.json.decode(data) if decode is None else decode(data)
        return found

    def _ahead(self, first: int) -> int:
        """The row up to which rows are decoded at once, from the first on."""
        spans = self._spans.read(first, min(first + AHEAD, len(self)))
        return first + int(np.searchsorted(spans["end"], spans["start"][0] + AHEAD_SPAN))

    def typed(self, first: int, behind: int, decode: Decode) -> Sequence[Any] | None:
        try:
            return self.some(first, behind, decode)
        except msgspec.ValidationError:
            return None

    def _between(self, first: int, behind: int) -> tuple[int, bytes]:
        """Where rows begin that follow each other, and their bytes with what parts them."""
        spans = self._spans.read(first, behind)
        start = int(spans["start"][0])
        return start, self.file.read(int(spans["end"][-1]) - start, start)

    def locate(self, position: int, rest: Pointer) -> Place | None:
        """Line and column of what stands at a place within a row."""
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
        decode = msgspec.json.Decoder(list[row_type(fields) if fields is not None else Any]).decode  # type: ignore[misc]
        for at, spans in self._spans.pieces():
            first = 0
            while first < len(spans):
                start = int(spans["start"][first])
                behind = max(int(np.searchsorted(spans["start"], start + SPAN)), first + 1)
                data = self.file.read(int(spans["end"][behind - 1]) - start, start)
                yield at + first, decode(b"[" + data + b"]")
                first = behind


class RangeFile:
    """A file that is read in pieces, from several processes too: nothing depends on a position in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _descriptor(self) -> int:
        return os.open(self.path, os.O_RDONLY)

    @cached_property
    def places(self) -> Places:
        """The file's lines and columns."""
        return Places(self.read)

    def read(self, size: int, offset: int) -> bytes:
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def stream(self) -> json_rows.Read:
        """What gives the file's next bytes, from its beginning on."""
        offset = 0

        def read(size: int) -> bytes:
            nonlocal offset
            data = self.read(size, offset)
            offset += len(data)
            return data

        return read

    def __del__(self) -> None:
        if "_descriptor" in self.__dict__:
            os.close(self._descriptor)


class _Spooled(RangeFile):
    """The bytes of a file that is in no folder, kept on disk without a name."""

    def __init__(self, data: bytes) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            self.__dict__["_descriptor"] = os.dup(file.fileno())


def range_file(tree: Tree, path: str) -> RangeFile:
    """A file of a tree, to be read in pieces.  Raises OSError, and ValueError as `Tree.read` does."""
    local = tree.local(path)
    return RangeFile(local) if local is not None else _Spooled(tree.read(path))


def sought(
    file: RangeFile, noted: Mapping[tuple[str, ...], Sequence[str]]
) -> tuple[Any, dict[tuple[str, ...], FileRows]]:
    """A JSON file without its rows, and the rows that are there, by their table's path.

    noted: the tables, and the keys under which what their rows state is noted.  Raises NotRows, OSError.
    """
    found: dict[tuple[str, ...], FileRows] = {}

    def take(rows: json_rows.Rows) -> None:
        if rows.path not in found:
            found[rows.path] = FileRows(file, Stated(noted[rows.path]))
        try:
            found[rows.path].stated.note(rows.data)
        except (ValueError, RecursionError):
            raise NotRows from None
        found[rows.path].add(rows.starts, rows.ends)

    return json_rows.scan(file.stream(), tuple(noted), take), found


Fields = dict[str, bool]
"""The keys of a mapping that are looked at, and whether at more than that something is there."""


def fields_of(rules: Sequence[TableRule], scope: Scope, context: Context) -> Fields | None:
    """The keys of rows that readers for `context` look at; None where they look at all."""
    merged: Fields = {}
    for rule in rules:
        found = _fields(rule.row, scope.inside(rule.each.table), context)
        if found is None or context.compares:
            return None
        _merge(merged, found)
    return merged


def _fields(rule: Rule, scope: Scope, context: Context) -> Fields | None:
    if not isinstance(rule, MapRule):
        return None
    rest = rule.rest
    if rest is not None and (not isinstance(rest, LeafRule) or isinstance(rest.leaf, Bind)):
        return None
    found: Fields = {}
    for one in rule.fields:
        _merge(found, dict.fromkeys(one.keys, _read(one.rule, scope, context)))
    for alternatives in rule.alternatives:
        for choice in alternatives.alternatives:
            inner = _fields(choice, scope, context)
            if inner is None:
                return None
            _merge(found, inner)
    return found


def _read(rule: Rule, scope: Scope, context: Context) -> bool:
    """Whether anybody looks at a value."""
    if not isinstance(rule, LeafRule):
        return True
    if isinstance(rule.leaf, Keep | Computed):
        return False
    if isinstance(rule.leaf, Bind):
        return any(context.wanted(scope.resolve(name, rule.place), scope) for name in rule.leaf.names)
    return True


def _merge(found: Fields, more: Fields) -> None:
    for key, needed in more.items():
        found[key] = found.get(key, False) or needed


def row_type(fields: Fields) -> Any:
    """A type by which msgspec decodes only these fields; those that need only be there stay raw."""
    return TypedDict("Row", {key: Any if needed else msgspec.Raw for key, needed in fields.items()}, total=False)  # type: ignore[operator]


def rows_decoder(fields: Fields | None) -> Decode | None:
    """How the bytes of a list of rows become as much of the rows as `fields` asks for."""
    return None if fields is None else msgspec.json.Decoder(list[row_type(fields)]).decode  # type: ignore[misc]


def rows_at(document: Any, path: Sequence[str]) -> list[Any] | None:
    """The rows of a table in a document; None where the document has none there."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    if isinstance(document, list):
        return document
    return [document] if isinstance(document, dict) else None


def rules_of(rule: TableRule | OneOf) -> tuple[TableRule, ...]:
    """The alternatives of a table."""
    if isinstance(rule, TableRule):
        return (rule,)
    return tuple(choice for choice in rule.alternatives if isinstance(choice, TableRule))
