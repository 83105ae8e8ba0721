"""An output behind a URL, where nothing can be moved.

A mark says that the output is incomplete. The files are written in their place, many at a time. At the end the manifest
replaces the mark. If the conversion fails, the written files are deleted.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from formatspec.paths.trees.store import (
    MANIFEST,
    UNFINISHED,
    RemoteError,
    Store,
    manifest,
    sentence,
    store_at,
    unfit,
    unlisted,
)
from formatspec.run.output.staging import OutputError, Overwrite, Staging, below

if TYPE_CHECKING:
    from concurrent.futures import Future

BEHIND = 64 * 1024**2
"""The most bytes that wait to be written; a larger file is written alone."""
LARGE = 32 * 1024**2
"""Files on disk that are larger, in bytes, are not read into memory to be sent."""
MANY = 256
"""The most files that wait to be written."""


class StoreStaging:
    """Sends files to a store; each process with a copy uses a connection of its own."""

    def __init__(self, store: Store) -> None:
        """Take the store; a connection is opened when the first file is written."""
        self.store = store
        self.linked_by_copy = 0
        self.kept: Path | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the store; files that are being sent stay with their process."""
        return StoreStaging, (self.store,)

    def write(self, path: str, data: bytes) -> None:
        """Start to write a file, after waiting if too much is on its way. Raises RemoteError for any file."""
        name = below(path)
        waiting = self._waiting
        while waiting and (len(waiting) >= MANY or sum(size for _, size in waiting) + len(data) > BEHIND):
            waiting.popleft()[0].result()
        waiting.append((self.store.pool.submit(self.store.write, name, data), len(data)))

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file piece by piece.

        A file that does not fit in memory is gathered on disk before it is sent, so that nothing of it exists if a
        piece cannot be made.
        """
        with SpooledTemporaryFile(LARGE) as file:
            file.writelines(pieces)
            size = file.tell()
            file.seek(0)
            self._bring(path, file, size)

    def copy(self, source: Path, path: str) -> None:
        """Copy a local file."""
        with source.open("rb") as file:
            self._bring(path, file, source.stat().st_size)

    def _bring(self, path: str, file: IO[bytes], size: int) -> None:
        if size > LARGE:
            self.store.send(below(path), file)
        else:
            self.write(path, file.read())

    def link(self, source: Path, path: str) -> None:
        """Copy a local file, since nothing can be linked here."""
        self.linked_by_copy += 1
        self.copy(source, path)

    def clear(self) -> None:
        """Delete everything that was written; the mark stays. Raises RemoteError."""
        self.stop()
        self.store.remove(name for name in _listed(self.store) if name != MANIFEST)

    def flush(self) -> None:
        """Wait until everything is written. Raises RemoteError."""
        waiting = self._waiting
        while waiting:
            waiting.popleft()[0].result()

    def stop(self) -> None:
        """Stop writing."""
        waiting = self._waiting
        for future, _ in waiting:
            future.cancel()
        for future, _ in waiting:
            if not future.cancelled():
                future.exception()
        waiting.clear()

    @property
    def _waiting(self) -> deque[tuple[Future[None], int]]:
        return self._queues.setdefault(os.getpid(), deque())

    @cached_property
    def _queues(self) -> dict[int, deque[tuple[Future[None], int]]]:
        return {}


def refuse_there(url: str, overwrite: Overwrite) -> None:
    """Raise OutputError if files exist below a URL and may not be replaced."""
    if "::" in url or url.startswith("zip://"):
        raise OutputError(f"{url}: nothing can be written into an archive; choose a folder with -o")
    listed = _listed(store_at(url))
    if not listed or overwrite == "force":
        return
    if MANIFEST not in listed:
        raise OutputError(
            f"{url} holds files without a {MANIFEST}, which no formatspec wrote; choose another place with -o, or "
            "replace them with --force"
        )
    if not overwrite:
        why = unfit(listed, store_at(url).read(MANIFEST, listed[MANIFEST]))
        state = f"exists, and is not whole: {why}" if why else "exists"
        raise OutputError(f"{url} {state}; choose another place with -o, or replace it with --overwrite")
    why = unlisted(listed, store_at(url).read(MANIFEST, listed[MANIFEST]))
    if why:
        raise OutputError(f"{url} is not replaced: {why}; choose another place with -o, or replace it with --force")


def is_there(url: str) -> bool:
    """Return whether any file exists below a URL."""
    return bool(_listed(store_at(url)))


class NowhereStaging:
    """An output that writes nothing.

    It shows what a conversion would refuse, before an old output is replaced.
    """

    def __init__(self) -> None:
        """Begin without files."""
        self.linked_by_copy = 0
        self.kept: Path | None = None

    def write(self, path: str, data: bytes) -> None:
        """Check a path."""
        below(path)

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Make all pieces and keep none."""
        below(path)
        deque(pieces, maxlen=0)

    def copy(self, source: Path, path: str) -> None:
        """Check a path."""
        below(path)

    def link(self, source: Path, path: str) -> None:
        """Check a path."""
        below(path)

    def clear(self) -> None:
        """Do nothing: nothing was written."""

    def flush(self) -> None:
        """Do nothing: nothing waits to be written."""


@contextmanager
def uploaded(url: str, overwrite: Overwrite) -> Iterator[Staging]:
    """Return an output below a URL that is complete if the block succeeds, and deleted if it fails."""
    store = store_at(url)
    before = _listed(store)
    if before and MANIFEST not in before and overwrite != "force":
        raise OutputError(f"{url} holds files since a moment ago; choose another place with -o")
    store.write(MANIFEST, UNFINISHED)
    store.remove(name for name in before if name != MANIFEST)
    staging = StoreStaging(store)
    try:
        yield staging
        staging.flush()
        store.write(MANIFEST, manifest(_listed(store)))
    except BaseException:
        staging.stop()
        _delete(store)
        raise


def _delete(store: Store) -> None:
    """Delete what was written, the mark last: it explains whatever is left."""
    try:
        store.remove(name for name in _listed(store) if name != MANIFEST)
        store.remove([MANIFEST])
    except RemoteError as error:
        raise RemoteError(f"{error}; what was written is left there unfinished, and --overwrite removes it") from None


def _listed(store: Store) -> dict[str, int]:
    try:
        return store.listing()
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise RemoteError(sentence(store.url, error)) from None
