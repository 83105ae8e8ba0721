"""Where tests find data: reference data through FORMATSPEC_DATA, generated datasets through `sample`."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, Run

import formatspec as fs
from formatspec.cli.main import main
from formatspec.engine.base.remembered import forget
from formatspec.model.limits import limits, set_limits
from formatspec.paths.trees.store import MANIFEST

Reference = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    """Give Hypothesis no deadlines, where it is installed: how long a test takes says nothing of the code."""
    if config.pluginmanager.hasplugin("hypothesispytest"):
        from hypothesis import settings

        settings.register_profile("any machine", deadline=None)
        settings.load_profile("any machine")


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


@pytest.fixture(autouse=True)
def _compiled_anew(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that puts something else in the place of a part of the engine shares no compiled format with others."""
    patches = "monkeypatch" in request.fixturenames
    if patches:
        forget()
    yield
    if patches:
        forget()


@pytest.fixture
def small_limits() -> Iterator[Callable[..., None]]:
    """`small_limits(size=10)`: sets limits for the test, after which they are as before."""
    before = limits()
    yield lambda **values: set_limits(values)
    set_limits(before)


def _suits(folder: Path) -> bool:
    """Whether an item has two whole objects, the first outlined, a subset two items, and no name stands twice; there
    are two categories."""
    items = list(fs.open(folder, "ade20k2020"))
    subsets = [item.subsets for item in items if item.objects]
    names = {Path(item.key).name for item in items}
    categories = {thing.category.name for item in items for thing in item.objects if thing.category}
    return (
        len(names) == len(items)
        and len(categories) > 1
        and len(set(subsets)) < len(subsets)
        and len({thing.category.name for item in items for thing in item.objects if thing.category}) > 1
        and any(
            len(item.objects) > 1 and item.objects[0].polygons and all(t.parent is None for t in item.objects)
            for item in items
        )
    )


@pytest.fixture(scope="session")
def _ade20k2020_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("made")
    for seed in range(50):
        fs.sample("ade20k2020", base / str(seed), items=4, seed=seed)
        if _suits(base / str(seed)):
            return base / str(seed)
    raise AssertionError("no seed gives a dataset with what the tests need")


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


@pytest.fixture(autouse=True)
def _without_the_list_of_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tools are given outputs without formatspec's own list of files, which some of them read as data."""
    if request.path.parent.name != "interop":
        return
    convert: Callable[..., Any] = fs.convert

    def converted(*arguments: Any, **named: Any) -> Any:
        result = convert(*arguments, **named)
        (Path(result.out) / MANIFEST).unlink(missing_ok=True)
        return result

    monkeypatch.setattr(fs, "convert", converted)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process, as a user's shell would run it; a traceback fails the test."""

    def go(*words: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["formatspec", *map(str, words)])
        capsys.readouterr()
        with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Ran(int(end.value.code or 0), said.out, said.err)

    return go
