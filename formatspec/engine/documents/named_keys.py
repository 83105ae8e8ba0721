"""Rows under keys that a template tells, beside others of a mapping: `{"size": …, "object_1": …, "object_2": …}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.language.expression import Literal
from formatspec.language.leaf import Bind, Keep, Text
from formatspec.language.rules import BARE, KEY, Field, LeafRule, MapRule, Rule, TableRule


class NamedKeys(msgspec.Struct, frozen=True):
    """The keys of rows: those that begin and end as a template does, but for keys that the mapping's rule names.

    key: the template, under which the rows stand to the rules.  absent: what stands where there is no row, in files
    whose lines have the same keys; None where the rule does not say it.
    """

    key: str
    before: str
    behind: str
    others: frozenset[str]
    absent: str | None = None

    def taken(self, key: Any) -> bool:
        """Whether a row may stand under a key."""
        if not isinstance(key, str) or key in self.others:
            return False
        return (
            len(key) > len(self.before) + len(self.behind) - 1
            and key.startswith(self.before)
            and key.endswith(self.behind)
        )

    def gathered(self, document: dict[str, Any]) -> dict[str, Any]:
        """A mapping with its rows under one key; as it is where it has none."""
        rows = {key: part for key, part in document.items() if self.taken(key)}
        return (
            {**{key: part for key, part in document.items() if key not in rows}, self.key: rows} if rows else document
        )

    def scattered(self, document: dict[str, Any]) -> dict[str, Any]:
        """The inverse of `gathered`."""
        rows = document.get(self.key)
        if not isinstance(rows, dict):
            return document
        return {**{key: part for key, part in document.items() if key != self.key}, **rows}


def named_keys(rule: MapRule) -> Sequence[NamedKeys]:
    """Where rows stand under keys of their own beside other keys; the longest template first."""
    choices = [one for choice in rule.alternatives for one in choice.alternatives if isinstance(one, MapRule)]
    others = frozenset(key for one in (rule, *choices) for field in one.fields for key in field.keys)
    found = [made for field in rule.fields if (made := _of_field(field, others)) is not None]
    return sorted(found, key=lambda one: -len(one.before) - len(one.behind))


def _of_field(field: Field, others: frozenset[str]) -> NamedKeys | None:
    if (
        len(field.keys) != 1
        or "{" not in field.keys[0]
        or not isinstance(field.rule, TableRule)
        or not field.rule.keyed
    ):
        return None
    row = field.rule.row
    named = next((one.rule for one in row.fields if one.keys == (KEY,)), None) if isinstance(row, MapRule) else None
    leaf = named.leaf if isinstance(named, LeafRule) else None
    parts = leaf.parts if isinstance(leaf, Text) else ("",)
    before, behind = (part if isinstance(part, str) else "" for part in (parts[0], parts[-1]))
    return NamedKeys(field.keys[0], before, "" if len(parts) == 1 else behind, others, _absent(row))


def _absent(row: Rule) -> str | None:
    """The text that a bare value's `else` states; None where it states none."""
    fields = row.fields if isinstance(row, MapRule) else ()
    leaf = next((one.rule.leaf for one in fields if one.keys == (BARE,) and isinstance(one.rule, LeafRule)), None)
    default = leaf.default if isinstance(leaf, Bind | Keep) else None
    return default.value if isinstance(default, Literal) and isinstance(default.value, str) else None
