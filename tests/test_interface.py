"""The Python interface: options of a dataset, its public names, `python -m formatspec`, platforms without `pread`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.paths.trees import positioned
from formatspec.testing.memory import image_bytes

COMMANDS = ("validate", "convert", "dump", "detect", "explain", "specs", "schema", "lint", "sample", "infer",
            "stats", "compare", "plot", "split", "doctor")  # fmt: skip


@pytest.fixture
def four_corners(tmp_path: Path) -> Path:
    """One outline of four corners, which is a rotated box to the one option and a polygon to the other."""
    files = {
        "data.yaml": b"names: [ship]\n",
        "labels/train/a.txt": b"0 0.1 0.1 0.5 0.1 0.5 0.4 0.1 0.4\n",
        "images/train/a.png": image_bytes(100, 100, "png"),
    }
    for path, data in files.items():
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_bytes(data)
    return tmp_path / "data"


def geometry(dataset: fs.Dataset) -> list[tuple[int, bool]]:
    return [(len(thing.polygons), thing.rotated is not None) for item in dataset for thing in item.objects]


@pytest.mark.parametrize(("task", "expected"), [("obb", [(0, True)]), ("segment", [(1, False)])])
def test_a_dataset_is_exported_as_it_was_opened(
    task: str, expected: list[tuple[int, bool]], four_corners: Path, tmp_path: Path
) -> None:
    given = {"task": task}
    dataset = fs.open(four_corners, "yolo_ultralytics", options=given)
    given["task"] = "detect"  # what the caller does with its mapping later changes nothing
    assert geometry(dataset) == expected
    exported = dataset.export(tmp_path / "one", "coco")
    asked = fs.convert(four_corners, to="coco", out=tmp_path / "two", spec="yolo_ultralytics", options={"task": task})
    assert exported.losses == asked.losses
    assert bool(exported.losses) == (task == "obb")
    one, two = (next((tmp_path / name).glob("annotations/*.json")).read_bytes() for name in ("one", "two"))
    assert one == two


def test_options_of_an_export_are_laid_over_those_of_the_dataset(four_corners: Path, tmp_path: Path) -> None:
    dataset = fs.open(four_corners, "yolo_ultralytics", options={"task": "obb"})
    dataset.export(tmp_path / "out", "coco", options={"task": "segment"})
    ((polygons, rotated),) = geometry(fs.open(tmp_path / "out", "coco"))
    assert (polygons, rotated) == (1, False)


def test_options_are_a_mapping_everywhere(four_corners: Path, tmp_path: Path) -> None:
    bad = {"task": "detec"}
    with pytest.raises(fs.SpecError, match="did you mean 'detect'"):
        fs.open(four_corners, "yolo_ultralytics", options=bad)
    with pytest.raises(fs.SpecError, match="did you mean 'detect'"):
        fs.validate(four_corners, "yolo_ultralytics", options=bad)
    with pytest.raises(fs.SpecError, match="did you mean 'detect'"):
        fs.sample("yolo_ultralytics", tmp_path / "bad", options=bad)
    told = fs.validate(four_corners, "yolo_ultralytics", options={"task": "segment"}).findings
    assert [one.code for one in told] == ["SPLIT_EMPTY"]  # its YAML names no subset
    fs.sample("yolo_ultralytics", tmp_path / "boxes", items=20, options={"task": "detect"})
    made = fs.open(tmp_path / "boxes", "yolo_ultralytics", options={"task": "detect"})
    assert {thing.bbox is not None for item in made for thing in item.objects} == {True}


def test_the_public_names_are_listed_before_they_are_used() -> None:
    code = "import formatspec, sys; print(*dir(formatspec)); assert 'formatspec.api' not in sys.modules"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(names) == sorted(fs.__all__) and {"open", "Dataset", "Region"} <= set(names)
    assert all(hasattr(fs, name) for name in names)


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "formatspec", *arguments], capture_output=True, text=True, check=False)


def test_the_module_is_the_command() -> None:
    assert run_module("--version").stdout == f"formatspec {fs.__version__}\n"
    assert run_module("nothing").returncode == 2


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_short_help_is_help(command: tuple[str, ...]) -> None:
    from typer.testing import CliRunner

    from formatspec.cli.main import app

    short, long = (CliRunner().invoke(app, [*command, option]) for option in ("-h", "--help"))
    assert short.exit_code == 0 and short.output == long.output and "Usage:" in short.output


def test_every_command_is_tried() -> None:
    from formatspec.cli.main import app

    assert {one.name or one.callback.__name__ for one in app.registered_commands if one.callback} == set(COMMANDS)


@pytest.fixture(params=["positioned calls", "seek under a lock"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls of this platform, and what stands for them where there are none."""
    if request.param == "seek under a lock":
        monkeypatch.setattr(positioned, "_read", positioned._seek_and_read)
        monkeypatch.setattr(positioned, "_write", positioned._seek_and_write)


@pytest.mark.usefixtures("way")
def test_bytes_at_a_place(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT | positioned.BINARY)
    positioned.write_at(descriptor, b"0123456789\r\n", 0)
    positioned.write_at(descriptor, memoryview(b"ab"), 3)
    assert positioned.read_at(descriptor, 4, 2) == b"2ab5"
    assert positioned.read_at(descriptor, 100, 8) == b"89\r\n"
    assert positioned.read_at(descriptor, 5, 100) == b""
    os.close(descriptor)


@pytest.mark.usefixtures("way")
def test_threads_read_at_their_own_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"".join(bytes([place]) * 64 for place in range(256)))
    descriptor = os.open(tmp_path / "file", os.O_RDONLY | positioned.BINARY)
    wrong: list[int] = []

    def read(first: int) -> None:
        places = range(first, 256, 4)
        wrong.extend(one for one in places if positioned.read_at(descriptor, 64, one * 64) != bytes([one]) * 64)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(descriptor)
    assert wrong == []


def test_a_conversion_where_there_are_no_such_calls(tmp_path: Path) -> None:
    fs.sample("coco", tmp_path / "data", items=8, seed=2)
    code = """if True:
        import os, sys
        del os.pread, os.pwrite
        import formatspec as fs
        source, out = sys.argv[1:]
        assert not [f for f in fs.validate(source, "coco", workers=1).findings if f.level == "error"]
        fs.convert(source, to="coco", out=out, spec="coco", workers=1)
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data"), str(tmp_path / "less")], check=True)
    fs.convert(tmp_path / "data", to="coco", out=tmp_path / "all", spec="coco", workers=1)
    less, whole = (
        {
            file.relative_to(tmp_path / name): file.read_bytes()
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        for name in ("less", "all")
    )
    assert less == whole and whole
