"""Pixel values that give the order of records, and the record that each of them means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.language.leaf import Bind
from formatspec.language.rules import TableRule


def spread_of(tables: Sequence[TableRule]) -> Callable[[int, int], int | None]:
    """Return a function that gives the pixel value of rank k out of n."""
    for table in tables:
        for one in table.row.fields:
            leaf = one.rule.leaf
            if isinstance(leaf, Bind) and leaf.names == ("rank",):
                return partial(_spelled_rank, build(leaf, ["json"], 1, False, one.place))
    return lambda rank, count: None


def _spelled_rank(chain: Chain, rank: int, count: int) -> int | None:
    try:
        return int(chain.encode((rank, count), Env()))
    except UnfitError:
        return None
