"""Single mutations of samples of every format: what can be known of each, and what becomes of it.

Prints first, per spec, role and kind of mutation, whether it must be found or is legal by the format.  Then each
mutation is validated and converted, and counted: those that must be found and are not, those that are legal and do not
show in the counts of the report, what raises or takes more than ten seconds, and what `convert --skip-invalid` writes
that the validation of the target calls an error.  Exits with 1 where any of these counts is not 0.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import formatspec as fs
from formatspec.language.load import bundled
from formatspec.testing.damage import files_of, put_files
from formatspec.testing.mutations.mutations import FOUND, Files, Mutation, mutations

ITEMS = 4
SECONDS = 10
"""How long one step of one mutation may take."""
TARGETS = ("coco", "voc", "yolo_ultralytics", "")
"""Formats that mutated samples are converted to, in turn; "" for their own."""
SILENT, UNCOUNTED, RAISED, HANGS, WRONG = (
    "silent among must be found", "not in the counts", "raised", "hangs", "wrong in the target",
)  # fmt: skip
TROUBLES = (SILENT, UNCOUNTED, RAISED, HANGS, WRONG)


class Trouble(NamedTuple):
    """Something that should not be, and the mutation that shows it."""

    kind: str
    spec: str
    seed: int
    mutation: Mutation
    words: str

    def __str__(self) -> str:
        one = self.mutation
        return (
            f"{self.kind}: {self.spec} seed {self.seed}, {one.role}: {one.kind}, {one.file}#{one.pointer} {self.words}"
        )


class HangError(Exception):
    """A step took too long."""


def within(seconds: int, run: Callable[[], Any]) -> Any:
    """What `run` gives.  Raises HangError where it takes longer."""

    def stop(number: int, frame: Any) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        return run()
    finally:
        signal.alarm(0)


def samples(spec: str, seeds: int, folder: Path) -> Iterator[tuple[int, Files]]:
    """Made-up datasets of a format, as files; those that the generator cannot make are left out."""
    for seed in range(seeds):
        place = folder / f"{spec}-{seed}"
        fs.sample(spec, place, items=ITEMS, seed=seed, options=_options(spec, seed))
        yield seed, files_of(place)
        shutil.rmtree(place)


def _options(spec: str, seed: int) -> dict[str, Any]:
    """Options that follow from the objects, each with another of its choices for every seed: made-up objects are of one
    kind only where it is said which."""
    known = fs.load_spec(spec).spec.options
    return {name: one.choices[seed % len(one.choices)] for name, one in known.items() if one.follows and one.choices}


def chosen(found: Sequence[Mutation], count: int, rng: random.Random) -> list[Mutation]:
    """Some of the mutations, of all roles and kinds in turn."""
    groups: dict[tuple[str, str], list[Mutation]] = defaultdict(list)
    for one in found:
        groups[one.role, one.kind].append(one)
    queues = [rng.sample(group, len(group)) for _, group in sorted(groups.items())]
    picked: list[Mutation] = []
    while queues and len(picked) < count:
        picked += [queue.pop() for queue in queues]
        queues = [queue for queue in queues if queue]
    return picked[:count]


def told(report: Any) -> Counter[Any]:
    """What a report says, so that two can be compared."""
    return Counter((one.code, one.level, one.file, one.message) for one in report.findings)


class Spec:
    """One format's samples, mutated one by one."""

    def __init__(self, name: str, count: int, seeds: int, folder: Path) -> None:
        self.name, self.count, self.folder = name, count, folder
        self.samples = [(seed, files, self._known(files)) for seed, files in samples(name, seeds, folder)]

    def _known(self, files: Files) -> list[Mutation]:
        return mutations(fs.load_spec(self.name), files)

    def table(self) -> Counter[tuple[str, str, str]]:
        """How many mutations are known of each role and kind, with what must become of them."""
        return Counter((one.role, one.kind, one.verdict) for _, _, known in self.samples for one in known)

    def run(self) -> Iterator[tuple[Mutation, list[Trouble]]]:
        """Each mutation that is chosen, with what is wrong with what becomes of it."""
        share = -(-self.count // max(len(self.samples), 1))
        for seed, files, known in self.samples:
            place = self._put(files)
            before = fs.validate(place, self.name, deep=True, workers=1)
            shutil.rmtree(place)
            for number, one in enumerate(chosen(known, share, random.Random(f"{self.name} {seed}"))):
                mutated = one.make(files, random.Random(f"{self.name} {seed} {number}"))
                if mutated is not None:
                    yield one, list(self._troubles(seed, one, mutated, before, TARGETS[number % len(TARGETS)]))

    def _put(self, files: Files) -> Path:
        place = self.folder / "data"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        put_files(files, place)
        return place

    def _troubles(self, seed: int, one: Mutation, files: Files, before: Any, to: str) -> Iterator[Trouble]:
        place, out = self._put(files), self.folder / "out"
        target = to or self.name
        shutil.rmtree(out, ignore_errors=True)
        try:
            report = within(SECONDS, lambda: fs.validate(place, self.name, deep=True, workers=1))
            if one.verdict == FOUND and not told(report) - told(before):
                yield Trouble(SILENT, self.name, seed, one, "")
            if one.verdict != FOUND and _counts(report) == _counts(before) and told(report) == told(before):
                yield Trouble(UNCOUNTED, self.name, seed, one, "")
            yield from self._converted(seed, one, place, out, target)
        except HangError:
            yield Trouble(HANGS, self.name, seed, one, f"to {target}")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            words = f"to {target}: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            yield Trouble(RAISED, self.name, seed, one, words)

    def _converted(self, seed: int, one: Mutation, place: Path, out: Path, target: str) -> Iterator[Trouble]:
        def convert() -> Any:
            return fs.convert(place, to=target, out=out, spec=self.name, skip_invalid=True, workers=1)

        try:
            within(SECONDS, convert)
        except fs.RefusedError as error:
            if type(error) is not fs.RefusedError:
                raise
            return
        report = within(SECONDS, lambda: fs.validate(out, target, deep=True, workers=1))
        wrong = [finding for finding in report.findings if finding.level == "error"]
        if wrong:
            yield Trouble(WRONG, self.name, seed, one, f"in {target}: {wrong[0].code} {wrong[0].message}")


def _counts(report: Any) -> tuple[Any, ...]:
    return report.items, report.counts, report.files, report.rows


def main(words: Sequence[str] | None = None) -> int:
    """Print the table and the counts; 1 where something should not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="mutations of each spec")
    parser.add_argument("--seeds", type=int, default=2, help="samples of each spec")
    parser.add_argument("--specs", help="names of specs, with commas between; default: all")
    parser.add_argument("--quiet", action="store_true", help="print the counts alone, not the table")
    asked = parser.parse_args(words)
    names = asked.specs.split(",") if asked.specs else sorted(path.stem for path in bundled().glob("*.yaml"))
    begun, counts, ran = time.perf_counter(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        specs = [Spec(name, asked.count, asked.seeds, Path(folder)) for name in names]
        for spec in specs if not asked.quiet else ():
            for (role, kind, verdict), known in sorted(spec.table().items()):
                print(f"{spec.name:28} {role:20} {kind:36} {verdict:22} {known:6}")
        for spec in specs:
            for _, troubles in spec.run():
                ran += 1
                for trouble in troubles:
                    counts[trouble.kind] += 1
                    print(trouble, flush=True)
    print(f"{ran} mutations of {len(names)} formats in {time.perf_counter() - begun:.0f} s")
    for kind in TROUBLES:
        print(f"{kind}: {counts[kind]}")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
