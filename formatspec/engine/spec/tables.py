"""The tables of a role's rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formatspec.language.leaf import Constant
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule, is_mapping_or_rows


def first_of(rule: TableRule | OneOf) -> TableRule:
    """Return the table itself, or the first of the alternatives of a table."""
    if isinstance(rule, TableRule):
        return rule
    first = rule.alternatives[0]
    assert isinstance(first, TableRule)
    return first


def tables_in(rule: Rule, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], TableRule | OneOf]]:
    """Yield the outermost tables of a rule, with the keys that lead there."""
    if isinstance(rule, TableRule):
        yield at, rule
    elif isinstance(rule, OneOf):
        if rule.alternatives and all(isinstance(choice, TableRule) for choice in rule.alternatives):
            yield at, rule
        else:
            for choice in rule.alternatives:
                yield from tables_in(choice, at)
    elif isinstance(rule, MapRule):
        for one in rule.fields:
            assert isinstance(one, Field)
            yield from tables_in(one.rule, (*at, one.keys[0]))
        for alternatives in rule.alternatives:
            for choice in alternatives.alternatives:
                yield from tables_in(choice, at)


def rules_of(rule: TableRule | OneOf) -> tuple[TableRule, ...]:
    """Return the alternatives of a table."""
    if isinstance(rule, TableRule):
        return (rule,)
    return tuple(choice for choice in rule.alternatives if isinstance(choice, TableRule))


def takes_null(rule: Rule, at: Sequence[str | int]) -> bool:
    """Return whether null may stand under the last of some keys, in place of rows or of the mapping that holds them."""
    if isinstance(rule, OneOf):
        return any(takes_null(choice, at) for choice in rule.alternatives)
    if not isinstance(rule, MapRule) or not at:
        return bool(not at and isinstance(rule, LeafRule) and rule.leaf == Constant(None))
    if any(takes_null(choices, at) for choices in rule.alternatives):
        return True
    key, *rest = at
    found = [one for one in rule.fields if one.keys[0] == key]
    optional = not rest and any(one.optional and is_mapping_or_rows(one.rule) for one in found)
    return optional or any(takes_null(one.rule, rest) for one in found)
