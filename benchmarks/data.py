"""What is measured on: the yardsticks where they are named in the environment, else datasets made here."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from ade_to_coco import COPIES, ITEM, copies

PEER_COPIES = 3


def yardstick(name: str) -> Path | None:
    """A file of the yardsticks, if there are any."""
    folder = os.environ.get("FORMATSPEC_YARDSTICKS")
    path = Path(folder) / name if folder else None
    return path if path and path.exists() else None


def sample(spec: str, out: Path, items: int) -> Path:
    """A small generated dataset."""
    command = [sys.executable, "-m", "formatspec.cli.main", "sample", spec, str(out), "--items", str(items)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def ade(work: Path) -> tuple[Path, dict[int, Path], bool]:
    """The folder of one item, datasets of so many copies of it, and whether the item is a real one."""
    given = os.environ.get("FORMATSPEC_DATA")
    item = Path(given) / "ade20k-real" / ITEM if given else work / "none"
    real = item.is_dir()
    if not real:
        item = next(sample("ade20k2020", work / "ade-item", 1).rglob("*.json")).parent
    made = {count: work / f"ade-{count}" for count in (1, PEER_COPIES, COPIES)}
    for count, folder in made.items():
        copies(item, folder, count)
    return item, made, real


def coco(out: Path, images: int, objects: int = 20) -> Path:
    """A synthetic COCO dataset without images: make_coco.py where it is, else one of the same shape."""
    maker = yardstick("make_coco.py")
    if maker:
        command = [sys.executable, str(maker), str(out), "--images", str(images), "--objects", str(objects)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return out
    rng = random.Random(1)
    annotations = []
    for number in range(images * objects):
        w, h = rng.randint(8, 200), rng.randint(8, 200)
        x, y = rng.randint(0, 640 - w), rng.randint(0, 480 - h)
        ring = [value for _ in range(16) for value in (x + rng.randint(0, w), y + rng.randint(0, h))]
        place = {"id": number + 1, "image_id": number // objects + 1, "category_id": rng.randint(1, 80)}
        annotations.append(
            {**place, "bbox": [x, y, w, h], "area": w * h / 2, "iscrowd": 0, "segmentation": [ring]},
        )
    pictures = [{"id": i + 1, "file_name": f"{i:08d}.jpg", "width": 640, "height": 480} for i in range(images)]
    categories = [{"id": i + 1, "name": f"class_{i:02d}", "supercategory": ""} for i in range(80)]
    document = {"images": pictures, "categories": categories, "annotations": annotations}
    file = out / "annotations" / "instances_train.json"
    file.parent.mkdir(parents=True)
    (out / "images" / "train").mkdir(parents=True)
    file.write_text(json.dumps(document))
    return out
