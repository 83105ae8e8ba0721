"""What is written of some items: parts of shared files, which are joined in the order of the items."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.resolve.row_counters import counted
from formatspec.files.document import FileError


class CountedField(msgspec.Struct, frozen=True):
    """A field of a row whose number counts rows, so that joining shards raises it.

    Attributes:
        key: The field's key.
        counter: The table whose rows are counted.
        start: The offset in the row's text where the number begins.
        stop: The offset where it ends; 0 where the place is not known.
    """

    key: str
    counter: str
    start: int = 0
    stop: int = 0


class TableShard(msgspec.Struct):
    """Rows of one table, as JSON.

    places: where each stood in its source, -1 where it comes as it comes; none where all do.
    numbered: by the row's place here, its fields that count rows.
    """

    rows: list[bytes] = []
    places: list[int] = []
    numbered: dict[int, list[CountedField]] = {}

    def add(self, document: Any, place: int, codec: RoleCodec) -> None:
        """Take a row.  Raises FileError where a file of its kind cannot hold it."""
        text = row_writer(codec)(document)
        fields = [
            CountedField(key, counter, *_place_of(text, key, document[key])) for key, counter in counted(document)
        ]
        self.add_text(text, fields, place)

    def add_text(self, text: bytes, fields: list[CountedField], place: int = -1) -> None:
        """Take a row that is written, with its fields that count rows."""
        if fields:
            self.numbered[len(self.rows)] = fields
        if place >= 0 and not self.places:
            self.places = [-1] * len(self.rows)
        if place >= 0 or self.places:
            self.places.append(place)
        self.rows.append(text)


class SharedShard(msgspec.Struct):
    """What some items add to a shared file: its rows by table, and how many there are of each.

    frames: those of the items, as rows of the file spell them, where rows go along frames.
    """

    role: str
    path: str
    captures: dict[str, Any]
    tables: dict[str, TableShard] = {}
    counts: dict[str, int] = {}
    items: int = 0
    objects: int = 0
    columns: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    frames: list[int] = []


class ShardOutput(msgspec.Struct):
    """What writing some items gave beside their own files.

    met: the source's names of the items' subsets, where subsets are named anew.
    used: the names of the categories that records of the items have, where the target lists no others.
    """

    shared: list[SharedShard]
    losses: list[tuple[str, str, int]]
    subsets: tuple[list[str], list[str]]
    named: dict[str, str]
    objects: int
    files: int
    are_read: bool
    tally: Tally
    met: list[str] = []
    used: list[str] = []


def row_writer(codec: RoleCodec) -> Callable[[Any], bytes]:
    """How a row becomes text: as it will stand in its file where that is written row by row."""
    return codec.row or row_text


def row_text(document: Any) -> bytes:
    """A row as text that gives the same row again."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError, RecursionError) as error:
        raise FileError(f"a row cannot be written: {error}") from None


def row_of(text: bytes) -> Any:
    """The row that a text gives."""
    return json.loads(text.decode("utf-8", "surrogatepass"))


def _place_of(text: bytes, key: str, number: int) -> tuple[int, int]:
    """Where the number of a key stands in a row's JSON text; (0, 0) where the key stands there more than once."""
    digits = b"%d" % number
    for before in _spellings(key):
        if text.count(before) == 1:
            start = text.index(before) + len(before)
            stop = start + len(digits)
            if text.startswith(digits, start) and not text[stop : stop + 1].isdigit():
                return start, stop
    return 0, 0


@cache
def _spellings(key: str) -> tuple[bytes, ...]:
    """What may stand before the value of a key in JSON."""
    named = json.dumps(key, ensure_ascii=False)
    return tuple(f"{named}{between}".encode("utf-8", "surrogatepass") for between in (": ", ":"))


def raised(
    text: bytes, fields: Sequence[CountedField], before: Mapping[str, int], write: Callable[[Any], bytes]
) -> bytes:
    """A row whose counting fields go on behind so many rows of each table."""
    if any(not field.stop for field in fields):
        document = row_of(text)
        for field in fields:
            document[field.key] += before.get(field.counter, 0)
        return write(document)
    for field in sorted(fields, key=lambda field: field.start, reverse=True):
        number = int(text[field.start : field.stop]) + before.get(field.counter, 0)
        text = b"%b%d%b" % (text[: field.start], number, text[field.stop :])
    return text
