"""A zip archive as a tree: its members are read without unpacking the archive."""

from __future__ import annotations

import os
import posixpath
import stat
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from formatspec.model.limits import limits
from formatspec.paths.names import in_order, safe_name
from formatspec.paths.trees.store import Store
from formatspec.paths.trees.tree import Listed, Listing, SourceChangedError, Tree, subtree

BOMB_RATIO = 100
"""How many bytes one packed byte may stand for, in a member larger than the limit `unpacked`."""


@dataclass(frozen=True)
class ZipTree(Listed):
    """A zip archive, read without unpacking it.

    Symbolic links, and members whose name is absolute or has a drive letter, `..`, a backslash or a NUL, are escapes
    and not files of the tree. Of two members with one name the later one counts.
    """

    archive: Path | Store

    @property
    def root(self) -> str:
        """The archive's path or URL."""
        return str(self.archive) if isinstance(self.archive, Path) else self.archive.url

    def exists(self, path: str) -> bool:
        """Return whether a member has this path."""
        return path in self._members

    def size(self, path: str) -> int:
        """Return the unpacked size of a member in bytes, as the archive states it. Raises FileNotFoundError."""
        return self._member(path).file_size

    def read(self, path: str) -> bytes:
        """Unpack a member.

        Raises:
            FileNotFoundError: There is no such member.
            ValueError: The member is damaged, encrypted, or larger than the limit `unpacked` allows.
        """
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
                    if len(data) > member.file_size:  # the zipfile module would continue to the end of the packed bytes
                        raise zipfile.BadZipFile(f"it holds more than the {member.file_size:,} bytes that it states")
                return bytes(data)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
            raise ValueError(f"{path!r} in {self.root} cannot be unpacked: {error}") from error

    def under(self, prefix: str) -> Tree:
        """The files below a folder of the archive, as a tree."""
        return subtree(self, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the archive's absolute path, or its store; it is opened again."""
        return ZipTree, (self.archive.absolute() if isinstance(self.archive, Path) else self.archive,)

    def _member(self, path: str) -> zipfile.ZipInfo:
        member = self._members.get(path)
        if member is None:
            raise FileNotFoundError(f"{self.root} holds no file {path!r}")
        return member

    @property
    def _zip(self) -> zipfile.ZipFile:
        # A forked process shares the position in an open file with its parent, so each opens the file again.
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
        """Raise SourceChangedError if the archive differs from the one that was first opened."""
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
