"""Where a dataset may begin: at the folder that is given, or in a single folder that holds all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from formatspec.engine.detection.evidence.ignorable import is_ignorable

LEVELS = 2
"""Folders around a dataset that are looked through."""


def wrapping_folders(paths: Iterable[str]) -> list[str]:
    """The prefixes at which a dataset may begin.

    The first is "". Where one folder holds every file but ignorable ones, that folder follows, and likewise the one
    inside it.
    """
    first: list[str] | None = None
    for path in paths:
        if is_ignorable(path):
            continue
        folders = path.split("/")[:-1][:LEVELS]
        if first is None:
            first = folders
        else:
            shared = 0
            while shared < min(len(first), len(folders)) and first[shared] == folders[shared]:
                shared += 1
            first = first[:shared]
        if not first:
            break
    around = first or []
    return ["", *("/".join(around[: depth + 1]) for depth in range(len(around)))]


def below(prefix: str, paths: Sequence[str]) -> Iterator[str]:
    """The paths that lie below a folder, relative to it."""
    start = prefix + "/" if prefix else ""
    return (path[len(start) :] for path in paths if path.startswith(start))
