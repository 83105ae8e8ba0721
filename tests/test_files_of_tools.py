"""Small files in the shape that tools and their users write, read as their tools read them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document
from files_on_disk import put
from PIL import Image

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree

SIZE = (100, 80)
"""Width and height of the images."""


def read(folder: Path, name: str) -> list[Any]:
    """The items, of data that is detected as `name` and has no finding above info."""
    assert detect_format(open_tree(folder)).names == (name,)
    assert [one for one in fs.validate(folder, name).findings if one.level != "info"] == []
    return list(fs.open(folder, name))


@pytest.mark.parametrize("path", ["annotations/instances_{}.json", "annotations/{}.json"])
@pytest.mark.parametrize("image", ["images/{0}/{0}.png", "images/{0}.png", "{0}/{0}.png"])
def test_coco_file_names_from_the_root(tmp_path: Path, path: str, image: str) -> None:
    names = {subset: image.format(subset) for subset in ("train", "val")}
    documents = {
        path.format(subset): coco_document([(name, *SIZE)], [{"bbox": [1, 2, 3, 4], "area": 12}])
        for subset, name in names.items()
    }
    items = read(put(tmp_path, {**dict.fromkeys(list(names.values())), **documents}, SIZE), "coco")
    assert {one.subsets: (one.image.path, len(one.objects)) for one in items} == {
        (subset,): (name, 1) for subset, name in names.items()
    }


def test_a_list_of_images_with_absolute_paths(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "images/train/a.png": None,
            "images/val/b.png": None,
            "data.yaml": "train: /home/x/set/train.txt\nval: val.txt\nnames: [p, q]\n",
            "train.txt": "/home/x/set/images/train/a.png\n",
            "val.txt": "./images/val/b.png\n",
            "labels/train/a.txt": "1 0.5 0.5 0.2 0.2\n",
            "labels/val/b.txt": "0 0.5 0.5 0.2 0.2\n",
        },
        SIZE,
    )
    items = read(tmp_path, "yolo_ultralytics")
    assert [(one.subsets, one.objects[0].category.name) for one in items] == [(("train",), "q"), (("val",), "p")]


def result(kind: str, value: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    size = {"original_width": 100, "original_height": 80, "image_rotation": 0}
    return {**size, "id": name, "from_name": "label", "to_name": "image", "type": kind, "value": value, **more}


def task(results: list[dict[str, Any]]) -> dict[str, Any]:
    annotation = {"id": 1, "completed_by": 1, "result": results, "was_cancelled": False}
    return {"id": 1, "data": {"image": "/data/upload/1/a.png"}, "file_upload": "a.png", "annotations": [annotation]}


BOX = result(
    "rectanglelabels",
    {"x": 10, "y": 10, "width": 20, "height": 25, "rotation": 0, "rectanglelabels": ["cat"]},
    "r1",
)
UNKNOWN = [
    result("videorectangle", {"sequence": [], "labels": ["x"]}, "v1"),
    result("pairwise", {"selected": "left"}, "p1"),
    result("paragraphlabels", {"start": "1", "end": "2", "paragraphlabels": ["x"]}, "g1"),
]


@pytest.mark.parametrize("other", UNKNOWN, ids=[one["type"] for one in UNKNOWN])
def test_a_result_of_another_kind_costs_nothing_else(tmp_path: Path, other: dict[str, Any]) -> None:
    folder = put(tmp_path / "in", {"images/a.png": None, "project-1.json": [task([BOX, other])]}, SIZE)
    (item,) = read(folder, "label_studio")
    assert [one.id for one in item.objects] == ["r1"]
    report = fs.convert(folder, spec="label_studio", to="label_studio", out=tmp_path / "out").loss_report
    assert list(report) == []
    (written,) = json.loads((tmp_path / "out/project-1.json").read_text())
    assert [one["type"] for one in written["annotations"][0]["result"]] == ["rectanglelabels", other["type"]]


def test_rows_of_an_alternative_that_does_not_fit_leave_nothing(tmp_path: Path) -> None:
    """Two ratings of one name contradict each other; the annotation before it is read once, and the fault is told."""
    ratings = [result("rating", {"rating": stars}, f"g{stars}") for stars in (4, 5)]
    folder = put(tmp_path, {"images/a.png": None, "project-1.json": [task([BOX, *ratings])]}, SIZE)
    assert {one.level for one in fs.validate(folder, "label_studio").findings} == {"error"}
    assert [[one.id for one in item.objects] for item in fs.open(folder, "label_studio")] == [["r1"]]


def test_a_trimmed_row(tmp_path: Path) -> None:
    box = {
        "name": "cat",
        "annotation_kind": "ImageBoundingBox",
        "bounding_box": {"top": 1, "left": 2, "width": 3, "height": 4},
    }
    row = {
        "data_row": {"id": "x", "global_key": "a.png", "external_id": "a.png"},
        "media_attributes": {"width": 100, "height": 80},
        "projects": {"p": {"labels": [{"annotations": {"objects": [box]}}]}},
    }
    for image in ("images/a.png", "a.png"):
        folder = put(
            tmp_path / image.replace("/", "_"),
            {**dict.fromkeys([image]), "export.ndjson": json.dumps(row) + "\n"},
            SIZE,
        )
        (item,) = read(folder, "labelbox")
        assert (item.image.path, item.objects[0].bbox) == (image, (2, 1, 3, 4))


def test_shapes_of_four_corners(tmp_path: Path) -> None:
    corners = [[10, 10], [30, 10], [30, 20], [10, 20]]
    common = {"label": "cat", "points": corners, "group_id": None, "description": "", "difficult": False, "flags": {}}
    shapes = [{**common, "shape_type": "rotation", "direction": 0.0}, {**common, "shape_type": "rectangle"}]
    record = {"version": "2.5.3", "flags": {}, "shapes": shapes, "imagePath": "a.png", "imageData": None}
    folder = put(tmp_path, {"a.png": None, "a.json": {**record, "imageHeight": 80, "imageWidth": 100}}, SIZE)
    (item,) = read(folder, "labelme")
    assert item.objects[1].bbox == (10, 10, 20, 10)
    assert item.objects[0].rotated == (20, 15, 20, 10, 0)


def test_datasets_within_datasets(tmp_path: Path) -> None:
    square = {"exterior": [[10, 10], [29, 29]], "interior": []}
    record = {"description": "", "tags": [], "size": {"height": 80, "width": 100}}
    objects = [{"classTitle": "cat", "geometryType": "rectangle", "points": square, "tags": [], "description": ""}]
    documents = {
        "meta.json": {"classes": [{"title": "cat", "shape": "rectangle", "color": "#FF0000"}], "tags": []},
        "ds0/ann/a.png.json": {**record, "objects": []},
        "ds0/datasets/sub/ann/b.png.json": {**record, "objects": objects},
    }
    items = read(
        put(tmp_path, {"ds0/img/a.png": None, "ds0/datasets/sub/img/b.png": None, **documents}, SIZE), "supervisely"
    )
    assert [(one.key, len(one.objects)) for one in items] == [("ds0/a", 0), ("ds0/datasets/sub/b", 1)]


def _datumaro(*annotations: dict[str, Any]) -> dict[str, Any]:
    own = {"attributes": {}, "group": 0, "label_id": 0, "z_order": 0}
    return {
        "info": {},
        "categories": {"label": {"labels": [{"name": "cat", "parent": "", "attributes": []}]}},
        "items": [{"id": "a", "annotations": [{"id": n, **own, **one} for n, one in enumerate(annotations)], "attr": {},
                   "image": {"path": "a.jpg", "size": [80, 100]}}],
    }  # fmt: skip


def test_ellipses_and_turned_boxes_of_datumaro(tmp_path: Path) -> None:
    document = _datumaro(
        {"type": "ellipse", "points": [10, 10, 30, 20]},
        {"type": "rotated_bbox", "cx": 40, "cy": 30, "w": 10, "h": 4, "r": 90},
        {"type": "skeleton", "elements": []},
    )
    (item,) = read(
        put(tmp_path, {"images/default/a.jpg": None, "annotations/default.json": document}, SIZE), "datumaro"
    )
    ellipse, turned, kept = item.objects
    assert ellipse.ellipse == (20, 15, 10, 5, 0)
    assert turned.rotated == (40, 30, 10, 4, 90)
    assert kept.bbox is None


def test_a_file_per_image_of_bdd100k(tmp_path: Path) -> None:
    car = {
        "category": "car",
        "id": 0,
        "attributes": {"occluded": True},
        "box2d": {"x1": 1, "y1": 2, "x2": 10, "y2": 20},
    }
    lane = {"category": "lane/single white", "id": 1, "attributes": {}, "poly2d": [[1, 2, "L"], [3, 4, "L"]]}
    record = {"name": "a", "attributes": {"scene": "highway"}, "frames": [{"timestamp": 10000, "objects": [car, lane]}]}
    data = put(tmp_path / "in", {"images/100k/train/a.jpg": None, "labels/100k/train/a.json": record}, SIZE)
    (item,) = read(data, "bdd100k")
    assert [(one.category.name, one.bbox) for one in item.objects] == [
        ("car", (1, 2, 10, 19)), ("lane/single white", None),
    ]  # fmt: skip
    told = fs.convert(data, spec="bdd100k", to="coco", out=tmp_path / "coco").loss_report
    assert ("kept fields: poly2d", 1) in [(line["what"], line["count"]) for line in told]


def test_sequences_without_ground_truth_beside_others(tmp_path: Path) -> None:
    boxes = {"train/X/gt/gt.txt": "1,1,10,10,20,30,1,1,0.5\n", "test/Y/det/det.txt": "1,-1,10,10,20,30,55.2,-1,-1,-1\n"}
    data = put(tmp_path / "in", {"train/X/img1/000001.jpg": None, "test/Y/img1/000001.jpg": None, **boxes}, SIZE)
    assert [(one.code, one.level) for one in fs.validate(data, "mot_seq").findings] == [("FILE_MISSING", "warning")]
    fs.convert(data, spec="mot_seq", to="coco", out=tmp_path / "coco")
    assert [len(one.objects) for one in fs.open(data, "mot_seq")] == [0, 1]


def test_point_labels_of_open_images_stand_in_a_copy(tmp_path: Path) -> None:
    images = "ImageID,Source,LabelName,Confidence\nb,verification,/m/0cmf2,1\n"
    points = "ImageId,X,Y,Label,EstimatedYesNo\nb,0.5,0.25,/m/0cmf2,yes\n"
    tables = {
        "oidv7-val-annotations-human-imagelabels.csv": images,
        "oidv7-val-annotations-point-labels.csv": points,
        "oidv7-class-descriptions.csv": "LabelName,DisplayName\n/m/0cmf2,Airplane\n",
    }
    data = put(tmp_path / "in", {"validation/b.jpg": None, **tables}, SIZE)
    read(data, "open_images")
    fs.convert(data, spec="open_images", to="open_images", out=tmp_path / "out")
    assert (tmp_path / "out/oidv7-val-annotations-point-labels.csv").read_text() == points


def test_images_of_sagemaker_in_the_folders_of_their_addresses(tmp_path: Path) -> None:
    about = {"class-name": "cat", "confidence": 0.8, "type": "groundtruth/image-classification", "job-name": "j",
             "human-annotated": "yes", "creation-date": "2018-10-18T22:18:13.527256"}  # fmt: skip
    row = {"source-ref": "s3://bucket/path/a.jpg", "kind": 0, "kind-metadata": about}
    (item,) = read(put(tmp_path, {"path/a.jpg": None, "output.manifest": json.dumps(row) + "\n"}, SIZE), "sagemaker")
    assert [one.category.name for one in item.labels] == ["cat"]


def test_the_list_of_images_that_are_of_no_subset_in_voc(tmp_path: Path) -> None:
    size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
    record = f"<annotation><folder>x</folder><filename>a.jpg</filename>{size}</annotation>"
    data = put(
        tmp_path, {"JPEGImages/a.jpg": None, "Annotations/a.xml": record, "ImageSets/Main/default.txt": "a\n"}, SIZE
    )
    assert [one.subsets for one in read(data, "voc")] == [("default",)]


def test_pixels_of_superannotate_stand_in_a_copy_and_are_named_elsewhere(tmp_path: Path) -> None:
    part = {"classId": 1, "className": "car", "parts": [{"color": "#000447"}], "attributes": []}
    record = {"metadata": {"name": "a.jpg", "width": 100, "height": 80}, "instances": [part], "tags": []}
    classes = [{"id": 1, "name": "car", "color": "#ff0000", "attribute_groups": []}]
    documents = {"a.jpg___pixel.json": record, "classes/classes.json": classes}
    data = put(tmp_path / "in", {"a.jpg": None, "a.jpg___save.png": None, **documents}, SIZE)
    (item,) = read(data, "superannotate")
    assert [one.category.name for one in item.objects] == ["car"]
    fs.convert(data, spec="superannotate", to="superannotate", out=tmp_path / "out")
    assert (tmp_path / "out/a.jpg___save.png").read_bytes() == (data / "a.jpg___save.png").read_bytes()
    told = fs.convert(data, spec="superannotate", to="coco", out=tmp_path / "coco").loss_report
    assert ("kept files: painted", 1) in [(line["what"], line["count"]) for line in told]


def test_datumaros_crowds_are_crowds(tmp_path: Path) -> None:
    box = {"id": 1, "type": "bbox", "label_id": 0, "group": 0, "z_order": 0, "bbox": [1, 2, 10, 5]}
    crowds = {1: False, 2: True, 3: 1, 4: 0}
    rows = [
        {**box, "attributes": {"is_crowd": crowd, "kind": "x"}, "bbox": [x, 2, 10, 5]} for x, crowd in crowds.items()
    ]
    item = {"id": "a", "annotations": rows, "attr": {}, "image": {"path": "a.png", "size": [80, 100]}}
    labels = [{"name": "cat", "parent": "", "attributes": []}]
    document = {"infos": {}, "categories": {"label": {"labels": labels}}, "items": [item]}
    (read_item,) = read(
        put(tmp_path / "in", {"images/train/a.png": None, "annotations/train.json": document}, SIZE), "datumaro"
    )
    assert [one.single for one in read_item.objects] == [True, False, False, True]
    assert [one.attributes for one in read_item.objects] == [{"kind": "x"}] * 4
    fs.convert(tmp_path / "in", to="coco", out=tmp_path / "coco")
    fs.convert(tmp_path / "coco", to="datumaro", out=tmp_path / "again")
    again = json.loads((tmp_path / "again/annotations/train.json").read_text())
    assert [one["attributes"]["is_crowd"] for one in again["items"][0]["annotations"]] == [False, True, True, False]


MINIMAL: list[dict[str, Any]] = [
    {"type": "bbox", "className": "cat", "points": {"x1": 10, "y1": 10, "x2": 30, "y2": 40}},
    {"type": "polygon", "className": "cat", "points": [1, 1, 10, 1, 10, 10]},
    {"type": "tag", "className": "dog"},
]
"""Instances of SuperAnnotate with the keys that its tool requires, and no others."""


@pytest.mark.parametrize("size", [{}, {"width": 100, "height": 80}])
def test_superannotate_instances_with_the_required_keys_alone(tmp_path: Path, size: dict[str, int]) -> None:
    document = {"metadata": {"name": "a.jpg", **size}, "instances": MINIMAL}
    classes = [{"id": 1, "name": "cat", "color": "#ff0000"}, {"id": 2, "name": "dog", "color": "#00ff00"}]
    files = {"a.jpg": None, "a.jpg.json": document, "classes/classes.json": classes}
    (item,) = read(put(tmp_path / "in", files, SIZE), "superannotate")
    assert [one.category.name for one in item.objects] == ["cat", "cat"]
    assert [one.category.name for one in item.labels] == ["dog"]
    fs.convert(tmp_path / "in", spec="superannotate", to="superannotate", out=tmp_path / "out")
    assert json.loads((tmp_path / "out/a.jpg.json").read_bytes()) == document


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("mot_seq", "1,2,10,20,30,40,1,1,0.5"),
        ("mots_txt", "1 2001 2 80 100 Xl`15oT1"),
    ],
)
def test_a_sequence_that_states_its_name_and_length_alone(tmp_path: Path, name: str, row: str) -> None:
    files = {"s/img1/000001.jpg": None, "s/gt/gt.txt": f"{row}\n", "s/seqinfo.ini": "[Sequence]\nname=s\nseqLength=1\n"}
    put(tmp_path, files, SIZE)
    assert [one for one in fs.validate(tmp_path, name).findings if one.code == "FIELD_MISSING"] == []


@pytest.mark.parametrize("images", [True, False])
def test_panoptic_segments_in_a_folder_named_after_their_json(tmp_path: Path, images: bool) -> None:
    colours = io.BytesIO()
    Image.new("RGB", SIZE, (9, 0, 0)).save(colours, "PNG")
    segments = [{"id": 9, "category_id": 7, "area": 8000, "bbox": [0, 0, 100, 80], "iscrowd": 0}]
    document = {
        "images": [{"id": 5, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 7, "name": "sky", "supercategory": "sky", "isthing": 0, "color": [1, 2, 3]}],
    }
    picture = {"images/a.jpg": None} if images else {}
    put(tmp_path, {"panoptic_val.json": document, "panoptic_val/a.png": colours.getvalue(), **picture}, SIZE)
    (item,) = read(tmp_path, "coco_panoptic")
    assert [one.category.name for one in item.objects] == ["sky"]


@pytest.mark.parametrize("folder", ["", "annotations/", "releases/latest/annotations/"])
def test_darwin_files_alone(tmp_path: Path, folder: str) -> None:
    slot = {"type": "image", "slot_name": "0", "width": 100, "height": 80}
    box = {"id": "x", "name": "cat", "bounding_box": {"x": 1, "y": 2, "w": 3, "h": 4}, "slot_names": ["0"]}
    item = {"name": "a.jpg", "path": "/", "slots": [slot]}
    put(tmp_path, {f"{folder}a.json": {"version": "2.0", "item": item, "annotations": [box]}}, SIZE)
    (read_back,) = read(tmp_path, "v7_darwin")
    assert [(one.category.name, one.bbox) for one in read_back.objects] == [("cat", (1, 2, 3, 4))]
