"""Sixteen small COCO datasets, one clean and fifteen with one defect each: every defect is found at its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.cli.main import main

CASES = (
    "clean", "unknown_category", "unknown_image", "duplicate_annotation_id", "duplicate_image_id", "negative_width",
    "box_outside", "nan", "size_lies", "image_missing", "path_escape", "duplicate_category", "odd_polygon",
    "wrong_type", "truncated_json", "truncated_image",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The datasets, and what a finding must name in each."""
    base = os.environ.get("FORMATSPEC_YARDSTICKS")
    script = Path(base or ".") / "coco_defects.py"
    if not base or not script.is_file():
        pytest.skip("FORMATSPEC_YARDSTICKS holds no coco_defects.py")
    folder = tmp_path_factory.mktemp("defects")
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder, json.loads((folder / "cases.json").read_text())


def test_every_case_is_tried(made: tuple[Path, dict[str, Any]]) -> None:
    assert set(CASES) == made[1].keys()


@pytest.mark.parametrize("case", CASES)
def test_the_defect_is_found(
    case: str, made: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, cases = made
    expected = cases[case]
    monkeypatch.setattr(sys, "argv", ["formatspec", "validate", "coco", str(folder / case), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    findings = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["level"] in ("error", "warning")]
    assert end.value.code == (1 if expected["fails"] else 0)
    if not expected["fails"]:
        assert findings == []
        return
    named = [f for f in findings if f["level"] == "error" and f.get("file") == expected["file"]]
    assert expected["pointer"] in [f.get("pointer") for f in named], findings
    assert all(f["message"] and f["code"] for f in named)


@pytest.mark.parametrize("case", CASES)
def test_a_broken_dataset_is_read_as_far_as_it_goes(case: str, made: tuple[Path, dict[str, Any]]) -> None:
    dataset = fs.open(made[0] / case, "coco")
    keys = {item.key for item in dataset}
    assert len(keys) <= 2
    assert ("train/b" in keys) is (case not in ("truncated_json", "duplicate_image_id"))
