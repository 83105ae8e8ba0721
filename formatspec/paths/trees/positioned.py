"""Reads and writes an open file at an offset, also on platforms without a system call for it (Windows).

Where the platform has such calls, the file's own position is not used, so that threads and copies of a process share
the file. Elsewhere the position is moved under a lock, which is enough for the threads of one process; such platforms
do not copy processes.
"""

from __future__ import annotations

import os
import threading

BINARY = getattr(os, "O_BINARY", 0)
"""A flag for `os.open` that keeps line endings; Windows would change them without it."""

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
    """Return `size` bytes of an open file from `offset` on; fewer at the end of the file. Raises OSError."""
    data: bytes = _read(descriptor, size, offset)
    while len(data) < size:
        more = _read(descriptor, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all bytes into an open file from `offset` on. Raises OSError."""
    view = memoryview(data)
    done = 0
    while done < len(view):
        done += _write(descriptor, view[done:], offset + done)
