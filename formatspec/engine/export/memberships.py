"""In which of the shared files of a role an item stands, and whether it came into another one."""

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
    """Whether several lists of subsets tell of an item that was read, each with its own rows of the item's records."""
    return item.origin is not None and len(item.subsets) > 1 and "subset" in names


def has_moved(now: Item | None, then: Item | None) -> bool:
    """Whether an item is in other subsets than when it was read, so that the list of another subset tells of it.

    Args:
        now: The item as it is written.
        then: The item as it was read; None where it was made.
    """
    return now is not None and then is not None and now.subsets != then.subsets


def lists_others(role: Role) -> bool:
    """Whether a role that lists items lists some that no other role does, as its `given` names say: the test set."""
    return bool(role.spec.given)


def _unions(role: Role, item: Item, unions: Sequence[SharedFile]) -> Iterable[str]:
    """The lists made of others, by their subsets, in which an item stood."""
    records: tuple[Any, ...] = (item, *item.labels)
    origins = [one.origin for one in records if one.origin is not None]
    files = {key[1] for origin in origins for key in origin.rows if isinstance(key, tuple)}
    found = (file for file in unions if file.role == role.name and file.path in files)
    return {subset: None for file in found if (subset := file.captures["subset"]) not in item.subsets}
