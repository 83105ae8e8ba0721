"""Finds the brackets of an invalid JSON text that are still open, and where one is missing."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"|[\[\]{}]')
_CLOSING = {"[": "]", "{": "}"}
_NEAR = 20
"""How many characters may lie between a key and its bracket."""
_SHOWN = 3
"""How many open brackets are named, from the innermost."""


class Bracket(NamedTuple):
    """An opening bracket: its character, its offset, and the key before it, if any."""

    mark: str
    at: int
    key: str


def open_brackets(text: str, end: int) -> tuple[list[Bracket], str]:
    """Return the brackets that are open at an offset, outermost first, and a note on the first bad pair before it.

    A pair is bad if its brackets differ, or if the line that begins with the closing bracket has another indentation
    than the line of the opening one. The latter is only a hint, and is only used for a text with one value per line.
    """
    stack: list[Bracket] = []
    said = key = ""
    for found in _TOKEN.finditer(text, 0, end):
        mark = found[0]
        if mark[0] == '"':
            key = mark
        elif mark in _CLOSING:
            named = key if text[max(0, found.start() - _NEAR) : found.start()].rstrip()[-1:] == ":" else ""
            stack.append(Bracket(mark, found.start(), named))
        elif stack:
            opened = stack.pop()
            said = said or _bad_pair(text, opened, mark, found.start())
    return stack, said


def said_of_open(text: str, stack: list[Bracket]) -> str:
    """Return the innermost open brackets in words, each with its place and its key."""
    shown = [f"{one.mark!r} of {_place(text, one.at)}{f' ({one.key})' if one.key else ''}" for one in stack[-_SHOWN:]]
    more = f" and {len(stack) - _SHOWN} around them" if len(stack) > _SHOWN else ""
    return ", ".join(reversed(shown)) + more


def closing(stack: list[Bracket]) -> str:
    """Return the brackets that would close the open ones."""
    return "".join(_CLOSING[one.mark] for one in reversed(stack))


def _bad_pair(text: str, opened: Bracket, mark: str, at: int) -> str:
    """Return what is wrong with a bracket that closes another one; an empty text if nothing is."""
    if _CLOSING[opened.mark] != mark:
        named = said_of_open(text, [opened])
        return f"the {mark!r} of {_place(text, at)} stands where {named} is open: {_CLOSING[opened.mark]!r} is missing"
    first, last = _line(text, opened.at), _line(text, at)
    depth = _indent(text, last)
    if first == last or text[last:at].strip() or depth == _indent(text, first):
        return ""
    pair = f"the {mark!r} of line {_number(text, at)} closes the {opened.mark!r} of line {_number(text, opened.at)}"
    if depth < _indent(text, first):
        return f"{pair}, which is indented deeper: {mark!r} is missing between them"
    deeper = _deeper(text, first, last)
    where = f" before line {deeper}, which is indented deeper than the line above it" if deeper else ""
    return f"{pair}, which is indented less: a bracket that opens is missing{where}"


def _deeper(text: str, first: int, last: int) -> int | None:
    """Return the first line that is indented deeper than the line above it although that opens nothing."""
    above = ""
    for number, line in enumerate(text[first:last].split("\n"), _number(text, first)):
        if not line.strip():
            continue
        if above and _depth(line) > _depth(above) and above.rstrip()[-1] not in "[{":
            return number
        above = line
    return None


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _indent(text: str, at: int) -> int:
    end = text.find("\n", at)
    return _depth(text[at : end if end >= 0 else len(text)])


def _number(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _place(text: str, at: int) -> str:
    return f"{_number(text, at)}:{at - _line(text, at) + 1}"
