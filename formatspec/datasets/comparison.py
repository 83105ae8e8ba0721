"""Compares two datasets of the same images: matches objects one to one, and finds what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from formatspec.datasets.text_table import aligned
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.findings.render import amount
from formatspec.model import derive
from formatspec.model.records import Area, Item, Object
from formatspec.model.region import Region

Floats = npt.NDArray[np.float64]
MATCHED = 0.5
"""Intersection over union from which two objects count as one."""
MOVED = 0.5
"""How many pixels a side of a box must differ to count as another box."""
SAME = 1 - 1e-6
"""Intersection over union from which two masks count as equal."""
RENAMED, REMOVED, ADDED, BOX, MASK = "class", "removed", "added", "box", "mask"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between two datasets.

    Attributes:
        kind: `class` (another class), `removed` (only in the first), `added` (only in the second), `box` or `mask`
            (another place or shape).
        iou: Intersection over union of the two; None if there is only one.
    """

    kind: str
    item: str
    first: str = ""
    second: str = ""
    iou: float | None = None
    box: tuple[float, ...] | None = None

    def __str__(self) -> str:
        """Return one line: the item, what differs, and the box (x, y, width, height) if there is one."""
        where = "" if self.box is None else " at " + ", ".join(f"{value:.6g}" for value in self.box)
        if self.kind == RENAMED:
            return f"{self.item}: {self.first or 'no class'} is {self.second or 'no class'}{where}"
        if self.kind in (REMOVED, ADDED):
            return f"{self.item}: {self.kind}: {self.first or self.second or 'an object without class'}{where}"
        return f"{self.item}: the {self.kind} of {self.first or 'an object'} differs (IoU {self.iou:.3f}){where}"


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How two datasets agree on a class.

    Attributes:
        mean_iou: Of matched objects of this class; None if there are none.
        f1: Of objects that match and have this class in both.
        pixel_iou: Of the pixels of this class, if masks of classes were compared.
    """

    name: str
    matched: int
    only_first: int
    only_second: int
    mean_iou: float | None = None
    f1: float | None = None
    pixel_iou: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What two datasets have in common, and where they differ.

    Attributes:
        confusion: How often an object of one class has another class in the second dataset; only where they differ.
        kappa: Cohen's kappa over the classes of matched objects; None if nothing is compared, or all is of one class.
        pixel_kappa: The same over pixels.
    """

    items: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    matched: int
    changes: tuple[Change, ...]
    classes: tuple[Agreement, ...]
    confusion: tuple[tuple[str, str, int], ...]
    kappa: float | None = None
    pixel_kappa: float | None = None

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.changes and not self.only_first and not self.only_second

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as one plain object."""
        return {"version": 1, "same": self.same, **msgspec.to_builtins(self)}


def compare(
    first: Iterable[Item], second: Iterable[str], read: Callable[[str], Item | None], threshold: float = MATCHED
) -> Comparison:
    """Compare the items of two datasets that have the same images.

    Args:
        first: The items of the first dataset.
        second: The keys of the second's items. Keys that the second lacks are sought by their last part, if it is
            unique in both.
        read: Gives an item of the second by its key; None if it is invalid.
        threshold: Intersection over union from which two objects are one.
    """
    tally = _Tally(threshold)
    rest = set(second)
    by_name = unique_by_name(rest)
    lacking: list[str] = []
    for item in first:
        key = item.key if item.key in rest else by_name.get(_name(item.key), "")
        if key not in rest:
            lacking.append(item.key)
            continue
        rest.remove(key)
        twin = read(key)
        if twin is None:
            lacking.append(item.key)
            continue
        tally.add(item, twin)
    return tally.result(tuple(lacking), tuple(sorted(rest)))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def unique_by_name(keys: Iterable[str]) -> dict[str, str]:
    """Map the last part of each key to the key, leaving out last parts that several keys share."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[_name(key)].append(key)
    return {name: same[0] for name, same in found.items() if len(same) == 1}


class _Tally:
    """The counts of a comparison, which grow with each pair of items."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.items = 0
        self.changes: list[Change] = []
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.pixels: Counter[tuple[str, str]] = Counter()
        self.ious: dict[str, list[float]] = defaultdict(list)
        self.only: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def add(self, one: Item, other: Item) -> None:
        self.items += 1
        pairs, left, right = matched(one, other, self.threshold)
        for thing, twin, iou in pairs:
            names = _class_of(thing), _class_of(twin)
            self.pairs[names] += 1
            if names[0] == names[1]:
                self.ious[names[0]].append(iou)
            self.changes += _changes(one.key, thing, twin, iou, names)
        for side, (things, kind) in enumerate(((left, REMOVED), (right, ADDED))):
            for thing in things:
                name = _class_of(thing)
                self.only[side][name] += 1
                first, second = (name, "") if side == 0 else ("", name)
                self.changes.append(Change(kind=kind, item=one.key, first=first, second=second, box=derive.bbox(thing)))
        self.changes += _label_changes(one, other)
        self._add_areas(one, other)

    def _add_areas(self, one: Item, other: Item) -> None:
        if not one.areas and not other.areas:
            return
        ours, theirs = _by_class(one.areas), _by_class(other.areas)
        for name in sorted({*ours, *theirs}):
            mine, yours = ours.get(name), theirs.get(name)
            if mine is None or yours is None:
                is_new = mine is None
                self.changes.append(
                    Change(kind=ADDED if is_new else REMOVED, item=one.key, first="" if is_new else name,
                           second=name if is_new else "")
                )  # fmt: skip
            elif mine != yours:
                iou = mine.iou(yours) if (mine.height, mine.width) == (yours.height, yours.width) else 0.0
                self.changes.append(Change(kind=MASK, item=one.key, first=name, second=name, iou=iou))
        sizes = {(region.height, region.width) for region in (*ours.values(), *theirs.values())}
        if len(sizes) == 1:
            self._add_pixels(ours, theirs, *sizes.pop())

    def _add_pixels(self, ours: Mapping[str, Region], theirs: Mapping[str, Region], height: int, width: int) -> None:
        whole = Region.empty(height, width)
        for mine, region in ours.items():
            whole, rest = whole | region, region.area
            for yours, other in theirs.items():
                shared = (region & other).area
                self.pixels[mine, yours] += shared
                rest -= shared
            self.pixels[mine, ""] += rest
        for yours, other in theirs.items():
            whole = whole | other
            self.pixels["", yours] += other.area - sum((region & other).area for region in ours.values())
        self.pixels["", ""] += height * width - whole.area

    def result(self, only_first: tuple[str, ...], only_second: tuple[str, ...]) -> Comparison:
        names = {name for pair in self.pairs for name in pair} | {*self.only[0], *self.only[1]}
        names |= {name for pair in self.pixels for name in pair if name}
        confusion = sorted(
            ((*pair, count) for pair, count in self.pairs.items() if pair[0] != pair[1]),
            key=lambda one: (-one[2], one[:2]),
        )
        return Comparison(
            items=self.items, only_first=only_first, only_second=only_second, matched=sum(self.pairs.values()),
            changes=tuple(self.changes), classes=tuple(self._agreement(name) for name in sorted(names)),
            confusion=tuple(confusion), kappa=kappa(self.pairs), pixel_kappa=kappa(self.pixels),
        )  # fmt: skip

    def _agreement(self, name: str) -> Agreement:
        same = self.pairs[name, name]
        first = sum(count for pair, count in self.pairs.items() if pair[0] == name) + self.only[0][name]
        second = sum(count for pair, count in self.pairs.items() if pair[1] == name) + self.only[1][name]
        ious = self.ious.get(name)
        here = sum(count for pair, count in self.pixels.items() if name in pair)
        return Agreement(
            name=name, matched=same, only_first=first - same, only_second=second - same,
            mean_iou=sum(ious) / len(ious) if ious else None,
            f1=2 * same / (first + second) if first + second else None,
            pixel_iou=self.pixels[name, name] / here if here else None,
        )  # fmt: skip


def kappa(pairs: Mapping[tuple[str, str], int]) -> float | None:
    """Return Cohen's kappa of two raters, from how often each gave which class (J. Cohen, 1960).

    The result is None if there are no pairs, or if both gave only one class, so that they agree by chance.
    """
    total = sum(pairs.values())
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for (mine, yours), count in pairs.items():
        ours[mine] += count
        theirs[yours] += count
    chance = sum(ours[name] * theirs[name] for name in ours) / (total * total) if total else 1.0
    if chance >= 1.0:
        return None
    agreed = sum(count for (mine, yours), count in pairs.items() if mine == yours) / total
    return (agreed - chance) / (1 - chance)


def matched(
    one: Item, other: Item, threshold: float
) -> tuple[list[tuple[Object, Object, float]], list[Object], list[Object]]:
    """Match objects of two items one to one; return the pairs, and the objects of each that match no other.

    Pairs with the greatest intersection over union come first, and among equals those of one class. Masks are compared
    if both have one, otherwise boxes.
    """
    pairs, ours, theirs = _alike(list(one.objects), list(other.objects))
    table = overlaps(ours, theirs, _size(one) or _size(other))
    of_a_class = np.array([[_class_of(a) == _class_of(b) for b in theirs] for a in ours], bool).reshape(table.shape)
    rows, columns = np.nonzero(table >= threshold)
    order = np.lexsort((columns, rows, ~of_a_class[rows, columns], -np.round(table[rows, columns], 9)))
    used: tuple[set[int], set[int]] = (set(), set())
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in used[0] and column not in used[1]:
            used[0].add(row)
            used[1].add(column)
            pairs.append((ours[row], theirs[column], float(table[row, column])))
    return (
        pairs,
        [thing for place, thing in enumerate(ours) if place not in used[0]],
        [thing for place, thing in enumerate(theirs) if place not in used[1]],
    )


def _alike(
    ours: list[Object], theirs: list[Object]
) -> tuple[list[tuple[Object, Object, float]], list[Object], list[Object]]:
    """Pair objects with the same geometry, those of one class first; return the pairs and the rest."""
    pairs: list[tuple[Object, Object, float]] = []
    for of_a_class in (True, False):
        waiting: dict[Any, list[Object]] = defaultdict(list)
        for thing in reversed(theirs):
            waiting[_geometry(thing, of_a_class)].append(thing)
        left: list[Object] = []
        taken: set[int] = set()
        for thing in ours:
            twins = waiting.get(_geometry(thing, of_a_class))
            if twins and derive.bbox(thing) is not None:
                twin = twins.pop()
                taken.add(id(twin))
                pairs.append((thing, twin, 1.0))
            else:
                left.append(thing)
        ours, theirs = left, [thing for thing in theirs if id(thing) not in taken]
    return pairs, ours, theirs


def _geometry(thing: Object, with_class: bool) -> Any:
    shape = (thing.bbox, thing.polygons, thing.region, thing.rotated, thing.keypoints, thing.polyline, thing.circle,
             thing.ellipse)  # fmt: skip
    return (_class_of(thing), shape) if with_class else shape


def overlaps(ours: Sequence[Object], theirs: Sequence[Object], size: tuple[int, int] | None) -> Floats:
    """Return the intersection over union of each object with each other, as an array (len(ours), len(theirs)).

    `size` is height and width of the image, for outlines that are compared as masks; None if unknown.
    """
    table = box_overlaps(_boxes(ours), _boxes(theirs))
    known: dict[int, Region | None] = {}

    def shape(thing: Object) -> Region | None:
        if id(thing) not in known:
            known[id(thing)] = derive.mask_region(thing, size) if _has_shape(thing, size) else None
        return known[id(thing)]

    for row, column in zip(*np.nonzero(table > 0), strict=True):
        one, other = ours[row], theirs[column]
        mine, yours = shape(one), shape(other)
        if mine is not None and yours is not None and (mine.height, mine.width) == (yours.height, yours.width):
            table[row, column] = 1.0 if mine == yours and mine else mine.iou(yours)
    return table


def box_overlaps(ours: Floats, theirs: Floats) -> Floats:
    """Return the intersection over union of every box of one list with every box of another.

    Boxes without area have an overlap of 1 with equal boxes, and of 0 with all others.

    Args:
        ours: Shape (n, 4), float64: x, y, width, height in pixels.
        theirs: Shape (m, 4), in the same form.

    Returns:
        Shape (n, m), float64, from 0 to 1.
    """
    left = np.maximum(ours[:, None, 0], theirs[None, :, 0])
    top = np.maximum(ours[:, None, 1], theirs[None, :, 1])
    right = np.minimum((ours[:, 0] + ours[:, 2])[:, None], (theirs[:, 0] + theirs[:, 2])[None])
    bottom = np.minimum((ours[:, 1] + ours[:, 3])[:, None], (theirs[:, 1] + theirs[:, 3])[None])
    shared = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    whole = (ours[:, 2] * ours[:, 3])[:, None] + (theirs[:, 2] * theirs[:, 3])[None] - shared
    table: Floats = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    table[(ours[:, None] == theirs[None]).all(axis=2)] = 1.0
    return table


def _boxes(things: Sequence[Object]) -> Floats:
    nowhere = (np.nan,) * 4
    return np.array([derive.bbox(thing) or nowhere for thing in things], np.float64).reshape(len(things), 4)


def _has_shape(thing: Object, size: tuple[int, int] | None) -> bool:
    return thing.region is not None or (size is not None and bool(thing.polygons or thing.rotated))


def _size(item: Item) -> tuple[int, int] | None:
    image = item.image
    return (image.height, image.width) if image is not None and image.height and image.width else None


def _changes(key: str, thing: Object, twin: Object, iou: float, names: tuple[str, str]) -> Iterator[Change]:
    """Yield how two matched objects differ: in class, mask or box; a box that follows from a mask is not named."""
    box = derive.bbox(thing)
    if names[0] != names[1]:
        yield Change(kind=RENAMED, item=key, first=names[0], second=names[1], iou=iou, box=box)
    have_masks = all(one.region is not None or one.polygons or one.rotated for one in (thing, twin))
    if have_masks and iou < SAME:
        yield Change(kind=MASK, item=key, first=names[0], second=names[1], iou=iou, box=box)
        return
    yours = derive.bbox(twin)
    if box and yours and any(abs(a - b) > MOVED for a, b in zip(box, yours, strict=True)):
        yield Change(kind=BOX, item=key, first=names[0], second=names[1], iou=iou, box=box)


def _label_changes(one: Item, other: Item) -> Iterator[Change]:
    ours = Counter((_class_of(label), label.state) for label in one.labels)
    theirs = Counter((_class_of(label), label.state) for label in other.labels)
    for name, _ in (ours - theirs).elements():
        yield Change(kind=REMOVED, item=one.key, first=f"label {name}")
    for name, _ in (theirs - ours).elements():
        yield Change(kind=ADDED, item=one.key, second=f"label {name}")


def _by_class(areas: Sequence[Area]) -> dict[str, Region]:
    found: dict[str, Region] = {}
    for area in areas:
        name = _class_of(area)
        found[name] = found[name] | area.region if name in found else area.region
    return found


def _class_of(record: Any) -> str:
    return "" if record.category is None else spoken(record.category)


def lines(found: Comparison, shown: int = 50) -> list[str]:
    """Return the comparison as text, with at most `shown` changes."""
    told = [f"{amount(found.items, 'item')} in both, {amount(found.matched, 'object')} matched"]
    for which, keys in (("first", found.only_first), ("second", found.only_second)):
        if keys:
            more = f" and {len(keys) - 5:,} more" if len(keys) > 5 else ""
            told.append(f"only in the {which}: {amount(len(keys), 'item')} ({', '.join(keys[:5])}{more})")
    kinds = Counter(change.kind for change in found.changes)
    words = {RENAMED: "of another class", REMOVED: "only in the first", ADDED: "only in the second",
             BOX: "with another box", MASK: "with another mask"}  # fmt: skip
    told += [f"{words[kind]}: {kinds[kind]:,}" for kind in words if kinds[kind]]
    told += [f"  {change}" for change in found.changes[:shown]]
    if len(found.changes) > shown:
        told.append(f"  … and {len(found.changes) - shown:,} more (--json names all)")
    for name, value in (("objects", found.kappa), ("pixels", found.pixel_kappa)):
        if value is not None:
            told.append(f"Cohen's kappa over the classes of {name}: {value:.4f}")
    told += _class_table(found)
    if found.same:
        told.append("no difference")
    return told


def _class_table(found: Comparison) -> list[str]:
    rows: list[tuple[str, ...]] = [("class", "both", "only first", "only second", "mean IoU", "F1", "pixel IoU")]
    rows += [
        (one.name or "(none)", f"{one.matched:,}", f"{one.only_first:,}", f"{one.only_second:,}",
         *("" if value is None else f"{value:.4f}" for value in (one.mean_iou, one.f1, one.pixel_iou)))
        for one in found.classes
    ]  # fmt: skip
    return aligned(rows)
