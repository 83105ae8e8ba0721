"""What the formats that everyone converts to and from must keep, case by case."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put

import formatspec as fs
from formatspec.model.records import Item
from formatspec.pixels import palettes, png
from formatspec.testing.memory import image_bytes

Contents = dict[str, str | bytes]


def read(folder: Path, spec: str, **options: Any) -> list[Item]:
    """All items of a dataset, which must be valid."""
    dataset = fs.open(folder, spec, options=options)
    items = list(dataset)
    assert [f for f in dataset.findings if f.level == "error"] == []
    return items


def mask(*pixels: tuple[slice, slice]) -> Any:
    full = np.zeros((10, 20), np.uint8)
    for rows, columns in pixels:
        full[rows, columns] = 255
    return full


# Open Images

BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
SEGMENTS = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks\n"


def open_images(folder: Path) -> Path:
    """Two equal boxes, each with a mask of its own, and a third with none; an id with an underscore."""
    one, two = mask((slice(1, 3), slice(2, 6))), mask((slice(3, 5), slice(2, 6)))
    return put(folder, {
        "images/train/a.jpg": image_bytes(20, 10, "jpg"),
        "annotations/oidv6-class-descriptions.csv": "LabelName,DisplayName\n/m/04_sv,Motorcycle\n/m/0k4j,Car\n",
        "annotations/train-annotations-bbox.csv": BOXES
        + "a,xclick,/m/04_sv,1,0.1,0.3,0.1,0.5,1,0,0,0,0\n"
        + "a,xclick,/m/04_sv,1,0.1,0.3,0.1,0.5,0,0,0,0,0\n"
        + "a,xclick,/m/0k4j,1,0.1,0.3,0.1,0.5,-1,-1,1,-1,-1\n",
        "annotations/train-annotations-object-segmentation.csv": SEGMENTS
        + "a_m04_sv_00ab.png,a,/m/04_sv,00ab,0.1,0.3,0.1,0.5,0.75,0.2 0.3 1\n"
        + "a_m04_sv_00cd.png,a,/m/04_sv,00cd,0.1,0.3,0.1,0.5,0.80,\n",
        "masks/train/a_m04_sv_00ab.png": png.encode(one, "gray"),
        "masks/train/a_m04_sv_00cd.png": png.encode(two, "gray"),
    })  # fmt: skip


def test_masks_belong_to_boxes(tmp_path: Path) -> None:
    """A row of the masks' table finds the box that it was drawn from, be there two of one place; no box is lost."""
    data = open_images(tmp_path / "in")
    (item,) = read(data, "open_images")
    found = {thing.id: (thing.category.name, thing.region and thing.region.area) for thing in item.objects}  # type: ignore[union-attr]
    assert found == {"00ab": ("Motorcycle", 8), "00cd": ("Motorcycle", 8), None: ("Car", None)}
    assert [thing.attributes.get("occluded") for thing in item.objects] == [True, False, None]
    assert [thing.single for thing in item.objects] == [True, True, False]
    fs.convert(data, to="open_images", out=tmp_path / "out")
    for file in data.rglob("*.csv"):
        assert (tmp_path / "out" / file.relative_to(data)).read_text() == file.read_text()
    assert not list(fs.validate(tmp_path / "out", "open_images", deep=True).findings)


def test_masks_smaller_than_their_image(tmp_path: Path) -> None:
    """Open Images has masks of another size than their image: read they are scaled to it, written back they are as
    they were; elsewhere that is wrong."""
    data = open_images(tmp_path / "in")
    half = png.encode(mask((slice(1, 3), slice(2, 6)))[::2, ::2], "gray")
    odd = png.encode(np.full((3, 7), 255, np.uint8), "gray")
    put(data, {"masks/train/a_m04_sv_00ab.png": half, "masks/train/a_m04_sv_00cd.png": odd})
    (item,) = read(data, "open_images")
    found = {t.id: t.region for t in item.objects if t.region is not None}
    assert (found["00ab"].height, found["00ab"].width, found["00ab"].bbox) == (10, 20, (2, 2, 4, 2))
    assert found["00cd"].area == 200
    assert not fs.validate(data, "open_images", deep=True).findings
    fs.convert(data, to="open_images", out=tmp_path / "out", where="image.width == 20")
    assert (tmp_path / "out/masks/train/a_m04_sv_00ab.png").read_bytes() == half
    fs.convert(data, to="coco", out=tmp_path / "coco")
    rows = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())["annotations"]
    assert [row["segmentation"]["size"] for row in rows if "segmentation" in row] == [[10, 20], [10, 20]]
    fs.convert(data, to="voc", out=tmp_path / "voc")
    (label_image,) = tmp_path.glob("voc/SegmentationObject/*.png")
    label_image.write_bytes(png.encode(np.zeros((5, 10), np.uint8), "palette", palettes.bits()))
    assert [f.code for f in fs.validate(tmp_path / "voc", "voc", deep=True).findings if f.level == "error"]


def test_masks_of_others_as_open_images(tmp_path: Path) -> None:
    """Outlines become masks, each with a row that names its file and its box; what nobody knows is -1."""
    ring = [2, 1, 6, 1, 6, 3, 2, 3]
    things = [{"bbox": [2, 1, 4, 2], "segmentation": [ring]}, {"bbox": [0, 0, 20, 10]}]
    rows = [{"id": 50 + i, "category_id": 18, "area": 8, **thing} for i, thing in enumerate(things)]
    document = coco_document([("a.jpg", 20, 10)], rows, [{"id": 18, "name": "a dog"}], first=4)
    data = put(tmp_path / "in", coco_files(document))
    fs.convert(data, to="open_images", out=tmp_path / "out")
    with (tmp_path / "out/annotations/train-annotations-object-segmentation.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["MaskPath"] == "a_18_50.png" and float(row["BoxXMax"]) == 0.3
    painted = png.decode((tmp_path / "out/masks/train/a_18_50.png").read_bytes()).pixels
    assert (painted == mask((slice(1, 3), slice(2, 6)))).all()
    with (tmp_path / "out/annotations/train-annotations-bbox.csv").open(encoding="utf-8") as file:
        boxes = list(csv.DictReader(file))
    assert [box["IsOccluded"] + box["IsInside"] + box["Confidence"] for box in boxes] == ["-1-11", "-1-11"]
    fs.convert(tmp_path / "out", to="coco", out=tmp_path / "back")
    back = json.loads((tmp_path / "back/annotations/instances_train.json").read_text())["annotations"]
    assert [type(thing.get("segmentation")) for thing in back] == [dict, type(None)]


# CVAT

CVAT = """<annotations>
  <version>1.1</version>
  <meta><project><labels><label><name>cat</name><color>#ff0010</color></label></labels></project></meta>
  <image id="0" name="a.jpg" subset="train" width="20" height="10">
    <box label="cat" occluded="0" xtl="1" ytl="1" xbr="5" ybr="3" rotation="30.50" z_order="0"/>
    <ellipse label="cat" occluded="0" cx="4" cy="4" rx="2.00" ry="1.00" rotation="10.00" z_order="0"/>
    <ellipse label="cat" occluded="0" cx="4" cy="4" rx="2.00" ry="2.00" z_order="0"/>
    <skeleton label="cat" z_order="0">
      <points label="nose" occluded="0" outside="1" points="1.0,2.0"/>
      <points label="tail" occluded="1" outside="0" points="3.0,2.0"><attribute name="long">yes</attribute></points>
    </skeleton>
    <cuboid label="cat" xtl1="1" ytl1="1" xbl1="1" ybl1="3" xtr1="3" ytr1="1" xbr1="3" ybr1="3" xtl2="4" ytl2="1"
      xbl2="4" ybl2="3" xtr2="5" ytr2="1" xbr2="5" ybr2="3"/>
  </image>
</annotations>
"""


def cvat(folder: Path) -> Path:
    return put(folder, {"images/train/a.jpg": image_bytes(20, 10, "jpg"), "annotations.xml": CVAT})


def test_every_shape_is_read(tmp_path: Path) -> None:
    """Turned boxes, circles, ellipses and skeletons as what they are; cuboids as attributes; all come back."""
    data = cvat(tmp_path / "in")
    (item,) = read(data, "cvat_images")
    box, ellipse, circle, skeleton, cuboid = item.objects
    assert box.rotated == (3, 2, 4, 2, 30.5) and circle.circle == (4, 4, 2)
    assert ellipse.ellipse == (4, 4, 2, 1, 10)
    assert skeleton.keypoints == ((1, 2, 0), (3, 2, 1)) and len(cuboid.attributes["cuboid"]) == 16
    fs.convert(data, to="cvat_images", out=tmp_path / "out")
    again = (tmp_path / "out/annotations.xml").read_text()
    assert all(word in again for word in ('rotation="30.50"', 'label="nose"', 'name="long"', "<project>", "#ff0010"))


def test_shapes_of_others_as_cvat(tmp_path: Path) -> None:
    """Keypoints that are not all visible are a skeleton; a file of several roles numbers an object once."""
    told = fs.convert(cvat(tmp_path / "in"), to="coco", out=tmp_path / "coco").losses
    assert any(line.startswith("rotated boxes: 1") for line in told)
    (item,) = read(tmp_path / "coco", "coco")
    assert [t.keypoints for t in item.objects if t.keypoints] == [((1, 2, 0), (3, 2, 1))]
    assert len({t.id for t in item.objects}) == len(item.objects) == 4
    fs.convert(tmp_path / "coco", to="cvat_images", out=tmp_path / "back")
    (back,) = read(tmp_path / "back", "cvat_images")
    assert [t.keypoints for t in back.objects if t.keypoints] == [((1, 2, 0), (3, 2, 1))]


# COCO


def coco(folder: Path, task: str, *things: dict[str, Any], **category: Any) -> Path:
    """A COCO dataset of one image with these objects of one category."""
    rows = [{"area": 9, **thing} for thing in things]
    document = coco_document([("a.jpg", 20, 10)], rows, [{"name": "person", **category}], first=4)
    return put(folder, coco_files(document, task=task))


@pytest.mark.parametrize("task", ["instances", "stuff"])
def test_boxes_without_outlines(task: str, tmp_path: Path) -> None:
    """An empty list of outlines, as some write it for a box alone, is a box; it comes back as it was."""
    data = coco(tmp_path / "in", task, {"bbox": [1, 1, 3, 3], "segmentation": []})
    (thing,) = read(data, "coco")[0].objects
    assert thing.bbox == (1, 1, 3, 3) and thing.region is None and not thing.polygons
    fs.convert(data, to="coco", out=tmp_path / "out")
    file = f"annotations/{task}_train.json"
    assert json.loads((tmp_path / "out" / file).read_text()) == json.loads((data / file).read_text())
    fs.convert(data, to="voc", out=tmp_path / "voc")
    assert [t.bbox for t in read(tmp_path / "voc", "voc")[0].objects] == [(1, 1, 3, 3)]


def test_keypoints_that_are_labelled_are_counted(tmp_path: Path) -> None:
    """COCO counts those with a visibility above 0; names and skeleton of a category go on to others and come back."""
    thing = {"bbox": [1, 1, 3, 3], "keypoints": [1, 2, 0, 2, 2, 1, 3, 3, 2]}
    names = {"keypoints": ["nose", "eye", "ear"], "skeleton": [[1, 2], [2, 3]]}
    data = coco(tmp_path / "in", "person_keypoints", thing, **names)
    told = fs.convert(data, to="datumaro", out=tmp_path / "between").losses
    assert not any("skeleton" in line for line in told)
    told = fs.convert(tmp_path / "between", to="coco", out=tmp_path / "out").losses
    assert not any("skeleton" in line or "keypoints" in line for line in told)
    document = json.loads((tmp_path / "out/annotations/person_keypoints_train.json").read_text())
    assert [row["num_keypoints"] for row in document["annotations"]] == [2]
    assert {key: document["categories"][0][key] for key in names} == names


@pytest.mark.parametrize("stated", [{}, {"keypoints": [], "num_keypoints": 0}])
def test_an_object_without_keypoints_stands_among_others_with_them(stated: dict[str, Any], tmp_path: Path) -> None:
    """Tools that export keypoints list boxes without them in the same file; they are objects, and come back there."""
    pose = {"bbox": [1, 1, 3, 3], "keypoints": [1, 2, 2], "segmentation": []}
    names = {"keypoints": ["nose"], "skeleton": []}
    data = coco(
        tmp_path / "in", "person_keypoints", pose, {"bbox": [8, 4, 4, 2], "segmentation": [], **stated}, **names
    )
    assert not [finding for finding in fs.validate(data, "coco").findings if finding.level == "error"]
    found = [(thing.bbox, len(thing.keypoints)) for thing in read(data, "coco")[0].objects]
    assert found == [((1, 1, 3, 3), 1), ((8, 4, 4, 2), 0)]
    file = "annotations/person_keypoints_train.json"
    fs.convert(data, to="coco", out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / file).read_text()) == json.loads((data / file).read_text())
    fs.convert(data, to="voc", out=tmp_path / "voc")
    assert [thing.bbox for thing in read(tmp_path / "voc", "voc")[0].objects] == [(1, 1, 3, 3), (8, 4, 4, 2)]


@pytest.mark.parametrize("named", [True, False])
def test_poses_beside_objects_without_keypoints(named: bool, tmp_path: Path) -> None:
    """Ultralytics wants as many columns in every line as `kpt_shape` says, whether or not the points have names."""
    boxes = [{"bbox": [2, 2, 4, 4], "segmentation": []}, {"bbox": [10, 4, 4, 2], "segmentation": []}]
    names = {"keypoints": ["nose", "eye"], "skeleton": [[1, 2]]} if named else {}
    coco(tmp_path / "in", "instances", *boxes)
    coco(tmp_path / "in", "person_keypoints", {**boxes[0], "keypoints": [2, 2, 2, 4, 4, 1]}, **names)
    fs.convert(tmp_path / "in", to="yolo_ultralytics", out=tmp_path / "out", options={"task": "pose"})
    lines = (tmp_path / "out/labels/train/a.txt").read_text().splitlines()
    assert lines == [
        "0 0.2 0.4 0.2 0.4 0.1 0.2 2 0.2 0.4 1",
        "0 0.6 0.5 0.2 0.2" + " 0.0 0.0 0" * 2,
    ]
    assert "kpt_shape:\n- 2\n- 3\n" in (tmp_path / "out/data.yaml").read_text()
    (item,) = fs.open(tmp_path / "out", "yolo_ultralytics", options={"task": "pose"})
    assert [thing.bbox for thing in item.objects] == [(2, 2, 4, 4), (10, 4, 4, 2)]
    assert sum(point[2] > 0 for thing in item.objects for point in thing.keypoints) == 2


# VOC


def test_masks_without_records(tmp_path: Path) -> None:
    """Without an XML file the class of an object is that of the pixels on which it lies."""
    classes, objects = np.zeros((2, 10, 20), np.uint8)
    classes[1:4, 2:9], objects[1:4, 2:5], objects[1:4, 6:9] = 8, 1, 2
    classes[6:9, 2:5] = objects[6:9, 2:5] = 3
    classes[4, 2:9] = objects[4, 2:9] = 255
    data = put(tmp_path / "in", {
        "JPEGImages/a.jpg": image_bytes(20, 10, "jpg"), "ImageSets/Segmentation/train.txt": "a\n",
        "SegmentationClass/a.png": png.encode(classes, "palette", palettes.bits()),
        "SegmentationObject/a.png": png.encode(objects, "palette", palettes.bits()),
    })  # fmt: skip
    (item,) = read(data, "voc")
    assert [(t.category.name, t.region.area) for t in item.objects if t.category and t.region] == [
        ("cat", 9), ("cat", 9), ("bird", 9),
    ]  # fmt: skip
    fs.convert(data, to="voc", out=tmp_path / "out")
    for folder, pixels in {"SegmentationClass": classes, "SegmentationObject": objects}.items():
        assert (png.decode((tmp_path / "out" / folder / "a.png").read_bytes()).pixels == pixels).all()


# YOLO

LINES = {"upright": "0 0.1 0.2 0.5 0.2 0.5 0.6 0.1 0.6", "turned": "0 0.3 0.2 0.5 0.6 0.3 1.0 0.1 0.6"}


@pytest.mark.parametrize(("task", "rotated"), [
    (None, {"upright": False, "turned": True}), ("obb", {"upright": True, "turned": True}),
    ("segment", {"upright": False, "turned": False}),
])  # fmt: skip
def test_four_corners(task: str | None, rotated: dict[str, bool], tmp_path: Path) -> None:
    """An upright box of a dataset of outlines stays an outline; where the task is said, it decides."""
    for name, line in LINES.items():
        data = put(tmp_path / name, {
            "data.yaml": "path: .\ntrain: images/train\nval: images/val\nnames: [cat]\n",
            "images/train/a.jpg": image_bytes(20, 10, "jpg"), "labels/train/a.txt": f"{line}\n",
        })  # fmt: skip
        options = {} if task is None else {"task": task}
        (thing,) = read(data, "yolo_ultralytics", **options)[0].objects
        assert (thing.rotated is not None, bool(thing.polygons)) == (rotated[name], not rotated[name])
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / f"{name} again", options=options)
        again = (tmp_path / f"{name} again/labels/train/a.txt").read_text().split()
        assert np.allclose([float(word) for word in again], [float(word) for word in line.split()])


def test_outlines_keep_their_order(tmp_path: Path) -> None:
    """Upright and other outlines stand in the model's order, though two rules write them."""
    square, other = [1, 1, 5, 1, 5, 5, 1, 5], [8, 1, 12, 2, 9, 6]
    things = [{"bbox": [1, 1, 4, 4], "segmentation": [ring]} for ring in (other, square, other)]
    fs.convert(coco(tmp_path / "in", "instances", *things), to="yolo_ultralytics", out=tmp_path / "out")
    lines = (tmp_path / "out/labels/train/a.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [7, 9, 7]


def test_rows_of_several_tasks(tmp_path: Path) -> None:
    """Without a task each row says by itself what it is; with one, rows of others are wrong, never read as something
    else; rows of two tasks in one file are an error, of which all can be made boxes."""
    rows = ["0 0.5 0.5 0.2 0.3", "0 0.1 0.1 0.4 0.15 0.35 0.6"]
    data = put(tmp_path / "in", {
        "data.yaml": "train: images/train\nval: images/val\nnames: [cat]\n",
        "labels/train/a.txt": "\n".join(rows) + "\n",
        "images/val/b.jpg": image_bytes(9, 9, "jpg"), "images/train/a.jpg": image_bytes(100, 80, "jpg"),
    })  # fmt: skip
    (mixed,) = fs.validate(data, "yolo_ultralytics").findings
    assert (mixed.code, mixed.level, mixed.line) == ("ROWS_MIXED", "error", 2)
    for task, line in (("detect", 2), ("segment", 1)):
        (found,) = fs.validate(data, "yolo_ultralytics", options={"task": task}).findings
        assert (found.code, found.level, found.line) in {("LINE", "error", line), ("FIELD", "error", line)}
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="coco", out=tmp_path / "coco", spec="yolo_ultralytics")
    boxes = fs.convert(data, to="coco", out=tmp_path / "boxes", spec="yolo_ultralytics", on=["ROWS_MIXED=fix"])
    assert [(done.code, done.action, done.count) for done in boxes.actions] == [("ROWS_MIXED", "fix", 1)]
    item, _ = read(tmp_path / "boxes", "coco")
    assert [(thing.bbox is not None, thing.polygons) for thing in item.objects] == [(True, ()), (True, ())]


def test_a_task_with_images_in_a_folder_and_beside_it_is_no_project(tmp_path: Path) -> None:
    """The folder could be a subset, but then a row would name no item."""
    image = '<image id="{}" name="{}" width="{}" height="6"/>'
    rows = image.format(0, "a.jpg", 20) + image.format(1, "d/a.jpg", 6)
    labels = "<meta><task><labels><label><name>car</name></label></labels></task></meta>"
    xml = f"<annotations><version>1.1</version>{labels}{rows}</annotations>"
    data = put(tmp_path / "data", {
        "annotations.xml": xml, "images/a.jpg": image_bytes(20, 6, "jpg"), "images/d/a.jpg": image_bytes(6, 6, "jpg"),
    })  # fmt: skip
    assert [item.key for item in read(data, "cvat_images")] == ["a", "d/a"]
    assert fs.validate(data, "cvat_images").findings == ()


# anomalies


def test_pieces_of_a_mask_are_one_area(tmp_path: Path) -> None:
    """MVTec's masks show where a test image is defective; nothing says which pieces are one defect."""
    pixels = mask((slice(1, 3), slice(2, 6)), (slice(6, 9), slice(10, 15)))
    data = put(tmp_path / "in", {
        **{f"cup/{place}.png": image_bytes(20, 10, "png") for place in ("train/good/1", "test/good/1", "test/crack/1")},
        "cup/ground_truth/crack/1_mask.png": png.encode(pixels, "gray"),
    })  # fmt: skip
    (item,) = [item for item in read(data, "mvtec") if item.areas]
    ((name, area),) = [(area.category and area.category.name, area.region.area) for area in item.areas]
    assert (name, area, item.objects) == ("crack", 8 + 15, ())
    fs.convert(data, to="coco", out=tmp_path / "coco", spec="mvtec", subsets={"test": "val"})
    (row,) = json.loads((tmp_path / "coco/annotations/stuff_val.json").read_text())["annotations"]
    assert (row["area"], row["bbox"]) == (23, [2, 1, 13, 8])


# Unity Perception


@pytest.mark.parametrize("labelers", [1, 2])
def test_boxes_beside_what_other_labelers_tell(labelers: int, tmp_path: Path) -> None:
    """SOLO's definitions list what each labeler knows: with several of them the boxes name their labels themselves."""
    kind = "type.unity.com/unity.solo."
    definitions = [{
        "@type": f"{kind}BoundingBox2DAnnotationDefinition", "id": "bounding box", "description": "",
        "spec": [{"label_id": 7, "label_name": "crate"}],
    }, {"@type": f"{kind}DepthDefinition", "id": "depth"}]  # fmt: skip
    box = {"instanceId": 3, "labelId": 7, "labelName": "crate", "origin": [2, 1], "dimension": [4, 3]}
    annotations = [
        {"@type": f"{kind}BoundingBox2DAnnotation", "id": "bounding box", "sensorId": "camera", "values": [box]},
        {"@type": f"{kind}DepthAnnotation", "id": "depth"},
    ]
    capture = {
        "@type": f"{kind}RGBCamera", "id": "camera", "filename": "step0.camera.png", "imageFormat": "Png",
        "dimension": [20.0, 10.0], "annotations": annotations[:labelers],
    }  # fmt: skip
    data = put(tmp_path / "in", {
        "sequence.0/step0.camera.png": image_bytes(20, 10, "png"),
        "sequence.0/step0.frame_data.json": json.dumps({"frame": 0, "sequence": 0, "step": 0, "captures": [capture]}),
        "annotation_definitions.json": json.dumps({"annotationDefinitions": definitions[:labelers]}),
    })  # fmt: skip
    (item,) = read(data, "unity_perception")
    ((category, box_read),) = [(thing.category, thing.bbox) for thing in item.objects]
    assert category is not None and (category.id, category.name, box_read) == (7, "crate", (2, 1, 4, 3))
    assert not fs.validate(data, "unity_perception").findings


def test_a_box_that_does_not_fit_is_said(tmp_path: Path) -> None:
    """What its type says is a list of boxes is not carried along as something else because one of them is wrong."""
    kind = "type.unity.com/unity.solo."
    boxes = [{"instanceId": 3, "labelId": 7, "labelName": "crate", "origin": [2, 1], "dimension": [4, "wide"]}]
    annotation = {"@type": f"{kind}BoundingBox2DAnnotation", "id": "boxes", "sensorId": "camera", "values": boxes}
    capture = {
        "@type": f"{kind}RGBCamera", "id": "camera", "filename": "step0.camera.png", "imageFormat": "Png",
        "dimension": [20, 10], "annotations": [annotation],
    }  # fmt: skip
    data = put(tmp_path / "in", {
        "sequence.0/step0.camera.png": image_bytes(20, 10, "png"),
        "sequence.0/step0.frame_data.json": json.dumps({"frame": 0, "sequence": 0, "step": 0, "captures": [capture]}),
        "annotation_definitions.json": json.dumps({"annotationDefinitions": []}),
    })  # fmt: skip
    (finding,) = fs.validate(data, "unity_perception").findings
    assert (finding.level, finding.pointer) == ("error", "/captures/0/annotations/0/values/0/origin")
