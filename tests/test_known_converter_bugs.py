"""What converters are known to get wrong, each as a test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put

import formatspec as fs
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import load_source
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.region import Region
from formatspec.pixels import png
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes


def coco(folder: Path, annotations: list[dict[str, Any]], name: str = "a.jpg", ids: tuple[int, ...] = (18, 1)) -> Path:
    """A COCO dataset of one image, whose ids are no places in lists."""
    rows = [
        {"id": 50 + i, "category_id": ids[0], "area": 4, "bbox": [1, 1, 4, 4], **row}
        for i, row in enumerate(annotations)
    ]
    categories = [{"id": i, "name": f"c{i}"} for i in ids]
    return put(folder, coco_files(coco_document([(name, 20, 10)], rows, categories, first=4)))


def only(folder: Path, spec: str) -> Item:
    dataset = fs.open(folder, spec)
    (item,) = dataset
    assert not [f for f in dataset.findings if f.level == "error"]
    return item


SQUARE = [1, 1, 5, 1, 5, 5, 1, 5]


def test_category_ids_stay(tmp_path: Path) -> None:
    """Neither sorted nor numbered anew: not by the same format, not by another that can hold them."""
    data = coco(tmp_path / "in", [{}, {"category_id": 1}], ids=(18, 1, 90))
    for to in ("coco", "yolo_ultralytics"):
        fs.convert(data, to=to, out=tmp_path / to)
        assert [(c.id, c.name) for c in fs.open(tmp_path / to, to).categories] == [(18, "c18"), (1, "c1"), (90, "c90")]


def test_empty_labels(tmp_path: Path) -> None:
    """An empty file is an item without objects; so is an image without a file; neither is lost."""
    data = put(tmp_path / "in", {
        "data.yaml": "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n",
        "images/train/a.jpg": image_bytes(20, 10, "jpg"), "labels/train/a.txt": "",
        "images/train/b.jpg": image_bytes(20, 10, "jpg"),
        "images/train/c.jpg": image_bytes(20, 10, "jpg"), "labels/train/c.txt": "0 0.5 0.5 0.5 0.5\n",
    })  # fmt: skip
    assert [(i.key, len(i.objects)) for i in fs.open(data)] == [("train/a", 0), ("train/b", 0), ("train/c", 1)]
    fs.convert(data, to="coco", out=tmp_path / "out")
    document = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert (len(document["images"]), len(document["annotations"])) == (3, 1)


def test_outlines_and_run_lengths(tmp_path: Path) -> None:
    """What a segmentation is, its document says; `iscrowd` says something else."""
    counts = {"size": [10, 20], "counts": [0, 4, 196]}
    data = coco(tmp_path / "in", [
        {"segmentation": counts, "iscrowd": 0}, {"segmentation": counts, "iscrowd": 1},
        {"segmentation": [SQUARE], "iscrowd": 0}, {"segmentation": [SQUARE], "iscrowd": 1},
    ])  # fmt: skip
    objects = only(data, "coco").objects
    assert [(t.region is not None, bool(t.polygons), t.single) for t in objects] == [
        (True, False, True), (True, False, False), (False, True, True), (False, True, False),
    ]  # fmt: skip
    assert objects[0].region is not None and objects[0].region.area == 4
    fs.convert(data, to="coco", out=tmp_path / "out")
    back = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())["annotations"]
    assert [type(row["segmentation"]) for row in back] == [dict, dict, list, list]


VOC = """<annotation><folder>VOC2012</folder><filename>a.jpg</filename>
<size><width>{width}</width><height>10</height><depth>3</depth></size><segmented>0</segmented>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>10</ymax></bndbox></object>
<object><name>dog</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>
</annotation>"""


def voc(folder: Path, width: int = 20) -> Path:
    return put(folder, {
        "JPEGImages/a.jpg": image_bytes(20, 10, "jpg"), "Annotations/a.xml": VOC.format(width=width),
        "ImageSets/Main/train.txt": "a\n",
    })  # fmt: skip


def test_boxes_that_count_from_one(tmp_path: Path) -> None:
    """1 to 20 is the whole of 20 pixels; 3 to 3 is one pixel, the third."""
    data = voc(tmp_path / "in")
    assert [t.bbox for t in only(data, "voc").objects] == [(0, 0, 20, 10), (2, 3, 1, 1)]
    fs.convert(data, to="coco", out=tmp_path / "coco")
    rows = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())["annotations"]
    assert [row["bbox"] for row in rows] == [[0, 0, 20, 10], [2, 3, 1, 1]]
    fs.convert(tmp_path / "coco", to="voc", out=tmp_path / "back")
    text = (tmp_path / "back/Annotations/a.xml").read_text()
    assert "<xmax>20</xmax>" in text and "<xmin>3</xmin>" in text and "<xmax>3</xmax>" in text


def test_palettes_keep_indices(tmp_path: Path) -> None:
    """A mask's values are indices, whatever their colours: two indices of one colour are two classes."""
    pixels = np.zeros((10, 20), np.uint8)
    pixels[2:4, 3:6], pixels[6:, 10:] = 1, 3
    palette = np.zeros((256, 3), np.uint8)
    palette[1] = palette[3] = (255, 0, 0)
    data = put(tmp_path / "in", {
        "images/train/a.jpg": image_bytes(20, 10, "jpg"), "classes.txt": "cat\ndog\nbird\n",
        "masks/train/a.png": png.encode(pixels, "palette", palette),
    })  # fmt: skip
    found = {a.category.name: a.region for a in only(data, "image_masks").areas if a.category}
    assert {name: region.area for name, region in found.items()} == {"cat": 6, "bird": 40}
    fs.convert(data, to="image_masks", out=tmp_path / "out")
    assert (png.decode((tmp_path / "out/masks/train/a.png").read_bytes()).pixels == pixels).all()


def test_masks_of_two_bytes(tmp_path: Path) -> None:
    """2001 is not 209; the numbers of tracks come back."""
    pixels = np.zeros((10, 20), np.uint16)
    pixels[:2, :3], pixels[5:7, 4:], pixels[9, 19] = 1001, 1300, 10000
    data = put(tmp_path / "in", {
        "train/images/a.png": image_bytes(20, 10, "png"), "train/instances/a.png": png.encode(pixels, "gray16"),
        "train/instances/labels.txt": "car\nperson\n",
    })  # fmt: skip
    item = only(data, "mots_png")
    assert sorted((t.category.name, t.track) for t in item.objects if t.category) == [("car", 1), ("car", 300)]
    fs.convert(data, to="mots_png", out=tmp_path / "out")
    back = png.decode((tmp_path / "out/train/instances/a.png").read_bytes())
    assert back.mode == "gray16" and (back.pixels == pixels).all()


def test_numbers_of_instances(tmp_path: Path) -> None:
    """Cityscapes numbers the instances of a class, not from 0 only and not without gaps."""
    pixels = np.zeros((10, 20), np.uint16)
    pixels[:2, :3], pixels[4:6, :3], pixels[8:, :3], pixels[:, 15:] = 26000, 26007, 24003, 23
    stem = "train/aachen/aachen_000001_000019"
    data = put(tmp_path / "in", {
        f"leftImg8bit/{stem}_leftImg8bit.png": image_bytes(20, 10, "png"),
        f"gtFine/{stem}_gtFine_instanceIds.png": png.encode(pixels, "gray16"),
    })  # fmt: skip
    item = only(data, "cityscapes")
    assert sorted((t.category.name, t.attributes["instance_number"]) for t in item.objects if t.category) == [
        ("car", 0), ("car", 7), ("person", 3),
    ]  # fmt: skip
    fs.convert(data, to="cityscapes", out=tmp_path / "out")
    found = png.decode((tmp_path / f"out/gtFine/{stem}_gtFine_instanceIds.png").read_bytes())
    assert (found.pixels == pixels).all()


INSTANCES = np.zeros((10, 20), np.uint16)
"""Two cars, whose numbers have a gap, a group of cars, a person, and sky."""
INSTANCES[:2, :3], INSTANCES[4:6, :3], INSTANCES[8:, :3] = 26000, 26007, 24003
INSTANCES[8:, 8:12], INSTANCES[:, 15:] = 26, 23


@pytest.mark.parametrize("between", ["coco", "coco_panoptic"])
@pytest.mark.parametrize("outlined", [False, True])
def test_numbers_of_instances_elsewhere(outlined: bool, between: str, tmp_path: Path) -> None:
    """An instance id of Cityscapes is told by the attribute `instance_number`: it survives in formats that hold
    attributes.  Beside outlines, instances are numbered by their order, those that were deleted left out; outlines
    of those are not painted, by no way."""
    pixels = INSTANCES.copy()
    stem = "train/aachen/aachen_000001_000019"
    contents: dict[str, str | bytes] = {f"leftImg8bit/{stem}_leftImg8bit.png": image_bytes(20, 10, "png")}
    if outlined:
        pixels[pixels == 26007], pixels[pixels == 24003] = 26001, 24000
        boxes = [("sky", 15, 0, 5, 10), ("car", 6, 1, 3, 3), ("car", 0, 0, 3, 2), ("car", 0, 4, 3, 2),
                 ("cargroup", 8, 8, 4, 2), ("person", 0, 8, 3, 2)]  # fmt: skip
        things: list[dict[str, Any]] = [
            {"label": label, "polygon": [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]} for label, x, y, w, h in boxes
        ]
        things[1]["deleted"] = 1
        document = {"imgHeight": 10, "imgWidth": 20, "objects": things}
        contents[f"gtFine/{stem}_gtFine_polygons.json"] = json.dumps(document)
    contents[f"gtFine/{stem}_gtFine_instanceIds.png"] = png.encode(pixels, "gray16")
    data = put(tmp_path / "in", contents)
    fs.convert(data, to=between, out=tmp_path / between)
    result = fs.convert(tmp_path / between, to="cityscapes", out=tmp_path / "back")
    (back,) = tmp_path.glob("back/gtFine/train/*/*_instanceIds.png")
    assert (png.decode(back.read_bytes()).pixels == pixels).all()
    (labels,) = tmp_path.glob("back/gtFine/train/*/*_labelIds.png")
    assert (png.decode(labels.read_bytes()).pixels == np.where(pixels > 999, pixels // 1000, pixels)).all()
    assert not any("crowd" in line or "instance_number" in line for line in result.losses), result.losses
    again = only(tmp_path / "back", "cityscapes")
    numbers = {(t.category.name, t.attributes.get("instance_number")) for t in again.objects if t.category and t.region}
    assert numbers == {(name, pixel % 1000) for name, pixel in (
        ("car", 26000), ("car", pixels[4, 0]), ("person", pixels[9, 0]))}  # fmt: skip


def test_an_instance_number_that_two_have(tmp_path: Path) -> None:
    """What another dataset calls so need not be a number of its own: each object is painted apart."""
    rings = [[x, 1, x + 4, 1, x + 4, 5, x, 5] for x in (0, 5, 10)]
    numbers = ({"instance_number": 4}, {"instance_number": 4}, {})
    rows = [{"segmentation": [ring], "attributes": own} for ring, own in zip(rings, numbers, strict=True)]
    data = coco(tmp_path / "in", rows)
    document = json.loads((data / "annotations/instances_train.json").read_text())
    document["categories"][0]["name"] = "car"
    put(data, {"annotations/instances_train.json": json.dumps(document)})
    fs.convert(data, to="cityscapes", out=tmp_path / "out")
    (painted,) = tmp_path.glob("out/gtFine/train/*/*_instanceIds.png")
    assert len(set(np.unique(png.decode(painted.read_bytes()).pixels).tolist()) - {0}) == 3


def test_outlines_that_are_dropped_are_said(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [{"segmentation": [SQUARE]}])
    dropped = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "boxes", options={"task": "detect"})
    assert any(line.startswith("polygons") and "1 object" in line for line in dropped.losses), dropped.losses
    kept = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "outlines")
    assert not any("polygons" in line for line in kept.losses)
    assert len((tmp_path / "outlines/labels/train/a.txt").read_text().split()) == 9


@pytest.mark.parametrize("kind", ["coco", "voc", "labelme"])
def test_sizes_that_lie(kind: str, tmp_path: Path) -> None:
    if kind == "coco":
        data = coco(tmp_path / "in", [{}])
        file = data / "annotations/instances_train.json"
        file.write_text(file.read_text().replace('"width": 20', '"width": 40'))
    elif kind == "voc":
        data = voc(tmp_path / "in", width=40)
        file = data / "Annotations/a.xml"
    else:
        shape = {"label": "x", "points": [[1, 1], [5, 1], [5, 5]], "shape_type": "polygon", "flags": {}}
        record = {
            "version": "5.0.1", "flags": {}, "shapes": [shape], "imagePath": "a.jpg", "imageData": None,
            "imageHeight": 10, "imageWidth": 40,
        }  # fmt: skip
        data = put(tmp_path / "in", {"a.jpg": image_bytes(20, 10, "jpg"), "a.json": json.dumps(record)})
        file = data / "a.json"
    findings = [f for f in fs.validate(data, kind).findings if f.code == "IMAGE_SIZE"]
    assert [f.file for f in findings] == [file.relative_to(data).as_posix()]
    assert findings[0].level == "error" and findings[0].got == (40 if kind != "voc" else findings[0].got)


NAMES = ("with space", "ünï", "图像", "a.b.c", "p(1)", "z[2]", "{x}", "100%", "a&b", "#1", "it's", "-x")


@pytest.mark.parametrize(
    "spec", ["coco", "voc", "yolo_ultralytics", "labelme", "cvat_images", "image_masks", "ade20k2020"]
)
def test_names_of_files(spec: str, tmp_path: Path) -> None:
    """Spaces, letters of any script, dots, brackets: they name the same item before and after."""
    row = {"area": 16, "bbox": [1, 1, 4, 4], "segmentation": [SQUARE]}
    rows = [{"image_id": number, **row} for number in range(1, len(NAMES) + 1)]
    put(tmp_path / "in", coco_files(coco_document([(f"{name}.jpg", 20, 10) for name in NAMES], rows, ["c"])))
    fs.convert(tmp_path / "in", to=spec, out=tmp_path / "out", spec="coco")
    report = fs.validate(tmp_path / "out", spec, deep=True)
    assert not [f for f in report.findings if f.level == "error"]
    found = {item.image.path.rpartition("/")[2] for item in fs.open(tmp_path / "out", spec) if item.image}
    assert found == {f"{name}.jpg" for name in NAMES}
    assert all(len(item.objects) + len(item.areas) == 1 for item in fs.open(tmp_path / "out", spec))
    back = fs.convert(tmp_path / "out", to="coco", out=tmp_path / "back", spec=spec)
    assert back.items == len(NAMES)


def test_a_part_of_object_0_is_a_part(tmp_path: Path) -> None:
    """0 is an id: what names it as its parent is no object of its own."""
    spec = put(tmp_path, {"parts.yaml": """\
formatspec: 1
name: parts
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      whole: [{each: objects by id where not parent, id: id, bbox: bbox | xywh, name: category.name}]
      parts: [{each: objects by id where parent, id: id, of: parent, bbox: bbox | xywh, name: category.name}]
"""}) / "parts.yaml"  # fmt: skip
    head, body = (
        {"id": 1, "of": 0, "bbox": [1, 1, 2, 2], "name": "head"},
        {"id": 0, "bbox": [1, 1, 9, 9], "name": "body"},
    )
    document = {"whole": [body], "parts": [head]}
    data = put(tmp_path / "in", {"a.png": image_bytes(20, 20, "png"), "a.json": json.dumps(document)})
    assert [(thing.id, thing.parent) for thing in only(data, str(spec)).objects] == [(0, None), (1, 0)]
    fs.convert(data, to="voc", spec=spec, out=tmp_path / "voc")
    written = (tmp_path / "voc/Annotations/a.xml").read_text()
    assert written.count("<object>") == 1 and written.count("<part>") == 1
    fs.convert(data, to=spec, spec=spec, out=tmp_path / "again", where="true")
    assert json.loads((tmp_path / "again/a.json").read_text()) == document


def test_names_with_blanks_where_blanks_part_columns(tmp_path: Path) -> None:
    """Other readers of KITTI's lines would count columns from the wrong place: the object is not written, which is
    said; with another name it is, and any other object of its image is in either case.  Such lines of others are
    read all the same."""
    data = coco(tmp_path / "in", [{}, {"category_id": 1}])
    document = json.loads((data / "annotations/instances_train.json").read_text())
    document["categories"][0]["name"] = "a bird"
    (data / "annotations/instances_train.json").write_text(json.dumps(document))
    told = fs.convert(data, to="kitti_detection", out=tmp_path / "out").losses
    assert any("'a bird' has blanks" in str(loss) for loss in told)
    assert [t.category.name for t in only(tmp_path / "out", "kitti_detection").objects if t.category] == ["c1"]
    fs.convert(data, to="kitti_detection", out=tmp_path / "named", labels={"a bird": "bird"})
    found = only(tmp_path / "named", "kitti_detection").objects
    assert [t.category.name for t in found if t.category] == ["bird", "c1"]
    (label,) = tmp_path.glob("named/*/label_2/a.txt")
    label.write_text(label.read_text().replace("bird", "a bird"))
    found = only(tmp_path / "named", "kitti_detection").objects
    assert [t.category.name for t in found if t.category] == ["a bird", "c1"]


def test_tables_of_rotations(reference: Any, tmp_path: Path) -> None:
    """Open Images tells of its images' turns in a table, often of more images than there are: it is kept, and a
    table of the whole release, which is too large to carry along, is told of."""
    data = tmp_path / "in"
    shutil.copytree(reference("toy/open_images_dataset") / "v6", data)
    (data / "annotations").chmod(0o755)
    table = "ImageID,Subset,Rotation\nc,test,90.0\nelsewhere,test,0.0\n"
    name = "annotations/test-images-with-rotation.csv"
    put(data, {name: table})
    fs.convert(data, to="open_images", out=tmp_path / "out", spec="open_images")
    assert (tmp_path / "out" / name).read_text() == table
    told = fs.validate(data, "open_images").findings
    assert sorted((f.code, f.file) for f in told) == [
        ("BOX_EMPTY", "annotations/oidv6-train-annotations-bbox.csv"),  # 6.4 by 0.4 pixels
        ("BOX_EMPTY", "annotations/test-annotations-bbox.csv"),
        ("BOX_EMPTY", "annotations/train-annotations-object-segmentation.csv"),
        ("FILE_UNCLAIMED", "annotations/image_ids_and_rotation.csv"),
    ]


def test_outlines_of_groups_and_deleted_ones(tmp_path: Path) -> None:
    """Cityscapes' tools keep what an annotator deleted, marked so; a group is no single thing, but `polegroup` is a
    class.  The file comes back as it was, and the groups by way of COCO."""
    ring = [[1, 1], [4, 1], [4, 5], [1, 5]]
    things: list[dict[str, Any]] = [{"label": label, "polygon": ring} for label in ("car", "cargroup", "polegroup")]
    things[0] |= {"deleted": 1, "verified": 0, "user": "u", "date": "09-Jul-2013 10:00:00"}
    stem = "train/aachen/aachen_000001_000019"
    outlines = f"gtFine/{stem}_gtFine_polygons.json"
    data = put(tmp_path / "in", {
        f"leftImg8bit/{stem}_leftImg8bit.png": image_bytes(20, 10, "png"),
        outlines: json.dumps({"imgHeight": 10, "imgWidth": 20, "objects": things}),
    })  # fmt: skip
    found = [(t.category.name, t.single, t.attributes) for t in only(data, "cityscapes").objects if t.category]
    assert found == [("car", True, {"deleted": True}), ("car", False, {}), ("polegroup", True, {})]
    fs.convert(data, to="cityscapes", out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / outlines).read_text())["objects"] == things
    fs.convert(data, to="coco", out=tmp_path / "coco")
    fs.convert(tmp_path / "coco", to="cityscapes", out=tmp_path / "back")
    (back,) = tmp_path.glob("back/gtFine/train/*/*_polygons.json")
    assert [row["label"] for row in json.loads(back.read_text())["objects"]] == ["car", "cargroup", "polegroup"]


def test_an_object_without_a_track_gets_none_that_another_has() -> None:
    """A number that is made up passes over those that objects of the same class state."""
    spec = load_source("mots_png")
    form = compile_format(spec, spec.layouts[0], {})
    category = Category(name="car", index=0, id=1)
    things = tuple(
        Object(category=category, track=track, region=Region.from_mask(np.eye(4, dtype=bool) & (np.arange(4) == place)))
        for place, track in enumerate((None, 1, None, 2))
    )
    item = Item(key="train/a", captures={"subset": "train", "name": "a", "ext": "png"}, objects=things,
                image=Image(path="train/images/a.png", width=4, height=4), subsets=("train",))  # fmt: skip
    tree = laws.MemoryTree(laws.written(form, [category], [item]))
    (back,) = laws.opened(spec, tree, {})[1]
    tracks = [thing.track for thing in back.objects]
    assert len(set(tracks)) == 4 and {1, 2} <= set(tracks)
