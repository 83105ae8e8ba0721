"""Counts what was handed to the writers and what the output holds, and finds where the two disagree.

This module does not use the loss report: the report's numbers come as plain arguments. A line that is missing in the
report is therefore noticed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from formatspec.model.records import RECORD_TABLES

KEPT_FIELDS = "kept fields"
TABLES = (*RECORD_TABLES, KEPT_FIELDS)
"""The tables of an item whose records are counted; of items, the rows in shared files are counted.

Kept fields are the keys of rows that a format keeps or does not know, each once for its record.
"""


class SharedTable(msgspec.Struct):
    """One table of a shared file: how many rows the items' writers gave, and how many the file's bytes hold."""

    kind: str
    given: int = 0
    written: int = 0


class Odd(msgspec.Struct, frozen=True):
    """A file that holds another number of rows, or of pixel values, than its writer handed over."""

    what: str
    item: str
    given: int
    written: int


class Imbalance(msgspec.Struct, frozen=True):
    """Numbers that should be equal and are not.

    Attributes:
        table: What was counted.
        handed: How many were to be written.
        standing: How many are in the output.
        named: How many the report names.
        item: The first item where the numbers differ, if known.
    """

    table: str
    handed: int
    standing: int
    named: int
    item: str | None = None

    def __str__(self) -> str:
        """One line that names the table and its three numbers."""
        first = f"; the first item is {self.item}" if self.item else ""
        rest = f"the report names {self.named}" if self.named else "the report names none"
        return f"{self.table}: {self.handed} to be written, {self.standing} in the output, {rest}{first}"


class Tally(msgspec.Struct):
    """The numbers of some items. Those of all shards add up to those of the conversion."""

    handed: dict[str, int] = {}
    standing: dict[str, int] = {}
    first: dict[str, str] = {}
    shared: dict[str, SharedTable] = {}
    odd: list[Odd] = []

    def count(self, table: str, item: str, handed: int, standing: int, named: int) -> None:
        """Count the records of one item's table.

        `named`, the report's number, only serves to find the first item that is out of balance.
        """
        if handed:
            self.handed[table] = self.handed.get(table, 0) + handed
        if standing:
            self.standing[table] = self.standing.get(table, 0) + standing
        if handed != standing + named:
            self.first.setdefault(table, item)

    def give(self, file: str, kind: str, rows: int) -> None:
        """Count rows that are given to a table of a shared file."""
        table = self.shared.get(file)
        if table is None:
            table = self.shared[file] = SharedTable(kind)
        table.given += rows

    def fell(self, table: str) -> None:
        """Take back a record that was counted as written and could not be written."""
        if table in self.standing:
            self.standing[table] -= 1

    def compare(self, what: str, item: str, given: int, written: int) -> None:
        """Compare the rows or values that a writer gave with those in the file that was made of them."""
        if given != written:
            self.odd.append(Odd(what, item, given, written))

    def add(self, other: Tally) -> None:
        """Add the numbers of the next items."""
        for mine, more in ((self.handed, other.handed), (self.standing, other.standing)):
            for table, count in more.items():
                mine[table] = mine.get(table, 0) + count
        for name, item in other.first.items():
            self.first.setdefault(name, item)
        for file, more_rows in other.shared.items():
            known = self.shared.setdefault(file, SharedTable(more_rows.kind))
            known.given += more_rows.given
            known.written += more_rows.written
        self.odd += other.odd

    def wrote(self, file: str, count: int) -> None:
        """Note how many rows of a shared file's table went into its bytes."""
        if file in self.shared:
            self.shared[file].written = count
        elif count:
            self.shared[file] = SharedTable("", 0, count)


def imbalances(tally: Tally, named: Mapping[str, int]) -> Sequence[Imbalance]:
    """Return where the numbers of a finished conversion disagree.

    A table of a shared file that was left out whole is in balance if another table of the same kind of records holds as
    many rows, since the records stand there.

    Args:
        tally: The numbers of the conversion.
        named: How many records of each table the report names.
    """
    found = [
        Imbalance(table, handed, standing, said, tally.first.get(table))
        for table in TABLES
        for handed, standing, said in [(tally.handed.get(table, 0), tally.standing.get(table, 0), named.get(table, 0))]
        if handed != standing + said
    ]
    found += [
        Imbalance(f"rows of {file}", table.given, table.written, 0)
        for file, table in sorted(tally.shared.items())
        if table.given != table.written and not _stands_elsewhere(table, tally.shared.values())
    ]
    found += [Imbalance(odd.what, odd.given, odd.written, 0, odd.item) for odd in tally.odd]
    return found


def _stands_elsewhere(table: SharedTable, others: Iterable[SharedTable]) -> bool:
    return not table.written and any(
        other is not table and other.kind == table.kind and other.written >= table.given for other in others
    )
