"""The output of one shard for the files that several shards share."""

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

    Attributes:
        places: The place that each row had in its source, -1 for a row without one; empty where no row has one.
        numbered: The fields that count rows, by the index of their row here.
    """

    rows: list[bytes] = []
    places: list[int] = []
    numbered: dict[int, list[CountedField]] = {}

    def add(self, document: Any, place: int, codec: RoleCodec) -> None:
        """Add a row. Raises FileError where this kind of file cannot hold it."""
        text = row_writer(codec)(document)
        fields = [
            CountedField(key, counter, *_place_of(text, key, document[key])) for key, counter in counted(document)
        ]
        self.add_text(text, fields, place)

    def add_text(self, text: bytes, fields: list[CountedField], place: int = -1) -> None:
        """Add a row that is already text, with its fields that count rows."""
        if fields:
            self.numbered[len(self.rows)] = fields
        if place >= 0 and not self.places:
            self.places = [-1] * len(self.rows)
        if place >= 0 or self.places:
            self.places.append(place)
        self.rows.append(text)


class SharedShard(msgspec.Struct):
    """What the items of a shard add to a shared file: its rows by table, and the number of rows of each.

    `frames` holds the frame numbers of the items, for files whose rows go along frames.
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
    """What the items of a shard give beside their own files.

    Attributes:
        met: The source's names of the items' subsets, where subsets are renamed.
        used: The names of the categories that records have, where the target lists only those.
        stuff: The names of the categories of areas that became objects, where the target tells things from stuff.
        things: Those of all other objects, likewise.
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
    stuff: list[str] = []
    things: list[str] = []


def row_writer(codec: RoleCodec) -> Callable[[Any], bytes]:
    """Return a function that encodes a row: as it will stand in its file where that file is written row by row."""
    return codec.row or row_text


def row_text(document: Any) -> bytes:
    """Encode a row as text that `row_of` decodes to the same row."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError, RecursionError) as error:
        raise FileError(f"a row cannot be written: {error}") from None


def row_of(text: bytes) -> Any:
    """Decode the text of a row."""
    return json.loads(text.decode("utf-8", "surrogatepass"))


def _place_of(text: bytes, key: str, number: int) -> tuple[int, int]:
    """Return where the number of a key begins and ends in a row's JSON text.

    Returns:
        Two byte offsets; (0, 0) where the key occurs more than once.
    """
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
    """Return the byte strings that may stand before the value of a key in JSON."""
    named = json.dumps(key, ensure_ascii=False)
    return tuple(f"{named}{between}".encode("utf-8", "surrogatepass") for between in (": ", ":"))


def raised(
    text: bytes, fields: Sequence[CountedField], before: Mapping[str, int], write: Callable[[Any], bytes]
) -> bytes:
    """Raise the numbers in a row that count rows by the rows of the shards before.

    Args:
        text: The row as JSON.
        fields: The fields of the row that count rows.
        before: How many rows of each table the shards before have.
        write: Encodes a row.
    """
    if any(not field.stop for field in fields):
        document = row_of(text)
        for field in fields:
            document[field.key] += before.get(field.counter, 0)
        return write(document)
    for field in sorted(fields, key=lambda field: field.start, reverse=True):
        number = int(text[field.start : field.stop]) + before.get(field.counter, 0)
        text = b"%b%d%b" % (text[: field.start], number, text[field.stop :])
    return text
