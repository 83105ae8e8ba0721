"""Numbers in a label image that order records: which record each of them means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from formatspec.codecs.registry import Env, Unfit
from formatspec.engine.chain import Chain, build
from formatspec.language.leaf import Bind
from formatspec.language.rules import LeafRule, MapRule, TableRule


class Ranks(msgspec.Struct, frozen=True):
    """The numbers of a file that order records, sorted; `spread` gives the number of rank k of n."""

    numbers: tuple[int, ...]
    spread: Callable[[int, int], int | None]

    def place(self, number: Any, count: int) -> int | None:
        """Which of `count` records a number means, from 0; None where it cannot be told.

        Where there are as many numbers as records, they go in order; else a number means the record whose rank is
        spelled so, as long as all are.
        """
        if number not in self.numbers:
            return None
        if len(self.numbers) == count:
            return self.numbers.index(number)
        spelled = [self.spread(rank, count) for rank in range(1, count + 1)]
        return spelled.index(number) if set(self.numbers) <= set(spelled) else None


def spread_of(tables: Sequence[TableRule]) -> Callable[[int, int], int | None]:
    """How the rank k of n is spelled in a pixel's channel."""
    for table in tables:
        for one in table.row.fields if isinstance(table.row, MapRule) else ():
            leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
            if isinstance(leaf, Bind) and leaf.names == ("rank",):
                return partial(_spelled_rank, build(leaf, ["json"], 1, False, one.place))
    return lambda rank, count: None


def _spelled_rank(chain: Chain, rank: int, count: int) -> int | None:
    try:
        return int(chain.encode((rank, count), Env()))
    except Unfit:
        return None
