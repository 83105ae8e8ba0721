"""Specs of a few lines with a dataset each: written for a test, and held to what holds of every format."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from files_on_disk import put
from written_files import written_files

import formatspec as fs
from formatspec.language.load import load_source
from formatspec.testing import laws

RUNS = 8
"""Generated datasets on which the laws are tried."""


def small_spec(folder: Path, name: str, files: str, content: Mapping[str, Any], more: str = "") -> tuple[Path, Path]:
    """Write a spec and a dataset of it.

    Args:
        folder: Where both are written.
        name: The format's name.
        files: What stands below `files:`.
        content: The dataset's files, as `put` takes them.
        more: Lines above `files:`.

    Returns:
        The dataset's folder and the spec's file.
    """
    put(folder, {f"{name}.yaml": f"formatspec: 1\nname: {name}\n{more}files:{files}"})
    return put(folder / "data", content), folder / f"{name}.yaml"


def keeps_the_laws(spec: Path) -> None:
    """Hold a spec to both laws on generated datasets."""
    source = load_source(spec)
    for run in range(RUNS):
        laws.hold(source, random.Random(run))


def comes_back(data: Path, spec: Path, out: Path) -> None:
    """Hold a dataset to be read without findings, and to be written back with the same objects and files."""
    assert fs.validate(data, spec, deep=True).findings == ()
    laws.hold_on(load_source(spec), data)
    fs.convert(data, to=spec, out=out, spec=spec)
    assert [item.objects for item in fs.open(out, spec)] == [item.objects for item in fs.open(data, spec)]
    assert list(written_files(out)) == list(written_files(data))
