"""A format is told by what identifies it: not by a spec's name or place among others, nor by being left over."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.language.load import Source, available, load_source
from formatspec.paths.open_tree import open_tree


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    return {name: load_source(name) for name in available()}


@pytest.mark.parametrize("name", sorted(available()))
def test_without_its_spec_a_sample_is_refused(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=5, seed=1)
    others = {other: source for other, source in sources().items() if other != name}
    assert detect(others, open_tree(tmp_path / "data")).names == ()


@pytest.mark.parametrize("name", sorted(available())[::5])
def test_names_and_order_of_specs_change_nothing(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=4, seed=2)
    names = sorted(sources())
    random.Random(name).shuffle(names)
    renamed = {f"z{number}": sources()[one] for number, one in enumerate(names)}
    assert detect(renamed, open_tree(tmp_path / "data")).names == (f"z{names.index(name)}",)
