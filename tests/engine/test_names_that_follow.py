"""Names in an image's path that follow from the item, and roles that are of some items only."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put, spec_file

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

FOLDERS = """
formatspec: 1
name: foldered
items: [first, second]
files:
  image:
    path: "{fold:learning|trial}/{kind:04d?}/{name}.{ext:image}"
    given: {fold: "= 'learning' if subset == 'train' or subset == 'val' else 'trial'", kind: "= null if subset == 'test' else first(objects.category.id)"}
  first:
    path: "list_{subset:train|val}.txt"
    given: {fold: learning}
    need: optional
    lines: {each: items, lines: "{name}.{ext}"}
  second: {like: first, path: "list_{subset:test|extra}.txt", given: {fold: trial}}
  boxes:
    path: "{fold}/{kind:04d}/boxes.csv"
    need: optional
    csv: {each: objects, file: "{name}.{ext}", kind: category.id, label: category.name, "x, y, w, h": bbox | xywh}
  rest:
    path: boxes.csv
    given: {fold: trial}
    need: optional
    csv: {each: objects, file: "{name}.{ext}", kind: category.id, label: category.name, "x, y, w, h": bbox | xywh}
subsets: {train: [], val: [], test: [], extra: []}
"""  # noqa: E501


def spec(folder: Path, text: str = FOLDERS) -> Path:
    return spec_file(folder, text)


def coco(folder: Path) -> Path:
    """Three images of three subsets, with one box of the class 7, one of the class 12 and one of the class 7."""
    categories = [{"id": 7, "name": "seven"}, {"id": 12, "name": "twelve"}]
    for subset, number, kind in (("train", 1, 7), ("val", 2, 12), ("test", 3, 7)):
        row = {"id": number, "category_id": kind, "bbox": [1, 2, 3, 4], "area": 12}
        put(folder, coco_files(coco_document([(f"{subset}.png", 20, 10)], [row], categories, number), subset))
    return folder


def test_it_keeps_the_laws(tmp_path: Path) -> None:
    source = load_source(spec(tmp_path))
    for run in range(20):
        laws.hold(source, random.Random(run))


def test_a_conversion_makes_the_names(tmp_path: Path) -> None:
    file = spec(tmp_path)
    fs.convert(coco(tmp_path / "coco"), spec="coco", to=file, out=tmp_path / "out")
    found = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*") if path.is_file()
    }
    assert found - {".formatspec.json"} == {
        "learning/0007/train.png", "learning/0012/val.png", "trial/test.png", "learning/0007/boxes.csv",
        "learning/0012/boxes.csv", "boxes.csv", "list_train.txt", "list_val.txt", "list_test.txt",
    }  # fmt: skip
    items = {item.key: (item.subsets, [thing.category.id for thing in item.objects if thing.category])
             for item in fs.open(tmp_path / "out", file)}  # fmt: skip
    assert items == {
        "learning/7/train": (("train",), [7]),
        "learning/12/val": (("val",), [12]),
        "trial/test": (("test",), [7]),
    }


def test_the_numbers_are_those_of_the_target(tmp_path: Path) -> None:
    """A source that numbers no classes: the folder has the number under which the target's table writes the class."""
    data = tmp_path / "data"
    (data / "images/train").mkdir(parents=True)
    (data / "labels/train").mkdir(parents=True)
    (data / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/train\nnames: {0: a, 1: b}\n")
    for name, kind in (("x", 0), ("y", 1)):
        (data / f"images/train/{name}.png").write_bytes(image_bytes(20, 10, "png"))
        (data / f"labels/train/{name}.txt").write_text(f"{kind} 0.5 0.5 0.2 0.2\n")
    fs.convert(data, spec="yolo_ultralytics", to=spec(tmp_path), out=tmp_path / "out", on=("SPLIT_LEAK=keep",))
    for file in (tmp_path / "out").rglob("boxes.csv"):
        with file.open(newline="") as stream:
            assert [int(row["kind"]) for row in csv.DictReader(stream)] == [int(file.parent.name)]
    assert len(list((tmp_path / "out").rglob("boxes.csv"))) == 2


@pytest.mark.parametrize(("given", "message"), [
    ("{other: = 'a'}", "the image's path has no 'other'"),
    ("{fold: = 'a' if}", "in `given"),
    ("{fold: = nothing_of_the_kind}", "nothing_of_the_kind"),
])  # fmt: skip
def test_an_expression_that_cannot_be_is_a_mistake(given: str, message: str, tmp_path: Path) -> None:
    text = f'formatspec: 1\nname: odd\nfiles:\n  image: {{path: "{{fold}}/{{name}}.png", given: {given}}}\n'
    source = load_source(spec(tmp_path, text))
    with pytest.raises(SpecError, match=message):
        laws.hold(source, random.Random(0))


def test_a_map_in_a_path_matches_its_own_words_only(tmp_path: Path) -> None:
    text = """
formatspec: 1
name: mapped
files:
  image: "x/{subset | map('Training'='train', 'Final/Images'='test')}/{part:path?}/{name}.{ext:image}"
"""
    for path in ("x/Training/a/b/one.png", "x/Final/Images/two.png", "x/Other/three.png"):
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_bytes(image_bytes(8, 8, "png"))
    found = sorted(item.key for item in fs.open(tmp_path / "data", spec(tmp_path, text)))
    assert found == ["test/two", "train/a/b/one"]
