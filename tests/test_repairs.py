"""Repairs that are made while files are read, and those that have to be asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from coco_like import coco, image_bytes, put

import formatspec as fs
from formatspec.policy.config import policy_of
from formatspec.policy.rules import PolicyError, parse_on


def edited(folder: Path, **values: Any) -> Path:
    """A COCO dataset whose first image row states other values; None leaves a key out."""
    data = put(folder, coco([]))
    path = data / "annotations/instances_train.json"
    document = json.loads(path.read_text())
    row = document["images"][0]
    row.update(values)
    for key in [key for key, value in row.items() if value == "left out"]:
        del row[key]
    path.write_text(json.dumps(document))
    return data


@pytest.mark.parametrize("values", [{"width": "left out"}, {"width": None, "height": None}, {"height": 0}])
def test_a_size_that_is_not_stated_is_measured(values: dict[str, Any], tmp_path: Path) -> None:
    data = edited(tmp_path / "data", **values)
    found = fs.validate(data, "coco").findings
    assert {(one.code, one.level) for one in found} == {("IMAGE_SIZE_ABSENT", "warning")}
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    row = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())["images"][0]
    assert (row["width"], row["height"]) == (100, 80)
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="voc", out=tmp_path / "none", spec="coco", on=["IMAGE_SIZE_ABSENT=error"])


def test_a_size_that_nothing_tells_is_missing(tmp_path: Path) -> None:
    data = edited(tmp_path / "data", width="left out")
    (data / "images/train/a.jpg").unlink()
    found = {(one.code, one.level, one.pointer) for one in fs.validate(data, "coco").findings}
    assert ("FIELD_MISSING", "error", "/images/0") in found


VOC = """<annotation><folder>VOC</folder><filename>a.jpg</filename>{size}<segmented>0</segmented>{objects}</annotation>"""
OBJECT = "<object><name>{}</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>5</ymax></bndbox></object>"
SIZE = "<size>{}<height>80</height><depth>3</depth></size>"


def voc(folder: Path, size: str, *names: str) -> Path:
    text = VOC.format(size=SIZE.format(size), objects="".join(map(OBJECT.format, names)))
    return put(folder, {
        "JPEGImages/a.jpg": image_bytes(100, 80), "Annotations/a.xml": text, "ImageSets/Main/train.txt": "a\n",
    })  # fmt: skip


def test_a_size_that_is_not_stated_in_xml_is_measured(tmp_path: Path) -> None:
    data = voc(tmp_path / "data", "", "cat")
    assert [(one.code, one.level) for one in fs.validate(data, "voc").findings] == [("IMAGE_SIZE_ABSENT", "warning")]
    fs.convert(data, to="voc", out=tmp_path / "out", spec="voc")
    assert "<width>100</width>" in (tmp_path / "out/Annotations/a.xml").read_text()


def test_an_empty_name_of_a_class_costs_its_object_or_takes_the_default(tmp_path: Path) -> None:
    data = voc(tmp_path / "data", "<width>100</width>", "", "dog")
    (found,) = fs.validate(data, "voc").findings
    assert (found.code, found.level, found.pointer) == ("FIELD", "error", "/annotation/object/0/name")
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to="coco", out=tmp_path / "none", spec="voc", on=["FIELD=fix"])
    assert "--on FIELD=fix --default-class NAME" in refused.value.ways[-1]
    fs.convert(data, to="coco", out=tmp_path / "dropped", spec="voc", on=["FIELD=drop"])
    fs.convert(data, to="coco", out=tmp_path / "fixed", spec="voc", on=["FIELD=fix"], default_class="thing")
    for folder, names in (("dropped", ["dog"]), ("fixed", ["thing", "dog"])):
        (item,) = fs.open(tmp_path / folder, "coco")
        assert [thing.category.name for thing in item.objects if thing.category] == names


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_text_in_no_encoding_of_the_format_is_read_in_one_that_is_named(encoding: str, tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([]))
    path = data / "annotations/instances_train.json"
    path.write_bytes(path.read_text().replace('"cat"', '"caté"').encode(encoding))
    found = next(one for one in fs.validate(data, "coco").findings if one.level == "error")
    assert (found.code, found.file, found.line) == ("FILE_ENCODING", "annotations/instances_train.json", 1)
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to="coco", out=tmp_path / "none", spec="coco", on=["FILE_ENCODING=fix"])
    assert refused.value.ways[-1] == "--on FILE_ENCODING=fix,encoding=NAME writes the rest"
    named = [f"FILE_ENCODING=fix,encoding={encoding}"]
    assert [one.level for one in fs.validate(data, "coco", on=named).findings] == ["warning"]
    result = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="coco", on=named)
    assert [(one.code, one.action) for one in result.actions] == [("FILE_ENCODING", "fix")]
    assert "- caté" in (tmp_path / "out/data.yaml").read_text("utf-8")


def test_a_file_of_one_item_in_no_encoding_costs_that_item(tmp_path: Path) -> None:
    data = put(tmp_path / "data", {
        "data.yaml": "train: images/train\nval: images/train\nnames: [cat]\n", "images/train/a.jpg": image_bytes(90, 80),
        "images/train/b.jpg": image_bytes(90, 70), "labels/train/a.txt": b"0 0.5 0.5 0.2 0.2\xff\n",
        "labels/train/b.txt": "0 0.5 0.5 0.2 0.2\n",
    })  # fmt: skip
    found = [one for one in fs.validate(data, "yolo_ultralytics").findings if one.level == "error"]
    assert [(one.code, one.file, one.scope) for one in found] == [("FILE_ENCODING", "labels/train/a.txt", "item")]
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="yolo_ultralytics", on=["FILE_ENCODING=drop-item"])
    assert (result.items, result.skipped) == (1, 1)


def test_what_is_said_of_an_action_more_closely() -> None:
    (rule,) = parse_on(["BOX_OUTSIDE=clip,within=5%"])
    assert (rule.action, rule.within) == ("clip", 0.05)
    policy = policy_of({"on": {"FILE_ENCODING": {"action": "fix", "encoding": "cp1252"}}})
    assert policy.encoding == "cp1252"
    for text, said in (
        ("FILE_ENCODING=fix,encoding=nonsense", "no text encoding"), ("BOX_OUTSIDE=drop,within=5%", "action clip"),
        ("CYCLE=fix,encoding=utf-8", "goes with FILE_ENCODING"), ("BOX_OUTSIDE=clip,withn=5%", "did you mean 'within'?"),
        ("BOX_OUTSIDE=clip,5%", "NAME=VALUE"),
    ):  # fmt: skip
        with pytest.raises(PolicyError) as error:
            parse_on([text])
        assert said in str(error.value)


def test_pixels_of_unknown_values_are_void_on_demand(tmp_path: Path) -> None:
    pixels = np.zeros((8, 10), np.uint8)
    pixels[:4, :5], pixels[5:, 5:] = 1, 9
    data = put(tmp_path / "data", {
        "classes.txt": "background\ncat\n", "images/train/a.jpg": image_bytes(10, 8),
        "masks/train/a.png": bytes(iio.imwrite("<bytes>", pixels, extension=".png")),
    })  # fmt: skip
    (found,) = (one for one in fs.validate(data, "image_masks", deep=True).findings if one.level == "error")
    assert (found.code, found.file) == ("PIXEL_VALUE", "masks/train/a.png") and "pixel value 9" in found.message
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="coco", out=tmp_path / "none", spec="image_masks")
    result = fs.convert(data, to="image_masks", out=tmp_path / "out", spec="image_masks", on=["PIXEL_VALUE=fix"])
    assert [(one.code, one.action, one.count) for one in result.actions] == [("PIXEL_VALUE", "fix", 1)]
    assert fs.validate(tmp_path / "out", "image_masks", deep=True).findings == ()
    back = iio.imread(tmp_path / "out/masks/train/a.png")
    assert (back[:4, :5] == 1).all() and set(np.unique(back[5:, 5:])) <= {0, 255}
