"""Rows that a kind of file cannot hold: their records count as not written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined

from formatspec.engine.export.shard_output import TableShard
from formatspec.files.document import FileError

ROWS = [outlined(1, 1, 5, 5), outlined(10, 10, 6, 6), outlined(20, 5, 8, 8)]


@pytest.mark.parametrize("to", ["coco", "lvis", "via_csv"])
def test_a_row_that_a_file_cannot_hold_is_counted_as_not_written(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, add = coco(tmp_path / "in", ROWS), TableShard.add

    def strict(self: TableShard, documents: list[Any], *more: Any) -> None:
        if any("10" in str(document.get("bbox", document)) for document in documents):
            raise FileError("this kind of file cannot hold a ten")
        add(self, documents, *more)

    monkeypatch.setattr(TableShard, "add", strict)
    _, lost = converted(data, to, workers=1, **({"where": "true"} if to == "coco" else {}))
    assert lost["objects not written (this kind of file cannot hold a ten)"] == 1
