"""Readers of leaves: each decodes one value, binds it to its slots, and notes a fault if it does not fit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, json
from msgspec.structs import replace

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.faults import DocumentPath, MisfitError, Record
from formatspec.engine.base.kept_fields import AREA, RESTATES, holds_value, note_all_kept, note_kept
from formatspec.engine.base.slot_values import Convert
from formatspec.engine.base.value_spellings import is_finite, numbers_of, other_spellings
from formatspec.engine.read.bind_slots import binder, report, slot_binding
from formatspec.engine.read.item_state import ItemState, Restated, RestatingLeaf
from formatspec.engine.read.json_type_dispatch import first_value
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.discriminators import OF_SHAPE, constant_of, follows_from_shape
from formatspec.engine.resolve.held_slots import GEOMETRY, SLOT_OF, UNREAD
from formatspec.engine.resolve.questions.may_lack import SOURCES
from formatspec.engine.resolve.questions.tables import OUTLINES
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.resolve.text_template import is_part, names_captures, restating, text_template
from formatspec.language import expression
from formatspec.language.errors import Place
from formatspec.language.expression import Expression, ListOf, Literal, Name
from formatspec.language.leaf import Absent, Bind, Computed, Constant, Keep, Leaf, Text
from formatspec.language.rules import ASIDE, KEY, PLACE, Rule, within
from formatspec.model.plain.same_value import same_value
from formatspec.paths.spellings import differs_in_capitals

Wanted = Callable[[Meaning, Scope], bool]
"""Returns whether what a name means is wanted."""
PLAIN: dict[str, frozenset[type]] = {
    "id": frozenset({int, str}),
    "int": frozenset({int}),
    "text": frozenset({str}),
    "bool": frozenset({bool}),
}
"""The types of values that need no check beyond their type."""


class ReadContext(msgspec.Struct, frozen=True):
    """What compiling a reader needs besides the rule: which slots are wanted, and whether computed leaves are compared.

    Attributes:
        sparse: Only the wanted keys of a document are looked at; nothing is reported about the others.
        often: So many documents are read that generating functions for their mappings pays off.
        counts: Kept fields that hold a value, and fields that a rule does not know, are noted in their row's record.
        areas: Areas that rows of objects state are noted as well, although they follow from the shape.
    """

    wanted: Wanted
    compares: bool
    sparse: bool = False
    often: bool = False
    counts: bool = False
    areas: bool = False


_BOX = Meaning("record", "bbox", "box")


def outlined(context: ReadContext, scope: Scope) -> ReadContext:
    """Return a context that wants the geometry from which a box follows as well, if it wants boxes."""
    if not context.wanted(_BOX, scope):
        return context

    def wanted(meaning: Meaning, scope: Scope) -> bool:
        return context.wanted(meaning, scope) or (scope.kind == "object" and meaning.name in SOURCES)

    return replace(context, wanted=wanted)


def nothing(value: Any, record: Record, state: ItemState) -> None:
    """Read nothing; the reader of values that are not wanted."""


def leaf_reader(leaf: Leaf, place: Place, scope: Scope, context: ReadContext, at: DocumentPath, keys: int) -> Reader:
    """Compile the reader of one leaf, which puts what a value says into the slots of a record.

    Args:
        leaf: The leaf as it was parsed.
        place: Where the spec states it.
        scope: What names mean there.
        context: What is asked for, and how findings are noted.
        at: The path of the leaf in its document.
        keys: How many keys its value comes from.

    Raises:
        SpecError: The leaf's slots or codecs do not go together.
    """
    if isinstance(leaf, Keep):
        if context.areas and not context.compares and states_area(leaf, scope):
            return _stated_area
        follows = scope.kind == "object" and leaf.default is not None and follows_from_shape(leaf)
        if context.counts and not (follows and context.compares):
            return kept_reader(leaf, place, scope, at)
        if not follows or leaf.default is None:
            return nothing
        return _computed(Computed(leaf.default, near=True), place, context, at)
    if isinstance(leaf, Constant):
        return _constant(leaf, place, scope, at)
    if isinstance(leaf, Absent):
        return _absent(place, scope, at)
    if isinstance(leaf, Computed):
        return _computed(leaf, place, context, at)
    if isinstance(leaf, Text):
        return _text(leaf, place, scope, context, at)
    read = _bind(leaf, place, scope, context, at, keys)
    return _noting_others(read, leaf, place, scope, at, keys) if context.counts and leaf.calls else read


def _noting_others(read: Reader, leaf: Bind, place: Place, scope: Scope, at: DocumentPath, keys: int) -> Reader:
    """Return a reader that also notes what a value holds and its codec does not read."""
    meanings = [scope.resolve(name, place) for name in leaf.names]
    chain = build(leaf, [meaning.value_type for meaning in meanings], keys, scope.textual, place)
    others, name = chain.others, _name_of_field(at)
    if others is None:
        return read

    def note(value: Any, record: Record, state: ItemState) -> None:
        read(value, record, state)
        value = json.decode(value) if type(value) is Raw else value
        try:
            chain.decode(value, state.env)
        except UnfitError:
            return  # a finding tells of it
        note_all_kept(record, [f"{name}.{other}" for other in others(value)])

    return note


def states_area(leaf: Leaf, scope: Scope) -> bool:
    """Return whether a leaf keeps the area of an object, which follows from its shape."""
    return scope.kind == "object" and isinstance(leaf, Keep) and leaf.default == Name("area")


def _stated_area(value: Any, record: Record, state: ItemState) -> None:
    """Note the area that a row states, if it is a number."""
    if type(value) in (int, float) and math.isfinite(value):
        record[AREA] = value


def kept_reader(leaf: Keep, place: Place, scope: Scope, at: DocumentPath) -> Reader:
    """Return the reader that notes a kept field with a value; `nothing` if the value follows from an object's shape."""
    if at and at[-1] in (PLACE, ASIDE):
        return nothing
    if restates(leaf):
        return _restating(leaf, place, scope, at)
    if leaf.default is not None and not _is_constant(leaf.default):
        return nothing
    default = None if leaf.default is None else _value_of(leaf.default)
    key, textual = _name_of_field(at), scope.textual

    def read(value: Any, record: Record, state: ItemState) -> None:
        if holds_value(value, textual) and not _is_default(value, default, textual):
            note_kept(record, key)

    return read


def restates(leaf: Leaf | None) -> bool:
    """Return whether a leaf keeps a value that an expression may make again, other than one of an object's shape."""
    if not isinstance(leaf, Keep) or leaf.default is None or _is_constant(leaf.default):
        return False
    return OF_SHAPE.isdisjoint(expression.names(leaf.default))


def holds_restating(rule: Rule) -> bool:
    """Return whether a rule has such a leaf, at any depth."""
    return any(restates(one.leaf) for one in within(rule))


def _restating(leaf: Keep, place: Place, scope: Scope, at: DocumentPath) -> Reader:
    """Return the reader that notes a kept field, and that its value is to be compared with the one that is made."""
    assert leaf.default is not None
    key, textual = _name_of_field(at), scope.textual
    told = RestatingLeaf(leaf.default, place, scope, key)

    def read(value: Any, record: Record, state: ItemState) -> None:
        if holds_value(value, textual):
            note_kept(record, key)
            record[RESTATES] = True
            row = next((step for step in reversed(state.at) if type(step) is int), None)
            state.restated.append(Restated(told, record, value, row))

    return read


def _name_of_field(at: DocumentPath) -> str:
    """Return the name of a kept field in the report, or of the row's key in which it is kept."""
    if not at:
        return "the document"
    return "key of the row" if at[-1] == KEY else str(at[-1])


def _is_constant(default: Expression) -> bool:
    """Return whether a default is a fixed value, such as 0 or [], and does not repeat another field."""
    return isinstance(default, Literal) or (isinstance(default, ListOf) and all(map(_is_constant, default.items)))


def _value_of(default: Expression) -> Any:
    """Return the value of a default that is a fixed value."""
    if isinstance(default, ListOf):
        return [_value_of(item) for item in default.items]
    return default.value if isinstance(default, Literal) else None


def _is_default(value: Any, default: Any, textual: bool) -> bool:
    if default is None:
        return False
    if type(value) is Raw:
        value = json.decode(value)
    return bool(same_value(value, default) or (textual and value == str(default)))


def _constant(leaf: Constant, place: Place, scope: Scope, at: DocumentPath) -> Reader:
    expected = constant_of(leaf, scope)

    def read(value: Any, record: Record, state: ItemState) -> None:
        if not same_value(value, expected):
            state.fault("FIELD", (*state.at, *at), place, "the value is another", repr(expected), value)

    return read


def _absent(place: Place, scope: Scope, at: DocumentPath) -> Reader:
    words = f"the key {at[-1]!r} must not be there"

    def read(value: Any, record: Record, state: ItemState) -> None:
        if value != "" or not scope.textual:
            state.fault("FIELD", (*state.at, *at), place, words, "no such key", value)

    return read


def _computed(leaf: Computed, place: Place, context: ReadContext, at: DocumentPath) -> Reader:
    if not context.compares:
        return nothing

    def read(value: Any, record: Record, state: ItemState) -> None:
        state.deferred.append((leaf, place, record, value, state.file, (*state.at, *at)))

    return read


def _bind(leaf: Bind, place: Place, scope: Scope, context: ReadContext, at: DocumentPath, keys: int) -> Reader:
    meanings = [scope.resolve(name, place) for name in leaf.names]
    chain = build(leaf, [meaning.value_type for meaning in meanings], keys, scope.textual, place)
    wanted = any(context.wanted(meaning, scope) for meaning in meanings)
    if not wanted and not _is_geometry(meanings, scope):
        return nothing
    binders = [binder(meaning, scope, at, place) for meaning in meanings]
    decode, path = chain.decode, at
    if len(binders) == 1:
        bind = binders[0]
        many = scope.textual and keys == 1 and any(codec.kind in ("numbers", "any") for codec in chain.codecs)
        exact, flat = is_numbered(meanings[0]), meanings[0].name == "polygons"
        outline = meanings[0].name in OUTLINES and scope.kind == "object"
        attribute = _is_attribute(meanings[0]) or (meanings[0].name == "attributes" and not chain.codecs)
        of_line = scope.textual and bool(at) and is_part(at[-1])
        meant = None if scope.textual else _meant_by(meanings[0], scope)

        def read(value: Any, record: Record, state: ItemState) -> None:
            if exact and (whole := stated_whole(value)) is not None:
                words = f"{value} is read as {whole}"
                state.fault("NUMBER_FORM", (*state.at, *path), place, words, "a whole number", value)
                value = whole
            elif flat and _is_flat(value):
                words = "the outline is a flat list, and is read as one ring"
                state.fault("POLYGON_FLAT", (*state.at, *path), place, words, "a list of rings", about=record)
                value = [value]
            try:
                bind(decode(value, state.env), record, state)
            except UnfitError as unfit:
                if value is None and outline:
                    words = "the outline is null, and the object has none"
                    state.fault("SEGMENT_EMPTY", (*state.at, *path), place, words, about=record, scope="object")
                    return
                if attribute and unfit.code == "FIELD" and not isinstance(unfit, MisfitError):
                    _read_otherwise(unfit, value, record, state)
                    return
                if meant is not None and unfit.code == "FIELD" and not isinstance(unfit, MisfitError):
                    other = meant(value)
                    if other is not None and _fits(other, record, state):
                        words = "the number is read as the text that it spells" if type(value) is int else TEXTS_READ
                        state.fault("NUMBER_FORM", (*state.at, *path), place, words, unfit.expected, value, case="text")
                        return
                parts = value.split() if many and isinstance(value, str) and unfit.code == "FIELD" else ()
                if len(parts) > 1 and all(map(is_finite, parts)):
                    words = f"the row has {len(parts)} numbers where it states {meanings[0].name}"
                    state.fault("LINE", (*state.at, *path), place, words, unfit.expected, value)
                else:
                    report(unfit, path, place, value, record, scope, state)

        def _fits(value: Any, record: Record, state: ItemState) -> bool:
            try:
                bind(decode(value, state.env), record, state)
            except UnfitError:
                return False
            return True

        def _read_otherwise(unfit: UnfitError, value: Any, record: Record, state: ItemState) -> None:
            """Read an attribute from another spelling that means the same; if none fits, leave it out."""
            about = record if scope.kind == "object" else None
            for other in other_spellings(value):
                try:
                    bind(decode(other, state.env), record, state)
                except UnfitError:
                    continue
                words, case = _read_as(value, other)
                break
            else:
                if of_line and not is_finite(str(value)):  # this word may belong to the class before it
                    report(unfit, path, place, value, record, scope, state)
                    return
                words, case = "the value does not fit, and the attribute is left out", "attribute"
            state.fault("FIELD", (*state.at, *path), place, words, unfit.expected, value, case=case, about=about)

        if not wanted:
            return _unread(meanings, chain, at, place, read)
        plain = PLAIN.get(meanings[0].value_type) if not chain.codecs and not scope.textual else None
        if plain is None or slot_binding(meanings[0], scope) != "plain":
            return read
        return _slot(meanings[0].name, plain, read)

    def read_several(value: Any, record: Record, state: ItemState) -> None:
        try:
            for bind, part in zip(binders, decode(value, state.env), strict=True):
                bind(part, record, state)
        except UnfitError as unfit:
            report(unfit, path, place, value, record, scope, state)

    return read_several if wanted else _unread(meanings, chain, at, place, read_several)


TEXTS_READ = "what is spelled as text is read as the number that it spells"


def _meant_by(meaning: Meaning, scope: Scope) -> Callable[[Any], Any] | None:
    """Return how a value of a document with types is read that has another type than it should; None if it is not.

    The numbers of shapes and sizes may be spelled as texts, and the name of a class may be a whole number. Ids are not
    among these, since a text and a number may be two ids.
    """
    if meaning.name in ("image.width", "image.height") or _is_geometry((meaning,), scope):
        return numbers_of
    if meaning.name == "category.name" or (meaning.name == "name" and scope.kind == "category"):
        return lambda value: str(value) if type(value) is int else None
    return None


def _read_as(value: Any, other: Any) -> tuple[str, str]:
    """Return the words that say how an attribute was read, and the case of the finding."""
    if isinstance(value, dict):
        gone = [repr(key) for key in value if key not in other]
        return f"NaN or infinity in {', '.join(gone)}, which {'is' if len(gone) == 1 else 'are'} left out", "attribute"
    return f"{value!r} is read as {other!r}", "spelling"


_ATTRIBUTES = frozenset({"single", "score", "tags", "order", "level", "text"})
"""Slots of a record, besides its attributes, without which it says most of what it says."""


def _is_attribute(meaning: Meaning) -> bool:
    """Return whether a name means something of a record that is neither its geometry, its class nor its identity."""
    return meaning.where in ("record", "item", "outer") and not meaning.derived and (
        meaning.name in _ATTRIBUTES or meaning.name.startswith("attributes.")
    )  # fmt: skip


_COUNTED = frozenset({"id", "track", "frame", "parent"})
_FRACTION = re.compile(r"([-+]?\d+)\.0+")


def is_numbered(meaning: Meaning) -> bool:
    """Return whether a name means an id, a class or a frame, which are whole numbers."""
    return meaning.name in _COUNTED or meaning.name.endswith(("category.id", "category.index"))


def stated_whole(value: Any) -> Any:
    """Return the whole number for one that is spelled as a fraction, in the file's spelling; None for other values."""
    if type(value) is float:
        return int(value) if value.is_integer() else None
    if type(value) is str and "." in value:
        found = _FRACTION.fullmatch(value)
        return None if found is None else found[1]
    return None


def exact(decode: Convert) -> Convert:
    """Return a decoder of whole numbers that refuses those that are spelled as fractions, as is to be reported."""

    def decode_exact(text: Any, env: Env) -> Any:
        if stated_whole(text) is not None:
            raise UnfitError("a whole number", text)
        return decode(text, env)

    return decode_exact


def _is_flat(value: Any) -> bool:
    """Return whether a value is a list of only numbers."""
    return type(value) is list and bool(value) and all(type(one) is float or type(one) is int for one in value)


def _is_geometry(meanings: Sequence[Meaning], scope: Scope) -> bool:
    """Return whether any of some names is a slot of an object's geometry."""
    slots = [SLOT_OF.get(meaning.name, meaning.name) for meaning in meanings if meaning.where == "record"]
    return scope.kind == "object" and any(slot in GEOMETRY for slot in slots)


def _slot(name: str, plain: frozenset[type], read: Reader) -> Reader:
    """Return a reader that puts a value of the expected type into an empty slot; `read` takes all other values."""

    def read_plain(value: Any, record: Record, state: ItemState) -> None:
        if type(value) in plain and name not in record:
            record[name] = value
        else:
            read(value, record, state)

    return read_plain


def _unread(meanings: Sequence[Meaning], chain: Chain, at: DocumentPath, place: Place, read: Reader) -> Reader:
    """Return the reader of unwanted values; for geometry, it notes its presence.

    `read` reports what is wrong with a value that does not look like an outline.
    """
    slots = [SLOT_OF.get(meaning.name, meaning.name) for meaning in meanings if meaning.where == "record"]
    takes = chain.codecs[-1].takes if chain.codecs else None
    looks_right = chain.codecs[-1].looks_right if len(chain.codecs) == 1 else None

    def note(value: Any, record: Record, state: ItemState) -> None:
        raw = bytes(value) if type(value) is Raw else None
        if looks_right is not None and not looks_right(json.encode(value) if raw is None else raw):
            read(value if raw is None else json.decode(raw), record, state)
            return
        if raw is not None:
            value = first_value(value)
        if takes is not None and not isinstance(value, takes):
            state.fault("FIELD", (*state.at, *at), place, "the value does not fit", takes.__name__, value)
        elif value:
            for slot in slots:
                record[slot] = UNREAD

    return note


def _text(leaf: Text, place: Place, scope: Scope, context: ReadContext, at: DocumentPath) -> Reader:
    template = text_template(leaf, scope, place)
    inner = replace(scope, textual=True)
    readers = [(name, leaf_reader(part, place, inner, context, at, 1)) for name, part in template.leaves.items()]
    is_key = at[-1:] == (KEY,)
    names = {name: part.names[0] for name, part in template.leaves.items() if isinstance(part, Bind)}
    names_file = names_captures(template, scope)
    restates = restating(template) if names_file else None

    def read(value: Any, record: Record, state: ItemState) -> None:
        if restates is not None and restates(value, state.captures):
            return
        if is_key and type(value) is int:  # keys in YAML may be whole numbers
            value = str(value)
        parts = template.match(value) if isinstance(value, str) else None
        if parts is None:
            told = names_file and all(name in state.captures for name in names.values())
            if told and isinstance(value, str) and value:
                own = template.template.render({part: str(state.captures[name]) for part, name in names.items()})
                words, case = "the text differs from the file's own name", "name"
                if differs_in_capitals(own, value):
                    words, case = f"{words} in capitals", "capitals"
                state.stated.update(dict.fromkeys(names.values()))
                state.fault("DIFFERS", (*state.at, *at), place, words, own, value, case=case)
                return
            why = template.template.explain(value) if isinstance(value, str) else ""
            for field, slot in names.items():
                why = why.replace(f"`{field}`", f"`{slot}`")
            words = f"the text does not fit{': ' if why else ''}{why}"
            state.fault("FIELD", (*state.at, *at), place, words, leaf.source, value)
            return
        for name, reader in readers:
            part = parts.get(name)
            if part is not None:
                reader(part, record, state)

    return read
