#!/usr/bin/env python3
"""Measure formatspec beside its peers, in turn, and write docs/performance.md.

    FORMATSPEC_DATA=… FORMATSPEC_YARDSTICKS=… python benchmarks/run.py [--rounds 3] [--quick]

Without the two variables the datasets are generated, and what needs a yardstick (the floor, the peers) is left out
and named on the page. `--quick`: one round, less data, and no Datumaro on ADE20K.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import clustered
import flat
import page
import remote
import scale
from ade_to_coco import COPIES, beyond_startup, floor_seconds
from data import PEER_COPIES, ade, coco, yardstick
from environment import WANTED, install
from measure import Runs, busy_seconds, own_seconds, run

ROOT = Path(__file__).resolve().parent.parent
OURS = "formatspec"
TWO = "formatspec, two workers"
ITSELF = ["--to", "ade20k2020"]
CONVERSIONS = {
    "to coco": ["--to", "coco"],
    "to voc": ["--to", "voc"],
    "to itself": ITSELF,
    "to itself, encoded anew": [*ITSELF, "--where", "true"],
}
PEER_JOBS = {"ade-coco": "`-f coco`", "ade-coco-instances": "`-f coco_instances`", "ade-voc": "`-f voc`"}
YOLO = ["--to", "yolo_ultralytics", "--media", "none", "-O", "task=detect"]


class Bench:
    """One side-by-side run: where it works, what it runs, how often."""

    def __init__(self, work: Path, rounds: int, slow_rounds: int, quick: bool) -> None:
        self.work, self.rounds, self.slow_rounds, self.quick = work, rounds, slow_rounds, quick
        compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.env = {**compiled, "PYTHONPATH": str(ROOT)}  # as installed packages are: compiled once
        os.environ["PYTHONPATH"] = str(ROOT)
        self.script = yardstick("peers.py")
        listed = yardstick("peers.txt") if self.script else None
        self.outs = 0
        self.python, self.there, self.absent = install(ROOT / ".venvs" / "bench", listed)

    def out(self) -> Path:
        """An output folder that is not there.  Old ones stay: after a deletion ext4 is slow to make new files for
        minutes, since it passes over every place in its tables that was freed a short time ago."""
        self.outs += 1
        os.sync()
        return self.work / f"out-{self.outs}"

    def ours(self, runs: Runs, *arguments: str, writes: bool = False, workers: int = 1) -> None:
        """One round of formatspec."""
        command = [sys.executable, "-m", "formatspec.cli.main", *arguments]
        if arguments[0] in ("convert", "validate"):
            command += ["--workers", str(workers)]
        runs.add([*command, "-o", str(self.out())] if writes else command, self.env)

    def peer(self, runs: Runs, name: str, job: str, data: Path) -> None:
        """One round of a peer, in its own environment."""
        runs.add([str(self.python), str(self.script), name, job, str(data), str(self.out())])

    def ade20k(self) -> dict[str, object]:
        """30 copies of the item to COCO, VOC and itself; the floor; Datumaro on 3 copies."""
        item, made, real = ade(self.work)
        floor = yardstick("ade_floor.py")
        one = {name: Runs() for name in CONVERSIONS}
        many = {name: Runs() for name in CONVERSIONS}
        peers = {job: Runs() for job in PEER_JOBS} if "datumaro" in self.there and not self.quick else {}
        started, floors = Runs(), []
        for number in range(self.rounds):
            for name, arguments in CONVERSIONS.items():
                self.ours(one[name], "convert", "ade20k2020", str(made[1]), *arguments, writes=True)
                self.ours(many[name], "convert", "ade20k2020", str(made[COPIES]), *arguments, writes=True)
            if floor:
                floors.append(floor_seconds(floor, item))
            for job, runs in peers.items() if number < self.slow_rounds else ():
                self.peer(runs, "datumaro", job, made[PEER_COPIES])
            if peers:
                started.add([str(self.python), "-c", "from datumaro import Dataset"])
        beyond = {
            name: [beyond_startup(*pair) for pair in zip(one[name].cpus, many[name].cpus, strict=True)] for name in one
        }
        return {
            "item": item,
            "real": real,
            "many": many,
            "beyond": beyond,
            "floors": floors,
            "peers": peers,
            "started": started,
            "one": made[1],
        }

    def yolo(self) -> dict[str, object]:
        """COCO to YOLO beside the peers, and once ten times the data."""
        images = 1000 if self.quick else 5000
        data = coco(self.work / "coco", images)
        contenders = {name: Runs() for name in (OURS, TWO, *WANTED) if name in (OURS, TWO) or name in self.there}
        for _ in range(self.rounds):
            for name, runs in contenders.items():
                if name in (OURS, TWO):
                    self.ours(runs, "convert", "coco", str(data), *YOLO, writes=True, workers=1 + (name == TWO))
                else:
                    self.peer(runs, name, "coco-yolo", data)
        tenfold = Runs()
        if not self.quick:
            big = coco(self.work / "coco-tenfold", 10 * images)
            self.ours(tenfold, "convert", "coco", str(big), *YOLO, writes=True)
            shutil.rmtree(big)
        return {"images": images, "contenders": contenders, "tenfold": tenfold}

    def startup(self, one: Path) -> dict[str, Runs]:
        """The commands of a newcomer."""
        jobs = {"`formatspec --help`": ["--help"], "`formatspec validate` of one item": ["validate", str(one)]}
        runs = {name: Runs() for name in jobs}
        for _ in range(max(self.rounds, 5)):
            for name, arguments in jobs.items():
                self.ours(runs[name], *arguments)
        return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-rounds", type=int, default=1, help="rounds of Datumaro on ADE20K, minutes each")
    parser.add_argument("--quick", action="store_true", help="one round, less data, no Datumaro on ADE20K")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "performance.md")
    asked = parser.parse_args()
    rounds = 1 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(Path(work), rounds, asked.slow_rounds, asked.quick)
        run([sys.executable, "-m", "formatspec.cli.main", "--help"], bench.env)  # compiles what is not compiled yet
        load = os.getloadavg()[0]
        start, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
        measured = {"ade": bench.ade20k()}
        print("ADE20K done", file=sys.stderr)
        measured["yolo"] = bench.yolo()
        print("COCO to YOLO done", file=sys.stderr)
        measured["startup"] = bench.startup(measured["ade"]["one"])
        measured["scale"] = scale.measure(bench, measured["ade"]["item"])
        print("workers, validation done", file=sys.stderr)
        measured["ray"] = clustered.measure(bench, measured["ade"]["item"], ROOT)
        print("Ray done", file=sys.stderr)
        measured["flat"] = flat.measure(bench)
        print("memory with more items done", file=sys.stderr)
        measured["remote"] = remote.measure(Path(work), bench.env, rounds=rounds)
        spent = time.perf_counter() - start
        others = max(0.0, busy_seconds() - busy - (own_seconds() - own)) / spent
    about = page.About(rounds, asked.quick, load, others, spent, bench.there, bench.absent, ROOT)
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(page.render(about, measured))
    print(f"wrote {asked.out.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
