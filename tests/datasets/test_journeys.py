"""The journeys of the docs: the blocks of each page run one after the other, in an empty folder."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "journeys"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?(?: exit=(\d))?\n(.*?)^```', re.M | re.S)
NEEDS = re.compile(r"^Needs `(\w+)`", re.M)


def test_there_are_six_and_the_first_page_names_them() -> None:
    assert len(PAGES) == 6
    listed = (FOLDER / "README.md").read_text("utf-8")
    assert all(f"({page.name})" in listed for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_journey_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    text = page.read_text("utf-8")
    for library in NEEDS.findall(text):
        try:
            importlib.import_module(library)
        except (ImportError, RuntimeError):  # RuntimeError: a build for other hardware
            pytest.skip(f"{library} cannot be imported")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    kinds = []
    for kind, title, status, block in BLOCK.findall(text):
        kinds.append(kind)
        if kind == "python":
            exec(compile(block, f"{page.name}", "exec"), names)
        elif kind == "bash":
            for line in block.strip().splitlines():
                words = shlex.split(line)
                assert words[0] == "formatspec"
                done = run(*words[1:])
                assert done.status == int(status or 0), f"{line}\n{done.out}\n{done.err}"
        else:
            assert title, f"{page.name}: a block of {kind} names its file"
            Path(title).write_text(block)
    assert "python" in kinds
