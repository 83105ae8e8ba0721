"""Generates readers of mappings as Python source. A value of the expected type is bound directly.

Any other value is left to the leaf's own reader, so that each mistake is reported in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.base.faults import MISSING, DocumentPath, Record, missing_key
from formatspec.engine.base.kept_fields import note_kept
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.read.bind_slots import NAMED, PLACED, item_binding, judge_of, slot_binding
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.json_type_dispatch import Choose
from formatspec.engine.read.leaf_reader import PLAIN, ReadContext, Wanted, exact, is_numbered
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.codec_chain import Chain, Memo, build
from formatspec.engine.resolve.discriminators import constant_of
from formatspec.engine.resolve.fuse_arithmetic import BOUNDS, box_lines
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.resolve.text_template import names_captures, restating, text_template
from formatspec.language.errors import Place
from formatspec.language.expression import Literal, Name
from formatspec.language.leaf import Bind, Computed, Constant, Keep, Text
from formatspec.language.rules import ASIDE, KEY, PLACE, Field, MapRule, Rule
from formatspec.paths.names import far_segments

FieldReaders = Sequence[tuple[tuple[str, ...], bool, Reader, Place]]
"""The fields of a mapping: their keys, whether they may be absent, their readers and places."""
COUNTS = frozenset({"index", "item.index"})
"""Slots that number a record, in its item or in its document."""
SCALARS = frozenset({str, int, float, bool})
"""The types of values that a kept field notes as they are."""


class Single(NamedTuple):
    """A field with one key, and its validating reader; None if its value does not matter.

    Attributes:
        meaning, chain: What its leaf binds and how, if it binds one slot only.
        filled: The code of the finding if it is absent and gets a value.
        restates: Returns whether its text says only what the item's paths say.
        noted: Whether it is kept and noted if it has a value, which may be a fixed one.
        numbered: Whether it is kept, and the number of its item's row is written where it is absent.
    """

    key: str
    optional: bool
    read: Reader | None
    place: Place
    rule: Rule
    meaning: Meaning | None = None
    chain: Chain | None = None
    filled: str = ""
    restates: Callable[[Any, Mapping[str, Any]], bool] | None = None
    noted: bool = False
    numbered: bool = False


def single_field(field: Field, optional: bool, read: Reader | None, scope: Scope, context: ReadContext) -> Single:
    """Describe a field with one key as the generator needs it."""
    leaf, place = field.rule.leaf, field.rule.place
    plain = Single(field.keys[0], optional, read, field.place, field.rule)
    if isinstance(leaf, Text):
        template = text_template(leaf, scope, place)
        return plain._replace(restates=restating(template) if names_captures(template, scope) else None)
    if isinstance(leaf, Keep):
        if not context.counts or scope.kind == "object" or field.keys[0] in (KEY, PLACE, ASIDE):
            return plain
        default = leaf.default
        counts = isinstance(default, Name) and default.name in COUNTS and scope.kind == "item"
        return plain._replace(noted=default is None or isinstance(default, Literal), numbered=counts)
    if not isinstance(leaf, Bind) or len(leaf.names) > 1:
        return plain
    meaning = scope.resolve(leaf.names[0], place)
    if not context.wanted(meaning, scope):
        return plain
    chain = build(leaf, [meaning.value_type], 1, scope.textual, place)
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
    """Further content of a mapping: alternatives, and keys that none of them names.

    Attributes:
        choices: The readers of the alternatives.
        named: The fields' keys.
        rest: The reader of keys that are not named.
        rows: Whether that reads the rows of a list under `*`, and nothing else.
    """

    choices: Sequence[Choose]
    named: frozenset[str]
    rest: Callable[[Mapping[str, Any], frozenset[str], Record, ItemState], None] | None
    rows: bool = False


Plain = Callable[[Mapping[str, Any], Record, ItemState], bool]
"""Reads a mapping whose values have the expected types, and returns whether it could."""


def plain_alternative(rule: Rule, scope: Scope, wanted: Wanted) -> Plain | None:
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


def _slot_of(field: Field, scope: Scope, wanted: Wanted) -> tuple[Meaning, Callable[..., Any]] | None:
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
    """Generate the reader of a mapping that is no row of cells; `judge` reads what is no mapping."""
    writing = _Writing(scope, at)
    lines = [line for field in single for line in writing.single(field)]
    lines += [line for fields in several for line in writing.several(fields)]
    lines += writing.others(others)
    head = f"if type(value) is not dict: return {writing.names.of('judge', judge)}(value, record, state)"
    return function("read(value, record, state)", (head, *_PRELUDE, *lines), writing.names)


_PRELUDE = (
    "file, base, categories, captures = state.file, state.at, state.categories, state.captures",
    "item, place_of = state.item, state.place_of",
)


class _Writing:
    """A reader that is being generated: its lines, and the names that they use."""

    def __init__(self, scope: Scope, at: DocumentPath) -> None:
        self.scope = scope
        self.at = at
        self.names = Names(UnfitError=UnfitError)

    def single(self, one: Single) -> Iterator[str]:
        """Yield the lines that read a field with one key."""
        absent = (
            "pass" if one.optional and not one.filled else f"{self.names.of('absent', self._absent(one))}(value, state)"
        )
        if one.read is None:
            yield f"if {one.key!r} not in value: {absent}"
            return
        yield f"if {one.key!r} not in value{f' or value[{one.key!r}] is None' if one.filled else ''}: {absent}"
        yield "else:"
        yield f"    part = value[{one.key!r}]"
        read, indent = self.names.of("read", one.read), "    "
        if self.scope.textual and one.optional and not one.noted:
            yield f"    if part == '': {self.names.of('read_empty', read_empty)}({read}, record, state)"
            yield "    else:"
            indent = "        "
        yield from (f"{indent}{line}" for line in self._bound(one, f"{read}(part, record, state)"))

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
        absent = " or ".join(f"{key!r} not in value" for key in many.keys)
        yield f"if {absent}: {self.names.of('judge', many.judge)}(value, record, state)"
        parts = ", ".join(f"value[{key!r}]" for key in many.keys)
        yield f"else: {self.names.of('read', many.read)}(({parts}), record, state)"

    def others(self, others: Others) -> Iterator[str]:
        """Yield the lines that read alternatives and unnamed keys."""
        named = self.names.of("named", others.named)
        known = "known" if others.choices else named
        for place, choose in enumerate(others.choices):
            yield f"known = {'known' if place else named} | {self.names.of('choose', choose)}(value, record, state)"
        if others.rows:
            rest = f"{self.names.of('rest', others.rest)}(value, {known}, record, state)"
            yield f"if '*' in value and value['*'] != []: {rest}"
        elif others.rest is not None:
            yield f"if not value.keys() <= {known}: {self.names.of('rest', others.rest)}(value, {known}, record, state)"

    def _bound(self, one: Single, judged: str) -> Iterator[str]:
        """Yield the lines that bind a value of the expected type, or leave it to its reader."""
        leaf = one.rule.leaf
        here = self.names.of("here", (*self.at, one.key))
        if isinstance(leaf, Constant):
            expected = constant_of(leaf, self.scope)
            told, kind = self.names.of("expected", expected), self.names.of("kind", type(expected))
            yield f"if type(part) is not {kind} or part != {told}: {judged}"
        elif isinstance(leaf, Computed):
            what = f"{self.names.of('leaf', leaf)}, {self.names.of('place', one.rule.place)}"
            yield f"state.deferred.append(({what}, record, part, file, (*base, *{here})))"
        elif one.restates is not None:
            yield f"if not {self.names.of('restates', one.restates)}(part, captures): {judged}"
        elif isinstance(leaf, Keep) and one.noted:
            yield from self._noted(leaf, one.key, judged)
        elif one.numbered:
            row, kind = ("str(base[-1])", "str") if self.scope.textual else ("base[-1]", "int")
            same = f"type(base[-1]) is int and type(part) is {kind} and part == {row}"
            yield f"if not base or not ({same}): {judged}"
        elif one.meaning is None or one.chain is None:
            yield judged
        else:
            yield from self._slot(one.meaning, one.chain, here, judged, getattr(leaf, "format", None))

    def _noted(self, leaf: Keep, key: str, judged: str) -> Iterator[str]:
        """Yield the lines that note a kept field, unless it has the value that would be written anyway."""
        fixed = leaf.default.value if isinstance(leaf.default, Literal) else None
        plain, note = self.names.of("plain", SCALARS), f"{self.names.of('note', note_kept)}(record, {key!r})"
        if self.scope.textual:
            none = "" if fixed is None else f" and part != {str(fixed)!r}"
            yield "if type(part) is str:"
            yield f"    if part != ''{none}: {note}"
        else:
            default = self.names.of("default", fixed)
            yield f"if type(part) in {plain}:"
            yield f"    if type(part) is not type({default}) or part != {default}: {note}"
        yield f"elif part is not None: {judged}"

    def _slot(self, meaning: Meaning, chain: Chain, here: str, judged: str, form: str | None) -> Iterator[str]:
        """Yield the lines that bind the value of one slot; `here` names its place, and `form` its leaf's format."""
        name, kind = meaning.name, item_binding(meaning, self.scope)
        plain = PLAIN.get(meaning.value_type) if not chain.codecs else None
        if self.scope.textual:
            plain = plain if meaning.value_type == "text" and form is None else None
        if kind in ("subset", "capture"):
            if plain is None or meaning.value_type != "text":
                yield judged
            elif kind == "capture":
                same = f"type(part) is str and {name!r} in captures and captures[{name!r}] == part"
                near = f"'..' not in part and part[:1] != '/' and not {self.names.of('far', far_segments)}(part)"
                yield f"if not ({same} and {near}): {judged}"
            else:
                yield f"if type(part) is not str: {judged}"
                yield "elif 'subsets' not in item: item['subsets'] = [part]"
                yield "elif part not in item['subsets']: item['subsets'].append(part)"
            return
        holder, lines = ("item", self._of_item(name, here)) if kind else ("record", self._stored(meaning, here))
        if name == "bbox" and (box := self._box(meaning, chain)) is not None:
            yield f"box = None if 'bbox' in record else {self.names.of('box', box)}(part, state.env)"
            yield f"if box is None: {judged}"
            yield "else: record['bbox'] = box"
            return
        exactly = is_numbered(meaning) and plain is None
        if lines is None or (exactly and not self.scope.textual):
            yield judged
            return
        free = f"{name!r} not in {holder}" if kind else self._is_free(meaning)
        if plain is not None:
            if kind:  # a row may tell once more what is known of its item
                free = f"({free} or (item[{name!r}] == part and type(item[{name!r}]) is type(part)))"
            yield f"if type(part) in {self.names.of('kinds', plain)} and {free}:"
            yield from (f"    {line}" for line in (f"{holder}[{name!r}] = part", *lines))
            yield f"else: {judged}"
            return
        decode = exact(chain.decode) if exactly else chain.decode
        if self.scope.textual and not chain.needs:
            free, source = f"type(part) is str and {free}", f"{self.names.of('memo', Memo(decode))}[part]"
        else:
            source = f"{self.names.of('decode', decode)}(part, state.env)"
        yield f"if {free}:"
        yield f"    try: {holder}[{name!r}] = {source}"
        yield f"    except UnfitError: {judged}"
        yield from ("    else:", *(f"        {line}" for line in lines)) if lines else ()
        yield f"else: {judged}"

    def _box(self, meaning: Meaning, chain: Chain) -> Callable[[Any, Env], Any] | None:
        """Generate a function that gives a box of four numbers within its image; it gives None for any other."""
        if self.scope.textual or self.scope.kind != "object" or slot_binding(meaning, self.scope) != "judged":
            return None
        if not all(one.inverse for one in chain.codecs):
            return None
        lines = (
            "if type(value) is not list or len(value) != 4 or env.width <= 0: return None",
            "v0, v1, v2, v3 = value",
            "if not (type(v0) in kinds and type(v1) in kinds and type(v2) in kinds and type(v3) in kinds): return None",
            "size = env.width, env.height",
            *BOUNDS,
            *box_lines(chain.codecs),
            "return value",
        )
        return function("box(value, env)", lines, {"kinds": frozenset({int, float})})

    def _of_item(self, name: str, here: str) -> tuple[str, ...]:
        """Return the lines that follow setting a slot of the item."""
        noted = f"if {name!r} not in place_of: place_of[{name!r}] = (file, (*base, *{here}))"
        if name not in ("image.width", "image.height"):
            return (noted,)
        return noted, "if 'image.width' in item and 'image.height' in item: state.sized()"

    def _is_free(self, meaning: Meaning) -> str:
        """Return the condition under which a slot may simply be set."""
        free = f"{meaning.name!r} not in record"
        if meaning.name == "category.name":
            free = f"{free} and part != ''"  # a class without a name is reported
        if meaning.name not in NAMED:
            return free
        known = f"categories.knows({meaning.name.removeprefix('category.')!r}, part)"
        return f"{free} and ((not categories.listed and not categories.closed) or {known})"

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


def read_empty(reader: Reader, record: Record, state: ItemState) -> None:
    """Read an empty element that may be absent: if an empty text is no value there, it has no effect."""
    before = len(state.faults)
    reader("", record, state)
    state.faults[before:] = [fault for fault in state.faults[before:] if fault.code != "FIELD"]
