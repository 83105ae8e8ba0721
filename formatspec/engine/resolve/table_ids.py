"""Keys under which the source rows of a table are stored and found again."""

from __future__ import annotations

import zlib

from formatspec.engine.resolve.scope import Scope
from formatspec.language.rules import TableRule


def rows_key(number: int) -> tuple[str, int]:
    """Return the key under which an origin keeps several source rows of a table for one object or item."""
    return ("rings", number)


def beside_key(number: int, file: str) -> tuple[str, str, int]:
    """Return the key under which an item's origin keeps the rows of a shared file that are only kept."""
    return ("beside", file, number)


def stood_key(number: int) -> tuple[str, int]:
    """Return the key under which an origin keeps an object's original source row, if its row now has another id."""
    return ("stood", number)


def table_number(rule: TableRule, scope: Scope) -> int:
    """Return a number that identifies a table's source rows: the same for the reader and the writer."""
    return zlib.crc32(f"{scope.role} {rule.place} {rule.row.place} {rule.each.table}".encode())
