"""Faults: findings in the making, with the place that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from formatspec.codecs.registry import UnfitError
from formatspec.findings.table import CODES
from formatspec.language.errors import Place

if TYPE_CHECKING:
    pass

DocumentPath = tuple[str | int, ...]


Record = dict[str, Any]


MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()


MILD = frozenset(name for name, code in CODES.items() if code.level != "error")
"""Codes that do not set a record aside."""


class Fault(NamedTuple):
    """A finding in the making: cheap to note, given its line and its words when it is reported.

    object: the id of the object that is concerned, or a line and a column.  case: which of the code's cases it is.
    about: the record of an object that stands all the same, and once its item is built the object's place there.
    scope: what is concerned, where that is more or less than the case says.  slot, value, size: what was judged, of
    an image of this size.
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
        """Whether the record in which it was found is not to be used."""
        return self.about is None and self.code not in MILD


class MisfitError(UnfitError):
    """A value that decodes but cannot be, with the code and case of the finding."""

    def __init__(self, code: str, message: str, expected: str = "", got: object = None, case: str = "") -> None:
        super().__init__(expected, got, code)
        self.message = message
        self.case = case
