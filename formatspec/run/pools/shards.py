"""Shards: ranges of items that are worked on together, and what a pool that runs them must offer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

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


class Pool(Protocol):
    """Runs a function over shards."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """What `run` gives for each shard, in the order of the shards.

        `run` may be called in another process, also on another machine. It must pickle as how it was made, and what it
        gives must pickle.
        """
        ...


def shards_of(items: int) -> list[Shard]:
    """The shards of so many items: the same whatever the number of workers."""
    size = max(SMALLEST, min(LARGEST, items // SHARDS))
    return [(first, min(first + size, items)) for first in range(0, items, size)]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
