"""Numbers and keys by which the source rows of a table are found again."""

from __future__ import annotations

import zlib

from formatspec.engine.resolve.scope import Scope
from formatspec.language.rules import TableRule


def rows_key(number: int) -> tuple[str, int]:
    """Where an origin keeps the source rows of an object or an item that has several in one table."""
    return ("rings", number)


def stood_key(number: int) -> tuple[str, int]:
    """Where an origin keeps the source row of an object as it stood, where its row states another id by now."""
    return ("stood", number)


def table_number(rule: TableRule, scope: Scope) -> int:
    """A number by which a table's source rows are found again: the same in reader and writer."""
    return zlib.crc32(f"{scope.role} {rule.place} {rule.row.place} {rule.each.table}".encode())
