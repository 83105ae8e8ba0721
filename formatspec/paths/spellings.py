"""Names that are spelled alike: found where a document spells the name of a file otherwise than the file does."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from formatspec.paths.names import plain_spelling

T = TypeVar("T")


def plainly(names: Sequence[Any]) -> tuple[Any, ...]:
    """Names without `./`, backslashes, escapes and decomposed characters, by which spellings of them are compared."""
    return tuple(plain_spelling(name) if isinstance(name, str) else name for name in names)


def without_capitals(names: Sequence[Any]) -> tuple[Any, ...]:
    """Names as `plainly` gives them, with small letters for capitals."""
    return tuple(plain_spelling(name).casefold() if isinstance(name, str) else name for name in names)


class Spellings:
    """Where names stand that are spelled alike but for capitals and what `plain_spelling` leaves out.

    Twelve bytes a name: what is found may have another name, so that the caller compares it.
    """

    def __init__(self, names: Iterable[tuple[int, Sequence[Any]]]) -> None:
        """Take names, each with the number that stands for it."""
        marks, numbers = array("q"), array("i")
        for number, name in names:
            marks.append(hash(without_capitals(name)))
            numbers.append(number)
        order = np.argsort(np.frombuffer(marks, np.int64), kind="stable") if marks else np.zeros(0, np.intp)
        self._marks = np.frombuffer(marks, np.int64)[order] if marks else np.zeros(0, np.int64)
        self._numbers = np.frombuffer(numbers, np.int32)[order] if numbers else np.zeros(0, np.int32)

    def like(self, name: Sequence[Any]) -> list[int]:
        """The numbers of the names that may be spelled like this one, in the order in which they were taken."""
        if not len(self._marks):
            return []
        mark = hash(without_capitals(name))
        start = np.searchsorted(self._marks, mark)
        if start == len(self._marks) or self._marks[start] != mark:
            return []
        stop = np.searchsorted(self._marks, mark, "right")
        return self._numbers[start:stop].tolist()  # type: ignore[no-any-return]


def spelled_like(name: Sequence[Any], found: Sequence[tuple[T, Sequence[Any]]]) -> list[T]:
    """Which of some things a name may mean.

    Names are equal that differ only in what `plain_spelling` leaves out. Where no name is equal, those are taken that
    differ in capitals too.

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
    """Whether two names are different, and equal but for capitals."""
    return plain_spelling(a) != plain_spelling(b) and without_capitals((a,)) == without_capitals((b,))
