"""Which of a spec's layouts a tree is opened as."""

from __future__ import annotations

from pathlib import Path

from formatspec.api import load_spec
from formatspec.engine.dataset.dataset import candidates
from formatspec.paths.open_tree import open_tree

SPEC = """
formatspec: 1
name: two_layouts
items: [record]
variants:
  - name: in folders
    files:
      image: {path: "images/{name}.{ext:image}"}
      record: {path: "records/{name}.json", json: {size: [image.width, image.height]}}
  - name: flat
    files:
      image: {path: "{name}.{ext:image}", need: optional}
      record: {path: "{name}.json", need: optional, json: {size: [image.width, image.height]}}
"""


def test_a_layout_that_claims_no_file_comes_after_one_that_lacks_some(tmp_path: Path) -> None:
    spec = tmp_path / "two_layouts.yaml"
    spec.write_text(SPEC)
    record = tmp_path / "data" / "records" / "a.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"size": [4, 3]}')
    found = candidates(load_spec(spec), open_tree(tmp_path / "data"), {})
    assert [form.layout.variant for form, _ in found] == ["in folders", "flat"]
