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
