"""The output of one shard for the files that several shards share."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.resolve.row_counters import Counted
from formatspec.files.document import FileError, finite


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """For which items a row stands: how many, and their marks joined, which tell if two rows have the same items."""

    items: int = 0
    marks: int = 0

    def and_for(self, other: Standing) -> Standing:
        """Return for which items two equal rows stand together."""
        return Standing(self.items + other.items, self.marks ^ other.marks)


class TableShard(msgspec.Struct):
    """Rows of one table, as JSON texts of one or more rows each.

    A number that counts rows is cut out of its text, since joining shards raises it: a zero byte, which JSON never
    holds, stands in its place.

    Attributes:
        texts: The texts.
        sizes: How many rows each text holds.
        places: The place that each text's row had in its source, -1 for a text without one; empty where none has one.
        numbers: The numbers that were cut out, in the order of their places in the texts.
        counters: The table that each of these numbers counts.
        stands: If rows stand for several items each: for which each text stands.
        nulls: How many numbers became null, since the file cannot hold NaN and infinities.
    """

    texts: list[bytes] = []
    sizes: list[int] = []
    places: list[int] = []
    numbers: list[int] = []
    counters: list[str] = []
    stands: list[Standing] = []
    nulls: int = 0

    def add(self, documents: list[Any], place: int, codec: RoleCodec, keys: tuple[str, ...] = ()) -> None:
        """Add rows.

        Args:
            documents: The rows, whose numbers that count rows are replaced.
            place: The place that a single row had in its source, or -1.
            codec: The codec of the file.
            keys: The keys whose values may be numbers that count rows.

        Raises:
            FileError: This kind of file cannot hold one of the rows; then none is added.
        """
        numbers, counters = len(self.numbers), len(self.counters)
        try:
            text = self._text(documents, codec.rows or rows_text, keys, place)
        except FileError:
            del self.numbers[numbers:], self.counters[counters:]
            documents, nulls = finite(documents)
            if not nulls:
                raise
            text = self._text(documents, codec.rows or rows_text, keys, place)
            self.nulls += nulls
        self.add_text(text, len(documents), place)

    def _text(
        self, documents: list[Any], write: Callable[[list[Any]], bytes], keys: tuple[str, ...], place: int
    ) -> bytes:  # fmt: skip
        """Return the text of rows, without the numbers that count rows; note these in the order in which they stand.

        A row without a place in the source has its keys in the order of the rule, as `keys` are.
        """
        cut = [
            (document, key)
            for document in (documents if keys else ())
            for key in (keys if place < 0 else document)
            if key in keys and type(document.get(key)) is Counted
        ]
        if not cut:
            return write(documents)
        numbers: list[Counted] = [document[key] for document, key in cut]
        self.numbers += map(int, numbers)
        self.counters += [number.counter for number in numbers]
        for salt in itertools.count():
            mark = f"\0{salt}" if salt else "\0"
            for document, key in cut:
                document[key] = mark
            try:
                text = write(documents).replace(b'"\\u0000%d"' % salt if salt else b'"\\u0000"', b"\0")
            except FileError:
                for (document, key), number in zip(cut, numbers, strict=True):
                    document[key] = number
                raise
            if text.count(b"\0") == len(cut):
                return text
        raise AssertionError("a mark that no row holds is always found")

    def add_text(self, text: bytes, rows: int, place: int = -1) -> None:
        """Add rows that are already text; the numbers that are cut out of it are noted already."""
        if place >= 0 and not self.places:
            self.places = [-1] * len(self.texts)
        if place >= 0 or self.places:
            self.places.append(place)
        self.texts.append(text)
        self.sizes.append(rows)


def once(rows: TableShard, known: dict[bytes, Standing], item: int = 0) -> TableShard:
    """Return the rows that are not known yet, each once, and add up for which items each row stands.

    Args:
        rows: Rows that stand for several items each.
        known: For which items each known row stands.
        item: The mark of the item, if the rows are those of one.
    """
    new = TableShard()
    for place, text in enumerate(rows.texts):
        if text not in known:
            new.add_text(text, rows.sizes[place], rows.places[place] if rows.places else -1)
        known[text] = known.get(text, Standing()).and_for(rows.stands[place] if rows.stands else Standing(1, item))
    return new


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
        met: The source's names of the items' subsets.
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


_ROWS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def rows_text(documents: list[Any]) -> bytes:
    """Encode rows as text that `rows_of` decodes to the same rows."""
    try:
        text = _ROWS(documents)
    except (ValueError, TypeError, RecursionError) as error:
        raise FileError(f"a row cannot be written: {error}") from None
    return text[1:-1].encode("utf-8", "surrogatepass")


def rows_of(text: bytes) -> list[Any]:
    """Decode a text of rows, with commas or newlines between them."""
    rows: list[Any] = json.loads(f"[{text.decode('utf-8', 'surrogatepass')}]".replace("\n", ","))
    return rows


def with_numbers(text: bytes, numbers: Iterator[tuple[int, str]], before: Mapping[str, int]) -> bytes:
    """Return a text with the numbers that were cut out of it, raised by the rows of the shards before.

    Args:
        text: One or more rows as JSON.
        numbers: The numbers, each with the table that it counts; as many are taken as the text needs.
        before: How many rows of each table the shards before have.
    """
    first, *rest = text.split(b"\0")
    pieces = [first]
    for piece, (number, counter) in zip(rest, numbers, strict=False):  # `rest` comes first, so no number is lost
        pieces += b"%d" % (number + before.get(counter, 0)), piece
    return b"".join(pieces)
