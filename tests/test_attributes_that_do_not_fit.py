"""An attribute in another spelling is read, one that means nothing is left out, and neither costs its object."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco
from commands import Run
from files_on_disk import put, spec_file
from written_files import written_bytes

import formatspec as fs
from formatspec.engine.base.value_spellings import other_spellings

Edit = tuple[str, str, str, str, str]
"""A format, the files, a pattern, what stands in its place, and the case of the finding."""
EDITS: dict[str, Edit] = {
    "XML flag": ("voc", "*.xml", r"<(truncated|difficult|occluded)>[^<]*<", r"<\1>yes<", "spelling"),
    "XML flag without meaning": ("voc", "*.xml", r"<(truncated|difficult)>[^<]*<", r"<\1>maybe<", "attribute"),
    "item's flag": ("voc", "*.xml", r"<segmented>[^<]*<", "<segmented>perhaps<", "attribute"),
    "flat XML": ("labelimg_voc", "*.xml", r"<(truncated|difficult)>[^<]*<", r"<\1>True<", "spelling"),
    "attribute of XML": ("cvat_images", "*.xml", r'occluded="\d"', 'occluded="no"', "spelling"),
    "cells": ("open_images", "*bbox.csv", r"(?m),(-1|0|1),(-1|0|1)$", r",False,True", "spelling"),
    "cells without meaning": ("open_images", "*bbox.csv", r"(?m),(-1|0|1)$", r",-2", "attribute"),
    "JSON number": ("publaynet", "*.json", r'"iscrowd": (\d)', r'"iscrowd": "\1"', "spelling"),
    "JSON boolean": ("publaynet", "*.json", r'"iscrowd": 0', r'"iscrowd": false', "spelling"),
    "JSON without meaning": ("publaynet", "*.json", r'"iscrowd": \d', '"iscrowd": 7', "attribute"),
    "column of lines": ("dota", "*.txt", r"(?m) [012]$", " 7", "attribute"),
}


def known(folder: Path, name: str) -> list[Any]:
    return [
        (item.key, [(thing.category, thing.bbox, thing.polygons, thing.rotated) for thing in item.objects])
        for item in fs.open(folder, name)
    ]


@pytest.mark.parametrize("edit", EDITS)
def test_an_attribute_never_costs_its_object(edit: str, tmp_path: Path) -> None:
    name, files, pattern, other, case = EDITS[edit]
    fs.sample(name, tmp_path / "data", items=6, seed=3)
    before, count = known(tmp_path / "data", name), 0
    for file in (tmp_path / "data").rglob(files):
        text, found = re.subn(pattern, other, file.read_text("utf-8"))
        file.write_text(text, "utf-8")
        count += found
    assert count
    assert known(tmp_path / "data", name) == before
    findings = [one for one in fs.validate(tmp_path / "data", name, workers=1).findings if one.code == "FIELD"]
    assert {(one.level, one.case) for one in findings} == {("warning", case)}
    fs.convert(tmp_path / "data", to=name, spec=name, out=tmp_path / "out", workers=1)
    assert [path for path, data in written_bytes(tmp_path / "data").items() if path.endswith((".xml", ".txt", ".csv"))
            and (tmp_path / "out" / path).read_bytes() != data] == []  # fmt: skip


@pytest.mark.parametrize(
    ("value", "single", "said"),
    [("0", True, "'0' is read as 0"), (True, False, "True is read as 1"), ("yes", False, "'yes' is read as 1"),
     ("x", None, "the attribute is left out")],
)  # fmt: skip
def test_a_mark_of_crowds_is_read_where_its_meaning_is_certain(
    value: Any, single: bool | None, said: str, run: Run, tmp_path: Path
) -> None:
    data = put(tmp_path / "data", coco([{"iscrowd": value, "bbox": [1, 2, 3, 4], "segmentation": []}]))
    (thing,) = [thing for item in fs.open(data) for thing in item.objects if thing.bbox == (1, 2, 3, 4)]
    assert thing.single is single
    ran = run("validate", data)
    assert ran.status == 0 and said in ran.out
    assert run("convert", data, "--to", "coco", "-o", tmp_path / "out", "--on", "FIELD=error").status == 1


@pytest.mark.parametrize(
    "line",
    ["1 1 8 1 8 6 1 6 0", "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", "1 1 8 1 8 6 1 6 small vehicle", "1 1 8 1 8 6 1 6 6 2"],
    ids=["no class", "a line of YOLO", "a class of two words and no mark", "a class that may be a mark"],
)
def test_a_word_of_a_line_in_place_of_an_attribute_costs_the_line(line: str, tmp_path: Path) -> None:
    lines = f"2 2 9 2 9 5 2 5 ship 1\n{line}\n"
    data = put(tmp_path, {"train/images/a.png": None, "train/labelTxt/a.txt": lines})
    told = [one for one in fs.validate(data, spec="dota").findings if one.level == "error"]
    assert [one.line for one in told] == ([] if line.endswith("6 2") else [2])
    names = [one.category.name for item in fs.open(data, "dota") for one in item.objects if one.category]
    assert names[:1] == ["ship"] and not {"0", "0.5", "small"} & set(names)


def test_an_outline_beside_a_class_in_other_spelling_fills_its_object(tmp_path: Path) -> None:
    box = '<box label="cat " occluded="0" xtl="1" ytl="2" xbr="3" ybr="4" z_order="0"></box>'
    labels = "<meta><task><labels><label><name>cat</name></label></labels></task></meta>"
    text = (
        f"<annotations><version>1.1</version>{labels}"
        f'<image id="0" name="a.jpg" subset="train" width="20" height="10">{box}</image></annotations>'
    )
    data = put(tmp_path, {"annotations.xml": text, "images/train/a.jpg": None})
    (thing,) = [thing for item in fs.open(data, "cvat_images") for thing in item.objects]
    assert thing.category is not None and thing.category.name == "cat"
    assert thing.bbox == (1, 2, 2, 2)


SPEC = """
formatspec: 1
name: own
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      shapes:
        - one of:
            - {each: objects, class: category.name, box: bbox | xywh, level: "attributes.level | map('low'=1, 'up'=2)"}
            - {each: objects, class: category.name, box: bbox | xywh, level: attributes.word}
            - {each: items where kept, class: keep, "*": keep}
"""


def test_an_alternative_that_takes_the_attribute_goes_before_leaving_it_out(tmp_path: Path) -> None:
    shapes = [{"class": "a", "box": [1, 1, 2, 2], "level": level} for level in ("low", "odd", 5)]
    data = put(tmp_path, {"a.png": None, "a.json": {"shapes": shapes}})
    (item,) = fs.open(data, spec_file(tmp_path, SPEC))
    assert [one.attributes for one in item.objects] == [{"level": 1}, {"word": "odd"}, {"word": 5}]


def test_a_row_is_not_merely_kept_for_an_attribute(tmp_path: Path) -> None:
    text = SPEC.replace(
        "            - {each: objects, class: category.name, box: bbox | xywh, level: attributes.word}\n", ""
    )
    shapes = [{"class": "a", "box": [1, 1, 2, 2], "level": level} for level in ("low", "odd")]
    data = put(tmp_path, {"a.png": None, "a.json": {"shapes": shapes}})
    (item,) = fs.open(data, spec_file(tmp_path, text))
    assert [one.attributes for one in item.objects] == [{"level": 1}, {}]


def test_another_spelling_means_the_same() -> None:
    assert set(map(repr, other_spellings("yes"))) >= {"True", "1", "'1'", "'true'"}
    assert set(map(repr, other_spellings(0))) >= {"False", "'0'", "'no'"}
    assert not {"True", "1"} & set(map(repr, other_spellings(0)))
    assert next(iter(other_spellings("0.5"))) == 0.5 and "0.5" in list(other_spellings(0.5))
    assert list(other_spellings("maybe")) == [] and list(other_spellings([1])) == []
    assert json.loads("7") in list(other_spellings(" 7 "))
