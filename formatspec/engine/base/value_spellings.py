"""Other spellings of a value that mean the same without doubt: yes for true, 0 for false, "7" for 7."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from formatspec.files.document import finite

_TRUE = (True, 1, "1", "true", "True", "TRUE", "yes", "Yes", "YES", 1.0, "1.0")
_FALSE = (False, 0, "0", "false", "False", "FALSE", "no", "No", "NO", 0.0, "0.0")
_MEANING = {**dict.fromkeys(("1", "true", "yes"), _TRUE), **dict.fromkeys(("0", "false", "no"), _FALSE)}
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?\d{1,18}(\.(\d{1,18}))?")


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
