"""Mutable state while one item, or one shared document, is read: its records, faults and captures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from formatspec.codecs.registry import Env
from formatspec.engine.base.faults import MISSING, DocumentPath, Fault, MisfitError, Record
from formatspec.engine.resolve.scope import Scope
from formatspec.language.errors import Place
from formatspec.language.expression import Expression
from formatspec.model.flaws import flaws, miscounted
from formatspec.model.limits import TooLargeError, check_size
from formatspec.model.records import Object
from formatspec.model.region import Region


class DeviatesError(Exception):
    """A fast reader gives up after the state has taken some of the item, so the validating readers read it again."""


class FastObjects(msgspec.Struct, frozen=True):
    """The objects of an item that a fast reader made of consecutive rows.

    Attributes:
        objects: The objects, in the order of their rows.
        file: The file of the rows.
        path: The path of the rows' table in the file.
        start: The position of the first row in its table.
    """

    objects: tuple[Object, ...]
    file: str
    path: DocumentPath
    start: int

    def materialize(self, state: ItemState) -> None:
        """Put the records that the validating readers would have made into the state's tables.

        Raises:
            DeviatesError: The validating readers must read the item themselves.
        """
        raise NotImplementedError


_UNSIZED = Env()
OBJECTS_BY_ID = ("object", "id")
"""The key under which a state holds the objects by their ids."""

PIXEL = "$pixel"
"""The key of a record for the pixel value of the label image that it was read from."""


NamedFar = Callable[[str, Sequence[str]], Sequence[str]]
"""Gives the item names that share the longest end with an absolute path; several if none is nearest."""


class Judged(NamedTuple):
    """A geometry value that is checked once its object and its image's size are known."""

    record: Record
    slot: str
    value: Any
    file: str
    path: DocumentPath
    place: Place


class Mark(NamedTuple):
    """The content of an item state before a row that may turn out to belong to another table."""

    item: Record
    counts: dict[str, int]
    keyed: dict[tuple[str, ...], dict[Any, Record]]
    judged: int
    deferred: int
    kept: int
    restated: int


class Restated(NamedTuple):
    """The value of a kept field of a row, which may be the one that its leaf's expression makes.

    Attributes:
        leaf: What is the same for all values of the field.
        record: The row's record.
        value: The value.
        place: The row's position in its table; None if its document has no tables.
    """

    leaf: RestatingLeaf
    record: Record
    value: Any
    place: int | None


class RestatingLeaf(msgspec.Struct, eq=False):
    """A leaf that keeps a value, and makes one by an expression where the source has none.

    Attributes:
        default: The expression.
        spec_place: Where the spec states it.
        scope: What names mean there.
        key: The name of the field in the report.
        made: The compiled expression; None before it is asked for.
    """

    default: Expression
    spec_place: Place
    scope: Scope
    key: str
    made: Callable[[Any], Any] | None = None


class ItemState(msgspec.Struct, eq=False):
    """One item while it is put together from all its documents.

    Attributes:
        item: Its slots so far.
        tables: The records of each kind so far, in the order of their rows.
        plain: Its objects, if a fast reader made all of them from one table; there are no records then.
        captures: The names that agree for all its files.
        categories: The categories of the item's split.
        origin: Whether records keep their source rows, for writing to the same format.
        env: Values that codecs may use.
        judged: Geometry that is checked when the item is complete.
        refers: Whether anything refers to objects by ids.
        stated: The names as a document spells them, if they differ from the files'; None for what a document spells in
            another way than as a name, such as a path.
        kept: How many kept and unknown fields held a value, over the rows of all records.
        restated: Values of kept fields that are compared with what would be made when the item is complete.
        named_far: Finds an item's name by the end of an absolute path, while rows are joined to items.
        lists: Whether documents list the objects that label images show.
        outlined: Whether a row of an object states its outline beside its box.
    """

    captures: dict[str, Any]
    categories: Any
    origin: bool
    item: Record = {}
    tables: dict[str, list[Record]] = {}
    keyed: dict[tuple[str, ...], dict[Any, Record]] = {}
    plain: FastObjects | None = None
    env: Env = _UNSIZED
    faults: list[Fault] = []
    judged: list[Judged] = []
    file: str = ""
    at: DocumentPath = ()
    stated: dict[str, Any] = {}
    named_far: NamedFar | None = None
    refers: bool = False
    lists: bool = False
    outlined: bool = False
    documents: dict[str, Any] = {}
    deferred: list[tuple[Any, Place, Record, Any, str, DocumentPath]] = []
    place_of: dict[str, tuple[str, DocumentPath]] = {}
    first: dict[str, str] = {}
    too_large: bool = False
    kept: int = 0
    restated: list[Restated] = []

    def may_be_plain(self) -> bool:
        """Return whether a fast reader may make the item's objects: there are none yet, and no classes are matched."""
        return self.plain is None and "object" not in self.tables and not self.categories.match

    def says_nothing(self, made: Sequence[Object] | None, faults: int, noted: int) -> bool:
        """Return whether nothing is to be said of objects that a fast reader made; the values that it noted are taken.

        Args:
            made: The objects; None if the reader gave up.
            faults: How many faults there were before.
            noted: How many values to judge there were before.
        """
        judged = self.judged[noted:]
        if judged:
            del self.judged[noted:]
        if made is None or self.faults[faults:]:
            return False
        if not judged:
            return True
        size = self.size()
        if any(flaws(one.slot, one.value, size) for one in judged):
            return False
        return not (any(one.slot == "keypoints" for one in judged) and any(map(miscounted, made)))

    def materialize_records(self) -> None:
        """Replace objects of a fast reader by their records, so that other rows can add to them."""
        if self.plain is not None:
            self.plain.materialize(self)
            self.plain = None

    def mark(self) -> Mark:
        """Return the present content, to which `forget` can return."""
        return Mark(
            dict(self.item),
            {name: len(records) for name, records in self.tables.items()},
            {slots: dict(known) for slots, known in self.keyed.items()},
            len(self.judged),
            len(self.deferred),
            self.kept,
            len(self.restated),
        )

    def forget(self, mark: Mark) -> None:
        """Take back the records and slots that were read since `mark`; faults stay."""
        self.item.clear()
        self.item.update(mark.item)
        for name, records in self.tables.items():
            del records[mark.counts.get(name, 0) :]
        for slots, known in self.keyed.items():
            known.clear()
            known.update(mark.keyed.get(slots, {}))
        del self.judged[mark.judged :]
        del self.deferred[mark.deferred :]
        self.kept = mark.kept
        del self.restated[mark.restated :]

    def add_void(self, region: Region | None) -> None:
        """Add pixels about which the item states nothing."""
        known = self.item.get("void")
        self.item["void"] = region if known is None else known if region is None else known | region

    def size(self) -> tuple[int, int] | None:
        """Return the width and height of the image, as far as known."""
        return (self.env.width, self.env.height) if self.env.width else None

    def sized(self) -> None:
        """Pass the image's size to the codecs, once it is known."""
        width, height = self.item.get("image.width"), self.item.get("image.height")
        info = self.item.get("$info")
        if width and height and info is not None and info.as_displayed == (width, height):
            self.env = Env(width, height)
            return
        if width and height and not self.env.width and not self.too_large:
            try:
                check_size(width, height)
            except TooLargeError as error:
                self.too_large = True
                for slot in ("image.width", "image.height"):
                    file, path = self.place_of.get(slot, (self.file, self.at))
                    self.faults.append(Fault("IMAGE_SIZE", file, path, None, str(error), got=self.item[slot]))
                return
            self.env = Env(width, height)

    def fault(
        self, code: str, path: DocumentPath, place: Place | None, message: str, expected: str = "", got: Any = None,
        **more: Any,
    ) -> None:  # fmt: skip
        """Note a fault in the current file; `more` are further fields of the fault."""
        self.faults.append(Fault(code, self.file, path, place, message, expected, got, **more))


def whole_of(record: Record) -> Record:
    """Return the record that a row's record was merged into, or the record itself."""
    while (same := record.get("$same")) is not None:
        record = same
    return record


def put(record: Record, slot: str, value: Any, state: ItemState) -> None:
    """Set a slot; a slot that has another value already raises MisfitError CONFLICT."""
    old = record.get(slot, MISSING)
    if old is MISSING or old is None:
        record[slot] = value
    elif value is not None and (old != value or (type(old) is not type(value) and not _alike(old, value))):
        told = record.get("$file", state.first.get(slot, state.file))
        other = "the file's name" if slot in state.captures and state.captures[slot] == old else told
        where = "elsewhere in this file" if other == state.file else f"in {other}"
        words = f"{slot} is {_short(value)} here, but {_short(old)} {where}"
        raise MisfitError("CONFLICT", words, _short(old), value)


def _alike(a: Any, b: Any) -> bool:
    numbers = (int, float)
    return isinstance(a, numbers) and isinstance(b, numbers) and not isinstance(a, bool) and not isinstance(b, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "…"
