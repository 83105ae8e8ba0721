"""The output folder: whole or absent.  Everything is written beside it and moved into place at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OutputError(ValueError):
    """The output cannot be where it was asked for; the message says what to do."""


class Staging:
    """A folder in the making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: set[str] = set()
        self.linked_by_copy = 0

    def _place(self, path: str) -> Path:
        parts = path.split("/")
        if not path or path.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise OutputError(f"{path!r} is no path below the output")
        place = self.folder / path
        parent = path.rpartition("/")[0]
        if parent not in self._made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        return place

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        with self._place(path).open("wb") as stream:
            stream.write(data)

    def copy(self, source: Path, path: str) -> None:
        """Copy a file."""
        shutil.copyfile(source, self._place(path))

    def link(self, source: Path, path: str) -> None:
        """Make a hard link, or a copy where that cannot be."""
        place = self._place(path)
        try:
            os.link(source, place)
        except OSError:
            self.linked_by_copy += 1
            shutil.copyfile(source, place)


def refuse_unfit(out: Path, data: Path, overwrite: bool) -> None:
    """Raise OutputError where OUT lies in DATA or the other way round, or exists."""
    whole, source = out.resolve(), data.resolve()
    if whole == source or source in whole.parents:
        raise OutputError(f"{out} lies inside the data {data}; choose a folder beside it with -o")
    if whole in source.parents:
        raise OutputError(f"{out} holds the data {data}; choose another folder with -o")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists; choose another folder with -o, or replace it with --overwrite")


@contextmanager
def staged(out: Path) -> Iterator[Staging]:
    """A folder that becomes `out` when the block ends well, and vanishes when it does not."""
    folder = out.parent / f".{out.name}.partial-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield Staging(folder)
        old = out.parent / f".{out.name}.replaced-{os.getpid()}"
        if out.exists():
            out.rename(old)
        folder.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
