"""Other tools' datasets as plain boxes, masks and labels, so that they can be compared with ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import formatspec as fs
from formatspec.model.records import Item

Box = tuple[float, ...]
Boxes = dict[str, list[tuple[str, Box]]]
"""By an image's file name: label and x, y, width, height of each object, sorted."""


def ordered(pairs: Iterable[tuple[str, Iterable[float]]]) -> list[tuple[str, Box]]:
    return sorted((label, tuple(float(number) for number in box)) for label, box in pairs)


def items(folder: Path, spec: str, **options: Any) -> list[Item]:
    """All items of a dataset, which must be valid."""
    dataset = fs.open(folder, spec, options=options)
    found = list(dataset)
    assert [f for f in dataset.findings if f.level == "error"] == []
    assert len(found) == len(dataset) > 0
    return found


def sized(sizes: Mapping[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """File name, width and height of images, from their rows and columns by name."""
    return [(f"{name}.png", width, height) for name, (height, width) in sizes.items()]


def boxes_as_rows(boxes: Boxes, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of COCO for the boxes of images, whose ids count from 1."""
    return [
        {"image_id": number, "category_id": names.index(label) + 1, "bbox": list(box), "area": box[2] * box[3]}
        for number, name in enumerate(boxes, 1)
        for label, box in boxes[name]
    ]


def box_of(thing: Any) -> Box:
    """An object's box: its own, else that of its pixels, outline or polygons."""
    if thing.bbox is not None:
        return tuple(thing.bbox)
    if thing.region is not None and thing.region.bbox is not None:
        return thing.region.bbox
    points = np.array([number for ring in thing.polygons for number in ring]).reshape(-1, 2)
    return (*points.min(0), *(points.max(0) - points.min(0)))


def ours(folder: Path, spec: str, parts: bool = True, **options: Any) -> Boxes:
    """Boxes as formatspec reads them."""
    return {
        Path(item.image.path if item.image and item.image.path else item.key).name: ordered(
            (thing.category.name, box_of(thing))
            for thing in item.objects
            if thing.category and (parts or thing.parent is None)
        )
        for item in items(folder, spec, **options)
    }


def supervision_boxes(dataset: Any) -> Boxes:
    found: Boxes = {}
    for path, _, things in dataset:
        found[Path(path).name] = ordered(
            (dataset.classes[number], (x0, y0, x1 - x0, y1 - y0))
            for number, (x0, y0, x1, y1) in zip(things.class_id, things.xyxy.tolist(), strict=True)
        )
    return found


def datumaro_dataset(folder: Path, name: str, **options: Any) -> Any:
    from datumaro.components.dataset import Dataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = Dataset.import_from(str(folder), name, **options)
        dataset.init_cache()
    return dataset


def datumaro_annotations(dataset: Any, kind: str) -> dict[str, list[tuple[str, Any]]]:
    """By an item's id: label and annotation of every annotation of a kind, such as bbox or mask."""
    from datumaro.components.annotation import AnnotationType

    names = [label.name for label in dataset.categories()[AnnotationType.label].items]
    return {
        item.id: [(names[a.label] if a.label is not None else "", a) for a in item.annotations if a.type.name == kind]
        for item in dataset
    }


def datumaro_boxes(dataset: Any, kind: str = "bbox") -> Boxes:
    return {
        Path(key).name: ordered((label, thing.get_bbox()) for label, thing in things)
        for key, things in datumaro_annotations(dataset, kind).items()
    }


def unsuffixed(boxes: Boxes) -> Boxes:
    """The same by the image's name without its extension."""
    return {Path(name).stem: found for name, found in boxes.items()}


def furthest(first: Boxes, second: Boxes) -> float:
    """The greatest difference between two numbers of boxes that belong together, in pixels.

    The same images, and in each the same labels; boxes of one label are matched in sorted order, or, where that
    is ambiguous, each with the nearest.
    """
    assert first.keys() == second.keys(), (sorted(first), sorted(second))
    worst = 0.0
    for name, boxes in first.items():
        others = list(second[name])
        assert [label for label, _ in boxes] == [label for label, _ in others], name
        for label, box in boxes:
            rest = [(float(np.abs(np.subtract(box, b)).max()), k) for k, (m, b) in enumerate(others) if m == label]
            distance, place = min(rest)
            worst = max(worst, distance)
            others.pop(place)
    return worst
