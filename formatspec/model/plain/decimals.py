"""Numbers as text spells them: one way to read them and one way to write them."""

from __future__ import annotations

import re
from typing import Any

DECIMAL = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
"""The pattern of a decimal number in any clear spelling, including `10.`, `.5` and `+007`."""
LONGEST = 400
"""The most characters of a number, since reading a whole number takes quadratic time."""
PLAIN_BELOW = 1e15
"""Numbers below this are written without an exponent."""
_DECIMAL = re.compile(DECIMAL)
_WHOLE = re.compile(r"[-+]?[0-9]+")


def read_decimal(text: str) -> int | float | None:
    """Read a number from text: an int if it has neither a point nor an exponent.

    The result is None for a text that spells no number, is longer than LONGEST, or has blanks around the number. An
    exponent beyond the range of doubles gives an infinite float.
    """
    if len(text) > LONGEST:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None


def whole_number(value: Any) -> int | None:
    """Return the whole number that a text spells as numbers are written, so not `007`; None for other values."""
    if type(value) is not str or not value.isdecimal() or len(value) > _DIGITS:
        return None
    return int(value) if str(int(value)) == value else None


_DIGITS = 18
"""The most digits of a number that stands in a text."""


def spell_decimal(value: float) -> str:
    """Return the shortest decimal that reads back as the same number, without an exponent if 20 decimals are enough.

    0.00001 is written so and not as 1e-05, and 1e16 as 1e+16. A whole float keeps its `.0`, so that it is read as a
    float.
    """
    if isinstance(value, int):
        return str(int(value))
    text = repr(float(value))
    if "e" in text and abs(value) < PLAIN_BELOW:
        plain = f"{value:.20f}".rstrip("0").rstrip(".")
        return plain if float(plain) == value else text
    return text
