"""Finds lines and columns of offsets in a text file, without holding the file in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from formatspec.files.document import LineColumn

PIECE = 1 << 16
"""Bytes between the points for which counts of lines and characters are kept."""


class Places:
    """The lines and columns of a UTF-8 file. `read(size, offset)` returns some of its bytes."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        """Take the function that reads bytes; nothing is read before a place is asked for."""
        self._read = read
        # For each piece: how many lines and characters come before it, and how many before its first line begins.
        self._before: list[tuple[int, int, int]] = [(0, 0, 0)]

    def at(self, offset: int) -> LineColumn:
        """Return line and column of the character that begins at an offset, both from 1."""
        piece = offset // PIECE
        while len(self._before) <= piece:
            done = len(self._before) - 1
            self._before.append(_past(self._read(PIECE, done * PIECE), self._before[-1]))
        begin = piece * PIECE
        lines, characters, line_began = _past(self._read(offset - begin, begin), self._before[piece])
        return lines + 1, characters - line_began + 1


def _past(data: bytes, before: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the counts before some bytes plus the newlines and characters of these bytes."""
    lines, characters, line_began = before
    last = data.rfind(b"\n")
    if last >= 0:
        line_began = characters + _characters(data[: last + 1])
    return lines + data.count(b"\n"), characters + _characters(data), line_began


def _characters(data: bytes) -> int:
    """Return how many characters begin in some bytes of UTF-8."""
    return int(np.count_nonzero((np.frombuffer(data, np.uint8) & 0xC0) != 0x80))
