"""How the elements with one skeleton become objects: the lines of a function generated for their texts.

What a skeleton says, which keys are there and which are not, is decided once, and likewise for the cells of rows.  A
skeleton of which the judging readers would say anything, or whose rule asks for more than such lines can do, has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from formatspec.engine.base.faults import MISSING
from formatspec.engine.base.kept_fields import KEPT, note_all_kept
from formatspec.engine.base.source_code import Names
from formatspec.engine.read.bind_slots import NAMED, slot_binding
from formatspec.engine.read.build_item import OBJECT
from formatspec.engine.read.compile_reader import OPEN_KEYS, field_reader
from formatspec.engine.read.elements.element_document import Text, document_of, places_of, source_of, variable
from formatspec.engine.read.json_type_dispatch import json_types_of
from formatspec.engine.read.leaf_reader import ReadContext, exact, is_numbered, nothing, restates, states_area
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.read.rows.row_condition import holds_unsaid
from formatspec.engine.resolve.codec_chain import Chain, Memo, build
from formatspec.engine.resolve.discriminators import constant_of, constants_in, is_filled, keys_of, may_be_absent
from formatspec.engine.resolve.fuse_arithmetic import BOUNDS, IN_IMAGE, decoded
from formatspec.engine.resolve.held_slots import GEOMETRY, SLOT_OF, UNREAD
from formatspec.engine.resolve.questions.tables import holds_pairs
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.files.rows.xml_skeletons import NUMBER, Skeleton, pattern_of, texts_of
from formatspec.files.xml_file import XmlShape
from formatspec.language.expression import Binary, Expression, Literal, Name, conjuncts
from formatspec.language.leaf import Absent, Bind, Computed, Constant, Keep, bindings
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.model.plain.same_value import same_value


class _UnplannedError(Exception):
    """A skeleton is left to the readers that judge."""


class _MisfitError(Exception):
    """A row lacks a key that its table requires, so that it is of another table."""


class Plan(msgspec.Struct, frozen=True):
    """How elements with a skeleton are read.

    tag: theirs.  pattern: the regular expression that matches one.  texts: the variables that its groups give, in their
    order.  lines: what is done with those; the last adds an object to `made`.
    """

    tag: str
    pattern: str
    texts: tuple[str, ...]
    lines: tuple[str, ...]


def plan_of(
    skeleton: Skeleton, shape: XmlShape, member: bool, readers: Sequence[RowReader], context: ReadContext, names: Names,
    last: bool,
) -> Plan | None:  # fmt: skip
    """How elements with a skeleton are read; None where they are left to the readers that judge.

    Args:
        skeleton: What the elements have in common.
        shape: What is known of them beforehand.
        member: Whether they are collected with elements of other tags, so that their tag is one of their fields.
        readers: The readers of the tables that they may be rows of, in their order.
        context: What is read.
        names: Takes what the lines use.
        last: Whether the table is read behind all else of its item, so that the image's size is known by then.
    """
    numbers = count()
    row = document_of(skeleton, shape, numbers)
    if member:
        row = {"<>": skeleton.tag, **({"#": row} if not isinstance(row, dict) else row)}
    try:
        made, lines = _first_lines(row, readers, context, names, last)
    except _UnplannedError:
        return None
    kinds = [made.texts.get(place) for place, _ in enumerate(texts_of(skeleton))]
    texts = tuple(variable(place) for place in sorted(made.texts))
    return Plan(skeleton.tag, pattern_of(skeleton, kinds), texts, tuple(lines))


def lines_of_cells(row: Any, reader: RowReader, context: ReadContext, names: Names) -> tuple[Lines, list[str]] | None:
    """The lines that read rows of cells, of which `row` is one; None where they are left to the readers that judge.

    `row` has a `Text` for each cell that is not empty.  The item that rows belong to is known, and so are its names.
    """
    try:
        return _first_lines(row, (reader,), context, names, last=True, known=True)
    except _UnplannedError:
        return None


def _first_lines(
    row: Any, readers: Sequence[RowReader], context: ReadContext, names: Names, last: bool, known: bool = False
) -> tuple[Lines, list[str]]:
    """The lines for the first table whose constants and required keys a row has."""
    for reader in readers:
        if len(readers) > 1 and not _fits(reader.rule.row, row, reader.scope.inside(reader.table)):
            continue
        if not may_be_planned(reader):
            break
        try:
            made = Lines(reader, context, names, last, known, False)
            lines = made.lines(row)
            if made.needs_record:
                made = Lines(reader, context, names, last, known, True)
                lines = made.lines(row)
        except _MisfitError:
            if not reader.constants or not all(other.constants for other in readers):
                break
            continue
        return made, lines
    raise _UnplannedError


def _fits(rule: Rule, row: Any, scope: Scope) -> bool:
    """Whether `row_test` lets a row through, as far as its keys alone tell."""
    if not isinstance(rule, MapRule) or not isinstance(row, dict):
        raise _UnplannedError
    if not all(key in row for field in rule.fields if not may_be_absent(field, scope) for key in field.keys):
        return False
    for path, expected in constants_in(rule, scope):
        part: Any = row
        for key in path:
            part = part.get(key, MISSING) if isinstance(part, dict) else MISSING
        if isinstance(part, Text):
            raise _UnplannedError
        if not same_value(part, expected):
            return False
    return True


def may_be_planned(reader: RowReader) -> bool:
    """Whether the rows of a table may be read by generated lines: rows of objects that are told apart by nothing."""
    each = reader.rule.each
    folded = each.folded or each.rings or each.counted or each.kept or each.along is not None
    plain = reader.kind == "object" and reader.table == "objects" and not reader.by and not reader.overlap
    return plain and not folded and not reader.rule.keyed and not reader.rule.levels and not reader.carried


class Lines(msgspec.Struct, eq=False):
    """The lines in the making for one skeleton.

    known: whether the item's names are known, and its image's size is known or told by the row.  apart: whether some
    leaves are read by their own readers, into a record.  texts: the patterns of the texts that are asked for, by their
    places.  slots: the expressions of an object's slots.  named: that of what names its category, by the slot
    `named_by`.  before: lines in front of all rows.  told: lines that read what a row says of its item.
    """

    reader: RowReader
    context: ReadContext
    names: Names
    last: bool
    known: bool
    apart: bool
    needs_record: bool = False
    texts: dict[int, str] = {}
    slots: dict[str, str] = {}
    bound: set[str] = set()
    attributes: list[tuple[str, str]] = []
    kept: list[str] = []
    named: str = ""
    named_by: str = "name"
    before: list[str] = []
    told: list[str] = []

    def lines(self, row: Any) -> list[str]:
        """The lines that read a row and add its object."""
        scope = self.reader.scope.inside(self.reader.table)
        rule = self.reader.rule.row
        if not isinstance(rule, MapRule):
            raise _UnplannedError
        found = list(self._map(rule, row, scope, ()))
        where = self.reader.rule.each.where
        if where is not None and not holds_unsaid(where, scope, self.bound):
            raise _UnplannedError
        return [*self.told, *(["record = {}"] if self.apart else []), *found, *self._end()]

    def _end(self) -> Iterator[str]:
        told = [f"{slot}={value}" for slot, value in self.slots.items()]
        if self.apart:
            yield "told, stated, attributes = group_slots(record)"
            yield f"if not told.keys().isdisjoint({self.names.of('slots', frozenset(self.slots))}): return None"
            if self.named:
                yield "if stated: return None"
            else:
                told.append("category=categories.resolve(record, stated) if stated else None")
            told += ["attributes=attributes", "**told"]
            origin = f"Origin(kept=record[{KEPT!r}]) if {KEPT!r} in record else None"
            if self.context.counts:
                told.append(f"origin={origin}")
                yield f"if {KEPT!r} in record: state.kept += len(record[{KEPT!r}])"
        else:
            if self.attributes:
                yield f"attributes = {{{', '.join(f'{name}: {value}' for name, value in self.attributes)}}}"
                yield f"if len(attributes) != {len(self.attributes)} or None in attributes.values(): return None"
                told.append("attributes=attributes")
            if self.kept:
                told.append(f"origin=Origin(kept={tuple(self.kept)!r})")
                yield f"state.kept += {len(self.kept)}"
        if self.named:
            told.append(f"category=named[{self.named}]")
        yield f"add(Object({', '.join(told)}))"

    def _map(self, rule: MapRule, value: Any, scope: Scope, at: tuple[str, ...], whole: bool = True) -> Iterator[str]:
        """The lines that read a mapping, in the order in which the judging reader reads it."""
        if value == "" and scope.textual:
            value = {}
        if not isinstance(value, dict):
            raise _UnplannedError
        for field in sorted(rule.fields, key=lambda one: len(one.keys) > 1):
            optional = may_be_absent(field, scope)
            parts = [value.get(key, MISSING) for key in field.keys]
            absent = sum(part is MISSING for part in parts)
            if absent:
                if absent == len(parts) and optional and not is_filled(field, scope):
                    continue
                if is_filled(field, scope) or len(at) > 1:  # another table is tried where no row within is at fault
                    raise _UnplannedError
                raise _MisfitError
            yield from self._field(field, parts, scope, at)
        known = {key for field in rule.fields for key in field.keys}
        for alternatives in rule.alternatives:
            if json_types_of(alternatives, scope) is not None:
                raise _UnplannedError
            chosen = next((one for one in alternatives.alternatives if _fits(one, value, scope)), None)
            if not isinstance(chosen, MapRule):
                raise _UnplannedError
            try:
                yield from self._map(chosen, value, scope, at, whole=False)
            except _MisfitError:
                raise _UnplannedError from None
            known |= keys_of(chosen)
        if whole or rule.rest is not None:
            yield from self._rest(rule, [key for key in value if key not in known], value)

    def _rest(self, rule: MapRule, others: Sequence[str], value: Mapping[str, Any]) -> Iterator[str]:
        """The lines that note the keys that a rule does not name."""
        if isinstance(rule.rest, OneOf):
            if "*" in value:
                raise _UnplannedError
            return
        if rule.rest is None:
            if not rule.part and any(key not in OPEN_KEYS for key in others):
                raise _UnplannedError
            return
        if isinstance(rule.rest.leaf, Bind):
            if others:
                raise _UnplannedError
            return
        if self.context.counts and not rule.part:
            kept = [key for key in others if value[key] != ""]
            self.kept += kept
            if self.apart and kept:
                yield f"{self.names.of('note', note_all_kept)}(record, {tuple(kept)!r})"

    def _field(self, field: Field, parts: Sequence[Any], scope: Scope, at: tuple[str, ...]) -> Iterator[str]:
        """The lines that read a field whose keys are all there."""
        rule = field.rule
        read = field_reader(field, scope, self.context, at)
        if read is nothing:
            return
        if parts == [""] and may_be_absent(field, scope):
            raise _UnplannedError
        if isinstance(rule, MapRule):
            yield from self._map(rule, parts[0], scope.below(), (*at, field.keys[0]))
            return
        if isinstance(rule, LeafRule) and (isinstance(parts[0], list) or states_area(rule.leaf, scope)):
            raise _UnplannedError
        if isinstance(rule.leaf, Constant):
            yield from self._constant(constant_of(rule.leaf, scope), parts[0])
            return
        if isinstance(rule.leaf, Bind):
            inline = self._bind(rule.leaf, field, parts, scope)
            if inline is not None:
                yield from inline
                return
        if self._is_of_item(rule, read, parts, scope):
            return
        pairs = self._pairs(rule, parts[0], scope.below())
        if pairs is not None:
            yield from pairs
            return
        self._note_names(rule, scope)
        self.needs_record = True
        for place in (place for part in parts for place in places_of(part)):
            self.texts.setdefault(place, "")
        value = source_of(parts[0]) if len(parts) == 1 else f"({', '.join(map(source_of, parts))})"
        yield f"{self.names.of('read', read)}({value}, record, state)"

    def _is_of_item(self, rule: Rule, read: Reader, parts: Sequence[Any], scope: Scope) -> bool:
        """Whether a field says something of the row's item alone, which is read once for rows that say the same."""
        if not self.known or not isinstance(rule, LeafRule) or len(parts) > 1 or not isinstance(parts[0], Text):
            return False
        meanings = [scope.resolve(name, rule.place) for bind in bindings(rule.leaf) for name in bind.names]
        if not meanings or any(one.where not in ("capture", "item") for one in meanings):
            return False
        text, told = self._text(parts[0]), f"told{parts[0].place}"
        self.before.append(f"{told} = None")
        sized = any(one.name in ("image.width", "image.height") for one in meanings)
        lines = [f"{told} = {text}", f"{self.names.of('read', read)}({text}, {{}}, state)"]
        lines += ["size = state.size()", *BOUNDS] if sized else []
        self.told += [f"if {text} != {told}:", *(f"    {line}" for line in lines)]
        return True

    def _constant(self, expected: Any, part: Any) -> Iterator[str]:
        if not isinstance(part, Text):
            if not same_value(part, expected):
                raise _UnplannedError
        elif type(expected) is not str:
            raise _UnplannedError
        else:
            yield f"if {self._text(part)} != {expected!r}: return None"

    def _note_names(self, rule: Rule, scope: Scope) -> None:
        """Note the slots that a rule's own reader fills; it must fill those of the row's record alone, and no other."""
        if rule.tables and all(map(holds_pairs, rule.tables)):
            return
        if not isinstance(rule, LeafRule):
            raise _UnplannedError
        leaf = rule.leaf
        if isinstance(leaf, Absent | Computed):
            raise _UnplannedError
        if isinstance(leaf, Keep) and (self.context.compares or restates(leaf)):
            raise _UnplannedError
        for bind in bindings(leaf):
            meanings = [scope.resolve(name, rule.place) for name in bind.names]
            for meaning in meanings:
                self._note(meaning, scope)
            sized = "size" in build(bind, [one.value_type for one in meanings], 1, scope.textual, rule.place).needs
            if (sized or any(one.type == "region" for one in meanings)) and not self.last:
                raise _UnplannedError

    def _note(self, meaning: Meaning, scope: Scope) -> None:
        """Note a slot of the object, which no other field fills."""
        name = meaning.name
        if meaning.where != "record" or meaning.derived or scope.kind != "object" or name in _OTHERWISE:
            raise _UnplannedError
        category = "category" if name.startswith("category.") else name
        if category in self.bound and (self.named or not name.startswith("category.")):
            raise _UnplannedError
        self.bound |= {name, category}

    def _bind(self, leaf: Bind, field: Field, parts: Sequence[Any], scope: Scope) -> list[str] | None:
        """The lines that bind a value without calling its leaf's reader; None where that must be called."""
        if len(leaf.names) > 1:
            return None
        meaning = scope.resolve(leaf.names[0], field.place)
        name = SLOT_OF.get(meaning.name, meaning.name)
        if meaning.where != "record" or meaning.derived or scope.kind != "object":
            return None
        if not self.context.wanted(meaning, scope):
            return self._unread(leaf, meaning, name, field, parts, scope)
        if name == "bbox":
            return self._box(leaf, meaning, field, parts, scope)
        chain = build(leaf, [meaning.value_type], len(parts), scope.textual, field.place)
        names_category = (name in NAMED and self.known) or (name == "category.name" and not chain.codecs)
        if len(parts) > 1 or not isinstance(parts[0], Text) or chain.needs or chain.others:
            return None
        if names_category:
            if "category" in self.bound:
                return None
            self._note(meaning, scope)
            self.named, self.named_by = self._decoded(chain, meaning, parts[0]), name.removeprefix("category.")
            return []
        if is_numbered(meaning):
            return None
        value = self._decoded(chain, meaning, parts[0])
        if name.startswith("attributes."):
            self._note(meaning, scope)
            return list(self._attribute(repr(name.removeprefix("attributes.")), value))
        if name in OBJECT and slot_binding(meaning, scope) == "plain":
            self._note(meaning, scope)
            self.slots[name] = value
            return []
        return None

    def _attribute(self, name: str, value: str) -> Iterator[str]:
        """The lines that give the object an attribute, by the sources of its name and its value."""
        self.attributes.append((name, value))
        if self.apart:
            yield f"slot = 'attributes.' + {name}"
            yield "if slot in record: return None"
            yield f"record[slot] = {value}"

    def _pairs(self, rule: Rule, value: Any, scope: Scope) -> list[str] | None:
        """The lines that read rows of attributes which are no more than a key and a value; None for any others."""
        if not isinstance(rule, TableRule) or not holds_pairs(rule):
            return None
        inner, others = scope.inside(rule.each.table), _unlike_keys(rule.each.where)
        found: list[dict[str, str]] = []
        for row in value if isinstance(value, list) else (value,):
            found.append({})
            if others is None or not self._pair(rule.row, row, inner, found[-1]) or len(found[-1]) < 2:
                return None
        lines: list[str] = []
        for pair in found:
            lines += (f"if {pair['key']} == {one!r}: return None" for one in others or ())
            lines += self._attribute(pair["key"], pair["value"])
        return lines

    def _pair(self, rule: Rule, row: Any, scope: Scope, pair: dict[str, str]) -> bool:
        """Take the sources of the key and the value of a row of attributes; whether it says nothing else."""
        if not isinstance(rule, MapRule) or rule.alternatives or not isinstance(row, dict):
            return False
        fields = {field.keys[0]: field for field in rule.fields if len(field.keys) == 1}
        absent = fields.keys() - row.keys()
        if not row.keys() <= fields.keys() or not all(may_be_absent(fields[key], scope) for key in absent):
            return False
        for key, part in row.items():
            inner = fields[key].rule
            if isinstance(inner, MapRule):
                if not self._pair(inner, part, scope.below(), pair):
                    return False
                continue
            leaf = inner.leaf
            if not isinstance(leaf, Bind) or len(leaf.names) > 1 or not isinstance(part, Text):
                return False
            meaning = scope.resolve(leaf.names[0], fields[key].place)
            chain = build(leaf, [meaning.value_type], 1, scope.textual, fields[key].place)
            if meaning.name not in ("key", "value") or chain.needs or not self.context.wanted(meaning, scope):
                return False
            pair[meaning.name] = self._decoded(chain, meaning, part)
        return True

    def _decoded(self, chain: Chain, meaning: Meaning, part: Text) -> str:
        """The source of the value of a text."""
        text = self._text(part)
        if not chain.codecs and meaning.value_type == "text":
            return text
        decode = exact(chain.decode) if is_numbered(meaning) else chain.decode
        return f"{self.names.of('memo', Memo(decode))}[{text}]"

    def _unread(
        self, leaf: Bind, meaning: Meaning, name: str, field: Field, parts: Sequence[Any], scope: Scope
    ) -> list[str]:
        """Geometry that nobody asks for: it is there, and is looked at no further."""
        codecs = build(leaf, [meaning.value_type], len(parts), scope.textual, field.place).codecs
        judged = bool(codecs) and (codecs[-1].takes is not None or codecs[-1].looks_right is not None)
        if name not in GEOMETRY or judged or (len(parts) == 1 and not isinstance(parts[0], Text)):
            raise _UnplannedError
        self._note(meaning, scope)
        self.slots[name] = self.names.of("unread", UNREAD)
        return []

    def _box(self, leaf: Bind, meaning: Meaning, field: Field, parts: Sequence[Any], scope: Scope) -> list[str] | None:
        """The lines that read a box whose four numbers are arithmetic on x, y, width and height."""
        codecs = build(leaf, [meaning.value_type], len(parts), scope.textual, field.place).codecs
        texts = [part for part in parts if isinstance(part, Text)]
        needs = frozenset[str]().union(*(one.needs for one in codecs))
        if len(parts) != 4 or len(texts) < 4 or any(one.inverse is None for one in codecs):
            return None
        if needs and not (self.known and needs == {"size"}):
            return None
        self._note(meaning, scope)
        found = [self._text(part, NUMBER) for part in texts]
        lines = [f"{text} = float({text}) if '.' in {text} else int({text})" for text in found]
        lines += ["if size is None: return None", "width, height = size"] if needs else []
        self.slots["bbox"] = "box"
        return [*lines, f"box = x, y, wide, high = {', '.join(decoded(codecs, found))}", *IN_IMAGE]

    def _text(self, part: Text, pattern: str = "") -> str:
        """The variable of a text, which is asked for."""
        self.texts[part.place] = pattern or self.texts.get(part.place, "")
        return variable(part.place)


def _unlike_keys(where: Expression | None) -> list[str] | None:
    """The keys that a condition on attributes excludes; None where it asks for anything else."""
    found: list[str] = []
    for part in () if where is None else conjuncts(where):
        if not isinstance(part, Binary) or part.operator != "!=" or part.left != Name("key"):
            return None
        if not isinstance(part.right, Literal) or not isinstance(part.right.value, str):
            return None
        found.append(part.right.value)
    return found


_OTHERWISE = frozenset({"id", "parent", "name", "attributes", "category.keypoint_names"})
"""Slots that are noted for what is said of them later, that are none of their own, or that put others in order."""
