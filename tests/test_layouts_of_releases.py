"""Releases as their archives unpack and as the documents of their loaders lay them out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree

SIZE = (64, 48)
EXAMPLES = Path(__file__).parent.parent / "specs/examples"


def read(folder: Path, name: str) -> list[Any]:
    """The items, of data that is detected as `name` and has no finding at all."""
    assert detect_format(open_tree(folder)).names == (name,)
    assert [(one.code, one.file, one.message) for one in fs.validate(folder, name).findings] == []
    return list(fs.open(folder, name))


def labelbox(name: str, address: str, *annotators: str, **more: str) -> str:
    """A row of Labelbox with a box by each of some annotators."""
    labels = [
        {
            "label_kind": "Default",
            "label_details": {"created_by": by, "reviews": []},
            "annotations": {
                "objects": [
                    {
                        "feature_id": f"{name}-{by}",
                        "name": "Car",
                        "annotation_kind": "ImageBoundingBox",
                        "classifications": [],
                        "bounding_box": {"top": 1, "left": 2, "height": 10, "width": 20},
                    }
                ],
                "classifications": [],
            },
        }
        for by in annotators
    ]
    size = {"width": SIZE[0], "height": SIZE[1]}
    row = {"data_row": {"id": name, "row_data": address, **more}, "media_attributes": size}
    return json.dumps({**row, "projects": {"p": {"name": "P", "labels": labels}}}) + "\n"


SIGNED = "https://storage.labelbox.com/org%2Fd45f7d87-a.jpg?Expires=17&Signature=x"


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("images/a.jpg", {"external_id": "a.jpg"}),
        ("images/a.jpg", {"global_key": "photos/a.jpg"}),
        ("images/a.jpg", {"external_id": "no name", "global_key": "a.jpg"}),
        ("images/org%2Fd45f7d87-a.jpg", {"external_id": "b.jpg"}),
        ("org%2Fd45f7d87-a.jpg", {"external_id": "b.jpg"}),
    ],
)
def test_labelbox_names_an_image_by_its_own_name_or_by_its_address(
    tmp_path: Path, file: str, more: dict[str, str]
) -> None:
    put(tmp_path, {file: None, "export.ndjson": labelbox("1", SIGNED, "ann@x", **more)}, SIZE)
    assert [(one.image.path, len(one.objects)) for one in read(tmp_path, "labelbox")] == [(file, 1)]


def test_two_annotators_of_labelbox_are_asked_for(tmp_path: Path) -> None:
    rows = labelbox("a", "a.jpg", "ann@x", "bob@x") + labelbox("b", "b.jpg", "cid@x") + labelbox("c", "c.jpg")
    data = put(tmp_path, {"export.ndjson": rows, **{f"images/{name}.jpg": None for name in "abc"}}, SIZE)
    with pytest.raises(fs.SpecError, match="-O annotator=NAME, where NAME is one of ann@x, bob@x"):
        fs.open(data, "labelbox")
    items = fs.open(data, "labelbox", options={"annotator": "bob@x"})
    assert [[thing.id for thing in one.objects] for one in items] == [["a-bob@x"], [], []]


def test_crowdhuman_with_a_folder_of_images_per_subset(tmp_path: Path) -> None:
    boxes = [{"tag": "person", "fbox": [1, 2, 10, 20], "extra": {"box_id": 0}}]
    files: dict[str, Any] = {}
    for subset in ("train", "val"):
        files[f"{subset}/Images/1,{subset}.jpg"] = None
        files[f"annotation_{subset}.odgt"] = json.dumps({"ID": f"1,{subset}", "gtboxes": boxes}) + "\n"
    items = read(put(tmp_path, files, SIZE), "crowdhuman")
    assert sorted((one.subsets, len(one.objects)) for one in items) == [(("train",), 1), (("val",), 1)]


def test_tt100k_with_the_lists_of_its_folders(tmp_path: Path) -> None:
    sign = {"category": "p5", "bbox": {"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 12}}
    images = {
        str(i): {"path": f"{subset}/{i}.jpg", "id": i, "objects": [sign]} for i, subset in ((1, "train"), (2, "test"))
    }
    files = {
        "annotations.json": {"types": ["p5"], "imgs": images},
        **{
            f"{subset}/{name}": text
            for subset, i in (("train", 1), ("test", 2))
            for name, text in ((f"{i}.jpg", None), ("ids.txt", f"{i}\n"))
        },
    }
    items = read(put(tmp_path, {f"data/{path}": content for path, content in files.items()}, SIZE), "tt100k")
    assert sorted(one.subsets for one in items) == [("test",), ("train",)]


def test_objects365_in_the_folders_that_mmdetection_tells_of(tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "images/v1/patch8/objects365_v1_1.jpg", "width": 64, "height": 48, "license": 5}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 4, 8], "area": 32, "iscrowd": 0, "isfake": 0}
    document = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "Person"}], "licenses": []}
    files = {"annotations/zhiyuan_objv2_train.json": document, "train/patch8/objects365_v1_1.jpg": None}
    assert [len(one.objects) for one in read(put(tmp_path, files, SIZE), "objects365")] == [1]


def test_a_skeleton_of_cvat_says_of_its_points_alone_what_is_outside(tmp_path: Path) -> None:
    points = "".join(
        f'<points label="{name}" keyframe="1" outside="0" occluded="0" points="{x},10.0"/>'
        for name, x in (("1", 3), ("2", 9))
    )
    labels = "<labels><label><name>person</name><type>skeleton</type></label></labels>"
    track = f'<skeleton frame="0" keyframe="1" z_order="0">{points}</skeleton>'
    document = f"""<annotations><version>1.1</version><meta><task>{labels}
<original_size><width>64</width><height>48</height></original_size></task></meta>
<track id="0" label="person" source="manual">{track}</track></annotations>"""
    data = put(tmp_path / "in", {"annotations.xml": document, "images/frame_000000.png": None}, SIZE)
    (item,) = read(data, "cvat_video")
    assert [one.keypoints for one in item.objects] == [((3, 10, 2), (9, 10, 2))]


def test_textocr_with_the_images_of_its_test_set(tmp_path: Path) -> None:
    def image(subset: str, folder: str) -> dict[str, Any]:
        row = {"id": subset, "width": 64, "height": 48, "set": subset, "file_name": f"{folder}/{subset}.jpg"}
        return {"info": {}, "imgs": {subset: row}}

    word = {"id": "val_1", "image_id": "val", "bbox": [1, 2, 4, 8], "utf8_string": "x", "area": 32}
    word["points"] = [1, 2, 5, 2, 5, 10, 1, 10]
    files = {
        "TextOCR_0.1_val.json": {**image("val", "train"), "anns": {"val_1": word}, "imgToAnns": {"val": ["val_1"]}},
        "TextOCR_0.1_test.json": image("test", "test"),
        "train_images/val.jpg": None,
        "test_images/test.jpg": None,
    }
    items = read(put(tmp_path, files, SIZE), "textocr")
    assert sorted((one.subsets, len(one.objects)) for one in items) == [(("test",), 0), (("val",), 1)]


def test_voc_lists_that_number_the_persons(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{0}</xmax><ymax>9</ymax></bndbox>"
    things = [f"<object><name>person</name>{box.format(right)}</object>" for right in (8, 9)]
    record = f"<annotation><filename>a.jpg</filename>{''.join(things)}</annotation>"
    lists = {
        "ImageSets/Main/train.txt": "a\n",
        "ImageSets/Layout/train.txt": "a 1\n",
        "ImageSets/Action/train.txt": "a 1\na 2\n",
    }
    data = put(tmp_path / "in", {"JPEGImages/a.jpg": None, "Annotations/a.xml": record, **lists})
    assert not fs.validate(data, "voc").findings
    (item,) = fs.open(data, "voc")
    assert (item.key, item.subsets, len(item.objects)) == ("a", ("train",), 2)
    fs.convert(data, spec="voc", to="voc", out=tmp_path / "out", where="true")
    assert {name: (tmp_path / "out" / name).read_text() for name in lists} == lists
    result = fs.convert(data, spec="voc", to="coco", out=tmp_path / "coco")
    lost = {line["what"]: line["count"] for line in result.loss_report}
    assert (lost["kept rows: layout"], lost["kept rows: action"]) == (1, 2)


def test_one_subset_of_visdrone_s_videos_unpacked_by_itself(tmp_path: Path) -> None:
    """The archive of a subset may be unpacked without the folder that names the subset."""
    frames: dict[str, Any] = {f"sequences/uav0000001_02999_v/{frame:07d}.jpg": None for frame in (1, 2)}
    boxes = "1,0,4,5,10,12,1,4,0,0\n2,0,5,5,10,12,1,4,0,1\n"
    put(tmp_path, {**frames, "annotations/uav0000001_02999_v.txt": boxes}, SIZE)
    items = read(tmp_path, "visdrone_vid")
    assert [(one.sequence, one.frame) for one in items] == [("uav0000001_02999_v", 1), ("uav0000001_02999_v", 2)]
    assert [[thing.bbox for thing in one.objects] for one in items] == [[(4, 5, 10, 12)], [(5, 5, 10, 12)]]


ROOTS = ["images/", "../images/", "/data/set/images/", "https://x.org/set/images/", "else/where/"]


@pytest.mark.parametrize("folder", ROOTS)
@pytest.mark.parametrize(("name", "key"), [("openlabel", "uri"), ("openlabel_clip", "file_name")])
def test_openlabel_may_name_images_with_folders(name: str, key: str, folder: str, tmp_path: Path) -> None:
    """Tools write the address that an image had where it was labelled; a copy keeps it."""
    data = shutil.copytree(EXAMPLES / name, tmp_path / "data")
    before = [item.objects for item in fs.open(data, "openlabel")]
    for file in data.rglob("*.json"):
        file.write_text(re.sub(rf'"{key}": "(0|cam_)', rf'"{key}": "{folder}\1', file.read_text()))
    assert detect_format(open_tree(data)).names == ("openlabel",)
    assert {one.code for one in fs.validate(data, "openlabel").findings} == {"SEGMENT_EMPTY"}
    assert [item.objects for item in fs.open(data, "openlabel")] == before
    fs.convert(data, to="openlabel", out=tmp_path / "out")
    for file in data.rglob("*.json"):
        copied = (tmp_path / "out" / file.relative_to(data)).read_text()
        assert json.loads(copied) == json.loads(file.read_text())


def test_a_table_of_keras_retinanet_for_each_subset(tmp_path: Path) -> None:
    tables = {"train": "imgs/a.jpg,1,2,11,9,cow\n", "val": "imgs/b.jpg,,,,,\n"}
    for number, path in enumerate(("{}_annotations.csv", "annotations_{}.csv", "{}.csv")):
        rows = {path.format(subset): text for subset, text in tables.items()}
        images = {"imgs/a.jpg": None, "imgs/b.jpg": None}
        data = put(tmp_path / str(number), {**images, "class_mapping.csv": "cow,0\n", **rows})
        told = [(item.key, item.subsets, len(item.objects)) for item in read(data, "retinanet_csv")]
        assert told == [("imgs/a", ("train",), 1), ("imgs/b", ("val",), 0)]


TABLE = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,cat,1,2,30,40\na.jpg,64,48,dog,5,5,30,40\n"


@pytest.mark.parametrize(
    ("image", "table", "key"),
    [
        ("images/a.jpg", "annotations.csv", "a"),
        ("images/a.jpg", "labels.csv", "a"),
        ("a.jpg", "_annotations.csv", "a"),
        ("train/a.jpg", "train.csv", "train/a"),
    ],
)
def test_one_table_of_boxes_for_all_images(image: str, table: str, key: str, tmp_path: Path) -> None:
    """As notebooks and the scripts from XML to CSV leave it: beside a folder of images, or among the images."""
    (item,) = read(put(tmp_path, {image: None, table: TABLE}, SIZE), "tfod_csv")
    assert (item.key, [thing.category.name for thing in item.objects]) == (key, ["cat", "dog"])


@pytest.mark.parametrize(("images", "document"), [("data", "labels"), ("images", "annotations")])
def test_a_folder_per_subset_with_a_document_beside_its_images(images: str, document: str, tmp_path: Path) -> None:
    """FiftyOne exports each split so (data and labels.json); others call both otherwise."""
    files: dict[str, Any] = {}
    for number, subset in enumerate(("train", "val"), 1):
        rows = {
            "images": [{"id": 1, "file_name": f"{subset}.jpg", "width": SIZE[0], "height": SIZE[1]}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, number], "area": 3 * number, "iscrowd": 0}
            ],
            "categories": [{"id": 1, "name": "cat"}],
        }
        files |= {f"{subset}/{images}/{subset}.jpg": None, f"{subset}/{document}.json": json.dumps(rows)}
    items = read(put(tmp_path, files, SIZE), "coco")
    assert [(one.key, one.subsets, one.objects[0].bbox) for one in items] == [
        ("train/train", ("train",), (1, 2, 3, 1)),
        ("val/val", ("val",), (1, 2, 3, 2)),
    ]


def test_the_folder_of_one_subset_of_kitti(tmp_path: Path) -> None:
    line = "Car 0.00 0 -1.58 10 10 30 30 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"
    files = {"image_2/000007.png": None, "label_2/000007.txt": line, "calib/000007.txt": "P0: 1 0 0\n"}
    (item,) = read(put(tmp_path, files, SIZE), "kitti_detection")
    assert (item.key, item.objects[0].bbox) == ("000007", (10, 10, 20, 20))
