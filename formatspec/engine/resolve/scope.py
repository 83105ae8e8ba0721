"""Resolves names in rules: to a slot of the innermost record, a slot of an outer one, or a capture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from formatspec.codecs.registry import CODECS
from formatspec.language.errors import Place
from formatspec.language.rules import problem
from formatspec.language.words.other_names import slot_hint
from formatspec.model.slots import SLOTS, TABLES, RecordKind, Slot, Type, find_slot
from formatspec.paths.templates.template import Template

Where = Literal["record", "item", "capture", "column", "path", "option", "outer", "columns"]


class Meaning(msgspec.Struct, frozen=True):
    """What a name means. For a column, `name` is the slot and `table` the table."""

    where: Where
    name: str
    type: Type
    derived: bool = False
    table: str = ""
    outer: int = 0

    @property
    def counts_zero(self) -> bool:
        """Whether 0 is an ordinary value, as for an id, an order or a score, but not for a count."""
        return self.type in ("id", "int", "number") and not self.derived and self.where != "column"

    @property
    def value_type(self) -> Type:
        """The type of one value; a column holds many values, of any type."""
        return "json" if self.where == "column" else self.type


class Scope(msgspec.Struct, frozen=True):
    """The place of a rule: the kind of rows that contain it, the role of its document, and the captures.

    Attributes:
        textual: Whether the document's values are text.
        cells: Whether an empty text means no value, as in empty cells of a table.
        bound: Attributes of the innermost record with leaves of their own; tables of attributes leave them out.
        bases: For each role with a `base`, the folder from which paths inside files are relative.
    """

    kind: RecordKind
    role: str
    captures: Mapping[str, str | None]
    textual: bool = False
    cells: bool = False
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    outer: Scope | None = None
    table: str = ""
    bound: frozenset[str] = frozenset()
    bases: Mapping[str, Template] = msgspec.field(default_factory=dict)

    def inside(self, table: str) -> Scope:
        """Return the scope of a row of `table`."""
        return replace(self, kind=TABLES[table], outer=self, table=table)

    def below(self) -> Scope:
        """Return the scope inside a field: a mapping in a table's cell is JSON, not text."""
        return replace(self, textual=False, cells=False) if self.cells else self

    def meaning(self, name: str) -> Meaning | None:
        """Return what `name` means here; None if nothing."""
        found = find_slot(self.kind, name)
        if found is not None and name.startswith("path."):
            return Meaning("path", name.removeprefix("path."), "text")
        if found is not None:
            return _slot("record", found)
        if name == "columns" and self.kind == "dataset":
            return Meaning("columns", name, "texts")
        head, _, rest = name.partition(".")
        if head == "option" and rest in self.options:
            return Meaning("option", rest, "json")
        if head in TABLES and rest:
            kind = TABLES[head]
            found = find_slot(kind, rest)
            return None if found is None else Meaning("column", found[0], found[1].type, table=head)
        if self.kind != "item" and (head in ("item", "image") or (self.kind == "dataset" and head == "label")):
            found = find_slot("item", name)
            if found is not None:
                return _slot("item", found)
        outer, steps = self.outer, 1
        while outer is not None and head:
            if head == outer.kind and (found := find_slot(outer.kind, name)) is not None:
                return Meaning("outer", found[0], found[1].type, found[1].derived, outer=steps)
            outer, steps = outer.outer, steps + 1
        if name in self.captures:
            numeric = (self.captures[name] or "").endswith(("d", "f", "d?"))
            return Meaning("capture", name, "text" if self.textual and not numeric else "id")
        if self.kind != "item" and (found := find_slot("item", name)) is not None and name == "subset":
            return _slot("item", found)
        return None

    def is_captured(self, name: str) -> bool:
        """Return whether a name in a row is one that a path spells: the `name` of a category is not that of an item."""
        found = self.meaning(name)
        own = found is not None and found.where == "record" and self.kind != "item" and "." not in name
        return name in self.captures and not own

    def resolve(self, name: str, place: Place) -> Meaning:
        """Return what `name` means here. Raises SpecError with a suggestion."""
        meaning = self.meaning(name)
        if meaning is None:
            others = () if self.kind == "item" else (f"item.{slot}" for slot in SLOTS["item"])
            names = [*self.captures, *(f"image.{side}" for side in ("width", "height")), *others]
            raise problem(
                f"{name!r} is neither a slot of {'an' if self.kind[0] in 'aio' else 'a'} {self.kind} nor a capture",
                place,
                hint=self._instead(name) or slot_hint(name, SLOTS[self.kind], names),
            )
        return meaning

    def _instead(self, name: str) -> str:
        """Return a hint for a name that is a codec's, or an extension that no path has."""
        if name in CODECS:
            return f"`{name}` is a codec, and stands behind a slot: `SLOT | {name}`, as in `bbox | xywh`"
        if name == "ext" and "ext" not in self.captures:
            return (
                "the path of `image` has no `{ext}`: end that path in `.{ext:image}`, "
                "or write the extension itself here, as in `{name}.jpg`"
            )
        return ""


def _slot(where: Where, found: tuple[str, Slot]) -> Meaning:
    name, slot = found
    return Meaning(where, name, slot.type, slot.derived)
