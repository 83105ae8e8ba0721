"""Shards of items worked on by one process, several, or a cluster; what comes of them is given in their order."""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from formatspec.run.errors import CannotRunError, WorkerLostError

if TYPE_CHECKING:
    from concurrent.futures import Future

Shard = tuple[int, int]
"""The first item and the one behind the last, in the order of the dataset's items."""

SMALLEST, LARGEST = 16, 256
"""Items of a shard."""
SHARDS = 64
"""How many shards there are at most before they grow beyond the smallest."""
AHEAD = 2
"""Shards for each worker that are given out before the first of them is taken."""
LIVES = 3
"""How often a pool is begun anew after a worker's end that nobody asked for."""

R = TypeVar("R")


Engine = Literal["processes", "ray"]
"""What runs shards: processes of this machine, or a Ray cluster."""


class Pool(Protocol):
    """Runs a function over shards."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """What `run` gives for each shard, in order.  It may run in another process, of another machine too: what it
        is bound to pickles as how it was made, and what it gives pickles."""
        ...


def shards_of(items: int) -> list[Shard]:
    """The shards of so many items: the same whatever the number of workers."""
    size = max(SMALLEST, min(LARGEST, items // SHARDS))
    return [(first, min(first + size, items)) for first in range(0, items, size)]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pool_of(
    workers: int | None, engine: Engine = "processes", address: str | None = None
) -> AbstractContextManager[Pool]:
    """A pool of so many workers, by default one for each core.  Raises CannotRunError where there is no such engine."""
    if engine == "ray":
        from formatspec.run.cluster import cluster

        return cluster(workers, address)
    if address is not None:
        raise CannotRunError(f"--address {address} goes with --engine ray")
    count = cores() if workers is None else workers
    return nullcontext(Processes(count) if count > 1 and hasattr(os, "fork") else Alone())


class Alone:
    """This process, one shard after another."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        return map(run, shards)


class Processes:
    """Copies of this process: what it has opened they have too, so that only shards and what comes of them travel."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        if len(shards) < 2:
            yield from map(run, shards)
            return
        from concurrent.futures.process import BrokenProcessPool

        done, lives = 0, LIVES
        while done < len(shards):
            try:
                for result in self._round(run, shards[done:]):
                    yield result
                    done += 1
            except BrokenProcessPool:
                lives -= 1
                if not lives:
                    raise WorkerLostError(
                        "worker processes were ended from outside, perhaps for lack of memory: try --workers 1"
                    ) from None

    def _round(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        global _run
        _run = run
        gc.collect()
        gc.freeze()  # so that collecting in a copy does not touch, and thereby double, what it shares
        workers = min(self.workers, len(shards))
        ends = os.pipe()
        try:
            with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _end_with_parent, ends) as pool:
                waiting: deque[Future[R]] = deque()
                coming = iter(shards)
                try:
                    for shard in coming:
                        waiting.append(pool.submit(_work, shard))
                        if len(waiting) >= AHEAD * workers:
                            yield waiting.popleft().result()
                    while waiting:
                        yield waiting.popleft().result()
                finally:
                    pool.shutdown(wait=True, cancel_futures=True)  # so that nobody writes once the output is deleted
        finally:
            for end in ends:
                os.close(end)
            gc.unfreeze()
            _run = None


_run: Callable[[Shard], Any] | None = None


def _end_with_parent(read: int, write: int) -> None:
    """End this worker when its parent is killed: only the parent keeps the other end of the pipe open."""
    os.close(write)

    def wait() -> None:
        os.read(read, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _work(shard: Shard) -> Any:
    assert _run is not None
    return _run(shard)
