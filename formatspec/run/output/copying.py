"""Copies files in the cheapest way: by sharing blocks, or inside the kernel, or byte by byte."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import BinaryIO

from formatspec.paths.trees.tree import SourceChangedError

_UNFIT = {errno.EXDEV, errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}
"""Error codes by which a file system says that it cannot copy in this way."""
_CLONE = 0x40049409
"""Linux's FICLONE: the copy shares the blocks of its source until either changes (Btrfs, XFS, bcachefs)."""
_AT_ONCE = 1 << 30


def fresh(place: Path) -> BinaryIO:
    """Open a new file for writing; an existing file is deleted first, since it may be a hard link to another one."""
    return os.fdopen(_new(str(place)), "wb")


def write(place: str, data: bytes) -> None:
    """Write a new file with these bytes, with as few system calls as possible."""
    file = _new(place)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _new(place: str) -> int:
    while True:
        try:
            return os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            Path(place).unlink(missing_ok=True)


def copy(source: Path, place: Path) -> None:
    """Copy a file to a new file. Raises OSError, and SourceChangedError if the file no longer exists."""
    try:
        opened = source.open("rb")
    except FileNotFoundError:
        raise SourceChangedError(f"{source} is gone: it was there when the run began") from None
    with opened as there, fresh(place) as here:
        if not _cloned(there, here) and not _copied(there, here):
            shutil.copyfileobj(there, here, 1 << 20)


def _cloned(source: BinaryIO, target: BinaryIO) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target.fileno(), _CLONE, source.fileno())
    except OSError as error:
        if error.errno in _UNFIT:
            return False
        raise
    return True


def _copied(source: BinaryIO, target: BinaryIO) -> bool:
    """Copy a file inside the kernel; return False, with nothing copied, if the system cannot."""
    if sys.platform != "linux":
        return False
    done = 0
    try:
        while count := os.copy_file_range(source.fileno(), target.fileno(), _AT_ONCE):
            done += count
    except OSError as error:
        if error.errno in _UNFIT and not done:
            return False
        raise
    return done > 0
