"""Assigns groups of items to subsets: by a hash of the name, or so that classes are spread evenly."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

ROUNDS = 12
"""How many passes `stratified` makes over classes that are not spread evenly."""
TRIED = 256
"""How many partners are tried for swapping one group with another."""


class Unit(NamedTuple):
    """Items that stay together: how many they are, and how many of them show each class."""

    name: str
    items: int
    classes: Mapping[str, int]


Ratios = Mapping[str, float]
"""The subsets in order, and the share of the items for each; together 1."""


def shares(ratios: Ratios) -> dict[str, float]:
    """Return the ratios scaled to a sum of 1: 8, 1 and 1 become 0.8, 0.1 and 0.1.

    Raises:
        TypeError: The ratios are no mapping of names to numbers.
        ValueError: A ratio is negative, none is greater than 0, or a name is empty.
    """
    given: Any = ratios
    if not isinstance(given, Mapping):
        raise TypeError(f"ratios are subsets and their parts, {{'train': 0.8, 'val': 0.2}}, not {given!r}")
    for name, part in given.items():
        if not isinstance(name, str) or isinstance(part, bool) or not isinstance(part, Real):
            raise TypeError(f"a ratio is the name of a subset and a number, not {name!r}: {part!r}")
        if not name:
            raise ValueError("a ratio is of a subset with no name; name each subset")
    bad = [name for name, part in ratios.items() if not 0 <= part < float("inf")]
    if bad:
        raise ValueError(f"the ratio of {bad[0]!r} is {ratios[bad[0]]}; a ratio is a number from 0")
    whole = sum(ratios.values())
    if not whole:
        raise ValueError("no ratio is greater than 0; name subsets and their parts: train=0.8,val=0.1,test=0.1")
    return {name: part / whole for name, part in ratios.items() if part}


def by_hash(name: str, ratios: Ratios, seed: int) -> str:
    """Return the subset of a group, which depends only on its name and the seed, not on other groups."""
    number = int.from_bytes(hashlib.blake2b(f"{seed}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest())
    place, end = number / 2**64, 0.0
    for subset, part in ratios.items():
        end += part
        if place < end:
            return subset
    return list(ratios)[-1]


def stratified(units: Sequence[Unit], ratios: Ratios, seed: int, kept: Mapping[str, str]) -> dict[str, str]:
    """Return the subsets of all groups, so that the items of each class are spread by the ratios.

    The rarest class is dealt first, each of its groups to the subset that lacks most of the class. Then groups are
    moved and swapped while a class has an item too many or too few somewhere. If each group is one item of one class,
    each class and the whole end within one item of their ratios. If items show several classes, this may be impossible;
    `deviations` lists what remains.

    Args:
        units: All groups.
        ratios: The shares of the subsets, together 1.
        seed: Decides among equals.
        kept: The subsets of groups that stay where they are, even if `ratios` does not name them.
    """
    units = sorted(units, key=lambda unit: _order(unit.name, seed))
    ledger = _Ledger(units, ratios)
    free: dict[str, Unit] = {}
    for unit in units:
        if unit.name in kept:
            ledger.put(unit, kept[unit.name])
        else:
            free[unit.name] = unit
    _deal(free, ledger)
    _mend(list(free.values()), ledger)
    return ledger.where


def deviations(units: Iterable[Unit], where: Mapping[str, str], ratios: Ratios) -> list[tuple[str, str, int, float]]:
    """Return the classes that miss their ratio by an item or more: class, subset, items there, items expected."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    totals: dict[str, int] = defaultdict(int)
    for unit in units:
        for name, count in unit.classes.items():
            counts[name, where[unit.name]] += count
            totals[name] += count
    found = [
        (name, subset, counts[name, subset], part * total)
        for name, total in totals.items()
        for subset, part in ratios.items()
        if abs(counts[name, subset] - part * total) >= 1
    ]
    return sorted(found, key=lambda one: (-abs(one[2] - one[3]), one[0], one[1]))


ALL = ""
"""Stands among the classes for every item, so that the whole is spread like a class."""


class _Ledger:
    """How many more items of each class each subset should get."""

    def __init__(self, units: Iterable[Unit], ratios: Ratios) -> None:
        self.subsets = list(ratios)
        self.where: dict[str, str] = {}
        totals: dict[str, int] = defaultdict(int)
        for unit in units:
            for name, count in _counts(unit):
                totals[name] += count
        self.lacks = {name: {subset: part * total for subset, part in ratios.items()} for name, total in totals.items()}

    def put(self, unit: Unit, subset: str) -> None:
        """Put a group into a subset, and remove it from its former one."""
        before = self.where.get(unit.name)
        for name, count in _counts(unit):
            lacks = self.lacks[name]
            if before in lacks:
                lacks[before] += count
            if subset in lacks:
                lacks[subset] -= count
        self.where[unit.name] = subset

    def wrong(self, names: Iterable[str]) -> float:
        """Return how far classes are off by more than an item; smaller deviations count a little."""
        return sum(
            max(0.0, abs(lack) - 0.999) + 1e-4 * abs(lack) for name in names for lack in self.lacks[name].values()
        )


def _counts(unit: Unit) -> Iterable[tuple[str, int]]:
    return ((ALL, unit.items), *unit.classes.items())


def _order(name: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _deal(free: Mapping[str, Unit], ledger: _Ledger) -> None:
    """Assign every group to a subset; groups of the class with the fewest remaining items come first."""
    having: dict[str, list[str]] = defaultdict(list)
    left: dict[str, int] = defaultdict(int)
    for unit in free.values():
        for name, count in unit.classes.items() or ((ALL, unit.items),):
            having[name].append(unit.name)
            left[name] += count
    coming = [(count, name) for name, count in left.items()]
    heapq.heapify(coming)
    waiting = set(free)
    while coming:
        count, rarest = heapq.heappop(coming)
        if count != left[rarest]:  # an outdated entry: the class is listed again with fewer items
            continue
        names = sorted((name for name in having[rarest] if name in waiting),
                       key=lambda name: -free[name].classes.get(rarest, free[name].items))  # fmt: skip
        touched = set()
        for name in names:
            unit = free[name]
            ledger.put(unit, max(ledger.subsets, key=lambda subset: _need(ledger, unit, rarest, subset)))
            waiting.discard(name)
            for other, number in unit.classes.items():
                left[other] -= number
                touched.add(other)
        for other in touched - {rarest}:
            if left[other] > 0:
                heapq.heappush(coming, (left[other], other))


def _need(ledger: _Ledger, unit: Unit, rarest: str, subset: str) -> tuple[float, float, float]:
    """Return how much a subset lacks of a group's rarest class, of its other classes, and of all items."""
    others = sum(ledger.lacks[name][subset] for name in unit.classes if name != rarest)
    return round(ledger.lacks[rarest][subset], 9), round(others, 9), round(ledger.lacks[ALL][subset], 9)


def _mend(units: Sequence[Unit], ledger: _Ledger) -> None:
    """Move and swap groups between subsets as long as that brings classes nearer to their ratios."""
    for _ in range(ROUNDS):
        off = [name for name, lacks in ledger.lacks.items() if any(abs(lack) >= 1 for lack in lacks.values())]
        if not sum(_mended(name, units, ledger) for name in off):
            return


def _mended(name: str, units: Sequence[Unit], ledger: _Ledger) -> bool:
    """Move groups with a class out of subsets that have too many of it; return whether any was moved."""
    done = False
    for unit in units:
        lacks = ledger.lacks[name]
        if all(abs(lack) < 1 for lack in lacks.values()):
            break
        if name != ALL and name not in unit.classes:
            continue
        here = ledger.where[unit.name]
        least = min(lacks, key=lambda subset: lacks[subset])
        most = max(lacks, key=lambda subset: lacks[subset])
        if here == least or lacks[here] <= -1:
            done |= _moved(unit, most, units, ledger, name)
    return done


def _moved(unit: Unit, there: str, units: Sequence[Unit], ledger: _Ledger, name: str) -> bool:
    """Move a group to another subset, or swap it with a group there, if that is better; return whether it was."""
    here = ledger.where[unit.name]
    if here == there or here not in ledger.lacks[ALL]:
        return False
    touched = {ALL, *unit.classes}
    before = ledger.wrong(touched)
    ledger.put(unit, there)
    if ledger.wrong(touched) < before - 1e-9:
        return True
    tried = 0
    for other in units:
        if tried == TRIED:
            break
        if ledger.where[other.name] != there or other is unit or (name != ALL and name in other.classes):
            continue
        tried += 1
        more = touched | set(other.classes)
        before_both = before + ledger.wrong(more - touched)
        ledger.put(other, here)
        if ledger.wrong(more) < before_both - 1e-9:
            return True
        ledger.put(other, there)
    ledger.put(unit, here)
    return False
