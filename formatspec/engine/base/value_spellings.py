"""Other spellings of a value that mean the same without doubt: yes for true, 0 for false, "7" for 7."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from formatspec.files.document import finite

_TRUE = (True, 1, "1", "true", "True", "TRUE", "yes", "Yes", "YES", 1.0, "1.0")
_FALSE = (False, 0, "0", "false", "False", "FALSE", "no", "No", "NO", 0.0, "0.0")
_MEANING = {**dict.fromkeys(("1", "true", "yes"), _TRUE), **dict.fromkeys(("0", "false", "no"), _FALSE)}
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?\d{1,18}(\.(\d{1,18}))?")
_EXACT = 1 << 53
"""Below this, whole numbers are exact as fractions."""


def other_spellings(value: Any) -> Iterator[Any]:
    """Yield the values that mean the same as a plain value and are spelled otherwise, or are of another type.

    For a mapping, this is the mapping without its values that hold NaN or infinity, if it has such values.
    """
    if isinstance(value, dict):
        fitting = {key: part for key, part in value.items() if not finite(part)[1]}
        if len(fitting) < len(value):
            yield fitting
        return
    text = str(value).strip().lower() if isinstance(value, bool | int | float | str) else ""
    if _NUMBER.fullmatch(text) is not None:
        text = text.removesuffix(".0")
        number = int(text) if _WHOLE.fullmatch(text) is not None else float(text)
        alike: tuple[Any, ...] = _MEANING.get(text, ()) or (number, float(number), text, str(float(number)))
    else:
        alike = _MEANING.get(text, (text, str(value).strip()) if isinstance(value, str) else ())
    for one in alike:
        if type(one) is not type(value) or one != value:
            yield one


def is_finite(text: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def numbers_of(value: Any, depth: int = 3) -> Any:
    """Return a value with the numbers that its texts spell; None if one of its texts spells none."""
    if type(value) is str:
        if "_" in value or not is_finite(value):  # Python alone reads 1_0 as 10
            return None
        number = float(value)
        return int(number) if number.is_integer() and value.isdecimal() and number < _EXACT else number
    if isinstance(value, (list, tuple)) and depth:
        read = [numbers_of(one, depth - 1) for one in value]
        return None if None in read else read
    return value
