"""Ray on this machine beside as many processes, each beyond its start-up."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from ade_to_coco import copies
from measure import Runs

FEW, MANY = 40, 400
"""Copies of the item: what the larger dataset takes longer than the smaller is beyond start-up."""
ENGINES = ("processes", "ray")
WORKERS = 2
LIMIT = 1.2


def install(root: Path) -> tuple[Path | None, str]:
    """The Python of an environment with Ray, or why there is none."""
    python = root / ".venvs" / "cluster" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
    command = [str(python), "-m", "pip", "install", "-q", "-e", f"{root}[ray]"]
    done = subprocess.run(command, capture_output=True, text=True)
    return (python, "") if not done.returncode else (None, "Ray does not install")


def measure(bench: Any, item: Path, root: Path) -> dict[str, Any]:
    """The figures, in turn: of each engine, few copies and many."""
    python, why = install(root)
    sizes = (32, 64) if bench.quick else (FEW, MANY)
    runs = {(engine, size): Runs() for size in sizes for engine in ENGINES}
    if python is not None:
        for size in sizes:
            copies(item, bench.work / f"ade-{size}", size)
        env = {**os.environ, **bench.env, "RAY_DEDUP_LOGS": "0"}
        for _ in range(bench.rounds):
            for (engine, size), one in runs.items():
                words = ["convert", "ade20k2020", str(bench.work / f"ade-{size}"), "--to", "coco"]
                words += ["--workers", str(WORKERS), "--engine", engine, "-o", str(bench.out())]
                one.add([str(python), "-m", "formatspec.cli.main", *words], env)
    return {"sizes": sizes, "runs": runs, "why": why}


def lines(found: dict[str, Any], verdicts: Any, table: Any, figures: Any) -> list[str]:
    """The section, with what it says of the target."""
    few, many = found["sizes"]
    runs = found["runs"]
    rows = [[f"ADE20K to COCO, {size} copies, {engine}", *figures(one)] for (engine, size), one in runs.items()]
    if all(one.walls for one in runs.values()):
        beyond = {
            engine: statistics.median(
                b - a for a, b in zip(runs[engine, few].walls, runs[engine, many].walls, strict=True)
            )
            for engine in ENGINES
        }
        ratio = beyond["ray"] / beyond["processes"]
        said = f"{ratio:.2f} times ({beyond['ray']:.1f} against {beyond['processes']:.1f} s for {many - few} items)"
        verdicts.say("Ray on one machine: within 20 % of processes beyond its start-up", said, ratio <= LIMIT, "ray")
    return [
        "## Ray", "", found["why"] or f"{WORKERS} workers each, Ray begun anew by every command.", "",
        *table(["job", "wall, s", "processor, s", "peak, MiB"], rows),
    ]  # fmt: skip
