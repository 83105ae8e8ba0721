"""Several datasets, splits, statistics, comparisons and parts beside other tools: results and seconds, as tables.

    .venvs/interop/bin/python benchmarks/hands.py [ITEMS]

Each tool works on the same COCO files; one that is not installed is left out. Results stand beside the seconds, so that
it shows where they are equal. formatspec validates what it reads, which the others do not.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import formatspec as fs
from formatspec.datasets import looks
from formatspec.testing.memory import image_bytes

NAMES = ("cat", "dog", "cow", "car", "bus")
Job = Callable[[Path, Path], object]


def made(folder: Path, items: int, seed: int) -> Path:
    """COCO files with five boxes for each image; the same seed gives the same images, and nearly the same boxes."""
    dice, pixels = random.Random(seed), image_bytes(64, 48, "png")
    (folder / "images/train").mkdir(parents=True)
    (folder / "annotations").mkdir()
    images, rows = [], []
    for number in range(1, items + 1):
        name = f"{folder.name}{number:06}.png"
        (folder / "images/train" / name).write_bytes(pixels)
        images.append({"id": number, "file_name": name, "width": 64, "height": 48})
        for _ in range(5):
            x, y, w, h = dice.randrange(40), dice.randrange(30), dice.randrange(4, 20), dice.randrange(4, 15)
            rows.append({"id": len(rows) + 1, "image_id": number, "category_id": dice.randrange(5) + 1,
                         "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0, "segmentation": []})  # fmt: skip
    categories = [{"id": place, "name": name} for place, name in enumerate(NAMES, 1)]
    document = {"images": images, "annotations": rows, "categories": categories}
    (folder / "annotations/instances_train.json").write_text(json.dumps(document))
    return folder


def _counts(names: Any) -> str:
    total = dict.fromkeys(NAMES, 0)
    for name in names:
        total[name] += 1
    return " ".join(f"{name} {count}" for name, count in total.items())


def ours() -> dict[str, Job]:
    """formatspec, with one worker."""

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out:
            datasets = [fs.open(one, "coco"), fs.open(other, "coco")]
            return fs.merge(datasets, Path(out, "m"), to="coco", media="none", workers=1).items

    def split(one: Path, other: Path) -> object:
        found = fs.split(fs.open(one, "coco"), stratify=True)
        return " ".join(f"{name} {count}" for name, count in found.counts.items())

    def stats(one: Path, other: Path) -> object:
        found = looks.statistics_of(fs.open(one, "coco"))
        return f"{found.items} items, {found.objects} objects"

    def compare(one: Path, other: Path) -> object:
        return f"{looks.compared(fs.open(one, 'coco'), fs.open(one, 'coco')).matched} matched"

    def keep(one: Path, other: Path) -> object:
        part = fs.open(one, "coco").filter(labels=["cat"])
        return _counts(thing.category.name for item in part for thing in item.objects)

    return {"merge": merge, "split": split, "stats": stats, "compare": compare, "filter": keep}


def datumaro() -> dict[str, Job]:
    """Datumaro's own commands of the same names."""
    from datumaro.components.comparator import TableComparator
    from datumaro.components.dataset import Dataset
    from datumaro.components.hl_ops import HLOps
    from datumaro.plugins.splitter import Split, SplitTask

    def opened(folder: Path) -> Any:
        return Dataset.import_from(str(folder), "coco_instances")

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out:
            merged = HLOps.merge(opened(one), opened(other), merge_policy="union")
            merged.export(out, "coco_instances", save_media=False)
            return len(merged)

    def split(one: Path, other: Path) -> object:
        parts = Split(opened(one), SplitTask.detection.name, [("train", 0.8), ("val", 0.1), ("test", 0.1)])
        counts = dict.fromkeys(("train", "val", "test"), 0)
        for item in parts:
            counts[item.subset] += 1
        return " ".join(f"{name} {count}" for name, count in counts.items())

    def stats(one: Path, other: Path) -> object:
        dataset = opened(one)
        return f"{len(dataset)} items, {sum(len(item.annotations) for item in dataset)} objects"

    def compare(one: Path, other: Path) -> object:
        TableComparator().compare_datasets(opened(one), opened(one), "all")
        return "tables"

    def keep(one: Path, other: Path) -> object:
        dataset = opened(one)
        dataset.filter("/item/annotation[label='cat']", filter_annotations=True)
        names = dataset.categories()[next(iter(dataset.categories()))]
        return _counts(names[one.label].name for item in dataset for one in item.annotations)

    return {"merge": merge, "split": split, "stats": stats, "compare": compare, "filter": keep}


def supervision() -> dict[str, Job]:
    """supervision, which has no statistics of a dataset and no comparison of two."""
    import supervision as sv

    def opened(folder: Path) -> Any:
        return sv.DetectionDataset.from_coco(
            str(folder / "images/train"), str(folder / "annotations/instances_train.json")
        )

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out:
            merged = sv.DetectionDataset.merge([opened(one), opened(other)])
            merged.as_coco(annotations_path=str(Path(out, "m.json")))
            return len(merged)

    def split(one: Path, other: Path) -> object:
        train, rest = opened(one).split(0.8, random_state=0)
        val, test = rest.split(0.5, random_state=0)
        return f"train {len(train)} val {len(val)} test {len(test)}"

    def keep(one: Path, other: Path) -> object:
        dataset = opened(one)
        cat = dataset.classes.index("cat")
        kept = (found[found.class_id == cat] for found in dataset.annotations.values())
        return _counts("cat" for found in kept for _ in range(len(found)))

    return {"merge": merge, "split": split, "filter": keep}


def fiftyone() -> dict[str, Job]:
    """FiftyOne, in memory of its own database."""
    import fiftyone as fo
    from fiftyone import ViewField

    def opened(folder: Path) -> Any:
        return fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset, data_path=str(folder / "images/train"),
            labels_path=str(folder / "annotations/instances_train.json"), label_field="truth",
        )  # fmt: skip

    def merge(one: Path, other: Path) -> object:
        dataset = opened(one)
        dataset.add_collection(opened(other))
        return len(dataset)

    def stats(one: Path, other: Path) -> object:
        dataset = opened(one)
        return f"{len(dataset)} items, {dataset.count('truth.detections')} objects"

    def keep(one: Path, other: Path) -> object:
        view = opened(one).filter_labels("truth", ViewField("label") == "cat")
        return _counts(view.values("truth.detections[].label", unwind=True))

    return {"merge": merge, "stats": stats, "filter": keep}


TOOLS: dict[str, Callable[[], dict[str, Job]]] = {
    "formatspec": ours, "datumaro": datumaro, "supervision": supervision, "fiftyone": fiftyone,
}  # fmt: skip


def main(items: int) -> None:
    """Print a table for each job: tool, seconds, result."""
    tools: dict[str, dict[str, Job]] = {}
    for name, jobs in TOOLS.items():
        try:
            tools[name] = jobs()
        except ImportError as error:
            print(f"{name}: left out, {error}")
    with tempfile.TemporaryDirectory() as folder:
        one, other = made(Path(folder, "one"), items, 1), made(Path(folder, "other"), items, 2)
        for job in ("merge", "split", "stats", "compare", "filter"):
            print(f"\n| {job} | seconds | result |\n|---|---|---|")
            for name, jobs in tools.items():
                if job not in jobs:
                    print(f"| {name} | – | has none |")
                    continue
                began = time.perf_counter()
                try:
                    result = jobs[job](one, other)
                except Exception as error:  # another tool's failure is a result
                    result = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                print(f"| {name} | {time.perf_counter() - began:.2f} | {result} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
