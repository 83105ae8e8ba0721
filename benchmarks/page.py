"""The page of figures: docs/performance.md."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clustered
import flat
import remote
import scale
from ade_to_coco import COPIES
from data import PEER_COPIES
from measure import Runs

# Where the time or the memory goes, said beside a target that is missed; from profiles of the same jobs.
WHERE = {
    "floor": "Beyond the floor: matching pixels with the document's objects, writing the JSON, copying the images.",
    "coco": "Ours spends it decoding instance masks and encoding run lengths.",
    "voc": "Ours spends it decoding the masks and encoding label images as PNG, which is deflate.",
    "itself": "Reading the documents and copying the files.",
    "ade memory": "Decoded masks of one item stand in memory together.",
    "yolo": (
        "A third is start-up and opening: imports, finding the rows, joining them. Reading is a quarter and writing a "
        "third, by functions generated for the specs but object by object; columns of a whole shard would be next."
    ),
    "yolo memory": "Imports and compiled specs; what a shard has made.",
    "tenfold": "One round; what grows beyond the data is not profiled yet.",
    "workers": "What is joined in one process, and the two cores share what else the machine does.",
    "validate": "A fifth is listing and indexing the files, a fifth reading documents, a fifth opening images, "
    "the rest imports, putting items together and checks: small steps of each item, with no large one left.",
    "large": "What is noted of items and rows while they are joined.",
    "start": (
        "Detection reads and compiles every spec (half of the time), the rest is imports; naming the spec avoids it."
    ),
    "ray": "What of a shard travels between processes, and what Ray does beside.",
    "remote": "The server's log says which requests were more than one a file.",
    "flat": "The listing of files, some 50 bytes a file, and what is noted while items are indexed.",
}


@dataclass
class About:
    """What the page says of the run itself."""

    rounds: int
    quick: bool
    load: float
    others: float
    spent: float
    there: dict[str, str]
    absent: dict[str, str]
    root: Path


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = [f"| {' | '.join(head)} |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def figures(runs: Runs) -> list[str]:
    """Wall and processor seconds and peak MiB, or why there are none."""
    if runs.failed or not runs.walls:
        return [f"failed: {runs.failed}" if runs.failed else "not run", "", ""]
    return [f"{runs.wall:.2f}", f"{runs.cpu:.2f}", f"{runs.peak:.0f}"]


def spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def estimate(seconds: float, started: float) -> float:
    """Seconds that COPIES items would take, of PEER_COPIES measured; start-up counts once."""
    return started + (seconds - started) * COPIES / PEER_COPIES


class Verdicts:
    """The table of targets."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def say(self, target: str, figure: str, met: bool, why: str, guess: str = "") -> None:
        """`guess` says what the figure is, where it is not the target's own measurement."""
        said = f"{'met' if met else '**missed**'}{f' by {guess}' if guess else ''}"
        self.rows.append([target, figure, said if met else f"{said}. {WHERE[why]}"])

    def render(self) -> list[str]:
        lines = ["| target | measured | |", "|---|---|---|"]
        return [*lines, *(f"| {' | '.join(row)} |" for row in self.rows), ""]


def machine(about: About) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    git = ["git", "-C", str(about.root)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "formatspec", "specs"], capture_output=True, text=True)
    others = f"{about.others:.2f} cores on average went to other work"
    busy = about.load > 1 or about.others > 0.25
    lines = [
        f"- {os.cpu_count()} cores ({platform.machine()}, virtual), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}",
        f"- formatspec at {commit or 'an unknown commit'}{' with changes' if changed.stdout.strip() else ''}, "
        "one worker",
        f"- rounds in turn: {about.rounds}; {about.spent / 60:.0f} minutes in all; warm file cache",
        f"- {'**measured on a busy machine**' if busy else 'a quiet machine'}: load average {about.load:.1f} at the "
        f"start, and {others}",
    ]
    if about.there:
        lines.append("- peers: " + ", ".join(f"{name} {version}" for name, version in about.there.items()))
    lines += [f"- {name} is left out: {why}" for name, why in about.absent.items()]
    return [*lines, ""]


def ade_section(ade: dict[str, Any], verdicts: Verdicts) -> list[str]:
    many, peers, started = ade["many"], ade["peers"], ade["started"]
    rows = [[f"formatspec {name}", *figures(runs), ""] for name, runs in many.items()]
    guess: dict[str, tuple[float, float]] = {}
    for job, runs in peers.items():
        label = job.replace("ade-", "").replace("-", "_")
        if runs.walls and started.walls:
            guess[job] = (estimate(runs.wall, started.wall), estimate(runs.cpu, started.cpu))
        told = "{:.0f}; {:.0f}".format(*guess[job]) if job in guess else ""
        rows.append([f"Datumaro `-f {label}`, {PEER_COPIES} items", *figures(runs), told])
    lines = [
        f"## ADE20K, {COPIES} copies of {'the real item' if ade['real'] else 'a generated item'}",
        "",
        "With images, whole processes.",
        "",
        *table(["job", "wall, s", "processor, s", "peak, MiB", f"estimate for {COPIES}: wall; processor, s"], rows),
    ]
    if started.walls:
        lines += [
            f"Datumaro ran on {PEER_COPIES} copies, not {COPIES}, in {len(next(iter(peers.values())).walls)} round(s): "
            f"it is slow. The estimate takes its start-up "
            f"({started.wall:.2f} s, its import alone) once and the rest {COPIES // PEER_COPIES} times.",
            "",
        ]
    beyond = {name: statistics.median(values) for name, values in ade["beyond"].items() if values}
    if beyond:
        rows = [[name, f"{value:.3f}", spread(ade["beyond"][name])] for name, value in beyond.items()]
        if ade["floors"]:
            rows.append(
                ["the floor: decode and run-length encode", f"{statistics.median(ade['floors']):.3f}", ""],
            )
        lines += ["Beyond start-up: processor time of 30 copies less that of one, over 29.", ""]
        lines += table(["job", "s an item", "rounds"], rows)
    if ade["real"] and ade["floors"] and "to coco" in beyond:
        ratio = beyond["to coco"] / statistics.median(ade["floors"])
        verdicts.say("ADE20K to COCO: at most 2 times the floor beyond start-up", f"{ratio:.2f}", ratio <= 2, "floor")
    for job, name, target, why, text in (
        ("ade-coco", "to coco", 100, "coco", "ADE20K to COCO: 100 times faster than Datumaro's `-f coco`"),
        ("ade-coco-instances", "to coco", 25, "coco", "ADE20K to COCO: 25 times faster than `coco_instances`"),
        ("ade-voc", "to voc", 20, "voc", "ADE20K to VOC: 20 times faster than Datumaro's VOC"),
        ("ade-voc", "to itself", 20, "itself", "ADE20K to itself, files copied: 20 times faster than Datumaro's VOC"),
    ):
        if job in guess and many[name].walls:
            wall, cpu = guess[job][0] / many[name].wall, guess[job][1] / many[name].cpu
            said = f"{wall:.0f} times; {cpu:.0f} in processor time (estimates)"
            verdicts.say(text, said, min(wall, cpu) >= target, why, "estimate")
    if "ade-coco" in guess and many["to coco"].walls:
        mine, theirs = many["to coco"].peak, peers["ade-coco"].peak
        figure = f"{mine:.0f} of {theirs:.0f} MiB (Datumaro's on {PEER_COPIES} copies)"
        verdicts.say("ADE20K to COCO: under half of Datumaro's memory", figure, mine < theirs / 2, "ade memory")
    return lines


def yolo_section(yolo: dict[str, Any], verdicts: Verdicts) -> list[str]:
    contenders, tenfold, images = yolo["contenders"], yolo["tenfold"], yolo["images"]
    ours, two = contenders["formatspec"], contenders["formatspec, two workers"]
    size = f"{images:,} images, {20 * images:,} objects"
    rows, about_peers = [], [name for name in contenders if not name.startswith("formatspec")]
    for name, runs in contenders.items():
        told = runs.walls and ours.walls and name != "formatspec"
        rows.append([name, *figures(runs), f"{runs.wall / ours.wall:.2f}" if told else ""])
        if told and name in about_peers:
            said = f"{ours.wall:.2f} s against {runs.wall:.2f} s; processor {ours.cpu:.2f} s against {runs.cpu:.2f} s"
            if two.walls:
                said += f"; with two workers, which is what two cores get unasked, {two.wall:.2f} s"
            faster = ours.wall < runs.wall and ours.cpu < runs.cpu
            verdicts.say(f"COCO to YOLO: faster than {name}", said, faster, "yolo")
    lines = [f"## COCO to YOLO, {size}, `--media none`", ""]
    lines += table(["tool", "wall, s", "processor, s", "peak, MiB", "its wall over ours"], rows)
    if ours.walls:
        verdicts.say("COCO to YOLO: peak below 150 MiB", f"{ours.peak:.0f} MiB", ours.peak < 150, "yolo memory")
    if tenfold.walls:
        ratio = tenfold.wall / ours.wall
        lines += [f"Ten times the data, one round: {tenfold.wall:.1f} s wall, {tenfold.peak:.0f} MiB.", ""]
        verdicts.say(
            "COCO to YOLO: ten times the data in at most 11 times the time",
            f"{ratio:.1f} times",
            ratio <= 11,
            "tenfold",
        )
    elif tenfold.failed:
        lines += [f"Ten times the data failed: {tenfold.failed}", ""]
    return lines


def startup_section(startup: dict[str, Runs], verdicts: Verdicts) -> list[str]:
    rows = [[name, *figures(runs)] for name, runs in startup.items()]
    for (name, runs), limit in zip(startup.items(), (0.4, 0.8), strict=True):
        if runs.walls:
            verdicts.say(f"{name} under {limit} s", f"{runs.wall:.2f} s", runs.wall < limit, "start")
    return ["## Start-up", "", *table(["command", "wall, s", "processor, s", "peak, MiB"], rows)]


def remote_section(found: tuple[int, Runs, list[remote.Far]], verdicts: Verdicts) -> list[str]:
    files, near, rows = found
    plain = rows[0]
    if not plain.runs.failed:
        said = f"{plain.ratio:.3f} requests a file; {'the same bytes' if plain.same else 'other bytes'}"
        target = f"S3 to S3, {files:,} files: the bytes of disk to disk, at most {remote.AT_MOST} requests a file"
        verdicts.say(target, said, plain.same and plain.ratio <= remote.AT_MOST, "remote")
    return [
        "## From S3 to S3",
        "",
        "ADE20K to COCO with images, generated; a server of buckets on loopback, which shares the machine's "
        "processors and takes most of the wall time. Requests are counted in its log, listings and all else included; "
        "files read and written are each counted once.",
        "",
        *remote.lines(files, near, rows),
        "",
    ]


def render(about: About, measured: dict[str, Any]) -> str:
    """The whole page."""
    verdicts = Verdicts()
    sections = [
        *ade_section(measured["ade"], verdicts),
        *yolo_section(measured["yolo"], verdicts),
        *startup_section(measured["startup"], verdicts),
        *flat.lines(measured["flat"], verdicts, table),
        *scale.lines(measured["scale"], verdicts, table, figures),
        *clustered.lines(measured["ray"], verdicts, table, figures),
        *remote_section(measured["remote"], verdicts),
    ]
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; do not edit. Medians of whole processes run side by side in turn; memory is the "
        "largest peak of any round, summed over the process and all that it starts (shared pages are parted).",
        "",
        *(["A short run (`--quick`): less data, one round.", ""] if about.quick else []),
        *machine(about),
        "## Targets",
        "",
        "Faster counts as met only where wall and processor time both are.",
        "",
        *verdicts.render(),
        *sections,
        "## Commands",
        "",
        "```sh",
        "formatspec convert ade20k2020 DATA --to coco -o OUT         # and --to voc, --to ade20k2020",
        "formatspec convert coco DATA --to yolo_ultralytics --media none -O task=detect -o OUT",
        "formatspec validate DATA",
        "formatspec convert image_masks DATA --to coco -o OUT        # memory with more items",
        "formatspec convert coco DATA --to datumaro -o OUT           # small.py makes the data",
        "python peers.py PEER coco-yolo DATA OUT                     # panlabel, labelformat, globox, datumaro",
        "python peers.py datumaro ade-coco DATA OUT                  # and ade-coco-instances, ade-voc",
        "python ade_floor.py DATA",
        "python make_coco.py DATA --images 5000 --objects 20",
        "formatspec convert ade20k2020 s3://bucket/data --to coco -o s3://bucket/out",
        "make bench-remote                                           # S3 to S3 alone",
        "make bench                                                  # all of it, and this page",
        "```",
    ]
    return "\n".join(lines) + "\n"
