#!/usr/bin/env python3
"""Measure conversions and validations of boxes beside the peers, in turn, and write docs/performance_matrix.md.

    FORMATSPEC_YARDSTICKS=… python benchmarks/matrix.py [--images 5000] [--larger 50000] [--rounds 3] [-o PAGE]

Each job runs as a whole process with one worker.  With `--larger`, each job runs once more on a larger dataset, beside
panlabel alone, to see how time and memory grow.  The datasets of the other formats are what formatspec makes of the
COCO dataset.  Without the yardsticks there is no peer, and the page says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import page
from data import yardstick
from environment import install
from measure import Runs, busy_seconds, own_seconds, run
from small import boxes

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "coco": "coco", "yolo": "yolo_ultralytics", "voc": "voc", "cvat": "cvat_images", "openimages": "open_images",
    "datumaro": "datumaro", "labelme": "labelme",
}  # fmt: skip
"""formatspec's names of the formats, by those of the peers' script."""
OBJECTS = 20
"""Boxes of each image."""
OPTIONS = {"yolo": ["-O", "task=detect"]}
JOBS = [
    ("coco", "yolo"), ("coco", "voc"), ("coco", "cvat"), ("coco", "openimages"), ("coco", "datumaro"),
    ("coco", "labelme"), ("yolo", "coco"), ("voc", "coco"), ("cvat", "coco"), ("openimages", "coco"),
    ("coco", "validate"), ("yolo", "validate"), ("voc", "validate"),
]  # fmt: skip
PEERS = {
    "panlabel": ("coco", "yolo", "voc", "cvat", "openimages", "datumaro", "labelme", "validate"),
    "labelformat": ("coco", "yolo", "voc"),
    "globox": ("coco", "yolo", "voc", "cvat", "labelme"),
    "datumaro": ("coco", "yolo", "voc", "cvat", "datumaro", "labelme"),
}
"""The formats that each peer's part of the script takes; any pair of them is tried."""


@dataclass
class Job:
    """One conversion or validation: our rounds, and those of each peer."""

    source: str
    target: str
    ours: Runs = field(default_factory=Runs)
    peers: dict[str, Runs] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"validate {self.source}" if self.target == "validate" else f"{self.source} → {self.target}"

    def ratio(self, *names: str) -> tuple[float, str] | None:
        """Our processor time over that of the fastest of some peers, and which that is; None where none ran."""
        ran = {name: runs for name, runs in self.peers.items() if name in names and runs.cpus and not runs.failed}
        if not ran or not self.ours.cpus:
            return None
        best = min(ran, key=lambda name: ran[name].cpu)
        return self.ours.cpu / ran[best].cpu, best


class Matrix:
    """Where the datasets lie, and how each contender is called."""

    def __init__(self, work: Path, images: int) -> None:
        self.work = work
        compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.env = {**compiled, "PYTHONPATH": str(ROOT)}
        self.script = yardstick("peers_matrix.py")
        listed = yardstick("peers.txt") if self.script else None
        self.python, self.there, self.absent = install(ROOT / ".venvs" / "bench", listed)
        self.data = {"coco": boxes(work / "coco", images, OBJECTS)}
        self.outs = 0

    def prepare(self) -> None:
        """Make the dataset of each source format of the COCO dataset; with pictures, since some tools open them."""
        for name in dict.fromkeys(source for source, _ in JOBS if source != "coco"):
            self.data[name] = self.work / name
            run([*self._ours("coco", name, media="link"), "-o", str(self.data[name])], self.env)

    def jobs(self, peers: Iterable[str] = tuple(PEERS)) -> Iterator[Job]:
        """Yield the jobs, each with those of some peers that take both of its formats."""
        for source, target in JOBS:
            job = Job(source, target)
            job.peers = {
                name: Runs() for name in peers
                if name in self.there and source in PEERS[name] and target in PEERS[name]
            }  # fmt: skip
            yield job

    def round(self, job: Job) -> None:
        """Run every contender of a job once."""
        out = self._out()
        command = self._ours(job.source, job.target)
        job.ours.add(command if job.target == "validate" else [*command, "-o", str(out)], self.env)
        for name, runs in job.peers.items():
            runs.add(
                [str(self.python), str(self.script), name, job.source, job.target, str(self.data[job.source]),
                 str(self._out())]
            )  # fmt: skip
        for folder in self.work.glob("out-*"):
            shutil.rmtree(folder)  # a larger dataset fills a tmpfs

    def _ours(self, source: str, target: str, media: str = "none") -> list[str]:
        start = [sys.executable, "-m", "formatspec.cli.main"]
        data = str(self.data[source])
        if target == "validate":
            return [*start, "validate", OURS[source], data, "--workers", "1"]
        kept = OPTIONS.get(target, [])
        return [*start, "convert", OURS[source], data, "--to", OURS[target], "--media", media, "--workers", "1", *kept]

    def _out(self) -> Path:
        self.outs += 1
        return self.work / f"out-{self.outs}"


def growth(jobs: list[Job], larger: list[Job], images: int, many: int) -> list[str]:
    """The part of the page about a larger dataset: how time and memory grow, and the ratio to the native peer."""
    rows = []
    for small, large in zip(jobs, larger, strict=True):
        if not small.ours.cpus or not large.ours.cpus:
            continue
        native = large.ratio("panlabel")
        rows.append(
            [
                small.name, f"{large.ours.cpu:.1f}", f"{large.ours.cpu / small.ours.cpu:.1f}",
                f"{small.ours.peak:.0f}", f"{large.ours.peak:.0f}", f"{native[0]:.1f}" if native else "none runs",
            ]
        )  # fmt: skip
    head = [
        "job",
        "processor s",
        f"times those of {images:,}",
        f"peak of {images:,}, MiB",
        "peak, MiB",
        "over panlabel",
    ]
    return [f"## {many:,} images", "", "One round, beside panlabel alone.", "", *page.table(head, rows)]


def render(
    jobs: list[Job], about: page.About, images: int, larger: list[Job] | None = None, many: int = 0
) -> str:  # fmt: skip
    """The page: the worst ratio to a Python peer first, then the larger dataset, then every figure."""
    python = ("labelformat", "globox", "datumaro")
    ranked = sorted(jobs, key=lambda job: -(job.ratio(*python) or (0.0, ""))[0])
    rows = []
    for job in ranked:
        own, native = job.ratio(*python), job.ratio("panlabel")
        rows.append(
            [
                job.name,
                *page.figures(job.ours)[1:],
                f"{own[0]:.2f} ({own[1]})" if own else "none runs",
                f"{native[0]:.1f}" if native else "none runs",
            ]
        )
    head = ["job", "ours, processor s", "peak, MiB", "ours over the best Python peer", "ours over panlabel (Rust)"]
    every = [
        [job.name, name, *page.figures(runs)]
        for job in jobs
        for name, runs in {"formatspec": job.ours, **job.peers}.items()
    ]
    behind = [job.name for job in ranked if (found := job.ratio(*python)) is not None and found[0] > 1]
    lines = [
        "# Performance beside other converters", "",
        f"Boxes of {images:,} images, {OBJECTS} objects each; whole processes, in turn; `--media none`; generated by",
        "`make bench-matrix`.  Figures are medians of processor time, start-up included; below 1 is faster.", "",
        *page.machine(about),
        "## Ratios, the worst first", "",
        *page.table(head, rows),
        f"Slower than the best Python peer: {', '.join(behind) or 'none'}.", "",
        *(growth(jobs, larger, images, many) if larger else ()),
        "## Every figure", "",
        *page.table(["job", "tool", "wall, s", "processor, s", "peak, MiB"], every),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--larger", type=int, default=0, help="images of a second dataset, measured once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="a folder for the data, on a tmpfs where there is one")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "performance_matrix.md")
    asked = parser.parse_args()
    place = asked.work or (Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None)
    with tempfile.TemporaryDirectory(dir=place) as work:
        matrix = Matrix(Path(work), asked.images)
        load, start, busy, own = os.getloadavg()[0], time.perf_counter(), busy_seconds(), own_seconds()
        matrix.prepare()
        jobs = list(matrix.jobs())
        for _ in range(asked.rounds):
            for job in jobs:
                matrix.round(job)
        larger: list[Job] = []
        if asked.larger:
            shutil.rmtree(work)
            Path(work).mkdir()
            matrix = Matrix(Path(work), asked.larger)
            matrix.prepare()
            larger = list(matrix.jobs(("panlabel",)))
            for job in larger:
                matrix.round(job)
        spent = time.perf_counter() - start
        others = max(0.0, busy_seconds() - busy - (own_seconds() - own)) / spent
    about = page.About(asked.rounds, False, load, others, spent, matrix.there, matrix.absent, ROOT)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(render(jobs, about, asked.images, larger, asked.larger))
    told = [job.ratio("labelformat", "globox", "datumaro") for job in jobs]
    ratios = [found[0] for found in told if found]
    print(f"wrote {asked.out.name}" + (f"; median ratio {statistics.median(ratios):.2f}" if ratios else ""))


if __name__ == "__main__":
    main()
