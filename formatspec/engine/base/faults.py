"""Faults: what a reader notes, from which findings are made later."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from formatspec.codecs.registry import UnfitError
from formatspec.files.document import EncodingError, text_of
from formatspec.findings.table import CODES
from formatspec.language.errors import Place, nearest

DocumentPath = tuple[str | int, ...]


Record = dict[str, Any]


MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()


MILD = frozenset(name for name, code in CODES.items() if code.level != "error")
"""Codes that do not reject a record."""
OF_ATTRIBUTES = frozenset({"spelling", "attribute"})
"""Cases of FIELD that do not reject a record: an attribute is read from another spelling, or left out."""


class Fault(NamedTuple):
    """A problem noted while reading. Noting is cheap; line and words are added when it is reported.

    Attributes:
        object: The id of the object, or a line and a column.
        case: Which of the code's cases it is.
        about: The record of an object that is kept in spite of it; once its item is built, the object's index there.
        scope: What is affected, if that is more or less than the case says.
        slot, value, size: The value that was checked, and the size of its image.
    """

    code: str
    file: str
    path: DocumentPath
    place: Place | None
    message: str
    expected: str = ""
    got: Any = None
    object: Any = None
    case: str = ""
    about: Any = None
    scope: str = ""
    slot: str = ""
    value: Any = None
    size: tuple[int, int] | None = None

    @property
    def sets_aside(self) -> bool:
        """Whether it rejects the record in which it was found."""
        return self.about is None and not self.is_mild and not self.is_of_attribute

    @property
    def is_mild(self) -> bool:
        """Whether it is about a value that is read all the same, as meant."""
        return self.code in MILD or (self.code == "UNKNOWN_CATEGORY" and self.case == "spelling")

    @property
    def is_of_attribute(self) -> bool:
        """Whether it is about a single attribute, without which the record is read."""
        return self.code == "FIELD" and self.case in OF_ATTRIBUTES


def unread(error: Exception, file: str, place: Place | None, scope: str) -> Fault:
    """Return the fault of a file that cannot be read; `scope` is `item` for a file of one item."""
    at = (getattr(error, "line", None), getattr(error, "column", None))
    code, case = ("FILE_ENCODING", "none") if isinstance(error, EncodingError) else ("FILE_UNREADABLE", "")
    if scope == "item" and not case:
        case = "item"
    message = str(getattr(error, "message", error))
    return Fault(code, file, (), place, message, object=at, case=case, scope=scope)


@lru_cache(maxsize=1024)
def missing_key(key: str, present: tuple[Any, ...]) -> str:
    """Return the message for a missing key; it suggests which of the present keys may be a misspelling of it."""
    others = [one for one in present if isinstance(one, str) and one and one[0] not in "{#^~[@*<"]
    words = f"{key!r} is missing"
    if len(others) == 1 and (mark := next((mark for mark in ";\t|," if mark in others[0]), None)) is not None:
        return (
            f"{words}; all that stands there is {others[0]!r}: where {mark!r} parts the columns, "
            f"say `style: {{delimiter: {mark!r}}}` in the spec, or save the file with the delimiter that it has"
        )
    near = nearest(key, others)
    if near is not None and near.strip() == key:
        return (
            f"{words}; {near!r} stands there, with a blank: where ', ' parts the columns, say "
            "`style: {delimiter: ', '}` in the spec, or take the blank away"
        )
    if near is not None:
        return f"{words}; {near!r} stands there"
    shown = ", ".join(map(repr, others[:_PRESENT]))
    return f"{words}; {shown}{', …' if len(others) > _PRESENT else ''} stand there" if len(others) > 1 else words


_COMMA = re.compile(r"-?\d+,\d+")


def decimal_comma(value: Any) -> str:
    """Return a hint if a value is or contains a number with a decimal comma."""
    texts = value if isinstance(value, list | tuple) else (value,)
    found = next((one for one in texts if isinstance(one, str) and _COMMA.fullmatch(one.strip())), None)
    if found is None:
        return ""
    return f": {found!r} has a comma; write {found.strip().replace(',', '.')}, or add `| decimal_comma` to the leaf"


_PRESENT = 6
"""How many of the present keys are named if one is missing."""


def other_encoding(data: bytes, file: str, place: Place | None, encodings: tuple[str, ...]) -> Fault | None:
    """Return the fault of a text in another encoding than the first of those that it may have."""
    if len(encodings) < 2 or data.isascii():
        return None
    used = text_of(data, encodings)[1]
    if used == encodings[0]:
        return None
    case = "mark" if used == f"{encodings[0]}-sig" else ""
    return Fault("FILE_ENCODING", file, (), place, f"the file is {used}", encodings[0], case=case)


def other_parting(parted: tuple[str, str] | None, file: str, place: Place | None) -> list[Fault]:
    """Return the fault of a table whose cells are parted by the first of two marks in words, and not by the second."""
    return [] if parted is None else [
        Fault("FILE_DELIMITER", file, (), place, f"{parted[0]} part the cells", parted[1])
    ]  # fmt: skip


class MisfitError(UnfitError):
    """A value can be decoded but is not possible; it has the code and case of the finding."""

    def __init__(self, code: str, message: str, expected: str = "", got: object = None, case: str = "") -> None:
        """Take the finding's code, its message, what was expected, the value, and the case of the code."""
        super().__init__(expected, got, code)
        self.message = message
        self.case = case
