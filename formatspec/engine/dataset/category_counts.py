"""Checks a stated number of categories, which may stand beside their names or replace them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import Role
from formatspec.language.errors import Place
from formatspec.language.expression import Call, Name
from formatspec.language.leaf import Bind, Computed
from formatspec.language.rules import possible_fields

NAME = "class_{}"
"""The name of a category of which only the number is known."""
DIGITS = 9
"""The most digits that a number in a text may have to be taken for a count."""
MOST = 100_000
"""The most categories that a stated count may create."""


def counted_categories(role: Role, document: Any, state: ItemState) -> Iterator[Fault]:
    """Yield the faults in a document's stated count of categories.

    Where names are missing, categories are created from the count, numbered from 0. Where count and names disagree, the
    names decide.
    """
    found = list(stated_counts(role, document))
    named = _names_key(role)
    for key, place, count in found:
        rows = state.tables.get("category", ())
        if named is not None and named not in document and 0 < count <= MOST and len(rows) in (0, count):
            if not rows:
                told = repr(named)
                state.faults[:] = [f for f in state.faults if f.code != "FIELD_MISSING" or told not in f.message]
                state.tables["category"] = [{"name": NAME.format(index), "$column": True} for index in range(count)]
            words = f"{named!r} is missing, and is filled: {NAME.format(0)} and so on, {count} of them"
            yield Fault("FIELD_FILLED", state.file, (named,), place, words)
        elif named is not None and named in document and len(rows) != count:
            words = f"{key} is {count}, beside {len(rows)} names"
            yield Fault("CONFLICT", state.file, (key,), place, words, str(len(rows)), count, scope="document")
    yield from state.faults


def stated_counts(role: Role, document: Any) -> Iterator[tuple[str, Place, int]]:
    """Yield the keys under which a document states the number of categories, each with its place and value."""
    for field in possible_fields(role.document_rule) if isinstance(document, dict) else ():
        leaf = field.rule.leaf
        call = leaf.expression if isinstance(leaf, Computed) else None
        if isinstance(call, Call) and call.function == "count" and call.arguments == (Name("categories"),):
            value = document.get(field.keys[0])
            if isinstance(value, str) and value.strip().isdecimal() and len(value) <= DIGITS:
                value = int(value)
            if type(value) is int:
                yield field.keys[0], field.place, value


def _names_key(role: Role) -> str | None:
    """Return the key under which a document lists the names of categories."""
    for field in possible_fields(role.document_rule):
        leaf = field.rule.leaf
        if isinstance(leaf, Bind) and leaf.names == ("categories.name",):
            return field.keys[0]
    return None
