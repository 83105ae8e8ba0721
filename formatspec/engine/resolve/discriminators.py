"""The constants, the required keys and the excluded keys that distinguish the alternatives of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from formatspec.engine.base.faults import MISSING
from formatspec.engine.resolve.questions.may_lack import FollowingBox
from formatspec.engine.resolve.scope import Scope
from formatspec.language.expression import Name
from formatspec.language.leaf import Bind, Constant, Keep
from formatspec.language.rules import Field, ListRule, MapRule, OneOf, Rule, TableRule, is_places
from formatspec.model.plain.same_value import same_value


def constant_of(leaf: Constant, scope: Scope) -> Any:
    """Return the constant as the document spells it."""
    if scope.textual and leaf.value is not None and not isinstance(leaf.value, str):
        return str(leaf.value).lower() if isinstance(leaf.value, bool) else str(leaf.value)
    return leaf.value


RowTest = Callable[[Any], bool]


def _required(rule: Rule) -> Iterator[tuple[tuple[str, ...], Rule]]:
    """Yield the rules of the required keys of a mapping, or of a row, and of the mappings in it, as paths of keys."""
    for field in rule.row.fields:
        if not field.optional:
            yield (field.keys[0],), field.rule
            if isinstance(field.rule, MapRule):
                yield from (((field.keys[0], *path), one) for path, one in _required(field.rule))


def constants_in(rule: Rule, scope: Scope) -> tuple[tuple[tuple[str, ...], Any], ...]:
    """Return the constants of a mapping as paths of keys with values."""
    found = ((path, one.leaf) for path, one in _required(rule))
    return tuple((path, constant_of(leaf, scope)) for path, leaf in found if isinstance(leaf, Constant))


def row_test(rule: Rule, scope: Scope, box: FollowingBox | None = None) -> RowTest:
    """Return a test of whether a document has the constants and the required keys of a rule, and no key it excludes.

    `box` is a required key that may be missing because the box follows from other keys of the document.
    """
    constants = constants_in(rule, scope)
    row = rule.row
    required = required_keys(row, scope)
    places = keys_of(row) if is_places(row) else None
    empty = [path for path, one in _required(row) if isinstance(one, ListRule) and not one.rules]  # stated as `[]`
    excluded = [field.keys[0] for field in row.fields if field.is_excluded]
    filled = required - {path[0] for path, _ in constants} if scope.cells else frozenset()

    def test(value: Any) -> bool:
        if not isinstance(value, dict):
            return not required
        if places is not None and not value.keys() <= places:
            return False  # lists are distinguished by their length
        if not required <= value.keys() and not (
            box is not None and required - value.keys() == {box.key} and box.lacks(value)
        ):
            return False
        if filled and any(value.get(key) == "" for key in filled):
            return False
        if excluded and any(value.get(key, "") != "" or (key in value and not scope.textual) for key in excluded):
            return False
        if empty and any(_part(value, path) for path in empty):
            return False
        return not constants or all(same_value(_part(value, path), expected) for path, expected in constants)

    return test


def _part(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path of keys; MISSING if nothing does."""
    for key in path:
        value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
    return value


def told_by(constants: Sequence[tuple[tuple[tuple[str, ...], Any], ...]]) -> tuple[str, ...] | None:
    """Return the path of a constant text that each of several rules requires, so that one lookup decides most rows.

    `constants` holds those of each rule, as `constants_in` gives them.
    """
    common = [
        path
        for path, value in (constants[0] if constants else ())
        if all(any(path == other and isinstance(one, str) for other, one in rule) for rule in constants)
    ]
    return common[0] if common and len(constants) > 1 else None


def alternative_test(rule: Rule, scope: Scope) -> RowTest:
    """Return a test of whether a value may match an alternative: a list of rows, its constant, or by `row_test`."""
    if isinstance(rule, TableRule) and not scope.textual and not rule.each.folded:
        return lambda value: isinstance(value, list | tuple)
    if isinstance(rule.leaf, Constant):
        constant = constant_of(rule.leaf, scope)
        return lambda value: same_value(value, constant)
    return row_test(rule, scope)


def deep_test(rule: Rule, scope: Scope) -> RowTest:
    """Return a test of whether a value may match an alternative, which also looks into nested mappings."""
    test = alternative_test(rule, scope)
    row = rule.row
    below = scope.below()
    fields = row.fields
    inner = [
        (field.keys[0], deep_test(field.rule, below))
        for field in fields
        if isinstance(field.rule, MapRule) and len(field.keys) == 1 and not may_be_absent(field, scope)
    ]
    if not inner or isinstance(rule, TableRule):
        return test
    return lambda value: (
        test(value) and (not isinstance(value, dict) or all(of_key(value.get(key)) for key, of_key in inner))
    )


def keys_of(rule: Rule) -> frozenset[str]:
    """Return the keys that a mapping and its alternatives name, or each of several alternatives."""
    row = rule.row
    inner = row.alternatives if isinstance(row, MapRule | OneOf) else ()
    return frozenset(key for field in row.fields for key in field.keys).union(*map(keys_of, inner))


def required_keys(row: Rule, scope: Scope) -> frozenset[str]:
    """Return the keys that a row must have."""
    return frozenset(key for field in row.fields if not may_be_absent(field, scope) for key in field.keys)


def may_be_absent(field: Field, scope: Scope) -> bool:
    """Return whether a document may lack a field; text can only say so that a table has no rows."""
    return field.optional or is_filled(field, scope) or (scope.textual and bool(field.rule.tables))


def is_filled(field: Field, scope: Scope) -> bool:
    """Return whether an absent or null field gets a value, which a finding reports.

    A row of an object or an area gets the value of the leaf's `else`; an image's size is taken from the image file.
    """
    if filling(field) == "IMAGE_SIZE_ABSENT":
        return not field.optional and not scope.cells and scope.kind != "dataset"
    if field.optional or scope.kind not in ("object", "area") or scope.textual or len(field.keys) > 1:
        return False
    leaf = field.rule.leaf
    if isinstance(leaf, Keep):
        return follows_from_shape(leaf)
    return isinstance(leaf, Bind) and leaf.default is not None and leaf.names in FILLED


FILLED = (("id",), ("single",))
"""Slots of an object that can be filled if a row does not state them: a new id, and that it is a single thing."""
OF_IMAGE = (("image.width",), ("image.height",))
"""Slots of an item that its image gives."""
OF_SHAPE = frozenset({"area", "bbox", "extent", "labelled"})
"""Slots that follow from an object's shape."""


def follows_from_shape(leaf: Keep) -> bool:
    """Return whether a kept value follows from an object's shape."""
    return isinstance(leaf.default, Name) and leaf.default.name in OF_SHAPE


def filling(field: Field) -> str:
    """Return the code of the finding that reports a filled field."""
    leaf = field.rule.leaf
    names = leaf.names if isinstance(leaf, Bind) and len(field.keys) == 1 and not leaf.calls else ()
    return "ID_MISSING" if names == ("id",) else "IMAGE_SIZE_ABSENT" if names in OF_IMAGE else "FIELD_FILLED"


def may_say_nothing(rule: Rule) -> bool:
    """Return whether an alternative fits a row that has none of its keys, and reads nothing from it."""
    return isinstance(rule, MapRule) and not rule.alternatives and rule.rest is None and all(
        field.optional and isinstance(field.rule.leaf, Bind)
        and field.rule.leaf.default is None
        for field in rule.fields
    )  # fmt: skip
