"""Files that an item should have: where each is expected, and what is noted where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import Role
from formatspec.paths.trees.tree import Tree


def expected_path(role: Role, names: Mapping[str, Any]) -> str:
    """The path where a role's file is expected; the template itself where names are lacking."""
    try:
        return role.template.render(names)
    except (KeyError, ValueError):
        return role.spec.path


def is_named(role: Role, tree: Tree, state: ItemState) -> bool:
    """Whether a document names the item's file of a role, and it is there."""
    path = state.item.get(f"path.{role.name}")
    return path is not None and tree.exists(path)


def note_missing(role: Role, entry: Entry, state: ItemState) -> None:
    """Note that an item lacks a file that it must have."""
    if role.optional:
        return
    expected = state.item.get(f"path.{role.name}") or expected_path(role, state.captures)
    where = state.item.get("image.path") or next((f[0][0] for f in entry.files.values()), expected)
    message = f"its {role.name} file is missing"
    state.faults.append(Fault("FILE_MISSING", where, (), role.place, message, expected, case="item"))
