"""The short form of the law of conservation in `formatspec lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from formatspec.cli.conserved import conserved, usual_targets
from formatspec.cli.main import app
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.shard_output import TableShard
from formatspec.language.load import HIDE_VARIABLE

SPEC = """\
formatspec: 1
name: held
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      objects: [{each: objects, label: category.name, box: bbox | xywh, "track?": track}]
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "held.yaml").write_text(SPEC, encoding="utf-8")
    return str(tmp_path / "held.yaml")


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lint", *arguments])


def test_lint_says_of_how_many_conversions_nothing_is_gone(spec: str) -> None:
    result = lint(spec, "--runs", "2")
    assert result.exit_code == 0
    assert "held: nothing is gone without a word in 8 conversions of these\n" in result.output


def test_slots_that_differ_without_a_line_are_named(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Losses, "item", lambda *rest, **more: None)
    result = lint(spec, "--runs", "3")
    assert result.exit_code == 1 and "laws hold" not in result.output
    assert "held, to coco: objects.track: " in result.output and "the report names 0" in result.output
    assert result.output.startswith("--seed ")


def test_rows_that_are_gone_without_a_line_are_named(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add = TableShard.add

    def lossy(self: TableShard, documents: list[Any], place: int, codec: Any, keys: tuple[str, ...] = ()) -> None:
        add(self, [document for document in documents if document.get("id") != 1], place, codec, keys)

    monkeypatch.setattr(TableShard, "add", lossy)
    result = lint(spec, "--runs", "1")
    assert result.exit_code == 1
    assert "--seed 0: held, to coco: rows of annotations/instances" in result.output


def test_without_the_catalogue_a_spec_is_converted_to_itself(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the folder specs/ where one stands is looked through, too
    assert usual_targets() == ("coco",)
    monkeypatch.setenv(HIDE_VARIABLE, "1")
    assert usual_targets() == ()
    assert conserved(spec, 0, (spec,)).made == 2
