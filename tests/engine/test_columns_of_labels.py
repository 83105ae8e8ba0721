"""Tables with a column for each class; rows of several tables under one template; alpha as data; rows that are kept."""

from __future__ import annotations

import json
import random
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from files_on_disk import put, spec_file

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

COLUMNS = """
formatspec: 1
name: columned
items: table
files:
  image: "{name}.{ext:image}"
  table:
    path: table.csv
    csv: {each: items, file: "{name}.{ext}", "author?": attributes.author, "is_{category.name}": {each: labels, "#": "state | map('y'='yes', 'n'='no') else 'n'"}}
"""  # noqa: E501
MIXED = """
formatspec: 1
name: mixed
items: all.images
files:
  image: "{name}.{ext:image}"
  all:
    path: all.json
    json:
      images: [{each: items by id, id: id else index + 1, file: "{name}.{ext}"}]
      shapes:
        "{keep else index + 1}":
          one of:
            - {each: objects where kept, image: item.id else item.index + 1, note: keep}
            - {each: objects, image: item.id else item.index + 1, box: bbox | xywh}
"""
ALPHA = """
formatspec: 1
name: with_alpha
files:
  image: "images/{name}.{ext:image}"
  mask:
    path: "masks/{name}.png"
    image: rgba
    pixels: {each: objects by id where region, R: category.id, G: 0, "B, A": id | digits(256)}
"""


def images(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image_bytes(6, 4, "png"))
    return folder


@pytest.mark.parametrize("text", [COLUMNS, MIXED, ALPHA])
def test_they_keep_the_laws(text: str, tmp_path: Path) -> None:
    source = load_source(spec_file(tmp_path, text))
    for run in range(20):
        laws.hold(source, random.Random(run))


def test_each_column_is_a_label(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "a.png", "b.png")
    table = "file,author,is_dog,is_cat\na.png,me,n,y\nb.png,,n,n\n"
    (data / "table.csv").write_text(table)
    file = spec_file(tmp_path, COLUMNS)
    found = {
        item.key: {one.category.name: one.state for one in item.labels if one.category} for item in fs.open(data, file)
    }
    assert found == {"a": {"dog": "no", "cat": "yes"}, "b": {"cat": "no", "dog": "no"}}
    fs.convert(data, spec=file, to=file, out=tmp_path / "same")
    assert (tmp_path / "same/table.csv").read_text() == table


def test_every_line_made_anew_has_every_column(tmp_path: Path) -> None:
    for name in ("cat/a", "dog/b"):
        images(tmp_path / "data", f"{name}.png")
    fs.convert(tmp_path / "data", spec="imagenet", to=spec_file(tmp_path, COLUMNS), out=tmp_path / "out")
    assert (tmp_path / "out/table.csv").read_text().splitlines() == ["file,is_cat,is_dog", "a.png,y,n", "b.png,n,y"]


def test_a_cell_that_says_neither_is_found_with_its_place(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "a.png")
    (data / "table.csv").write_text("file,is_cat\na.png,perhaps\n")
    (finding,) = [one for one in fs.validate(data, spec_file(tmp_path, COLUMNS)).findings if one.level == "error"]
    assert (finding.file, finding.line, finding.got) == ("table.csv", 2, "perhaps")


def test_rows_that_are_only_kept_come_back_and_are_never_made(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "a.png", "b.png")
    document = {
        "images": [{"id": 1, "file": "a.png"}, {"id": 2, "file": "b.png"}],
        "shapes": {
            "p": {"image": 1, "box": [1, 1, 2, 2]},
            "q": {"image": 1, "note": "x"},
            "r": {"image": 2, "note": "y"},
        },
    }
    (data / "all.json").write_text(json.dumps(document))
    file = spec_file(tmp_path, MIXED)
    fs.convert(data, spec=file, to=file, out=tmp_path / "same")
    assert json.loads((tmp_path / "same/all.json").read_text()) == document
    fs.convert(data, spec=file, to="coco", out=tmp_path / "coco")
    fs.convert(tmp_path / "coco", spec="coco", to=file, out=tmp_path / "back")
    shapes = json.loads((tmp_path / "back/all.json").read_text())["shapes"]
    assert list(shapes.values()) == [{"image": 1, "box": [1, 1, 2, 2]}]


def test_alpha_is_data_where_a_rule_names_it(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "images/a.png")
    shown = np.zeros((4, 6, 4), np.uint8)
    shown[:2, :3], shown[2:, 3:] = (3, 0, 1, 44), (3, 0, 0, 7)
    (data / "masks").mkdir()
    iio.imwrite(data / "masks/a.png", shown)
    file = spec_file(tmp_path, ALPHA)
    (item,) = fs.open(data, file)
    assert {thing.id: thing.region.area for thing in item.objects if thing.region} == {300: 6, 7: 6}
    fs.convert(data, spec=file, to=file, out=tmp_path / "same", where="true")
    assert (iio.imread(tmp_path / "same/masks/a.png") == shown).all()
    with pytest.raises(SpecError, match="alpha"):
        laws.hold(load_source(spec_file(tmp_path, ALPHA.replace("image: rgba", "image: rgb"))), random.Random(0))


HEADED = """
formatspec: 1
name: headed
items: list
files:
  image: "{name}.{ext:image}"
  list:
    path: list.txt
    lines:
      - "{columns}"
      - {each: items, lines: "{name:word}.{ext} {attributes | by_name(columns) | flags(1, -1)}"}
"""


def test_a_row_that_waits_for_the_names_of_all_columns_is_written_for_an_item_of_another_format(tmp_path: Path) -> None:
    source = put(images(tmp_path / "in", "a.jpg", "b.jpg"), {"t.csv": "file,x,y\na.jpg,1,0\nb.jpg,0,1\n"})
    flags = ", ".join(f"\"{key}\": \"attributes.{key} | map('1'=true, '0'=false)\"" for key in "xy")
    table = f'table: {{path: t.csv, csv: {{each: items, file: "{{name}}.{{ext}}", {flags}}}}}'
    text = f'formatspec: 1\nname: told\nitems: table\nfiles:\n  image: "{{name}}.{{ext:image}}"\n  {table}\n'
    told, headed = spec_file(tmp_path, text, "told"), spec_file(tmp_path, HEADED, "headed")
    fs.convert(source, spec=told, to=headed, out=tmp_path / "out")
    assert (tmp_path / "out/list.txt").read_text() == "x y\na.jpg 1 -1\nb.jpg -1 1\n"
