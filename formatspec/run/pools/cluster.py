"""Runs shards on a Ray cluster, or on a Ray of this machine."""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

from formatspec._version import __version__
from formatspec.run.errors import CannotRunError, WorkerLostError
from formatspec.run.pools.shards import AHEAD, LIVES, Shard, cores

OBJECT_STORE = 256 * 1024**2
"""Bytes of shared memory that a Ray of this machine uses for results; more results go to disk."""

PATIENCE = 5.0
"""Seconds within which a cluster must answer; Ray itself would try for minutes."""

R = TypeVar("R")


class Cluster:
    """Runs shards as tasks of a Ray cluster.

    The function is pickled and sent once, and each worker unpickles it once; a dataset is then opened again from the
    same listing. A shard whose worker is lost is given to another worker.

    Attributes:
        ray: The module `ray`, connected.
        most: The most shards that run at once; None for as many as the cluster has cores.
    """

    def __init__(self, ray: Any, most: int | None) -> None:
        """Take the connected module and the limit; see the class."""
        self.ray = ray
        self.most = most

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """Yield the results of `run` in the order of the shards; see `Pool.map`.

        Raises:
            CannotRunError: Workers are lost again and again.
        """
        if len(shards) < 2:
            yield from map(run, shards)
            return
        ray = self.ray
        work = ray.remote(num_cpus=1, max_retries=LIVES - 1)(_work)
        task, name = [ray.put(pickle.dumps(run))], uuid4().hex
        waiting: deque[Any] = deque()
        coming = iter(shards)
        try:
            for shard in coming:
                waiting.append(work.remote(__version__, name, task, shard))
                if len(waiting) >= self._room():
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for one in waiting:
                ray.cancel(one, force=True)
            if waiting:
                ray.wait(list(waiting), num_returns=len(waiting))

    def _room(self) -> int:
        """Return how many shards are given out at once.

        There are more than cores, so that no worker waits for its next shard, unless `most` limits them. The cores are
        counted at each call, so that machines that join the cluster get shards too.
        """
        return self.most or AHEAD * max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def _result(self, one: Any) -> Any:
        from ray.exceptions import RayError, RayTaskError

        try:
            return self.ray.get(one)
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except RayError as error:
            raise WorkerLostError(f"workers of the cluster were lost again and again: {_first_line(error)}") from None


@contextmanager
def cluster(workers: int | None, address: str | None) -> Iterator[Cluster]:
    """Return a pool on the Ray at an address, or on a Ray of this machine that ends with the block.

    Without an address, the one in the environment variable RAY_ADDRESS is used. Raises CannotRunError.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise CannotRunError("--engine ray needs Ray: pip install 'formatspec[ray]'") from None
    if ray.is_initialized():
        yield Cluster(ray, workers)
        return
    place = address or os.environ.get("RAY_ADDRESS") or "local"
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if place == "local":
            ray.init(
                "local", num_cpus=workers or cores(), include_dashboard=False, object_store_memory=OBJECT_STORE,
                _node_ip_address="127.0.0.1", **quiet,
            )  # fmt: skip
        else:
            _reach(place)
            ray.init(place, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise CannotRunError(f"there is no Ray at {place}: {_first_line(error)}") from None
    try:
        yield Cluster(ray, None if place == "local" else workers)  # such a Ray has no more cores than workers
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Check that something answers at HOST:PORT. Raises OSError."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


_opened: dict[str, Callable[[Shard], Any]] = {}
"""The function that this worker runs: the last one that it was given."""


def _work(version: str, name: str, task: list[Any], shard: Shard) -> Any:
    if version != __version__:
        raise CannotRunError(
            f"a machine of the cluster has formatspec {__version__}, this one {version}: install the same"
        )
    if name not in _opened:
        import ray

        _opened.clear()
        _opened[name] = pickle.loads(ray.get(task[0]))
    return _opened[name](shard)
