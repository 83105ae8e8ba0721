"""A tree in memory: what a dataset's files are, without a disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class MemoryTree:
    """Files by path."""

    files: Mapping[str, bytes]
    root: str = "memory"
    _paths: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_paths", tuple(sorted(self.files, key=lambda path: path.split("/"))))

    def paths(self) -> Sequence[str]:
        return self._paths

    def folders(self) -> Sequence[str]:
        found = {path[:i] for path in self._paths for i, c in enumerate(path) if c == "/"}
        return tuple(sorted(found))

    def escapes(self) -> Sequence[str]:
        return ()

    def exists(self, path: str) -> bool:
        return path in self.files

    def size(self, path: str) -> int:
        return len(self.files[path])

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """A file here is at hand."""

    def local(self, path: str) -> Path | None:
        return None

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        return None

    def under(self, prefix: str) -> MemoryTree:
        start = prefix.rstrip("/") + "/"
        return MemoryTree({p.removeprefix(start): d for p, d in self.files.items() if p.startswith(start)}, self.root)


@lru_cache(maxsize=512)
def image_bytes(width: int, height: int, extension: str) -> bytes:
    """A small image file of the given size, plain but not empty."""
    import imageio.v3 as iio
    import numpy as np

    rows = np.linspace(0, 255, height, dtype=np.uint8)[:, None, None]
    pixels = np.broadcast_to(rows, (height, width, 3)).copy()
    data: bytes = iio.imwrite("<bytes>", pixels, extension=f".{extension.lower()}")
    return data
