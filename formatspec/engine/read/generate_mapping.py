"""Generates readers of mappings as Python source. A value of the expected type is bound directly.

Any other value is left to the leaf's own reader, so that each mistake is reported in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MISSING, DocumentPath, Record, missing_key
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.read.bind_slots import NAMED, PLACED, judge_of, slot_binding
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.json_type_dispatch import Choose
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.errors import Place
from formatspec.language.leaf import Bind, Computed, Constant
from formatspec.language.rules import Field, MapRule, Rule

PLAIN: dict[str, frozenset[type]] = {
    "id": frozenset({int, str}),
    "int": frozenset({int}),
    "text": frozenset({str}),
    "bool": frozenset({bool}),
}
"""The types of values that need no check beyond their type."""
FieldReaders = Sequence[tuple[tuple[str, ...], bool, Reader, Place]]
"""The fields of a mapping: their keys, whether they may be absent, their readers and places."""
WantedKeys = Callable[[Meaning, Scope], bool]
"""Returns whether what a name means is wanted."""


class Single(NamedTuple):
    """A field with one key, and its validating reader; None if its value does not matter.

    Attributes:
        meaning, chain: What its leaf binds and how, if it binds one slot only.
        filled: The code of the finding if it is absent and gets a value.
    """

    key: str
    optional: bool
    read: Reader | None
    place: Place
    rule: Rule
    meaning: Meaning | None = None
    chain: Chain | None = None
    filled: str = ""


def single_field(field: Field, optional: bool, read: Reader | None, scope: Scope, wanted: WantedKeys) -> Single:
    """Describe a field with one key as the generator needs it."""
    leaf = field.rule.leaf
    plain = Single(field.keys[0], optional, read, field.place, field.rule)
    if not isinstance(leaf, Bind) or len(leaf.names) > 1:
        return plain
    place = field.rule.place
    meaning = scope.resolve(leaf.names[0], place)
    if not wanted(meaning, scope):
        return plain
    chain = build(leaf, [meaning.value_type], 1, False, place)
    return plain if chain.others is not None else plain._replace(meaning=meaning, chain=chain)


class Several(NamedTuple):
    """A field with several keys: the reader of their values, and the mapping's reader for when one is absent."""

    keys: tuple[str, ...]
    read: Reader
    judge: Reader


def several_reader(fields: FieldReaders, cells: bool, at: DocumentPath) -> Reader:
    """Return the reader of the fields of a mapping that have several keys."""

    def read(value: Any, record: Record, state: ItemState) -> None:
        for keys, optional, reader, place in fields:
            parts = [value.get(key, MISSING) for key in keys]
            absent = sum(part is MISSING or (part == "" and cells) for part in parts)
            if not absent:
                reader(tuple(parts), record, state)
            elif absent < len(keys) or not optional:
                lacking = [key for key, part in zip(keys, parts, strict=True) if part in (MISSING, "")]
                words = missing_key(lacking[0], tuple(value)) if len(lacking) == 1 else (
                    f"{', '.join(map(repr, lacking))} are missing")  # fmt: skip
                state.fault("FIELD_MISSING", (*state.at, *at), place, words)

    return read


class Others(NamedTuple):
    """Further content of a mapping: alternatives, and keys that none of them names; `named` are the fields' keys."""

    choices: Sequence[Choose]
    named: frozenset[str]
    rest: Callable[[Mapping[str, Any], frozenset[str], Record, ItemState], None] | None


Plain = Callable[[Mapping[str, Any], Record, ItemState], bool]
"""Reads a mapping whose values have the expected types, and returns whether it could."""


def plain_alternative(rule: Rule, scope: Scope, wanted: WantedKeys) -> Plain | None:
    """Generate the fast reader of an alternative within a mapping; None if it does more than fill slots."""
    if not isinstance(rule, MapRule) or rule.alternatives or rule.rest is not None or scope.textual:
        return None
    names: dict[str, Any] = {"MISSING": MISSING, "UnfitError": UnfitError}
    taken, found, kept, slots = [], [], [], []
    for place, field in enumerate(sorted(rule.fields, key=lambda one: len(one.keys) > 1)):
        bound = _slot_of(field, scope, wanted)
        if bound is None or bound[0].name in slots:
            return None
        meaning, names[f"decode{place}"] = bound
        slots.append(meaning.name)
        parts = [f"part{place}_{at}" for at in range(len(field.keys))]
        taken += [f"{part} = get({key!r}, MISSING)" for part, key in zip(parts, field.keys, strict=True)]
        taken.append(f"if MISSING is {' or MISSING is '.join(parts)} or {meaning.name!r} in record: return False")
        whole = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
        found.append(f"    found{place} = decode{place}({whole}, state.env)")
        names[f"judge{place}"] = judge_of(meaning)
        if names[f"judge{place}"] is not None:
            found += [f"    if found{place} is None: return False", f"    judge{place}(found{place}, state)"]
        kept.append(f"record[{meaning.name!r}] = found{place}")
    lines = ("get = value.get", *taken, "try:", *found, "except UnfitError: return False", *kept, "return True")
    return function("plain(value, record, state)", lines, names) if slots else None


def _slot_of(field: Field, scope: Scope, wanted: WantedKeys) -> tuple[Meaning, Callable[..., Any]] | None:
    """Return the slot that a field fills, and its decoder; None if the field does anything else."""
    leaf = field.rule.leaf
    if not isinstance(leaf, Bind) or len(leaf.names) > 1:
        return None
    place = field.rule.place
    meaning = scope.resolve(leaf.names[0], place)
    if not wanted(meaning, scope) or slot_binding(meaning, scope) not in ("plain", "judged"):
        return None
    chain = build(leaf, [meaning.value_type], len(field.keys), False, place)
    return None if chain.others is not None else (meaning, chain.decode)


def written_reader(
    single: Sequence[Single], several: Sequence[Several], others: Others, scope: Scope, at: DocumentPath, judge: Reader
) -> Reader:
    """Generate the reader of a mapping whose values are not text; `judge` reads what is no mapping."""
    writing = _Writing(scope, at)
    lines = [line for field in single for line in writing.single(field)]
    lines += [line for fields in several for line in writing.several(fields)]
    lines += writing.others(others)
    head = f"if type(value) is not dict: return {writing.names.of('judge', judge)}(value, record, state)"
    return function("read(value, record, state)", (head, *_PRELUDE, *lines), writing.names)


_PRELUDE = ("get, file, base, categories = value.get, state.file, state.at, state.categories",)


class _Writing:
    """A reader that is being generated: its lines, and the names that they use."""

    def __init__(self, scope: Scope, at: DocumentPath) -> None:
        self.scope = scope
        self.at = at
        self.names = Names(MISSING=MISSING, UnfitError=UnfitError)

    def single(self, one: Single) -> Iterator[str]:
        """Yield the lines that read a field with one key."""
        absent = (
            "pass" if one.optional and not one.filled else f"{self.names.of('absent', self._absent(one))}(value, state)"
        )
        if one.read is None:
            yield f"if {one.key!r} not in value: {absent}"
            return
        yield f"part = get({one.key!r}, MISSING)"
        yield f"if part is MISSING{' or part is None' if one.filled else ''}: {absent}"
        yield "else:"
        yield from (
            f"    {line}" for line in self._bound(one, f"{self.names.of('read', one.read)}(part, record, state)")
        )

    def _absent(self, one: Single) -> Callable[[Any, ItemState], None]:
        if one.filled:
            path = (*self.at, one.key)
            words = {lacks: f"{one.key!r} is {lacks}, and is filled" for lacks in ("null", "missing")}
            return lambda value, state: state.fault(
                one.filled, (*state.at, *path), one.place, words["null" if one.key in value else "missing"]
            )

        def absent(value: Any, state: ItemState) -> None:
            state.fault("FIELD_MISSING", (*state.at, *self.at), one.place, missing_key(one.key, tuple(value)))

        return absent

    def several(self, many: Several) -> Iterator[str]:
        """Yield the lines that read a field with several keys."""
        parts = [f"part{place}" for place in range(len(many.keys))]
        for part, key in zip(parts, many.keys, strict=True):
            yield f"{part} = get({key!r}, MISSING)"
        judge = self.names.of("judge", many.judge)
        yield f"if MISSING is {' or MISSING is '.join(parts)}: {judge}(value, record, state)"
        yield f"else: {self.names.of('read', many.read)}(({', '.join(parts)}), record, state)"

    def others(self, others: Others) -> Iterator[str]:
        """Yield the lines that read alternatives and unnamed keys."""
        named = self.names.of("named", others.named)
        known = "known" if others.choices else named
        for place, choose in enumerate(others.choices):
            yield f"known = {'known' if place else named} | {self.names.of('choose', choose)}(value, record, state)"
        if others.rest is not None:
            yield f"if not value.keys() <= {known}: {self.names.of('rest', others.rest)}(value, {known}, record, state)"

    def _bound(self, one: Single, judged: str) -> Iterator[str]:
        """Yield the lines that bind a value of the expected type, or leave it to its reader."""
        leaf = one.rule.leaf
        here = self.names.of("here", (*self.at, one.key))
        if isinstance(leaf, Constant):
            expected, kind = self.names.of("expected", leaf.value), self.names.of("kind", type(leaf.value))
            yield f"if type(part) is not {kind} or part != {expected}: {judged}"
        elif isinstance(leaf, Computed):
            what = f"{self.names.of('leaf', leaf)}, {self.names.of('place', one.rule.place)}"
            yield f"state.deferred.append(({what}, record, part, file, (*base, *{here})))"
        elif one.meaning is None or one.chain is None or (lines := self._stored(one.meaning, here)) is None:
            yield judged
        elif one.chain.codecs or one.meaning.value_type not in PLAIN:
            yield f"if {self._is_free(one.meaning)}:"
            decode = self.names.of("decode", one.chain.decode)
            yield f"    try: record[{one.meaning.name!r}] = {decode}(part, state.env)"
            yield f"    except UnfitError: {judged}"
            yield from ("    else:", *(f"        {line}" for line in lines)) if lines else ()
            yield f"else: {judged}"
        else:
            kinds = self.names.of("kinds", PLAIN[one.meaning.value_type])
            yield f"if type(part) in {kinds} and {self._is_free(one.meaning)}:"
            yield from (f"    {line}" for line in (f"record[{one.meaning.name!r}] = part", *lines))
            yield f"else: {judged}"

    def _is_free(self, meaning: Meaning) -> str:
        """Return the condition under which a slot may simply be set."""
        free = f"{meaning.name!r} not in record"
        if meaning.name == "category.name":
            free = f"{free} and part != ''"  # a class without a name is reported
        return f"{free} and not categories.listed and not categories.closed" if meaning.name in NAMED else free

    def _stored(self, meaning: Meaning, here: str) -> tuple[str, ...] | None:
        """Return the lines that follow setting a slot; None if the value needs a check beyond its type."""
        name = meaning.name
        if slot_binding(meaning, self.scope) not in ("plain", "noted"):
            return None
        if name in PLACED:
            return (f"record['${name}_at'] = (file, (*base, *{here}))",)
        if name in NAMED:
            at = f"record['${name.removeprefix('category.')}_at'] = (file, (*base, *{here}))"
            return (f"if categories.match: {at}",)
        return ()
