"""Damaged datasets: told as their own format where a file that identifies it is whole, never as another.

`make detection` prints the whole matrix; here each format meets some of the kinds of damage, all kinds some formats.
"""

from __future__ import annotations

import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from all_specs import sources

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.language.load import available
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.damage import KEEPING, LAYOUTS, ZIPPED

NAMES = sorted(available())
UNCHANGED = ("undamaged", "class list missing", "lines of Windows", "one subset only", "extensions in capitals")
"""Kinds that do no damage to the few files of the last test."""
EACH = 4
"""Kinds of damage that one format meets."""


def told(spec: str, kind: str, folder: Path, seed: int = 0) -> tuple[tuple[str, ...], list[str]] | None:
    """The formats that a damaged sample is told to have, and the nearest; None where the damage does not apply."""
    made = folder / "made"
    if not made.exists():
        fs.sample(spec, made, items=6, seed=seed)
    files = {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    found = LAYOUTS[kind](files, random.Random(f"{spec} {seed} {kind}"))
    if found is None:
        return None
    place = folder / kind
    if kind in ZIPPED:
        place = folder / "data.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path, data in found.items():
                archive.writestr(path, data)
    else:
        for path, data in found.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
    detection = detect(sources(), open_tree(place))
    return detection.names, [one.name for one in detection.outcome.nearest]


@pytest.mark.parametrize("spec", NAMES)
def test_damage_makes_no_dataset_another(spec: str, tmp_path: Path) -> None:
    kinds = [kind for kind in LAYOUTS if kind != "undamaged"]
    start = NAMES.index(spec)
    for kind in (kinds[(start + EACH * step) % len(kinds)] for step in range(EACH)):
        found = told(spec, kind, tmp_path)
        if found is None:
            continue
        names, nearest = found
        assert names in ((spec,), ()), kind
        assert names or spec in nearest, (kind, nearest)


@pytest.mark.parametrize("kind", KEEPING)
def test_damage_that_leaves_what_identifies_keeps_the_format(kind: str, tmp_path: Path) -> None:
    chosen = NAMES[len(kind) % 6 :: 6]
    counts = Counter[bool]()
    for spec in chosen:
        (tmp_path / spec).mkdir()
        found = told(spec, kind, tmp_path / spec, seed=1)
        if found is not None:
            counts[found[0] == (spec,)] += 1
    assert counts[True] > 3 and counts[False] <= 1


def test_the_kinds_do_damage() -> None:
    files = {
        "a.json": b'{"x": 1, "y": [1, 2]}',
        "b.json": b'{"x": 2, "y": []}',
        "c.txt": b"one\ntwo\n",
        "d.png": b"\x89PNG",
    }
    for kind, damage in LAYOUTS.items():
        found = damage(files, random.Random(kind))
        assert kind in UNCHANGED or (found is not None and found != files), kind
