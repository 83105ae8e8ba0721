"""How surely formats are told: every spec's samples, damaged in every way, and what they are taken for.

`python benchmarks/detection.py [--base CHECKOUT] [--seeds 3] [--specs a,b]` prints, for each kind of damage, how many
datasets are taken for their own format, refused, or taken for another, and whether the true format is among the nearest
where they are refused. With `--base`, the same figures of another checkout of this project stand beside.

`--tricks` prints instead whether names and order of specs change an outcome, and what the samples of each format are
taken for where its spec is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ITEMS = 6
FIVE = 5

DETECT = """
import json, sys
from formatspec.language.load import available, load_source
try:
    from formatspec.paths.trees.open_tree import open_tree
except ImportError:
    try:
        from formatspec.paths.open_tree import open_tree
    except ImportError:
        from formatspec.paths.tree import open_tree
sources = {name: load_source(name) for name in available()}
try:
    from formatspec.engine.detection.detect import detect
    def told(place):
        found = detect(sources, open_tree(place))
        return list(found.names), [one.name for one in found.outcome.nearest]
except ImportError:
    try:
        from formatspec.engine.dataset.detect import best, detect
    except ImportError:
        from formatspec.engine.detect import best, detect
    def told(place):
        matches = detect(sources, open_tree(place))
        names = [match.name for match in best(matches)]
        return names, [match.name for match in matches if match.name not in names][:5]
for line in sys.stdin:
    print(json.dumps(told(line.rstrip("\\n"))), flush=True)
"""
"""Run with the package of a checkout: a place a line in, the formats told and the nearest out."""


class Detector:
    """A process that tells formats with the package of one checkout."""

    def __init__(self, checkout: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", DETECT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )  # fmt: skip

    def ask(self, place: Path) -> None:
        """Have the format of a place told; `told` gives the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{place}\n")
        self._process.stdin.flush()

    def told(self) -> tuple[list[str], list[str]]:
        """The formats that the place asked for is told to have, and those nearest to it."""
        assert self._process.stdout is not None
        names, nearest = json.loads(self._process.stdout.readline())
        return names, nearest


def damaged(specs: list[str], seeds: int, folder: Path) -> Iterator[tuple[str, str, int, Path]]:
    """Every spec's samples, damaged in every way, put on disk: the kind, the spec, the seed, the place."""
    import formatspec as fs
    from formatspec.testing.damage import LAYOUTS, ZIPPED, files_of, put_files

    for spec in specs:
        for seed in range(seeds):
            made = folder / "made" / spec / str(seed)
            fs.sample(spec, made, items=ITEMS, seed=seed)
            files = files_of(made)
            for kind, damage in LAYOUTS.items():
                found = damage(files, random.Random(f"{spec} {seed} {kind}"))
                if found is None:
                    continue
                place = folder / kind.replace(" ", "_") / spec / str(seed)
                place.parent.mkdir(parents=True, exist_ok=True)
                if kind in ZIPPED:
                    place = place.with_suffix(".zip")
                    with zipfile.ZipFile(place, "w") as archive:
                        for path, data in found.items():
                            archive.writestr(path, data)
                else:
                    put_files(found, place)
                yield kind, spec, seed, place


def tricks(specs: list[str], seeds: int) -> None:
    """Print how many outcomes change where specs have other names and another order, and how many undamaged samples
    are taken for another format where their own spec is removed, with those formats."""
    from formatspec.engine.detection.detect import detect
    from formatspec.language.load import available, load_source
    from formatspec.paths.trees.open_tree import open_tree

    sources = {name: load_source(name) for name in available()}
    names = sorted(sources)
    random.Random(0).shuffle(names)
    renamed = {f"z{number}": sources[name] for number, name in enumerate(names)}
    asked = changed = removed = 0
    others: Counter[tuple[str, tuple[str, ...]]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for kind, spec, seed, place in damaged(specs, seeds, Path(folder)):
            told = detect(sources, open_tree(place)).names
            again = detect(renamed, open_tree(place)).names
            asked += 1
            if sorted(told) != sorted(names[int(name[1:])] for name in again):
                changed += 1
                print(f"{kind}: {spec} {seed}: {told}, renamed {[names[int(name[1:])] for name in again]}")
            if kind == "undamaged":
                removed += 1
                without = {name: source for name, source in sources.items() if name != spec}
                if found := detect(without, open_tree(place)).names:
                    others[spec, found] += 1
    print(f"renamed and shuffled: {changed} of {asked:,} outcomes change")
    print(f"own spec removed: {sum(others.values())} of {removed} samples are taken for another format")
    for (spec, found), count in sorted(others.items()):
        print(f"  {spec}: {', '.join(found)} ({count})")


def main() -> None:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="another checkout, whose figures stand beside")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--specs", help="names of specs, with commas between; default: all")
    parser.add_argument("--list", action="store_true", help="name each dataset that is not told as its own")
    parser.add_argument("--tricks", action="store_true", help="other names and orders of specs, and each one removed")
    chosen = parser.parse_args()
    here = Path(__file__).resolve().parent.parent
    checkouts = {"here": here, **({"base": chosen.base.resolve()} if chosen.base else {})}
    from formatspec.language.load import available

    specs = chosen.specs.split(",") if chosen.specs else sorted(available())
    if chosen.tricks:
        tricks(specs, chosen.seeds)
        return
    detectors = {name: Detector(place) for name, place in checkouts.items()}
    counts: dict[str, dict[str, Counter[str]]] = {name: defaultdict(Counter) for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        for kind, spec, seed, place in damaged(specs, chosen.seeds, Path(folder)):
            for detector in detectors.values():
                detector.ask(place)
            for name, detector in detectors.items():
                told, nearest = detector.told()
                verdict = "own" if told == [spec] else "other" if len(told) == 1 else "refused"
                count = counts[name][kind]
                count[verdict] += 1
                if verdict == "refused":
                    near = [*told, *(one for one in nearest if one not in told)][:FIVE]
                    count["five"] += spec in near
                    count["first"] += near[:1] == [spec]
                if chosen.list and name == "here" and verdict != "own":
                    print(f"{kind}: {spec} {seed}: {verdict} {told} {nearest}")
    _print(counts)


def _print(counts: dict[str, dict[str, Counter[str]]]) -> None:
    for name, kinds in counts.items():
        whole: Counter[str] = Counter()
        print(f"{name}: {'kind of damage':<26}  own refused other  of refused: true in five, first")
        for kind, count in kinds.items():
            whole += count
            print(f"{name}: {_line(kind, count)}")
        print(f"{name}: {_line('all', whole)}")


def _line(kind: str, count: Counter[str]) -> str:
    refused = count["refused"]
    shares = f"{count['five'] / refused:>8.0%} {count['first'] / refused:>6.0%}" if refused else ""
    return f"{kind:<26} {count['own']:>4} {refused:>7} {count['other']:>5}  {shares}"


if __name__ == "__main__":
    main()
