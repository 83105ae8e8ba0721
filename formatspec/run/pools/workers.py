"""Shards worked on by this process or by copies of it; results come in the order of the shards."""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from formatspec.run.errors import WorkerLostError
from formatspec.run.pools.shards import AHEAD, LIVES, R, Shard

if TYPE_CHECKING:
    from concurrent.futures import Future


class Alone:
    """This process, one shard after another."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """What `run` gives for each shard, one after another, as it is asked for."""
        return map(run, shards)


class Processes:
    """Forked copies of this process.

    They share what was opened before, so that only shards and results are pickled.
    """

    def __init__(self, workers: int) -> None:
        """Take how many processes work at once."""
        self.workers = workers

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """What `run` gives for each shard, in order; see `Pool.map`.  Raises CannotRunError where workers die."""
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
