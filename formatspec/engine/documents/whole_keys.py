"""Keys of mappings that are integers, as YAML allows, in place of texts of digits."""

from __future__ import annotations

from msgspec.structs import replace

from formatspec.language.leaf import Bind, CodecCall, Text
from formatspec.language.rules import KEY, LeafRule, MapRule, OneOf, Rule, TableRule


def with_whole_keys(rule: Rule) -> Rule:
    """Return a rule whose keys `{NAME:d}` are integers, as a YAML file's keys may be."""
    if isinstance(rule, LeafRule):
        return rule
    if isinstance(rule, TableRule):
        return replace(rule, row=with_whole_keys(rule.row))
    if isinstance(rule, OneOf):
        return replace(rule, alternatives=tuple(map(with_whole_keys, rule.alternatives)))
    if isinstance(rule, MapRule):
        fields = tuple(
            replace(field, rule=_whole_key(field.rule) if field.keys == (KEY,) else with_whole_keys(field.rule))
            for field in rule.fields
        )
        choices = tuple(replace(one, alternatives=tuple(map(with_whole_keys, one.alternatives)))
                        for one in rule.alternatives)  # fmt: skip
        return replace(rule, fields=fields, alternatives=choices)
    return rule


def _whole_key(rule: Rule) -> Rule:
    parts = rule.leaf.parts if isinstance(rule.leaf, Text) else ()
    only = parts[0] if len(parts) == 1 else None
    if not isinstance(rule, LeafRule) or not isinstance(only, Bind) or only.calls or only.format != "d":
        return rule
    return LeafRule(replace(only, calls=(CodecCall("whole"),), format=None), rule.place)
