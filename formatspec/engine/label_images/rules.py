"""What a rule says about a label image: its channels, the tables of its pixel values, the alphabet of a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.base.faults import Record
from formatspec.language.leaf import Bind, Computed, Constant
from formatspec.language.rules import ListRule, MapRule, OneOf, Rule, TableRule, possible_fields, problem, within

CHANNELS = ("R", "G", "B", "A")
COLORED = (*CHANNELS, "RGB")
ALPHA = "A"
"""The alpha channel. It is data only if a rule names it; otherwise it is ignored."""
ANY = "any"
"""A channel that is 255 where any channel is not 0, and 0 elsewhere."""
KEYS = ("L", "P", *CHANNELS, "RGB", ANY)
Value = Any


class Alphabet(msgspec.Struct, frozen=True):
    """The pixel values of a mask of one record: which slot each value selects; None selects nothing."""

    slots: Mapping[int, str | None]


def alphabets_of(rule: Rule) -> tuple[Alphabet, ...]:
    """Return the alphabets of a mask of one record; empty if the rule is a table."""
    if isinstance(rule, OneOf):
        found = [alphabets_of(choice) for choice in rule.alternatives]
        return tuple(a for group in found for a in group)
    if isinstance(rule, MapRule) and not rule.fields:
        return tuple(a for choice in rule.alternatives for a in alphabets_of(choice))
    if not isinstance(rule, MapRule) or len(rule.fields) != 1:
        return ()
    leaf = rule.fields[0].rule.leaf
    if not isinstance(leaf, Bind) or leaf.names != ("slot",):
        return ()
    if len(leaf.calls) != 1 or leaf.calls[0].name != "map":
        raise problem("`slot` goes through one map", rule.place, "slot | map(0=null, 255=region)")
    return (Alphabet({a.file: a.value for a in leaf.calls[0].arguments}),)


def channels_of(rule: Rule) -> tuple[str, ...]:
    """Return the channels of a label image that a rule names, each once, in the rule's order."""
    return tuple(dict.fromkeys(key for field in possible_fields(rule) for key in field.keys))


def known_channels(modes: Sequence[str], rule: Rule) -> tuple[str, ...]:
    """Return the channels that a rule over images of these modes names.

    Raises:
        SpecError: A key is no channel, images of the mode that is written lack it, or a value or a row says nothing of
            a pixel.
    """
    keys = channels_of(rule)
    written = modes[0] if modes else "gray"
    for one in within(rule):
        if isinstance(one, MapRule):
            _check_channels(one, written)
        elif isinstance(one, TableRule) and not channels_of(one):
            raise problem(f"`each: {one.each.table}` names no channel of a pixel", one.place, " or ".join(KEYS))
    if ALPHA in keys and tuple(modes) != ("rgba",):
        raise problem("`A` is a channel of images with an alpha channel only", rule.place, "`image: rgba`")
    return keys


def _check_channels(row: MapRule, written: str) -> None:
    """Check that each key of a row is a channel of an image of the mode that is written, and that it has a value."""
    if row.rest is not None:
        raise problem("a pixel has no other keys than its channels", row.rest.place, " or ".join(KEYS))
    for field in row.fields:
        for key in field.keys:
            if key not in KEYS:
                raise problem(f"{key!r} is no channel of a label image", field.place, " or ".join(KEYS))
            fitting = ("rgb", "rgba") if key in COLORED else ("gray", "gray16", "palette", "index")
            if key not in (ANY, ALPHA) and written not in fitting:  # alpha has a message of its own
                words = f"`{key}` is a channel of other images than those that are written, `image: {written}`"
                raise problem(words, field.place, f"`image: {' or '.join(fitting)}`, or another channel")
        leaf = field.rule.leaf
        listed = isinstance(field.rule, ListRule) and field.keys == ("RGB",)
        if not isinstance(leaf, Bind | Computed | Constant) and not listed and not isinstance(field.rule, OneOf):
            words = f"the value of `{', '.join(field.keys)}` is a number, and this leaf gives none"
            raise problem(words, field.place, "a constant, `= EXPRESSION`, or slots with codecs")


def blanks_of(rule: Rule) -> tuple[Record, ...]:
    """Return pixel values without a meaning: alternatives that hold only constants, outside tables."""
    if isinstance(rule, OneOf):
        return tuple(blank for choice in rule.alternatives for blank in blanks_of(choice))
    if not isinstance(rule, MapRule) or not rule.fields:
        return ()
    values = {field.keys[0]: _constant(field.rule) for field in rule.fields}
    return () if None in values.values() else (values,)


def _constant(rule: Rule) -> Any:
    if isinstance(rule, ListRule):
        parts = [_constant(part) for part in rule.rules]
        return None if None in parts else parts
    return rule.leaf.value if isinstance(rule.leaf, Constant) else None


def tables_of(rule: Rule) -> tuple[TableRule, ...]:
    """Return the tables of a label image's rule, in order. Raises SpecError if their records have no pixels."""
    tables = tuple(one for one in rule.choices if isinstance(one, TableRule))
    for one in tables:
        if one.each.table not in ("objects", "children", "areas", "void"):
            raise problem(f"{one.each.table} have no pixels", one.place, "`each: objects`, `areas` or `void`")
    return tables
