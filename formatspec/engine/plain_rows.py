"""Rows that are as a spec has them, read by a function written for them; where one is not, the readers that judge
read them all again.

So that what is said of a row is said in one place, a plain reader says nothing: it gives up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from formatspec.codecs.registry import Unfit
from formatspec.codecs.values import FARTHEST
from formatspec.engine.binding import MARGIN, puts_only
from formatspec.engine.chain import build
from formatspec.engine.conditions import always
from formatspec.engine.generated import function
from formatspec.engine.job import Job, Record
from formatspec.engine.kinds import raw_noting
from formatspec.engine.merging import OBJECTS_BY_ID
from formatspec.engine.reading import Context, choice_reader, field_reader, nothing, unread_kinds
from formatspec.engine.row_reading import RowReader
from formatspec.engine.rows import Decode, RowSource, fields_of
from formatspec.engine.scope import Meaning, Scope
from formatspec.engine.telling import keys_of
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule, inside

_NUMBER = int | float
_TYPES: dict[str, Any] = {"id": int | str, "int": int, "text": str, "bool": bool}
"""Types whose values need no other look than at their type."""
_BOX = tuple[_NUMBER, _NUMBER, _NUMBER, _NUMBER]
_PLACED = ("id", "parent", "name")
"""Slots whose places are noted, for what is said of them later."""


class PlainRows(msgspec.Struct, frozen=True):
    """How plain rows of a table are read.

    decode: the bytes of a list of rows to typed rows; raises ValueError where one is not plain.
    read: typed rows, the path of their table, the place of the first, their file and their item's job to records;
    None where one is not plain.
    """

    decode: Decode
    read: Callable[[Sequence[Any], tuple[str, ...], int, str, Job], list[Record] | None]
    by_id: bool

    def take(self, rows: RowSource, first: int, behind: int, path: tuple[str, ...], file: str, job: Job) -> bool:
        """Read rows into a job that knows no objects yet; whether that was done."""
        if "object" in job.tables or job.categories.match:
            return False
        typed = rows.typed(first, behind, self.decode)
        if typed is None:
            return False
        before = len(job.faults)
        made = self.read(typed, path, first, file, job)
        job.at = ()
        if made is None or len(job.faults) > before:
            del job.faults[before:]
            return False
        job.tables["object"] = made
        if self.by_id:
            job.keyed[OBJECTS_BY_ID] = {(record["id"],): record for record in made}
        return True


def plain_rows(reader: RowReader, context: Context) -> PlainRows | None:
    """The plain reader of a table of objects; None where its rows ask for more than such a reader can."""
    rule, scope = reader.rule.row, reader.scope.inside(reader.table)
    fields = fields_of([reader.rule], reader.scope, context)
    if reader.kind != "object" or reader.table == "children" or reader.overlap or reader.by not in ((), ("id",)):
        return None
    if fields is None or not isinstance(rule, MapRule) or scope.textual or context.compares:
        return None
    if any(len(field.keys) > 1 for field in rule.fields) or (rule.rest is None and rule.alternatives):
        return None
    if _gathers(rule, scope):
        return None
    return _Writing(reader, rule, scope, context, fields).made()


def _gathers(rule: Rule, scope: Scope) -> bool:
    """Whether a rule tells of more records than that of its row."""
    if isinstance(rule, TableRule):
        return True
    meanings = (scope.meaning(name) for name in _names(rule))
    return any(one is not None and one.where == "column" for one in meanings) or any(
        _gathers(one, scope) for one in inside(rule)
    )


def _names(rule: Rule) -> Iterator[str]:
    for bind in bindings(rule.leaf) if isinstance(rule, LeafRule) else ():
        yield from bind.names


class _Writing:
    """A plain reader in the making: the fields of its typed rows, its lines, and the names that those use."""

    def __init__(
        self, reader: RowReader, rule: MapRule, scope: Scope, context: Context, asked: dict[str, bool]
    ) -> None:
        self.reader = reader
        self.rule = rule
        self.scope = scope
        self.context = context
        self.asked = asked
        self.types: list[tuple[str, Any, Any]] = []
        self.keys: dict[str, str] = {}
        self.names: dict[str, Any] = {"UNSET": UNSET, "Unfit": Unfit}
        self.bound = Counter(name for one in _leaves(rule) for name in _names(one))

    def made(self) -> PlainRows:
        lines = [line for field in self.rule.fields for line in self._field(field)]
        for alternatives in self.rule.alternatives:
            noted = self._noted(alternatives)
            if noted:
                lines += noted
                continue
            read = self._name("choose", choice_reader(alternatives, self.scope, self.context))
            lines.append("part = {}")
            for key in dict.fromkeys(key for one in alternatives.alternatives for key in sorted(keys_of(one))):
                slot = self._typed(key, self._loose(key), optional=True)
                lines.append(f"if row.{slot} is not UNSET: part[{key!r}] = row.{slot}")
            lines.append(f"{read}(part, record, job)")
        return PlainRows(self._decode(), function(_HEAD, self._body(lines), self.names), self.reader.by == ("id",))

    def _decode(self) -> Decode:
        strict = self.rule.rest is None and not self.rule.part
        row = msgspec.defstruct(
            "Row", self.types, rename=self.keys, forbid_unknown_fields=strict, kw_only=True, gc=False
        )
        return msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]

    def _body(self, lines: list[str]) -> Iterator[str]:
        reader = self.reader
        yield "item, env, knows, closed = job.item, job.env, job.categories.knows, job.categories.closed"
        yield "size = job.size()"
        yield f"near, right, bottom = (-{FARTHEST!r}, {FARTHEST!r}, {FARTHEST!r}) if size is None else ("
        yield f"    -{MARGIN!r}, size[0] + {MARGIN!r}, size[1] + {MARGIN!r})"
        yield "made, known, at, job.file = [], set(), None, file"
        yield "try:"
        yield "    for place, row in enumerate(rows, first):"
        yield "        at = job.at = (*path, place)"
        yield "        record = {}"
        yield from (f"        {line}" for line in lines)
        if reader.fits is not always:
            yield f"        if not {self._name('fits', reader.fits)}(record, job): return None"
        if reader.by:
            yield "        key = record.get('id')"
            yield "        if key is None or key in known: return None"
            yield "        known.add(key)"
            yield f"        record['$table'] = {reader.number!r}"
        yield "        record['$file'] = file"
        yield "        made.append(record)"
        yield "except Unfit:"
        yield "    return None"
        yield "return made"

    def _field(self, field: Field) -> Iterator[str]:
        """The lines that read one field."""
        key = field.keys[0]
        leaf = field.rule.leaf if isinstance(field.rule, LeafRule) else None
        read = field_reader(field, self.scope, self.context, ())
        if read is nothing:
            self._typed(key, msgspec.Raw, field.optional)
            return
        inline = self._inline(field, leaf) if isinstance(leaf, Bind) and self.asked.get(key) else None
        kind, lines = inline or (self._loose(key), ())
        slot = self._typed(key, kind, field.optional)
        if not lines:
            lines = (f"{self._name('read', read)}(value, record, job)",)
        if field.optional:
            yield f"if row.{slot} is not UNSET:"
            yield f"    value = row.{slot}"
            yield from (f"    {line}" for line in lines)
        else:
            yield f"value = row.{slot}"
            yield from lines

    def _noted(self, alternatives: OneOf) -> tuple[str, ...]:
        """The lines that note geometry of which nobody asks for more; none where alternatives are read."""
        kinds = unread_kinds(alternatives, self.scope, self.context)
        note = None if kinds is None else raw_noting(kinds)
        if kinds is None or note is None:
            return ()
        slot = self._typed(kinds.keys[0], msgspec.Raw, optional=True)
        note_it = f"{self._name('note', note)}(row.{slot}, record)"
        return (f"if row.{slot} is not UNSET and not {note_it}: return None",)

    def _inline(self, field: Field, leaf: Bind) -> tuple[Any, tuple[str, ...]] | None:
        """The type of a leaf's value and the lines that read it; None where its own reader does."""
        if len(leaf.names) > 1 or self.bound[leaf.names[0]] > 1:
            return None
        meaning = self.scope.resolve(leaf.names[0], field.place)
        chain = build(leaf, [meaning.value_type], 1, False, field.place)
        if meaning.where == "record" and meaning.name == "bbox" and all(one.same for one in chain.codecs):
            return _BOX, _BOX_LINES
        lines = self._put(meaning)
        if lines is None:
            return None
        if not chain.codecs and meaning.value_type in _TYPES:
            return _TYPES[meaning.value_type], lines
        return Any, (f"value = {self._name('decode', chain.decode)}(value, env)", *lines)

    def _put(self, meaning: Meaning) -> tuple[str, ...] | None:
        """The lines that put a value where it belongs."""
        name = meaning.name
        if meaning.where == "item" and name == "id":
            return ("if item.get('id') != value or type(value) is not type(item['id']): return None",)
        if meaning.where != "record" or meaning.derived:
            return None
        if name in ("category.id", "category.index", "category.name"):
            slot = name.removeprefix("category.")
            return (
                f"if value is None or (closed and not knows({slot!r}, value)): return None",
                f"record[{name!r}] = value",
            )
        if name in _PLACED:
            return f"record[{name!r}] = value", f"record['${name}_at'] = (file, (*at, {self._key_of(name)!r}))"
        return (f"record[{name!r}] = value",) if puts_only(meaning, self.scope) else None

    def _key_of(self, name: str) -> str:
        """The key of the leaf that binds a name."""
        return next(field.keys[0] for field in self.rule.fields if name in _names(field.rule))

    def _loose(self, key: str) -> Any:
        return Any if self.asked.get(key) else msgspec.Raw

    def _typed(self, key: str, kind: Any, optional: bool) -> str:
        """One more field of the typed rows; gives its name."""
        name = f"f{len(self.types)}"
        self.keys[name] = key
        absent = kind if kind in (Any, msgspec.Raw) else kind | UnsetType
        self.types.append((name, absent, UNSET) if optional else (name, kind, msgspec.NODEFAULT))
        return name

    def _name(self, kind: str, value: Any) -> str:
        """A name by which the lines have a value."""
        name = f"{kind}{len(self.names)}"
        self.names[name] = value
        return name


_HEAD = "read(rows, path, first, file, job)"
_BOX_LINES = (
    "x, y, width, height = value",
    "if not (width >= 0 and height >= 0 and x >= near and y >= near): return None",
    "if not (x + width <= right and y + height <= bottom): return None",
    "record['bbox'] = value",
)


def _leaves(rule: Rule) -> Iterator[Rule]:
    yield rule
    for one in inside(rule):
        yield from _leaves(one)
