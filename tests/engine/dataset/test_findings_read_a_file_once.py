"""A table of a column for each class is decoded a few times, however many findings name places in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.files import csv_file
from formatspec.testing.memory import image_bytes


def decodings(count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often tables are decoded where `count` images are missing, and others are of another kind."""
    rows = "".join(f"{n}.jpg, 1, 0\n" for n in range(2 * count))
    there = {f"train/{n}.jpg": image_bytes(4, 3, "jpg") if n < 2 else b"no image" for n in range(count)}
    data = put(folder, {"train/_classes.csv": f"filename, cat, dog\n{rows}", **there})
    calls: list[int] = []
    plain = csv_file.decode

    def counted(*arguments: object) -> object:
        calls.append(1)
        return plain(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(csv_file, "decode", counted)
        result = fs.validate(data, "roboflow_multilabel", workers=1)
    assert sum(one.code == "IMAGE_MISSING" for one in result.findings) == count
    return len(calls)


def test_a_table_is_decoded_no_more_often_for_more_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decodings(60, tmp_path / "many", monkeypatch) <= decodings(6, tmp_path / "few", monkeypatch)
