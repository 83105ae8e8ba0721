"""What a text of the target cannot spell: names with blanks at their ends, and attributes that stand in one text."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_datasets import coco, converted, outlined

import formatspec as fs

BLANKS, SHARED = "blanks at the ends of names", "names that several categories share: they are one there"
ROWS = [outlined(1, 1, 5, 5), outlined(10, 10, 6, 6, category_id=2), outlined(20, 5, 8, 8, category_id=3)]
LINES = ["labelimg_yolo", "mot_seq", "oidv4", "voc", "yolo", "yolov4_pytorch"]
"""Targets with names of categories in lines of text, whose readers take blanks at the ends for blanks between words."""


def names_read(folder: Path, form: str) -> list[str]:
    """The classes of the objects that stand in an output."""
    return [thing.category.name for item in fs.open(folder, form) for thing in item.objects if thing.category]


@pytest.mark.parametrize("to", LINES)
def test_blanks_at_the_ends_of_a_name_are_reported_where_lines_cannot_hold_them(to: str, tmp_path: Path) -> None:
    out, lost = converted(coco(tmp_path / "in", ROWS, [" big  cat", "dog ", "cow"]), to)
    assert names_read(out, to) == ["big  cat", "dog", "cow"]
    assert lost[BLANKS] == 2
    assert SHARED not in lost
    assert not [finding for finding in fs.validate(out, to).findings if finding.level == "error"]


@pytest.mark.parametrize("to", LINES)
def test_names_that_differ_in_such_blanks_are_one_class_and_reported(to: str, tmp_path: Path) -> None:
    out, lost = converted(coco(tmp_path / "in", ROWS, ["cat", "cat ", " dog"]), to)
    assert names_read(out, to) == ["cat", "cat", "dog"]
    assert (lost[BLANKS], lost[SHARED]) == (2, 1)
    assert not [finding for finding in fs.validate(out, to).findings if finding.level == "error"]


@pytest.mark.parametrize("to", ["coco_panoptic", "cvat_images", "datumaro", "labelme", "yolo_ultralytics"])
def test_names_keep_such_blanks_where_quotes_or_tags_hold_them(to: str, tmp_path: Path) -> None:
    out, lost = converted(coco(tmp_path / "in", ROWS, ["cat", "cat ", " dog"]), to)
    assert sorted(names_read(out, to)) == sorted(["cat", "cat ", " dog"])
    assert not {BLANKS, SHARED} & set(lost)


def test_an_attribute_that_a_text_of_all_attributes_cannot_spell_costs_no_other(tmp_path: Path) -> None:
    attributes = {"age": 3, "sizes": [1, 2], "note": "far", "more": {"a": 1}}
    rows = [outlined(1, 1, 5, 5, attributes=attributes), outlined(9, 9, 5, 5, attributes={"sizes": [1]})]
    out, lost = converted(coco(tmp_path / "in", rows), "labelme_xml")
    (item,) = fs.open(out, "labelme_xml")
    read = [{name: value for name, value in thing.attributes.items() if name != "deleted"} for thing in item.objects]
    assert read == [{"age": 3, "note": "far"}, {}]
    assert {what: count for what, count in lost.items() if what.startswith("attribute ")} == {
        "attribute sizes": 2,
        "attribute more": 1,
    }
