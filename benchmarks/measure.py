"""Whole processes, measured: wall and processor time, and the peak memory of the process and all it starts."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY, SEVERAL = 0.02, 0.2


class FailedError(Exception):
    """A measured command did not end well; the last line of what it said."""


def without_folders(text: str) -> str:
    """A text whose whole paths are shortened to their last names, since they tell of this machine alone."""
    return re.sub(r"(?:/[\w.+-]+)+/(?=[\w.+-])", "", text)


@dataclass
class Runs:
    """The rounds of one contender; every figure is their median, memory their maximum."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    failed: str = ""

    @property
    def wall(self) -> float:
        return statistics.median(self.walls)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpus)

    @property
    def peak(self) -> float:
        return max(self.peaks)

    def add(self, command: list[str], env: dict[str, str] | None = None) -> None:
        """One more round, unless an earlier one failed."""
        if self.failed:
            return
        try:
            wall, cpu, peak = run(command, env)
        except FailedError as error:
            self.failed = without_folders(str(error))
            return
        self.walls.append(wall)
        self.cpus.append(cpu)
        self.peaks.append(peak)


def tree_of(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += tree_of(int(child))
    except OSError:
        pass
    return found


def tree_bytes(pids: list[int]) -> int:
    """Bytes that processes have in memory: of one all that is resident; of several what each has alone, and its share
    of what they have together (the kernel's proportional set size)."""
    total = 0
    for pid in pids:
        try:
            if len(pids) == 1:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            else:
                told = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += 1024 * int(told.partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):
            continue
    return total


def run(command: list[str], env: dict[str, str] | None = None) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak MiB.

    The peak is the larger of what the system recorded for the largest single process (exact, and never less than this
    process has itself, which must stay small) and of the sums over the tree, looked at fifty times a second, or five
    times where there are several: that takes the kernel milliseconds.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, env=env)
        seen, done = [0], threading.Event()

        def watch() -> None:
            pids = [process.pid]
            while not done.wait(EVERY if len(pids) == 1 else SEVERAL):
                pids = tree_of(process.pid)
                seen[0] = max(seen[0], tree_bytes(pids))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        done.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise FailedError(lines[-1] if lines else f"exit {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, max(seen[0], usage.ru_maxrss * 1024) / 2**20


def busy_seconds() -> float:
    """Processor seconds that the whole machine has worked since it started."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor seconds of this process and those it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
