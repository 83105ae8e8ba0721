"""The places where a document can be mutated, and what its rule says about each mutation.

A rule is walked beside its document. Only what follows from the rule is claimed. If another alternative might take the
mutated row, or a codec may read any text, nothing is known and there is no site.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.engine.resolve.discriminators import follows_from_shape, is_filled, may_be_absent, row_test
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import Name, names
from formatspec.language.leaf import Bind, Computed, Constant, Keep, Text
from formatspec.language.rules import KEY, Field, LeafRule, MapRule, OneOf, Rule, TableRule

KEY_DROPPED = "a required key is dropped"
KEY_ADDED = "a key that must not be there is added"
TEXT_FOR_NUMBER = "text stands where a number does"
NAN = "NaN stands where a number does"
ROW_TWICE = "a row stands twice"
REFERENCE = "a reference names nothing"
CONSTANT = "a constant is another"
COMPUTED = "a computed value is off"
"""Kinds of mutations of a document's content, all of which must be found."""

MARK = 918273645.5
"""Stands in a JSON document for a text that JSON cannot hold, until its bytes are made."""
UNKNOWN = 987654321
"""A number that no generated dataset has as an id."""
NUMBERS = frozenset(
    {"int", "number", "box", "rotated", "ring", "rings", "keypoints", "circle", "ellipse"}
)  # fmt: skip
"""Types of slots that hold only numbers."""
_OPAQUE = frozenset({"map", "if_null", "json", "text"})
"""Codecs after which a number may be any text."""

Path = tuple[str | int, ...]
Change = Callable[[Any], Any]
"""Returns a mutated document; it may change the given document."""


class Site(NamedTuple):
    """One mutation of a document: its kind, its place, and how it is made.

    `raw` is the text that replaces MARK in the bytes of a JSON document.
    """

    kind: str
    path: Path
    change: Change
    raw: str = ""


class Beside(NamedTuple):
    """What is known about a dataset while its rules are walked.

    Attributes:
        closed: Whether rows may only name listed categories.
        lines: Whether the document is one of lines, in which all matching alternatives of a row are kept.
        looks_up: Whether rows elsewhere refer to an object by its position, so that repeated rows are different
            objects.
    """

    closed: bool
    lines: bool
    looks_up: bool = False


def sites(rule: Rule, document: Any, scope: Scope, beside: Beside) -> Iterator[Site]:
    """Yield all mutations of a document that must be found."""
    yield from _visit(rule, document, scope, (), beside)


def _visit(rule: Rule, value: Any, scope: Scope, path: Path, beside: Beside) -> Iterator[Site]:
    if isinstance(rule, LeafRule):
        yield from _leaf(rule, value, scope, path, 1, beside)
    elif isinstance(rule, MapRule) and isinstance(value, dict):
        yield from _mapping(rule, value, scope, path, beside)
    elif isinstance(rule, TableRule):
        yield from _rows((rule,), value, scope, path, beside)
    elif isinstance(rule, OneOf) and all(isinstance(one, TableRule) for one in rule.alternatives):
        tables = tuple(one for one in rule.alternatives if isinstance(one, TableRule))
        yield from _rows(tables, value, scope, path, beside)
    elif isinstance(rule, OneOf):
        only = _only(rule.alternatives, value, scope)
        if only is not None:
            yield from _held(_visit(only, value, scope, path, beside), rule.alternatives, value, scope, path)


def _mapping(rule: MapRule, value: dict[str, Any], scope: Scope, path: Path, beside: Beside) -> Iterator[Site]:
    for field in rule.fields:
        if field.is_excluded and field.keys[0] not in value:
            yield Site(KEY_ADDED, (*path, field.keys[0]), _put((*path, field.keys[0]), "x"))
        if any(key not in value for key in field.keys) or any(part == "" for part in _parts(field, value)):
            continue
        if not beside.lines and _is_missed(field, scope):
            yield Site(KEY_DROPPED, (*path, field.keys[0]), _at(path, _without(field.keys[0])))
        inner = scope if isinstance(field.rule, LeafRule) else scope.below()
        if isinstance(field.rule, LeafRule):
            for number, key in enumerate(field.keys):
                if number == 0 or _numeric(field.rule.leaf, scope):
                    yield from _leaf(field.rule, value[key], scope, (*path, key), len(field.keys), beside)
        else:
            yield from _visit(field.rule, value[field.keys[0]], inner, (*path, field.keys[0]), beside)
    for choice in rule.alternatives:
        if (only := _only(choice.alternatives, value, scope)) is not None:
            found = _visit(only, value, scope, path, beside)
            yield from _held(found, choice.alternatives, value, scope, path)


def _parts(field: Field, value: Mapping[str, Any]) -> list[Any]:
    return [value[key] for key in field.keys]


def _is_missed(field: Field, scope: Scope) -> bool:
    """Return whether an absent field is reported as missing, or filled with a finding."""
    if field.keys[0] in ("", "#", "<>", "*", "@", KEY) or field.keys[0].startswith("^"):
        return False
    if scope.cells:
        return len(field.keys) == 1 and not field.optional and _numeric(getattr(field.rule, "leaf", None), scope)
    return len(field.keys) > 1 or is_filled(field, scope) or not may_be_absent(field, scope)


def _rows(rules: Sequence[TableRule], value: Any, scope: Scope, path: Path, beside: Beside) -> Iterator[Site]:
    if not isinstance(value, list) or any(rule.each.kept or rule.each.folded for rule in rules):
        return
    for place, row in enumerate(value):
        own = rules[0] if len(rules) == 1 else _only(rules, row, scope)
        if not isinstance(own, TableRule):
            continue
        inner = scope.inside(own.each.table)
        if beside.lines and not _reads_one_way(own.row, row):
            continue
        if _is_unique(own, beside) and not own.keyed and not own.levels and own.each.table != "attributes":
            yield Site(ROW_TWICE, (*path, place), _at(path, _repeated(place)))
        found = _visit(own.row, row, inner, (*path, place), beside)
        yield from found if len(rules) == 1 else _held(found, rules, row, scope, (*path, place))


def _is_unique(rule: TableRule, beside: Beside) -> bool:
    """Return whether a repeated row is reported: one with an id, or one that is an object by itself."""
    if rule.each.overlap or rule.each.rings or rule.each.counted:
        return False
    if rule.each.table == "objects" and beside.looks_up and not rule.each.by:
        return False
    return rule.each.by == ("id",) or (rule.each.table in ("objects", "categories") and not rule.each.by)


def _reads_one_way(row: Rule, value: Any) -> bool:
    """Return whether a line matches only one of the alternatives."""
    if not isinstance(value, dict):
        return False
    return not isinstance(row, MapRule) or not row.alternatives or len([key for key in value if key]) == 1


def _only(alternatives: Sequence[Rule], value: Any, scope: Scope) -> Rule | None:
    """Return the one alternative that a document may be; None if several may be."""
    able = [one for one in alternatives if _may_be(one, value, scope)]
    return able[0] if len(able) == 1 else None


def _may_be(rule: Rule, value: Any, scope: Scope) -> bool:
    if isinstance(rule, MapRule | TableRule):
        inner = scope.inside(rule.each.table) if isinstance(rule, TableRule) else scope
        row = rule.row
        if isinstance(row, MapRule) and row.alternatives and isinstance(value, dict):
            choices = (one for choice in row.alternatives for one in choice.alternatives)
            return row_test(row, inner)(value) and any(_may_be(one, value, inner) for one in choices)
        return row_test(row, inner)(value)
    return True


def _held(found: Iterator[Site], alternatives: Sequence[Rule], value: Any, scope: Scope, path: Path) -> Iterator[Site]:
    """Yield the sites after which no other alternative may take the row."""
    for site in found:
        if site.kind == ROW_TWICE:
            yield site
            continue
        after = _below(site.change(_rooted(copy.deepcopy(value), path)), path)
        able = [one for one in alternatives if _may_be(one, after, scope)]
        if len(able) == 0 or (len(able) == 1 and _only(alternatives, value, scope) is able[0]):
            yield site


def _rooted(value: Any, path: Path) -> Any:
    """Return a document that contains only a value at its place."""
    for key in reversed(path):
        value = {key: value}
    return value


def _below(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def _leaf(rule: LeafRule, value: Any, scope: Scope, path: Path, keys: int, beside: Beside) -> Iterator[Site]:
    leaf = rule.leaf
    if isinstance(leaf, Constant) and value is not None:
        yield Site(CONSTANT, path, _put(path, _another(value)))
    elif _is_compared(leaf, scope):
        if value not in (None, "") and not isinstance(value, list | dict):
            yield Site(COMPUTED, path, _put(path, _off(value)))
    elif isinstance(leaf, Bind):
        if _numeric(leaf, scope):
            yield from _of_numbers(value, path, scope.textual)
        if keys == 1 and (unknown := _unknown(leaf, scope, value, beside)) is not None:
            yield Site(REFERENCE, path, _put(path, unknown))
    elif isinstance(leaf, Text):
        return


def _is_compared(leaf: Any, scope: Scope) -> bool:
    """Return whether a value is compared with what follows from the data, such as the number of items."""
    if isinstance(leaf, Computed):
        return scope.kind != "dataset" or set(names(leaf.expression)) <= {"items"}
    return (
        isinstance(leaf, Keep)
        and scope.kind == "object"
        and isinstance(leaf.default, Name)
        and follows_from_shape(leaf)
    )


def _numeric(leaf: Any, scope: Scope) -> bool:
    """Return whether a leaf takes only numbers."""
    if not isinstance(leaf, Bind) or any(call.name in _OPAQUE for call in leaf.calls) or leaf.default is not None:
        return False
    known = [scope.meaning(name) for name in leaf.names]
    return all(one is not None and not one.derived and one.where in ("record", "item") and one.type in NUMBERS
               for one in known)  # fmt: skip


def _of_numbers(value: Any, path: Path, textual: bool) -> Iterator[Site]:
    if textual and isinstance(value, str):
        words = value.replace(",", " ").split()
        if words and all(map(_is_number, words)):
            yield Site(TEXT_FOR_NUMBER, path, _put(path, value.replace(words[-1], "seven")))
            yield Site(NAN, path, _put(path, value.replace(words[-1], "nan")))
        return
    at = _first_number(value, path)
    if at is not None and not textual:
        yield Site(TEXT_FOR_NUMBER, at, _put(at, "seven"))
        for raw in ("NaN", "1e999"):
            yield Site(NAN, at, _put(at, MARK), raw)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _first_number(value: Any, path: Path) -> Path | None:
    """Return the path of the first number in a value: the value itself, or in its lists."""
    while isinstance(value, list) and value:
        value, path = value[0], (*path, 0)
    return path if isinstance(value, int | float) and not isinstance(value, bool) else None


def _unknown(leaf: Bind, scope: Scope, value: Any, beside: Beside) -> Any:
    """Return a value that refers to nothing, for a leaf that names an item, a category or a parent; otherwise None."""
    known = scope.meaning(leaf.names[0])
    if known is None or len(leaf.names) > 1 or leaf.calls or leaf.default is not None or known.derived:
        return None
    if not _refers(known, scope, beside) or isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
        return UNKNOWN if isinstance(value, int) else str(UNKNOWN)
    return "no such name" if isinstance(value, str) and value and known.name.endswith(".name") else None


def _refers(known: Meaning, scope: Scope, beside: Beside) -> bool:
    if scope.kind in ("item", "category", "dataset"):
        return False
    if known.where == "item":
        return known.name == "id"
    if known.where != "record":
        return False
    slots = ("category.id", "category.index", "category.name")
    return (known.name in slots and beside.closed) or (known.name == "parent" and scope.kind == "object")


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}x"


def _off(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 3 + 1000
    return str(int(value) * 3 + 1000) if value.isdecimal() else f"{value}x"


def _at(path: Path, change: Change) -> Change:
    """Return a change of the value at a place of a document."""

    def made(document: Any) -> Any:
        if not path:
            return change(document)
        owner = _below(document, path[:-1])
        owner[path[-1]] = change(owner[path[-1]])
        return document

    return made


def _put(path: Path, value: Any) -> Change:
    return _at(path, lambda _: value)


def _without(key: str) -> Change:
    return lambda mapping: {name: part for name, part in mapping.items() if name != key}


def _repeated(place: int) -> Change:
    return lambda rows: [*rows[: place + 1], copy.deepcopy(rows[place]), *rows[place + 1 :]]
