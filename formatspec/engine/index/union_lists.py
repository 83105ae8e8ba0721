"""Finds lists that only unite other lists, such as `trainval`. They give items no subset of their own."""

from __future__ import annotations

from array import array
from collections.abc import Mapping


def union_lists(lists: Mapping[str, array[int]]) -> set[str]:
    """Return which lists of a role are made of its other lists.

    Such a list holds all items of at least two others, and each of its items is in another list. A copy of the list
    does not count as another list. An item always stays in a list that is not made of others.

    Args:
        lists: The numbers of the items in each list, by the list's subset; a number may occur more than once.

    Returns:
        The subsets of the lists that are made of others.
    """
    items = {subset: frozenset(numbers) for subset, numbers in lists.items() if numbers}
    if len(items) < 3:
        return set()
    found = {subset for subset, own in items.items() if _is_union(own, [one for one in items.values() if one != own])}
    while True:
        rest = frozenset[int]().union(*(own for subset, own in items.items() if subset not in found))
        alone = {subset for subset in found if not items[subset] <= rest}
        if not alone:
            return found
        found -= alone


def _is_union(own: frozenset[int], others: list[frozenset[int]]) -> bool:
    inside = {one for one in others if one < own}
    return len(inside) > 1 and own <= frozenset[int]().union(*others)
