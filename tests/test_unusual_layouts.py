"""Layouts that people make up: a file for each class, INI sections, masks named after classes, nested parts, blocks."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_specs import comes_back, keeps_the_laws, small_spec

import formatspec as fs
from formatspec.language.load import load_source
from formatspec.pixels import png
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

W, H = 64, 48
SPECS = {
    "a_table_for_each_class": """
  image: "photos/{name}.{ext:image}"
  boxes:
    path: "labels/{category.name}/boxes.csv"
    csv: {each: objects, img: "{name}.{ext}", "x1, y1, x2, y2": bbox | sides | normalized, "conf?": score}
""",
    "videos_then_frames": """
  image: "{sequence}/{frame:05d}.{ext:image}"
  all:
    path: all.json
    json:
      "{sequence}":
        each: group
        frames: {"{frame:d}": [{each: objects, id: track else index, cls: category.name, box: bbox | sides}]}
""",
    "sections_of_objects": """
  image: "pics/{name}.{ext:image}"
  about:
    path: "pics/{name}.ini"
    ini:
      image: {width: image.width, height: image.height, "scene?": item.attributes.scene}
      "object_{id:d}": {each: objects by id, label: category.name, "x, y, w, h": bbox | xywh}
""",
    "masks_named_after_their_class": """
  image: "img/{name}.{ext:image}"
  mask:
    path: "masks/{name}/{object.category.name}_{object.number:d}.png"
    image: gray
    pixels: {each: objects, L: 255}
""",
    "parts_within_things": """
  image: "i/{name}.{ext:image}"
  scene:
    path: "a/{name}.xml"
    xml:
      scene:
        "@": {image: "{name}.{ext}"}
        size: {"@": {w: image.width, h: image.height}}
        thing:
          - each: objects where not parent
            "@": {kind: category.name, id: id else index}
            box: &box bbox | sides | numbers_at('lt.@.x', 'lt.@.y', 'rb.@.x', 'rb.@.y') | texts
            parts?: {part: [{each: children, "@": {kind: category.name}, box: *box}]}
""",
    "blocks_of_lines": """
  image: "data/{name}.{ext:image}"
  labels:
    path: labels.txt
    lines:
      each: items
      lines:
        - "# image: data/{name}.{ext}"
        - "# size: {image.width:d} {image.height:d}"
        - {each: objects, lines: "{category.name:token} {bbox | xywh} {score?:f}"}
""",
    "centres_and_sizes": """
  image: "{subset}/{name}.{ext:image}"
  list:
    path: "{subset}.yaml"
    yaml:
      classes: [{each: categories by index, "#": name}]
      images:
        - each: items
          file: "{name}.{ext}"
          objects: [{each: objects, class: category.index, "center, size": bbox | cxcywh | normalized | pairs(2)}]
""",
}


def mask(x: int, y: int, width: int, height: int) -> bytes:
    """A label image with one box of 255."""
    pixels = np.zeros((H, W), np.uint8)
    pixels[y : y + height, x : x + width] = 255
    return png.encode(pixels, "gray")


JPG, PNG = image_bytes(W, H, "jpg"), image_bytes(W, H, "png")
FILES: dict[str, dict[str, Any]] = {
    "a_table_for_each_class": {
        "photos/a.jpg": JPG,
        "photos/b.jpg": JPG,
        "labels/car/boxes.csv": "img,x1,y1,x2,y2,conf\na.jpg,0.25,0.25,0.5,0.5,0.9\nb.jpg,0.25,0.25,0.5,0.5,0.8\n",
        "labels/dog/boxes.csv": "img,x1,y1,x2,y2,conf\na.jpg,0.5,0.5,0.75,0.75,0.5\n",
    },
    "videos_then_frames": {
        "v1/00001.jpg": JPG,
        "v1/00002.jpg": JPG,
        "v2/00001.jpg": JPG,
        "all.json": '{"v1":{"frames":{"1":[{"id":1,"cls":"car","box":[16,12,32,24]}],'
        '"2":[{"id":1,"cls":"dog","box":[32,24,48,36]}]}},"v2":{"frames":{"1":[{"id":1,"cls":"car","box":[16,12,32,24]}]}}}',
    },
    "sections_of_objects": {
        "pics/a.png": PNG,
        "pics/a.ini": "[image]\nwidth=64\nheight=48\nscene=street\n\n[object_1]\nlabel=car\nx=16\ny=12\nw=16\nh=12\n\n"
        "[object_2]\nlabel=dog\nx=32\ny=24\nw=16\nh=12\n",
        "pics/b.png": PNG,
        "pics/b.ini": "[image]\nwidth=64\nheight=48\n\n[object_7]\nlabel=car\nx=16\ny=12\nw=16\nh=12\n",
    },
    "masks_named_after_their_class": {
        "img/a.png": PNG,
        "img/b.png": PNG,
        "masks/a/car_0.png": mask(16, 12, 16, 12),
        "masks/a/dog_0.png": mask(32, 24, 16, 12),
        "masks/b/car_0.png": mask(16, 12, 16, 12),
    },
    "parts_within_things": {
        "i/a.jpg": JPG,
        "a/a.xml": '<scene image="a.jpg"><size w="64" h="48"/><thing kind="car" id="7"><box><lt x="16" y="12"/>'
        '<rb x="32" y="24"/></box><parts><part kind="dog">'
        '<box><lt x="32" y="24"/><rb x="48" y="36"/></box></part></parts>'
        '</thing><thing kind="car" id="8"><box><lt x="16" y="12"/><rb x="32" y="24"/></box></thing></scene>',
    },
    "blocks_of_lines": {
        "data/a.jpg": JPG,
        "data/b.jpg": JPG,
        "labels.txt": "# image: data/a.jpg\n# size: 64 48\ncar 16 12 16 12\ndog 32 24 16 12 0.5\n"
        "# image: data/b.jpg\n# size: 64 48\ncar 16 12 16 12\n",
    },
    "centres_and_sizes": {
        "train/a.jpg": JPG,
        "train/b.jpg": JPG,
        "train.yaml": "classes: [car, dog]\nimages:\n  - file: a.jpg\n    objects:\n"
        "      - {class: 0, center: [0.375, 0.375], size: [0.25, 0.25]}\n"
        "      - {class: 1, center: [0.625, 0.625], size: [0.25, 0.25]}\n"
        "  - file: b.jpg\n    objects: [{class: 0, center: [0.375, 0.375], size: [0.25, 0.25]}]\n",
    },
}
SOURCES = {"centres_and_sizes": "items: list.images\n"}
CAR, DOG = ("car", (16, 12, 16, 12)), ("dog", (32, 24, 16, 12))


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A dataset of one of the layouts, and its spec."""
    name = request.param
    return small_spec(tmp_path, name, SPECS[name], FILES[name], SOURCES.get(name, ""))


EACH = pytest.mark.parametrize("made", SPECS, indirect=True)


def objects(data: Path, spec: str | Path) -> list[tuple[str, tuple[float, ...]]]:
    """The class and the box of each object."""
    things = [thing for item in fs.open(data, spec) for thing in item.objects]
    found = [
        (one.category.name, one.bbox or one.region.bbox) for one in things if one.category and (one.bbox or one.region)
    ]
    return sorted(found)


@EACH
def test_it_keeps_the_laws(made: tuple[Path, Path]) -> None:
    keeps_the_laws(made[1])


@EACH
def test_it_is_read_and_written_back_equal(made: tuple[Path, Path], tmp_path: Path) -> None:
    assert objects(*made) == [CAR, CAR, DOG]
    comes_back(*made, tmp_path / "same")


@EACH
def test_it_goes_to_coco_and_back(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, spec = made
    fs.convert(data, to="coco", out=tmp_path / "coco", spec=spec)
    assert objects(tmp_path / "coco", "coco") == [CAR, CAR, DOG]
    report = fs.convert(tmp_path / "coco", to=spec, out=tmp_path / "back", spec="coco")
    assert objects(tmp_path / "back", spec) == [CAR, CAR, DOG]
    assert not any("categories of objects" in line for line in report.losses)


def test_as_many_keys_as_values(tmp_path: Path) -> None:
    spec = tmp_path / "wrong.yaml"
    spec.write_text(
        "formatspec: 1\nname: wrong\nfiles:\n  image: 'i/{name}.jpg'\n  a:\n    path: 'a/{name}.json'\n"
        "    json: [{each: objects, 'center, size': bbox | cxcywh}]\n"
    )
    with pytest.raises(fs.SpecError, match="stands under 2 keys, and its codecs give 4 values"):
        laws.hold(load_source(spec), random.Random(0))


def test_an_object_without_class_has_no_file_of_its_class(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name, box in (("a", '{"kind": "car", "box": [1, 2, 3, 4]}'), ("b", '{"box": [1, 2, 3, 4]}')):
        (data / f"{name}.jpg").write_bytes(JPG)
        (data / f"{name}.json").write_text(f"[{box}]")
    plain, target = tmp_path / "plain.yaml", tmp_path / "target.yaml"
    plain.write_text(
        "formatspec: 1\nname: plain\nfiles:\n  image: '{name}.jpg'\n"
        "  a: {path: '{name}.json', json: [{each: objects, 'kind?': category.name, box: bbox | xywh}]}\n"
    )
    target.write_text(f"formatspec: 1\nname: target\nfiles:{SPECS['a_table_for_each_class']}")
    report = fs.convert(data, to=target, out=tmp_path / "out", spec=plain)
    assert any(line.startswith("objects not written (no category)") for line in report.losses)
