"""Formats and codecs of other packages: found by entry points, used like our own, and named where they are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec import codecs, plugins
from formatspec.language.load import available
from formatspec.testing.memory import image_bytes

SPEC = """\
formatspec: 1
name: plugged_boxes
files:
  image: "{name}.{ext:image}"
  boxes: {path: "{name}.box", lines: {each: objects, lines: "{category.name} {bbox | upside_down}"}}
"""
CODEC = """\
from formatspec.codecs.registry import Codec, codec

@codec("upside_down")
def upside_down(arguments, site):
    \"\"\"Four numbers in reverse.\"\"\"
    return Codec(lambda v, e: list(v)[::-1], lambda v, e: list(v)[::-1], kind="numbers", arity=4)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that is installed in a folder of its own, as pip installs one."""
    place = tmp_path / "site"
    (place / "boxes_of_mine/specs").mkdir(parents=True)
    (place / "boxes_of_mine/__init__.py").touch()
    (place / "boxes_of_mine/codecs.py").write_text(CODEC)
    (place / "boxes_of_mine/specs/plugged_boxes.yaml").write_text(SPEC)
    about = place / "boxes_of_mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: boxes-of-mine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[formatspec.specs]\nmine = boxes_of_mine.specs\n\n[formatspec.codecs]\nmine = boxes_of_mine.codecs\n"
    )
    monkeypatch.syspath_prepend(str(place))
    codecs.load_plugins.cache_clear()
    yield place
    codecs.load_plugins.cache_clear()
    codecs.CODECS.pop("upside_down", None)
    for name in [name for name in sys.modules if name.startswith("boxes_of_mine")]:
        del sys.modules[name]


def data(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a.png").write_bytes(image_bytes(20, 10, "png"))
    (folder / "a.box").write_text("cat 4 3 2 1\n")
    return folder


def test_a_format_and_a_codec_of_another_package_are_used_like_our_own(package: Path, tmp_path: Path) -> None:
    assert available()["plugged_boxes"] == package / "boxes_of_mine/specs/plugged_boxes.yaml"
    dataset = fs.open(data(tmp_path / "data"), "plugged_boxes")
    (item,) = dataset
    assert item.objects[0].bbox == (1, 2, 3, 4)
    assert fs.open(tmp_path / "data").format == "plugged_boxes"  # detected too
    dataset.export(tmp_path / "out", "coco")
    back = fs.convert(tmp_path / "out", to="plugged_boxes", out=tmp_path / "back")
    assert back.items == 1 and (tmp_path / "back/a.box").read_text() == "cat 4 3 2 1\n"


def test_without_the_package_there_is_no_such_format() -> None:
    assert "plugged_boxes" not in available() and plugins.entry_points_of(plugins.SPECS) == ()


def test_an_entry_point_that_cannot_be_used_is_told_and_ends_nothing(package: Path, run: Any, tmp_path: Path) -> None:
    (package / "boxes_of_mine-1.0.dist-info/entry_points.txt").write_text(
        "[formatspec.specs]\nmine = no_such_package.specs\n\n[formatspec.codecs]\nmine = boxes_of_mine.broken\n"
    )
    (package / "boxes_of_mine/broken.py").write_text("raise RuntimeError('out of order')\n")
    plugins._found.cache_clear()
    assert "coco" in available()
    done = run("doctor", "--output-format", "json")
    told = {line["what"]: line for line in json.loads(done.out)["lines"]}
    assert done.status == 1
    assert "no_such_package" in told["entry point formatspec.specs mine"]["seen"]
    assert "out of order" in told["entry point formatspec.codecs mine"]["seen"]
    spec = tmp_path / "mine.yaml"
    spec.write_text(SPEC)
    wrong = run("validate", str(spec), str(data(tmp_path / "data")))
    assert wrong.status == 2 and "out of order" in wrong.err


def test_the_doctor_finds_this_installation_well(run: Any) -> None:
    done = run("doctor")
    assert done.status == 0, done.out
    lines = done.out.splitlines()
    assert any(line.startswith("ok  formats: ") for line in lines)
    assert any(line.startswith("ok  temporary files: ") for line in lines)
    assert any("extra arrow" in line for line in lines)


def test_a_place_that_cannot_be_written_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    done = run("doctor")
    assert done.status == 1 and "No space left on device" in done.out


def test_looking_for_plugins_imports_no_machinery_where_there_are_none() -> None:
    code = ("import sys; before = 'importlib.metadata' in sys.modules; from formatspec import plugins;"
            "plugins.entry_points_of(plugins.SPECS);"
            "assert before or 'importlib.metadata' not in sys.modules")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True)
