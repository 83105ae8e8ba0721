"""A dataset behind a URL as a tree: it is listed once, and its files are fetched whole before they are read."""

from __future__ import annotations

import os
import posixpath
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.model.amounts import amounts
from formatspec.paths.names import in_order, safe_name
from formatspec.paths.trees.spool import Spool, new_spool
from formatspec.paths.trees.store import MANIFEST, RemoteError, Store, sentence, store_at, unfit
from formatspec.paths.trees.tree import Listed, Listing, Tree, subtree
from formatspec.paths.trees.zip_tree import ZipTree

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MANY = 256
"""The most files that are fetched ahead."""


class ReadAhead:
    """Files that are being fetched, and files read lately, for one reader in one process.

    Files read lately are kept because an image's header is read first and its bytes when it is copied. A file larger
    than the room for fetching ahead is fetched alone.
    """

    def __init__(
        self, fetch: Callable[[str, bool], bytes], size: Callable[[str], int], pool: ThreadPoolExecutor
    ) -> None:
        """Take the functions that fetch and measure files, and the threads that fetch them."""
        self._fetch, self._size, self._pool = fetch, size, pool
        self._coming: dict[str, Future[bytes]] = {}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0

    def expect(self, paths: Iterable[str], again: bool = False) -> None:
        """Fetch the first of these files that are not here yet, and drop files that are not among them.

        If nothing is expected, nothing is being fetched afterwards, so that a process may be forked safely.
        """
        wanted: set[str] = set()
        room = amounts().fetched_ahead
        for path in islice(paths, MANY):
            room -= 0 if path in self._kept else max(self._size(path), 0)
            if wanted and room < 0:
                break
            wanted.add(path)
            if path not in self._coming and path not in self._kept:
                self._coming[path] = self._pool.submit(self._fetch, path, again)
        dropped = [self._coming.pop(path) for path in self._coming.keys() - wanted]
        running = [future for future in dropped if not future.cancel()]
        if not wanted:
            for future in running:
                future.exception()

    def read(self, path: str) -> bytes:
        """Return a file's bytes: those already fetched, or those from the store."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        future = self._coming.pop(path, None)
        try:
            data = self._fetch(path, False) if future is None else future.result()
        except RemoteError:
            self.expect(())
            raise
        self._kept[path] = data
        self._held += len(data)
        while self._held > amounts().files_kept and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._held -= len(oldest)
        return data


@dataclass(frozen=True)
class RemoteTree(Listed):
    """A folder behind a URL.

    Names that an archive may not have either (absolute, with `..` or a backslash) are escapes and not files of the
    tree. The listing is pickled with the tree, so that other processes need not ask for it.
    """

    store: Store
    sizes: Mapping[str, int]
    """Sizes in bytes by name, as the store lists them."""
    spool: Spool | None = None
    """Keeps files that are read a second time."""

    @property
    def root(self) -> str:
        """The URL."""
        return self.store.url

    def exists(self, path: str) -> bool:
        """Whether the store listed a file of this path."""
        return self._known(path) is not None

    def size(self, path: str) -> int:
        """Return the size of the file in bytes, as the store listed it. Raises FileNotFoundError."""
        return self.sizes[self._name(path)]

    def read(self, path: str) -> bytes:
        """Return the file's bytes, fetched now unless they were fetched ahead. Raises RemoteError."""
        self._name(path)
        return self._reader.read(path)

    @property
    def fetches(self) -> bool:
        """Return True: files are fetched before they are read."""
        return True

    def prefetch(self, paths: Iterable[str], again: bool = False) -> None:
        """Begin to fetch the files that are read next; see `Tree.prefetch`."""
        self._reader.expect((path for path in paths if self.exists(path)), again)

    def under(self, prefix: str) -> Tree:
        """The files below a folder of this tree, as a tree."""
        return subtree(self, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the place and the listing; connections are opened again."""
        return RemoteTree, (self.store, self.sizes, self.spool)

    def _name(self, path: str) -> str:
        name = self._known(path)
        if name is None:
            raise FileNotFoundError(f"{self.root} holds no file {path!r}")
        return name

    def _known(self, path: str) -> str | None:
        return path if path in self.sizes and safe_name(path) == path else self._odd.get(path)

    @property
    def _reader(self) -> ReadAhead:
        process = os.getpid()
        if process not in self._readers:
            self._readers[process] = ReadAhead(self._fetch, self.size, self.store.pool)
        return self._readers[process]

    def _fetch(self, path: str, again: bool) -> bytes:
        data = self.spool.get(path) if self.spool is not None else None
        if data is None:
            data = self.store.read(self._name(path), self.size(path))
            if again and self.spool is not None:
                self.spool.put(path, data)
        return data

    @cached_property
    def _readers(self) -> dict[int, ReadAhead]:
        return {}

    @cached_property
    def _odd(self) -> dict[str, str]:
        """The store's name of each path that it spells differently, such as `a//b`."""
        safe = ((safe_name(name), name) for name in self.sizes)
        return {path: name for path, name in safe if path and path not in self.sizes}

    @cached_property
    def _listing(self) -> Listing:
        paths, folders, escapes = list(self._odd), set[str](), []
        for name in self.sizes:
            path = safe_name(name)
            if path is None:
                escapes.append(name)
            elif path == name:
                paths.append(name)
        for path in paths:
            folder = posixpath.dirname(path)
            while folder and folder not in folders:
                folders.add(folder)
                folder = posixpath.dirname(folder)
        return Listing(in_order(paths), in_order(folders), in_order(escapes))


def open_url(url: str) -> Tree:
    """Return the tree of a URL: of a folder, of a zip archive, or of a folder in one (`zip://FOLDER::URL`).

    Raises:
        FileNotFoundError: There is nothing.
        RemoteError: The store cannot be reached or denies access, or an output there is incomplete.
    """
    if url.startswith("zip://"):
        folder, joint, archive = url.removeprefix("zip://").partition("::")
        if not joint:
            raise RemoteError(f"{url}: say which archive, as in zip://{folder}::s3://bucket/data.zip")
        return _folder(_zip(archive), folder.strip("/"), url)
    store = store_at(url)
    try:
        sizes = store.listing()
    except (FileNotFoundError, PermissionError) as error:
        raise RemoteError(sentence(url, error)) from error
    if not sizes:
        raise FileNotFoundError(2, "there is no data", url)
    if "" in sizes and len(sizes) == 1:
        return _zip(url)
    if MANIFEST in sizes:
        why = unfit(sizes, store.read(MANIFEST, sizes[MANIFEST]))
        if why:
            raise RemoteError(f"{url} is not whole: {why}")
    sizes.pop("", None)
    return RemoteTree(store, sizes, new_spool(store))


def _zip(archive: str) -> Tree:
    tree = ZipTree(store_at(archive) if "://" in archive else Path(archive))
    try:
        tree.paths()
    except FileNotFoundError:
        raise FileNotFoundError(2, "there is no data", archive) from None
    except (ValueError, OSError) as error:
        raise RemoteError(f"{archive} is neither a folder nor a zip archive ({error})") from error
    return tree


def _folder(tree: Tree, folder: str, url: str) -> Tree:
    if folder and folder not in tree.folders():
        raise FileNotFoundError(2, "there is no such folder in the archive", url)
    return tree.under(folder)
