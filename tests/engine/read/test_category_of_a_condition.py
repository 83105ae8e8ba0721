"""The category that a table's condition states is one of the dataset's, be it that no row spells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.testing.memory import image_bytes

SPEC = """formatspec: 1
name: mine
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      %s
      people: [{each: objects where category.name == 'person', "#": bbox | xywh}]
"""


@pytest.mark.parametrize(
    "beside", ["others: [{each: objects, label: category.name, box: bbox | xywh}]", "others: keep"]
)
def test_it_is_listed_and_converted(beside: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SPEC % beside)
    for folder in ("images", "labels"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    (tmp_path / "data/images/a.png").write_bytes(image_bytes(20, 10, "png"))
    document = {"others": [{"label": "car", "box": [1, 1, 4, 4]}], "people": [[2, 2, 5, 5]]}
    (tmp_path / "data/labels/a.json").write_text(json.dumps(document))
    names = {category.name for category in fs.open(tmp_path / "data", tmp_path / "mine.yaml").categories}
    assert names == ({"person"} if beside == "others: keep" else {"car", "person"})
    fs.convert(tmp_path / "data", to="coco", spec=tmp_path / "mine.yaml", out=tmp_path / "out", workers=1)
    (file,) = (tmp_path / "out/annotations").glob("instances_*.json")
    written = json.loads(file.read_bytes())
    assert {one["name"] for one in written["categories"]} == names
    assert [2, 2, 5, 5] in [row["bbox"] for row in written["annotations"]]
