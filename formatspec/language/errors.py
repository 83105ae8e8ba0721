"""What is wrong with a spec, and where, as data that is rendered in one place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

_LISTED = 8
"""How many known words a suggestion lists."""


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in a file: line and column, both counted from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return FILE:LINE:COLUMN, as editors and terminals open it."""
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True):
    """One mistake in a spec: what, where, what was expected, and what would help."""

    message: str
    place: Place | None
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """Return one line: the place, the message, what was expected, and the hint."""
        where = f"{self.place}: " if self.place else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{expected}{hint}"


class SpecError(ValueError):
    """A spec cannot be used; the error lists every problem, in the given order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take the problems in the order in which they are reported."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)  # the argument again, so that the error can be pickled

    def __str__(self) -> str:
        """Return the problems, one per line."""
        return "\n".join(map(str, self.problems))


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known word most similar to `word`, ignoring case; None if none reaches `likeness`, from 0 to 1.

    Among words with slashes, the only one that ends in `/word` is taken.
    """
    by_folded: dict[str, str] = {}
    ends: list[str] = []
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
        if word and candidate.endswith(f"/{word}"):
            ends.append(candidate)
    if len(ends) == 1:
        return ends[0]
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=likeness)
    return by_folded[found[0]] if found else None


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: "did you mean 'x'?", or else the first known words, if there are any."""
    words = tuple(known)
    close = nearest(word, words)
    if close is not None:
        return f"did you mean '{close}'?"
    if not words:
        return ""
    return f"one of: {', '.join(words[:_LISTED])}{', …' if len(words) > _LISTED else ''}"
