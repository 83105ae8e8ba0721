"""Access to the rows of shared documents, and decoding of only those of their fields that are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypedDict

import msgspec

from formatspec.engine.read.leaf_reader import ReadContext, states_area
from formatspec.engine.resolve.scope import Scope
from formatspec.language.leaf import Bind, Computed, Keep
from formatspec.language.rules import LeafRule, MapRule, OneOf, Rule, TableRule

Decode = Callable[[bytes], Any]
"""Decodes the bytes of a list of rows, as far as the fields are needed."""


class RowSource:
    """The rows of one table in one file."""

    def __len__(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def at(self, position: int) -> Any:
        """Return the row at a position, from 0."""
        return self.some(position, position + 1, None)[0]

    def some(self, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
        """Return consecutive rows; `decode` takes the bytes of their list."""
        raise NotImplementedError

    def typed(self, start: int, stop: int, decode: Decode) -> Sequence[Any] | None:
        """Return consecutive rows with the types of `decode`; None if a row has other types, or no bytes."""
        return None

    def text_at(self, position: int) -> tuple[bytes, Callable[[bytes], Any]] | None:
        """Return the bytes of a row that is an XML element, and a function that decodes them; None for other rows."""
        return None

    def batches(self, fields: Fields | None) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield all rows in order, in pieces, each with its first position; of mappings, only `fields` are needed."""
        raise NotImplementedError


Fields = dict[str, bool]
"""The keys of a mapping that are looked at, and whether their value matters or only their presence."""


def fields_of(rules: Sequence[TableRule], scope: Scope, context: ReadContext) -> Fields | None:
    """Return the keys of rows that readers look at; None if they look at all."""
    merged: Fields = {}
    for rule in rules:
        found = _fields(rule.row, scope.inside(rule.each.table), context)
        if found is None or context.compares:
            return None
        _merge(merged, found)
    return merged


def _fields(rule: Rule, scope: Scope, context: ReadContext) -> Fields | None:
    if not isinstance(rule, MapRule):
        return None
    rest = rule.rest
    run = context.sparse and scope.textual and isinstance(rest, OneOf)  # elements that a sparse reader skips
    if rest is not None and not run and (not isinstance(rest, LeafRule) or isinstance(rest.leaf, Bind)):
        return None
    found: Fields = {}
    for one in rule.fields:
        _merge(found, dict.fromkeys(one.keys, _read(one.rule, scope, context)))
    for alternatives in rule.alternatives:
        for choice in alternatives.alternatives:
            inner = _fields(choice, scope, context)
            if inner is None:
                return None
            _merge(found, inner)
    return found


def _read(rule: Rule, scope: Scope, context: ReadContext) -> bool:
    """Return whether the value of a rule is used."""
    if not isinstance(rule, LeafRule):
        return True
    if isinstance(rule.leaf, Keep | Computed):
        return context.areas and states_area(rule.leaf, scope)
    if isinstance(rule.leaf, Bind):
        return any(context.wanted(scope.resolve(name, rule.place), scope) for name in rule.leaf.names)
    return True


def _merge(found: Fields, more: Fields) -> None:
    for key, needed in more.items():
        found[key] = found.get(key, False) or needed


def row_type(fields: Fields) -> Any:
    """Return a type by which msgspec decodes only these fields; those of which only the presence matters stay raw."""
    return TypedDict("Row", {key: Any if needed else msgspec.Raw for key, needed in fields.items()}, total=False)  # type: ignore[operator]


def rows_decoder(fields: Fields | None) -> Decode | None:
    """Return a decoder for lists of rows that decodes as much as `fields` asks for."""
    return None if fields is None else msgspec.json.Decoder(list[row_type(fields)]).decode  # type: ignore[misc]
