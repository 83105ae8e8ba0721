"""What is known of one item, or of one shared document, while it is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from formatspec.codecs.registry import Env, Unfit
from formatspec.findings.codes import CODES
from formatspec.language.errors import Place

if TYPE_CHECKING:
    from formatspec.engine.plain_rows import PlainObjects

Path = tuple[str | int, ...]
Record = dict[str, Any]
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()


_UNSIZED = Env()
MILD = frozenset(name for name, code in CODES.items() if code.level != "error")
"""Codes that do not set a record aside."""


class Fault(NamedTuple):
    """A finding in the making: cheap to note, given its line and its words when it is reported."""

    code: str
    file: str
    path: Path
    place: Place | None
    message: str
    expected: str = ""
    got: Any = None
    object: Any = None


class Misfit(Unfit):
    """A value that decodes but cannot be, with the code of the finding."""

    def __init__(self, code: str, message: str, expected: str = "", got: object = None) -> None:
        super().__init__(expected, got)
        self.code = code
        self.message = message


class Job:
    """One item being put together from all its documents.

    item: its slots so far; tables: the records of each kind so far, in order of appearance;
    plain: its objects, where one table of plain rows tells all of them, instead of records.
    captures: the names that agree for all its files; env: what codecs may ask.
    """

    __slots__ = (
        "at", "captures", "categories", "deferred", "documents", "env", "faults", "file", "first", "item", "keyed",
        "origin", "place_of", "plain", "tables",
    )  # fmt: skip

    def __init__(self, captures: dict[str, Any], categories: Any, origin: bool) -> None:
        self.item: Record = {}
        self.tables: dict[str, list[Record]] = {}
        self.keyed: dict[tuple[str, ...], dict[Any, Record]] = {}
        self.plain: PlainObjects | None = None
        self.captures = captures
        self.env = _UNSIZED
        self.faults: list[Fault] = []
        self.file = ""
        self.at: Path = ()
        self.categories = categories
        self.origin = origin
        self.documents: dict[str, Any] = {}
        self.deferred: list[tuple[Any, Place, Record, Any, str, Path]] = []
        self.place_of: dict[str, tuple[str, Path]] = {}
        self.first: dict[str, str] = {}

    def size(self) -> tuple[int, int] | None:
        """Width and height of the image, as far as they are known by now."""
        return (self.env.width, self.env.height) if self.env.width else None

    def sized(self) -> None:
        """Let the codecs know the size, once the item does."""
        width, height = self.item.get("image.width"), self.item.get("image.height")
        if width and height and not self.env.width:
            self.env = Env(width, height)

    def fault(
        self, code: str, path: Path, place: Place | None, message: str, expected: str = "", got: Any = None
    ) -> None:
        self.faults.append(Fault(code, self.file, path, place, message, expected, got))


def put(record: Record, slot: str, value: Any, job: Job) -> None:
    """Set a slot, or see that it is what it was.  Raises Misfit CONFLICT."""
    old = record.get(slot, MISSING)
    if old is MISSING or old is None:
        record[slot] = value
    elif value is not None and (old != value or (type(old) is not type(value) and not _alike(old, value))):
        told = record.get("$file", job.first.get(slot, job.file))
        raise Misfit("CONFLICT", f"{slot} is told differently in {told}", _short(old), value)


def _alike(a: Any, b: Any) -> bool:
    numbers = (int, float)
    return isinstance(a, numbers) and isinstance(b, numbers) and not isinstance(a, bool) and not isinstance(b, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "…"
