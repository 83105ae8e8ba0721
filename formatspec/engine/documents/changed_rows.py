"""Rows that have another form in the file, each with its path there, and groups without rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.engine.base.faults import DocumentPath


class Empty(msgspec.Struct, frozen=True):
    """A group of a source without rows: its path and those of the groups around it, its key, and its content."""

    places: tuple[int, ...]
    key: str | int | None
    group: Any


class ChangeRows(list[Any]):
    """The rows of a table that have another form in the file.

    Attributes:
        paths: For each row the path of each group around it, and then its own, each from the table on.
        plain: Whether rows are bare lists.
        empty: The groups without rows.
        lists: Whether a row is spread over several lists; the last part of its path then follows the key of the list.
    """

    __slots__ = ("empty", "lists", "paths", "plain")

    def __init__(
        self, rows: Sequence[Any] = (), paths: Sequence[tuple[DocumentPath, ...]] = (), plain: bool = False,
        lists: bool = False,
    ) -> None:  # fmt: skip
        """Take the rows and their paths; see the class."""
        super().__init__(rows)
        self.paths = list(paths)
        self.plain = plain
        self.lists = lists
        self.empty: list[Empty] = []

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the rows with their paths, which a list alone would lose."""
        return _remade, (list(self), self.paths, self.plain, self.lists, self.empty)


def _remade(
    rows: list[Any], paths: list[tuple[DocumentPath, ...]], plain: bool, lists: bool, empty: list[Empty]
) -> ChangeRows:
    made = ChangeRows(rows, paths, plain, lists)
    made.empty = empty
    return made


def with_empty(rows: Any, source: Any) -> Any:
    """Return rows together with the groups that have no rows in their source."""
    if not isinstance(source, ChangeRows) or not source.empty:
        return rows
    made = ChangeRows(rows)
    made.empty = source.empty
    return made
