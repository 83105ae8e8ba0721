"""Finds where a dataset may begin: in the given folder, or in a single folder that contains everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from formatspec.engine.detection.evidence.ignorable import is_ignorable

LEVELS = 2
"""How many folders may lie around a dataset."""


def wrapping_folders(paths: Iterable[str]) -> list[str]:
    """Return the prefixes at which a dataset may begin.

    The first is "". If one folder contains every file except ignorable ones, it comes next, and then likewise the one
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
    """Yield the paths below a folder, relative to it."""
    start = prefix + "/" if prefix else ""
    return (path[len(start) :] for path in paths if path.startswith(start))
