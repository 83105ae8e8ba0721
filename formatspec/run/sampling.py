"""Chooses items by subset, by step and by number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_item import subsets_of
from formatspec.language.errors import Problem, SpecError, suggest


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """The selection: the items of some subsets, every N-th of these, and the first few of these.

    Attributes:
        subsets: The names of the subsets; empty for all items.
        every: The step; 1 for each item.
        limit: The most items; None for all.
    """

    subsets: tuple[str, ...] = ()
    every: int = 1
    limit: int | None = None


def sampling(subset: str | Sequence[str] | None = None, every: int = 1, limit: int | None = None) -> Sampling:
    """Return a selection from the arguments of the Python interface.

    Raises:
        TypeError: `every` or `limit` is not an integer.
        ValueError: `every` is less than 1, or `limit` less than 0.
    """
    for name, number in (("every", every), ("limit", limit)):
        if number is not None and (isinstance(number, bool) or not hasattr(number, "__index__")):
            raise TypeError(f"{name} is a whole number, not {number!r}")
    if every < 1:
        raise ValueError(f"every is a number from 1, not {every}")
    if limit is not None and limit < 0:
        raise ValueError(f"limit is a number of items, not {limit}")
    names = () if subset is None else (subset,) if isinstance(subset, str) else tuple(subset)
    return Sampling(subsets=names, every=every, limit=limit)


def places_of(
    dataset: OpenDataset, asked: Sampling, keys: Collection[str] | None = None
) -> Sequence[int] | None:  # fmt: skip
    """Return the positions of the selected items, in order; None if all items are selected.

    Items are read only if neither their paths nor the lists that name them give their subsets.

    Args:
        dataset: The dataset.
        asked: The selection.
        keys: The keys of the only items to choose from; None for all.

    Raises:
        SpecError: No item is in one of the subsets.
    """
    if asked == Sampling() and keys is None:
        return None
    places: Sequence[int] = range(len(dataset))
    if keys is not None:
        places = [place for place, entry in enumerate(dataset.entries) if entry.key in keys]
    if asked.subsets:
        wanted, met = set(asked.subsets), set[str]()
        chosen = []
        for place, subsets in _subsets(dataset, places):
            met.update(subsets)
            if not wanted.isdisjoint(subsets):
                chosen.append(place)
        for name in asked.subsets:
            if name not in met:
                hint = suggest(name, sorted(met)) or "it has none"
                raise SpecError((Problem(f"the dataset has no subset {name!r}", None, hint=hint),))
        places = chosen
    return places[:: asked.every][: asked.limit]


def _subsets(dataset: OpenDataset, places: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for place in places:
        told = subsets_of(dataset.form, dataset.entries[place])
        if not told and (item := dataset.read_at(place).item) is not None:
            told = item.subsets
        yield place, tuple(map(str, told))
