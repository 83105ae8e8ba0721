"""Turned boxes in the XML files of PASCAL VOC, as roLabelImg and DIOR-R have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.model import derive

CENTRE = "<cx>30.0</cx><cy>20.0</cy><w>24.0</w><h>8.0</h><angle>{}</angle>"
CORNERS = "".join(
    f"<x_{name}>{x}</x_{name}><y_{name}>{y}</y_{name}>"
    for name, x, y in (("left_top", 20, 10), ("right_top", 30, 20), ("right_bottom", 26, 24), ("left_bottom", 16, 14))
)
LAYOUTS = {"voc": "Annotations/a.xml", "voc_folders": "annotations/a.xml", "labelimg_voc": "a.xml"}
IMAGES = {"voc": "JPEGImages/a.png", "voc_folders": "images/a.png", "labelimg_voc": "a.png"}


def xml(box: str) -> str:
    size = "<size><width>60</width><height>40</height><depth>3</depth></size>"
    thing = f"<object><type>robndbox</type><name>ship</name><difficult>1</difficult><robndbox>{box}</robndbox></object>"
    return f"<annotation><folder>x</folder><filename>a.png</filename>{size}{thing}</annotation>\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_turned_box_is_read_in_each_layout_and_comes_back(name: str, tmp_path: Path) -> None:
    files = {LAYOUTS[name]: xml(CENTRE.format("1.570796")), IMAGES[name]: None}
    data = put(tmp_path / "data", files, (60, 40))
    (item,) = fs.open(data, name)
    (thing,) = item.objects
    assert thing.rotated == pytest.approx((30, 20, 24, 8, 90), abs=1e-4) and thing.attributes["difficult"] is True
    assert derive.bbox(thing) == pytest.approx((26, 8, 8, 24), abs=1e-4)
    assert [one for one in fs.validate(data, name, workers=1).findings if one.level != "info"] == []
    fs.convert(data, to=name, spec=name, out=tmp_path / "out", workers=1, labels={"ship": "boat"})
    (written,) = fs.open(tmp_path / "out", name)
    assert written.objects[0].rotated == thing.rotated
    text = (tmp_path / "out" / LAYOUTS[name]).read_text()
    assert "<cx>30.0</cx>" in text and "<name>boat</name>" in text and "bndbox>" in text


def test_a_positive_angle_turns_to_the_right(tmp_path: Path) -> None:
    (item,) = fs.open(put(tmp_path, {"a.xml": xml(CENTRE.format("0.785398")), "a.png": None}, (60, 40)), "labelimg_voc")
    first = derive.corners(item.objects[0].rotated or ())[0]
    assert first == pytest.approx((30 - 8 / 2**0.5, 20 - 16 / 2**0.5), abs=1e-4)  # the corner that was top left


def test_four_corners_are_read(tmp_path: Path) -> None:
    (item,) = fs.open(put(tmp_path, {"a.xml": xml(CORNERS), "a.png": None}, (60, 40)), "labelimg_voc")
    assert item.objects[0].rotated == pytest.approx((23, 17, 14.1421, 5.6569, 45), abs=1e-3)


def test_another_format_gives_plain_boxes_that_every_reader_takes(tmp_path: Path) -> None:
    rows = {"train/images/a.png": None, "train/labelTxt/a.txt": "20 10 30 20 26 24 16 14 ship 0\n"}
    data = put(tmp_path / "data", rows, (60, 40))
    fs.convert(data, to="voc", spec="dota", out=tmp_path / "out", workers=1)
    (file,) = (tmp_path / "out").rglob("a.xml")
    assert "<bndbox>" in file.read_text() and "robndbox" not in file.read_text()


def test_a_box_that_lacks_a_side_is_told_as_a_box(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><ymax>8</ymax></bndbox>"
    size = "<size><width>20</width><height>10</height><depth>3</depth></size>"
    text = f"<annotation><filename>a.jpg</filename>{size}<object><name>cat</name>{box}</object></annotation>"
    put(tmp_path, {"JPEGImages/a.jpg": None, "Annotations/a.xml": text})
    told = [one.message for one in fs.validate(tmp_path, spec="voc").findings if one.level == "error"]
    assert len(told) == 1 and "'xmax' is missing" in told[0]
