"""Unquoted scalars of YAML by its core schema (YAML 1.2, section 10.3).

`yes`, `no`, `on`, `off` and `1:30` are text, `012` is 12, `0o14` and `0x1F` are whole numbers.
"""

from __future__ import annotations

import math
import re

MAX_DIGITS = 4000
"""The most characters of a whole number."""

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?[0-9]+")
PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


def core_scalar(raw: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar.

    Raises:
        ValueError: A whole number has more than MAX_DIGITS digits.
    """
    if raw == "" or raw[0] in "~nNtTfF":
        return WORDS.get(raw, raw)
    if raw[0] not in "0123456789+-.":
        return raw
    if INTEGER.fullmatch(raw):
        if len(raw) > MAX_DIGITS:
            raise ValueError(f"a number of more than {MAX_DIGITS} digits")
        return int(raw)
    if FLOAT.fullmatch(raw):
        return float(raw)
    if PREFIXED.fullmatch(raw):
        if len(raw) > MAX_DIGITS:
            raise ValueError(f"a number of more than {MAX_DIGITS} digits")
        return int(raw, 0)
    if _INFINITE.fullmatch(raw):
        return float(raw.replace(".", ""))
    return math.nan if raw in _NAN else raw
