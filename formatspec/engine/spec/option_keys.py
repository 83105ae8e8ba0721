"""Options in documents: in `"{option.NAME}": …`, the option's value is a key.

In `KEY: "{option.NAME}"` it is a value by which rows are selected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.language.errors import Place, Problem, SpecError
from formatspec.language.expression import Literal
from formatspec.language.leaf import Bind, Constant, Keep, Text
from formatspec.language.load import Layout
from formatspec.language.rules import OPTION_KEY, Field, LeafRule, MapRule, Rule, with_inside, within
from formatspec.language.schema import Spec


class KeyOption(msgspec.Struct, frozen=True):
    """An option that stands in documents: its first place, and whether each key that it names is optional.

    `value` says that it stands only as a value by which rows are selected.
    """

    name: str
    place: Place
    optional: bool
    value: bool = False


def option_of(field: Field) -> str | None:
    """Return the option in a field's key, if there is one."""
    found = OPTION_KEY.search(field.keys[0]) if len(field.keys) == 1 else None
    return found[1] if found else None


def option_value(rule: Rule) -> str | None:
    """Return the option that a rule is, if it is one as a value."""
    parts = rule.leaf.parts if isinstance(rule.leaf, Text) else ()
    only = parts[0] if len(parts) == 1 else None
    if not isinstance(only, Bind) or only.calls or len(only.names) != 1 or not only.names[0].startswith("option."):
        return None
    return only.names[0].removeprefix("option.")


def key_pattern(field: Field) -> re.Pattern[str]:
    """Return the pattern of keys for a field with an option; its group is the option's value."""
    before, _, behind = OPTION_KEY.sub("\0", field.keys[0]).partition("\0")
    return re.compile(f"{re.escape(before)}(.+){re.escape(behind)}", re.S)


def options_in_keys(layout: Layout) -> Mapping[str, KeyOption]:
    """Return the options that stand in keys of a layout's documents, by name; empty if it has no options.

    Raises:
        SpecError: The layout's rules are wrong.
    """
    if not layout.spec.options:
        return {}
    known: dict[str, KeyOption] | None = layout.__dict__.get(_OPTIONS)
    if known is None:
        known = layout.__dict__[_OPTIONS] = key_options(layout.rules)
    return known


def named_layout(layout: Layout, options: Mapping[str, Any]) -> Layout:
    """Return a layout with the keys that options name; the layout itself if there are none.

    The same names give the same layout. A field whose option has no value is left out, and a value whose option has
    none may be anything. Raises SpecError if an option names a key with a meaning of its own.
    """
    in_keys = options_in_keys(layout)
    if not in_keys:
        return layout
    names = tuple(options.get(name) for name in in_keys)
    made: dict[tuple[Any, ...], Layout] = layout.__dict__.setdefault(_MADE, {})
    if names not in made:
        named = Layout(layout.variant, layout.spec, layout.node)
        asked = {name: options.get(name) for name in in_keys}
        named.__dict__["rules"] = {role: _put(rule, asked, layout.spec) for role, rule in layout.rules.items()}
        named.__dict__[_OPTIONS] = {}
        made[names] = named
    return made[names]


_OPTIONS, _MADE = "options in keys", "layouts with named keys"
"""The keys under which a layout keeps these results."""


def key_options(rules: Mapping[str, Rule]) -> dict[str, KeyOption]:
    """Return the options that stand in keys of some rules, by name."""
    found: dict[str, KeyOption] = {}
    for rule in rules.values():
        for field in (field for one in within(rule) for field in one.fields):
            name, value = option_of(field), option_value(field.rule)
            if value is not None:
                found.setdefault(value, KeyOption(value, field.place, False, True))
            if name is None:
                continue
            known = found.get(name, KeyOption(name, field.place, True))
            found[name] = replace(known, optional=known.optional and field.optional)
    return found


def _put(rule: Rule, chosen: Mapping[str, Any], spec: Spec) -> Rule:
    if isinstance(rule, MapRule):
        rule = replace(rule, fields=tuple(one for field in rule.fields for one in _named(field, chosen)))
        _refuse_twice(rule.fields)
    rule = with_inside(rule, lambda one: _put(one, chosen, spec))
    value = option_value(rule)
    if value is None or not isinstance(rule, LeafRule):
        return rule
    if chosen.get(value) is not None:
        return replace(rule, leaf=Constant(chosen[value]))
    initial = spec.options[value].initial if value in spec.options else None
    return replace(rule, leaf=Keep(None if initial is None else Literal(initial)))


def _named(field: Field, chosen: Mapping[str, Any]) -> Iterator[Field]:
    """Yield a field with the value of its option in its key; nothing if the option has no value."""
    name = option_of(field)
    if name is None:
        yield field
    elif chosen.get(name) is not None:
        yield replace(field, keys=(OPTION_KEY.sub(lambda _: str(chosen[name]), field.keys[0]),))


def _refuse_twice(fields: tuple[Field, ...]) -> None:
    seen: set[str] = set()
    for field in fields:
        twice = seen.intersection(field.keys)
        if twice:
            message = f"an option names the key {min(twice)!r}, which has a meaning of its own"
            raise SpecError((Problem(message, field.place, "another name"),))
        seen.update(field.keys)
