"""What a target cannot hold at all."""

from __future__ import annotations


class CannotWriteError(ValueError):
    """An item that the target cannot hold at all, and why; `code` is that of the finding."""

    code = "CANNOT_WRITE"


class CollisionError(CannotWriteError):
    """An item that the target would name as it named another."""

    code = "ITEM_COLLISION"
