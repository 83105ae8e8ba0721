"""What a document of many items says of all of them reaches the items, and comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.testing.memory import image_bytes

SPEC = """\
formatspec: 1
name: clips
files:
  image: "{sequence}/{frame:d}.jpg"
  boxes: {path: "{sequence}/boxes.csv", csv: {each: objects, frame: "{frame:d}", "x, y, w, h": bbox | xywh}}
  about:
    path: "{sequence}/about.json"
    json:
      fps: item.attributes.fps else 25
      wide: image.width
      camera?: item.attributes.camera
      frames: = count(items)
"""


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    (tmp_path / "clips.yaml").write_text(SPEC)
    for name, fps, frames in (("a", 25, 3), ("b", 30, 1)):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for frame in range(frames):
            (folder / f"{frame}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        (folder / "boxes.csv").write_text("frame,x,y,w,h\n0,1,2,3,4\n")
        about = {"fps": fps, "wide": 20, "frames": frames, **({"camera": "left"} if name == "a" else {})}
        (folder / "about.json").write_text(json.dumps(about))
    return tmp_path


def test_each_item_has_what_its_document_says(clips: Path) -> None:
    items = {item.key: item for item in fs.open(clips / "data", clips / "clips.yaml")}
    assert items["a/0"].attributes == items["a/2"].attributes == {"fps": 25, "camera": "left"}
    assert items["b/0"].attributes == {"fps": 30}
    assert fs.validate(clips / "data", clips / "clips.yaml").findings == ()


def test_it_is_written_back_and_computed_for_what_is_written(clips: Path) -> None:
    spec = clips / "clips.yaml"
    fs.convert(clips / "data", to=spec, out=clips / "same", spec=spec)
    for name in ("a", "b"):
        read = [json.loads((clips / one / name / "about.json").read_text()) for one in ("data", "same")]
        assert read[0] == read[1]
    fs.convert(clips / "data", to=spec, out=clips / "some", spec=spec, where="sequence == 'a' and frame > 0")
    assert json.loads((clips / "some" / "a" / "about.json").read_text())["frames"] == 2


def test_what_disagrees_is_said(clips: Path) -> None:
    about = clips / "data" / "a" / "about.json"
    about.write_text(json.dumps({"fps": 25, "wide": 21, "frames": 5}))
    found = fs.validate(clips / "data", clips / "clips.yaml").findings
    said = {(one.code, one.file, one.pointer) for one in found}
    assert ("DIFFERS", "a/about.json", "/frames") in said
    assert any(code != "DIFFERS" for code, _, _ in said)  # the width of the images is another


def test_items_that_say_otherwise_are_counted(clips: Path) -> None:
    (clips / "other.yaml").write_text(
        """\
formatspec: 1
name: other
files:
  image: "{name}.jpg"
  about: {path: about.json, json: {fps: item.attributes.fps}}
"""
    )
    result = fs.convert(clips / "data", to=clips / "other.yaml", out=clips / "out", spec=clips / "clips.yaml")
    assert json.loads((clips / "out" / "about.json").read_text()) == {"fps": 25}
    assert "attributes.fps other than that of the first item in one file: 1 item" in result.losses


def test_an_item_has_its_number_in_a_selection(clips: Path) -> None:
    spec = clips / "clips.yaml"
    fs.convert(clips / "data", to=spec, out=clips / "last", spec=spec, where="index > 2")
    assert [item.key for item in fs.open(clips / "last", spec)] == ["b/0"]


def test_an_outline_of_an_odd_count_of_numbers_is_said(tmp_path: Path) -> None:
    spec = tmp_path / "odd.yaml"
    spec.write_text(
        'formatspec: 1\nname: odd\nfiles:\n  image: "{name}.jpg"\n'
        '  record: {path: "{name}.json", json: [{each: objects, ring: polygon}]}\n'
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (tmp_path / "data" / "a.json").write_text('[{"ring": [1, 2, 3, 4, 5, 6, 7]}]')
    (finding,) = fs.validate(tmp_path / "data", spec).findings
    assert (finding.level, finding.pointer) == ("error", "/0/ring")


def test_numbers_are_keys_in_yaml_and_texts_in_json(tmp_path: Path) -> None:
    for kind, expected in (("yaml", "names:\n  0: car\n  1: bus\n"), ("json", '{"names": {"0": "car", "1": "bus"}}')):
        spec = tmp_path / f"{kind}_names.yaml"
        spec.write_text(
            f'formatspec: 1\nname: {kind}_names\ncategories: [names]\nfiles:\n  image: "{{name}}.jpg"\n'
            f"  names: {{path: names.{kind}, {kind}: {{names: categories.name | index_map}}}}\n"
            '  boxes: {path: "{name}.txt", lines: {each: objects, lines: "{category.index:d}"}}\n'
        )
        source = tmp_path / f"{kind}_data"
        source.mkdir()
        (source / "a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        (source / "a.txt").write_text("1\n")
        (source / f"names.{kind}").write_text(expected)
        fs.convert(source, to="coco", out=tmp_path / f"{kind}_coco", spec=spec)
        fs.convert(tmp_path / f"{kind}_coco", to=spec, out=tmp_path / f"{kind}_out")
        assert (tmp_path / f"{kind}_out" / f"names.{kind}").read_text().strip() == expected.strip()
