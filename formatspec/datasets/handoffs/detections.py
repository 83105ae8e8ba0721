"""Items as `supervision.Detections`, with masks that stay packed."""

from __future__ import annotations

from typing import Any

import numpy as np

from formatspec.datasets.handoffs.items import ListOfItems
from formatspec.datasets.handoffs.needed import needed
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model.records import Item


def to_supervision(dataset: ListOfItems, item: Item) -> Any:
    """The objects of an item as `supervision.Detections`.

    dataset: The dataset that the item is of; a class's place in its classes is the `class_id`, -1 where there is none.
    item: An item of it. Objects without any box are left out.

    Boxes are corners x0, y0, x1, y1. Masks are there where any object has pixels or an outline, as a `CompactMask`,
    which packs each by itself; an object without either is shown by an empty one. Scores, tracks and names of classes
    go along.

    Raises MissingLibraryError where supervision is not installed or has no `CompactMask`; ValueError where an object
    has an outline and the size of the image is not known.
    """
    library = needed("supervision", "to_supervision")
    index = {name: place for place, name in enumerate(dataset.classes)}
    things = [(thing, box) for thing in item.objects if (box := thing.box) is not None]
    corners = [[x, y, x + width, y + height] for _, (x, y, width, height) in things]
    names = ["" if thing.category is None else spoken(thing.category) for thing, _ in things]
    tracks = [thing.track for thing, _ in things]
    has_shapes = any(thing.region is not None or thing.polygons for thing, _ in things)
    return library.Detections(
        xyxy=np.array(corners, np.float32).reshape(-1, 4),
        mask=_packed(item, [thing for thing, _ in things]) if has_shapes else None,
        confidence=None if all(thing.score is None for thing, _ in things)
        else np.array([1.0 if thing.score is None else thing.score for thing, _ in things], np.float32),
        class_id=np.array([index.get(name, -1) for name in names], int),
        tracker_id=np.array(tracks) if things and all(isinstance(track, int) for track in tracks) else None,
        data={"class_name": np.array(names)},
    )  # fmt: skip


def _packed(item: Item, things: list[Any]) -> Any:
    """Pack the masks of objects one by one, so that only one dense mask is in memory at a time."""
    compact = needed("supervision.detection.compact_mask", "to_supervision").CompactMask
    image = item.image
    if image is None or image.width is None or image.height is None:
        raise ValueError(f"the size of the image of {item.key!r} is not known, so that its objects have no masks")
    size = (image.height, image.width)
    made = []
    for thing in things:
        shaped = thing.region is not None or thing.polygons
        mask = thing.mask(size) if shaped else None
        if mask is None:
            mask = np.zeros(size, bool)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        within = [columns[0], rows[0], columns[-1], rows[-1]] if rows.size else [0, 0, 0, 0]
        made.append(compact.from_dense(mask[None], np.array([within]), size))
    return compact.merge(made)
