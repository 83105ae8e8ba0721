"""The output of a conversion, which appears whole or not at all.

A folder is written beside its place and moved there at the end. Behind a URL nothing can be moved, so the files are
written in their place and a manifest is written last.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

from formatspec.paths.names import NO_SEGMENTS
from formatspec.paths.trees.store import is_url, plain_path

Overwrite = bool | Literal["force"]
"""Whether an existing output is replaced: True only if a conversion wrote it, "force" in any case."""


class OutputError(ValueError):
    """The output cannot be where the user wants it. The message says what to do."""


def not_written(place: object, error: OSError) -> OutputError:
    """Return the error for a place that cannot be written to, in one sentence."""
    return OutputError(f"{place} cannot be written: {error.strerror or error}")


class Staging(Protocol):
    """An output that is being made.

    It can be pickled: worker processes write through copies of it, and the process that began it finishes it. Paths are
    POSIX paths below the output; each is written once.
    """

    linked_by_copy: int
    """How many links this copy had to replace by copies."""
    kept: Path | None
    """A folder for the results of finished shards, if a killed run can be continued."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file, now or later. An error of a later write is raised by a later call or by `flush`."""
        ...

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file that need not fit in memory."""
        ...

    def copy(self, source: Path, path: str) -> None:
        """Copy a local file."""
        ...

    def link(self, source: Path, path: str) -> None:
        """Make a hard link to a local file, or a copy if linking is impossible."""
        ...

    def clear(self) -> None:
        """Delete everything that was written, to start again."""
        ...

    def flush(self) -> None:
        """Wait until everything is written; a worker calls this before it reports its part as done."""
        ...


def below(path: str) -> str:
    """Return a path below the output unchanged. Raises OutputError for any other path."""
    if not path or path.startswith("/") or not NO_SEGMENTS.isdisjoint(path.split("/")):
        raise OutputError(f"{path!r} is no path below the output")
    return path


OutputPlace = Path | str
"""Where an output goes: a path, or a URL as text."""


def output_place(out: str | Path) -> OutputPlace:
    """Return the place of an output that a user names."""
    if is_url(out):
        return str(out).rstrip("/")
    return Path(plain_path(out) if isinstance(out, str) else out)
