"""What is wrong with a spec, and where: data first, rendered in one place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

_LISTED = 8
"""So many known words are listed in a suggestion; more would bury the message."""


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in a file: line and column, both counted from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """FILE:LINE:COLUMN, as editors and terminals open it."""
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a spec: what, where, what was expected, and what would help."""

    message: str
    place: Place | None
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """One line: the place, the message, what was expected, and the hint."""
        where = f"{self.place}: " if self.place else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{expected}{hint}"


class SpecError(ValueError):
    """A spec that cannot be used, with every problem found in it, in the order given."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take the problems in the order in which they are told."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)  # the argument again, so that the error survives pickling

    def __str__(self) -> str:
        """The problems, one a line."""
        return "\n".join(map(str, self.problems))


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word most like `word`, whatever its case; None if nothing is as alike as `likeness`, from 0 to 1.

    Of words with slashes, the only one that ends in `/word` is nearest.
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
    """A hint for an unknown word: "did you mean 'x'?", else the first few known words, if there are any."""
    words = tuple(known)
    close = nearest(word, words)
    if close is not None:
        return f"did you mean '{close}'?"
    if not words:
        return ""
    return f"one of: {', '.join(words[:_LISTED])}{', …' if len(words) > _LISTED else ''}"
