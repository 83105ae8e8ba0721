"""Finds the shared files of a role that list an item, and whether the item came into another subset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import Format, Role
from formatspec.model.records import Item


def memberships(
    role: Role, item: Item, target: Format, same: bool, unions: Sequence[SharedFile]
) -> list[Mapping[str, Any]]:
    """Give the captures of each shared file of a role in which an item stands.

    Args:
        role: The role.
        item: The item, as the target names it.
        target: The layout that is written.
        same: Whether items come from this very format.
        unions: The lists of the source that are made of other lists.

    Returns:
        One mapping of captures for each file: where lists name subsets, one for each subset of the item.
    """
    if "subset" not in role.captures or "subset" in target.key_names:
        return [item.captures]
    lists = _unions(role, item, unions) if unions and same and item.origin is not None else ()
    if not item.subsets:
        listed = "subset" in item.captures or not (same and item.origin is not None and role.optional)
        return [item.captures] if listed else []
    return [{**item.captures, "subset": subset} for subset in (*item.subsets, *lists)]


def in_several_lists(item: Item, names: Mapping[str, Any]) -> bool:
    """Return whether several lists of subsets named an item when it was read, each with its own rows about it."""
    return item.origin is not None and len(item.subsets) > 1 and "subset" in names


def has_moved(now: Item | None, then: Item | None) -> bool:
    """Return whether an item is in other subsets than when it was read, so that another subset's list names it now.

    Args:
        now: The item as it is written.
        then: The item as it was read; None for an item that a program made.
    """
    return now is not None and then is not None and now.subsets != then.subsets


def lists_others(role: Role) -> bool:
    """Return whether a role lists items that no other role lists: the items of the test set, as its `given` says."""
    return bool(role.spec.given)


def _unions(role: Role, item: Item, unions: Sequence[SharedFile]) -> Iterable[str]:
    """Yield the subsets whose list is made of other lists, and in which the item stood."""
    records: tuple[Any, ...] = (item, *item.labels)
    origins = [one.origin for one in records if one.origin is not None]
    files = {key[1] for origin in origins for key in origin.rows if isinstance(key, tuple)}
    found = (file for file in unions if file.role == role.name and file.path in files)
    return {subset: None for file in found if (subset := file.captures["subset"]) not in item.subsets}
