#!/usr/bin/env python3
"""ADE20K to COCO with images, from S3 to S3 beside disk to disk: bytes, requests, time, memory.

    python benchmarks/remote.py [--files 2000] [--rounds 3]

The server of buckets runs on this machine and shares its processors: the time from S3 to S3 is mostly its own. With
a delay before each answer the same requests show how far latency is hidden.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import sample
from measure import Runs

ROOT = Path(__file__).resolve().parent.parent
SPEC, TARGET = "ade20k2020", "coco"
FILES_AN_ITEM = 5
DELAY = 20
"""Milliseconds before each answer of the slow server: a store of the same region, at its slower."""
MANIFEST = ".formatspec.json"
AT_MOST = 1.2
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
REQUEST = re.compile(r'"(?:\x1b\[[\d;]*m)*(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP')


@dataclass
class Far:
    """One round trip through a server: its runs, and the requests of the last."""

    delay: int
    runs: Runs = field(default_factory=Runs)
    requests: int = 0
    read: int = 0
    written: int = 0
    same: bool = False

    @property
    def ratio(self) -> float:
        """Requests for each file read or written."""
        return self.requests / max(self.read + self.written, 1)


@contextmanager
def buckets(delay: int, log: Path) -> Iterator[str]:
    """A server with an empty bucket; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as stream:
        command = [sys.executable, str(Path(__file__).with_name("buckets.py")), str(port), str(delay)]
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def upload(store: Any, folder: Path, place: str) -> None:
    store.pipe({f"{place}/{name}": data for name, data in contents(folder).items()})


def convert(data: str, out: str) -> list[str]:
    command = [sys.executable, "-m", "formatspec.cli.main", "convert", SPEC, data, "--to", TARGET]
    return [*command, "-o", out, "--overwrite"]


def far(data: Path, expected: dict[str, bytes], delay: int, rounds: int, work: Path, env: dict[str, str]) -> Far:
    """S3 to S3, so many rounds."""
    import s3fs

    found = Far(delay)
    log = work / f"log-{delay}"
    with buckets(delay, log) as url:
        store = s3fs.S3FileSystem(key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"], endpoint_url=url)
        store.mkdir("bench")
        upload(store, data, "bench/data")
        for number in range(rounds):
            before = len(REQUEST.findall(log.read_text()))
            command = convert("s3://bench/data", f"s3://bench/out-{number}")
            found.runs.add(command, {**env, **KEYS, "AWS_ENDPOINT_URL": url})
            requests = REQUEST.findall(log.read_text())[before:]
        store.invalidate_cache()
        place = f"bench/out-{rounds - 1}"
        # One by one: `cat` of many takes brackets in names for patterns.
        out = {name.removeprefix(f"{place}/"): store.cat_file(name) for name in store.find(place)}
        found.same = bool(out.pop(MANIFEST, b"")) and out == expected
        found.requests, found.written = len(requests), len(out)
        found.read = len({p for method, p in requests if method == "GET" and "list-type" not in p})
    return found


def measure(work: Path, env: dict[str, str], count: int = 2000, rounds: int = 3) -> tuple[int, Runs, list[Far]]:
    """The number of files, disk to disk, and S3 to S3 with each delay."""
    data = sample(SPEC, work / "remote-data", count // FILES_AN_ITEM)
    near = Runs()
    for _ in range(rounds):
        near.add(convert(str(data), str(work / "remote-out")), env)
    expected = contents(work / "remote-out")
    rows = [far(data, expected, delay, rounds if not delay else 1, work, env) for delay in (0, DELAY)]
    return len(contents(data)), near, rows


def lines(files: int, near: Runs, rows: list[Far]) -> list[str]:
    """The figures as a Markdown table."""
    head = ["", "wall, s", "processor, s", "peak, MiB", "requests", "files read", "written", "requests a file", "bytes"]
    table = [[f"disk to disk, {files:,} files", f"{near.wall:.2f}", f"{near.cpu:.2f}", f"{near.peak:.0f}", *[""] * 5]]
    for row in rows:
        name = f"S3 to S3{f', {row.delay} ms before each answer' if row.delay else ''}"
        if row.runs.failed:
            table.append([name, f"failed: {row.runs.failed}", *[""] * 7])
            continue
        table.append(
            [name, f"{row.runs.wall:.2f}", f"{row.runs.cpu:.2f}", f"{row.runs.peak:.0f}", f"{row.requests:,}",
             f"{row.read:,}", f"{row.written:,}", f"{row.ratio:.3f}", "the same" if row.same else "**other**"]
        )  # fmt: skip
    return [
        f"| {' | '.join(head)} |",
        "|---" + "|--:" * (len(head) - 1) + "|",
        *(f"| {' | '.join(r)} |" for r in table),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as work:
        files, near, rows = measure(Path(work), env, asked.files, asked.rounds)
    print("\n".join(lines(files, near, rows)))
    if not all(row.same and row.ratio <= AT_MOST for row in rows):
        sys.exit(f"other bytes, or more than {AT_MOST} requests a file")


if __name__ == "__main__":
    main()
