"""Fast reader for well-formed rows of a table, generated as Python source.

Any row that deviates makes it give up, and the validating reader reads the whole run again. A fast reader reports
nothing, so that each finding has one origin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import Record
from formatspec.engine.base.kept_fields import AREA, KEPT, holds_value, note_kept
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.read.bind_slots import NAMED, slot_binding
from formatspec.engine.read.build_item import OBJECT, group_slots
from formatspec.engine.read.categories import Categories
from formatspec.engine.read.compile_reader import choice_reader, field_reader, unread_kinds
from formatspec.engine.read.item_state import OBJECTS_BY_ID, FastObjects, ItemState
from formatspec.engine.read.json_type_dispatch import raw_held
from formatspec.engine.read.leaf_reader import ReadContext, holds_restating, nothing, states_area
from formatspec.engine.read.projection import Decode, RowSource, fields_of
from formatspec.engine.read.rows.merge_rows import BY_ID, RowReader
from formatspec.engine.read.rows.row_condition import always, holds_unsaid
from formatspec.engine.resolve.codec_chain import Memo, build
from formatspec.engine.resolve.discriminators import keys_of, may_say_nothing
from formatspec.engine.resolve.fuse_arithmetic import BOUNDS, IN_IMAGE, box_lines
from formatspec.engine.resolve.held_slots import UNREAD
from formatspec.engine.resolve.questions.tables import bound_names, holds_tables
from formatspec.engine.resolve.scope import Scope
from formatspec.language import expression
from formatspec.language.leaf import Bind, Keep, names_of
from formatspec.language.rules import Field, MapRule, OneOf, Rule
from formatspec.model.amounts import amounts
from formatspec.model.records import Object, Origin, note_area

_NUMBER = int | float
_TYPES: dict[str, Any] = {"id": int | str, "int": int, "text": str, "bool": bool}
"""The types of values that need no check beyond their type."""
_FEW = frozenset({"bool", "state"})
"""The types of values of which there are few; what a number in the file means is remembered."""
_BOX = tuple[_NUMBER, _NUMBER, _NUMBER, _NUMBER]
_APART = frozenset({"path", "outer", "column"})
"""Meanings of names that are no slot of a row's object."""
MOST_KEYS = 64
"""The most keys that rows with a fast reader may have."""
_DEFAULTS = {slot: getattr(Object(), slot) for slot in OBJECT}


Wider = Callable[[tuple[str, ...]], "FastRows | None"]
"""Gives the reader of rows with further kept keys."""


class FastRows(msgspec.Struct, frozen=True):
    """The fast reader of a table's rows.

    Attributes:
        decode: Decodes the bytes of a list of rows to typed rows; raises ValueError if a row deviates.
        read: Turns typed rows, the path of their table, the position of the first, their file and the item's state into
            objects; returns None if a row deviates.
        stated: The slots of categories that rows state.
        id_key: The key of the rows' ids.
        keys: The keys that typed rows have.
        kept: Those of them that the format only keeps.
        wider: Gives the reader of rows with further kept keys, if these are noted.
        widened: The reader that `wider` gave last.
    """

    decode: Decode
    read: Callable[[Sequence[Any], tuple[str, ...], int, str, ItemState], list[Object] | None]
    reader: RowReader
    stated: tuple[str, ...]
    id_key: str | None
    keys: frozenset[str]
    kept: tuple[str, ...]
    wider: Wider | None
    widened: list[FastRows]

    def take(self, rows: RowSource, start: int, stop: int, path: tuple[str, ...], file: str, state: ItemState) -> bool:
        """Read rows into a state without objects. Return whether this was possible."""
        if not state.may_be_plain():
            return False
        using = self.widened[-1] if self.widened else self
        typed = rows.typed(start, stop, using.decode)
        if typed is None and self.wider is not None:
            typed, using = self._widened(rows, start, stop, using)
        return typed is not None and self.put(typed, start, path, file, state, using)

    def put(
        self, typed: Sequence[Any], start: int, path: tuple[str, ...], file: str, state: ItemState,
        using: FastRows | None = None,
    ) -> bool:  # fmt: skip
        """Read typed rows into a state without objects. Return whether this was possible.

        `using` is the reader of these rows if they have more kept keys than this reader knows.
        """
        using = self if using is None else using
        before, noted = len(state.faults), len(state.judged)
        made = using.read(typed, path, start, file, state)
        state.at = ()
        if not state.says_nothing(made, before, noted) or made is None:
            del state.faults[before:]
            return False
        state.plain = PlainObjects(tuple(made), file, path, start, using, state.categories)
        if using.kept:
            state.kept += sum(_is_there(getattr(row, name)) for name in using.kept for row in typed)
        return True

    def _widened(
        self, rows: RowSource, start: int, stop: int, using: FastRows
    ) -> tuple[Sequence[Any] | None, FastRows]:
        """Return typed rows with their further kept keys, and the reader for them; None if other things deviate."""
        plain = rows.some(start, stop, None)
        new = {key: None for row in plain if isinstance(row, dict) for key in row if key not in using.keys}
        if not new or self.wider is None or len(using.keys) + len(new) > MOST_KEYS:
            return None, using
        wider = self.wider((*(key for key in using.keys if key not in self.keys), *new))
        typed = None if wider is None else rows.typed(start, stop, wider.decode)
        if wider is None or typed is None:
            return None, using
        self.widened[:] = [wider]
        return typed, wider


class PlainObjects(FastObjects, frozen=True):
    """The objects of an item, made of consecutive rows."""

    rows: FastRows
    categories: Categories

    def materialize(self, state: ItemState) -> None:
        """Put the records that the validating readers would have made into the state's tables."""
        records = [self._record(thing, (*self.path, place)) for place, thing in enumerate(self.objects, self.start)]
        state.tables["object"] = records
        if self.rows.reader.by == BY_ID:
            state.keyed[OBJECTS_BY_ID] = {(record["id"],): record for record in records}

    def _record(self, thing: Object, at: tuple[str | int, ...]) -> Record:
        record: Record = {slot: value for slot in OBJECT if (value := getattr(thing, slot)) is not _DEFAULTS[slot]}
        record.update({f"attributes.{name}": value for name, value in thing.attributes.items()})
        category = self.categories.as_read(thing.category)
        if category is not None:
            record.update({f"category.{slot}": getattr(category, slot) for slot in self.rows.stated})
        if self.rows.id_key is not None:
            record["$id_at"] = (self.file, (*at, self.rows.id_key))
        if thing.origin is not None:
            record[KEPT] = thing.origin.kept
            if thing.origin.area is not None:
                record[AREA] = thing.origin.area.value
        if self.rows.reader.by:
            record["$table"] = self.rows.reader.number
        record["$file"], record["$at"] = self.file, at
        return record


def _is_there(value: Any) -> bool:
    return value is not UNSET and holds_value(value)


def generate_rows_reader(reader: RowReader, context: ReadContext) -> FastRows | None:
    """Generate the fast reader of a table of objects; None if its rows need more than such a reader can do."""
    if not amounts().generates:
        return None
    rule, scope = reader.rule.row, reader.scope.inside(reader.table)
    fields = fields_of([reader.rule], reader.scope, context)
    if reader.kind != "object" or reader.table == "children" or reader.overlap or reader.by not in ((), ("id",)):
        return None
    if fields is None or not isinstance(rule, MapRule) or scope.textual or context.compares:
        return None
    if any(len(field.keys) > 1 for field in rule.fields) or (rule.rest is None and rule.alternatives):
        return None
    if _tells_more(rule, scope) or (context.counts and holds_restating(rule)):
        return None
    if not context.counts or not isinstance(rule.rest_leaf, Keep):
        return _Writing(reader, rule, scope, context, fields).made()

    def made(kept: tuple[str, ...], wider: Wider | None = None) -> FastRows | None:
        return _Writing(reader, rule, scope, context, fields, kept).made(wider)

    return made((), made)


def generate_words_reader(reader: RowReader, context: ReadContext, counts: Mapping[str, int]) -> FastRows | None:
    """Generate the fast reader of rows that are lists of numbers; None if a row needs more than its values.

    Args:
        reader: The validating reader of a row.
        context: What is read.
        counts: How many numbers each key of a row takes, in order.
    """
    rule, scope = reader.rule.row, reader.scope.inside(reader.table)
    if reader.kind != "object" or reader.table == "children" or reader.overlap or reader.by != ():
        return None
    if not isinstance(rule, MapRule) or rule.rest is not None or rule.alternatives or _tells_more(rule, scope):
        return None
    if [field.keys for field in rule.fields] != [(key,) for key in counts] or holds_restating(rule):
        return None
    return _Writing(reader, rule, scope, context, dict.fromkeys(counts, True), counts=counts).made()


def _tells_more(rule: Rule, scope: Scope) -> bool:
    """Return whether a rule describes more than the object of its row."""
    meanings = [one for name in bound_names(rule) if (one := scope.meaning(name)) is not None]
    apart = any(one.where in _APART or one.derived or one.name in ("parent", "name") for one in meanings)
    return apart or holds_tables(rule)


class _Writing:
    """A fast reader that is being generated: the fields of typed rows, its lines, and the names that they use.

    Attributes:
        slots: The variables that hold an object's slots, for leaves that give one value. Values from other readers, and
            values that the table's condition needs, are put in `record`.
        counts: For rows that are lists of numbers, how many numbers each key takes; empty for rows that are mappings.
    """

    def __init__(
        self,
        reader: RowReader,
        rule: MapRule,
        scope: Scope,
        context: ReadContext,
        asked: dict[str, bool],
        kept: tuple[str, ...] = (),
        counts: Mapping[str, int] = {},
    ) -> None:
        self.counts = counts
        self.reader = reader
        self.rule = rule
        self.scope = scope
        self.context = context
        self.asked = asked
        self.types: list[tuple[str, Any, Any]] = []
        self.keys: dict[str, str] = {}
        self.names = Names(UNSET=UNSET, UnfitError=UnfitError, Object=Object, Origin=Origin, group_slots=group_slots)
        self.bound = Counter(bound_names(rule))
        self.slots: dict[str, str] = {}
        self.stated = tuple(name for name in self.bound if name.startswith("category."))
        where = reader.rule.each.where
        self.tested = frozenset(expression.names(where)) if where is not None else frozenset()
        self.read_apart = False
        self.kept = kept
        self.noted: list[str] = []

    def made(self, wider: Wider | None = None) -> FastRows | None:
        """Return the reader; None for a list of numbers that needs more. `wider` makes one for further kept keys."""
        lines = [line for field in self.rule.fields for line in self._field(field)]
        for alternatives in self.rule.alternatives:
            lines += self._noted(alternatives) or self._chosen(alternatives)
        lines += [line for key in self.kept for line in self._of_rest(key)]
        if self.counts and self.read_apart:
            return None
        id_key = next((field.keys[0] for field in self.rule.fields if "id" in names_of(field.rule.leaf)), None)
        stated = tuple(name.removeprefix("category.") for name in self.stated)
        read = function(_HEAD, self._body(lines), self.names)
        decode, keys = self._decode(), frozenset(self.keys.values())
        return FastRows(decode, read, self.reader, stated, id_key, keys, tuple(self.noted), wider, [])

    def _decode(self) -> Decode:
        strict = (self.rule.rest is None or self.context.counts) and not self.rule.part
        row = msgspec.defstruct(
            "Row", self.types, rename=self.keys, forbid_unknown_fields=strict, kw_only=True, gc=False,
            array_like=bool(self.counts),
        )  # fmt: skip
        return msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]

    def _body(self, lines: list[str]) -> Iterator[str]:
        yield "item, env, categories = state.item, state.env, state.categories"
        yield "own = item['id'] if 'id' in item else None"
        if self._names_one_category():
            yield f"named = categories.named({self.stated[0].removeprefix('category.')!r})"
        yield "size = (env.width, env.height) if env.width else None"
        yield from BOUNDS
        yield "made, state.file = [], file"
        if self.reader.fits is not always:
            where = self.reader.rule.each.where
            bare = True if where is not None and holds_unsaid(where, self.scope, ()) else None
            yield f"fits, bare = {self.names.of('fits', self.reader.fits)}, {bare}"
        yield "try:"
        yield "    for place, row in enumerate(rows, start):"
        yield from (f"        {line}" for line in (*self._start(), *lines, *self._end()))
        yield "except (UnfitError, LookupError):"
        yield "    return None"
        if self.reader.by:
            yield "ids = {one.id for one in made}"
            yield "if len(ids) < len(made) or None in ids: return None"
        yield "return made"

    def _start(self) -> Iterator[str]:
        if self._needs_record():
            yield "record = {}"

    def _end(self) -> Iterator[str]:
        """Yield the lines that make an object of a row's values; one without values is as any other."""
        if self.reader.fits is not always:
            yield "if not record and bare is None: bare = bool(fits(record, state))"
            yield "if not (fits(record, state) if record else bare): return None"
        told = [f"{slot}={variable}" for slot, variable in self.slots.items()]
        if self.stated:
            told.append("category=category")
        if self.stated and not self._names_one_category():
            yield "category = None"
        made = f"made.append(Object({', '.join(told)}))"
        if not self._needs_record():
            yield made
            return
        yield "if record:"
        yield "    told, stated, attributes = group_slots(record)"
        yield f"    for slot in {tuple(self.slots)!r}: told.pop(slot, None)"
        if self.stated and not self._names_one_category():
            yield "    if stated: category = categories.resolve(record, stated)"
        if self.noted or self.context.areas:
            told.append(f"origin=Origin(kept=record.get({KEPT!r}, ())) if {_NOTED} else None")
        yield f"    made.append(Object({', '.join((*told, 'attributes=attributes', '**told'))}))"
        if self.context.areas:
            yield f"    if {AREA!r} in record: {self.names.of('note_area', note_area)}(made[-1], record[{AREA!r}])"
        yield f"else: {made}"

    def _needs_record(self) -> bool:
        return (
            self.read_apart or self.reader.fits is not always or (bool(self.stated) and not self._names_one_category())
        )

    def _names_one_category(self) -> bool:
        """Return whether a row gives one slot of its category that identifies it."""
        return len(self.stated) == 1 and self.stated[0] in NAMED and self.bound[self.stated[0]] == 1

    def _field(self, field: Field) -> Iterator[str]:
        """Yield the lines that read one field."""
        key = field.keys[0]
        leaf = field.rule.leaf
        read = field_reader(field, self.scope, self.context, ())
        if read is nothing:
            self._typed(key, msgspec.Raw, field.optional)
            return
        inline = self._inline(field, leaf) if isinstance(leaf, Bind) and self.asked.get(key) else None
        if inline is None:
            self.read_apart = True
            told = ("state.at = (*path, place)", f"{self.names.of('read', read)}(value, record, state)")
            inline = self._loose(key), told, ""
        kind, lines, otherwise = inline
        slot = self._typed(key, kind, field.optional)
        if isinstance(leaf, Keep) and not states_area(leaf, self.scope):
            self.noted.append(slot)
        if not field.optional:
            yield f"value = {self._value(key, slot)}"
            yield from lines
            return
        yield f"if row.{slot} is not UNSET:"
        yield f"    value = row.{slot}"
        yield from (f"    {line}" for line in lines)
        if otherwise:
            yield f"else: {otherwise}"

    def _of_rest(self, key: str) -> Iterator[str]:
        """Yield the lines that note a further kept key."""
        self.read_apart = True
        slot = self._typed(key, msgspec.Raw, optional=True)
        self.noted.append(slot)
        note = self.names.of("note", note_kept)
        holds = self.names.of("holds", holds_value)
        yield f"if row.{slot} is not UNSET and {holds}(row.{slot}): {note}(record, {key!r})"

    def _noted(self, alternatives: OneOf) -> tuple[str, ...]:
        """Return the lines that note geometry of which only the presence matters; none if alternatives are read."""
        kinds = unread_kinds(alternatives, self.scope, self.context)
        held = None if kinds is None else raw_held(kinds)
        if kinds is None or held is None or any(slot in self.slots for slots in kinds.slots for slot in slots):
            return ()
        field = self._typed(kinds.keys[0], msgspec.Raw, optional=True)
        slots = tuple(dict.fromkeys(slot for of_one in kinds.slots for slot in of_one))
        variables = [self._slot(slot) for slot in slots]
        empty = ", ".join(repr(_DEFAULTS[slot]) for slot in slots)
        held_by = {of_one: [UNREAD if slot in of_one else _DEFAULTS[slot] for slot in slots] for of_one in kinds.slots}
        table = self.names.of("geometry", {**held_by, (): [_DEFAULTS[slot] for slot in slots]})
        return (
            f"{', '.join(variables)}, = {empty},",
            f"if row.{field} is not UNSET:",
            f"    held = {self.names.of('held', held)}(row.{field})",
            "    if held is None: return None",
            f"    {', '.join(variables)}, = {table}[held]",
        )

    def _chosen(self, alternatives: OneOf) -> Iterator[str]:
        """Yield the lines that read alternatives."""
        self.read_apart = True
        read = self.names.of("choose", choice_reader(alternatives, self.scope, self.context))
        yield "part = {}"
        for key in dict.fromkeys(key for one in alternatives.alternatives for key in sorted(keys_of(one))):
            slot = self._typed(key, self._loose(key), optional=True)
            yield f"if row.{slot} is not UNSET: part[{key!r}] = row.{slot}"
        indent = ""
        if may_say_nothing(alternatives.alternatives[0]):
            yield "if part:"
            indent = "    "
        yield f"{indent}state.at = (*path, place)"
        yield f"{indent}{read}(part, record, state)"

    def _inline(self, field: Field, leaf: Bind) -> tuple[Any, tuple[str, ...], str] | None:
        """Generate the lines that read a leaf without calling its own reader.

        Returns:
            The type of the leaf's value, the lines that read it, and the line for rows that lack it; None where the
            leaf's own reader must be called.
        """
        if len(leaf.names) > 1 or self.bound[leaf.names[0]] > 1:
            return None
        meaning = self.scope.resolve(leaf.names[0], field.place)
        chain = build(leaf, [meaning.value_type], 1, False, field.place)
        if chain.others or (self.counts and any(not one.same and one.formulas is None for one in chain.codecs)):
            return None
        if meaning.where == "record" and meaning.name == "bbox" and all(one.same for one in chain.codecs):
            return _BOX, (*_BOX_LINES, *self._kept("bbox")), f"{self._slot('bbox')} = None"
        if meaning.where == "record" and meaning.name == "bbox" and all(one.inverse for one in chain.codecs):
            return _BOX, (*box_lines(chain.codecs), *self._kept("bbox")), f"{self._slot('bbox')} = None"
        if meaning.where == "item" and meaning.name == "id":
            lines: tuple[str, ...] = ("if value != own or type(value) is not type(own): return None",)
            otherwise = ""
        elif meaning.where != "record" or meaning.derived:
            return None
        elif meaning.name in NAMED and self._names_one_category():
            lines, otherwise = ("category = named[value]", *self._tested(meaning.name)), "category = None"
        elif meaning.name in _DEFAULTS and (meaning.name == "id" or slot_binding(meaning, self.scope) == "plain"):
            lines = self._kept(meaning.name)
            otherwise = f"{self._slot(meaning.name)} = {_DEFAULTS[meaning.name]!r}"
        else:
            return None
        if not chain.codecs and meaning.value_type in _TYPES:
            return _TYPES[meaning.value_type], lines, otherwise
        decoded = f"value = {self.names.of('decode', chain.decode)}(value, env)"
        if chain.needs or meaning.value_type not in _FEW:
            return Any, (decoded, *lines), otherwise
        memo, decode = self.names.of("memo", Memo(chain.decode)), self.names.of("decode", chain.decode)
        remembered = f"value = {memo}[value] if type(value) is int else {decode}(value, env)"
        return Any, (remembered, *lines), otherwise

    def _kept(self, slot: str) -> tuple[str, ...]:
        return f"{self._slot(slot)} = value", *self._tested(slot)

    def _tested(self, slot: str) -> tuple[str, ...]:
        return (f"record[{slot!r}] = value",) if slot in self.tested else ()

    def _slot(self, slot: str) -> str:
        """Return the variable that holds a slot of the object."""
        return self.slots.setdefault(slot, f"slot_{slot}")

    def _loose(self, key: str) -> Any:
        return Any if self.asked.get(key) else msgspec.Raw

    def _value(self, key: str, slot: str) -> str:
        """Return the source text for the value of a key; `slot` is the first of its fields in the typed rows."""
        count, first = self.counts.get(key, 1), int(slot[1:])
        return f"row.{slot}" if count == 1 else f"({', '.join(f'row.f{first + at}' for at in range(count))})"

    def _typed(self, key: str, kind: Any, optional: bool) -> str:
        """Add a field to the typed rows, and return its name; in a list of numbers, one for each number of the key."""
        name = f"f{len(self.types)}"
        if self.counts:
            number = kind if kind in (int, msgspec.Raw) else _NUMBER
            first = len(self.types)
            self.types += ((f"f{first + at}", number, msgspec.NODEFAULT) for at in range(self.counts[key]))
            return name
        self.keys[name] = key
        absent = kind if kind in (Any, msgspec.Raw) else kind | UnsetType
        self.types.append((name, absent, UNSET) if optional else (name, kind, msgspec.NODEFAULT))
        return name


_NOTED = f"{KEPT!r} in record or {AREA!r} in record"
_HEAD = "read(rows, path, start, file, state)"
_BOX_LINES = ("x, y, wide, high = value", *IN_IMAGE)
