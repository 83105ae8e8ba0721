"""Rows that are kept: read, written back to the same format beside the other rows of their records, and never made."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from formatspec.api import load_spec
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing import laws

KEPT_ROWS = """
formatspec: 1
name: kept_rows
files:
  image: {path: "{name}.{ext:image}", need: optional}
  record:
    path: "{name}.json"
    json:
      rows:
        - one of:
            - {each: objects by id, id: id, shape: {"x, y, w, h": bbox | xywh}, "*": keep}
            - {each: objects by id where kept, id: id, words: text, "*": keep}
            - {each: items where kept, from: keep, to: keep}
"""


def test_rows_that_are_kept_come_back_beside_the_others_and_are_never_made(tmp_path: Path) -> None:
    spec = tmp_path / "kept_rows.yaml"
    spec.write_text(KEPT_ROWS)
    rows = [
        {"id": "a", "words": "hello", "by": "me"},
        {"id": "a", "shape": {"x": 1, "y": 2, "w": 3, "h": 4}},
        {"id": "b", "words": "alone"},
        {"from": "a", "to": "b"},
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.json").write_text(json.dumps({"rows": rows}))
    source = load_spec(spec)
    dataset, items = laws.opened(source, open_tree(tmp_path / "data"), {})
    assert [(one.id, one.text, one.bbox) for one in items[0].objects] == [
        ("a", "hello", (1, 2, 3, 4)),
        ("b", "alone", None),
    ]
    assert json.loads(laws.rewritten(dataset, items)["a.json"]) == {"rows": rows}
    new = [msgspec.structs.replace(item, origin=None, objects=tuple(
        msgspec.structs.replace(one, origin=None) for one in item.objects if one.bbox)) for item in items]  # fmt: skip
    made = laws.written(dataset.form, [], new)
    assert json.loads(made["a.json"]) == {"rows": [{"id": "a", "shape": {"x": 1, "y": 2, "w": 3, "h": 4}}]}
