"""Places behind a URL: buckets and whatever else fsspec reaches, with one request per file and one for the listing.

A store has names and bytes; it can neither rename nor link. Each process opens its own connection when it first needs
one, so a store can be pickled and used after a fork.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

THREADS = 16
"""How many requests of one process may be under way at once."""
BLOCK = 4 * 1024**2
"""How many bytes are requested at once from a file that is read in pieces, such as an archive."""
PART = 16 * 1024**2
"""The size in bytes of one part of a large file that is uploaded."""
MANIFEST = ".formatspec.json"
"""The file that marks an output in a store as complete.

It is written last, and names every other file with its size. Its name begins with a dot, so no format claims it.
"""

_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "obs", "memory"})
"""Stores without real folders, where creating one means a request or even a bucket."""
_NEEDS = {"s3": "formatspec[s3]", "s3a": "formatspec[s3]", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
          "abfs": "adlfs"}  # fmt: skip
_NOT_OURS = frozenset({"AccessDenied", "InvalidObjectState"})
"""How a store refuses a single file, as opposed to a caller that it does not know."""
_NO_KEY = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "DefaultCredentialsError")
_NO_WAY = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "SSLError")


class RemoteError(Exception):
    """A store cannot be reached or denies access. The message is one sentence.

    It does not concern a single file, so the run ends.
    """


def is_url(place: object) -> bool:
    """Return whether a place is a URL; `file://` counts as a path."""
    return isinstance(place, str) and "://" in place and not place.startswith(("file://", "local://"))


def plain_path(place: str) -> str:
    """Return the path that a `file://` URL means; other places unchanged."""
    return place.removeprefix("file://").removeprefix("local://")


class _File:
    """A file whose errors are translated to ours."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def read(self, size: int = -1) -> bytes:
        with told(self._url, final=True):
            data: bytes = self._file.read(size)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Connection(NamedTuple):
    fs: Any
    root: str
    pool: ThreadPoolExecutor
    made: set[str]


class Store(msgspec.Struct, frozen=True, dict=True, weakref=True):
    """Everything below a URL. Names are POSIX paths relative to it."""

    url: str

    @property
    def protocol(self) -> str:
        """The URL's scheme, such as `s3`."""
        return self.url.partition("://")[0]

    def listing(self) -> dict[str, int]:
        """Ask the store for every file's name and size; the size is -1 if the store does not give it.

        The name "" is the URL itself, if it is a file. Every call asks again.

        Raises:
            FileNotFoundError: The store says that there is nothing.
            RemoteError: The store cannot be asked.
        """
        fs, root, *_ = self._connection
        with told(self.url):
            sizes = dict(_pages(fs, root)) if hasattr(fs, "call_s3") else {}
            return sizes or dict(_found(fs, root))

    def read(self, name: str, size: int) -> bytes:
        """A whole file of the listed size, in one request. Raises FileNotFoundError, PermissionError, RemoteError."""
        if size == 0:
            return b""
        with told(self.url):
            # Without an end, some stores would ask for the size first.
            whole = {} if size < 0 else {"start": 0, "end": size}
            data: bytes = self._connection.fs.cat_file(self._full(name), **whole)
        if 0 <= size != len(data):
            raise RemoteError(f"{self.url}/{name} has changed since it was listed: {len(data)} bytes, not {size}")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a whole file, in one request if it is not large. Raises RemoteError."""
        with told(self.url, final=True):
            self._connection.fs.pipe_file(self._place(name), data)

    def send(self, name: str, file: IO[bytes]) -> None:
        """Write a large file from an open one, in parts. Raises RemoteError."""
        with told(self.url, final=True), self._connection.fs.open(self._place(name), "wb", block_size=PART) as stream:
            shutil.copyfileobj(file, stream, PART)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files. Raises RemoteError."""
        fs = self._connection.fs
        with told(self.url, final=True):
            list(self.pool.map(fs.rm_file, map(self._full, names)))

    def file(self) -> Any:
        """The URL itself as an open file with `seek`, read in blocks; the last blocks are kept."""
        fs, root, *_ = self._connection
        with told(self.url):
            return _File(fs.open(root, "rb", block_size=BLOCK, cache_type="blockcache"), self.url)

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The threads of this process that wait for the store."""
        return self._connection.pool

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the URL; the connection is opened again."""
        return Store, (self.url,)

    def _full(self, name: str) -> str:
        return f"{self._connection.root}/{name}" if name else self._connection.root

    def _place(self, name: str) -> str:
        """Return where a file is written, after creating its folder if the store has folders."""
        place = self._full(name)
        folder, made = posixpath.dirname(place), self._connection.made
        if self.protocol not in _BUCKETS and folder not in made:
            self._connection.fs.makedirs(folder, exist_ok=True)
            made.add(folder)
        return place

    @property
    def _connection(self) -> _Connection:
        process = os.getpid()
        if process not in self._connections:
            self._connections[process] = _connect(self.url)
        return self._connections[process]

    @cached_property
    def _connections(self) -> dict[int, _Connection]:
        return {}


def _found(fs: Any, root: str) -> Iterator[tuple[str, int]]:
    """Yield names and sizes below a place of any store, without the empty files that stand for folders."""
    fs.invalidate_cache()
    found = fs.find(root, detail=True)
    fs.invalidate_cache()
    for name, info in found.items():
        if not name.endswith("/"):
            yield name[len(root) :].removeprefix("/"), -1 if info["size"] is None else info["size"]


def _pages(fs: Any, root: str) -> Iterator[tuple[str, int]]:
    """Yield the same from S3, page by page: `find` would keep all details of every file, some 700 bytes each."""
    bucket, _, key = root.partition("/")
    prefix = f"{key}/" if key else ""
    ask = {"Bucket": bucket, "Prefix": prefix, **fs.req_kw}
    while True:
        page = fs.call_s3("list_objects_v2", **ask)
        files = (one for one in page.get("Contents", ()) if not one["Key"].endswith("/"))
        yield from ((one["Key"][len(prefix) :], one["Size"]) for one in files)
        if not page.get("IsTruncated"):
            return
        ask["ContinuationToken"] = page["NextContinuationToken"]


def store_at(url: str) -> Store:
    """Return the store of a URL."""
    return Store(url.rstrip("/") if not url.endswith("://") else url)


def _connect(url: str) -> _Connection:
    protocol = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise RemoteError(f"{url} needs formatspec[s3]: pip install 'formatspec[s3]'") from None
    try:
        fs, root = url_to_fs(url)
    except ImportError as error:
        needs = _NEEDS.get(protocol)
        raise RemoteError(f"{url} needs {needs}: pip install '{needs}'" if needs else f"{url}: {error}") from None
    except ValueError as error:
        raise RemoteError(f"{url}: {error}") from None
    from concurrent.futures import ThreadPoolExecutor

    return _Connection(fs, root.rstrip("/"), ThreadPoolExecutor(THREADS, "formatspec-store"), set())


@contextmanager
def told(url: str, final: bool = False) -> Iterator[None]:
    """Turn the errors of any store into RemoteError.

    The error of one file that is missing or forbidden is raised unchanged, unless `final` says that no other file will
    be asked for. Expired credentials are an error of the store, so that they do not make one file after another
    unreadable.
    """
    try:
        yield
    except Exception as error:
        if not final and isinstance(error, FileNotFoundError | PermissionError) and _of_one_file(error):
            raise
        raise RemoteError(sentence(url, error)) from error


def _of_one_file(error: OSError) -> bool:
    codes = {getattr(one, "response", {}).get("Error", {}).get("Code") for one in _causes(error)}
    return isinstance(error, FileNotFoundError) or bool(codes & _NOT_OURS)


def sentence(url: str, error: BaseException) -> str:
    """Return in one sentence what went wrong with a store, and what to do."""
    kinds = {kind.__name__ for one in _causes(error) for kind in type(one).__mro__}
    said = " ".join(str(error.strerror if isinstance(error, OSError) and error.strerror else error).split())
    if kinds & {*_NO_KEY}:
        return f"{url}: there are no credentials ({said.rstrip('.')}); docs/scale.md says how to give them"
    if isinstance(error, PermissionError):
        return f"{url}: the store refuses ({said.rstrip('.')}); check the credentials and what they allow"
    if isinstance(error, FileNotFoundError):
        return f"{url}: there is no such place ({said.rstrip('.')}); check the bucket's name"
    if kinds & {*_NO_WAY, "ClientConnectorError", "ConnectionError", "TimeoutError"}:
        return f"{url}: the store cannot be reached ({said.rstrip('.')}); check the endpoint and the network"
    return f"{url}: {said.rstrip('.') or type(error).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def manifest(files: dict[str, int]) -> bytes:
    """Return the manifest of a complete output."""
    names = {name: files[name] for name in sorted(files) if name != MANIFEST}
    return msgspec.json.format(msgspec.json.encode({"formatspec": 1, "whole": True, "files": names}), indent=1) + b"\n"


def unlisted(listed: Iterable[str], data: bytes) -> str:
    """Return why an output holds files that its manifest does not name; "" if it does not, or is incomplete."""
    try:
        said = msgspec.json.decode(data, type=dict[str, Any])
        files = set(said["files"]) if said["whole"] is True else None
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"its {MANIFEST} cannot be read"
    strangers = () if files is None else sorted(name for name in listed if name != MANIFEST and name not in files)
    return f"it holds {strangers[0]!r}, which its {MANIFEST} does not list" if strangers else ""


UNFINISHED = b'{"formatspec": 1, "whole": false}\n'
"""The content of the manifest while an output is written."""


def unfit(listed: dict[str, int], data: bytes) -> str | None:
    """Return why the listed files differ from the manifest; None if they do not."""
    try:
        said = msgspec.json.decode(data, type=dict[str, Any])
        whole, files = said["whole"] is True, said.get("files", {}).items()
    except (msgspec.DecodeError, KeyError, AttributeError):
        return f"its {MANIFEST} cannot be read"
    if not whole:
        return "the run that writes it has not ended, or was killed"
    bad = [name for name, size in files if listed.get(name) != size]
    return f"{bad[0]} is missing or has another size than its {MANIFEST} says" if bad else None
