"""An image that a row names by the last part of an address, in whatever folder it lies."""

from __future__ import annotations

import json
import random
from pathlib import Path

import formatspec as fs
from formatspec.findings.finding import Finding
from formatspec.language.load import load_source
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

SPEC = """
formatspec: 1
name: addressed
items: tasks
files:
  image: "images/{folder:path?}/{name}.{ext:image}"
  tasks:
    path: tasks.json
    json:
      - each: items
        url:
          one of:
            - "{attributes.address}/{name}.{ext}?{attributes.signature}"
            - "{attributes.address}/{name}.{ext}"
            - "{name}.{ext}"
        boxes: [{each: objects, box: bbox | xywh}]
"""


def dataset(top: Path, addresses: list[str], images: list[str]) -> tuple[Path, Path]:
    """A list of addresses, each with one box, and images."""
    (top / "spec.yaml").write_text(SPEC)
    for name in images:
        file = top / "data" / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(image_bytes(40, 30, "png"))
    (top / "data").mkdir(exist_ok=True)
    rows = [{"url": address, "boxes": [{"box": [n, 2, 3, 4]}]} for n, address in enumerate(addresses)]
    (top / "data" / "tasks.json").write_text(json.dumps(rows))
    return top / "data", top / "spec.yaml"


def found(data: Path, spec: Path, code: str) -> list[Finding]:
    return [one for one in fs.validate(data, spec).findings if one.code == code]


def test_the_only_image_of_that_name_is_meant(tmp_path: Path) -> None:
    addresses = ["https://example.org/x/a.png?key=SECRET", "s3://bucket/b.png", "c.png"]
    data, spec = dataset(tmp_path, addresses, ["one/a.png", "b.png", "one/two/c.png"])
    assert [one.code for one in fs.validate(data, spec).findings if one.level == "error"] == []
    boxes = {item.image.path: [thing.bbox for thing in item.objects] for item in fs.open(data, spec) if item.image}
    assert boxes == {
        "images/one/a.png": [(0, 2, 3, 4)], "images/b.png": [(1, 2, 3, 4)], "images/one/two/c.png": [(2, 2, 3, 4)],
    }  # fmt: skip
    fs.convert(data, to=spec, out=tmp_path / "same", spec=spec)
    assert json.loads((tmp_path / "same" / "tasks.json").read_text()) == json.loads((data / "tasks.json").read_text())
    assert (tmp_path / "same" / "images" / "one" / "a.png").is_file()


def test_of_two_images_of_that_name_neither_is_taken(tmp_path: Path) -> None:
    data, spec = dataset(tmp_path, ["https://example.org/a.png", "c.png"], ["one/a.png", "two/a.png", "c.png"])
    [finding] = found(data, spec, "UNKNOWN_REFERENCE")
    assert (finding.file, finding.pointer, finding.level) == ("tasks.json", "/0", "error")
    assert "images/one/a.png, images/two/a.png" in finding.message
    assert [item.key for item in fs.open(data, spec)] == ["c"]


def test_an_image_that_lies_where_the_row_says_is_meant_before_others(tmp_path: Path) -> None:
    data, spec = dataset(tmp_path, ["a.png"], ["a.png", "one/a.png"])
    assert [item.key for item in fs.open(data, spec)] == ["a"]


def test_an_address_without_image_is_said_without_its_signature(tmp_path: Path) -> None:
    data, spec = dataset(tmp_path, ["https://example.org/x/a.png?key=SECRET", "c.png"], ["c.png"])
    [finding] = found(data, spec, "IMAGE_MISSING")
    assert finding.got == "https://example.org/x/a.png"
    assert "SECRET" not in repr(fs.validate(data, spec).findings)


def test_a_target_that_tells_no_folder_keeps_names_apart(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    target = dataset(tmp_path / "to", [], [])[1]
    source = tmp_path / "from" / "data"
    for name in ("one/a", "two/a", "two/b"):
        (source / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (source / "images" / f"{name}.png").write_bytes(image_bytes(40, 30, "png"))
        (source / f"{name.replace('/', '-')}.txt").write_text("1 2 3 4\n")
    plain = tmp_path / "from" / "spec.yaml"
    plain.write_text(
        "formatspec: 1\nname: plain\nfiles:\n  image: 'images/{group}/{name}.png'\n"
        "  boxes: {path: '{group}-{name}.txt', lines: {each: objects, lines: '{bbox | xywh}'}}\n"
    )
    fs.convert(source, to=target, out=tmp_path / "out", spec=plain)
    assert sorted(one["url"] for one in json.loads((tmp_path / "out" / "tasks.json").read_text())) == [
        "one_a.png", "two_a.png", "two_b.png",
    ]  # fmt: skip
    assert fs.validate(tmp_path / "out", target).findings == ()


def test_the_laws_hold(tmp_path: Path) -> None:
    source = load_source(dataset(tmp_path, [], [])[1])
    for run in range(10):
        laws.hold(source, random.Random(run))
