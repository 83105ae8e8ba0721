"""What docs/language.md shows can be copied: each block of `files:` is a spec that keeps the laws."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.load import load_source
from formatspec.testing import laws

PAGE = (Path(fs.__file__).parent.parent / "docs" / "language.md").read_text("utf-8")
BLOCKS = [
    block
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    if block.startswith(("files:\n", "options:\n", "items:"))
]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_keeps_the_laws(number: int, tmp_path: Path) -> None:
    file = tmp_path / "copied.yaml"
    file.write_text(f"formatspec: 1\nname: copied\n{BLOCKS[number]}", "utf-8")
    source = load_source(file)
    compile_whole(source)
    for run in range(5):
        laws.hold(source, random.Random(run))
