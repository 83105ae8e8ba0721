"""The output: whole or absent.  A folder is written beside its place and moved there at the end; behind a URL, where
nothing can be moved, the files are written in their place and a manifest last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from formatspec.paths.store import is_url, plain_path
from formatspec.run.copying import copy, fresh, write


class OutputError(ValueError):
    """The output cannot be where it was asked for; the message says what to do."""


class Staging(Protocol):
    """An output in the making.  It pickles: worker processes write through it, each with its own copy, and the
    process that began it makes it whole.  Paths are posix, below the output; each is written once."""

    linked_by_copy: int
    """How many links this copy had to make as copies."""
    kept: Path | None
    """A folder for what finished shards gave, where a run that is killed can be continued."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file, at once or soon; what goes wrong later is raised by a later call or by `flush`."""
        ...

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file that need not fit in memory."""
        ...

    def copy(self, source: Path, path: str) -> None:
        """Copy a local file."""
        ...

    def link(self, source: Path, path: str) -> None:
        """Make a hard link to a local file, or a copy where that cannot be."""
        ...

    def clear(self) -> None:
        """Delete all that was written, to begin anew."""
        ...

    def flush(self) -> None:
        """Wait until all is written; a worker calls this before it says that its part is done."""
        ...


def below(path: str) -> str:
    """A path below the output.  Raises OutputError for any other."""
    if not path or path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise OutputError(f"{path!r} is no path below the output")
    return path


class FolderStaging:
    """A folder in the making; workers of other machines know it by a token."""

    def __init__(self, folder: Path, kept: Path | None = None, token: str = "") -> None:
        self.folder = folder
        self.kept = kept
        self.token = token
        self.linked_by_copy = 0
        self._made: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        from formatspec.run.partial import joined

        return joined, (self.folder.absolute(), self.kept and self.kept.absolute(), self.token)

    def _place(self, path: str) -> Path:
        return self.folder / self._made_below(path)

    def _made_below(self, path: str) -> str:
        """A path whose folder is there."""
        parent = below(path).rpartition("/")[0]
        if parent not in self._made:
            (self.folder / parent).mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        return path

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        write(f"{self.folder}/{self._made_below(path)}", data)

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file piece by piece."""
        with fresh(self._place(path)) as stream:
            stream.writelines(pieces)

    def copy(self, source: Path, path: str) -> None:
        """Copy a file."""
        copy(source, self._place(path))

    def link(self, source: Path, path: str) -> None:
        """Make a hard link, or a copy where that cannot be."""
        place = self._place(path)
        place.unlink(missing_ok=True)
        try:
            os.link(source, place)
        except OSError:
            self.linked_by_copy += 1
            copy(source, place)

    def clear(self) -> None:
        """Delete all that was written."""
        for folder in (self.kept, self.folder):
            if folder is not None and folder.exists():
                shutil.rmtree(folder)
        self.folder.mkdir()
        self._made.clear()

    def flush(self) -> None:
        """All is written already."""


OutputPlace = Path | str
"""Where an output goes: a path, or a URL as text."""


def output_place(out: str | Path) -> OutputPlace:
    """Where an output goes that a person named."""
    if is_url(out):
        return str(out).rstrip("/")
    return Path(plain_path(out) if isinstance(out, str) else out)


def refuse_unfit(out: OutputPlace, data: OutputPlace, overwrite: bool) -> None:
    """Raise OutputError where OUT lies in DATA or the other way round, or exists."""
    if _inside(out, data):
        raise OutputError(f"{out} lies inside the data {data}; choose a folder beside it with -o")
    if _inside(data, out):
        raise OutputError(f"{out} holds the data {data}; choose another folder with -o")
    refuse_existing(out, overwrite)


def refuse_existing(out: OutputPlace, overwrite: bool) -> None:
    """Raise OutputError where OUT exists and may not be replaced."""
    if isinstance(out, str):
        from formatspec.run.upload import refuse_there

        refuse_there(out, overwrite)
    elif out.exists() and not overwrite:
        raise OutputError(f"{out} exists; choose another folder with -o, or replace it with --overwrite")


def _inside(one: OutputPlace, other: OutputPlace) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return f"{one}/".startswith(f"{other}/") and isinstance(one, str) and isinstance(other, str)
    whole = one.resolve()
    return other.resolve() in (whole, *whole.parents)


def staged(
    out: OutputPlace, overwrite: bool = False, fingerprint: str | None = None
) -> AbstractContextManager[Staging]:
    """An output that is there when the block ends well, and is not when it does not.

    fingerprint: by which a folder that was left by a kill is known again, and continued.
    """
    if isinstance(out, str):
        from formatspec.run.upload import uploaded

        return uploaded(out)
    from formatspec.run.partial import partial

    return partial(out, overwrite, fingerprint)
