"""Rows under keys that match a template, beside other keys: `{"size": …, "object_1": …, "object_2": …}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.language.expression import Literal
from formatspec.language.leaf import Bind, Keep, Text
from formatspec.language.rules import BARE, KEY, Field, MapRule, Rule, TableRule, possible_fields


class NamedKeys(msgspec.Struct, frozen=True):
    """Keys of rows: those that match a template, except keys that the mapping's rule names.

    Attributes:
        key: The template; rules see the rows under it.
        absent: The text that stands for no row, in files whose lines all have the same keys; None without one.
    """

    key: str
    before: str
    behind: str
    others: frozenset[str]
    absent: str | None = None

    def taken(self, key: Any) -> bool:
        """Return whether a row may stand under a key."""
        if not isinstance(key, str) or key in self.others:
            return False
        return (
            len(key) > len(self.before) + len(self.behind) - 1
            and key.startswith(self.before)
            and key.endswith(self.behind)
        )

    def gathered(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a mapping with its rows gathered under one key; unchanged if it has none."""
        rows = {key: part for key, part in document.items() if self.taken(key)}
        return (
            {**{key: part for key, part in document.items() if key not in rows}, self.key: rows} if rows else document
        )

    def scattered(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a mapping with its rows under their own keys: the inverse of `gathered`."""
        rows = document.get(self.key)
        if not isinstance(rows, dict):
            return document
        return {**{key: part for key, part in document.items() if key != self.key}, **rows}


def named_keys(rule: MapRule) -> Sequence[NamedKeys]:
    """Return the templates of keys under which rows stand beside other keys; the longest template comes first."""
    templates = [field for field in rule.fields if len(field.keys) == 1 and "{" in field.keys[0]]
    others = frozenset(key for field in possible_fields(rule) for key in field.keys) if templates else frozenset[str]()
    found = [made for field in templates if (made := _of_field(field, others)) is not None]
    return sorted(found, key=lambda one: -len(one.before) - len(one.behind))


def _of_field(field: Field, others: frozenset[str]) -> NamedKeys | None:
    if not isinstance(field.rule, TableRule) or not field.rule.keyed:
        return None
    row = field.rule.row
    leaf = row.leaf_under(KEY)
    parts = leaf.parts if isinstance(leaf, Text) else ("",)
    before, behind = (part if isinstance(part, str) else "" for part in (parts[0], parts[-1]))
    return NamedKeys(field.keys[0], before, "" if len(parts) == 1 else behind, others, _absent(row))


def _absent(row: Rule) -> str | None:
    """Return the text of a bare value's `else`; None if it has none."""
    leaf = row.leaf_under(BARE)
    default = leaf.default if isinstance(leaf, Bind | Keep) else None
    return default.value if isinstance(default, Literal) and isinstance(default.value, str) else None
