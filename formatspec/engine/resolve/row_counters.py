"""Numbers that count rows of the whole output.

A shard counts from 0. Joining the shards adds the number of rows in the shards before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from formatspec.engine.resolve.questions.meanings import scoped
from formatspec.engine.resolve.scope import Scope
from formatspec.language import expression
from formatspec.language.expression import Binary, Expression, Literal, Name
from formatspec.language.leaf import Bind, Computed, Keep, Leaf, Text
from formatspec.language.rules import Field, MapRule, Rule, TableRule

COUNTS = frozenset({"index", "item.index", "number", "rank"})
"""Slots that number records."""


ALL_OBJECTS = "all objects"
"""The counter of objects over all files, if several files list one object."""


class Counted(int):
    """A number of rows so far, or a number that is larger by a constant; `counter` is the table that is counted."""

    counter: str

    def __add__(self, other: int) -> int:
        """Add an int, which gives a count of the same table; any other sum is a plain number."""
        number = int.__add__(self, other)
        return counted(number, self.counter) if type(other) is int else number

    __radd__ = __add__


@lru_cache(1 << 14)
def counted(value: int, counter: str) -> Counted:
    """Return a number with the table whose rows it counts. As every shard counts from 0, numbers are kept."""
    made = Counted(value)
    made.counter = counter
    return made


File = tuple[str, str]
"""A shared file: its role and its path."""


class Relative:
    """Numbers the rows of one part of a target. Each part counts from 0; joining the parts raises the numbers."""

    def of(self, file: File | None, counter: str, count: int) -> int:
        """Return the number of a row that has `count` rows of its part before it."""
        return counted(count, counter)

    def pass_by(self, file: File | None, counts: Mapping[str, int]) -> None:
        """Note that a part is finished, and how many rows it has."""


class Absolute(Relative):
    """Numbers the rows of parts that are written one after another. The numbers are final and may be used in text."""

    def __init__(self) -> None:
        """Start before the first row of every table."""
        self._before: Counter[tuple[File | None, str]] = Counter()

    def of(self, file: File | None, counter: str, count: int) -> int:
        """Return the number of a row in its file."""
        return self._before[file, counter] + count

    def pass_by(self, file: File | None, counts: Mapping[str, int]) -> None:
        """Note that a part is finished, and how many rows it has."""
        self._before.update({(file, counter): count for counter, count in counts.items()})


def counts_plainly(rule: TableRule, scope: Scope) -> bool:
    """Return whether numbers of rows stand in fields of their own, so that they can be raised later."""
    inner = scope.inside(rule.each.table)
    if rule.each.where is not None and _counts(rule.each.where, inner):
        return False
    if not isinstance(rule.row, MapRule):
        return not _any_count(rule.row, inner)
    return all(_plain(field, inner) for field in rule.row.fields) and not any(
        _any_count(choice, inner) for choice in (*rule.row.alternatives, *([rule.row.rest] if rule.row.rest else []))
    )


def counting_keys(rule: Rule, scope: Scope) -> tuple[str, ...]:
    """Return the keys of a row whose values may be numbers of rows, if these stand in fields of their own."""
    return tuple(field.keys[0] for field in rule.fields if _any_count(field.rule, scope.below()))


def _plain(field: Field, scope: Scope) -> bool:
    if not _any_count(field.rule, scope.below()):
        return True
    leaf = field.rule.leaf
    if scope.textual or len(field.keys) > 1 or not isinstance(leaf, Bind | Keep):
        return False
    if isinstance(leaf, Bind) and (leaf.calls or any(name in COUNTS for name in leaf.names)):
        return False
    default = leaf.default
    if isinstance(default, Binary):
        return default.operator == "+" and isinstance(default.left, Name) and isinstance(default.right, Literal)
    return isinstance(default, Name)


def _any_count(rule: Rule, scope: Scope) -> bool:
    """Return whether a rule contains a number of the row itself, as opposed to a row inside it."""
    return any(
        any(_leaf_counts(part, inner) for part in _parts(one.leaf))
        or (isinstance(one, TableRule) and one.each.where is not None
            and _counts(one.each.where, inner.inside(one.each.table)))
        for one, inner in scoped(rule, scope)
    )  # fmt: skip


def _parts(leaf: Leaf | None) -> tuple[Any, ...]:
    return leaf.parts if isinstance(leaf, Text) else (leaf,)


def _leaf_counts(leaf: Any, scope: Scope) -> bool:
    if isinstance(leaf, Bind):
        named = any(_is_count(name, scope) for name in leaf.names)
        return named or (leaf.default is not None and _counts(leaf.default, scope))
    if isinstance(leaf, Keep):
        return leaf.default is not None and _counts(leaf.default, scope)
    return isinstance(leaf, Computed) and _counts(leaf.expression, scope)


def _counts(value: Expression, scope: Scope) -> bool:
    return any(_is_count(name, scope) for name in expression.names(value))


def _is_count(name: str, scope: Scope) -> bool:
    if name not in COUNTS:
        return False
    meaning = scope.meaning(name)
    if meaning is None:
        return False
    spooled = scope.outer is not None and scope.outer.kind == "dataset"
    return spooled or meaning.where != "record" or scope.kind == "item"
