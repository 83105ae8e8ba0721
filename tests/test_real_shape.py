"""Examples in the shape of real files: `NAME.expected.json` beside an example says what reading it must give.

Expectations are written from the source of the tool that makes the files, or from its documentation, without the spec.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.api import detect_format
from formatspec.language.load import available, load_source
from formatspec.paths.trees.open_tree import open_tree
from formatspec.run.dump import item
from formatspec.testing import laws


def _expectations() -> list[tuple[str, Path]]:
    found = []
    for name in available():
        source = load_source(name)
        for example in source.spec.examples:
            folder = source.file.parent / example
            if _expected(folder).is_file():
                found.append((name, folder))
    return found


def _expected(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.expected.json")


EXPECTATIONS = _expectations()
each = pytest.mark.parametrize(("name", "folder"), EXPECTATIONS, ids=[folder.name for _, folder in EXPECTATIONS])


def dumped(data: Path, name: str) -> list[dict[str, Any]]:
    """What `dump` prints of each item, by key."""
    items = [json.loads(json.dumps(item(one))) for one in fs.open(data, name)]
    return sorted(items, key=lambda one: str(one["key"]))


def test_there_are_expectations() -> None:
    assert len(EXPECTATIONS) > 0
    folders = {_expected(folder) for _, folder in EXPECTATIONS}
    nobodys = {
        file for name in available() for file in load_source(name).file.parent.glob("examples/*.expected.json")
    } - folders
    assert not nobodys, "no spec names the example of these"


@each
def test_it_is_detected(name: str, folder: Path) -> None:
    assert detect_format(open_tree(folder)).names == (name,)


@each
def test_it_is_valid(name: str, folder: Path) -> None:
    assert [finding for finding in fs.validate(folder, name, deep=True).findings if finding.level == "error"] == []


@each
def test_it_reads_as_expected(name: str, folder: Path) -> None:
    expected = json.loads(_expected(folder).read_text(encoding="utf-8"))
    found = dumped(folder, name)
    assert [one["key"] for one in found] == [one["key"] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one == other


@each
def test_it_goes_to_coco(name: str, folder: Path, tmp_path: Path) -> None:
    """Every image arrives, and each object but those that the report names."""
    items = list(fs.open(folder, name))
    result = fs.convert(folder, spec=name, to="coco", out=tmp_path / "coco")
    there = list(fs.open(tmp_path / "coco", "coco"))
    assert len(there) == len(items)
    lost = sum(line["count"] for line in result.loss_report if line["what"].startswith("objects not written"))
    assert sum(len(one.objects) for one in there) >= sum(len(one.objects) for one in items) - lost


@each
def test_it_comes_back_unchanged(name: str, folder: Path, tmp_path: Path) -> None:
    laws.hold_on(load_source(name), folder)
    fs.convert(folder, spec=name, to=name, out=tmp_path / "same")
    assert dumped(tmp_path / "same", name) == dumped(folder, name)
