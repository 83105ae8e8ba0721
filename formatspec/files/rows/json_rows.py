"""Rows of a JSON document found without decoding it: where each begins and ends, and the document around them.

A file is looked through in pieces, so that memory does not grow with it.  Brackets and quotes are found with
NumPy, many at a time; only what stands outside the tables is looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import msgspec
import numpy as np

from formatspec.files.document import check_values
from formatspec.files.json_file import COSTS

KeyPath = tuple[str, ...]
PIECE = 1 << 20
"""Bytes that are scanned at once; a longer row makes it more."""

_QUOTE, _BACKSLASH, _OPEN, _CLOSE = 1, 2, 3, 4
_KINDS = np.zeros(256, np.uint8)
for _characters, _kind in ((b'"', _QUOTE), (b"\\", _BACKSLASH), (b"[{", _OPEN), (b"]}", _CLOSE)):
    for _character in _characters:
        _KINDS[_character] = _kind
_STEPS = np.array([0, 0, 0, 1, -1], np.int8)
_KIND_OF = _KINDS.tobytes()
_SPACE = b" \t\r\n"
_WHOLE = 8 * PIECE
_LIST_OF_MAPPINGS = re.compile(rb"\[[ \t\r\n]*\{")
_SHORT_GAP = 4


class NotRowsError(ValueError):
    """The document does not have mappings in lists where its rows should be, or it is no JSON."""


class RowSpans(NamedTuple):
    """Consecutive rows of one table: offsets in the file, and the bytes from the first to the last."""

    path: KeyPath
    starts: np.ndarray[Any, np.dtype[np.int64]]
    ends: np.ndarray[Any, np.dtype[np.int64]]
    data: bytes


Read = Callable[[int], bytes]
Take = Callable[[RowSpans], None]


def scan(read: Read, paths: Collection[KeyPath], take: Take, piece: int = PIECE) -> Any:
    """Pass the rows of the lists under `paths` to `take`, in order; return the document with these lists empty.

    The JSON of the rows themselves is not checked here.

    Args:
        read: Returns the next bytes of the file, at most as many as asked for, none at its end.
        paths: The paths of the tables.
        take: Takes the rows.
        piece: How many bytes are read at once.

    Raises:
        NotRowsError: The document has another form.
        TooLargeError: The rest of the document would take too much memory.
    """
    return _Scan(paths, take).whole(read, piece)


def beginning(read: Read, count: int, piece: int = PIECE) -> Any:
    """Read the beginning of a document, without the rest of its long lists.

    Of a list that is the document itself or one of its values, no more than the first `count` mappings are read.

    Raises:
        NotRowsError: The document cannot be taken apart without decoding it whole.
    """
    heads: dict[KeyPath, list[Any]] = {}

    def take(rows: RowSpans) -> None:
        head = heads.setdefault(rows.path, [])
        wanted = min(count - len(head), len(rows.ends))
        if wanted > 0:
            data = rows.data[: int(rows.ends[wanted - 1] - rows.starts[0])]
            try:
                head += msgspec.json.decode(b"[" + data + b"]")
            except (ValueError, RecursionError):
                raise NotRowsError from None

    document = _Beginning((), take).whole(read, piece)
    if () in heads:
        return heads[()]
    return {**document, **{path[0]: head for path, head in heads.items()}} if heads else document


class _Events(NamedTuple):
    """Quotes around texts, and brackets outside of texts, with the depth after each."""

    places: np.ndarray[Any, Any]
    kinds: np.ndarray[Any, Any]
    depths: np.ndarray[Any, Any]


class _Scan:
    """The state of a scan between two pieces of a document; a piece never ends inside a text."""

    def __init__(self, paths: Collection[KeyPath], take: Take) -> None:
        self.paths = frozenset(paths)
        self.inner = frozenset(path[:depth] for path in paths for depth in range(len(path)))
        self.take = take
        self.around = bytearray()
        self.stack: list[str] = []
        self.depth = 0
        self.key: str | None = None
        self.table: KeyPath | None = None
        self.rows = 0
        self.met: set[KeyPath] = set()

    def whole(self, read: Read, piece: int) -> Any:
        base, data = 0, b""
        while True:
            more = read(max(piece, len(data)))
            data += more
            check_values(data, COSTS, "a part of this file that is no list of rows")
            used = self._piece(data, base, last=not more)
            base, data = base + used, data[used:]
            if not more:
                break
        if data or self.depth or self._in_table():
            raise NotRowsError
        check_values(self.around, COSTS)
        try:
            return msgspec.json.decode(bytes(self.around))
        except (ValueError, RecursionError):
            raise NotRowsError from None

    def _piece(self, data: bytes, base: int, last: bool) -> int:
        """Scan some bytes; return how many of them are done with."""
        events = _events(data, self.depth)
        at, done = 0, 0
        while at < len(events.places):
            if self._in_table():
                at, done = self._table(data, base, events, at, done)
                if self._in_table():
                    return done
                continue
            step = self._around(data, events, at, last)
            if step is None:
                place = int(events.places[at])
                self.around += data[done:place]
                return place
            place = int(events.places[at])
            at += step
            if self._in_table():
                self.around += data[done : place + 1]
                done = place + 1
        if self._in_table():
            return done
        self.around += data[done:]
        return len(data)

    def _in_table(self) -> bool:
        return self.table is not None

    def _around(self, data: bytes, events: _Events, at: int, last: bool) -> int | None:
        """Read what lies outside tables; return how many events that took, or None if more bytes are needed."""
        place, kind, depth = int(events.places[at]), int(events.kinds[at]), int(events.depths[at])
        if kind == _CLOSE:
            if not self.depth:
                raise NotRowsError
            self.depth -= 1
            self.stack = self.stack[:-1]
            return 1
        if kind == _QUOTE:
            if at + 1 >= len(events.places):
                return None
            end = int(events.places[at + 1]) + 1
            behind = data[end : end + 64].lstrip(_SPACE)
            if not behind and not last:
                return None
            if behind.startswith(b":"):
                try:
                    self.key = msgspec.json.decode(data[place:end], type=str)
                except ValueError:  # bytes that are not text
                    raise NotRowsError from None
            return 2
        path = (*self.stack, self.key or "") if self.depth else ()
        if self._begins(path, data, place):
            if path in self.met:
                raise NotRowsError
            self.met.add(path)
            self.table, self.rows, self.depth = path, 0, depth
            return 1
        if path in self.inner and data[place] == 0x7B:
            self.depth = depth
            self.stack = list(path)
            return 1
        closes = np.flatnonzero(events.depths[at:] < depth)
        return int(closes[0]) + 1 if len(closes) else None

    def _begins(self, path: KeyPath, data: bytes, place: int) -> bool:
        """Return whether the bracket at this place opens a table."""
        return path in self.paths and data[place] == 0x5B

    def _table(self, data: bytes, base: int, events: _Events, at: int, done: int) -> tuple[int, int]:
        """Note rows up to the end of their table or of the piece."""
        assert self.table is not None
        depths, kinds = events.depths[at:], events.kinds[at:]
        over = np.flatnonzero(depths < self.depth)
        end = int(over[0]) if len(over) else len(depths)
        depths, kinds = depths[:end], kinds[:end]
        if ((depths == self.depth) & (kinds == _QUOTE)).any():
            raise NotRowsError
        closing = np.flatnonzero((depths == self.depth) & (kinds == _CLOSE))
        opening = np.flatnonzero((depths == self.depth + 1) & (kinds == _OPEN))[: len(closing)]
        if len(closing):
            starts = events.places[at:][opening].astype(np.int64)
            ends = events.places[at:][closing].astype(np.int64) + 1
            first, behind = int(starts[0]), int(ends[-1])
            if not _only_mappings(data, starts) or not _parted(data, starts, ends):
                raise NotRowsError
            if data[done:first].strip(_SPACE) != (b"," if self.rows else b""):
                raise NotRowsError
            self.rows += len(starts)
            self.take(RowSpans(self.table, starts + base, ends + base, data[first:behind]))
            done = behind
        if not len(over):
            return len(events.places), done
        place = int(events.places[at + end])
        if data[done:place].strip(_SPACE):
            raise NotRowsError
        self.table = None
        self.depth -= 1
        return at + end + 1, place


class _Beginning(_Scan):
    """A scan of the lists of mappings in the first level of a document, whatever their keys."""

    def __init__(self, paths: Collection[KeyPath], take: Take) -> None:
        super().__init__(paths, take)
        self.inner = frozenset({()})

    def _begins(self, path: KeyPath, data: bytes, place: int) -> bool:
        return len(path) < 2 and _LIST_OF_MAPPINGS.match(data, place) is not None

    def _around(self, data: bytes, events: _Events, at: int, last: bool) -> int | None:
        step = super()._around(data, events, at, last)
        if step is None and len(data) > _WHOLE:
            raise NotRowsError  # a long value of another kind: scanning it would gain nothing
        return step


def _events(data: bytes, depth: int) -> _Events:
    """Find brackets outside of texts and the quotes around texts; the bytes begin outside of a text."""
    kinds = np.frombuffer(data.translate(_KIND_OF), np.uint8)
    places = np.flatnonzero(kinds != 0)
    kinds = kinds[places]
    slashes = kinds == _BACKSLASH
    if slashes.any():
        kinds[_escaped(places, slashes)] = 0
        kinds[slashes] = 0
        kept = np.flatnonzero(kinds != 0)
        places, kinds = places[kept], kinds[kept]
    quotes = kinds == _QUOTE
    inside = np.cumsum(quotes, dtype=np.int32) & 1
    kept = np.flatnonzero(quotes | (inside == 0))
    places, kinds = places[kept], kinds[kept]
    steps = _STEPS[kinds]
    return _Events(places, kinds, np.cumsum(steps, dtype=np.int32) + depth)


def _escaped(places: Any, slashes: Any) -> Any:
    """Return which of the places follow an odd number of backslashes."""
    run = places[slashes]
    begins = run[np.concatenate(([True], np.diff(run) > 1))]
    others = np.flatnonzero(~slashes)
    behind = others[np.isin(places[others] - 1, run)]
    before = begins[np.searchsorted(begins, places[behind]) - 1]
    return behind[(places[behind] - before) & 1 == 1]


def _only_mappings(data: bytes, starts: Any) -> bool:
    codes = np.frombuffer(data, np.uint8)
    return bool((codes[starts] == 0x7B).all())


def _parted(data: bytes, starts: Any, ends: Any) -> bool:
    """Return whether rows are separated by just one comma and blanks."""
    begin, gaps = ends[:-1], starts[1:] - ends[:-1]
    codes = np.frombuffer(data, np.uint8)
    for size in set(gaps.tolist()):
        chosen = begin[gaps == size]
        if size > _SHORT_GAP:
            if any(data[place : place + size].strip(_SPACE) != b"," for place in chosen.tolist()):
                return False
            continue
        commas = np.zeros(len(chosen), np.int32)
        for step in range(size):
            character = codes[chosen + step]
            comma = character == 0x2C
            commas += comma
            if not (comma | np.isin(character, np.frombuffer(_SPACE, np.uint8))).all():
                return False
        if not (commas == 1).all():
            return False
    return True
