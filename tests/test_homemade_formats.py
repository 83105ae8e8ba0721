"""Eight formats that people make by habit: each a spec of a few lines, read, written back, converted and filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_specs import comes_back, keeps_the_laws, small_spec

import formatspec as fs
from formatspec.pixels import png
from formatspec.testing.memory import image_bytes

W, H = 40, 20
SPECS = {
    "corners_per_frame": """
  image: "images/{day}/{side}_{frame:d}.png"
  label:
    path: "labels/{day}/{side}_{frame}.json"
    json:
      frame: frame
      things:
        - each: objects
          kind: category.name
          from, to: bbox | two_corners
          hidden: attributes.hidden else 0
          track: track else index
""",
    "turned_boxes_in_one_table": """
  image: "pictures/{name}.jpg"
  boxes:
    path: turned.csv
    style: {delimiter: ";"}
    csv:
      each: objects
      picture: "{name}.jpg"
      kind: category.name
      "x, y, w, h, turn": rotated | decimal_comma
""",
    "colours_and_instances": """
  image: "pictures/{name}.jpg"
  colours:
    path: colours.json
    json: {"{name}": {each: categories by name, "#": "color | hexadecimal else palette(index + 1)"}}
  classes:
    path: "classes/{name}.png"
    image: rgb
    pixels: {each: areas by category, RGB: category.color else palette(category.index + 1)}
  instances:
    path: "instances/{name}.png"
    image: gray16
    pixels:
      {each: "objects by category, number", L: "category.index, number | from(1, 0) | digits(1000)"}
""",
    "outlines_in_attributes": """
  image: "pictures/{name}.jpg"
  codes:
    path: codes.xml
    xml: {codes: {code: [{each: categories by id, "@": {number: id}, "#": name}]}}
  list: {path: "{subset:train|val}.txt", lines: {each: items, lines: "{name}"}}
  outlines:
    path: "outlines/{name}.xml"
    xml:
      picture:
        "@": {file: "{name}.jpg", wide: image.width, high: image.height}
        thing:
          - {each: objects, "@": {code: category.id, line: polygon | pairs | joined},
             "note?": text else ""}
""",
    "rows_of_numbers": """
  image: "pictures/{name}.{ext:image}"
  names: {path: names.yaml, yaml: {names: {"{id:d}": {each: categories by id, "#": name}}}}
  rows:
    path: "{subset:train|val}.jsonl"
    jsonl:
      - each: items
        file: "{name}.{ext}"
        size: [image.width, image.height]
        things:
          - {each: objects, box: bbox | cxcywh | normalized, class: category.id, "sure?": score,
             points: "keypoints | normalized(x, y, _) else []"}
        says?: caption.text
""",
    "clips_with_tracks": """
  image: "{sequence}/frames/{frame:06d}.jpg"
  tracks:
    path: "{sequence}/tracks.txt"
    lines:
      each: objects
      lines: >-
        {frame:d},{track else index + 1},{bbox | xywh
        | joined(',', numbers)},{category.name},{score else 1}
  about:
    path: "{sequence}/about.ini"
    ini: {clip: {name: sequence, fps: item.attributes.fps else 25, width: image.width,
                 height: image.height, length: "= count(items)"}}
""",
    "outlines_under_their_class": """
  image: "pictures/{name}.jpg"
  outlines:
    path: "outlines/{name}.json"
    json: {things: {"{category.name}": [{each: objects, "#": polygon | pairs | normalized}]}}
""",
    "masks_beside_pictures": """
  image: "{label.category.name}/{name}.png"
  mask:
    path: "{label.category.name}/{name}_mask.png"
    image: gray
    pixels:
      one of:
        - {each: areas by category where category.name == item.label.category.name, L: 255}
        - {each: void, L: 127}
""",
    "clips_in_base_16": """
  image: "{sequence}/f{frame:05d}.{ext:image}"
  boxes:
    path: "{sequence}/boxes.trk"
    lines:
      - "#CLIP {sequence}"
      - {line: "#KINDS", words: {each: categories, lines: "{id:d}={name:token}"}}
      - each: objects
        lines: "{frame | in_base(16, 4, upper)}|{track | in_base(16) else index}|{category.id:d}|\\
          {bbox | cxcywh | normalized | scaled(100) | joined('%,', '%|', '%x', numbers)}%"
""",
    "masks_named_by_ids": """
  image: "scans/{name}.{ext:image}"
  notes:
    path: "notes/{name}.json"
    json:
      "{category.name}":
        "{id}":
          each: objects by id
          one of:
            - points: "keypoints, category.keypoint_names | points_by_name"
            - points: {}
  masks:
    path: "masks/{object.id}.png"
    image: gray
    pixels: {each: objects by id, L: 255}
""",
}
SOURCES = {
    "clips_in_base_16": "boxes",
    "colours_and_instances": "colours",
    "outlines_in_attributes": "codes",
    "rows_of_numbers": "names",
}
PICTURE = image_bytes(W, H, "jpg")
POINTS = [[0.25, 0.5], [0.5, 0.5], [0.5, 1.0]]


def grid(mode: str, *painted: tuple[int, int, int, int, Any]) -> bytes:
    """A label image with boxes of one value each."""
    pixels = np.zeros((H, W, 3) if mode == "rgb" else (H, W), np.uint16 if mode == "gray16" else np.uint8)
    for x, y, width, height, value in painted:
        pixels[y : y + height, x : x + width] = value
    return png.encode(pixels, mode)


FILES: dict[str, dict[str, Any]] = {
    "corners_per_frame": {
        "images/mo/left_7.png": image_bytes(W, H, "png"),
        "labels/mo/left_7.json": {
            "frame": 7,
            "things": [{"kind": "car", "from": [2, 4], "to": [12, 10], "hidden": 0.5, "track": 3}],
        },
        "images/tu/right_12.png": image_bytes(W, H, "png"),
        "labels/tu/right_12.json": {"frame": 12, "things": []},
    },
    "turned_boxes_in_one_table": {
        "pictures/a.jpg": PICTURE,
        "pictures/b.jpg": PICTURE,
        "turned.csv": "picture;kind;x;y;w;h;turn\na.jpg;car;7,0;7,0;10,0;6,0;0,0\na.jpg;bus;20,5;10;8;4;90,0\n",
    },
    "colours_and_instances": {
        "pictures/a.jpg": PICTURE,
        "colours.json": {"car": "#0a141e", "bus": "#28323c"},
        "classes/a.png": grid("rgb", (2, 4, 10, 6, (10, 20, 30)), (20, 5, 4, 4, (40, 50, 60))),
        "instances/a.png": grid("gray16", (2, 4, 10, 6, 1000), (20, 5, 4, 4, 2000)),
    },
    "outlines_in_attributes": {
        "pictures/01.jpg": PICTURE,
        "pictures/02.jpg": PICTURE,
        "codes.xml": '<codes><code number="10">car</code><code number="20">bus</code></codes>',
        "train.txt": "01\n",
        "val.txt": "02\n",
        "outlines/01.xml": '<picture file="01.jpg" wide="40" high="20"><thing code="10" line="2,4;12,4;12,10;2,10">'
        "<note>old</note></thing></picture>",
        "outlines/02.xml": '<picture file="02.jpg" wide="40" high="20"></picture>',
    },
    "rows_of_numbers": {
        "pictures/a.jpg": PICTURE,
        "names.yaml": "names:\n  0: bus\n  1: car\n",
        "train.jsonl": {
            "file": "a.jpg",
            "size": [W, H],
            "things": [{"box": [0.175, 0.35, 0.25, 0.3], "class": 1, "sure": 0.5,
                        "points": [[0.25, 0.5, 2], [0.5, 0.5, 1], [0, 0, 0]]}],
            "says": "a car",
        },
    },
    "clips_with_tracks": {
        "one/frames/000001.jpg": PICTURE,
        "one/frames/000003.jpg": PICTURE,
        "one/tracks.txt": "1,7,2,4,10,6,car,0.5\n3,7,3,4,10,6,car,1.0\n",
        "one/about.ini": "[clip]\nname=one\nfps=30\nwidth=40\nheight=20\nlength=2\n",
    },
    "outlines_under_their_class": {
        "pictures/a.jpg": PICTURE,
        "pictures/b.jpg": PICTURE,
        "outlines/a.json": {"things": {"car": [[[0.05, 0.2], [0.3, 0.2], [0.3, 0.5], [0.05, 0.5]], POINTS], "bus": []}},
        "outlines/b.json": {"things": {}},
    },
    "masks_beside_pictures": {
        "car/01.png": image_bytes(W, H, "png"),
        "car/01_mask.png": grid("gray", (2, 4, 10, 6, 255), (20, 0, 3, 3, 127)),
    },
    "clips_in_base_16": {
        "one/f00010.jpg": PICTURE,
        "one/f00026.jpg": PICTURE,
        "one/boxes.trk": "#CLIP one\n#KINDS 1=bus 2=car\n000A|1f|2|17.5%,35.0%|25.0%x30.0%\n"
        "001A|1f|2|20.0%,35.0%|25.0%x30.0%\n",
    },
    "masks_named_by_ids": {
        "scans/a.jpg": PICTURE,
        "scans/b.jpg": PICTURE,
        "notes/a.json": {"car": {"c7": {"points": {"front": [3, 5], "rear": None, "top": [7, 4]}}}},
        "notes/b.json": {
            "car": {"c8": {"points": {"front": [3, 5], "rear": [9, 8], "top": [7, 4]}}},
            "bus": {"b1": {"points": {}}},
        },
        "masks/c7.png": grid("gray", (2, 4, 10, 6, 255)),
        "masks/c8.png": grid("gray", (4, 4, 10, 6, 255)),
        "masks/b1.png": grid("gray", (20, 0, 3, 3, 255)),
    },
}  # fmt: skip
BOX = [2, 4, 10, 6]


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A dataset of one of the formats, and its spec."""
    name = request.param
    categories = f"categories: [{SOURCES[name]}]\n" if name in SOURCES else ""
    return small_spec(tmp_path, name, SPECS[name], FILES[name], categories)


EACH = pytest.mark.parametrize("made", SPECS, indirect=True)


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_has_few_lines(name: str) -> None:
    lines = [line for line in SPECS[name].splitlines() if line.strip()]
    assert len(lines) + 3 + (name in SOURCES) <= 17
    assert max(map(len, lines)) <= 100


@EACH
def test_it_keeps_the_laws(made: tuple[Path, Path]) -> None:
    keeps_the_laws(made[1])


@EACH
def test_it_is_read_without_findings_and_written_back_equal(made: tuple[Path, Path], tmp_path: Path) -> None:
    comes_back(*made, tmp_path / "same")


@EACH
def test_its_first_box_comes_out_right(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, spec = made
    fs.convert(data, to="coco", out=tmp_path / "coco", spec=spec)
    rows, names = [], {}
    files = (tmp_path / "coco" / "annotations").glob("[is][nt]*_*.json")  # objects, and areas as stuff
    for file in sorted(file for file in files if "annotations" in file.read_text()):
        document = json.loads(file.read_text())
        names.update({one["id"]: one["name"] for one in document["categories"]})
        rows += document["annotations"]
    assert rows[0]["bbox"] == pytest.approx(BOX)
    assert names[rows[0]["category_id"]] == "car"
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "yolo", spec=spec)
    lines = [line for file in sorted((tmp_path / "yolo" / "labels").rglob("*.txt")) for line in file.open()]
    numbers = [float(word) for word in lines[0].split()[1:]]
    if len(numbers) in (8, 10, 12) or len(numbers) > 13:  # an outline or the corners of a turned box
        assert (min(numbers[::2]) * W, min(numbers[1::2]) * H) == pytest.approx((2, 4), abs=0.51)
    else:
        assert numbers[:4] == pytest.approx([7 / W, 7 / H, 10 / W, 6 / H])


@EACH
def test_it_is_filled_from_coco(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, spec = made
    fs.convert(data, to="coco", out=tmp_path / "coco", spec=spec)
    result = fs.convert(tmp_path / "coco", to=spec, out=tmp_path / "filled")
    assert not any("not written" in line for line in result.losses), result.losses
    assert fs.validate(tmp_path / "filled", spec, deep=True).findings == ()
    before, after = (list(fs.open(folder, spec)) for folder in (data, tmp_path / "filled"))
    assert [item.image and item.image.path for item in after] == [item.image and item.image.path for item in before]
    assert [[t.category and t.category.name for t in i.objects] for i in after] == [
        [t.category and t.category.name for t in i.objects] for i in before
    ]


def test_files_named_by_ids_alone_are_of_one_object_each(tmp_path: Path) -> None:
    """Two items have an object of one id, and the format has one file for each id."""
    spec = tmp_path / "masks.yaml"
    spec.write_text(f"formatspec: 1\nname: masks\nfiles:{SPECS['masks_named_by_ids']}")
    items = []
    for number in range(2):
        mask = np.zeros((H, W), bool)
        mask[2:6, 3 + number : 9] = True
        thing = fs.Object(id="x", category=fs.Category(name="car"), region=fs.Region.from_mask(mask))
        image = fs.Image(path=f"i{number}.jpg", data=PICTURE)
        items.append(fs.Item(key=f"i{number}", image=image, objects=(thing,)))
    result = fs.write(items, tmp_path / "out", to=spec)
    assert result.losses == ("object ids renumbered: 2 objects",)
    assert [item.objects[0].area for item in fs.open(tmp_path / "out", spec)] == [24, 20]
    (tmp_path / "out/masks/1-0.png").unlink()
    found = fs.validate(tmp_path / "out", spec).findings
    assert [(one.code, one.item) for one in found] == [("FILE_MISSING", "i1")]
