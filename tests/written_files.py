"""The files of a dataset on disk, for comparing what was written with what was there."""

from __future__ import annotations

from pathlib import Path

from formatspec.paths.trees.store import MANIFEST


def written_files(folder: Path) -> dict[str, Path]:
    """Every file below a folder by its path from there, in order, but the one that lists the others."""
    return {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }


def written_bytes(folder: Path) -> dict[str, bytes]:
    """The bytes of these files by path."""
    return {path: file.read_bytes() for path, file in written_files(folder).items()}
