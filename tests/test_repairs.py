"""Repairs that are made while files are read, and those that have to be asked for."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from coco_like import coco, image_bytes, put
from PIL import Image

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


VOC = (
    """<annotation><folder>VOC</folder><filename>a.jpg</filename>{size}<segmented>0</segmented>{objects}</annotation>"""
)
YAML = "train: images/train\nval: images/train\nnames: [cat]\n"
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
        "data.yaml": YAML, "images/train/a.jpg": image_bytes(90, 80),
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
        ("CYCLE=fix,encoding=utf-8", "goes with FILE_ENCODING"),
        ("BOX_OUTSIDE=clip,withn=5%", "did you mean 'within'?"),
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


@pytest.mark.parametrize("name", ["", None])
def test_a_listed_class_of_an_empty_name(name: str | None, tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([], categories=[{"id": 1, "name": name}, {"id": 2, "name": "dog"}]))
    (found,) = fs.validate(data, "coco").findings
    assert (found.code, found.level, found.pointer) == ("FIELD", "error", "/categories/0/name")
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="voc", out=tmp_path / "none", spec="coco", on=["FIELD=fix"])
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", on=["FIELD=fix"], default_class="thing")
    document = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert [row["name"] for row in document["categories"]] == ["thing", "dog"]


def test_names_that_stand_twice_in_a_list_are_merged_on_demand(tmp_path: Path) -> None:
    data = put(tmp_path / "data", {
        "data.yaml": "train: images/train\nval: images/train\nnames: [cat, cat, dog]\n",
        "images/train/a.jpg": image_bytes(90, 80), "labels/train/a.txt": "1 0.5 0.5 0.2 0.2\n2 0.4 0.5 0.2 0.2\n",
    })  # fmt: skip
    assert [one.code for one in fs.validate(data, "yolo_ultralytics").findings if one.level == "error"] == ["DUPLICATE"]
    fs.convert(data, to="coco", out=tmp_path / "out", spec="yolo_ultralytics", on=["DUPLICATE=fix"])
    for item in fs.open(tmp_path / "out", "coco"):
        assert [thing.category.name for thing in item.objects if thing.category] == ["cat", "dog"]


def rotated(size: tuple[int, int]) -> bytes:
    """A JPEG that EXIF turns by a quarter."""
    buffer = io.BytesIO()
    image = Image.new("RGB", size)
    exif = image.getexif()
    exif[274] = 6
    image.save(buffer, "jpeg", exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize(("stated", "said"), [((100, 80), "taken as stored"), ((80, 100), "as displayed, and is kept")])
def test_an_image_that_is_turned_keeps_the_size_that_is_stated(
    stated: tuple[int, int], said: str, tmp_path: Path
) -> None:
    data = edited(tmp_path / "data", width=stated[0], height=stated[1])
    (data / "images/train/a.jpg").write_bytes(rotated((100, 80)))
    (found,) = fs.validate(data, "coco").findings
    assert (found.code, found.level) == ("IMAGE_ROTATED", "warning") and said in found.message
    for to in ("coco", "voc"):
        fs.convert(data, to=to, out=tmp_path / to, spec="coco")
        assert [one.code for one in fs.validate(tmp_path / to, to).findings] == ["IMAGE_ROTATED"]
        (item,) = (item for item in fs.open(tmp_path / to, to) if item.key.endswith("a"))
        assert item.image and (item.image.width, item.image.height) == stated


@pytest.mark.parametrize(("spec", "files", "line"), [
    ("yolo_ultralytics", {
        "data.yaml": YAML, "images/train/a.jpg": image_bytes(90, 80),
        "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n0,0.5,0.5,0.2,0.2\nnonsense\n",
    }, 2),
    ("mot_seq", {
        "S/gt/gt.txt": "1,1,10,10,20,20,1,1,1\n1, 2, 10, 10, 20, 20, 1, 1, 1\nnonsense\n",
        "S/img1/000001.jpg": image_bytes(90, 80),
    }, 2),
    ("tfod_csv", {
        "train/_annotations.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,90,80,cat,1,1,9,9\n"
        "a.jpg,90,80,cat,1,1,9,9,7\na.jpg,90,80\n", "train/a.jpg": image_bytes(90, 80),
    }, 3),
])  # fmt: skip
def test_a_row_of_the_wrong_shape_costs_itself(
    spec: str, files: dict[str, str | bytes], line: int, tmp_path: Path
) -> None:
    data = put(tmp_path / "data", files)
    found = [one for one in fs.validate(data, spec).findings if one.level == "error"]
    assert {one.scope for one in found} == {"object"} and found[0].line == line and found[0].code == "LINE"
    for to in ("coco", spec):
        result = fs.convert(data, to=to, out=tmp_path / to, spec=spec, on=["error=drop"])
        assert (result.items, result.skipped) == (1, 0)
        (item,) = fs.open(tmp_path / to, to)
        assert len(item.objects) == 1


def test_a_bad_row_within_a_row_of_an_item_leaves_that_row(tmp_path: Path) -> None:
    bad = {"label": "cat", "coordinates": {"x": "left", "y": 2, "width": 2, "height": 2}}
    data = put(tmp_path / "data", {
        "train/_annotations.createml.json": json.dumps([{"image": "a.jpg", "annotations": [bad]}]),
        "train/a.jpg": image_bytes(90, 80),
    })  # fmt: skip
    fs.convert(data, to="createml", out=tmp_path / "out", spec="createml", on=["FIELD=drop"])
    text = (tmp_path / "out/train/_annotations.createml.json").read_text()
    assert json.loads(text) == [{"image": "a.jpg", "annotations": []}]


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics"])
def test_a_stated_area_is_judged_by_a_conversion_that_is_asked_to(to: str, tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([{"area": 5}]))
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to=to, out=tmp_path / "none", spec="coco", on=["DIFFERS=error"])
    assert [one.code for one in refused.value.findings] == ["DIFFERS"]
    result = fs.convert(data, to=to, out=tmp_path / "out", spec="coco", on=["DIFFERS=fix"])
    assert [(one.code, one.action, one.count) for one in result.actions] == [("DIFFERS", "fix", 1)]
    assert "DIFFERS" not in {one.code for one in fs.validate(tmp_path / "out", to).findings}
    named = [one for one in fs.convert(data, to="coco", out=tmp_path / "same", spec="coco").notices if "areas" in one]
    assert named == ["not checked: whether stated areas are those of their shapes (validate does)"]


def test_a_line_that_counts_the_rows_behind_it_counts_those_that_are_left(tmp_path: Path) -> None:
    """Readers take as many rows as it says, so it follows them also where the file is written back."""
    data = tmp_path / "data"
    folder = data / "WIDER_val/images/1--Parade"
    folder.mkdir(parents=True)
    (data / "wider_face_split").mkdir()
    for name in "ab":
        (folder / f"{name}.jpg").write_bytes(image_bytes(40, 30))
    listing = (
        "1--Parade/a.jpg\n2\n4 8 2 seven 0 0 0 0 0 0\n1 2 5 6 0 0 0 0 0 0\n1--Parade/b.jpg\n1\n2 2 4 4 0 0 0 0 0 0\n"
    )
    (data / "wider_face_split/wider_face_val_bbx_gt.txt").write_text(listing)
    fs.convert(data, spec="wider_face", to="wider_face", out=tmp_path / "out", on=["error=drop"])
    written = (tmp_path / "out/wider_face_split/wider_face_val_bbx_gt.txt").read_text()
    assert written == listing.replace("\n2\n4 8 2 seven 0 0 0 0 0 0\n", "\n1\n")
    assert not fs.validate(tmp_path / "out", "wider_face").fails
