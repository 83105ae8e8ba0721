"""Runs shards in this process or in forked copies of it; results come in the order of the shards."""

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
    """Runs one shard after another in this process."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """Yield the result of `run` for each shard, computed when it is asked for."""
        return map(run, shards)


class Processes:
    """Runs shards in forked copies of this process.

    They share what was opened before, so only shards and results are pickled.
    """

    def __init__(self, workers: int) -> None:
        """Take how many processes work at once."""
        self.workers = workers

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """Yield the results of `run` in the order of the shards; see `Pool.map`.

        Raises:
            CannotRunError: Workers die again and again.
        """
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
        gc.freeze()  # so that garbage collection in a copy does not touch, and thereby duplicate, shared memory
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
                    pool.shutdown(wait=True, cancel_futures=True)  # no worker writes after the output is deleted
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
