"""Faults: findings in the making, with the place that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from formatspec.codecs.registry import UnfitError
from formatspec.findings.codes import CODES
from formatspec.language.errors import Place

if TYPE_CHECKING:
    pass

DocumentPath = tuple[str | int, ...]


Record = dict[str, Any]


MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()


MILD = frozenset(name for name, code in CODES.items() if code.level != "error")
"""Codes that do not set a record aside."""


class Fault(NamedTuple):
    """A finding in the making: cheap to note, given its line and its words when it is reported."""

    code: str
    file: str
    path: DocumentPath
    place: Place | None
    message: str
    expected: str = ""
    got: Any = None
    object: Any = None


class MisfitError(UnfitError):
    """A value that decodes but cannot be, with the code of the finding."""

    def __init__(self, code: str, message: str, expected: str = "", got: object = None) -> None:
        super().__init__(expected, got)
        self.code = code
        self.message = message
