"""A tree seen as a folder of a larger one, of which nothing else is known."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from formatspec.paths.trees.tree import Listed, Listing, Tree, listing_of, subtree


class NestedTree(Listed):
    """The files of a tree, each with a folder before its path."""

    def __init__(
        self, inner: Tree, folder: str, paths: Iterable[str] | None = None, beside: Iterable[str] = ()
    ) -> None:
        """Take the tree and the folder that it is said to be, such as `images/train`.

        Args:
            inner: The tree.
            folder: The folder.
            paths: Those of its paths that are to be known; all by default.
            beside: The names of further files, which lie around the folder. They cannot be read.
        """
        self._inner = inner
        self._prefix = f"{folder}/"
        self._known = paths
        self._beside = beside

    @property
    def root(self) -> str:
        """The root of the inner tree."""
        return self._inner.root

    @cached_property
    def _listing(self) -> Listing:
        known = self._inner.paths() if self._known is None else self._known
        return listing_of((*(self._prefix + path for path in known), *self._beside))

    def exists(self, path: str) -> bool:
        """Return whether a regular file has this path."""
        return path.startswith(self._prefix) and self._inner.exists(self._own(path))

    def size(self, path: str) -> int:
        """Return the size in bytes. Raises FileNotFoundError."""
        return self._inner.size(self._own(path))

    def read(self, path: str) -> bytes:
        """Return the file's bytes. Raises as the inner tree does."""
        return self._inner.read(self._own(path))

    @property
    def fetches(self) -> bool:
        """Whether the inner tree fetches files."""
        return self._inner.fetches

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """Tell the inner tree which files are read next."""
        self._inner.prefetch((self._own(path) for path in paths), again)

    def local(self, path: str) -> Path | None:
        """Return a real file for a decoder, or None."""
        return self._inner.local(self._own(path))

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        """Return the first and the last bytes of a file, or None."""
        return self._inner.ends(self._own(path), size)

    def under(self, prefix: str) -> Tree:
        """Return the part below a folder, with paths relative to it. Raises ValueError if that leaves the root."""
        return subtree(self, prefix)

    def _own(self, path: str) -> str:
        if not path.startswith(self._prefix):
            raise FileNotFoundError(f"{self.root} is {self._prefix}, and holds no file {path!r}")
        return path.removeprefix(self._prefix)
