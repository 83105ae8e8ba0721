"""A tree whose files are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from formatspec.paths.trees.tree import Listed, Listing


@dataclass(frozen=True)
class MemoryTree(Listed):
    """Files in memory, by path."""

    files: Mapping[str, bytes]
    root: str = "memory"

    @cached_property
    def _listing(self) -> Listing:
        folders = {path[:i] for path in self.files for i, c in enumerate(path) if c == "/"}
        return Listing(tuple(sorted(self.files, key=lambda path: path.split("/"))), tuple(sorted(folders)), ())

    def exists(self, path: str) -> bool:
        """Return whether there is a file of this path."""
        return path in self.files

    def size(self, path: str) -> int:
        """Return the size of the file in bytes. Raises KeyError."""
        return len(self.files[path])

    def read(self, path: str) -> bytes:
        """Return the file's bytes. Raises FileNotFoundError."""
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def under(self, prefix: str) -> MemoryTree:
        """Return the files below a folder, as a tree."""
        start = prefix.rstrip("/") + "/"
        return MemoryTree({p.removeprefix(start): d for p, d in self.files.items() if p.startswith(start)}, self.root)


@lru_cache(maxsize=512)
def image_bytes(width: int, height: int, extension: str) -> bytes:
    """Return a small image file of the given size, with a simple pattern."""
    import imageio.v3 as iio
    import numpy as np

    rows = np.linspace(0, 255, height, dtype=np.uint8)[:, None, None]
    pixels = np.broadcast_to(rows, (height, width, 3)).copy()
    data: bytes = iio.imwrite("<bytes>", pixels, extension=f".{extension.lower()}")
    return data
