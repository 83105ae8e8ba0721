"""The output, which is whole or absent.

A folder is written beside its place and moved there at the end. Behind a URL nothing can be moved, so that files are
written in their place and a manifest comes last.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

from formatspec.paths.trees.store import is_url, plain_path

Overwrite = bool | Literal["force"]
"""Whether an output that is there is replaced: if it was written as one and holds nothing else, or whatever it is."""


class OutputError(ValueError):
    """The output cannot be where it was asked for; the message says what to do."""


def not_written(place: object, error: OSError) -> OutputError:
    """What went wrong with a place that is written to, in one sentence."""
    return OutputError(f"{place} cannot be written: {error.strerror or error}")


class Staging(Protocol):
    """An output in the making.

    It pickles: worker processes write through it, each with its own copy, and the process that began it makes it whole.
    Paths are posix, below the output; each is written once.
    """

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


OutputPlace = Path | str
"""Where an output goes: a path, or a URL as text."""


def output_place(out: str | Path) -> OutputPlace:
    """Where an output goes that a person named."""
    if is_url(out):
        return str(out).rstrip("/")
    return Path(plain_path(out) if isinstance(out, str) else out)
