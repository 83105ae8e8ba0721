"""What the names in a rule mean, each with the scope in which its leaf stands."""

from __future__ import annotations

from collections.abc import Iterator

from formatspec.engine.base.remembered import remembered
from formatspec.engine.resolve.questions.tables import tables_within
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import Expression
from formatspec.language.leaf import Bind, Computed, Text, bindings
from formatspec.language.rules import Rule, TableRule, inside, is_derived, within


def scoped(rule: Rule, scope: Scope) -> Iterator[tuple[Rule, Scope]]:
    """Yield a rule and all rules in it, each with what names mean there; of a table, with what they mean around it."""
    yield rule, scope
    if isinstance(rule, TableRule):
        scope = scope.inside(rule.each.table)
    for one in inside(rule):
        yield from scoped(one, scope)


def expressions_within(rule: Rule) -> Iterator[Expression]:
    """Yield the expressions in a rule: conditions of tables, computed values, and what stands behind `else`."""
    for one in within(rule):
        parts = one.leaf.parts if isinstance(one.leaf, Text) else (one.leaf,)
        asked = [part.expression if isinstance(part, Computed) else getattr(part, "default", None) for part in parts]
        yield from filter(None, [one.each.where, *asked] if isinstance(one, TableRule) else asked)


@remembered(2048)
def leaves(rule: Rule, scope: Scope, kept: bool = True) -> tuple[tuple[Bind, Scope, bool], ...]:
    """Return every leaf that binds, with its scope, and whether it is in rows that only look up others.

    `kept` says whether rows count that are only written back to the same format.
    """
    return tuple(_leaves(rule, scope, False, kept))


def _leaves(rule: Rule, scope: Scope, lookup: bool, kept: bool) -> Iterator[tuple[Bind, Scope, bool]]:
    yield from ((bind, scope, lookup) for bind in bindings(rule.leaf))
    if isinstance(rule, TableRule):
        if rule.each.kept and not kept:
            return
        scope, lookup = scope.inside(rule.each.table), lookup or rule.each.overlap
    for one in inside(rule):
        yield from _leaves(one, scope, lookup, kept)


@remembered(2048)
def meanings(rule: Rule, scope: Scope, kept: bool = True) -> tuple[tuple[Meaning, Scope, bool], ...]:
    """Return what the names of a rule's leaves mean; without `kept`, leaving out what is only written back."""
    return tuple(
        (meaning, inner, lookup)
        for leaf, inner, lookup in leaves(rule, scope, kept)
        for name in leaf.names
        for stated in (_slots_chosen(leaf) if name == "slot" else (name,))
        if (meaning := inner.meaning(stated)) is not None
    )


def _slots_chosen(leaf: Bind) -> list[str]:
    """Return the slots among which the codecs of a leaf for `slot` choose."""
    return [str(argument.value) for call in leaf.calls for argument in call.arguments if argument.value]


@remembered(2048)
def tables(rule: Rule, lookups: bool = True) -> frozenset[str]:
    """Return the tables whose rows hold something; without `lookups`, only those whose rows are new records."""
    return frozenset(
        one.each.table for one in tables_within(rule) if not is_derived(one.row) and (lookups or not one.each.overlap)
    )
