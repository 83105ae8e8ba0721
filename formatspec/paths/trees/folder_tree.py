"""A folder on disk as a tree: it is listed once, and links that stay inside are followed."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from formatspec.paths.listing import Paths
from formatspec.paths.names import NO_SEGMENTS, by_segments
from formatspec.paths.trees.positioned import read_at
from formatspec.paths.trees.tree import Listed, Listing, SourceChangedError, Tree, subtree

FOLDERS_KNOWN = 4096
"""How many folders are remembered to lie inside the root."""


_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


_AT_ONCE = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_NONBLOCK")
"""Whether a file can be opened without checks before: links are not followed, and pipes do not block."""


@dataclass(frozen=True)
class FolderTree(Listed):
    """A folder on disk.

    Symbolic links that stay inside are followed, unless they lead back to a folder on the way. Dangling links and
    special files are left out. Names that are not UTF-8 hold surrogate escapes (PEP 383).
    """

    folder: Path

    @property
    def root(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def exists(self, path: str) -> bool:
        """Return whether a regular file has this path, inside the folder."""
        if self._folders_absent and path.rpartition("/")[0] in self._folders_absent:
            return False
        try:
            return bool(self._file(path))
        except FileNotFoundError:
            self._note_absent(path.rpartition("/")[0])
            return False

    def _note_absent(self, folder: str) -> None:
        """Remember a folder that was not there when the tree was listed, and is not: many files may be sought in it."""
        known = self._folders_absent
        is_asked = folder and "_listing" in self.__dict__ and len(known) < FOLDERS_KNOWN
        if is_asked and not os.path.lexists(f"{self._start}/{folder}"):
            known.add(folder)

    def size(self, path: str) -> int:
        """Return the size of the file in bytes. Raises FileNotFoundError."""
        return os.stat(self._file(path)).st_size  # noqa: PTH116  # a Path here would double the time

    def read(self, path: str) -> bytes:
        """The file's bytes.  Raises OSError."""
        opened = self._opened(path) if _AT_ONCE else None
        if opened is not None:
            return _read_all(*opened)
        with open(self._file(path), "rb") as file:  # noqa: PTH123
            return file.read()

    def local(self, path: str) -> Path | None:
        """Return the file's path on disk; None if there is no such file."""
        try:
            return Path(self._file(path))
        except FileNotFoundError:
            return None

    def under(self, prefix: str) -> Tree:
        """The files below a folder of this tree, as a tree."""
        return subtree(self, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the absolute path, since another process may have another working folder."""
        return FolderTree, (self.folder.absolute(),)

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        """Return the first and the last `size` bytes of a file, or None if this system cannot read at an offset."""
        opened = self._opened(path) if _AT_ONCE else None
        if opened is None:
            return None
        descriptor, whole = opened
        try:
            first = read_at(descriptor, min(size, whole), 0)
            return first, first if whole <= size else read_at(descriptor, size, whole - size)
        finally:
            os.close(descriptor)

    def _opened(self, path: str) -> tuple[int, int] | None:
        """Open an ordinary file, and return it with its size; None if `_file` must check it and explain the error."""
        folder, _, name = path.rpartition("/")
        known = folder and self._folders_inside.get(folder)
        if name in NO_SEGMENTS or not (known or self._is_sound(folder, path)):
            return None
        try:
            descriptor = os.open(f"{self._start}/{path}", _FLAGS)
        except (OSError, ValueError):
            return None
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and (known or self._folder_inside(folder)):
                return descriptor, status.st_size
        except OSError:
            pass
        os.close(descriptor)
        return None

    def _file(self, path: str) -> str:
        full = f"{self._start}/{path}"
        folder, _, name = path.rpartition("/")
        try:
            if self._is_sound(folder, path) and name not in NO_SEGMENTS and self._reaches_file(folder, full):
                return full
        except (OSError, ValueError):
            pass  # reported below
        if "_listing" in self.__dict__ and _is_listed(self._listing.paths, path):
            raise SourceChangedError(f"{full} is gone: it was there when the run began")
        raise FileNotFoundError(f"{self.root} holds no file {path!r}")

    def _is_sound(self, folder: str, path: str) -> bool:
        """Return whether the folder of a path contains no links, as far as known."""
        sound = folder in self._folders_inside or NO_SEGMENTS.isdisjoint(folder.split("/"))
        return sound if folder else not path.startswith("/")

    def _reaches_file(self, folder: str, full: str) -> bool:
        """Return whether a regular file exists there, really inside the root."""
        mode = os.lstat(full).st_mode
        if stat.S_ISLNK(mode):
            return _inside(os.path.realpath(full), self._real) and os.path.isfile(full)  # noqa: PTH113
        return stat.S_ISREG(mode) and self._folder_inside(folder)

    def _folder_inside(self, folder: str) -> bool:
        inside = self._folders_inside.get(folder)
        if inside is None:
            full = f"{self._start}/{folder}"
            if folder and self._folder_inside(folder.rpartition("/")[0]) and stat.S_ISDIR(os.lstat(full).st_mode):
                inside = True
            else:
                inside = _inside(os.path.realpath(full), self._real)
            if len(self._folders_inside) >= FOLDERS_KNOWN:
                self._folders_inside.clear()
            self._folders_inside[folder] = inside
        return inside

    @cached_property
    def _folders_inside(self) -> dict[str, bool]:
        """What is known about folders: whether their real place is inside the root."""
        return {}

    @cached_property
    def _folders_absent(self) -> set[str]:
        """Folders that are not there."""
        return set()

    @cached_property
    def _start(self) -> str:
        return os.fspath(self.folder)

    @cached_property
    def _real(self) -> str:
        return os.path.realpath(self._start)

    @cached_property
    def _listing(self) -> Listing:
        return _scan(self._start, self._real)


def _is_listed(paths: Sequence[str], path: str) -> bool:
    place = bisect_left(paths, by_segments(path), key=by_segments)
    return place < len(paths) and paths[place] == path


def _read_all(descriptor: int, size: int) -> bytes:
    """Return the bytes of an open file of about this size, and close it."""
    try:
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return data
        pieces = [data]
        while pieces[-1]:
            pieces.append(os.read(descriptor, 1 << 20))
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _scan(start: str, real_root: str) -> Listing:
    """Return the listing of a folder."""
    folders: list[str] = []
    escapes: list[str] = []
    paths = Paths(_walk(start, real_root, folders, escapes))
    return Listing(paths, Paths(folders), Paths(escapes))


def _walk(start: str, real_root: str, folders: list[str], escapes: list[str]) -> Iterator[str]:
    """Yield the files depth first, the names of each folder sorted, which is the order by segments."""
    # A level: the names still to visit, the entries among them that are no plain files, the folder's path with its
    # slash, its real path.
    levels = [(*_entries(start), "", real_root)]
    while levels:
        names, others, prefix, real = levels[-1]
        for name in names:
            path = prefix + name
            entry = others.get(name)
            if entry is None:
                yield path
                continue
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if not _inside(target, real_root):
                    escapes.append(path)
                    continue
                if not os.path.exists(target):  # noqa: PTH110
                    continue  # it dangles, or points at itself
                if entry.is_dir() and any(_inside(above, target) for _, _, _, above in levels):
                    continue  # it leads back to a folder on the way
            else:
                target = os.path.join(real, name)  # noqa: PTH118
            if entry.is_file():
                yield path
            elif entry.is_dir():
                folders.append(path)
                levels.append((*_entries(entry.path), path + "/", target))
                break
        else:
            levels.pop()


def _entries(folder: str) -> tuple[Iterator[str], dict[str, os.DirEntry[str]]]:
    """Return the names in a folder, in order, and those entries that are no plain files."""
    names, others = [], {}
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if not entry.is_file(follow_symlinks=False):
                others[entry.name] = entry
    names.sort()
    return iter(names), others


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
