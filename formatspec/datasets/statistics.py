"""Counts what a dataset holds: items, classes, sizes, objects per image, classes that occur together, subsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from formatspec.datasets.near_duplicates import alike, difference_hash
from formatspec.datasets.text_table import aligned
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.findings.render import amount
from formatspec.model import derive
from formatspec.model.records import Category, Item

SMALL, MEDIUM = 32 * 32, 96 * 96
"""Square pixels up to which an object is small, and medium (T.-Y. Lin et al., Common Objects in Context, 2014)."""
PARTS = (0, 25, 50, 75, 100)
"""The percentiles that describe a distribution: minimum, quartiles, maximum."""
PAIRS = 20
"""How many pairs of classes are named; those that occur together most often come first."""


class Spread(msgspec.Struct, frozen=True):
    """The distribution of numbers: their count, their mean, and five percentiles."""

    count: int
    mean: float
    percentiles: tuple[float, ...]

    def words(self) -> str:
        """Return the distribution on one line."""
        least, quarter, half, three, most = (f"{value:,.6g}" for value in self.percentiles)
        return f"{least} to {most}, median {half} (quartiles {quarter} and {three}), mean {self.mean:,.6g}"


class ClassCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a class occurs; `subsets` counts its objects, labels and areas by subset."""

    name: str
    objects: int
    labels: int
    areas: int
    items: int
    subsets: dict[str, int]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset holds.

    Attributes:
        unannotated: How many items have no annotation.
        sizes: How many images have each width and height, most frequent first.
        areas, aspects: Of objects: square pixels, and width divided by height.
        together: Pairs of classes, and the number of items with both.
        duplicates: Groups of keys whose images look alike; None if they were not sought.
    """

    format: str
    items: int
    objects: int
    labels: int
    areas_of_classes: int
    captions: int
    unannotated: int
    subsets: dict[str, int]
    classes: tuple[ClassCount, ...]
    geometry: dict[str, int]
    sizes: tuple[tuple[int, int, int], ...]
    widths: Spread | None
    heights: Spread | None
    per_item: Spread | None
    areas: Spread | None
    aspects: Spread | None
    by_size: dict[str, int]
    together: tuple[tuple[str, str, int], ...]
    duplicates: tuple[tuple[str, ...], ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the statistics as one plain object."""
        return {"version": 1, **msgspec.to_builtins(self)}


def statistics(
    format: str, categories: Sequence[Category], items: Iterable[Item], duplicates: bool = False
) -> Statistics:
    """Count what items hold.

    Args:
        format: The name of the format.
        categories: The dataset's categories, which are listed in this order even if they do not occur.
        items: The items.
        duplicates: Whether to look for images that look alike, which decodes every image.
    """
    counts = _Counts()
    hashes: list[tuple[str, int]] = []
    for item in items:
        counts.add(item)
        bits = difference_hash(item) if duplicates else None
        if bits is not None:
            hashes.append((item.key, bits))
    names = list(dict.fromkeys([*(spoken(category) for category in categories), *sorted(counts.objects)]))
    classes = [
        ClassCount(
            name=name, objects=counts.objects[name], labels=counts.labels[name], areas=counts.regions[name],
            items=counts.items_of[name], subsets=dict(sorted(counts.by_subset.get(name, Counter()).items())),
        )
        for name in dict.fromkeys([*names, *sorted(counts.items_of)])
    ]  # fmt: skip
    return Statistics(
        format=format, items=counts.items, objects=sum(counts.objects.values()), labels=sum(counts.labels.values()),
        areas_of_classes=sum(counts.regions.values()), captions=counts.captions, unannotated=counts.unannotated,
        subsets=dict(sorted(counts.subsets.items())), classes=tuple(classes),
        geometry=dict(counts.geometry.most_common()),
        sizes=tuple((*size, count) for size, count in sorted(counts.sizes.items(), key=lambda one: (-one[1], one[0]))),
        widths=_spread([size[0] for size in counts.sizes.elements()]),
        heights=_spread([size[1] for size in counts.sizes.elements()]),
        per_item=_spread(counts.per_item), areas=_spread(counts.object_areas), aspects=_spread(counts.aspects),
        by_size={name: counts.by_size[name] for name in ("small", "medium", "large")},
        together=tuple((*pair, count) for pair, count in _most(counts.together)),
        duplicates=tuple(alike(hashes)) if duplicates else None,
    )  # fmt: skip


class _Counts:
    """The counts of a dataset, which grow with each item."""

    def __init__(self) -> None:
        self.items = self.captions = self.unannotated = 0
        self.objects: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.regions: Counter[str] = Counter()
        self.items_of: Counter[str] = Counter()
        self.by_subset: dict[str, Counter[str]] = {}
        self.subsets: Counter[str] = Counter()
        self.geometry: Counter[str] = Counter()
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.by_size: Counter[str] = Counter()
        self.together: Counter[tuple[str, str]] = Counter()
        self.per_item: list[float] = []
        self.object_areas: list[float] = []
        self.aspects: list[float] = []

    def add(self, item: Item) -> None:
        self.items += 1
        self.captions += len(item.captions)
        self.per_item.append(len(item.objects))
        self.subsets.update(item.subsets)
        self.unannotated += not (item.objects or item.labels or item.areas or item.captions)
        if item.image is not None and item.image.width and item.image.height:
            self.sizes[item.image.width, item.image.height] += 1
        met: Counter[str] = Counter()
        for kind, records in ((self.objects, item.objects), (self.labels, item.labels), (self.regions, item.areas)):
            for record in records:
                category = record.category
                name = spoken(category) if category is not None else ""
                kind[name] += 1
                met[name] += 1
        for name, count in met.items():
            self.items_of[name] += 1
            for subset in item.subsets:
                self.by_subset.setdefault(name, Counter())[subset] += count
        known = sorted(name for name in met if name)
        self.together.update((one, other) for at, one in enumerate(known) for other in known[at + 1 :])
        for thing in item.objects:
            self._shape(thing)

    def _shape(self, thing: Any) -> None:
        self.geometry.update(slot for slot in _GEOMETRY if getattr(thing, slot))
        area, box = derive.area(thing), derive.bbox(thing)
        if area is not None:
            self.object_areas.append(area)
            self.by_size["small" if area < SMALL else "medium" if area < MEDIUM else "large"] += 1
        if box is not None and box[2] > 0 and box[3] > 0:
            self.aspects.append(box[2] / box[3])


_GEOMETRY = ("bbox", "rotated", "polygons", "polyline", "keypoints", "circle", "ellipse", "region", "hidden")


def _spread(values: Sequence[float]) -> Spread | None:
    import numpy as np

    if not values:
        return None
    numbers = np.asarray(values, dtype=np.float64)
    return Spread(len(values), float(numbers.mean()), tuple(float(one) for one in np.percentile(numbers, PARTS)))


def _most(together: Mapping[tuple[str, str], int]) -> list[tuple[tuple[str, str], int]]:
    return sorted(together.items(), key=lambda one: (-one[1], one[0]))[:PAIRS]


def lines(found: Statistics, shown: int = 40) -> list[str]:
    """Return the statistics as text, with at most `shown` classes."""
    told = [f"{found.format}: {amount(found.items, 'item')}, {amount(found.objects, 'object')}, "
            f"{'1 class' if len(found.classes) == 1 else f'{len(found.classes):,} classes'}"]  # fmt: skip
    more = {"label": found.labels, "area": found.areas_of_classes, "caption": found.captions}
    told += [f"{amount(count, name)}" for name, count in more.items() if count]
    if found.unannotated:
        told.append(f"without annotations: {amount(found.unannotated, 'item')}")
    told += [f"subset {name}: {amount(count, 'item')}" for name, count in found.subsets.items()]
    if found.sizes:
        width, height, count = found.sizes[0]
        kinds = amount(len(found.sizes), "size")
        told.append(f"images: {kinds}, most often {width} x {height} ({count:,})")
    spreads = {
        "image width": found.widths, "image height": found.heights, "objects per item": found.per_item,
        "area of objects": found.areas, "width by height": found.aspects,
    }  # fmt: skip
    told += [f"{name}: {spread.words()}" for name, spread in spreads.items() if spread is not None and found.objects]
    if any(found.by_size.values()):
        told.append("objects by size: " + ", ".join(f"{name} {count:,}" for name, count in found.by_size.items()))
    if found.geometry:
        told.append("objects with: " + ", ".join(f"{name} {count:,}" for name, count in found.geometry.items()))
    told += _class_lines(found, shown)
    if found.together:
        told.append("most often in one image:")
        told += [f"  {one} and {other}: {amount(count, 'item')}" for one, other, count in found.together[:10]]
    for group in found.duplicates or ():
        told.append(f"look alike: {', '.join(group)}")
    if found.duplicates == ():
        told.append("no two images look alike")
    return told


def _class_lines(found: Statistics, shown: int) -> list[str]:
    ranked = sorted(found.classes, key=lambda one: -(one.objects + one.labels + one.areas))
    subsets = list(found.subsets)
    rows: list[tuple[str, ...]] = [("class", "objects", "labels", "areas", "items", *subsets)]
    rows += [
        (one.name or "(none)", *(f"{n:,}" for n in (one.objects, one.labels, one.areas, one.items)),
         *(f"{one.subsets.get(name, 0):,}" for name in subsets))
        for one in ranked[:shown]
    ]  # fmt: skip
    told = aligned(rows)
    if len(ranked) > shown:
        told.append(f"… and {len(ranked) - shown:,} classes more (--json names all)")
    return told
