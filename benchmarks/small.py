"""Many small items, made quickly: the general generator varies more, and takes minutes for a hundred thousand."""

from __future__ import annotations

import random
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

SIDE = 16
CLASSES = 20
VARIANTS = 64
"""How many different images there are; the files of all items are of these."""


def _pictures(rng: random.Random) -> list[bytes]:
    return [
        imageio.imwrite("<bytes>", np.full((SIDE, SIDE, 3), rng.randrange(256), np.uint8), extension=".png")
        for _ in range(VARIANTS)
    ]


def _masks(rng: random.Random) -> list[bytes]:
    """Index masks of three classes each."""
    made = []
    for _ in range(VARIANTS):
        mask = np.full((SIDE, SIDE), rng.randint(1, CLASSES), np.uint8)
        mask[: SIDE // 2, : rng.randint(1, SIDE)] = rng.randint(1, CLASSES)
        mask[SIDE // 2 :, rng.randrange(SIDE) :] = rng.randint(1, CLASSES)
        made.append(imageio.imwrite("<bytes>", mask, extension=".png"))
    return made


def masks(out: Path, items: int) -> Path:
    """A dataset of images beside index masks: two files an item."""
    rng = random.Random(1)
    (out / "images" / "train").mkdir(parents=True)
    (out / "masks" / "train").mkdir(parents=True)
    (out / "classes.txt").write_text("".join(f"class {number}\n" for number in range(1, CLASSES + 1)))
    pictures, drawn = _pictures(rng), _masks(rng)
    for number in range(items):
        (out / "images" / "train" / f"{number:08d}.png").write_bytes(pictures[number % VARIANTS])
        (out / "masks" / "train" / f"{number:08d}.png").write_bytes(drawn[number % VARIANTS])
    return out


def boxes(out: Path, images: int, objects: int) -> Path:
    """A COCO dataset of boxes with its images, written as it is made."""
    rng = random.Random(1)
    file = out / "annotations" / "instances_train.json"
    file.parent.mkdir(parents=True)
    (out / "images" / "train").mkdir(parents=True)
    pictures = _pictures(rng)
    with file.open("w") as stream:
        names = ",".join(f'{{"id":{i},"name":"class_{i - 1:02d}","supercategory":""}}' for i in range(1, 81))
        stream.write(f'{{"categories":[{names}],"images":[')
        for image in range(1, images + 1):
            (out / "images" / "train" / f"{image:08d}.png").write_bytes(pictures[image % VARIANTS])
            comma = "," if image > 1 else ""
            stream.write(f'{comma}{{"id":{image},"file_name":"{image:08d}.png","width":{SIDE},"height":{SIDE}}}')
        stream.write('],"annotations":[')
        for number in range(images * objects):
            x, y, w, h = rng.randrange(8), rng.randrange(8), rng.randrange(1, 9), rng.randrange(1, 9)
            stream.write(
                f'{"," if number else ""}{{"id":{number + 1},"image_id":{number // objects + 1},'
                f'"category_id":{rng.randrange(1, 81)},"bbox":[{x},{y},{w},{h}],"area":{w * h},"iscrowd":0}}'
            )
        stream.write("]}")
    return out
