"""What is written of some items: parts of shared files, which are joined in the order of the items."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.resolve.row_counters import counted
from formatspec.files.document import FileError


class TableShard(msgspec.Struct):
    """Rows of one table, as JSON.

    places: where each stood in its source, -1 where it comes as it comes; none where all do.
    numbered: by the row's place here, its fields that count rows, and the tables that they count.
    """

    rows: list[bytes] = []
    places: list[int] = []
    numbered: dict[int, dict[str, str]] = {}

    def add(self, document: Any, place: int, codec: RoleCodec) -> None:
        """Take a row.  Raises FileError where a file of its kind cannot hold it."""
        fields = counted(document)
        if fields:
            self.numbered[len(self.rows)] = fields
        if place >= 0 and not self.places:
            self.places = [-1] * len(self.rows)
        if place >= 0 or self.places:
            self.places.append(place)
        self.rows.append(row_writer(codec)(document))


class SharedShard(msgspec.Struct):
    """What some items add to a shared file: its rows by table, and how many there are of each."""

    role: str
    path: str
    captures: dict[str, Any]
    tables: dict[str, TableShard] = {}
    counts: dict[str, int] = {}
    items: int = 0
    objects: int = 0
    columns: tuple[str, ...] = ()
    values: dict[str, Any] = {}


class ShardOutput(msgspec.Struct):
    """What writing some items gave beside their own files.

    met: the source's names of the items' subsets, where subsets are named anew.
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
