"""Several datasets, splits, statistics, comparisons and parts beside other tools: results and seconds, as tables.

    .venvs/hands/bin/python benchmarks/hands.py [--items N] [--rounds N] [-o PAGE]

Each tool works on the same COCO files, in turn; one that cannot run is left out, and the page says why. Results stand
beside the seconds, so that it shows where they are equal. formatspec validates what it reads, which the others do not.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import json
import logging
import os
import platform
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import formatspec as fs
from formatspec.datasets import looks
from formatspec.testing.memory import image_bytes

NAMES = ("cat", "dog", "cow", "car", "bus")
PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}
Job = Callable[[Path, Path], object]
WHAT = {
    "merge": "Two datasets of the same classes are read and written as one COCO file, without images. Result: items.",
    "split": "Items are put into three subsets, 8 to 1 to 1. formatspec and Datumaro spread the classes evenly; the "
    "others draw by chance. Nothing is written. Result: items of each subset.",
    "stats": "Items, objects and objects of each class are counted.",
    "compare": "A dataset is compared with a copy of five changes: a class renamed, an object removed, one added, "
    "a box moved, a box shrunk. Boxes are paired by an intersection over union of at least 0.5. Result: pairs, pairs "
    "of two classes, and boxes without a partner in the first and in the second. formatspec also names the two boxes "
    "that moved.",
    "filter": "The boxes of one class are taken. Result: objects of the class.",
}
"""What each job is, as the page says it."""


def rows_of(items: int, seed: int) -> list[dict[str, Any]]:
    """Five boxes for each image, each in a cell of its own, so that no two can be taken for each other."""
    dice = random.Random(seed)
    rows = []
    for number in range(1, items + 1):
        for cell in range(5):
            x, y, w, h = cell * 12 + dice.randrange(3), dice.randrange(20), dice.randrange(5, 9), dice.randrange(5, 20)
            rows.append({"id": len(rows) + 1, "image_id": number, "category_id": dice.randrange(5) + 1,
                         "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0, "segmentation": []})  # fmt: skip
    return rows


def changed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with five changes, in five images."""
    made = [dict(row) for row in rows]
    made[0]["category_id"] = made[0]["category_id"] % 5 + 1
    x, y, w, h = made[15]["bbox"]
    made[15]["bbox"] = [x, y + 1, w, h]
    x, y, w, h = made[20]["bbox"]
    made[20]["bbox"], made[20]["area"] = [x, y, w, h - 1], w * (h - 1)
    made.append({**made[10], "id": len(rows) + 1, "bbox": [1, 42, 6, 5], "area": 30})
    return [row for row in made if row["id"] != 6]


def written(folder: Path, name: str, items: int, rows: list[dict[str, Any]]) -> Path:
    """A folder of small images with a COCO file of these rows."""
    pixels = image_bytes(64, 48, "png")
    (folder / "images/train").mkdir(parents=True)
    (folder / "annotations").mkdir()
    images = []
    for number in range(1, items + 1):
        file = f"{name}{number:06}.png"
        (folder / "images/train" / file).write_bytes(pixels)
        images.append({"id": number, "file_name": file, "width": 64, "height": 48})
    categories = [{"id": place, "name": one} for place, one in enumerate(NAMES, 1)]
    document = {"images": images, "annotations": rows, "categories": categories}
    (folder / "annotations/instances_train.json").write_text(json.dumps(document))
    return folder


def _counts(names: Iterable[str]) -> str:
    total = Counter(names)
    return ", ".join(f"{name} {total[name]}" for name in NAMES if total[name])


def _subsets(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in PARTS)


def _compared(pairs: int, classes: int, first: int, second: int) -> str:
    return f"{pairs} pairs, {classes} of two classes, {first} only in the first, {second} only in the second"


def ours() -> dict[str, Job]:
    """formatspec, with one worker."""

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out:
            datasets = [fs.open(one, "coco"), fs.open(other, "coco")]
            return fs.merge(datasets, Path(out, "m"), to="coco", media="none", workers=1).items

    def split(one: Path, other: Path) -> object:
        return _subsets(fs.split(fs.open(one, "coco"), ratios=PARTS, stratify=True).counts)

    def stats(one: Path, other: Path) -> object:
        found = looks.statistics_of(fs.open(one, "coco"))
        classes = {each.name: each.objects for each in found.classes}
        return f"{found.items} items, {found.objects} objects: {_counts(Counter(classes).elements())}"

    def compare(one: Path, other: Path) -> object:
        found = looks.compared(fs.open(one, "coco"), fs.open(other, "coco"))
        kinds = Counter(change.kind for change in found.changes)
        mixed = sum(count for _, _, count in found.confusion)
        return _compared(found.matched, mixed, kinds["removed"], kinds["added"]) + f"; {kinds['box']} moved"

    def keep(one: Path, other: Path) -> object:
        part = fs.open(one, "coco").filter(labels=["cat"])
        return _counts(thing.category.name for item in part for thing in item.objects if thing.category)

    return {"merge": merge, "split": split, "stats": stats, "compare": compare, "filter": keep}


def datumaro() -> dict[str, Job]:
    """Datumaro's own commands of the same names."""
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.comparator import DistanceComparator, TableComparator
    from datumaro.components.dataset import Dataset
    from datumaro.components.hl_ops import HLOps
    from datumaro.components.operations import compute_ann_statistics
    from datumaro.plugins.splitter import Split, SplitTask

    def opened(folder: Path) -> Any:
        return Dataset.import_from(str(folder), "coco_instances")

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out:
            merged = HLOps.merge(opened(one), opened(other), merge_policy="union")
            merged.export(out, "coco_instances", save_media=False)
            return len(merged)

    def split(one: Path, other: Path) -> object:
        parts = Split(opened(one), SplitTask.detection.name, list(PARTS.items()))
        return _subsets(Counter(item.subset for item in parts))

    def stats(one: Path, other: Path) -> object:
        dataset = opened(one)
        found = compute_ann_statistics(dataset)
        classes = {name: count for name, (count, _) in found["annotations"]["labels"]["distribution"].items()}
        return f"{len(dataset)} items, {found['annotations count']} objects: {_counts(Counter(classes).elements())}"

    def compare(one: Path, other: Path) -> object:
        first, second, matcher = opened(one), opened(other), DistanceComparator()
        total = [0, 0, 0, 0]
        for item in first:
            matched = matcher.match_boxes(item, second.get(item.id, item.subset))
            total = [before + len(more) for before, more in zip(total, matched, strict=True)]
        return _compared(total[0] + total[1], *total[1:])

    def tables(one: Path, other: Path) -> object:
        _, _, found = TableComparator().compare_datasets(opened(one), opened(other), "high")
        first, second = found["high_level"]["Annotations count"]
        return f"annotations: {first} and {second}"

    def keep(one: Path, other: Path) -> object:
        dataset = opened(one)
        dataset.filter("/item/annotation[label='cat']", filter_annotations=True)
        names = dataset.categories()[AnnotationType.label]
        return _counts(names[one.label].name for item in dataset for one in item.annotations)

    return {"merge": merge, "split": split, "stats": stats, "compare": compare, "compare, counts alone": tables,
            "filter": keep}  # fmt: skip


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
        return _subsets({"train": len(train), "val": len(val), "test": len(test)})

    def keep(one: Path, other: Path) -> object:
        dataset = opened(one)
        cat = dataset.classes.index("cat")
        kept = (found[found.class_id == cat] for found in dataset.annotations.values())
        return _counts("cat" for found in kept for _ in range(len(found)))

    return {"merge": merge, "split": split, "filter": keep}


def fiftyone() -> dict[str, Job]:
    """FiftyOne, whose database runs as a process of its own."""
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_SHOW_PROGRESS_BARS", "false")
    import fiftyone as fo
    import fiftyone.utils.random as by_chance
    from fiftyone import ViewField

    fo.Dataset().delete()  # starts the database, or says why it cannot

    def opened(folder: Path, field: str = "truth") -> Any:
        return fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset, data_path=str(folder / "images/train"),
            labels_path=str(folder / "annotations/instances_train.json"), label_field=field,
            label_types="detections",
        )  # fmt: skip

    @contextlib.contextmanager
    def held(*folders: Path) -> Iterator[list[Any]]:
        datasets = [opened(folder, field) for folder, field in zip(folders, ("truth", "other"), strict=False)]
        try:
            yield datasets
        finally:
            for dataset in datasets:
                dataset.delete()

    def merge(one: Path, other: Path) -> object:
        with tempfile.TemporaryDirectory() as out, held(one) as (dataset,):
            more = opened(other)
            dataset.add_collection(more)
            more.delete()
            dataset.export(labels_path=str(Path(out, "m.json")), dataset_type=fo.types.COCODetectionDataset,
                           label_field="truth")  # fmt: skip
            return len(dataset)

    def split(one: Path, other: Path) -> object:
        with held(one) as (dataset,):
            by_chance.random_split(dataset, PARTS, seed=0)
            return _subsets(dataset.count_sample_tags())

    def stats(one: Path, other: Path) -> object:
        with held(one) as (dataset,):
            classes = dataset.count_values("truth.detections.label")
            total = dataset.count("truth.detections")
            return f"{len(dataset)} items, {total} objects: {_counts(Counter(classes).elements())}"

    def compare(one: Path, other: Path) -> object:
        with held(one, other) as (dataset, second):
            dataset.merge_samples(second, key_fcn=lambda sample: Path(sample.filepath).name)
            found = dataset.evaluate_detections("other", gt_field="truth", iou=0.5, classwise=False)
            both = list(zip(found.ytrue, found.ypred, strict=True))
            lone = Counter("first" if ours != found.missing else "second" for ours, theirs in both
                           if found.missing in (ours, theirs))  # fmt: skip
            pairs = [(ours, theirs) for ours, theirs in both if found.missing not in (ours, theirs)]
            return _compared(len(pairs), sum(a != b for a, b in pairs), lone["first"], lone["second"])

    def keep(one: Path, other: Path) -> object:
        with held(one) as (dataset,):
            view = dataset.filter_labels("truth", ViewField("label") == "cat")
            return _counts(view.values("truth.detections[].label", unwind=True))

    return {"merge": merge, "split": split, "stats": stats, "compare": compare, "filter": keep}


TOOLS: dict[str, Callable[[], dict[str, Job]]] = {
    "formatspec": ours, "datumaro": datumaro, "supervision": supervision, "fiftyone": fiftyone,
}  # fmt: skip


def timed(job: Job, one: Path, other: Path) -> tuple[float, str]:
    """The seconds that a job took and what it found; another tool's failure is a result."""
    began = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = str(job(one, other))
    except Exception as error:
        result = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return time.perf_counter() - began, result


def tables(items: int, rounds: int) -> tuple[list[str], dict[str, str]]:
    """A table for each job: tool, seconds, result; and by name the tools that could not run, and why."""
    tools: dict[str, dict[str, Job]] = {}
    absent: dict[str, str] = {}
    for name, jobs in TOOLS.items():
        try:
            tools[name] = jobs()
        except Exception as error:  # a tool may fail in its own way where a part of it is missing
            absent[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(items, 1)
        few = rows_of(10, 3)
        one = written(Path(folder, "one"), "one", items, rows)
        other = written(Path(folder, "other"), "other", items, rows_of(items, 2))
        copy = written(Path(folder, "copy"), "one", items, changed(rows))
        small = written(Path(folder, "small"), "few", 10, few)
        again = written(Path(folder, "again"), "few", 10, changed(few))
        for job, what in WHAT.items():
            lines += ["", f"## {job.capitalize()}", "", what, "", "| tool | seconds | result |", "|---|---|---|"]
            second, tiny = (copy, again) if job == "compare" else (other, small)
            own = {(name, each): jobs[each] for name, jobs in tools.items() for each in jobs if each.startswith(job)}
            for run in own.values():
                timed(run, small, tiny)  # imports what a job needs
            seen: dict[tuple[str, str], list[tuple[float, str]]] = {key: [] for key in own}
            for _ in range(rounds):
                for key, run in own.items():
                    seen[key].append(timed(run, one, second))
            for (name, each), found in seen.items():
                seconds = statistics.median(second for second, _ in found)
                words = name if each == job else f"{name} ({each.partition(', ')[2]})"
                lines.append(f"| {words} | {seconds:.2f} | {' / '.join(dict.fromkeys(said for _, said in found))} |")
            lines += [f"| {name} | – | has none |" for name, jobs in tools.items() if job not in jobs]
    return lines, absent


def page(items: int, rounds: int) -> str:
    """The page of the docs."""
    load = os.getloadavg()[0]
    lines, absent = tables(items, rounds)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in TOOLS if name != "formatspec" and
                name not in absent]  # fmt: skip
    head = [
        "# Beside other tools",
        "",
        "Written by `make bench-hands`; do not edit. formatspec and other tools do the same.",
        "",
        f"- {items:,} images with five boxes each; medians of {rounds} rounds in turn; a first round is not counted",
        f"- formatspec {fs.__version__} with one worker; {', '.join(versions)}",
        f"- {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}",
        f"- load average {load:.1f} at the start",
        "- each job opens its datasets anew; formatspec validates what it reads, which the others do not",
        "- FiftyOne puts what it reads into its database",
        *(f"- {name} is left out: it cannot run here ({why})" for name, why in absent.items()),
    ]
    return "\n".join([*head, *lines]) + "\n"


def main() -> None:
    """Print the page, or write it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--items", type=int, default=500)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("-o", "--out", type=Path)
    given = asked.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    text = page(given.items, given.rounds)
    if given.out is None:
        sys.stdout.write(text)
    else:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
