"""Every block of docs/tutorial.md is run: its files are written, its commands print what stands below them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import formatspec as fs
from formatspec.cli.main import main
from formatspec.testing.memory import image_bytes

SPECS = Path(fs.__file__).parent.parent / "specs"
PAGE = (SPECS.parent / "docs" / "tutorial.md").read_text("utf-8")
STEPS = re.split(r"^## ", PAGE, flags=re.M)[1:8]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.M | re.S)
SPEC_OF_A_LEAF = """formatspec: 1
name: one
files:
  image: "images/{name}.{ext:image}"
  labels:
    path: "labels/{name}.json"
    json:
      rows:
        - each: objects
          label: category.name
          """
LEAVES = re.findall(r"^\| .* \| `(.*)` \|$", PAGE.partition("## Your box says")[2], re.M)


def put(folder: Path, title: str, text: str) -> None:
    """Write one block of the page to disk: images, a label image of colours or numbers, or the text as it stands."""
    if title == "images":
        for line in text.splitlines():
            path, width, height = line.split()
            put_bytes(folder / path, image_bytes(int(width), int(height), path.rpartition(".")[2]))
    elif title.endswith(".png"):
        rows = [line.split() for line in text.splitlines()]
        if rows[0][0].startswith("#"):
            pixels = np.array(
                [[[int(cell[i : i + 2], 16) for i in (1, 3, 5)] for cell in row] for row in rows], np.uint8
            )
        else:
            pixels = np.array([[int(cell) for cell in row] for row in rows], np.uint16)
        put_bytes(folder / title, iio.imwrite("<bytes>", pixels, extension=".png"))
    else:
        put_bytes(folder / title, text.encode())


def put_bytes(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.partition(".")[0])
def test_a_step_does_what_it_says(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORMATSPEC_PATH", str(SPECS))
    ran = 0
    for kind, title, text in BLOCK.findall(step):
        if kind != "console":
            put(tmp_path, title, text)
            continue
        for command, expected in re.findall(r"^\$ formatspec (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            monkeypatch.setattr(sys, "argv", ["formatspec", *command.split()])
            with pytest.raises(SystemExit):
                main()
            assert capsys.readouterr().out == expected
            ran += 1
    assert ran


def test_there_are_seven_steps() -> None:
    assert [step.partition(".")[0] for step in STEPS] == list("1234567")


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_of_the_table_is_of_the_language(leaf: str, tmp_path: Path) -> None:
    codec = leaf.replace("\\|", "|").replace("…", "bbox | xywh")
    row = codec if ": " in codec else f"shape: {codec}"
    spec = tmp_path / "one.yaml"
    spec.write_text(SPEC_OF_A_LEAF + row + "\n", "utf-8")
    fs.load_spec(spec)


def test_the_table_has_leaves() -> None:
    assert len(LEAVES) >= 20
