"""Paths as texts: what a reference or a name in an archive means, and how paths are sorted."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from formatspec.paths.listing import Paths

_NAMES = re.compile(r"[^/\\\0.:][^/\\\0:]*+(?:/[^/\\\0.:][^/\\\0:]*+)*+")
"""Names separated by slashes that need no interpretation."""
_DRIVE = re.compile(r"[A-Za-z]:")
NO_SEGMENTS = frozenset({"", ".", ".."})
"""Parts of paths that name nothing."""


def safe_join(folder: str, reference: str) -> str | None:
    """Return the path that a reference in a file of this folder means; "" is the root itself.

    Backslashes count as slashes. The result is None if the reference is absolute, has a drive letter or a NUL, or
    leaves the root.
    """
    plain = f"{folder}/{reference}" if folder else reference
    if _NAMES.fullmatch(plain):
        return plain
    reference = reference.replace("\\", "/")
    if reference.startswith("/") or _DRIVE.match(reference) or "\0" in reference:
        return None
    joined = posixpath.normpath(f"{folder}/{reference}" if folder else reference)
    if joined == ".." or joined.startswith(("../", "/")):
        return None
    return "" if joined == "." else joined


def far_segments(name: str) -> list[str]:
    """Return the segments of an absolute path or an address, which starts elsewhere; empty for other names."""
    if ":" not in name and name[:1] not in ("/", "\\"):
        return []
    plain = name.replace("\\", "/") if "\\" in name else name
    if not plain.startswith("/") and _FAR.match(plain) is None:
        return []
    return [part for part in plain.split("/") if part]


_FAR = re.compile(r"[A-Za-z]:/|[A-Za-z][A-Za-z0-9+.-]*://")


def is_segment(text: str) -> bool:
    """Return whether a text can be the name of one file or folder."""
    return "/" not in text and "\0" not in text and text not in NO_SEGMENTS


def relative_path(path: str, folder: str) -> str:
    """Return a path as it is written from a folder, with `..` for each level up; both lie below one root.

    An empty folder is the root.
    """
    there, here = path.split("/"), folder.split("/") if folder else []
    if not NO_SEGMENTS.isdisjoint(there) or not NO_SEGMENTS.isdisjoint(here):
        return posixpath.relpath(path, folder or ".")
    common = 0
    while common < len(here) and common < len(there) and here[common] == there[common]:
        common += 1
    return "/".join([*([".."] * (len(here) - common)), *there[common:]]) or "."


def last_segment(path: str) -> str:
    """Return the last segment of a path, which slashes or backslashes part."""
    return path.replace("\\", "/").rpartition("/")[2]


def plain_spelling(name: str) -> str:
    """Return a name in the spelling used for comparison: no `./`, slashes, composed characters, no escapes."""
    if name.isascii() and not _ODD.search(name):
        return name
    parts = unquote(unicodedata.normalize("NFC", name)).replace("\\", "/").split("/")
    return "/".join(part for place, part in enumerate(parts) if part not in ("", ".") or (not place and not part))


_ODD = re.compile(r"[\\%]|//|(?:^|/)\./")


def safe_name(name: str) -> str | None:
    """Return the path that a name in an archive or a store means; None if the name is not allowed."""
    return None if "\\" in name or ".." in name.split("/") else safe_join("", name)


def with_small_extension(path: str) -> str:
    """Return a path with its extension in small letters, as templates spell it."""
    start, dot, extension = path.rpartition(".")
    return path if not dot or "/" in extension else start + dot + extension.lower()


def by_segments(path: str) -> str:
    """Return the sort key of a path: a slash comes before every character that a name may hold."""
    return path.replace("/", "\0")


def in_order(paths: Iterable[str]) -> Paths:
    """Return paths sorted by segments."""
    return Paths(sorted(paths, key=by_segments))
