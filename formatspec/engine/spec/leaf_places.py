"""The places in a spec of the leaves that fill slots, for messages."""

from __future__ import annotations

from collections.abc import Iterator

from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format
from formatspec.language.errors import Place
from formatspec.language.leaf import bindings
from formatspec.language.rules import LeafRule, LineRule, Rule, TableRule, inside


def leaf_places(form: Format) -> dict[tuple[str, str], Place]:
    """Return the place of the first leaf that fills each slot of each kind of record, by kind and slot."""
    found: dict[tuple[str, str], Place] = {}
    for role in form.documents:
        for name, place, scope in _bound(role.document_rule, role.scope):
            meaning = scope.meaning(name)
            if meaning is not None:
                kind = scope.kind if meaning.where == "record" else meaning.where
                found.setdefault((kind, meaning.name), place)
    return found


def _bound(rule: Rule, scope: Scope) -> Iterator[tuple[str, Place, Scope]]:
    """Yield the names that the leaves of a rule bind, each with its place in the spec and its scope."""
    if isinstance(rule, LeafRule | LineRule):
        yield from ((name, rule.place, scope) for bind in bindings(rule.leaf) for name in bind.names)
    elif isinstance(rule, TableRule):
        scope = scope.inside(rule.each.table)
    for one in inside(rule):
        yield from _bound(one, scope)
