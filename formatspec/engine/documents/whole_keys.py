"""Keys of mappings that are integers, as YAML allows, in place of texts of digits."""

from __future__ import annotations

from msgspec.structs import replace

from formatspec.language.leaf import Bind, CodecCall, Text
from formatspec.language.rules import KEY, LeafRule, MapRule, Rule, with_inside


def with_whole_keys(rule: Rule) -> Rule:
    """Return a rule whose keys `{NAME:d}` are integers, as a YAML file's keys may be."""
    made = with_inside(rule, with_whole_keys)
    if not isinstance(made, MapRule):
        return made
    keyed = (replace(one, rule=_whole_key(one.rule)) if one.keys == (KEY,) else one for one in made.fields)
    return replace(made, fields=tuple(keyed))


def _whole_key(rule: Rule) -> Rule:
    parts = rule.leaf.parts if isinstance(rule.leaf, Text) else ()
    only = parts[0] if len(parts) == 1 else None
    if not isinstance(rule, LeafRule) or not isinstance(only, Bind) or only.calls or only.format != "d":
        return rule
    return LeafRule(replace(only, calls=(CodecCall("whole"),), format=None), rule.place)
