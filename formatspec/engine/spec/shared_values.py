"""Slots that a shared document states for all its items, such as a width, a frame rate or a camera's name."""

from __future__ import annotations

from msgspec.structs import replace

from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format, Role
from formatspec.language.leaf import Bind, Computed, Keep
from formatspec.language.rules import Field, LeafRule, ListRule, MapRule, Rule, possible_fields, within


def value_rule(role: Role) -> Rule | None:
    """Return the part of a role's rule that states slots for all items of a document, or computes them from such slots.

    None stands for a role without such a part.
    """
    if role.span != "shared" or role.codec is None:
        return None
    return _pruned(role.document_rule, role.scope)


def value_slots(role: Role) -> tuple[str, ...]:
    """Return the slots of items that a shared document states for all of them."""
    rule = value_rule(role)
    return () if rule is None else tuple(dict.fromkeys(_slots(rule, role.scope)))


def value_names(form: Format, role: Role) -> tuple[str, ...]:
    """Return the names in a role's path by which its documents and their items agree."""
    return tuple(name for name in role.captures if name in form.key_names)


def _pruned(rule: Rule, scope: Scope) -> Rule | None:
    if isinstance(rule, LeafRule):
        return rule if isinstance(rule.leaf, Computed) or _is_of_items(rule, scope) else None
    if isinstance(rule, ListRule):
        kept = [_pruned(one, scope) for one in rule.rules]
        if not any(kept):
            return None
        return replace(rule, rules=tuple(LeafRule(Keep(), rule.place) if one is None else one for one in kept))
    if isinstance(rule, MapRule):
        first: dict[tuple[str, ...], Field] = {}  # of a mapping and its alternatives; documents may have any of them
        for field in possible_fields(rule):
            first.setdefault(field.keys, field)
        fields = [(field, _pruned(field.rule, scope)) for field in first.values()]
        kept_fields = tuple(replace(f, rule=inner, optional=True) for f, inner in fields if inner is not None)
        return MapRule(kept_fields, (), None, rule.place, part=True) if kept_fields else None
    return None


def _is_of_items(rule: LeafRule, scope: Scope) -> bool:
    names = rule.leaf.names if isinstance(rule.leaf, Bind) else ()
    meanings = [scope.meaning(name) for name in names]
    return bool(meanings) and all(
        meaning is not None
        and meaning.where == "item"
        and not meaning.derived
        and not meaning.name.startswith(("label.", "caption.", "subset", "path."))
        for meaning in meanings
    )


def _slots(rule: Rule, scope: Scope) -> list[str]:
    leaves = (one.leaf for one in within(rule))
    found = (scope.meaning(name) for leaf in leaves if isinstance(leaf, Bind) for name in leaf.names)
    return [meaning.name for meaning in found if meaning is not None]
