"""Finds where an item's files are expected, and reports missing ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.evaluate.expressions import compiled, condition
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import Format, Role
from formatspec.language.expression import Name
from formatspec.language.rules import TableRule
from formatspec.model.records import Item
from formatspec.paths.spellings import differs_in_capitals
from formatspec.paths.trees.tree import Tree


def expected_path(role: Role, names: Mapping[str, Any]) -> str:
    """Return the path where a role's file is expected; the template itself if names are missing."""
    try:
        return role.template.render(names)
    except (KeyError, ValueError):
        return role.spec.path


def told_path(role: Role, names: Mapping[str, Any]) -> str:
    """Return the path where a role's file is expected, for a message: missing names stay in braces."""
    whole = expected_path(role, names)
    known = {name: value for name, value in names.items() if value not in (None, "")}
    if whole != role.spec.path or not any(name in known for name in role.captures):
        return whole
    parts = role.template.parts
    return "".join(part if isinstance(part, str) else str(known.get(part.name, f"{{{part.name}}}")) for part in parts)


LEVELS = (("depth",), ("level",))
"""The slots of objects whose values number the levels of parts, each with a label image of its own."""


def note_missing_levels(form: Format, item: Item, entry: Entry, state: ItemState) -> None:
    """Note that a level of an item's objects has no label image, if each level must have one."""
    for role in form.roles.values():
        if role.optional or role.kind != "pixels" or role.record_slots not in LEVELS:
            continue
        there = {captures[role.record_names[0]] for _, captures in entry.files.get(role.name, ())}
        for level in sorted(set(_levels(role, item)) - there):
            expected = expected_path(role, {**state.captures, role.record_names[0]: level})
            where = next((found[0][0] for found in entry.files.values()), expected)
            message = f"its {role.name} file of level {level} is missing"
            state.faults.append(Fault("FILE_MISSING", where, (), role.place, message, expected, case="item"))


def _levels(role: Role, item: Item) -> Iterator[int]:
    """Yield the levels of the objects that a role's files must show."""
    rule, place = role.rule, role.place
    if not isinstance(rule, TableRule):
        return
    scope = role.scope.inside(rule.each.table)
    holds = None if rule.each.where is None else condition(rule.each.where, scope, place)
    value = compiled(Name(role.record_slots[0]), scope, place)
    root = WriteContext(WriteSetting({}, None, {}), item, item)
    for index, thing in enumerate(item.objects):
        context = WriteContext(root.setting, item, thing, root, index, len(item.objects))
        level = value(context)
        if isinstance(level, int) and (holds is None or holds(context)):
            yield level


def named_file(path: str, role: Role, tree: Tree, state: ItemState) -> str | None:
    """Find the file that a document names by its path.

    A file of exactly this path comes first. Otherwise the only file whose path differs just in capitals is taken, and a
    fault is noted. The result is None if there is no such file, or several.
    """
    if tree.exists(path):
        return path
    found = tree.alike(path)
    where = (state.file or path, state.at, role.place)
    if len(found) > 1:
        words = f"{path} may mean {' or '.join(found[:3])}, of which none is spelled exactly so"
        state.faults.append(Fault("FILE_AMBIGUOUS", *where, words))
    if len(found) != 1:
        return None
    if differs_in_capitals(found[0], path):
        words = "a path differs from the file's own in capitals"
        state.faults.append(Fault("DIFFERS", *where, words, found[0], path, case="capitals"))
    return found[0]


def file_of_id(role: Role, identity: Any, tree: Tree) -> str | None:
    """Return the file whose path contains only an object's id; None if there is none."""
    try:
        path = role.template.render({"object.id": identity})
    except ValueError:
        return None
    return path if tree.exists(path) else None


def is_named(role: Role, tree: Tree, state: ItemState) -> bool:
    """Return whether a document names the item's file of a role, and the file exists."""
    path = state.item.get(f"path.{role.name}")
    return path is not None and (tree.exists(path) or len(tree.alike(path)) == 1)


def note_missing(role: Role, entry: Entry, state: ItemState) -> None:
    """Note that an item lacks a file that it must have."""
    if role.optional:
        return
    expected = state.item.get(f"path.{role.name}") or expected_path(role, state.captures)
    where = state.item.get("image.path") or next((f[0][0] for f in entry.files.values()), expected)
    message = f"its {role.name} file is missing"
    state.faults.append(Fault("FILE_MISSING", where, (), role.place, message, expected, case="item"))
