"""Names of images as tools state them: with their extension in a list, without the folders in the XML beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put

import formatspec as fs

BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>"
SIZE = "<size><width>20</width><height>10</height><depth>3</depth></size>"


def record(name: str) -> str:
    """A record of one box in an image of 20 x 10 pixels."""
    return f"<annotation><filename>{name}</filename>{SIZE}<object><name>cat</name>{BOX}</object></annotation>"


@pytest.mark.parametrize("end", ["", ".jpg"])
def test_a_list_may_name_images_with_their_extension(end: str, tmp_path: Path) -> None:
    """Names with dots are no names with an extension."""
    files = {"ImageSets/Main/train.txt": f"a{end}\n", "ImageSets/Main/val.txt": f"b.c{end}\n"}
    for name in ("a", "b.c"):
        files |= {f"JPEGImages/{name}.jpg": None, f"Annotations/{name}.xml": record(f"{name}.jpg")}
    data = put(tmp_path / "data", files)
    assert not fs.validate(data).findings
    assert {item.key: item.subsets for item in fs.open(data, "voc")} == {"a": ("train",), "b.c": ("val",)}
    fs.convert(data, to="voc", out=tmp_path / "out", lossless=True)
    assert (tmp_path / "out/ImageSets/Main/train.txt").read_text("utf-8") == f"a{end}\n"
    fs.convert(data, to="coco", out=tmp_path / "coco")
    assert {item.key: item.subsets for item in fs.open(tmp_path / "coco")} == {
        "train/a": ("train",),
        "val/b.c": ("val",),
    }


def test_a_record_names_its_image_as_seen_from_its_folder(tmp_path: Path) -> None:
    """labelImg states the bare name; a name that is another image's is still a finding."""
    files = {"x/a.jpg": None, "x/a.xml": record("a.jpg"), "y/a.jpg": None, "y/a.xml": record("z.jpg")}
    data = put(tmp_path / "data", files)
    (finding,) = fs.validate(data, "labelimg_voc").findings
    assert (finding.code, finding.file, finding.got) == ("DIFFERS", "y/a.xml", "z")
    fs.convert(data, to="labelimg_voc", out=tmp_path / "out")
    assert (tmp_path / "out/x/a.xml").read_text("utf-8") == files["x/a.xml"]
