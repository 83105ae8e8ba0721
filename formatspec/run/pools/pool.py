"""Chooses the pool that runs shards."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

from formatspec.run.errors import CannotRunError
from formatspec.run.pools.shards import Pool, cores
from formatspec.run.pools.workers import Alone, Processes

Engine = Literal["processes", "ray"]
"""What runs shards: processes of this machine, or a Ray cluster."""


def pool_of(
    workers: int | None, engine: Engine = "processes", address: str | None = None
) -> AbstractContextManager[Pool]:
    """Return a pool of workers, by default one for each core. Raises CannotRunError for an unknown engine."""
    if engine == "ray":
        from formatspec.run.pools.cluster import cluster

        return cluster(workers, address)
    if address is not None:
        raise CannotRunError(f"--address {address} goes with --engine ray")
    count = cores() if workers is None else workers
    return nullcontext(Processes(count) if count > 1 and hasattr(os, "fork") else Alone())
