"""Where tests find data: reference data through FORMATSPEC_DATA, generated datasets through `sample`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import formatspec as fs

Reference = Callable[[str], Path]


@pytest.fixture(scope="session")
def reference() -> Reference:
    """`reference(name)`: a folder of the reference data; the test is skipped where there is none."""

    def find(name: str) -> Path:
        base = os.environ.get("FORMATSPEC_DATA")
        if not base:
            pytest.skip("FORMATSPEC_DATA is not set")
        folder = Path(base) / name
        if not folder.is_dir():
            pytest.skip(f"FORMATSPEC_DATA holds no {name}")
        return folder

    return find


def _sampled(spec: str, seed: int, items: int, base: Path) -> Path:
    folder = base / spec
    fs.sample(spec, folder, items=items, seed=seed)
    return folder


@pytest.fixture(scope="session")
def _ade20k2020_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _sampled("ade20k2020", 3, 4, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def _coco_once(_ade20k2020_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "coco"
    fs.convert(_ade20k2020_once, to="coco", out=folder)
    return folder


@pytest.fixture
def ade20k2020(_ade20k2020_once: Path, tmp_path: Path) -> Path:
    """A generated ade20k2020 dataset, the test's own copy."""
    return Path(shutil.copytree(_ade20k2020_once, tmp_path / "data"))


@pytest.fixture
def coco(_coco_once: Path, tmp_path: Path) -> Path:
    """The generated ade20k2020 dataset as coco, the test's own copy."""
    return Path(shutil.copytree(_coco_once, tmp_path / "data"))
