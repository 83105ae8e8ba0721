"""The law of conservation held on made-up datasets of a spec, whole and damaged, converted to several formats.

Each conversion is made twice: as it comes, so that the fast ways are counted, and with all that the items hold read,
so that the output can be read back and compared with it.  Where findings stop the conversion of a damaged dataset, it
is made with `--on error=drop`, as the message tells a user, so that what is left out is counted too; and where a
target has no subset of a dataset's name, with the `--subsets` of the message.  As a script it takes all specs and
prints the shares, and why conversions of damaged datasets were refused:

    python tests/conservation/law.py 50 [--workers N] [--first SEED] [SPEC ...]
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.language.load import available
from formatspec.run.conversion.plan import RefusedError, Result, UnaccountedError
from formatspec.testing.damage import put_damaged
from formatspec.testing.read_back import Handed, read_output, recorded, unexplained

TARGETS = ("coco", "voc", "yolo_ultralytics", "datumaro", "labelme")
ITEMS = 3
WHOLE, DAMAGED = 0.8, 0.4
"""Shares of the conversions of whole and of damaged datasets that must not be refused, over all specs."""


@dataclass
class Outcome:
    """What became of conversions: how many were tried and made, of whole and of damaged datasets; and what is wrong.

    `dropping` counts those of damaged datasets that were made without what is wrong; `refused` those that were refused
    even so, by what stood in their way.
    """

    tried: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    made: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    wrong: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    dropping: int = 0

    def add(self, other: Outcome) -> None:
        for damaged in (False, True):
            self.tried[damaged] += other.tried[damaged]
            self.made[damaged] += other.made[damaged]
        self.wrong += other.wrong
        self.refused += other.refused
        self.dropping += other.dropping

    def share(self, damaged: bool) -> float:
        return self.made[damaged] / max(1, self.tried[damaged])

    @property
    def as_they_come(self) -> float:
        """The share of the conversions of damaged datasets that were made without leaving out what is wrong."""
        return (self.made[True] - self.dropping) / max(1, self.tried[True])

    def __str__(self) -> str:
        parts = (
            f"{self.made[damaged]} of {self.tried[damaged]} conversions of {words} datasets made"
            for damaged, words in ((False, "whole"), (True, "damaged"))
        )
        return f"{', '.join(parts)}, {self.dropping} of them without what is wrong"


def hold(name: str, runs: int, first: int = 0) -> Outcome:
    """Hold a spec to the law on `runs` datasets that are whole and as many that are damaged."""
    outcome = Outcome()
    for seed in range(first, first + runs):
        place = Path(tempfile.mkdtemp(prefix="conservation-"))
        try:
            fs.sample(name, place / "whole", items=ITEMS, seed=seed)
            _try_all(name, place / "whole", False, f"{name}, seed {seed}", outcome)
            kind = put_damaged(place / "whole", place / "damaged", seed)
            if kind:
                _try_all(name, place / "damaged", True, f"{name}, seed {seed}, {kind}", outcome)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return outcome


def _try_all(name: str, data: Path, is_damaged: bool, words: str, outcome: Outcome) -> None:
    for to in dict.fromkeys((*TARGETS, name)):
        out = data.parent / f"{data.name}-{to}"
        for where in (None, "true"):
            outcome.tried[is_damaged] += 1
            with recorded() as (handed, options):
                place = out.with_name(f"{out.name}-{where}")
                result = _converted(data, name, to, place, where, words, outcome, handed)
                if result is None and is_damaged:
                    result = _converted(data, name, to, place, where, words, outcome, handed, ("error=drop",))
                    outcome.dropping += result is not None
            if result is None:
                continue
            outcome.made[is_damaged] += 1
            if where is not None:
                outcome.wrong += [f"{words}, to {to}: {one}" for one in _read_back(result, to, handed, options)]


def _converted(
    data: Path, name: str, to: str, out: Path, where: str | None, words: str, outcome: Outcome, handed: list[Handed],
    on: Sequence[str] = (), subsets: Mapping[str, str] | None = None,
) -> Result | None:  # fmt: skip
    handed.clear()
    try:
        return fs.convert(data, spec=name, to=to, out=out, workers=1, where=where, on=on, subsets=subsets)
    except UnaccountedError as fault:
        outcome.wrong.append(f"{words}, to {to}: {fault.losses}")
    except RefusedError as refused:
        renamed = {} if subsets else _subsets_to_say(refused)
        if renamed:
            return _converted(data, name, to, out, where, words, outcome, handed, on, renamed)
        if "damaged" in data.name and on:
            outcome.refused[_reason(words, refused)] += 1
        elif not refused.findings and "damaged" not in data.name:  # damage may leave no item
            outcome.wrong.append(f"{words}, to {to}: refused without a finding: {refused}")
    except SpecError as error:  # the damage left no dataset of the format
        if "damaged" in data.name and on:
            outcome.refused[f"{words.rpartition(', ')[2]}: no dataset of the format"] += 1
        elif "damaged" not in data.name:
            outcome.wrong.append(f"{words}, to {to}: {error}")
    except Exception as fault:  # a fault is named with its dataset, and the others are still held to the law
        outcome.wrong.append(f"{words}, to {to}: {type(fault).__name__}: {fault}")
    return None


_TO_SAY = re.compile(r"--subsets '?(.+?)=(\w+)'?$")


def _subsets_to_say(refused: RefusedError) -> dict[str, str]:
    """The subsets that the messages of a refusal say to name, where the target has none of their names."""
    found = (_TO_SAY.search(one.message) for one in refused.findings if one.code == "CANNOT_WRITE")
    return {one[1]: one[2] for one in found if one is not None}


def _reason(words: str, refused: RefusedError) -> str:
    """Why a conversion was refused: the kind of damage, and the codes of the errors in its way."""
    codes = sorted({one.code for one in refused.findings if one.level == "error"})
    return f"{words.rpartition(', ')[2]}: {' '.join(codes) or refused}"


def _read_back(result: Result, to: str, handed: Sequence[Handed], options: dict[str, Any]) -> list[str]:
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    back = read_output(result.out, to, options)
    return unexplained(handed, back.items, lines, back.aside)


def main(runs: int, names: Sequence[str], workers: int = 2, first: int = 0) -> int:
    """Hold specs to the law and print what came of it; gives the exit code."""
    whole = Outcome()
    with ProcessPoolExecutor(workers) as pool:
        for name, outcome in zip(names, pool.map(partial(hold, runs=runs, first=first), names), strict=True):
            print(f"{name}: {outcome}", *outcome.wrong, sep="\n  ", flush=True)
            whole.add(outcome)
    print(*(f"refused {number} times: {reason}" for reason, number in whole.refused.most_common()), sep="\n")
    print(f"{len(whole.wrong)} unexplained; {whole}: {whole.share(False):.0%} and {whole.share(True):.0%}, ", end="")
    print(f"{whole.as_they_come:.0%} as they come")
    enough = whole.share(False) >= WHOLE and whole.share(True) >= DAMAGED
    return 1 if whole.wrong or not enough else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Hold specs to the law of conservation on made-up datasets.")
    parser.add_argument("runs", type=int, help="how many datasets of each spec, whole and damaged")
    parser.add_argument("specs", nargs="*", help="names of specs; left out: all")
    parser.add_argument("--workers", type=int, default=2, help="how many processes")
    parser.add_argument("--first", type=int, default=0, help="the number of the first dataset")
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    asked = _arguments()
    sys.exit(main(asked.runs, asked.specs or sorted(available()), asked.workers, asked.first))
