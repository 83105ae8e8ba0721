"""Shards, which are ranges of items that are processed together, and the interface of pools that run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Shard = tuple[int, int]
"""The first item and the one after the last, in the order of the dataset's items."""

SMALLEST, LARGEST = 16, 256
"""The fewest and the most items of a shard."""
SHARDS = 64
"""How many shards there may be before shards grow beyond the smallest size."""
AHEAD = 2
"""How many shards each worker is given before the first result is taken."""
LIVES = 3
"""How often a pool is started again after a worker died."""

R = TypeVar("R")


class Pool(Protocol):
    """Runs a function over shards."""

    def map(self, run: Callable[[Shard], R], shards: Sequence[Shard]) -> Iterator[R]:
        """Yield the results of `run` in the order of the shards.

        `run` may be called in another process, also on another machine. It must pickle as the way it was made, and its
        results must pickle.
        """
        ...


def shards_of(items: int) -> list[Shard]:
    """Return the shards for a number of items: the same ones for any number of workers."""
    size = max(SMALLEST, min(LARGEST, items // SHARDS))
    return [(first, min(first + size, items)) for first in range(0, items, size)]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
