"""Which objects of an item are parts of which others."""

from __future__ import annotations

from formatspec.model.records import Id, Item, Object


class Family:
    """The parts of each object of an item, and how deep each object lies."""

    __slots__ = ("_depth", "_parent", "children")

    def __init__(self, item: Item) -> None:
        """Index the objects of an item by their parents."""
        self._parent: dict[Id, Id | None] = {thing.id: thing.parent for thing in item.objects if thing.id is not None}
        self._depth: dict[Id, int] = {}
        self.children: dict[Id, list[Object]] = {}
        for thing in item.objects:
            if thing.parent is not None:
                self.children.setdefault(thing.parent, []).append(thing)

    def depth(self, thing: Object) -> int:
        """Return 0 for an object that is no part; a circle of parents is cut where it closes."""
        if thing.parent is None:
            return 0
        depth, at, seen = 1, self._parent.get(thing.parent), {thing.parent}
        while at is not None and at not in seen:
            seen.add(at)
            depth, at = depth + 1, self._parent.get(at)
        return depth
