"""A small COCO dataset for tests: two images, one good object in each, and whatever else a test asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import imageio.v3 as iio
import numpy as np
from files_on_disk import put as put

GOOD = {
    "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0, "category_id": 1,
    "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]],
}  # fmt: skip
IMAGES = (("a", 100, 80), ("b", 100, 80))


def image_bytes(width: int, height: int, seed: int = 0) -> bytes:
    """A JPEG of noise."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return bytes(iio.imwrite("<bytes>", pixels, extension=".jpg"))


def coco(
    rows: Sequence[Mapping[str, Any]], subset: str = "train", categories: Sequence[Mapping[str, Any]] = (),
    images: Sequence[tuple[str, int, int]] = IMAGES,
) -> dict[str, str | bytes]:  # fmt: skip
    """The files of a dataset.  A row's None leaves its key out; rows stand in the first image unless they say so."""
    listed = list(categories) or [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    stated = [{"id": place, "image_id": place, **GOOD} for place in range(1, len(images) + 1)]
    for place, row in enumerate(rows, len(stated) + 1):
        whole = {"id": place, "image_id": 1, **GOOD, **row}
        stated.append({key: value for key, value in whole.items() if value is not None})
    document = {
        "images": [
            {"id": place, "file_name": f"{name}.jpg", "width": width, "height": height}
            for place, (name, width, height) in enumerate(images, 1)
        ],
        "annotations": stated,
        "categories": listed,
    }
    files: dict[str, str | bytes] = {f"annotations/instances_{subset}.json": json.dumps(document)}
    for seed, (name, width, height) in enumerate(images):
        files[f"images/{subset}/{name}.jpg"] = image_bytes(width, height, seed)
    return files
