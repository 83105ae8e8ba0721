"""Trees of files: a folder, a zip archive or a place behind a URL, seen alike. Paths are posix, relative to the root.

A tree never changes: its listing is taken once, when first asked for. Nothing outside the root is opened.
"""

from __future__ import annotations

import os
import posixpath
import stat
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from formatspec.model.limits import limits
from formatspec.paths.listing import Paths
from formatspec.paths.names import by_segments, in_order, safe_join, safe_name
from formatspec.paths.trees.positioned import read_at
from formatspec.paths.trees.store import Store

BOMB_RATIO = 100
"""How many bytes a packed one may stand for in a member of an archive that is larger than the limit `unpacked`."""

FOLDERS_KNOWN = 4096
"""Folders that are remembered to lie inside the root."""
_ODD_SEGMENTS = frozenset({"", ".", ".."})
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_NONBLOCK")
"""Whether a file can be opened before anything is known of it: a link is not followed, a pipe not waited for."""


class SourceChangedError(Exception):
    """Data were deleted or changed while they were read; one sentence.  It is no trouble of one file: the run ends."""


@runtime_checkable
class Tree(Protocol):
    """Files under one root."""

    @property
    def root(self) -> str:
        """The root as shown to a person."""
        ...

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted by segments in the order of code points."""
        ...

    def folders(self) -> Sequence[str]:
        """Every folder below the root, sorted likewise."""
        ...

    def escapes(self) -> Sequence[str]:
        """Symbolic links that leave the root, and unsafe names of an archive: never followed, only told."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a regular file has this path."""
        ...

    def size(self, path: str) -> int:
        """Bytes. Raises FileNotFoundError."""
        ...

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises OSError, and ValueError for a damaged or dangerous archive."""
        ...

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """Take the files that are read next, in that order: a tree far away fetches the first of them at once, as
        many as it has room for, and lets go of what it fetched before and is not among them. Others do nothing.

        again: they will be read a second time, perhaps by another process.
        """
        ...

    def local(self, path: str) -> Path | None:
        """A real file to hand to a decoder, a link or a copy; None if there is none."""
        ...

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        """The first and the last bytes of a file, so many or all it has; None where they are not at hand alone."""
        ...

    def under(self, prefix: str) -> Tree:
        """The part below a folder, with paths relative to it. Raises ValueError if that leaves the root."""
        ...


class Listing(NamedTuple):
    """What a tree holds."""

    paths: Sequence[str]
    folders: Sequence[str]
    escapes: Sequence[str]


class Listed:
    """What a tree tells of its listing, which each kind of tree takes in its own way, once."""

    @cached_property
    def _listing(self) -> Listing:
        raise NotImplementedError

    def paths(self) -> Sequence[str]:
        return self._listing.paths

    def folders(self) -> Sequence[str]:
        return self._listing.folders

    def escapes(self) -> Sequence[str]:
        return self._listing.escapes


@dataclass(frozen=True)
class FolderTree(Listed):
    """A folder on disk. Symbolic links that stay inside are followed, unless they lead back to a folder on
    the way; dangling links and special files are left out. Names that are not UTF-8 hold surrogate escapes
    (PEP 383)."""

    folder: Path

    @property
    def root(self) -> str:
        return str(self.folder)

    def exists(self, path: str) -> bool:
        try:
            return bool(self._file(path))
        except FileNotFoundError:
            return False

    def size(self, path: str) -> int:
        return os.stat(self._file(path)).st_size  # noqa: PTH116  # a Path here would double the time

    def read(self, path: str) -> bytes:
        opened = self._opened(path) if _AT_ONCE else None
        if opened is not None:
            return _read_all(*opened)
        with open(self._file(path), "rb") as file:  # noqa: PTH123
            return file.read()

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """A file here is at hand."""

    def local(self, path: str) -> Path | None:
        try:
            return Path(self._file(path))
        except FileNotFoundError:
            return None

    def under(self, prefix: str) -> Tree:
        return subtree(self, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        return FolderTree, (self.folder.absolute(),)

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
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
        """A file that is plainly there, opened, and its size; None where `_file` must look, which also says why not."""
        folder, _, name = path.rpartition("/")
        known = folder and self._folders_inside.get(folder)
        if name in _ODD_SEGMENTS or not (known or self._is_sound(folder, path)):
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
            if self._is_sound(folder, path) and name not in _ODD_SEGMENTS and self._reaches_file(folder, full):
                return full
        except (OSError, ValueError):
            pass  # said below
        if "_listing" in self.__dict__ and _is_listed(self._listing.paths, path):
            raise SourceChangedError(f"{full} is gone: it was there when the run began")
        raise FileNotFoundError(f"{self.root} holds no file {path!r}")

    def _is_sound(self, folder: str, path: str) -> bool:
        """Whether the folder of a path is named by names alone."""
        sound = folder in self._folders_inside or _ODD_SEGMENTS.isdisjoint(folder.split("/"))
        return sound if folder else not path.startswith("/")

    def _reaches_file(self, folder: str, full: str) -> bool:
        """Whether a regular file is there, and really inside the root."""
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
        """What is known of folders: whether their real place is inside the root."""
        return {}

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
    """The bytes of an open file of about this size, which is closed."""
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
    """The listing of a folder."""
    folders: list[str] = []
    escapes: list[str] = []
    paths = Paths(_walk(start, real_root, folders, escapes))
    return Listing(paths, Paths(folders), Paths(escapes))


def _walk(start: str, real_root: str, folders: list[str], escapes: list[str]) -> Iterator[str]:
    """Walk depth first with every folder's names in order, which is the order by segments; gives the files."""
    # A level: the names still to see, what is no plain file among them, the folder's path with its slash, its real
    # path.
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
    """The names in a folder, in order, and what is there under those that are no plain files."""
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


@dataclass(frozen=True)
class ZipTree(Listed):
    """A zip archive. Members with an absolute path, a drive letter, `..`, a backslash or a NUL in their name,
    and symbolic links, are escapes and no files of the tree. Of two members of one name the later counts."""

    archive: Path | Store

    @property
    def root(self) -> str:
        return str(self.archive) if isinstance(self.archive, Path) else self.archive.url

    def exists(self, path: str) -> bool:
        return path in self._members

    def size(self, path: str) -> int:
        return self._member(path).file_size

    def read(self, path: str) -> bytes:
        member = self._member(path)
        most = max(limits().unpacked, BOMB_RATIO * member.compress_size)
        if member.file_size > most:
            raise ValueError(
                f"{path!r} in {self.root} unpacks {member.compress_size:,} bytes to {member.file_size:,}, over the "
                f"limit of {most:,} (--limit unpacked={member.file_size} raises it)"
            )
        try:
            with self._zip.open(member) as packed:
                data = bytearray()
                while piece := packed.read(1 << 20):
                    data += piece
                    if len(data) > member.file_size:  # the module itself would go on to the end of the packed bytes
                        raise zipfile.BadZipFile(f"it holds more than the {member.file_size:,} bytes that it states")
                return bytes(data)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
            raise ValueError(f"{path!r} in {self.root} cannot be unpacked: {error}") from error

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """A file here is at hand."""

    def local(self, path: str) -> Path | None:
        return None

    def ends(self, path: str, size: int) -> tuple[bytes, bytes] | None:
        return None

    def under(self, prefix: str) -> Tree:
        return subtree(self, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        return ZipTree, (self.archive.absolute() if isinstance(self.archive, Path) else self.archive,)

    def _member(self, path: str) -> zipfile.ZipInfo:
        member = self._members.get(path)
        if member is None:
            raise FileNotFoundError(f"{self.root} holds no file {path!r}")
        return member

    @property
    def _zip(self) -> zipfile.ZipFile:
        # A forked process shares the position in an open file with its parent, so each opens its own.
        process = os.getpid()
        if process not in self._handles:
            try:
                if isinstance(self.archive, Path):
                    self._stay_the_same(self.archive)
                place = self.archive if isinstance(self.archive, Path) else self.archive.file()
                self._handles[process] = zipfile.ZipFile(place)
            except zipfile.BadZipFile as error:
                raise ValueError(f"{self.root} is no readable zip archive: {error}") from error
        return self._handles[process]

    def _stay_the_same(self, archive: Path) -> None:
        """Raise SourceChangedError where the archive is another than when it was first opened."""
        try:
            found = archive.stat()
        except FileNotFoundError:
            if "_stamp" not in self.__dict__:
                raise
            raise SourceChangedError(f"{archive} is gone: it was there when the run began") from None
        stamp = found.st_size, found.st_mtime_ns
        if self.__dict__.setdefault("_stamp", stamp) != stamp:
            raise SourceChangedError(f"{archive} has changed since the run began")

    @cached_property
    def _handles(self) -> dict[int, zipfile.ZipFile]:
        return {}

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        members = {}
        for member in self._zip.infolist():
            path = _member_path(member)
            if path and not member.orig_filename.endswith("/"):
                members[path] = member
        return members

    @cached_property
    def _listing(self) -> Listing:
        folders: set[str] = set()
        escapes: set[str] = set()
        for member in self._zip.infolist():
            path = _member_path(member)
            if path is None:
                escapes.add(member.orig_filename)
                continue
            folder = path if member.orig_filename.endswith("/") else posixpath.dirname(path)
            while folder and folder not in folders:
                folders.add(folder)
                folder = posixpath.dirname(folder)
        return Listing(in_order(self._members), in_order(folders), in_order(escapes))


def _member_path(member: zipfile.ZipInfo) -> str | None:
    return None if stat.S_ISLNK(member.external_attr >> 16) else safe_name(member.orig_filename)


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
    """The part of a tree below a folder. Raises ValueError if that leaves the root."""
    joined = _prefix(prefix)
    return _Subtree(tree, joined + "/") if joined else tree
