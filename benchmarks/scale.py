"""Workers beside one worker, and validation beside reading alone."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from ade_to_coco import copies
from data import sample
from measure import Runs

COPIES = 200
ITEMS = 20_000
READ_ALL = Path(__file__).with_name("read_all.py")


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
    return {
        "count": count, "workers": workers, "items": items, "ours": ours, "baseline": baseline,
    }  # fmt: skip


def lines(found: dict[str, Any], verdicts: Any, table: Any, figures: Any) -> list[str]:
    """The section, with what it says of targets."""
    workers, ours, baseline = found["workers"], found["ours"], found["baseline"]
    rows = [[f"ADE20K to COCO, {found['count']} copies, {n} worker(s)", *figures(runs)] for n, runs in workers.items()]
    rows.append([f"`formatspec validate`, {found['items']:,} ADE-like items, one worker", *figures(ours)])
    rows.append(["the baseline: scandir, read every byte, `orjson.loads`", *figures(baseline)])
    if all(runs.walls for runs in workers.values()):
        ratio = statistics.median(a / b for a, b in zip(workers[1].walls, workers[2].walls, strict=True))
        verdicts.say("Two workers: at least 1.7 times one", f"{ratio:.2f} times", ratio >= 1.7, "workers")
    if ours.walls and baseline.walls:
        ratio = ours.wall / baseline.wall
        said = f"{ratio:.1f} times ({found['items']:,} items)"
        verdicts.say("Validation of 20,000 items: at most 5 times reading them", said, ratio <= 5, "validate")
    return ["## Workers, validation", "", *table(["job", "wall, s", "processor, s", "peak, MiB"], rows)]
