"""Three more made-up formats, written after the engine: XML with nested elements, joined CSVs, records of text lines.

Nothing in `formatspec/` was touched for them.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.testing import laws

XML = """
formatspec: 1
name: shelf_scans
files:
  image: "scans/{store}/{name}.{ext:image}"
  sheet:
    path: "sheets/{store}/{name}.xml"
    xml:
      sheet:
        "@": {w: image.width, h: image.height}
        tags?: {tag: [{each: labels, "@": {class: category.name}}]}
        products?:
          product:
            - each: objects
              "@": {class: category.name, "facing?": attributes.facing}
              frame: {"left, top, right, bottom": bbox | sides}
              price?: attributes.price
"""

CSVS = """
formatspec: 1
name: bird_tables
categories: [species]
items: pictures
files:
  image: "media/{name}.{ext:image}"
  species:
    path: species.csv
    csv: {each: categories by id, id: id, latin: name, "family?": parent}
  pictures:
    path: pictures.csv
    csv: {each: items by id, picture: id, file: "{name}.{ext}", width: image.width, height: image.height}
  birds:
    path: birds.csv
    csv:
      each: objects by id
      bird: id
      picture: item.id
      species: category.id
      "x, y, w, h": bbox | xywh
      ringed?: attributes.ringed | map('R'=true, '-'=false)
"""

LINES = """
formatspec: 1
name: orchard_notes
files:
  image: "{subset:spring|autumn}/{name}.{ext:image}"
  note:
    path: "{subset}/{name}.note"
    lines:
      - line?: "weather: {attributes.weather}"
      - "fruits: {= count(objects)}"
      - each: objects
        lines: "{category.name} @ {bbox | cxcywh} ripe={attributes.ripe | flag}"
"""


@pytest.mark.parametrize("text", [XML, CSVS, LINES], ids=["xml", "csvs", "lines"])
def test_a_format_made_up_later_needs_no_python(text: str, tmp_path: Path) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(text.lstrip())
    assert len(text.strip().splitlines()) <= 25
    source = fs.load_spec(spec)
    for seed in range(15):
        laws.hold(source, random.Random(seed))
    data = tmp_path / "data"
    fs.sample(spec, data, items=5, seed=2)
    report = fs.validate(data, spec, deep=True)
    assert report.items == 5
    assert [finding for finding in report.findings if finding.level == "error"] == []
    objects = sum(len(item.objects) for item in fs.open(data, spec))
    assert objects > 0
    coco = fs.convert(data, spec=spec, to="coco", out=tmp_path / "coco")
    assert coco.items == 5
    assert sum(len(item.objects) for item in fs.open(tmp_path / "coco", "coco")) == objects
    back = fs.convert(data, spec=spec, to=spec, out=tmp_path / "back")
    assert back.losses == ()
    for file in data.rglob("*"):
        if file.is_file() and file.suffix in (".xml", ".csv", ".note"):
            assert (tmp_path / "back" / file.relative_to(data)).read_bytes() == file.read_bytes()
