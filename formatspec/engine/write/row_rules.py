"""What the rules of rows say before any row is written: which attributes they bind, whether they wait for columns or
hold tables."""

from __future__ import annotations

from collections.abc import Iterator

from formatspec.language import expression
from formatspec.language.expression import Expression
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import LeafRule, MapRule, OneOf, Rule, TableRule, inside


def bound_attributes(rule: Rule) -> Iterator[str]:
    """The single attributes that a rule binds, which `*: attributes` does not repeat."""
    if isinstance(rule, LeafRule):
        for bind in bindings(rule.leaf):
            yield from (n.removeprefix("attributes.") for n in bind.names if n.startswith("attributes."))
    elif isinstance(rule, MapRule):
        for field in rule.fields:
            yield from bound_attributes(field.rule)
        for choice in rule.alternatives:
            yield from bound_attributes(choice)
    elif isinstance(rule, OneOf):
        for alternative in rule.alternatives:
            yield from bound_attributes(alternative)


def needs_columns(rule: Rule) -> bool:
    """Whether a row can only be written when the names of all columns are known."""
    if isinstance(rule, MapRule):
        return any(needs_columns(field.rule) for field in rule.fields)
    calls = rule.leaf.calls if isinstance(rule, LeafRule) and isinstance(rule.leaf, Bind) else ()
    return any(argument.value == "columns" for call in calls for argument in call.arguments)


def holds_tables(rule: Rule) -> bool:
    """Whether there are tables within a rule."""
    return any(isinstance(one, TableRule) or holds_tables(one) for one in inside(rule))


def is_settled(where: Expression | None) -> bool:
    """Whether a condition is about options alone, which are known before anything is written."""
    return where is not None and all(name.startswith("option.") for name in expression.names(where))
