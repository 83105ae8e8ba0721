#!/usr/bin/env python3
"""ADE20K to COCO beyond start-up: processor time on 30 copies of the real item less that on one, over 29.

    FORMATSPEC_DATA=… FORMATSPEC_YARDSTICKS=… python benchmarks/ade_to_coco.py [TARGET]

Prints it beside the floor (the yardstick that decodes and run-length encodes the same masks and does nothing
else), medians of several rounds taken in turn.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

COPIES, ROUNDS = 30, 5
ITEM = "ADE20K_2021_17_01/images/ADE/training/urban/street"


def copies(item: Path, folder: Path, count: int) -> None:
    """`count` copies of a real item, each under a name of its own."""
    base = next(item.glob("*.json")).stem
    place = folder / "training" / "urban" / "street"
    for number in range(count):
        name = f"ADE_train_{number:08d}"
        (place / name).mkdir(parents=True)
        for file in sorted(item.rglob("*")):
            if file.is_file():
                target = place / str(file.relative_to(item)).replace(base, name)
                if file.suffix == ".json":
                    target.write_text(file.read_text().replace(base, name))
                else:
                    shutil.copyfile(file, target)


def seconds(command: list[str]) -> float:
    """Processor seconds of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def floor_seconds(floor: Path, data: Path) -> float:
    """Processor seconds of the floor for one item, as the yardstick prints them."""
    said = subprocess.run([sys.executable, str(floor), str(data)], check=True, capture_output=True, text=True)
    found = re.match(r"([\d.]+) s", said.stdout)
    assert found is not None
    return float(found[1])


def beyond_startup(one: float, many: float) -> float:
    """Processor seconds an item, start-up taken away."""
    return (many - one) / (COPIES - 1)


def main(target: str) -> None:
    data = Path(os.environ["FORMATSPEC_DATA"]) / "ade20k-real"
    floor = Path(os.environ["FORMATSPEC_YARDSTICKS"]) / "ade_floor.py"
    item = data / ITEM
    with tempfile.TemporaryDirectory() as work:
        one, many = Path(work) / "one", Path(work) / "many"
        copies(item, one, 1)
        copies(item, many, COPIES)
        ours, floors = [], []
        for _ in range(ROUNDS):
            times = []
            for source in (one, many):
                out = Path(work) / "out"
                shutil.rmtree(out, ignore_errors=True)
                command = [sys.executable, "-m", "formatspec.cli.main", "convert", "ade20k2020", str(source)]
                times.append(seconds([*command, "--to", target, "-o", str(out)]))
            ours.append(beyond_startup(*times))
            floors.append(floor_seconds(floor, data))
    mine, least = statistics.median(ours), statistics.median(floors)
    print(f"to {target}: {mine:.3f} s an item; floor {least:.3f} s; ratio {mine / least:.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "coco")
