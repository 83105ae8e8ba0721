"""Items by their names: which files make them, and what else is known of them before they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from formatspec.engine.format import IMAGE, Format
from formatspec.engine.job import Fault
from formatspec.language.leaf import Bind
from formatspec.language.rules import LeafRule, MapRule, Rule

Claimed = Mapping[str, list[tuple[str, dict[str, Any]]]]
"""The paths of each role, with what they capture."""


NONE: Mapping[str, Any] = MappingProxyType({})
"""Nothing yet: most items of a shared file need no mapping of their own."""


def _none() -> Mapping[str, Any]:
    return NONE


@dataclass(slots=True)
class Entry:
    """An item in the index: its place among all, its names, its files by role."""

    key: str
    names: dict[str, Any]
    number: int
    files: Mapping[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=_none)
    shared: Mapping[str, Any] = field(default_factory=_none)

    def add_file(self, role: str, path: str, captures: dict[str, Any]) -> None:
        """Note a file of the item."""
        if self.files is NONE:
            self.files = {}
        self.files.setdefault(role, []).append((path, captures))  # type: ignore[attr-defined]

    def share(self, name: str, value: Any) -> None:
        """Note what shared files tell of the item before it is read."""
        self.shared = {**self.shared, name: value}


class Entries:
    """The items met so far, by their key names."""

    def __init__(self) -> None:
        self.by_identity: dict[Any, Entry] = {}

    def add(self, identity: Any, key: str) -> Entry:
        """A new item."""
        entry = self.by_identity[identity] = Entry(key, {}, len(self.by_identity))
        return entry


def item_key(form: Format, names: Mapping[str, Any]) -> str:
    """The item's key: its captures, in the image path's order."""
    return "/".join(str(names[name]) for name in form.key_names if names.get(name) not in (None, ""))


def add_item_files(form: Format, claimed: Claimed, entries: Entries, faults: list[Fault]) -> None:
    """Make items of the files that name them; two files of one role for one item are a fault."""
    for role in form.roles.values():
        if role.span == "shared" or (role.name != IMAGE and not set(form.key_names) <= set(role.captures)):
            continue
        for path, captures in claimed[role.name]:
            if role.base is not None and role.template.ambiguous(path):
                continue  # the documents that name it say whose it is
            identity = tuple(captures.get(name) or "" for name in form.key_names)
            entry = entries.by_identity.get(identity)
            if entry is None:
                entry = entries.add(identity, item_key(form, captures))
            if role.span == "item" and role.name in entry.files:
                other = entry.files[role.name][0][0]
                faults.append(Fault("ITEM_DUPLICATE", path, (), role.place, f"this is the same item as {other}"))
                continue
            entry.add_file(role.name, path, captures)
            if role.span == "item" and not entry.names:
                entry.names = captures
            elif role.span == "item":
                for name, value in captures.items():
                    entry.names.setdefault(name, value)


def header_of(rule: Rule, document: Any) -> tuple[str, ...]:
    """The names of columns that a document states in a line of its own; none where it states none."""
    if isinstance(rule, MapRule) and isinstance(document, dict):
        for one in rule.fields:
            leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
            if isinstance(leaf, Bind) and leaf.names == ("columns",):
                return tuple(str(document.get(one.keys[0], "")).split())
            found = header_of(one.rule, document.get(one.keys[0]))
            if found:
                return found
    return ()
