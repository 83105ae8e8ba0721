"""One bad object among a thousand images costs that object, in every family of documents, and the report names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from coco_like import GOOD, coco_document, put
from coco_like import image_bytes as jpeg

import formatspec as fs

Files = dict[str, str | bytes]
COUNT, BAD = 1000, 500
NAMES = [f"i{number:04}" for number in range(COUNT)]
IMAGE = jpeg(100, 80)
CSV = "filename,width,height,class,xmin,ymin,xmax,ymax"


def json_document() -> Files:
    rows = [{"image_id": place, **GOOD} for place in range(1, COUNT + 1)]
    rows.append({"id": 5000, "image_id": BAD + 1, **GOOD, "bbox": ["left", 2, 3, 4]})
    document = coco_document([(f"{name}.jpg", 100, 80) for name in NAMES], rows)
    images: Files = {f"images/train/{name}.jpg": IMAGE for name in NAMES}
    return {"annotations/instances_train.json": json.dumps(document), **images}


def json_of_each_image() -> Files:
    def shape(label: str) -> dict[str, object]:
        return {"label": label, "points": [[1, 1], [9, 9]], "group_id": None, "shape_type": "rectangle", "flags": {}}

    def document(name: str) -> str:
        shapes = [shape("cat"), *([shape("")] if name == NAMES[BAD] else [])]
        size = {"imageHeight": 80, "imageWidth": 100}
        return json.dumps({"version": "5.0.1", "flags": {}, "shapes": shapes, "imagePath": f"{name}.jpg",
                           "imageData": None, **size})  # fmt: skip

    return {f"{name}.jpg": IMAGE for name in NAMES} | {f"{name}.json": document(name) for name in NAMES}


def nested_json() -> Files:
    def box(x: object) -> dict[str, object]:
        return {"label": "cat", "coordinates": {"x": x, "y": 20, "width": 9, "height": 9}}

    rows = [{"image": f"{name}.jpg", "annotations": [box(20), *([box("left")] if name == NAMES[BAD] else [])]}
            for name in NAMES]  # fmt: skip
    return {"train/_annotations.createml.json": json.dumps(rows), **{f"train/{name}.jpg": IMAGE for name in NAMES}}


def xml() -> Files:
    def thing(x: object) -> str:
        box = f"<xmin>{x}</xmin><ymin>5</ymin><xmax>40</xmax><ymax>30</ymax>"
        return f"<object><name>cat</name><bndbox>{box}</bndbox></object>"

    def document(name: str) -> str:
        size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
        things = thing(5) + (thing("left") if name == NAMES[BAD] else "")
        head = f"<folder>VOC</folder><filename>{name}.jpg</filename>{size}<segmented>0</segmented>"
        return f"<annotation>{head}{things}</annotation>"

    files: Files = {f"JPEGImages/{name}.jpg": IMAGE for name in NAMES}
    files |= {f"Annotations/{name}.xml": document(name) for name in NAMES}
    return {**files, "ImageSets/Main/train.txt": "\n".join(NAMES) + "\n"}


def csv() -> Files:
    rows = [f"{name}.jpg,100,80,cat,5,5,40,30" for name in NAMES]
    rows.insert(BAD, f"{NAMES[BAD]}.jpg,100,80,cat,left,5,40,30")
    return {"train/_annotations.csv": "\n".join([CSV, *rows]) + "\n",
            **{f"train/{name}.jpg": IMAGE for name in NAMES}}  # fmt: skip


def lines() -> Files:
    files: Files = {"data.yaml": "train: images/train\nval: images/train\nnames: [cat]\n"}
    for name in NAMES:
        more = "0 0.5 0.5 0.2\n" if name == NAMES[BAD] else ""
        files |= {f"images/train/{name}.jpg": IMAGE, f"labels/train/{name}.txt": f"0 0.5 0.5 0.2 0.2\n{more}"}
    return files


def lines_of_all_frames() -> Files:
    rows = [f"{frame},1,5,5,30,30,1,1,1" for frame in range(1, COUNT + 1)]
    rows.insert(BAD, f"{BAD + 1}, 2, 5, 5, 30, 30, 1, 1, 1")
    return {"S/gt/gt.txt": "\n".join(rows) + "\n", **{f"S/img1/{frame:06}.jpg": IMAGE for frame in range(1, COUNT + 1)}}


FAMILIES: Mapping[str, tuple[str, Callable[[], Files], str]] = {
    "json": ("coco", json_document, "annotations/instances_train.json"),
    "json of each image": ("labelme", json_of_each_image, f"{NAMES[BAD]}.json"),
    "nested json": ("createml", nested_json, "train/_annotations.createml.json"),
    "xml": ("voc", xml, f"Annotations/{NAMES[BAD]}.xml"),
    "csv": ("tfod_csv", csv, "train/_annotations.csv"),
    "lines": ("yolo_ultralytics", lines, f"labels/train/{NAMES[BAD]}.txt"),
    "lines of all frames": ("mot_seq", lines_of_all_frames, "S/gt/gt.txt"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_one_bad_object_costs_that_object(family: str, tmp_path: Path) -> None:
    spec, make, file = FAMILIES[family]
    data = put(tmp_path / "data", make())
    to = "coco" if spec != "coco" else "createml"
    result = fs.convert(data, to=to, out=tmp_path / "out", spec=spec, on=["error=drop"], workers=1)
    assert (result.items, result.skipped) == (COUNT, 0)
    (told,) = (one for one in result.findings if one.level == "error")
    assert (told.scope, told.action, told.file) == ("object", "drop", file)
    assert told.line is not None
    assert [(one.action, one.count) for one in result.actions if one.action == "drop"] == [("drop", 1)]
    held = sum(len(item.objects) for item in fs.open(tmp_path / "out", to))
    assert held in (COUNT, 2 * COUNT)  # one folder named for two subsets has each of its images in both
