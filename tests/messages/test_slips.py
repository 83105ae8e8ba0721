"""Slips of a newcomer in specs and in data: what is said of each, and that its repair is right."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

import mistakes as made

from formatspec.engine.dataset.lint import compile_whole, notes
from formatspec.findings.render import lines
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.testing.data_trial import try_on

SLIPS = yaml.safe_load((made.HERE / "slips.yaml").read_text("utf-8"))


def linted(of: str, edits: list[dict[str, Any]], folder: Path) -> str:
    """What `lint SPEC DATA` says of a spec with edits and the data that it was written for."""
    shutil.copytree(made.HERE / "bases" / of, folder / "data", dirs_exist_ok=True)
    (folder / "my.yaml").write_bytes(made.edited(made.base_of_spec(of), edits, "my.yaml")["my.yaml"])
    with made.inside(folder):
        try:
            source = load_source("my.yaml")
            compile_whole(source)
        except SpecError as error:
            return str(error)
        found = try_on("my.yaml", "data")
        told = lines(one for one in found.findings if one.level != "info")
        return "\n".join((*map(str, notes(source)), *told, *found.unread, *map(str, found.differences)))


@pytest.mark.parametrize("slip", SLIPS["spec"], ids=lambda one: one["title"])
def test_a_slip_in_a_spec_is_told_and_its_repair_is_right(slip: dict[str, Any], tmp_path: Path) -> None:
    said = linted(slip["of"], slip["edits"], tmp_path)
    assert all(words in said for words in slip["says"]), said
    assert linted(slip["of"], [*slip["edits"], *slip["made"]], tmp_path) == linted(slip["of"], [], tmp_path)


@pytest.mark.parametrize("slip", SLIPS["data"], ids=lambda one: one["title"])
def test_a_slip_in_data_is_told_and_its_repair_is_right(slip: dict[str, Any]) -> None:
    said = made._said("data", slip["of"], slip["edits"])
    assert all(words in said for words in slip["says"]), said
    if slip["made"] is not None:
        assert made._said("data", slip["of"], [*slip["edits"], *slip["made"]]) == ""
