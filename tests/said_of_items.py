"""What a dataset says of its items, for comparing it before and after a conversion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from formatspec.model.records import Item


def told(items: Iterable[Item]) -> Counter[str]:
    """How many items there are, and how many objects, labels, captions and areas of each kind; no subsets, no paths."""
    found: Counter[str] = Counter()
    for item in items:
        found["items"] += 1
        for thing in item.objects:
            found[f"object {thing.category and thing.category.name} {thing.bbox} {thing.polygons} {thing.region}"] += 1
        found.update(f"label {label.category and label.category.name} {label.state}" for label in item.labels)
        found.update(f"caption {caption.text}" for caption in item.captions)
        found.update(f"area {area.category and area.category.name} {area.region}" for area in item.areas)
    return found
