"""Measures how well a document fits a rule: which required keys it has, and which of its keys the rule names.

A key is identified by its path, in which all rows of a table count as one: a key that some rows have is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from formatspec.codecs.regions.shared_runs import rows_of_runs
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.discriminators import constant_of, keys_of, may_be_absent
from formatspec.engine.resolve.scope import Scope
from formatspec.language.errors import SpecError
from formatspec.language.expression import Literal
from formatspec.language.leaf import Bind, Computed, Constant, Keep, Leaf, Text, names_of
from formatspec.language.rules import (
    BARE,
    KEY,
    Field,
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    says_nothing,
)
from formatspec.model.plain.same_value import same_value

KeyPath = tuple[str, ...]
ROW = "[]"
ROWS = 16
"""How many rows of a table are compared."""
HALF = 0.5
"""The weight of a key that the rule takes as an attribute under any name."""

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str, int, float),
    "id": (str, int, float),
    "int": (int, float, str),
    "number": (int, float, str),
    "bool": (bool, int, str),
    "texts": (list, str),
    "mapping": (dict,),
}


class Fit(NamedTuple):
    """How well a document fits.

    Attributes:
        f: The harmonic mean of recall and precision, from 0 to 1; None if the rule takes any document.
        reason: The first thing that does not fit; "" if everything fits.
        rows: How many rows of tables were compared.
    """

    f: float | None
    reason: str = ""
    rows: int = 0


class _Tally(msgspec.Struct, eq=False):
    """The keys that a rule requires, those found, and the document's keys by whether the rule names them."""

    required: dict[KeyPath, None] = {}
    found: set[KeyPath] = set()
    named: set[KeyPath] = set()
    taken: set[KeyPath] = set()
    unnamed: dict[KeyPath, None] = {}
    wrong: str = ""
    rows: int = 0
    strange: int = 0
    naming: dict[KeyPath, None] = {}

    def add(self, other: _Tally) -> None:
        self.required.update(other.required)
        self.found |= other.found
        self.named |= other.named
        self.taken |= other.taken
        self.unnamed.update(other.unnamed)
        self.wrong = self.wrong or other.wrong
        self.rows += other.rows
        self.strange += other.strange
        self.naming.update(other.naming)

    @property
    def recall(self) -> float:
        """The share of required keys that are found; all optional keys together count as at most one more."""
        if not self.required:
            return 1.0
        others = min(1.0, HALF * len(self.named - self.required.keys()))
        return (len(self.found & self.required.keys()) + others) / (len(self.required) + others)

    @property
    def precision(self) -> float:
        taken = self.taken - self.named
        unnamed = self.unnamed.keys() - self.named - taken
        whole = len(self.named) + len(taken) + len(unnamed)
        return (len(self.named) + HALF * len(taken)) / whole if whole else 1.0

    @property
    def lacking(self) -> KeyPath | None:
        return next((path for path in self.required if path not in self.found), None)


def fit_of(rule: Rule, scope: Scope, document: Any, cut: bool = False) -> Fit:
    """Measure how well a document fits a rule.

    `cut` says that the document is the beginning of a damaged one, so that missing keys do not count.
    """
    if isinstance(rule, LeafRule):
        return Fit(None) if isinstance(rule.leaf, Keep) else Fit(None if _fits_leaf(rule, scope, document) else 0.0)
    tally = _Tally()
    if not _walk(rule, scope, document, (), tally):
        return Fit(0.0, tally.wrong or "it is another kind of document", tally.rows)
    if not tally.required and not tally.named:
        return Fit(None)
    recall, precision = tally.recall, tally.precision
    if cut and tally.named:
        recall = max(recall, precision)
    nameless = next(iter(tally.naming), None) if tally.naming and not tally.naming.keys() & tally.found else None
    if nameless is not None and not cut:
        return Fit(0.0, _missing_at(nameless), tally.rows)
    if not recall:
        return Fit(0.0, _missing(tally), tally.rows)
    strange = max(tally.strange - cut, 0)  # the last row before the damage may be of any kind
    share = 1 - strange / tally.rows if tally.rows else 1.0
    f = 2 * recall * precision / (recall + precision) * share if recall + precision else 0.0
    return Fit(f, _missing(tally) or tally.wrong or _odd(tally), tally.rows)


def _missing(tally: _Tally) -> str:
    return _missing_at(tally.lacking) if tally.lacking is not None else ""


def _missing_at(path: KeyPath) -> str:
    keys = [key for key in path if key != ROW]
    where = f" in {'.'.join(keys[:-1])}" if len(keys) > 1 else " in its rows" if ROW in path else ""
    return f'"{keys[-1]}" is missing{where}' if keys else "it has no rows"


def _place(at: KeyPath) -> str:
    """Return a place in a document, for a message."""
    keys = [key for key in at if key != ROW]
    return f'"{keys[-1]}"' if keys else "the document"


def _odd(tally: _Tally) -> str:
    path = next((path for path in tally.unnamed if path not in tally.named), None)
    return f'"{[key for key in path if key != ROW][-1]}" is no key of it' if path and tally.precision < 1 else ""


def _walk(rule: Rule, scope: Scope, value: Any, at: KeyPath, tally: _Tally) -> bool:
    """Compare a value with a rule; return False if its type or a constant differs."""
    if isinstance(rule, LeafRule):
        return _fits_leaf(rule, scope, value)
    if isinstance(rule, MapRule):
        return _walk_mapping(rule, scope, value, at, tally)
    if rule.tables:
        return _walk_rows(rule.tables, scope, value, at, tally)
    if isinstance(rule, OneOf):
        return _choose(rule.alternatives, scope, value, at, tally)
    if isinstance(rule, ListRule):
        if not isinstance(value, list):
            return False
        return all(_walk(one, scope, part, at, tally) for one, part in zip(rule.rules, value, strict=False))
    return True


def _walk_mapping(rule: MapRule, scope: Scope, value: Any, at: KeyPath, tally: _Tally) -> bool:
    if not isinstance(value, dict):
        if scope.textual and not value and not any(not f.optional for f in rule.fields):
            return True
        tally.wrong = tally.wrong or f"{_place(at)} is no mapping"
        return False
    if BARE not in value and any(field.keys == (BARE,) and not field.optional for field in rule.fields):
        return False  # the rule expects bare values, and this is a mapping
    inner = scope.below()
    named: set[str] = set()
    for field in rule.fields:
        named.update(field.keys)
        if not _walk_field(field, inner, value, at, tally):
            return False
    for alternatives in rule.alternatives:
        named |= keys_of(alternatives)
        _choose(alternatives.alternatives, scope, value, at, tally)
    if not rule.part:
        rest = isinstance(rule.rest, OneOf) or isinstance(rule.rest_leaf, Bind)
        for key in value:
            if isinstance(key, str) and key not in named and key not in (KEY, BARE, ""):
                if rest:
                    tally.taken.add((*at, key))
                else:
                    tally.unnamed[(*at, key)] = None
    return True


def _walk_field(field: Field, scope: Scope, value: dict[str, Any], at: KeyPath, tally: _Tally) -> bool:
    """Compare a field; return False if a constant of it differs, or if it must not be there."""
    if field.is_excluded:
        if field.keys[0] not in value or (scope.textual and value[field.keys[0]] == ""):
            return True
        tally.wrong = tally.wrong or f'"{field.keys[0]}" must not be there'
        return False
    required = not may_be_absent(field, scope)
    for key in field.keys:
        path = (*at, key)
        own = key not in (KEY, BARE)
        if required and own:
            tally.required[path] = None
            if _names_items(field.rule, scope):
                tally.naming[path] = None
        if key not in value:
            if required:
                _require(field.rule, scope, path, tally)
            continue
        part = value[key]
        if required and own and scope.cells and part == "" and isinstance(field.rule, LeafRule):
            tally.named.add(path)
            continue
        if len(field.keys) == 1 and not _walk(field.rule, scope, part, path, tally):
            if required and any(True for _ in constants(field.rule.leaf)):
                tally.wrong = tally.wrong or f'"{key}" is another constant'
                return False
            if part is not None:
                tally.wrong = tally.wrong or f'"{key}" is of another kind'
            if required:
                _require(field.rule, scope, path, tally)
            if own:
                tally.unnamed[path] = None
            elif key == BARE and required:
                return False  # the row is just this value
            continue
        if own:
            tally.found.add(path)
            tally.named.add(path)
    return True


def _names_items(rule: Rule, scope: Scope) -> bool:
    """Return whether a leaf says which image a row of items is about."""
    named = names_of(rule.leaf) if isinstance(rule.leaf, Text) and scope.table == "items" else ()
    return any(name in scope.captures for name in named)


def _require(rule: Rule, scope: Scope, at: KeyPath, tally: _Tally) -> None:
    """Note the keys that an absent value would have had to have."""
    first = next(iter(rule.choices), rule)
    at = at if first.row is first else (*at, ROW)
    for field in first.row.fields:
        for key in () if may_be_absent(field, scope) else field.keys:
            if key not in (KEY, BARE):
                tally.required[(*at, key)] = None
            _require(field.rule, scope, (*at, key), tally)


def _walk_rows(tables: tuple[TableRule, ...], scope: Scope, value: Any, at: KeyPath, tally: _Tally) -> bool:
    """Compare the rows of a table, each with the alternative that fits best."""
    if isinstance(value, dict):
        if tables[0].each.runs:
            rows = rows_of_runs(value)
            value = value if rows is None else rows[0] if rows else None
            return value is None or _choose((tables[0].row,), scope.inside("objects"), value, (*at, ROW), tally)
        if tables[0].each.columns:
            row = {key: part[0] if isinstance(part, list) and part else part for key, part in value.items()}
            return _choose(tuple(t.row for t in tables), scope.inside(tables[0].each.table), row, (*at, ROW), tally)
        value = [value]
    if not isinstance(value, list):
        if value in (None, ""):
            return True
        tally.wrong = tally.wrong or f"{_place(at)} is no list"
        return False
    if not value:
        for table in tables[:1]:
            if not at:
                _require(table.row, scope, (*at, ROW), tally)
        return True
    fitting = 0
    rows = [row for row in value[:ROWS] if not says_nothing(row)]
    if not rows:
        return True
    for row in rows:
        choices = [(table.row, scope.inside(table.each.table)) for table in tables]
        found = _choose_of(choices, row, (*at, ROW), tally)
        fitting += found is not None and (not at or found.recall >= HALF)
    tally.rows += len(rows)
    tally.strange += len(rows) - fitting
    return fitting > 0


def _choose(choices: tuple[Rule, ...], scope: Scope, value: Any, at: KeyPath, tally: _Tally) -> bool:
    return _choose_of([(choice, scope) for choice in choices], value, at, tally) is not None


def _choose_of(choices: list[tuple[Rule, Scope]], value: Any, at: KeyPath, tally: _Tally) -> _Tally | None:
    """Compare a value with the alternative that fits best, and return the result; None if none fits."""
    best: tuple[float, float] | None = None
    chosen: _Tally | None = None
    wrong = ""
    for rule, scope in choices:
        tried = _Tally()
        if not _walk(rule, scope, value, at, tried):
            wrong = wrong or tried.wrong
            continue
        score = (tried.recall, tried.precision)
        if best is None or score > best:
            best, chosen = score, tried
        if score == (1.0, 1.0):
            break
    if chosen is None:
        tally.wrong = tally.wrong or wrong
        return None
    tally.add(chosen)
    return chosen


def constants(leaf: Leaf | None) -> Iterator[Any]:
    """Yield the constant of a leaf that is one."""
    if isinstance(leaf, Constant):
        yield leaf.value
    elif isinstance(leaf, Computed) and isinstance(leaf.expression, Literal):
        yield leaf.expression.value


def _fits_leaf(rule: LeafRule, scope: Scope, value: Any) -> bool:
    leaf = rule.leaf
    for expected in constants(leaf):
        stated = constant_of(Constant(expected), scope)
        return same_value(value, stated) or (value is not None and not scope.textual and value == stated)
    if value is None or isinstance(leaf, Keep | Computed):
        return True
    if isinstance(leaf, Text):
        return isinstance(value, str)
    if scope.textual:
        return True
    assert isinstance(leaf, Bind)
    kinds = _kinds_of(leaf, scope, rule)
    return kinds is None or isinstance(value, kinds)


def _kinds_of(leaf: Bind, scope: Scope, rule: LeafRule) -> tuple[type, ...] | None:
    """Return the JSON types that a leaf may have; None if it may have any, or if this is unknown."""
    meanings = [scope.meaning(name) for name in leaf.names]
    if any(meaning is None for meaning in meanings):
        return None
    types = [meaning.value_type for meaning in meanings if meaning is not None]
    if not leaf.calls:
        return _KINDS.get(types[0]) if len(types) == 1 else None
    try:
        takes = build(leaf, types, 1, scope.textual, rule.place).codecs[-1].takes
    except (SpecError, IndexError):
        return None
    return None if takes is None else (int, float) if takes in (int, float) else (takes,)
