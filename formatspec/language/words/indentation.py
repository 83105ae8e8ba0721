"""Finds lines of a spec with wrong indentation, or without the colon after their key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\{[^{}]*\}|\[[^\[\]]*\]")
_SHOWN = 60
_LOOKED_AT = 1000
"""How many characters of a line, and how many lines above one, are looked at, so that hostile text costs little."""


class _Column(NamedTuple):
    """The column (from 1) of the entries of an open block, the line where it began, and whether dashes precede it."""

    column: int
    line: int
    is_list: bool


def indentation_fault(message: str, lines: Sequence[str], line: int, column: int) -> tuple[str, str] | None:
    """Say what is wrong with the indentation or the colons near a syntax error, and what to do.

    Args:
        message: What the YAML reader says.
        lines: The lines of the spec.
        line: The line where it says so, from 1.
        column: The column there, from 1.

    Returns:
        What is wrong and what to do; None if nothing is seen.
    """
    if not 0 < line <= len(lines):
        return None
    if "while parsing a block" in message and column == _indent(lines[line - 1]) + 1:
        return _misplaced(lines, line)
    if "mapping values are not allowed" in message or "could not find expected ':'" in message:
        return _without_colon(lines, line) or _too_deep(lines, line)
    return None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _is_list(text: str) -> bool:
    return text.lstrip(" ").startswith("- ")


def _above(lines: Sequence[str], line: int) -> Iterator[int]:
    """Yield the lines above one that are not empty, the nearest first."""
    for at in range(line - 1, max(0, line - _LOOKED_AT), -1):
        text = lines[at - 1].strip()
        if text and not text.startswith("#"):
            yield at


def _open_columns(lines: Sequence[str], line: int) -> list[_Column]:
    """Return the blocks that are open at a line, innermost first."""
    found: list[_Column] = []
    least = _LOOKED_AT
    for at in _above(lines, line):
        text, indent = lines[at - 1], _indent(lines[at - 1])
        if indent >= least:
            continue
        if _is_list(text):
            behind = indent + len(text.lstrip(" ")) - len(text.lstrip(" -"))
            if behind < least:
                found.append(_Column(behind + 1, at, False))
            found.append(_Column(indent + 1, at, True))
        else:
            found.append(_Column(indent + 1, at, False))
        least = indent
    return found


def _misplaced(lines: Sequence[str], line: int) -> tuple[str, str] | None:
    text = lines[line - 1]
    column, is_list = _indent(text) + 1, _is_list(text)
    open_columns = _open_columns(lines, line)
    fits = [one for one in open_columns if one.column == column]
    if any(one.is_list == is_list for one in fits):
        return None
    what = "a row of a list, with a dash," if is_list else "a key"
    if not fits:
        listed = ", ".join(f"line {one.line} at column {one.column}" for one in open_columns[:4])
        if not listed:
            return None
        return f"{what} begins at column {column}, where nothing above it that it could belong to begins", (
            f"indent it as what it belongs to: {listed}"
        )
    if is_list:
        rows = next((one for one in open_columns if one.is_list), None)
        where = "indent it deeper than the key that it stands under"
        if rows is not None:
            where = f"the last row above it, on line {rows.line}, has its dash at column {rows.column}: indent it alike"
        begins = f"a row of a list begins at column {column}"
        return f"{begins}, among the keys of a mapping (line {fits[0].line})", where
    dash = fits[0]
    return (
        f"a key begins at column {column}, where the dash of line {dash.line} stands",
        f"the keys of a row stand behind its dash, at column {column + 2}: "
        f"indent this line deeper, or the dash of line {dash.line} less",
    )


def _without_colon(lines: Sequence[str], line: int) -> tuple[str, str] | None:
    """Return a problem if the line, or the one above it, should be `key: value` and has no colon."""
    for at in (line, *list(_above(lines, line))[:1]):
        text = lines[at - 1].strip()[:_LOOKED_AT]
        bare = _QUOTED.sub("", text)
        if text and ":" not in bare and not text.startswith(("- ", "#")) and not bare.endswith((",", "}", "]")):
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
            key = text.split()[0]
            value = " …" if len(text.split()) > 1 else ""
            return f"line {at} has no colon behind its key: {shown}", f"write `{key}:{value}`"
    return None


def _too_deep(lines: Sequence[str], line: int) -> tuple[str, str] | None:
    """Return a problem if a line is indented deeper than the one above it, which already has a value."""
    above = next(_above(lines, line), None)
    if above is None:
        return None
    before, text = lines[above - 1], lines[line - 1]
    begins = _indent(before)
    begins += len(before.lstrip(" ")) - len(before.lstrip(" -")) if _is_list(before) else 0
    if _indent(text) <= begins or before.rstrip().endswith(":"):
        return None
    return (
        f"line {line} is indented deeper than line {above}, which has its value already",
        f"indent it alike: by {begins} blanks",
    )
