"""Keeps the results of finished shards beside the unfinished output, so that a killed run can continue."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from formatspec._version import __version__
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.language.load import Source, place_at
from formatspec.language.schema import CategoryTable
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.tree import Tree
from formatspec.paths.trees.zip_tree import ZipTree
from formatspec.run.output.staging import not_written
from formatspec.run.pools.shards import Pool, Shard, shards_of

R = TypeVar("R")


class Kept(Generic[R]):
    """Runs a function over a shard and keeps its result in a file."""

    def __init__(self, run: Callable[[Shard], R], folder: Path, name: str) -> None:
        """Take the function, the folder for its results, and the name of this conversion's results."""
        self.run, self.folder, self.name = run, folder.absolute(), name

    def __call__(self, shard: Shard) -> R:
        """Run the function over a shard, keep its result in a file, and return it. Raises OutputError."""
        made = self.run(shard)
        try:
            data = msgspec.msgpack.encode(made)
        except (OverflowError, UnicodeEncodeError):
            return made  # a result with integers beyond 64 bits, or keys that are no text, is not kept
        place = self.place(shard)
        unfinished = place.with_name(f"{place.name}.{os.getpid()}")
        try:
            self.folder.mkdir(exist_ok=True)
            unfinished.write_bytes(data)
            unfinished.replace(place)
        except OSError as error:
            raise not_written(self.folder.parent, error) from None
        return made

    def place(self, shard: Shard) -> Path:
        """Return the file for a shard's result."""
        return self.folder / f"{self.name}-{shard[0]}-{shard[1]}"


def resumed(
    pool: Pool, folder: Path | None, name: str, gives: Any, run: Callable[[Shard], R], shards: Sequence[Shard]
) -> Iterator[R]:
    """Yield the results of `run` for each shard in order; kept results in `folder` are used again.

    `gives` is the type of a result.
    """
    if folder is None or len(shards) < 2:
        yield from pool.map(run, shards)
        return
    keeping = Kept(run, folder, name)
    done = {shard for shard in shards if keeping.place(shard).exists()}
    coming = iter(pool.map(keeping, [shard for shard in shards if shard not in done]))
    decoder = msgspec.msgpack.Decoder(gives)
    for shard in shards:
        if shard not in done:
            yield next(coming)
            continue
        try:
            yield decoder.decode(keeping.place(shard).read_bytes())
        except msgspec.DecodeError:
            yield run(shard)


def fingerprint(source: OpenDataset, target: Source, plan: Any, where: str | None) -> str | None:
    """Return what identifies a conversion: data, specs, options and version; None if results are not kept.

    For a folder, the paths, sizes and times of its files count; for a zip, its own. Data behind URLs have no reliable
    times, and a single shard takes no longer than looking for a kept result.
    """
    stamps = _stamps(source.base) if len(shards_of(len(source))) > 1 else None
    if stamps is None:
        return None
    hashed = hashlib.blake2b(digest_size=16)
    asked = msgspec.structs.replace(plan, select=None)
    form = source.form
    chosen = (form.layout.variant, dict(form.options), source.purpose, asked, where)
    told = (__version__, os.path.abspath(source.base.root), source.prefix, *chosen)  # noqa: PTH100  # may be odd bytes
    for part in (*told, *_words(form.source), *_words(target)):
        hashed.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    for path, *numbers in stamps:
        hashed.update(f"{path}\0{numbers}\0".encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def _words(source: Source) -> Iterator[Any]:
    """Yield everything that a spec states, and the tables beside it."""
    for layout in source.layouts:
        yield layout.node
        for position, entry in enumerate(layout.spec.categories):
            if isinstance(entry, CategoryTable):
                yield source.beside(entry.table, place_at(layout.node, "categories", position)).read_bytes()


def _stamps(tree: Tree) -> Iterable[tuple[Any, ...]] | None:
    if isinstance(tree, FolderTree):
        return (_stamp(path, f"{tree.root}/{path}") for path in tree.paths())
    if isinstance(tree, ZipTree) and isinstance(tree.archive, Path):
        return (_stamp("", str(tree.archive)),)
    return None


def _stamp(path: str, place: str) -> tuple[Any, ...]:
    stat = os.stat(place)  # noqa: PTH116  # a Path here would double the time
    return path, stat.st_size, stat.st_mtime_ns
