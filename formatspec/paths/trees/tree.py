"""Trees of files: a folder, a zip archive or a place behind a URL behind one interface. Paths are POSIX, from the root.

A tree does not change: it is listed once, when first asked for. Nothing outside the root is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from formatspec.paths.listing import Paths
from formatspec.paths.names import in_order, safe_join
from formatspec.paths.spellings import Spellings, spelled_like


class SourceChangedError(Exception):
    """Data were deleted or changed while they were read. The message is one sentence.

    It does not concern a single file, so the run ends.
    """


@runtime_checkable
class Tree(Protocol):
    """Files under one root."""

    @property
    def root(self) -> str:
        """The root as shown to users."""
        ...

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted by segments in the order of code points."""
        ...

    def folders(self) -> Sequence[str]:
        """Every folder below the root, in the same order."""
        ...

    def escapes(self) -> Sequence[str]:
        """Symbolic links that leave the root, and unsafe names of an archive. They are reported and never followed."""
        ...

    def exists(self, path: str) -> bool:
        """Return whether a regular file has this path."""
        ...

    def alike(self, path: str) -> list[str]:
        """Return the files whose paths differ from this one only in capitals, if no file has the path itself."""
        ...

    def size(self, path: str) -> int:
        """Return the size in bytes. Raises FileNotFoundError."""
        ...

    def read(self, path: str) -> bytes:
        """Return the file's bytes. Raises OSError, and ValueError for a damaged or dangerous archive."""
        ...

    @property
    def fetches(self) -> bool:
        """Whether files are fetched from elsewhere, so that `prefetch` does something."""
        ...

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """Tell the tree which files are read next, in that order.

        A remote tree fetches as many of them as it has room for, and drops files that are not among them. Other trees
        do nothing.

        Args:
            paths: The files.
            again: Whether they will be read a second time, perhaps by another process.
        """
        ...

    def local(self, path: str) -> Path | None:
        """Return a real file for a decoder, a link or a copy; None if there is none."""
        ...

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        """Return the first and the last bytes of a file, up to `size` each; None if they cannot be read alone."""
        ...

    def under(self, prefix: str) -> Tree:
        """Return the part below a folder, with paths relative to it. Raises ValueError if that leaves the root."""
        ...


class Listing(NamedTuple):
    """The content of a tree."""

    paths: Sequence[str]
    folders: Sequence[str]
    escapes: Sequence[str]


def listing_of(paths: Iterable[str]) -> Listing:
    """Return the listing of files that are known by their paths alone; their folders follow from these."""
    files = list(paths)
    folders = {path[:at] for path in files for at, letter in enumerate(path) if letter == "/"}
    return Listing(in_order(files), in_order(folders), ())


class Listed:
    """The common part of most trees: a listing that is taken once, and files that need no fetching.

    Each kind of tree takes the listing in its own way. A kind whose files are on this disk, or must be fetched,
    overrides `local`, `ends` or `prefetch`.
    """

    @cached_property
    def _listing(self) -> Listing:
        raise NotImplementedError

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted by segments in the order of code points."""
        return self._listing.paths

    def folders(self) -> Sequence[str]:
        """Every folder below the root, in the same order."""
        return self._listing.folders

    def escapes(self) -> Sequence[str]:
        """Names that lead out of the root; they are never followed."""
        return self._listing.escapes

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings((place, (path,)) for place, path in enumerate(self.paths()))

    def alike(self, path: str) -> list[str]:
        """Return the files whose paths differ from this one only in capitals."""
        paths = self.paths()
        found = [paths[place] for place in self._spellings.like((path,))]
        return spelled_like((path,), [(one, (one,)) for one in found])

    @property
    def fetches(self) -> bool:
        """Return False: files need no fetching."""
        return False

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """Do nothing: files need no fetching."""

    def local(self, path: str) -> Path | None:
        """Return None: the files are not on this disk."""
        return None

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        """Return None: no part of a file can be read alone."""
        return None


@dataclass(frozen=True)
class _Subtree(Listed):
    """The part of a tree below a folder; `prefix` ends with a slash."""

    base: Tree
    prefix: str

    @property
    def root(self) -> str:
        return f"{self.base.root}/{self.prefix[:-1]}"

    def exists(self, path: str) -> bool:
        return self.base.exists(self._full(path))

    def size(self, path: str) -> int:
        return self.base.size(self._full(path))

    def read(self, path: str) -> bytes:
        return self.base.read(self._full(path))

    @property
    def fetches(self) -> bool:
        return self.base.fetches

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        self.base.prefetch((self._full(path) for path in paths), again)

    def local(self, path: str) -> Path | None:
        return self.base.local(self._full(path))

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        return self.base.ends(self._full(path), size)

    def under(self, prefix: str) -> Tree:
        joined = _prefix(prefix)
        return self.base.under(self.prefix + joined) if joined else self

    def __reduce__(self) -> tuple[Any, ...]:
        return _Subtree, (self.base, self.prefix)

    def _full(self, path: str) -> str:
        return self.prefix + path

    @cached_property
    def _listing(self) -> Listing:
        return Listing(*(self._below(all_) for all_ in (self.base.paths(), self.base.folders(), self.base.escapes())))

    def _below(self, paths: Sequence[str]) -> Paths:
        cut = len(self.prefix)
        return Paths(path[cut:] for path in paths if path.startswith(self.prefix))


def _prefix(prefix: str) -> str:
    joined = safe_join("", prefix)
    if joined is None:
        raise ValueError(f"{prefix!r} leaves the root")
    return joined


def subtree(tree: Tree, prefix: str) -> Tree:
    """Return the part of a tree below a folder. Raises ValueError if that leaves the root."""
    joined = _prefix(prefix)
    return _Subtree(tree, joined + "/") if joined else tree


def as_spelled(tree: Tree, path: str) -> str:
    """Return the path of a file of a tree, perhaps with its extension in capitals; otherwise the path itself."""
    if tree.exists(path):
        return path
    start, dot, extension = path.rpartition(".")
    others = (f"{start}{dot}{other}" for other in (extension.upper(), extension.capitalize()))
    return next((other for other in others if tree.exists(other)), path)
