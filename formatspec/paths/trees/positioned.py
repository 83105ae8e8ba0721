"""Bytes at a place of an open file, also on platforms that have no call for it (Windows).

Where the platform has one, the file's own position does not matter and does not move, so that threads and copies of a
process share the file.  Elsewhere the position is moved under a lock, which is enough for the threads of one process;
such platforms do not copy processes either.
"""

from __future__ import annotations

import os
import threading

BINARY = getattr(os, "O_BINARY", 0)
"""A flag for `os.open`: bytes as they are; without it, Windows changes ends of lines."""

_lock = threading.Lock()


def _seek_and_read(descriptor: int, size: int, offset: int) -> bytes:
    with _lock:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)


def _seek_and_write(descriptor: int, data: bytes | memoryview, offset: int) -> int:
    with _lock:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)


_read = getattr(os, "pread", _seek_and_read)
_write = getattr(os, "pwrite", _seek_and_write)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """The `size` bytes of an open file from `offset` on; fewer where the file ends.  Raises OSError."""
    data: bytes = _read(descriptor, size, offset)
    while len(data) < size:
        more = _read(descriptor, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of some bytes into an open file from `offset` on.  Raises OSError."""
    view = memoryview(data)
    done = 0
    while done < len(view):
        done += _write(descriptor, view[done:], offset + done)
