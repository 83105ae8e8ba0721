"""Rows that can only be written when the names of all columns are known, of items that another format gave."""

from __future__ import annotations

from pathlib import Path

from coco_like import coco_document, coco_files
from files_on_disk import put, spec_file

import formatspec as fs

SPEC = """
formatspec: 1
name: made_up
files:
  image: "pictures/{name}.{ext:image}"
  table:
    path: table.txt
    lines:
      - "{= count(items)}"
      - "{columns}"
      - {each: items where attributes, lines: "{name}.{ext} {attributes | by_name(columns) | flags(1, -1)}"}
"""


def test_rows_of_items_wait_for_the_names_of_the_columns(tmp_path: Path) -> None:
    document = coco_document([("a.png", 20, 10), ("b.png", 20, 10)], [])
    document["images"][0]["attributes"] = {"bald": True, "young": False}
    document["images"][1]["attributes"] = {"bald": False, "young": True}
    data = put(tmp_path / "data", coco_files(document))
    result = fs.convert(data, to=spec_file(tmp_path, SPEC), out=tmp_path / "out")
    assert not [line for line in result.losses if "not written" in line]
    assert (tmp_path / "out/table.txt").read_text("utf-8").splitlines() == [
        "2", "bald young", "a.png 1 -1", "b.png -1 1",
    ]  # fmt: skip
