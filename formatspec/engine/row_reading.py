"""One row of a table: how it is read, and what becomes of its record."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, json

from formatspec.engine.conditions import Condition, always
from formatspec.engine.job import MILD, Job, Record
from formatspec.engine.merging import keep_row
from formatspec.engine.scope import Scope
from formatspec.engine.telling import Test
from formatspec.language.errors import Place
from formatspec.language.rules import TableRule

Reader = Callable[[Any, Record, Job], None]
"""Takes a document and binds what stands in it to the model's slots."""


class RowReader(msgspec.Struct, frozen=True):
    """How one row of a table is read: what it looks like, what it binds, which record it is.

    constants: whether values in the row say that it is of this table.
    """

    number: int
    kind: str
    by: tuple[str, ...]
    test: Test
    read: Reader
    fits: Condition
    overlap: bool
    table: str
    place: Place
    rule: TableRule
    scope: Scope
    constants: bool


def table_number(rule: TableRule, scope: Scope) -> int:
    """A number by which a table's source rows are found again: the same in reader and writer."""
    return zlib.crc32(f"{scope.role} {rule.place} {rule.each.table}".encode())


def read_row(
    row: Any,
    position: int,
    readers: Sequence[RowReader],
    outer: Record,
    job: Job,
    known: Mapping[str, Any] = {},
) -> None:
    """Read one row by the first of `readers` that fits, and keep its record; `known` slots are set already."""
    before = len(job.faults)
    for reader in readers:
        if len(readers) > 1 and not reader.test(row):
            continue
        record: Record = {"$up": outer, **known} if reader.table == "children" else dict(known)
        reader.read(row, record, job)
        if reader.kind == "object" and "index" in reader.by:
            record.setdefault("?index", position)
        if len(job.faults) > before and any(fault.code not in MILD for fault in job.faults[before:]):
            others = () if reader is readers[-1] else readers[readers.index(reader) + 1 :]
            if any(_may_be(other, reader, row) for other in others):
                del job.faults[before:]
                continue
            return
        if reader.fits is not always and not reader.fits(record, job):
            continue
        if job.origin:
            record["$rows"] = {reader.number: (position, row)}
        keep_row(reader, record, outer, job)
        return
    job.fault("ALTERNATIVE", job.at, readers[0].place, "the row fits no table that could hold it", got=_shown(row))


def _may_be(other: RowReader, reader: RowReader, row: Any) -> bool:
    """Whether a row that is not what its constants say may be of another table: not of one that takes any row."""
    return other.test(row) and (other.constants or not reader.constants)


def _shown(row: Any) -> Any:
    """A row with what nobody has asked for yet, to be told of."""
    if not isinstance(row, dict):
        return row
    return {key: json.decode(part) if type(part) is Raw else part for key, part in row.items()}


def rows_of_columns(value: Any) -> Any:
    """The rows of a mapping from keys to lists of one length; anything else as it is, to be reported."""
    if not isinstance(value, dict) or not all(isinstance(column, list) for column in value.values()):
        return value
    if len({len(column) for column in value.values()}) > 1:
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
