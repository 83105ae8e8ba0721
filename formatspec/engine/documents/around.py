"""What is around the rows of a table while they are changed from how they stand in a file, and back."""

from __future__ import annotations

from typing import Any

import msgspec


class Around(msgspec.Struct):
    """The whole document of a table, and what all its tables share.

    frames: when writing, the frames of the file's items as its rows spell them, in order; none where they are unknown.
    made: rows that were made of others so far.  renumbered: rows whose group has another number than it stated, since
    another group of the file has that one.  known: what was looked up in the document so far.
    """

    root: Any = None
    frames: tuple[int, ...] = ()
    made: int = 0
    renumbered: int = 0
    known: dict[str, Any] = {}
