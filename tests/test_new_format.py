"""A new format in minutes: made-up formats as a few lines of YAML, and no Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from files_on_disk import spec_file
from written_files import written_files

import formatspec as fs
from formatspec.run import dump

CAMERAS = """\
formatspec: 1
name: cameras
about: A folder of images per camera, an index mask for each, a legend, and tags in a text file.
categories: [legend]
files:
  image: "shots/{camera}/{name}.{ext:image}"
  mask:
    path: "masks/{camera}/{name}.png"
    image: index
    pixels: {each: areas by category, L: category.id}
  legend:
    path: legend.csv
    csv: {each: categories, code: id, label: name}
  tags:
    path: "tags/{camera}.txt"
    need: optional
    lines: {each: items, lines: "{name}: {tags | joined(', ')}"}
"""

ELEMENTS = """\
formatspec: 1
name: elements
about: An XML file per image; each element is named after its class.
files:
  image: "{name}.{ext:image}"
  notes:
    path: "{name}.notes.xml"
    style: {declaration: false}
    xml:
      notes:
        "@": {w: image.width, h: image.height, "by?": attributes.author}
        thing:
          - each: objects
            "@": {class: category.name, no: id}
            box:
              l, t, r, b: bbox | sides
            sure?: score
"""

JOINED = """\
formatspec: 1
name: joined
about: Pictures, boxes and classes in three CSV files that are joined by their ids.
items: pictures
categories: [classes]
files:
  image: "img/{name}.{ext:image}"
  pictures:
    path: pictures.csv
    csv: {each: items by id, picture_id: id, file: "{name}.{ext}", width: image.width, height: image.height}
  classes:
    path: classes.csv
    csv: {each: categories by id, class_id: id, class_name: name}
  boxes:
    path: boxes.csv
    csv:
      each: objects by id
      box_id: id
      picture_id: item.id
      class_id: category.id
      x, y, w, h: bbox | xywh
"""

LINES = """\
formatspec: 1
name: text_lines
about: A text file per image; first how many boxes there are, then a line for each.
files:
  image: "{subset:day|night}/{name}.{ext:image}"
  boxes:
    path: "{subset}/{name}.boxes"
    lines:
      - "{= count(objects)} boxes"
      - each: objects
        lines: "{category.name:words} {bbox | sides} {attributes.blurred | map('blurred'=true, 'sharp'=false)}"
"""


def picture(path: Path, width: int = 12, height: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.full((height, width, 3), 90, np.uint8))


def cameras(folder: Path) -> None:
    for camera, name in (("left", "a"), ("left", "b"), ("right", "a")):
        picture(folder / "shots" / camera / f"{name}.png")
        mask = np.zeros((8, 12), np.uint8)
        mask[:3], mask[5:, 4:9] = 10, 20
        path = folder / "masks" / camera / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        iio.imwrite(path, mask)
    (folder / "legend.csv").write_text("code,label\n10,sky\n20,grass\n30,unused\n")
    (folder / "tags").mkdir()
    (folder / "tags/left.txt").write_text("a: sunny, warm\nb: rain\n")


def elements(folder: Path) -> None:
    picture(folder / "one.png")
    picture(folder / "two.png")
    (folder / "one.notes.xml").write_text(
        '<notes w="12" h="8" by="ann">\n'
        '  <thing class="cat" no="1">\n    <box>\n      <l>1</l>\n      <t>2</t>\n      <r>5</r>\n      <b>6.5</b>\n'
        "    </box>\n    <sure>0.5</sure>\n  </thing>\n"
        '  <thing class="dog" no="2">\n    <box>\n      <l>0</l>\n      <t>0</t>\n      <r>12</r>\n      <b>8</b>\n'
        "    </box>\n  </thing>\n</notes>\n"
    )
    (folder / "two.notes.xml").write_text('<notes w="12" h="8"/>\n')


def joined(folder: Path) -> None:
    picture(folder / "img/p.jpg")
    picture(folder / "img/q.jpg")
    (folder / "pictures.csv").write_text("picture_id,file,width,height\n1,p.jpg,12,8\n2,q.jpg,12,8\n")
    (folder / "classes.csv").write_text("class_id,class_name\n3,cat\n5,dog\n")
    rows = "1,1,3,1,2,3,4\n2,2,5,0,0,2.5,3\n3,1,5,4,4,2,2\n"
    (folder / "boxes.csv").write_text(f"box_id,picture_id,class_id,x,y,w,h\n{rows}")


def text_lines(folder: Path) -> None:
    picture(folder / "day/x.jpg")
    picture(folder / "night/y.jpg")
    (folder / "day/x.boxes").write_text("2 boxes\ntraffic light 1 2 4 6 sharp\ncar 0 0 6.5 8 blurred\n")
    (folder / "night/y.boxes").write_text("0 boxes\n")


MADE: dict[str, tuple[str, Any, int, int]] = {
    "cameras": (CAMERAS, cameras, 3, 6),
    "elements": (ELEMENTS, elements, 2, 2),
    "joined": (JOINED, joined, 2, 3),
    "text_lines": (LINES, text_lines, 2, 2),
}
"""Each format's spec, what makes an example, and how many items and annotations that holds."""


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, int, int]:
    text, make, items, annotations = MADE[request.param]
    assert len(text.splitlines()) <= 25
    folder = tmp_path / "data"
    folder.mkdir()
    make(folder)
    return spec_file(tmp_path, text), folder, items, annotations


def documents(folder: Path) -> dict[str, Any]:
    """Every file but images: masks by their pixels, all else by its bytes."""
    found: dict[str, Any] = {}
    for name, path in written_files(folder).items():
        found[name] = iio.imread(path).tolist() if path.suffix == ".png" else path.read_bytes()
    return found


def test_it_validates(made: tuple[Path, Path, int, int]) -> None:
    file, folder, items, _ = made
    report = fs.validate(folder, file, deep=True)
    assert report.findings == ()
    assert report.items == items


def test_it_is_written_back(made: tuple[Path, Path, int, int], tmp_path: Path) -> None:
    file, folder, _, _ = made
    result = fs.convert(folder, spec=file, to=file, out=tmp_path / "out")
    assert result.losses == ()
    assert documents(tmp_path / "out") == documents(folder)


def test_it_becomes_coco(made: tuple[Path, Path, int, int], tmp_path: Path) -> None:
    file, folder, items, annotations = made
    fs.convert(folder, spec=file, to="coco", out=tmp_path / "out")
    written = [json.loads(p.read_text("utf-8")) for p in sorted((tmp_path / "out/annotations").glob("*.json"))]
    assert len({image["file_name"] for document in written for image in document["images"]}) == items
    assert sum(len(document["annotations"]) for document in written) == annotations
    assert [f for f in fs.validate(tmp_path / "out", "coco", deep=True).findings if f.level != "info"] == []


def test_it_comes_from_what_another_format_holds(made: tuple[Path, Path, int, int], tmp_path: Path) -> None:
    file, folder, items, _ = made
    fs.convert(folder, spec=file, to="coco", out=tmp_path / "coco")
    has_default = any("default" in item.subsets for item in fs.open(tmp_path / "coco", "coco"))
    renamed = {"default": "day"} if has_default else {}
    fs.convert(tmp_path / "coco", spec="coco", to=file, out=tmp_path / "back", subsets=renamed)
    assert fs.validate(tmp_path / "back", file, deep=True).items == items


def test_its_laws_hold(made: tuple[Path, Path, int, int]) -> None:
    import random

    from formatspec.testing import laws

    for seed in range(10):
        laws.hold(made[0], random.Random(seed))
    laws.hold_on(fs.load_spec(made[0]), made[1])


def test_what_the_cameras_saw(tmp_path: Path) -> None:
    cameras(tmp_path)
    items = [dump.item(item) for item in fs.open(tmp_path, spec_file(tmp_path.parent, CAMERAS))]
    assert [item["key"] for item in items] == ["left/a", "left/b", "right/a"]
    assert [item.get("tags") for item in items] == [["sunny", "warm"], ["rain"], None]
    assert [(a["category"]["id"], a["category"]["name"]) for a in items[0]["areas"]] == [(10, "sky"), (20, "grass")]


def test_what_the_lines_say(tmp_path: Path) -> None:
    text_lines(tmp_path)
    day, night = fs.open(tmp_path, spec_file(tmp_path.parent, LINES))
    assert [(t.category.name if t.category else None, t.bbox, t.attributes) for t in day.objects] == [
        ("traffic light", (1, 2, 3, 4), {"blurred": False}),
        ("car", (0, 0, 6.5, 8), {"blurred": True}),
    ]
    assert night.objects == ()


def test_what_the_elements_say(tmp_path: Path) -> None:
    elements(tmp_path)
    one, _ = fs.open(tmp_path, spec_file(tmp_path.parent, ELEMENTS))
    assert one.attributes == {"author": "ann"}
    assert [(t.id, t.bbox, t.score) for t in one.objects] == [(1, (1, 2, 4, 4.5), 0.5), (2, (0, 0, 12, 8), None)]


def test_what_the_tables_say(tmp_path: Path) -> None:
    joined(tmp_path)
    p, q = fs.open(tmp_path, spec_file(tmp_path.parent, JOINED))
    assert [(t.id, t.category.name if t.category else None) for t in p.objects] == [(1, "cat"), (3, "dog")]
    assert [t.bbox for t in q.objects] == [(0, 0, 2.5, 3)]
