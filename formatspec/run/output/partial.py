"""An output folder in the making: beside its place, locked, and moved there at the end.

.OUT.partial/files    what becomes OUT
.OUT.partial/done     what is known of finished shards, so that the same command continues after a kill
.OUT.partial/mark     which command that is
.OUT.partial/lock     held by the run and all its workers: nobody else writes here until the last has ended
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from formatspec.model.amounts import amounts
from formatspec.paths.names import NO_SEGMENTS
from formatspec.paths.trees.positioned import write_at
from formatspec.paths.trees.store import MANIFEST, manifest, unlisted
from formatspec.run.output.copying import copy, fresh, write
from formatspec.run.output.staging import OutputError, Overwrite, below, not_written

LOCK = "lock"

_held: dict[Path, int] = {}
"""The locks that this worker holds, by folder."""


class FolderStaging:
    """An output folder that is being written. Workers on other machines identify it by a token."""

    def __init__(self, folder: Path, kept: Path | None = None, token: str = "") -> None:
        """Take the folder that is written, the folder for finished shards, and the token."""
        self.folder = folder
        self.kept = kept
        self.token = token
        self.linked_by_copy = 0
        self._made: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle absolute paths, since another process may have another working folder."""
        return joined, (self.folder.absolute(), self.kept and self.kept.absolute(), self.token)

    def _place(self, path: str) -> Path:
        return self.folder / self._made_below(path)

    def _made_below(self, path: str) -> str:
        """Return a path below the folder, after creating its parent folders."""
        parent, _, name = path.rpartition("/")
        if parent not in self._made or name in NO_SEGMENTS:
            below(path)
            (self.folder / parent).mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        return path

    def write(self, path: str, data: bytes) -> None:
        """Write a file. Raises OutputError, as all methods that write do."""
        try:
            write(f"{self.folder}/{self._made_below(path)}", data)
        except OSError as error:
            raise self._not_written(path, error) from None

    def write_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file piece by piece."""
        try:
            with fresh(self._place(path)) as stream:
                stream.writelines(pieces)
        except OSError as error:
            raise self._not_written(path, error) from None

    def copy(self, source: Path, path: str) -> None:
        """Copy a file. Also raises SourceChangedError."""
        try:
            copy(source, self._place(path))
        except OSError as error:
            raise self._not_written(path, error) from None

    def link(self, source: Path, path: str) -> None:
        """Make a hard link, or a copy if linking is impossible."""
        try:
            place = self._place(path)
            place.unlink(missing_ok=True)
        except OSError as error:
            raise self._not_written(path, error) from None
        try:
            os.link(source, place)
        except OSError:
            self.linked_by_copy += 1
            self.copy(source, path)

    def _not_written(self, path: str, error: OSError) -> OutputError:
        folder = self.folder.parent
        out = folder.with_name(folder.name.removeprefix(".").partition(".partial")[0])
        return not_written(f"{out}/{path}", error)

    def clear(self) -> None:
        """Delete everything that was written."""
        for folder in (self.kept, self.folder):
            if folder is not None and folder.exists():
                shutil.rmtree(folder)
        self.folder.mkdir()
        self._made.clear()

    def flush(self) -> None:
        """Do nothing: everything is written already."""


def refuse_folder(out: Path, overwrite: Overwrite) -> None:
    """Raise OutputError if something exists that may not be replaced, or if nothing can be written there."""
    try:
        status = out.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise not_written(out, error) from None
    if stat.S_ISLNK(status.st_mode) and not out.exists():
        raise OutputError(f"{out} is a link that leads nowhere; choose another folder with -o, or remove it")
    if not overwrite:
        raise OutputError(f"{out} exists; choose another folder with -o, or replace it with --overwrite")
    if overwrite == "force":
        return
    why = _not_ours(out)
    if why:
        raise OutputError(f"{out} is not replaced: {why}; choose another folder with -o, or replace it with --force")


def _not_ours(out: Path) -> str:
    """Return why an existing output was not, or not wholly, written by a conversion; an empty text if it was."""
    if not out.is_dir():
        return "it is no folder"
    files = sizes(out)
    if not files and not any(out.iterdir()):
        return ""
    if MANIFEST not in files:
        return f"it holds no {MANIFEST}, so no formatspec wrote it"
    return unlisted(files, (out / MANIFEST).read_bytes())


def sizes(folder: Path) -> dict[str, int]:
    """Return the size in bytes of every file below a folder; links are not followed."""
    found: dict[str, int] = {}
    todo = [""]
    while todo:
        prefix = todo.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    todo.append(f"{path}/")
                else:
                    found[path] = entry.stat(follow_symlinks=False).st_size
    return found


@contextmanager
def partial(out: Path, overwrite: Overwrite, fingerprint: str | None, listed: bool = True) -> Iterator[FolderStaging]:
    """Return a folder that becomes `out` if the block succeeds, and is deleted if it fails.

    Args:
        out: The output folder.
        overwrite: Whether an existing output is replaced.
        fingerprint: Identifies this command with its data and options; a killed run with the same one is continued.
        listed: Whether the folder gets a file that lists the others.

    Raises:
        OutputError: Another run writes `out`, or `out` exists and may not be replaced, or it cannot be written.
    """
    folder = out.parent / f".{out.name}.partial{'' if _can_lock() else f'-{os.getpid()}'}"
    try:
        lock = _locked(folder, out)
    except OSError as error:
        raise not_written(out, error) from None
    mark, old = folder / "mark", folder / "old"
    try:
        _put_back(old, out)
        refuse_folder(out, overwrite)
        token = uuid4().hex
        staging = FolderStaging(folder / "files", None if fingerprint is None else folder / "done", token)
        try:
            if fingerprint is None or not staging.folder.is_dir() or not _is_same(mark, fingerprint):
                mark.unlink(missing_ok=True)
                staging.clear()
                mark.write_text(_mark(fingerprint or token), encoding="utf-8")
            _share(lock, token, out)
        except OSError as error:
            raise not_written(out, error) from None
        yield staging
        staging.flush()
        try:
            if listed:
                (staging.folder / MANIFEST).write_bytes(manifest(sizes(staging.folder)))
            refuse_folder(out, overwrite)
            if os.path.lexists(out):
                out.rename(old)
            staging.folder.rename(out)
        except OSError as error:
            raise not_written(out, error) from None
    finally:
        _put_back(old, out)
        mark.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def joined(folder: Path, kept: Path | None, token: str) -> FolderStaging:
    """Return the folder for a worker on another machine or in another program. Raises OutputError."""
    place = folder.parent / LOCK
    try:
        lock = os.open(place, os.O_RDONLY)
        mine = os.read(lock, 64).decode() == token
    except OSError:
        mine = False
    if not mine:
        raise OutputError(
            f"a worker on {platform.node()} does not see {folder.parent}: the output must be in a folder that all "
            "machines share, or behind a URL"
        )
    _flock(lock, shared=True)
    for other in _held.values():
        os.close(other)
    _held.clear()
    _held[folder] = lock
    return FolderStaging(folder, kept, token)


def _can_lock() -> bool:
    return sys.platform != "win32"


def _locked(folder: Path, out: Path) -> int:
    """Take the folder's lock exclusively. Raises OutputError if another run or its workers hold it."""
    until = time.monotonic() + amounts().output_patience
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # another run has just ended
        if _flock(lock, shared=False):
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), (folder / LOCK).stat()):
                    return lock
        os.close(lock)
        if time.monotonic() > until:
            raise OutputError(f"another run is writing {out} (it holds {folder / LOCK}); choose another folder with -o")
        time.sleep(0.05)


def _share(lock: int, token: str, out: Path) -> None:
    """Share the lock with the workers that know the token."""
    os.ftruncate(lock, 0)
    write_at(lock, token.encode(), 0)
    os.fsync(lock)
    if not _flock(lock, shared=True):
        raise OutputError(f"another run is writing {out}; choose another folder with -o")


def _flock(lock: int, shared: bool) -> bool:
    """Take a lock; return False if another process holds it. A file system without locks grants it always."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _put_back(old: Path, out: Path) -> None:
    """Move an old output back to its place, if a run was killed between the two renames."""
    if os.path.lexists(old) and not os.path.lexists(out):
        old.rename(out)


def _mark(fingerprint: str) -> str:
    """Return a text for a command and the last start of its machine; unwritten data are lost when a machine stops."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{fingerprint}\n{platform.node()}\n{boot}\n"


def _is_same(mark: Path, fingerprint: str) -> bool:
    """Return whether a mark is of this command, and its machine has not been restarted since."""
    try:
        then = mark.read_text(encoding="utf-8").split("\n")
    except OSError:
        return False
    now = _mark(fingerprint).split("\n")
    return then[:1] == now[:1] and (then[1:2] != now[1:2] or then[2:3] == now[2:3])
