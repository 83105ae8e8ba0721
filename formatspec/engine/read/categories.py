"""The categories of a dataset: a table that rows refer to, or all categories that rows state."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from formatspec.engine.base.faults import Record
from formatspec.engine.read.item_state import ItemState
from formatspec.files import csv_file
from formatspec.files.document import FileError
from formatspec.language.errors import Place, Problem, SpecError, nearest
from formatspec.language.load import SPEC_LIMIT, Layout, Source, place_at
from formatspec.language.schema import CategoryTable
from formatspec.model.plain.decimals import whole_number
from formatspec.model.records import Category, Origin

_NUMBERS = ("id", "index")
"""Slots by which rows may refer to a category and which are valid within a split."""
_NAMES = ("name", "color")
"""Slots by which rows may refer to a category and which are valid in all splits."""
_KEYS = ("id", "index", "name", "color")
CATEGORIES = "$categories"
"""The key under which a record holds the categories as its split numbers them, if several splits were read."""
_SLOTS = tuple(field for field in Category.__struct_fields__ if field not in ("attributes", "origin"))


_TOLD = 8
"""How many categories a message lists one by one."""


def _listed(known: Iterable[Any], names: Mapping[Any, str | None]) -> str:
    """Return the values that categories have, with their names; consecutive numbers as `0 to 2`."""
    values = list(known)
    first = [f"{value!r} ({names[value]})" if names.get(value) else repr(value) for value in values[:_TOLD]]
    more = f", … ({len(values)} in all)" if len(values) > _TOLD else ""
    numbers = sorted(value for value in values if type(value) is int)
    if len(numbers) == len(values) and len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1:
        words = [names.get(value) or "" for value in numbers[:_TOLD]]
        shown = f" ({', '.join(words)}{', …' if more else ''})" if all(words) else ""
        return f"{numbers[0]} to {numbers[-1]}{shown}"
    return f"{'one of ' if len(values) > 1 else ''}{', '.join(first)}{more}"


def _plain_name(name: Any) -> str:
    """Return a name in the composed form of Unicode, with single blanks between its words."""
    return " ".join(unicodedata.normalize("NFC", str(name)).split())


class Categories:
    """The categories that are known while reading.

    Attributes:
        listed: The table, by index.
        closed: Whether rows may name no other categories.
        match: Slots by which rows refer to a table that lists only names.
        numbered: Categories as the rows number them, each with the category of `listed` that it is; empty if rows use
            the numbers of `listed`.
        merged: Whether some categories stand for others of the same name.
        adds: Whether rows may add others by their numbers, which a finding reports.
        pixels: The pixel value that each of their colours stands for, by the path of the label images.
    """

    def __init__(
        self, listed: Sequence[Category], closed: bool, match: tuple[str, ...] = (),
        numbered: Sequence[tuple[Category, Category]] = (),
    ) -> None:  # fmt: skip
        """Index the categories by each of their names and numbers; see the class."""
        self.listed = tuple(listed)
        self.closed = closed
        self.match = match
        self._by: dict[str, dict[Any, Category]] = {key: {} for key in _KEYS}
        alike = [(one, one) for one in self.listed]
        for keys, pairs in (_NUMBERS, numbered or alike), (_NAMES, (*numbered, *alike)):
            for key in keys:
                for own, category in pairs:
                    value = getattr(own, key)
                    if value is not None and value != "":
                        self._by[key].setdefault(value, category)
        self._as_read = {
            id(category): own for own, category in numbered if (own.id, own.index) != (category.id, category.index)
        }
        self.numbered = tuple(numbered)
        self._told: dict[str, str] = {}
        self.listed_in: tuple[str, ...] = ()
        """The files that list them, as messages name these."""
        self.merged, self.adds = len({id(category) for _, category in numbered}) < len(numbered), False
        self.pixels: dict[str, dict[Any, int]] = {}
        self._met: dict[Any, Category] = {}
        self._named: dict[str, _Named] = {}
        self._plain: dict[str, list[str]] | None = None

    def opened(self) -> Categories:
        """Return the same categories, to which rows may add others by their numbers."""
        made = Categories(self.listed, False, self.match, self.numbered)
        made.adds, made.listed_in = True, self.listed_in
        return made

    def merged_by_name(self) -> Categories:
        """Return the categories with only the first of each name, which stands for the others."""
        first: dict[Any, Category] = {}
        for category in self.listed:
            first.setdefault((category.name, category.parent), category)
        own = [(one, first[same.name, same.parent]) for one, same in self.numbered]
        made = Categories(tuple(first.values()), self.closed, self.match, own)
        made.listed_in = self.listed_in
        for category in self.listed:
            same = first[category.name, category.parent]
            for key in ("id", "index"):
                value = getattr(category, key)
                if same is not category and value is not None:
                    made._by[key].setdefault(value, same)
                    made.merged = True
        return made

    def all_named(self, name: str) -> Categories:
        """Return the categories with this name for those that have none."""
        own = {id(one): one if one.name else msgspec.structs.replace(one, name=name) for one in self.listed}
        numbered = [(as_told, own[id(one)]) for as_told, one in self.numbered]
        made = Categories(tuple(own.values()), self.closed, self.match, numbered)
        return made.merged_by_name() if any(one.name == name for one in self.listed) else made

    @property
    def apart(self) -> Iterable[Category]:
        """The categories as the rows number them, if they differ from `listed`."""
        return self._as_read.values()

    def as_read(self, category: Category | None) -> Category | None:
        """Return a category as the rows number it."""
        return self._as_read.get(id(category), category)

    def knows(self, slot: str, value: Any) -> bool:
        """Return whether the table has a category with this value of a slot."""
        try:
            return value in self._by[slot]
        except TypeError:
            return False

    def spelled(self, slot: str, value: Any) -> Any:
        """Return the value of a slot that one category has and that is spelled otherwise; None if there is none.

        A number may be a text, and a name may differ in blanks or in its Unicode form.
        """
        known = self._by.get(slot, {})
        if slot in _NUMBERS:
            other: Any = str(value) if type(value) is int else whole_number(str(value).strip())
            return other if other in known else None
        if slot != "name" or type(value) is not str:
            return None
        if self._plain is None:
            self._plain = {}
            for name in known:
                self._plain.setdefault(_plain_name(name), []).append(name)
        found = self._plain.get(_plain_name(value), ())
        return found[0] if len(found) == 1 and found[0] != value else None

    def told(self, slot: str, value: Any) -> str:
        """Return what a value of a slot could have been, for a message: the nearest name, or the known numbers."""
        known = self._by.get(slot, {})
        if not known:
            return ""
        other = next((one for one in known if type(one) is not type(value) and str(one) == str(value)), None)
        if other is not None:
            return f"{other!r}, {'a text' if isinstance(other, str) else 'a number without quotes'}"
        near = nearest(value, map(str, known)) if isinstance(value, str) and slot == "name" else None
        listed = self._told.get(slot)
        if listed is None:
            names = {} if slot == "name" else {value: category.name for value, category in known.items()}
            files = f", listed in {' and '.join(self.listed_in[:2])}" if self.listed_in else ""
            listed = self._told[slot] = f"{_listed(known, names)}{files}"
        return f"{listed}; did you mean {near!r}?" if near is not None else listed

    def named(self, slot: str) -> Mapping[Any, Category]:
        """Return the categories by one slot, for rows that state no other slot of the category.

        A lookup raises LookupError if a closed table has no such category, or if the value cannot be a name.
        """
        if slot not in self._named:
            self._named[slot] = _Named(self, slot)
        return self._named[slot]

    def find(self, record: Record) -> Category | None:
        """Return the category of the table that a row refers to."""
        if not self.listed:
            return None
        for slot in self.match:
            found = self._by["name"].get(record.get(slot))
            if found is not None:
                return found
        if self.match:
            return None
        for key in _KEYS:
            value = record.get(f"category.{key}")
            if value is not None:
                try:
                    found = self._by[key].get(value)
                except TypeError:
                    found = None
                if found is not None:
                    return found
        return None

    def resolve(self, record: Record, stated: Record | None = None) -> Category | None:
        """Return the category of a row, as the same object for equal ones; None if the row has none.

        `stated` holds what the row states about it.
        """
        if stated is None:
            stated = {s: value for s, value in record.items() if s.startswith("category.") and value is not None}
        if not stated:
            return None
        try:
            key = tuple(stated.items()) if not self.match else (*stated.items(), *(record.get(m) for m in self.match))
            met = self._met.get(key)
        except TypeError:
            key = (repr(stated),)
            met = self._met.get(key)
        if met is None:
            met = self._met[key] = self._made(stated, record)
        return met

    def _made(self, stated: Mapping[str, Any], record: Record) -> Category:
        found = self.find(record)
        if found is None and self.adds and "category.name" not in stated:
            values = {slot.removeprefix("category."): value for slot, value in stated.items()}
            return category_of({**values, "name": f"class_{next(iter(values.values()))}"})
        if found is None:
            return category_of({slot.removeprefix("category."): value for slot, value in stated.items()})
        if self.match and found.id is None:
            own = category_of({slot.removeprefix("category."): value for slot, value in stated.items()})
            return msgspec.structs.replace(own, name=found.name, index=found.index)
        return found


class _Named(dict[Any, Category]):
    """The categories by the values of a slot; each is found at its first lookup."""

    def __init__(self, categories: Categories, slot: str) -> None:
        super().__init__()
        self.categories = categories
        self.slot = slot

    def __missing__(self, value: Any) -> Category:
        closed = self.categories.closed or self.categories.adds  # categories that rows add are reported elsewhere
        unknown = not self.categories.knows(self.slot, value)
        if value is None or (unknown and (closed or self.categories.spelled(self.slot, value) is not None)):
            raise LookupError(value)
        stated = {f"category.{self.slot}": value}
        found = self.categories.resolve(stated, stated)
        assert found is not None
        self[value] = found
        return found


def categories_of(record: Mapping[str, Any], state: ItemState) -> Categories:
    """Return the categories as the split of a record's rows numbers them."""
    found: Categories = record.get(CATEGORIES, state.categories)
    return found


def category_of(values: Mapping[str, Any]) -> Category:
    """Make a category from slots."""
    plain = {name: value for name, value in values.items() if name in _SLOTS and value is not None}
    attributes = {n.removeprefix("attributes."): v for n, v in values.items() if n.startswith("attributes.")}
    return Category(**plain, attributes=attributes)


def from_state(state: ItemState) -> list[Category]:
    """Return the categories that shared documents list, in their order."""
    made = []
    for position, record in enumerate(state.tables.get("category", ())):
        category = category_of({"index": record.get("?index", position), **record})
        if "$rows" in record:
            origin = Origin(record["$rows"])
            category = msgspec.structs.replace(category, origin=origin)
            origin.as_read = category
        made.append(category)
    return made


def merged(groups: Iterable[Sequence[Category]]) -> list[Category]:
    """Merge the tables of several files: equal id and name are one category; the first file's order is kept."""
    found: dict[Any, Category] = {}
    lists = list(groups)
    for group in lists:
        met: set[Any] = set()
        for category in group:
            key: Any = (category.id, category.name)
            if category.id is None and key in met:
                key = (*key, category.index)  # a category that occurs twice in a file has two numbers there
            met.add(key)
            found[key] = joined_category(found[key], category) if key in found else category
    if len(lists) == 1 and len({category.index for category in found.values()}) == len(found):
        return list(found.values())  # a list may skip numbers
    return [
        category if category.index == index else msgspec.structs.replace(category, index=index)
        for index, category in enumerate(found.values())
    ]


def joined_category(known: Category, other: Category) -> Category:
    """Return a category that two files describe; values missing in the first are taken from the second."""
    filled = {
        name: value
        for name in Category.__struct_fields__
        if name != "origin" and getattr(known, name) in (None, "", (), {}) and (value := getattr(other, name))
    }
    origin = known.origin
    if origin is not None and other.origin is not None:
        origin = Origin({**other.origin.rows, **origin.rows})
    if not filled and origin is known.origin:
        return known
    made = msgspec.structs.replace(known, **filled, origin=origin)
    if origin is not None:
        origin.as_read = made
    return made


def from_names(names: Sequence[str], with_ids: bool) -> list[Category]:
    """Return the categories that a user names, numbered from 0: by index and, if rows state ids, by id."""
    return [Category(id=index if with_ids else None, index=index, name=name) for index, name in enumerate(names)]


def identity(category: Category) -> tuple[Any, ...]:
    """Return what distinguishes a category: its id and name, or else its colour or its number."""
    if category.id is not None or category.name:
        return category.id, category.name
    return None, "", category.color, None if category.color is not None else category.index


def table_of(source: Source, layout: Layout, entry: CategoryTable) -> list[Category]:
    """Return the categories of a table that a spec names. Raises SpecError, as `from_table` does."""
    place = place_at(layout.node, "categories", layout.spec.categories.index(entry))
    file = source.beside(entry.table, place)
    if not file.is_file():
        raise SpecError((Problem(f"the table {entry.table!r} is a folder", place, "a CSV file"),))
    return from_table(file)


def from_table(file: Path) -> list[Category]:
    """Read a table of categories beside a spec: a CSV file whose columns are slots of a category.

    Raises:
        SpecError: The table cannot be read; the error names the file and the line.
    """
    try:
        data = file.read_bytes() if file.stat().st_size <= SPEC_LIMIT else None
    except OSError as error:
        raise SpecError((Problem(f"the table {file} cannot be read: {error.strerror}", None),)) from None
    if data is None:
        raise SpecError((Problem(f"the table {file} is larger than {SPEC_LIMIT:,} bytes", None),))
    try:
        rows = csv_file.decode(data)
        made = []
        for index, row in enumerate(rows):
            if None in row:
                raise ValueError(f"the row has more cells than columns: {row[None][0]!r}")
            slots = {slot: _cell(slot, text) for slot, text in row.items() if text != ""}
            made.append(category_of({"index": index, **slots}))
    except FileError as error:
        raise SpecError((Problem(error.message, Place(str(file), error.line or 1, error.column or 1)),)) from None
    except ValueError as error:
        line, _ = csv_file.locate(data, (len(made),)) or (1, 1)
        raise SpecError((Problem(str(error), Place(str(file), line, 1)),)) from None
    return made


_WHOLE = re.compile(r"-?[0-9]{1,18}")


def _cell(slot: str, text: str) -> Any:
    if slot in ("id", "index"):
        if _WHOLE.fullmatch(text):
            return int(text)
        if slot == "index":
            raise ValueError(f"an index is a whole number, not {text!r}")
        return text
    if slot == "color":
        parts = text.split()
        if not parts or not all(_WHOLE.fullmatch(part) and 0 <= int(part) <= 255 for part in parts):
            raise ValueError(f"a color is whole numbers from 0 to 255 with blanks between, not {text!r}")
        return tuple(int(part) for part in parts)
    if slot == "countable":
        return text == "true"
    if slot.startswith("attributes.") and _WHOLE.fullmatch(text):
        return int(text)
    if slot in ("path", "part_names", "attribute_names", "keypoint_names"):
        return tuple(part.strip() for part in text.split(";"))
    return text


def sorted_open(categories: Iterable[Category]) -> list[Category]:
    """Sort an open list by id or else by name, so that the order of the items does not matter."""
    unique: dict[Any, Category] = {}
    for category in categories:
        known = unique.get(identity(category))
        if known is None or repr(category) < repr(known):
            unique[identity(category)] = category

    def order(category: Category) -> Any:
        numeric = isinstance(category.id, int)
        return (
            category.index is None,
            category.index if category.index is not None else 0,
            not numeric,
            category.id if numeric else 0,
            str(category.id or ""),
            category.name,
            category.color or (),
        )

    return [
        category if category.index is not None else msgspec.structs.replace(category, index=index)
        for index, category in enumerate(sorted(unique.values(), key=order))
    ]
