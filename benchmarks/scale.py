"""Workers beside one worker, validation beside reading alone, and memory with two million annotations."""

from __future__ import annotations

import random
import statistics
from pathlib import Path
from typing import Any

from ade_to_coco import copies
from data import sample
from measure import Runs

COPIES = 200
ITEMS = 2000
IMAGES, OBJECTS = 100_000, 20
READ_ALL = Path(__file__).with_name("read_all.py")
YOLO = ["--to", "yolo_ultralytics", "--media", "none", "-O", "task=detect"]


def many_boxes(out: Path, images: int, objects: int) -> Path:
    """A COCO dataset of boxes, written as it is made."""
    rng = random.Random(1)
    file = out / "annotations" / "instances_train.json"
    file.parent.mkdir(parents=True)
    with file.open("w") as stream:
        names = ",".join(f'{{"id":{i},"name":"c{i}","supercategory":""}}' for i in range(1, 81))
        stream.write(f'{{"categories":[{names}],"images":[')
        for image in range(1, images + 1):
            comma = "," if image > 1 else ""
            stream.write(f'{comma}{{"id":{image},"file_name":"{image:08d}.jpg","width":640,"height":480}}')
        stream.write('],"annotations":[')
        for number in range(images * objects):
            x, y, w, h = rng.randrange(300), rng.randrange(200), rng.randrange(5, 300), rng.randrange(5, 200)
            stream.write(
                f'{"," if number else ""}{{"id":{number + 1},"image_id":{number // objects + 1},'
                f'"category_id":{rng.randrange(1, 81)},"bbox":[{x},{y},{w},{h}],"area":{w * h},"iscrowd":0}}'
            )
        stream.write("]}")
    return out


def measure(bench: Any, item: Path) -> dict[str, Any]:
    """The figures, in turn."""
    count = 32 if bench.quick else COPIES
    data = bench.work / "ade-many"
    copies(item, data, count)
    workers = {number: Runs() for number in (1, 2)}
    for _ in range(bench.rounds):
        for number, runs in workers.items():
            bench.ours(runs, "convert", "ade20k2020", str(data), "--to", "coco", workers=number, writes=True)
    items = 100 if bench.quick else ITEMS
    checked = sample("ade20k2020", bench.work / "ade-checked", items)
    ours, baseline = Runs(), Runs()
    for _ in range(bench.rounds):
        bench.ours(ours, "validate", "ade20k2020", str(checked))
        baseline.add([str(bench.python), str(READ_ALL), str(checked)])
    images = 1000 if bench.quick else IMAGES
    boxes = many_boxes(bench.work / "boxes", images, OBJECTS)
    large = Runs()
    bench.ours(large, "convert", "coco", str(boxes), *YOLO, writes=True)
    return {
        "count": count, "workers": workers, "items": items, "ours": ours, "baseline": baseline,
        "annotations": images * OBJECTS, "large": large,
    }  # fmt: skip


def lines(found: dict[str, Any], verdicts: Any, table: Any, figures: Any) -> list[str]:
    """The section, with what it says of targets."""
    workers, ours, baseline, large = found["workers"], found["ours"], found["baseline"], found["large"]
    rows = [[f"ADE20K to COCO, {found['count']} copies, {n} worker(s)", *figures(runs)] for n, runs in workers.items()]
    rows.append([f"`formatspec validate`, {found['items']:,} ADE-like items, one worker", *figures(ours)])
    rows.append(["the baseline: scandir, read every byte, `orjson.loads`", *figures(baseline)])
    rows.append([f"COCO to YOLO, {found['annotations']:,} annotations, one worker", *figures(large)])
    if all(runs.walls for runs in workers.values()):
        ratio = statistics.median(a / b for a, b in zip(workers[1].walls, workers[2].walls, strict=True))
        verdicts.say("Two workers: at least 1.7 times one", f"{ratio:.2f} times", ratio >= 1.7, "workers")
    if ours.walls and baseline.walls:
        ratio = ours.wall / baseline.wall
        said = f"{ratio:.1f} times ({found['items']:,} items)"
        verdicts.say("Validation of 20,000 items: at most 5 times reading them", said, ratio <= 5, "validate")
    if large.walls:
        said = f"{large.peak:.0f} MiB for {found['annotations']:,}"
        verdicts.say("2,000,000 COCO annotations in under 1 GiB", said, large.peak < 1024, "large")
    return ["## Workers, validation, size", "", *table(["job", "wall, s", "processor, s", "peak, MiB"], rows)]
