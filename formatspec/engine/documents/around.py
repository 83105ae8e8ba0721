"""What the rows of a table need to know of their document while they are changed to or from their form in the file."""

from __future__ import annotations

from typing import Any

import msgspec


class Around(msgspec.Struct):
    """The whole document of a table, and what its tables share.

    Attributes:
        frames: When writing, the frames of the file's items as its rows spell them, in order; empty if unknown.
        made: How many rows were made from others so far.
        renumbered: How many rows got another group number than they stated, because another group has that number.
        known: What was looked up in the document so far.
    """

    root: Any = None
    frames: tuple[int, ...] = ()
    made: int = 0
    renumbered: int = 0
    known: dict[str, Any] = {}
