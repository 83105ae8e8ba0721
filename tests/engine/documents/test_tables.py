"""Tables: empty cells, rows of several kinds, JSON in cells, rows in columns, columns named in a line, JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from formatspec import api
from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.language.load import load_source
from formatspec.model.records import Item
from formatspec.model.region import Region
from formatspec.pixels import png
from formatspec.testing.laws import read_write
from formatspec.testing.memory import MemoryTree, image_bytes

HEAD = 'formatspec: 1\nname: made_up\nfiles:\n  image: "{name}.{ext:image}"\n  table:\n'


def items(tmp_path: Path, rest: str, path: str, text: str) -> dict[str, Item]:
    """The items of two images and one table; the second law holds for them."""
    spec = tmp_path / "made_up.yaml"
    spec.write_text(HEAD + f"    path: {path}\n" + rest, encoding="utf-8")
    source = load_source(spec)
    images = {f"{name}.png": image_bytes(50, 40, "png") for name in ("a", "b")}
    tree = MemoryTree({**images, path: text.encode()})
    read_write(source, tree, {})
    return {item.key: item for item in open_source(source, tree, {}, Purpose())}


def test_an_empty_cell_of_an_optional_column_is_no_value(tmp_path: Path) -> None:
    rest = '    csv: {each: objects, file: "{name}.{ext}", "x, y, w, h": bbox | xywh, "score?": score}\n'
    found = items(tmp_path, rest, "t.csv", "file,x,y,w,h,score\na.png,1,2,3,4,\nb.png,1,2,3,4,0.5\n")
    assert [found[key].objects[0].score for key in "ab"] == [None, 0.5]


def test_a_row_of_another_kind_says_that_there_is_nothing(tmp_path: Path) -> None:
    rest = """\
    style: {header: false}
    csv:
      one of:
        - {each: objects, file: "{name}.{ext}", "x, y, w, h": bbox | xywh}
        - {each: items where count(objects) == 0, file: "{name}.{ext}", x: "", y: "", w: "", h: ""}
"""
    found = items(tmp_path, rest, "t.csv", "a.png,1,2,3,4\nb.png,,,,\n")
    assert [len(found[key].objects) for key in "ab"] == [1, 0]


def test_a_mapping_in_a_cell_is_json(tmp_path: Path) -> None:
    rest = '    csv: {each: objects, file: "{name}.{ext}", shape: {"x, y, w, h": bbox | xywh}}\n'
    found = items(tmp_path, rest, "t.csv", 'file,shape\na.png,"{""x"": 1, ""y"": 2, ""w"": 3, ""h"": 4}"\n')
    assert found["a"].objects[0].bbox == (1, 2, 3, 4)


def test_json_lines_with_rows_in_columns(tmp_path: Path) -> None:
    rest = """\
    jsonl:
      each: items
      file: "{name}.{ext}"
      objects?: [{each: objects in columns, bbox: bbox | xywh, kind: category.name}]
"""
    text = '{"file": "a.png", "objects": {"bbox": [[1, 2, 3, 4], [0, 0, 1, 1]], "kind": ["x", "y"]}}\n'
    found = items(tmp_path, rest, "t.jsonl", text)
    assert [(o.bbox, o.category.name) for o in found["a"].objects if o.category] == [
        ((1, 2, 3, 4), "x"),
        ((0, 0, 1, 1), "y"),
    ]


def test_columns_named_in_a_line_of_their_own(tmp_path: Path) -> None:
    rest = """\
    lines:
      - "{= count(items)}"
      - "{columns}"
      - {each: items where attributes, lines: "{name}.{ext} {attributes | by_name(columns) | flags(1, -1)}"}
"""
    found = items(tmp_path, rest, "t.txt", "1\nBald Young\na.png -1  1\n")
    assert found["a"].attributes == {"Bald": False, "Young": True} and not found["b"].attributes


def test_rows_of_two_tables_tell_of_an_items_one_object(tmp_path: Path) -> None:
    rest = """\
    lines: {each: objects by item where bbox, lines: "{name}.{ext} {bbox | xywh}"}
  texts:
    path: u.txt
    need: optional
    lines: {each: objects by item where text, lines: "{name}.{ext} {text}"}
"""
    spec = tmp_path / "made_up.yaml"
    spec.write_text(HEAD + "    path: t.txt\n" + rest, encoding="utf-8")
    files = {"a.png": image_bytes(50, 40, "png"), "t.txt": b"a.png 1 2 3 4\n", "u.txt": b"a.png some words\n"}
    source = load_source(spec)
    read_write(source, MemoryTree(files), {})
    (item,) = open_source(source, MemoryTree(files), {}, Purpose())
    assert [(thing.bbox, thing.text) for thing in item.objects] == [((1, 2, 3, 4), "some words")]


WORDS = """\
    lines:
      each: items
      lines:
        line: "{name}.{ext}"
        words: {each: objects, lines: "{bbox | sides | joined(',', numbers)},{category.name}"}
"""


def test_a_line_may_end_in_a_table(tmp_path: Path) -> None:
    found = items(tmp_path, WORDS, "t.txt", "a.png 1,2,3,4,cat 0,0,9.5,8,dog\nb.png\n")
    assert [(thing.category.name, thing.bbox) for thing in found["a"].objects if thing.category] == [
        ("cat", (1, 2, 2, 2)),
        ("dog", (0, 0, 9.5, 8)),
    ]
    assert not found["b"].objects


def test_a_word_that_is_no_row_is_a_stray_line(tmp_path: Path) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(HEAD + "    path: t.txt\n" + WORDS, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.png").write_bytes(image_bytes(50, 40, "png"))
    (tmp_path / "data/t.txt").write_bytes(b"\na.png 1,2,3,cat 0,0,9,8,dog\n")
    findings = api.validate(tmp_path / "data", spec).findings
    assert [(f.code, f.file, f.line) for f in findings] == [("LINE", "t.txt", 2)]


def test_rows_without_an_index_are_told_by_their_place(tmp_path: Path) -> None:
    rest = """\
    json:
      "{name}.{ext}":
        each: items
        boxes: [{each: objects, "x, y, w, h": bbox | xywh}]
        scores: [{each: objects by index, "score?": score}]
"""
    text = '{"a.png": {"boxes": [{"x": 1, "y": 2, "w": 3, "h": 4}, {"x": 5, "y": 2, "w": 3, "h": 4}],'
    text += ' "scores": [{}, {"score": 0.5}]}, "b.png": {"boxes": [], "scores": []}}'
    found = items(tmp_path, rest, "t.json", text)
    assert [(thing.bbox[0], thing.score) for thing in found["a"].objects if thing.bbox] == [(1, None), (5, 0.5)]


def test_a_list_of_one(tmp_path: Path) -> None:
    rest = """\
    json:
      - each: items
        file: "{name}.{ext}"
        size: [only: {width: image.width, height: image.height}]
"""
    size = '"size": [{"width": 50, "height": 40}]'
    text = f'[{{"file": "a.png", {size}}}, {{"file": "b.png", {size}}}]'
    assert items(tmp_path, rest, "t.json", text).keys() == {"a", "b"}


def test_whatever_is_not_black_may_be_the_object(tmp_path: Path) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(
        """\
formatspec: 1
name: made_up
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json: [{each: objects by id, id: id, name: category.name}]
  mask:
    path: "masks/{name}_{object.id:d}.png"
    need: optional
    image: [rgba, rgb]
    pixels: {each: objects by id where 'region' in geometry, any: 255}
""",
        encoding="utf-8",
    )
    colors = np.zeros((3, 4, 4), np.uint8)
    colors[1, 1:3] = (153, 51, 255, 20), (0, 0, 0, 7)
    record = b'[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]'
    tree = MemoryTree(
        {"a.png": image_bytes(4, 3, "png"), "a.json": record, "masks/a_2.png": png.encode(colors, "rgba")}
    )
    source = load_source(spec)
    read_write(source, tree, {})
    (item,) = open_source(source, tree, {}, Purpose())
    assert [thing.region for thing in item.objects] == [None, Region.from_mask(colors.any(axis=2))]


BLOCKS = """\
formatspec: 1
name: made_up
files:
  image: "{name}.{ext:image}"
  words:
    path: "{name}.txt"
    lines: {each: objects, blocks: group, lines: "{bbox | sides}"}
"""


def test_blank_lines_part_rows_into_blocks(tmp_path: Path) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(BLOCKS, encoding="utf-8")
    source = load_source(spec)
    text = b"\n0 0 1 1\n1 0 2 1\n\n\n2 0 3 1\n\n3 0 4 1\n4 0 5 1\n"
    tree = MemoryTree({"a.png": image_bytes(50, 40, "png"), "a.txt": text})
    read_write(source, tree, {})
    (item,) = open_source(source, tree, {}, Purpose())
    assert [thing.group for thing in item.objects] == [1, 1, None, 3, 3]


def test_groups_are_written_as_blocks(tmp_path: Path) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(BLOCKS, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.png").write_bytes(image_bytes(50, 40, "png"))
    shapes = [
        {"label": "x", "group_id": group, "shape_type": "rectangle", "points": [[x, 0], [x + 1, 1]], "flags": {}}
        for x, group in enumerate((7, 7, None, None, 2, 2))
    ]
    record = {"version": "5", "imagePath": "a.png", "shapes": shapes}
    (tmp_path / "data/a.json").write_text(json.dumps(record), encoding="utf-8")
    api.convert(tmp_path / "data", to=spec, out=tmp_path / "out", spec="labelme")
    assert (tmp_path / "out/a.txt").read_text().splitlines() == [
        "0 0 1 1", "1 0 2 1", "", "2 0 3 1", "", "3 0 4 1", "", "4 0 5 1", "5 0 6 1",
    ]  # fmt: skip


def test_items_of_several_files_may_be_named_by_what_their_file_tells(tmp_path: Path) -> None:
    """A second table of items names them by ids that the first one of the same file states, in each of the files."""
    spec = tmp_path / "made_up.yaml"
    spec.write_text("""\
formatspec: 1
name: made_up
items: table.images
files:
  image: "images/{name}.{ext:image}"
  table:
    path: "{subset}.json"
    json:
      images: [{each: items by id, id: id, file: "{name}.{ext}"}]
      counts: [{each: items by id, image: id, objects: = count(objects)}]
      objects: [{each: objects, image: item.id, box: bbox | xywh}]
""")
    source = load_source(spec)
    files = {f"images/{name}.png": image_bytes(50, 40, "png") for name in ("a", "b")}
    for subset, name, number in (("train", "a", 1), ("val", "b", 2)):
        document = {
            "images": [{"id": number, "file": f"{name}.png"}],
            "counts": [{"image": number, "objects": 1}],
            "objects": [{"image": number, "box": [1, 2, 3, 4]}],
        }
        files[f"{subset}.json"] = json.dumps(document).encode()
    tree = MemoryTree(files)
    read_write(source, tree, {})
    found = {item.key: item for item in open_source(source, tree, {}, Purpose())}
    assert {key: (item.subsets, len(item.objects)) for key, item in found.items()} == {
        "a": (("train",), 1),
        "b": (("val",), 1),
    }
