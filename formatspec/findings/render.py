"""Renders findings as text."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from formatspec.findings.finding import LEVELS, Finding

FIRST_PLACES = 5


def printable(text: str) -> str:
    """Return text that is safe for a terminal: control characters are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def json_printable(text: str, terminal: bool) -> str:
    """Escape characters of a JSON text that cannot be written everywhere.

    For a terminal, control characters and those that turn the direction of text are escaped too.
    """
    if text.isascii() or (text.isprintable() and not terminal):
        return text
    return "".join(c if _is_plain(c, terminal) else _escaped(c) for c in text)


def _is_plain(char: str, terminal: bool) -> bool:
    return char.isprintable() or char == "\n" or not (terminal or "\ud800" <= char <= "\udfff")


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"


def place(finding: Finding) -> str:
    """Return `file:line:column#pointer`, as far as known."""
    parts = finding.file or ""
    if finding.line is not None:
        parts += f":{finding.line}" + (f":{finding.column}" if finding.column is not None else "")
    if finding.pointer:
        parts += f"#{finding.pointer}"
    return printable(parts)


def sentence(finding: Finding) -> str:
    """Return what is wrong, what was expected, and what was found."""
    text = finding.message
    if finding.expected:
        text += f"; expected {finding.expected}"
    if finding.got is not None:
        text += f", got {_short(finding.got)}"
    return printable(text)


def _short(value: Any, limit: int = 80) -> str:
    if isinstance(value, float) and math.isinf(value):  # numbers with very many digits are read as infinite
        return "a number beyond what a float holds"
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def lines(findings: Iterable[Finding], places: int | None = FIRST_PLACES) -> Iterator[str]:
    """Yield the findings grouped by code, level and rule, the worst first, with exact counts and the first places.

    `places` is how many places of each group are listed; None for all.
    """
    groups: dict[tuple[str, str, str | None], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.code, finding.level, finding.rule].append(finding)
    ordered = sorted(groups.items(), key=lambda entry: (LEVELS.index(entry[1][0].level), entry[0][0]))
    for (code, _, rule), group in ordered:
        first = group[0]
        times = f" ({len(group)} times)" if len(group) > 1 else ""
        yield f"{first.level} {code}{times}" + (f"  [{rule}]" if rule else "")
        for finding in group[:places]:
            where = place(finding)
            yield f"  {where + ': ' if where else ''}{sentence(finding)}"
        if places is not None and len(group) > places:
            yield f"  … and {len(group) - places} more (--all lists them)"
        hint = next((finding.hint for finding in group if finding.hint), None)
        if hint:
            yield f"  → {hint}"


def summary(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings of each code there are, sorted by code."""
    return dict(sorted(Counter(finding.code for finding in findings).items()))


def amount(number: int, word: str) -> str:
    """Return a number of things: `1 object`, `2,000 objects`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def examples(names: Collection[str], shown: int = 3) -> str:
    """Return how many names there are, and the first of them: `5 (a, b, c and 2 more)`."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return f"{len(names):,} ({', '.join(islice(names, shown))}{more})"
