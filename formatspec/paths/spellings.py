"""Finds names with different spellings, for documents that spell a file's name differently than the file system."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from formatspec.paths.names import plain_spelling

T = TypeVar("T")


def plainly(names: Sequence[Any]) -> tuple[Any, ...]:
    """Return names without `./`, backslashes, escapes and decomposed characters, for comparison."""
    return tuple(plain_spelling(name) if isinstance(name, str) else name for name in names)


def without_capitals(names: Sequence[Any]) -> tuple[Any, ...]:
    """Return names as `plainly` does, in lower case."""
    return tuple(plain_spelling(name).casefold() if isinstance(name, str) else name for name in names)


class Spellings:
    """An index of names by their spelling without capitals and what `plain_spelling` removes.

    It takes twelve bytes for each name. A result may be another name, so the caller must compare it.
    """

    def __init__(self, names: Iterable[tuple[int, Sequence[Any]]]) -> None:
        """Take names, each with a number."""
        marks, numbers = array("q"), array("i")
        for number, name in names:
            marks.append(hash(without_capitals(name)))
            numbers.append(number)
        order = np.argsort(np.frombuffer(marks, np.int64), kind="stable") if marks else np.zeros(0, np.intp)
        self._marks = np.frombuffer(marks, np.int64)[order] if marks else np.zeros(0, np.int64)
        self._numbers = np.frombuffer(numbers, np.int32)[order] if numbers else np.zeros(0, np.int32)

    def like(self, name: Sequence[Any]) -> list[int]:
        """Return the numbers of the names that may be spelled like this one, in the order in which they were taken."""
        if not len(self._marks):
            return []
        mark = hash(without_capitals(name))
        start = np.searchsorted(self._marks, mark)
        if start == len(self._marks) or self._marks[start] != mark:
            return []
        stop = np.searchsorted(self._marks, mark, "right")
        return self._numbers[start:stop].tolist()  # type: ignore[no-any-return]


def spelled_like(name: Sequence[Any], found: Sequence[tuple[T, Sequence[Any]]]) -> list[T]:
    """Return which of some things a name may mean.

    Names count as equal if they differ only in what `plain_spelling` removes. If none is equal, those that also differ
    in capitals are returned.

    Args:
        name: The name in its parts.
        found: Things, each with its own name in parts.
    """
    if not found:
        return []
    plain = plainly(name)
    equal = [one for one, other in found if plainly(other) == plain]
    if equal:
        return equal
    small = without_capitals(name)
    return [one for one, other in found if without_capitals(other) == small]


def differs_in_capitals(a: str, b: str) -> bool:
    """Return whether two names differ only in capitals."""
    return plain_spelling(a) != plain_spelling(b) and without_capitals((a,)) == without_capitals((b,))
