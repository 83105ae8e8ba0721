"""Explains why the JSON parser stopped."""

from __future__ import annotations

import json
import re

from formatspec.files.broken.brackets import closing, open_brackets, said_of_open

_LOOKED_AT = 200
"""How many characters around the place are looked at."""
_QUOTED = 20
"""How many of them are shown."""


def broken(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong where the parser stopped, and what probably helps."""
    rest = text[error.pos : error.pos + _LOOKED_AT].lstrip()
    before = text[max(0, error.pos - _LOOKED_AT) : error.pos].rstrip()
    shown = repr(rest.split("\n")[0][:_QUOTED]) if rest else "the end of the file"
    if rest.startswith("'"):
        return f"{error.msg}; {shown} stands in single quotes: JSON takes double quotes alone"
    if not text.strip():
        return "the file is empty"
    if error.msg.startswith("Unterminated string"):
        said = error.msg.removesuffix(" starting at")
        return f"{said}; the quote that opens here is never closed{_left_open(text, error.pos)}"
    if rest[:1] in ("]", "}") and before.endswith(","):
        return f"{error.msg}; a comma stands before {rest[0]!r}: remove it"
    if rest[:1] in ("]", "}", ",", ":") and rest and before.endswith(":"):
        return f"{error.msg}; a key has no value before {shown}"
    stack, bad = open_brackets(text, error.pos + (rest[:1] in ("]", "}")))
    if bad:
        return f"{error.msg}; {bad}"
    if not rest:
        return f"{error.msg}; the file ends in the middle{_left_open(text, error.pos)}"
    if error.msg == "Extra data":
        return _extra(text, error.pos, shown)
    if "delimiter" in error.msg:
        still = f"; {said_of_open(text, stack[-1:])} is still open here" if stack else ""
        return f"{error.msg}, found {shown}; a comma, a colon or a bracket is missing before it{still}"
    if "property name" in error.msg:
        return f"{error.msg}, found {shown}"
    word = re.match(r"[\w.+-]+", rest)
    if word is not None:
        return f"{error.msg}; {_no_value(word[0])}"
    return f"{error.msg}, found {shown}"


_MEANT = {"True": "true", "False": "false", "None": "null"}
"""Values as Python prints them, and their JSON spelling."""


def _no_value(word: str) -> str:
    meant = _MEANT.get(word)
    return (
        f"{word!r} is no value: write `{meant}`" if meant else f"{word!r} is no value: a text stands in double quotes"
    )


def _left_open(text: str, end: int) -> str:
    """Return the message for a text that ends too early: it is cut off, or these brackets are never closed."""
    stack, _ = open_brackets(text, end)
    if not stack:
        return ": it is cut short"
    many = "are" if len(stack) > 1 else "is"
    return (
        f": it is cut short, or a bracket is never closed; {said_of_open(text, stack)} {many} open, "
        f"and {closing(stack)!r} would close {'them' if len(stack) > 1 else 'it'}"
    )


def _extra(text: str, at: int, shown: str) -> str:
    """Return the message for a text that continues after its document."""
    line = text[:at].rstrip().count("\n") + 1
    if shown[1] in '{["':
        return (
            f"Extra data; a second document begins with {shown}: a file of JSON holds one document; where each line "
            "is a document of its own, the file is JSON lines (`jsonl` in a spec)"
        )
    return (
        f"Extra data; the document ends before {shown}, with the bracket that closes on line {line}: "
        "a bracket that opens is missing above, or one closes too early or too often"
    )
