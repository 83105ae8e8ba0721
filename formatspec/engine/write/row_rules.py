"""What the rules of rows say before any row is written: which attributes they bind, whether they wait for columns."""

from __future__ import annotations

from collections.abc import Iterator

from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import LeafRule, MapRule, OneOf, Rule


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
