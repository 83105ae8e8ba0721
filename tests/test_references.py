"""Lists that are made of others, names that do not join, and classes that only have numbers or colours."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files_on_disk import put
from written_files import written_bytes

import formatspec as fs
from formatspec.engine.index.union_lists import union_lists
from formatspec.language.errors import SpecError
from formatspec.pixels.png import encode
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes

LISTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "of two": ({"train": "a", "val": "b", "test": "c", "trainval": "ab"}, {"trainval"}),
    "of all": ({"train": "a", "val": "b", "test": "c", "trainval": "ab", "all": "abc"}, {"trainval", "all"}),
    "without its parts": ({"trainval": "ab", "test": "c"}, set()),
    "with one of its parts": ({"train": "a", "test": "c", "trainval": "ab"}, set()),
    "more than its parts": ({"train": "a", "val": "b", "trainval": "abc"}, set()),
    "copies of each other": ({"one": "ab", "two": "ab", "three": "ab"}, set()),
    "two that need each other": ({"a": "a", "b": "b", "c": "c", "d": "d", "abx": "abx", "cdx": "cdx"}, set()),
    "empty parts": ({"train": "a", "val": "", "test": "", "other": "a"}, set()),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_made_of_others(case: str) -> None:
    lists, expected = LISTS[case]
    assert union_lists({subset: array("i", map(ord, items)) for subset, items in lists.items()}) == expected


XML = """\
<annotation>
  <folder>VOC2012</folder>
  <filename>{0}.jpg</filename>
  <size><width>8</width><height>6</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>4</ymax></bndbox></object>
</annotation>
"""


def lists_of_images(root: Path, lists: Mapping[str, str]) -> Path:
    for name in sorted(set("".join(lists.values()))):
        put(root, {f"JPEGImages/{name}.jpg": image_bytes(8, 6, "jpg")})
        put(root, {f"Annotations/{name}.xml": XML.format(name).encode()})
    for subset, names in lists.items():
        put(root, {f"ImageSets/Main/{subset}.txt": "".join(f"{name}\n" for name in names).encode()})
        put(root, {f"ImageSets/Main/cat_{subset}.txt": "".join(f"{name} 1\n" for name in names).encode()})
    return root


def test_a_list_made_of_others_gives_no_subset_and_comes_back(tmp_path: Path) -> None:
    root = lists_of_images(tmp_path / "data", {"train": "ad", "val": "b", "test": "c", "trainval": "abd"})
    assert {item.key: item.subsets for item in fs.open(root, "voc")} == {
        "a": ("train",), "b": ("val",), "c": ("test",), "d": ("train",),
    }  # fmt: skip
    done = fs.convert(root, to="coco", out=tmp_path / "coco", spec="voc", workers=1)
    assert not [line for line in done.losses if "subsets" in line]
    assert sorted(path.name for path in (tmp_path / "coco/annotations").glob("instances_*")) == [
        "instances_test.json", "instances_train.json", "instances_val.json",
    ]  # fmt: skip
    fs.convert(root, to="voc", out=tmp_path / "again", spec="voc", workers=1)
    assert written_bytes(tmp_path / "again") == written_bytes(root)


def test_a_list_without_its_parts_is_a_subset(tmp_path: Path) -> None:
    root = lists_of_images(tmp_path / "data", {"test": "c", "trainval": "ab"})
    assert {subset for item in fs.open(root, "voc") for subset in item.subsets} == {"test", "trainval"}


@pytest.mark.parametrize(("name", "words"), [("trainval", "is made of other lists"), ("trian", "did you mean 'train'")])
def test_a_new_name_for_a_subset_that_is_not_there(name: str, words: str, tmp_path: Path) -> None:
    root = lists_of_images(tmp_path / "data", {"train": "a", "val": "b", "trainval": "ab"})
    with pytest.raises(SpecError, match=f"the dataset has no subset '{name}'.*{words}"):
        fs.convert(root, to="coco", out=tmp_path / "out", spec="voc", subsets={name: "test"}, workers=1)
    assert not (tmp_path / "out").exists()


SPEC = """\
formatspec: 1
name: own
files:
  image: "images/{subset}/{name}.jpg"
  other:
"""

UNJOINED = {
    "objects": ("{path: 'boxes/{stem}.json', json: [{each: objects, box: bbox | xywh}]}", "has the name `stem`"),
    "objects by subset": ("{path: '{subset}/{file}.json', json: [{each: objects, box: bbox | xywh}]}", "name `file`"),
    "pixels": ("{path: 'm/{stem}.png', image: index, pixels: {each: areas by category, P: category.id}}", "`stem`"),
    "a mask per object": ("{path: '{stem}/{object.id:d}.png', image: gray, pixels: "
                          "{each: objects by id, L: 'region | map(0=null, 255=region)'}}", "has the name `stem`"),
    "rows without a name": ("{path: all.csv, csv: {each: objects, 'x, y, w, h': bbox | xywh}}", "nor its rows name"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNJOINED)
def test_names_that_do_not_join_are_a_mistake_in_the_spec(case: str, tmp_path: Path) -> None:
    role, words = UNJOINED[case]
    spec = tmp_path / "own.yaml"
    spec.write_text(f"{SPEC.rstrip()} {role}\n")
    with pytest.raises(SpecError, match=rf"own\.yaml:5:\d+: .*{words}"):
        fs.load_spec(spec)


JOINED = {
    "by the name in a row": "{path: all.csv, csv: {each: objects, file: '{subset}/{name}', 'x, y, w, h': bbox | xywh}}",
    "by an id": "{path: '{subset}.json', json: {images: [{each: items by id, id: id, file: '{name}'}], "
    "boxes: [{each: objects, image: item.id, box: bbox | xywh}]}}",
}


@pytest.mark.parametrize("case", JOINED)
def test_names_that_join(case: str, tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_text(f"{SPEC.rstrip()} {JOINED[case]}\n")
    fs.load_spec(spec)


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Boxes of the classes 2 and 4, with nothing that names them."""
    put(tmp_path, {"data/images/train/a.jpg": image_bytes(8, 6, "jpg")})
    put(tmp_path, {"data/labels/train/a.txt": b"2 0.5 0.5 0.25 0.5\n4 0.5 0.5 0.5 0.5\n"})
    return tmp_path / "data"


def test_numbers_without_a_list_are_told_of(numbers: Path, tmp_path: Path) -> None:
    (finding,) = [one for one in fs.validate(numbers, "yolo_ultralytics", workers=1).findings if one.level == "error"]
    assert (finding.code, finding.file) == ("FILE_MISSING", "data.yaml")
    assert "--classes FILE" in str(finding.expected)
    with pytest.raises(RefusedError):
        fs.convert(numbers, to="coco", out=tmp_path / "out", spec="yolo_ultralytics", workers=1)
    dataset = fs.open(numbers, "yolo_ultralytics")
    assert [category.index for category in dataset.categories] == [2, 4]


def test_names_for_numbers(numbers: Path, tmp_path: Path) -> None:
    names = tmp_path / "classes.txt"
    names.write_text("zero\none\ntwo\nthree\nfour\n")
    for classes in (names, str(names), ["zero", "one", "two", "three", "four"]):
        dataset = fs.open(numbers, "yolo_ultralytics", classes=classes)
        assert told(dataset) == ["two", "four"]
        assert [category.name for category in dataset.categories] == ["zero", "one", "two", "three", "four"]
        assert not fs.validate(numbers, "yolo_ultralytics", classes=classes, workers=1).findings
    fs.open(numbers, "yolo_ultralytics", classes=names).export(tmp_path / "out", "coco")
    assert told(fs.open(tmp_path / "out", "coco")) == ["two", "four"]
    short = fs.validate(numbers, "yolo_ultralytics", classes=["zero", "one", "two"], workers=1)
    assert "UNKNOWN_CATEGORY" in {finding.code for finding in short.findings}


def told(dataset: Any) -> list[str]:
    return [thing.category.name for item in dataset for thing in item.objects]


MISTAKES = [("", ".*no name"), ("a\n\nb\n", ":2: .*class 1"), ("a\nb\na\n", ":3: .*'a'")]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_a_file_of_names_with_a_mistake(text: str, words: str, numbers: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(SpecError, match=rf"classes\.txt{words}"):
        fs.open(numbers, "yolo_ultralytics", classes=tmp_path / "classes.txt")


def test_colours_without_a_list_stay_apart(tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_text(
        "formatspec: 1\nname: own\nfiles:\n  image: 'rgb/{name}.jpg'\n"
        "  mask: {path: 'mask/{name}.png', image: rgb, pixels: {each: areas by category, RGB: category.color}}\n"
    )
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[1:3, 1:3], pixels[4:6, 4:7] = (128, 0, 0), (0, 0, 142)
    put(tmp_path, {"data/rgb/a.jpg": image_bytes(8, 6, "jpg")})
    put(tmp_path, {"data/mask/a.png": encode(pixels, "rgb")})
    fs.convert(tmp_path / "data", to="color_masks", out=tmp_path / "out", spec=spec, workers=1)
    listed = (tmp_path / "out/label_colors.txt").read_text().splitlines()
    assert {"128 0 0 #800000", "0 0 142 #00008e"} <= set(listed)
    (item,) = fs.open(tmp_path / "out", "color_masks")
    assert sorted(area.category.name for area in item.areas if area.category) == ["#00008e", "#800000"]
