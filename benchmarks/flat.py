"""Memory with more items: the same jobs on a thousand, ten thousand and a hundred thousand of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import small
from measure import Runs

SIZES = (1_000, 10_000, 100_000)
OBJECTS, FEW = 20, 5
"""Objects of an image, for the jobs that have two million of them in the end, and for those that are slower."""
YOLO = ["--to", "yolo_ultralytics", "--media", "none", "-O", "task=detect"]
Job = tuple[str, str, list[str], int]
"""What the page calls it, the dataset, the command, the workers."""
LARGE = "convert coco to yolo_ultralytics"
JOBS: tuple[Job, ...] = (
    ("validate image_masks", "masks", ["validate", "image_masks"], 1),
    ("convert image_masks to itself", "masks", ["convert", "image_masks", "--to", "image_masks"], 1),
    ("convert image_masks to coco", "masks", ["convert", "image_masks", "--to", "coco"], 1),
    ("convert image_masks to coco, two workers", "masks", ["convert", "image_masks", "--to", "coco"], 2),
    ("validate coco", "boxes", ["validate", "coco"], 1),
    (LARGE, "boxes", ["convert", "coco", *YOLO], 1),
    ("convert coco to yolo_ultralytics, two workers", "boxes", ["convert", "coco", *YOLO], 2),
    ("convert coco to datumaro", "few boxes", ["convert", "coco", "--to", "datumaro"], 1),
)

Found = dict[str, dict[int, Runs]]
"""The figures of each job by the number of items."""


def _made(kind: str, out: Path, items: int) -> Path:
    if kind == "masks":
        return small.masks(out, items)
    return small.boxes(out, items, OBJECTS if kind == "boxes" else FEW)


def measure(bench: Any) -> Found:
    """One round, for memory hardly varies."""
    found: Found = {name: {} for name, *_ in JOBS}
    for size in (200, 1_000) if bench.quick else SIZES:
        for kind in dict.fromkeys(kind for _, kind, *_ in JOBS):
            data = _made(kind, bench.work / f"{kind.replace(' ', '-')}-{size}", size)
            for name, of, (verb, spec, *rest), workers in JOBS:
                if of == kind:
                    runs = found[name][size] = Runs()
                    bench.ours(runs, verb, spec, str(data), *rest, writes=verb == "convert", workers=workers)
            shutil.rmtree(data)
    return found


def lines(found: Found, verdicts: Any, table: Any) -> list[str]:
    """The section, with what it says of targets."""
    sizes = list(next(iter(found.values())))
    rows = []
    for name, by_size in found.items():
        failed = next((runs.failed for runs in by_size.values() if runs.failed), "")
        if failed:
            rows.append([name, f"failed: {failed}", *[""] * (len(sizes) + 1)])
            continue
        peaks = [by_size[size].peak for size in sizes]
        growth = peaks[-1] - peaks[0]
        rows.append([name, *(f"{peak:.0f}" for peak in peaks), f"{growth:+.0f}", f"{by_size[sizes[-1]].wall:.1f}"])
        target = f"Flat: `{name}` grows by less than 20 % or 64 MiB from {sizes[0]:,} to {sizes[-1]:,} items"
        verdicts.say(target, f"{growth:+.0f} MiB", growth < max(64.0, 0.2 * peaks[0]), "flat")
    large = found[LARGE][sizes[-1]]
    if large.walls:
        objects = sizes[-1] * OBJECTS
        said = f"{large.peak:.0f} MiB for {objects:,}"
        verdicts.say("2,000,000 COCO annotations in under 1 GiB", said, large.peak < 1024, "large")
    head = ["job", *(f"{size:,} items, MiB" for size in sizes), "growth, MiB", f"{sizes[-1]:,} items, s"]
    about = (
        f"Made-up items: images of {small.SIDE} × {small.SIDE} pixels beside masks, or COCO boxes, {OBJECTS} an image "
        f"({FEW} for Datumaro's target). One round."
    )
    return ["## Memory with more items", "", about, "", *table(head, rows)]
