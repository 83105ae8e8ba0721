#!/usr/bin/env python3
"""Compare what two checkouts do with the same datasets: bytes, findings, losses, console text and exit codes.

    python tools/compare BASE [OTHER] [--only SPEC,…] [--seeds N] [--keep]

BASE and OTHER are commits, or folders of checkouts; OTHER is by default the working tree of this script.  BASE makes
samples of every spec; they, the specs' examples, and broken copies of the samples are given to both sides.  Each side
validates, dumps, detects and converts them in a process of its own.  If all is equal, one line counts what was run and
the exit status is 0; else every command that differs is listed and the status is 1.  Status 2: it could not be run.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from differences import Side, differences, read_records
from plan import Job, add_archives, add_broken, add_examples, jobs_for, samples, specs_of

ROOT = Path(__file__).resolve().parent.parent.parent
TAKEN = ("formatspec", "specs", "pyproject.toml")
"""What is taken of a checkout."""


class CannotCompareError(Exception):
    """A side is not there, or does not run."""


def take(side: str, folder: Path) -> None:
    """Copy what a side is made of to a folder, so that it stays as it is while it runs.

    Args:
        side: A commit of this repository, or a folder.
        folder: Where to; it is made.

    Raises:
        CannotCompareError: There is no such commit or folder.
    """
    folder.mkdir(parents=True)
    if Path(side).is_dir():
        if not (Path(side) / "pyproject.toml").is_file():
            raise CannotCompareError(f"{side} is no checkout: it has no pyproject.toml")
        for name in TAKEN:
            path = Path(side) / name
            if path.is_dir():
                shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif path.exists():
                shutil.copy(path, folder / name)
        return
    done = subprocess.run(["git", "archive", side, "--", *TAKEN], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise CannotCompareError(f"{side} is neither a folder nor a commit: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


class Runner:
    """A side that runs jobs, in a process of its own."""

    def __init__(self, label: str, checkout: Path, work: Path) -> None:
        self.label = label
        self.checkout = checkout
        self.work = work
        work.mkdir(parents=True)

    def start(self, jobs: Sequence[Job]) -> subprocess.Popen[bytes]:
        """Begin to run jobs."""
        (self.work / "jobs.json").write_text(json.dumps([asdict(job) for job in jobs]), encoding="utf-8")
        temporary = self.work / "tmp"
        temporary.mkdir(exist_ok=True)
        fixed = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "100", "NO_COLOR": "1", "PYTHONHASHSEED": "0"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FORMATSPEC_")}
        environment = {**kept, **fixed, "PYTHONPATH": str(self.checkout), "TMPDIR": str(temporary)}
        command = [sys.executable, "-P", str(Path(__file__).with_name("side.py"))]
        command += [str(self.checkout), "jobs.json", "records.jsonl"]
        with (self.work / "log").open("wb") as log:
            return subprocess.Popen(command, cwd=self.work, env=environment, stdout=log, stderr=log)

    def finish(self, process: subprocess.Popen[bytes]) -> Side:
        """Wait for the end, and read what was noted.  Raises CannotCompareError if the side broke off."""
        if process.wait():
            log = (self.work / "log").read_text(encoding="utf-8", errors="replace").strip()
            raise CannotCompareError(f"{self.label} broke off with status {process.returncode}:\n{log}")
        return Side(self.label, self.checkout, self.work, read_records(self.work / "records.jsonl"))


def make_datasets(base: Runner, data: Path, specs: Sequence[str], seeds: int) -> None:
    """Make all datasets with BASE.  Raises CannotCompareError where it cannot make a sample."""
    made = base.finish(base.start(samples(specs, seeds))).records
    for name, record in made.items():
        if record["exit code"]:
            raise CannotCompareError(f"{base.label}, {name}: status {record['exit code']}\n{record['stderr']}")
    add_examples(base.checkout, data, specs)
    add_broken(base.checkout, data, specs, seeds)
    add_archives(data, specs)


def compare(base: str, other: str, only: Sequence[str], seeds: int, run: Path) -> int:
    """Run both sides below a folder and print what differs; gives the exit status."""
    labels = [base, "here" if other == str(ROOT) else other]
    if labels[0] == labels[1]:
        labels[1] += " (again)"
    runners = []
    for name, side, label in zip(("base", "other"), (base, other), labels, strict=True):
        take(side, run / f"checkout-{name}")
        runners.append(Runner(label, run / f"checkout-{name}", run / name))
    try:
        specs = specs_of(runners[0].checkout, only)
    except ValueError as error:
        raise CannotCompareError(str(error)) from None
    data = run / "data"
    data.mkdir()
    make_datasets(runners[0], data, specs, seeds)
    jobs = jobs_for(data, specs)
    processes = [runner.start(jobs) for runner in runners]
    try:
        sides = [runner.finish(process) for runner, process in zip(runners, processes, strict=True)]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return tell(sides[0], sides[1], specs, data)


def tell(base: Side, other: Side, specs: Sequence[str], data: Path) -> int:
    """Print what differs, or that nothing does; gives the exit status."""
    differing = Counter[str]()
    for name, lines in differences(base, other):
        differing[name.partition(":")[0]] += 1
        print(name, *lines, sep="\n")
    broken = sum(1 for _ in data.glob("*/broken*"))
    whole = sum(1 for path in data.glob("*/*") if path.is_dir() and path.name != "specs") - broken
    counts = Counter(str(made["exit code"]) for made in base.records.values())
    codes = ", ".join(f"{count:,} ended with {code}" for code, count in sorted(counts.items()))
    files = sum(len(made["files"]) for made in base.records.values())
    ran = (
        f"{len(base.records):,} commands ({codes}) on {whole:,} whole and {broken:,} broken datasets of "
        f"{len(specs)} specs, {files:,} files written"
    )
    if not differing:
        print(f"no difference: {ran}")
        return 0
    print(f"{differing.total():,} differ, of {ran}: " + ", ".join(f"{n} {c:,}" for n, c in sorted(differing.items())))
    return 1


def main() -> int:
    """Read the arguments, compare, and remove what was made."""
    parser = argparse.ArgumentParser(prog="compare", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("base", help="a commit, or the folder of a checkout; it makes the datasets")
    parser.add_argument("other", nargs="?", default=str(ROOT), help="likewise; default: the working tree")
    parser.add_argument("--only", default="", metavar="SPEC,…", help="these specs; default: all that BASE has")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="samples of each spec (default: 2)")
    parser.add_argument("--keep", action="store_true", help="keep the folder below build/ with what both wrote")
    given = parser.parse_args()
    if given.seeds < 1:
        parser.error(f"--seeds {given.seeds}: at least one sample is needed")
    (ROOT / "build").mkdir(exist_ok=True)
    run = Path(tempfile.mkdtemp(prefix="compare-", dir=ROOT / "build"))
    try:
        return compare(given.base, given.other, [name for name in given.only.split(",") if name], given.seeds, run)
    except CannotCompareError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if given.keep:
            print(f"kept: {run}", file=sys.stderr)
        else:
            shutil.rmtree(run)


if __name__ == "__main__":
    sys.exit(main())
