"""Small COCO documents and datasets for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import imageio.v3 as iio
import numpy as np
from files_on_disk import put as put

from formatspec.testing.memory import image_bytes as plain_image

GOOD = {
    "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0, "category_id": 1,
    "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]],
}  # fmt: skip
IMAGES = (("a", 100, 80), ("b", 100, 80))


def image_bytes(width: int, height: int, seed: int = 0) -> bytes:
    """A JPEG of noise."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return bytes(iio.imwrite("<bytes>", pixels, extension=".jpg"))


def coco_document(
    images: Iterable[tuple[str, int, int]],
    rows: Iterable[Mapping[str, Any]] = (),
    categories: Iterable[str | Mapping[str, Any]] = ("cat",),
    first: int = 1,
) -> dict[str, list[dict[str, Any]]]:
    """A COCO document.

    Args:
        images: The file name, width and height of each image.
        rows: The annotations. A row that does not say so gets its place from 1 on as its id, the first image, the
            category 1 and no crowd.
        categories: Names, or rows; a row without an id gets its place from 1 on.
        first: The id of the first image; the others count on from there.
    """
    return {
        "images": [
            {"id": number, "file_name": name, "width": width, "height": height}
            for number, (name, width, height) in enumerate(images, first)
        ],
        "annotations": [
            {"id": place, "image_id": first, "category_id": 1, "iscrowd": 0, **row} for place, row in enumerate(rows, 1)
        ],
        "categories": [
            {"id": place, **({"name": one} if isinstance(one, str) else one)} for place, one in enumerate(categories, 1)
        ],
    }


def coco_files(
    document: Mapping[str, Any], subset: str = "train", task: str = "instances"
) -> dict[str, dict[str, Any] | bytes]:
    """A COCO document and its images, by their paths in a dataset with one folder of images for each subset."""
    images: dict[str, dict[str, Any] | bytes] = {
        f"images/{subset}/{row['file_name']}": plain_image(
            row["width"], row["height"], row["file_name"].rpartition(".")[2]
        )
        for row in document["images"]
    }
    return {f"annotations/{task}_{subset}.json": dict(document), **images}


def coco(
    rows: Sequence[Mapping[str, Any]], subset: str = "train", categories: Sequence[Mapping[str, Any]] = (),
    images: Sequence[tuple[str, int, int]] = IMAGES,
) -> dict[str, str | bytes]:  # fmt: skip
    """The files of a dataset with one good object in each image, and further rows.

    A row's None leaves its key out; rows stand in the first image unless they say so.
    """
    listed = list(categories) or [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    stated = [{"id": place, "image_id": place, **GOOD} for place in range(1, len(images) + 1)]
    for place, row in enumerate(rows, len(stated) + 1):
        whole = {"id": place, "image_id": 1, **GOOD, **row}
        stated.append({key: value for key, value in whole.items() if value is not None})
    document = coco_document([(f"{name}.jpg", width, height) for name, width, height in images], (), listed)
    document["annotations"] = stated
    files: dict[str, str | bytes] = {f"annotations/instances_{subset}.json": json.dumps(document)}
    for seed, (name, width, height) in enumerate(images):
        files[f"images/{subset}/{name}.jpg"] = image_bytes(width, height, seed)
    return files
