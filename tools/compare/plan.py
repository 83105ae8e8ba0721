"""What is compared: the datasets that are made once, and the commands that both sides run on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from formatspec.testing.damage import SMALL, TEXT_CHANGES, damage_text, files_of, put_files

TARGETS = ("coco", "voc", "yolo_ultralytics", "datumaro")
ITEMS, MANY_ITEMS = 5, 40
"""Items of a sample, and of the one sample of each spec that is worked on in several shards."""
BROKEN = 5
"""Broken datasets made of each sample."""
BROKEN_SPECS = 3
"""Broken specs made of each spec."""
DATA = "../data"
"""Where the datasets lie, seen from where a side runs."""


@dataclass(frozen=True)
class Job:
    """One command: its words, the folder that it writes to, and what to run if it refuses invalid data.

    With `python`, the words are arguments of `side.python_interface` in place of a command line.
    """

    name: str
    words: tuple[str, ...]
    out: str | None = None
    if_refused: Job | None = None
    python: bool = False


def specs_of(checkout: Path, only: Sequence[str]) -> list[str]:
    """The names of a checkout's specs, or those of them that are wanted.  Raises ValueError for an unknown one."""
    there = sorted(file.stem for file in (checkout / "specs").glob("*.yaml"))
    unknown = [name for name in only if name not in there]
    if unknown:
        raise ValueError(f"there is no spec {unknown[0]!r}; there are {', '.join(there)}")
    return [name for name in there if not only or name in only]


def samples(specs: Iterable[str], seeds: int) -> list[Job]:
    """The commands that make the samples; BASE alone runs them."""
    jobs = []
    for spec in specs:
        counts = {f"seed{seed}": (seed, ITEMS) for seed in range(seeds)} | {"many": (seeds, MANY_ITEMS)}
        for dataset, (seed, items) in counts.items():
            words = ("sample", spec, f"{DATA}/{spec}/{dataset}", "--items", str(items), "--seed", str(seed))
            jobs.append(Job(f"{spec}: sample {dataset}", words))
    return jobs


def add_examples(checkout: Path, data: Path, specs: Iterable[str]) -> None:
    """Copy the examples that stand beside the specs to the datasets."""
    for spec in specs:
        example = checkout / "specs" / "examples" / spec
        if example.is_dir():
            shutil.copytree(example, data / spec / "example")


def add_broken(checkout: Path, data: Path, specs: Iterable[str], seeds: int) -> None:
    """Make broken datasets of the samples, and broken specs of the specs; each folder is named after its damage."""
    for spec in specs:
        for seed in range(seeds):
            rng = Random(f"{spec} {seed}")
            kinds = rng.sample(list(SMALL), len(SMALL))
            files = files_of(data / spec / f"seed{seed}")
            made = 0
            while kinds and made < BROKEN:
                kind = kinds.pop()
                damaged = SMALL[kind](files, rng)
                if damaged is not None:
                    put_files(damaged, data / spec / f"broken seed{seed} {kind}")
                    made += 1
        rng = Random(f"{spec} spec")
        folder = data / spec / "specs"
        folder.mkdir()
        for table in (checkout / "specs").glob(f"{spec}_*.csv"):
            shutil.copy(table, folder)
        text = (checkout / "specs" / f"{spec}.yaml").read_bytes()
        for number in range(BROKEN_SPECS):
            kind = rng.choice(list(TEXT_CHANGES))
            (folder / f"broken {number} {kind}.yaml").write_bytes(damage_text(text, kind, rng))


def add_archives(data: Path, specs: Iterable[str]) -> None:
    """Pack the first sample of each spec in a zip too."""
    for spec in specs:
        shutil.make_archive(str(data / spec / "packed"), "zip", data / spec / "seed0")


def jobs_for(data: Path, specs: Sequence[str]) -> list[Job]:
    """All commands that both sides run, in a fixed order."""
    jobs = _without_data()
    for spec in specs:
        jobs.append(Job(f"{spec}: specs show", ("specs", "show", spec)))
        for folder in sorted(path for path in (data / spec).iterdir() if path.is_dir()):
            if folder.name == "specs":
                jobs += _with_broken_specs(spec, folder)
            elif folder.name.startswith("broken"):
                jobs += _with_broken(spec, folder.name)
            else:
                jobs += _with_whole(spec, folder.name)
        jobs.append(Job(f"{spec}: validate a zip", ("validate", f"{DATA}/{spec}/packed.zip", "--json")))
    return jobs


def _without_data() -> list[Job]:
    commands = ("validate", "convert", "dump", "detect", "specs", "schema", "lint", "sample")
    calls = [("--help",), *((command, "--help") for command in commands), ("schema",), ("specs",), ("--version",)]
    calls += [("convert", "nothing_there", "--to", "coco"), ("validate", "--nothing"), ("validate", "no/such/folder")]
    return [Job(f"no spec: {' '.join(words)}", words) for words in calls]


def _converts(spec: str, dataset: str, to: str, *more: str) -> Job:
    name = " ".join((f"{spec}: convert {dataset} to {to}", *more))
    out = f"out/{name}".replace(": ", "/")

    def words(folder: str, *last: str) -> tuple[str, ...]:
        places = ("-o", f"{folder}/dataset", "--report", f"{folder}/report.json")
        return ("convert", spec, f"{DATA}/{spec}/{dataset}", "--to", to, *places, "--workers", "1", *more, *last)

    skipping = f"{out} --skip-invalid"
    again = Job(f"{name} --skip-invalid", words(skipping, "--skip-invalid"), skipping)
    return Job(name, words(out), out, again)


def _with_whole(spec: str, dataset: str) -> list[Job]:
    place = f"{DATA}/{spec}/{dataset}"
    opened = f"out/{spec}/open {dataset}"
    targets = [*TARGETS, *([spec] if spec not in TARGETS else [])]
    jobs = [
        Job(f"{spec}: detect {dataset}", ("detect", place)),
        Job(f"{spec}: validate {dataset}", ("validate", spec, place, "--workers", "1")),
        Job(f"{spec}: validate {dataset} --deep --json", ("validate", spec, place, "--deep", "--json")),
        Job(f"{spec}: dump {dataset} --dataset", ("dump", spec, place, "--dataset")),
        Job(f"{spec}: open {dataset}", (spec, place, f"{opened}/dataset"), opened, python=True),
        *(_converts(spec, dataset, to) for to in targets),
    ]
    if dataset == "many":
        jobs.append(_converts(spec, dataset, "coco", "--workers", "2"))
    if dataset == "seed0":
        jobs.append(Job(f"{spec}: detect {dataset} --json", ("detect", place, "--json")))
        jobs.append(_converts(spec, dataset, "coco", "--media", "none", "--lossless"))
    return jobs


def _with_broken(spec: str, dataset: str) -> list[Job]:
    place = f"{DATA}/{spec}/{dataset}"
    return [
        Job(f"{spec}: detect {dataset}", ("detect", place)),
        Job(f"{spec}: validate {dataset} --json", ("validate", spec, place, "--json", "--workers", "1")),
        Job(f"{spec}: validate {dataset} --deep", ("validate", spec, place, "--deep", "--workers", "1")),
        Job(f"{spec}: dump {dataset}", ("dump", spec, place)),
        _converts(spec, dataset, "coco"),
    ]


def _with_broken_specs(spec: str, folder: Path) -> list[Job]:
    return [
        Job(
            f"{spec}: validate with {file.stem}",
            ("validate", f"{DATA}/{spec}/specs/{file.name}", f"{DATA}/{spec}/seed0", "--json"),
        )
        for file in sorted(folder.glob("broken*.yaml"))
    ]
