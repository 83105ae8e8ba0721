"""Keeps files that will be read a second time in a folder of this machine, for all processes of a run."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path

LARGEST = 16 * 1024**2
"""The largest file, in bytes, that is kept; a larger one is fetched twice."""


@dataclass(frozen=True)
class Spool:
    """A folder of kept files; a process on another machine finds none and makes none."""

    folder: str

    def put(self, path: str, data: bytes) -> None:
        """Keep a file's bytes, if there is room for them."""
        if len(data) > LARGEST:
            return
        place = self._place(path)
        partial = f"{place}.{os.getpid()}"
        try:
            Path(partial).write_bytes(zlib.compress(data, 1))
            Path(partial).replace(place)
        except OSError:
            Path(partial).unlink(missing_ok=True)

    def get(self, path: str) -> bytes | None:
        """Return a file's bytes if they are kept."""
        try:
            return zlib.decompress(Path(self._place(path)).read_bytes())
        except (OSError, zlib.error):
            return None

    def _place(self, path: str) -> str:
        return f"{self.folder}/{hashlib.sha1(path.encode('utf-8', 'surrogatepass')).hexdigest()}"


def new_spool(owner: object) -> Spool:
    """Return a spool that is deleted together with its owner, in the process that made it."""
    folder = tempfile.mkdtemp(prefix="formatspec-")
    weakref.finalize(owner, _remove, folder, os.getpid())
    return Spool(folder)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
