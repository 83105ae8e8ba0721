"""Two splits of a dataset that number images, annotations and categories each in their own way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from files_on_disk import put

import formatspec as fs
from formatspec.pixels.png import encode
from formatspec.testing.memory import image_bytes

Box = tuple[int, int, int, int]
Split = tuple[list[str], dict[str, list[tuple[str, Box]]]]
"""The categories in the order in which a split lists them, and by image the category and box of each object."""

SPLITS: dict[str, Split] = {
    "train": (["cat", "dog"], {"a": [("cat", (2, 3, 10, 8)), ("dog", (20, 3, 10, 8))], "b": [("dog", (4, 5, 6, 7))]}),
    "val": (
        ["bird", "dog", "cat"],
        {"c": [("cat", (2, 3, 10, 8))], "d": [("bird", (1, 1, 9, 9)), ("dog", (15, 2, 8, 8))]},
    ),
}
EXPECTED = {
    name: sorted((category, box) for category, box in objects)
    for _, images in SPLITS.values()
    for name, objects in images.items()
}
WIDTH, HEIGHT = 40, 20


def tables(split: Split, **of_image: Callable[[str, int], Any]) -> dict[str, list[dict[str, Any]]]:
    """The lists of a split's JSON, all numbered from 1."""
    names, images = split
    made: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
    made["categories"] = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    for number, (image, objects) in enumerate(images.items(), 1):
        row = {"id": number, "width": WIDTH, "height": HEIGHT}
        made["images"].append({**row, **{key: value(image, number) for key, value in of_image.items()}})
        for category, box in objects:
            made["annotations"].append(
                {"id": len(made["annotations"]) + 1, "image_id": number, "category_id": names.index(category) + 1,
                 "bbox": list(box), "area": box[2] * box[3], "iscrowd": 0, "segmentation": [rectangle(box)]}
            )  # fmt: skip
    return made


def rectangle(box: Box) -> list[int]:
    x, y, w, h = box
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def coco(root: Path) -> None:
    for name, split in SPLITS.items():
        put(root, {f"annotations/instances_{name}.json": tables(split, file_name=lambda image, _: f"{image}.jpg")})
        for image in split[1]:
            put(root, {f"images/{name}/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


def coco_in_one_folder(root: Path) -> None:
    for name, split in SPLITS.items():
        put(root, {f"annotations/instances_{name}.json": tables(split, file_name=lambda image, _: f"{image}.jpg")})
        for image in split[1]:
            put(root, {f"images/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


def coco_beside_folders(root: Path) -> None:
    for name, split in SPLITS.items():
        put(root, {f"{name}.json": tables(split, file_name=lambda image, _: f"{image}.jpg")})
        for image in split[1]:
            put(root, {f"{name}/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


def roboflow_coco(root: Path) -> None:
    for name, split in SPLITS.items():
        folder = "valid" if name == "val" else name
        put(root, {f"{folder}/_annotations.coco.json": tables(split, file_name=lambda image, _: f"{image}.jpg")})
        for image in split[1]:
            put(root, {f"{folder}/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


def lvis(root: Path) -> None:
    for name, split in SPLITS.items():
        made = tables(
            split, coco_url=lambda image, _: f"http://images.cocodataset.org/{name}2017/{image}.jpg",  # noqa: B023
            neg_category_ids=lambda *_: [], not_exhaustive_category_ids=lambda *_: [],
        )  # fmt: skip
        for row in made["annotations"]:
            del row["iscrowd"]
        put(root, {f"lvis_v1_{name}.json": made})
        for image in split[1]:
            put(root, {f"{name}2017/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


def coco_panoptic(root: Path) -> None:
    for name, (names, images) in SPLITS.items():
        made: dict[str, list[Any]] = {"images": [], "annotations": []}
        made["categories"] = [{"id": number, "name": one, "isthing": 1} for number, one in enumerate(names, 1)]
        for number, (image, objects) in enumerate(images.items(), 1):
            pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            segments = []
            for own, (category, (x, y, w, h)) in enumerate(objects, 1):
                pixels[y : y + h, x : x + w, 0] = own
                segments.append({"id": own, "category_id": names.index(category) + 1, "area": w * h,
                                 "bbox": [x, y, w, h], "iscrowd": 0})  # fmt: skip
            made["images"].append({"id": number, "file_name": f"{image}.jpg", "width": WIDTH, "height": HEIGHT})
            made["annotations"].append({"image_id": number, "file_name": f"{image}.png", "segments_info": segments})
            put(root, {f"annotations/panoptic_{name}/{image}.png": encode(pixels, "rgb")})
            put(root, {f"images/{name}/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
        put(root, {f"annotations/panoptic_{name}.json": made})


def datumaro(root: Path) -> None:
    for name, (names, images) in SPLITS.items():
        items = [
            {"id": image, "image": {"path": f"{image}.jpg", "size": [HEIGHT, WIDTH]},
             "annotations": [{"id": 0, "type": "bbox", "label_id": names.index(category), "bbox": list(box)}
                             for category, box in objects]}
            for image, objects in images.items()
        ]  # fmt: skip
        labels = [{"name": one, "parent": ""} for one in names]
        put(root, {f"annotations/{name}.json": {"categories": {"label": {"labels": labels}}, "items": items}})
        for image in images:
            put(root, {f"images/{name}/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})


MADE: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "coco": ("coco", coco),
    "coco, one folder": ("coco", coco_in_one_folder),
    "coco, a folder beside each file": ("coco", coco_beside_folders),
    "roboflow_coco": ("roboflow_coco", roboflow_coco),
    "lvis": ("lvis", lvis),
    "coco_panoptic": ("coco_panoptic", coco_panoptic),
    "datumaro": ("datumaro", datumaro),
}


@pytest.fixture(params=MADE)
def data(request: Any, tmp_path: Path) -> tuple[str, Path]:
    name, make = MADE[request.param]
    make(tmp_path / "data")
    return name, tmp_path / "data"


def told(dataset: Any) -> dict[str, list[tuple[str, Box]]]:
    found: dict[str, list[tuple[str, Box]]] = {}
    for item in dataset:
        found[item.key.rpartition("/")[2]] = sorted(
            (thing.category.name, box_of(thing)) for thing in item.objects if thing.category is not None
        )
    assert not [finding for finding in dataset.findings if finding.level == "error"]
    return found


def box_of(thing: Any) -> Box:
    from formatspec.model import derive

    x, y, w, h = (round(part) for part in derive.bbox(thing) or ())
    return x, y, w, h


def test_each_object_has_its_own_class_where_it_is_read(data: tuple[str, Path]) -> None:
    name, root = data
    dataset = fs.open(root, name)
    assert told(dataset) == EXPECTED
    assert sorted(category.name for category in dataset.categories) == ["bird", "cat", "dog"]
    numbers = [category.id for category in dataset.categories if category.id is not None]
    assert len(set(numbers)) == len(numbers)


def test_other_numbers_are_a_warning(data: tuple[str, Path]) -> None:
    name, root = data
    report = fs.validate(root, name, workers=1)
    assert [(finding.code, finding.level) for finding in report.findings if finding.level != "info"] == [
        ("CATEGORY_IDS", "warning")
    ]
    (finding,) = [finding for finding in report.findings if finding.code == "CATEGORY_IDS"]
    assert "differs between splits" in finding.message and "train" in finding.message
    assert finding.file is not None and "val" in finding.file


@pytest.mark.parametrize("target", ["coco", "yolo_ultralytics", "voc", "lvis", "datumaro", "roboflow_coco"])
def test_each_object_has_its_own_class_where_it_is_written(data: tuple[str, Path], target: str, tmp_path: Path) -> None:
    name, root = data
    fs.convert(root, to=target, out=tmp_path / "out", spec=name, workers=1)
    assert told(fs.open(tmp_path / "out", target)) == EXPECTED
    report = fs.validate(tmp_path / "out", target, workers=1)
    assert [finding for finding in report.findings if finding.level != "info"] == []


def test_the_bytes_say_so_too(data: tuple[str, Path], tmp_path: Path) -> None:
    """COCO, YOLO and VOC are looked at as other tools read them."""
    source, root = data
    for target, out in (("yolo_ultralytics", "yolo"), ("voc", "voc"), ("coco", "coco")):
        fs.convert(root, to=target, out=tmp_path / out, spec=source, workers=1)
    listed = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text())["names"]
    classes = {name: number for number, name in enumerate(listed)}
    assert sorted(classes) == ["bird", "cat", "dog"]
    for name, (_, images) in SPLITS.items():
        split = "valid" if (source, name) == ("roboflow_coco", "val") else name  # as Roboflow calls it
        kept = tmp_path / f"coco/{split}.json"  # a layout of its own stays as it was
        written = kept if kept.exists() else tmp_path / f"coco/annotations/instances_{split}.json"
        document = json.loads(written.read_bytes())
        names = {row["id"]: row["name"] for row in document["categories"]}
        assert sorted(names.values()) == ["bird", "cat", "dog"]
        files = {row["id"]: row["file_name"] for row in document["images"]}
        found = [(files[row["image_id"]], names[row["category_id"]]) for row in document["annotations"]]
        found = [(file.rpartition("/")[2], one) for file, one in found]
        assert sorted(found) == sorted((f"{name}.jpg", one) for name, things in images.items() for one, _ in things)
        for name, things in images.items():
            (label_file,) = (tmp_path / "yolo/labels").glob(f"*/**/{name}.txt")
            lines = label_file.read_text().splitlines()
            assert sorted(int(line.split()[0]) for line in lines) == sorted(classes[one] for one, _ in things)
            (record,) = (tmp_path / "voc/Annotations").rglob(f"*{name}.xml")
            tree = ElementTree.parse(record)  # just written
            assert sorted(node.text or "" for node in tree.iter("name")) == sorted(one for one, _ in things)


def test_an_image_in_two_splits_has_the_objects_of_both(tmp_path: Path) -> None:
    root = tmp_path / "data"
    put(root, {"images/a.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    for name, names, category, box in (
        ("train", ["cat", "dog"], "cat", (2, 3, 10, 8)),
        ("val", ["dog", "cat"], "dog", (20, 3, 10, 8)),
    ):
        split: Split = (names, {"a": [(category, box)]})
        put(root, {f"annotations/instances_{name}.json": tables(split, file_name=lambda image, _: f"{image}.jpg")})
    expected = {"a": [("cat", (2, 3, 10, 8)), ("dog", (20, 3, 10, 8))]}
    assert told(fs.open(root, "coco")) == expected


def test_lists_of_absent_categories_are_turned_too(tmp_path: Path) -> None:
    """LVIS lists for each image the ids of categories that are not there, and of those that are not all outlined."""
    root = tmp_path / "data"
    told = {"train": (["dog"], ["cat"]), "val": (["bird"], ["cat", "dog"])}
    for split, (absent, in_part) in told.items():
        names = SPLITS[split][0]
        made = tables(
            (names, {f"{split}1": [(names[0], (1, 2, 8, 9))]}),
            coco_url=lambda image, _: f"http://images.cocodataset.org/x/{image}.jpg",
            neg_category_ids=lambda *_: [names.index(one) + 1 for one in absent],  # noqa: B023
            not_exhaustive_category_ids=lambda *_: [names.index(one) + 1 for one in in_part],  # noqa: B023
        )
        for row in made["annotations"]:
            del row["iscrowd"]
        put(root, {f"lvis_v1_{split}.json": made})
        put(root, {f"x/{split}1.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    fs.convert(root, to="lvis", out=tmp_path / "lvis", spec="lvis", workers=1)
    for split, (absent, in_part) in told.items():
        document = json.loads((tmp_path / f"lvis/lvis_v1_{split}.json").read_bytes())
        names_of = {row["id"]: row["name"] for row in document["categories"]}
        (row,) = document["images"]
        assert sorted(names_of[one] for one in row["neg_category_ids"]) == absent
        assert sorted(names_of[one] for one in row["not_exhaustive_category_ids"]) == in_part


ABSENT = "labels left out (stated as absent)"


@pytest.mark.parametrize("target", ["coco", "imagenet_txt", "datumaro"])
def test_a_label_that_is_absent_does_not_become_one_that_is_there(target: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    put(folder, {"images/train/a.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    put(folder, {"annotations/oidv6-class-descriptions.csv": b"LabelName,DisplayName\n/m/1,cat\n/m/2,dog\n"})
    rows = b"ImageID,LabelName,Confidence\na,/m/1,0\na,/m/2,1\n"
    put(folder, {"annotations/train-annotations-human-imagelabels.csv": rows})
    result = fs.convert(folder, to=target, out=tmp_path / "out", spec="open_images", workers=1)
    assert f"{ABSENT}: 1 label" in result.losses
    (item,) = fs.open(tmp_path / "out", target)
    assert [(label.category.name, label.state) for label in item.labels if label.category] == [("dog", "yes")]


def test_a_format_that_tells_of_absent_labels_gets_them(tmp_path: Path) -> None:
    put(tmp_path / "data", {"x/a.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    made = tables(
        (["cat", "dog"], {"a": [("cat", (1, 2, 8, 9))]}),
        coco_url=lambda *_: "http://images.cocodataset.org/x/a.jpg",
        neg_category_ids=lambda *_: [2], not_exhaustive_category_ids=lambda *_: [1],
    )  # fmt: skip
    del made["annotations"][0]["iscrowd"]
    put(tmp_path / "data", {"lvis_v1_train.json": made})
    fs.convert(tmp_path / "data", to="open_images", out=tmp_path / "out", spec="lvis", workers=1)
    (item,) = fs.open(tmp_path / "out", "open_images")
    assert {label.category.name: label.state for label in item.labels if label.category} == {"dog": "no", "cat": "yes"}


FAULTY = {
    "a name with two ids": ([{"id": 1, "name": "cat"}], [{"id": 2, "name": "cat"}]),
    "an id with two names": ([{"id": 1, "name": "cat"}], [{"id": 1, "name": "dog"}]),
}


@pytest.mark.parametrize("case", FAULTY)
def test_within_a_split_numbers_are_the_same(case: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    put(root, {"images/val/a.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    images = [{"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}]
    for role, categories in zip(("instances", "person_keypoints"), FAULTY[case], strict=True):
        document = {"images": images, "categories": categories, "annotations": []}
        put(root, {f"annotations/{role}_val.json": document})
    findings = [f for f in fs.validate(root, "coco", workers=1).findings if f.level == "error"]
    assert {finding.code for finding in findings} == {"DUPLICATE"}
    assert "instances_val.json" in findings[0].message
    if case == "a name with two ids":
        fs.convert(root, to="coco", out=tmp_path / "out", on={"DUPLICATE": "fix"}, workers=1)
        assert [one.name for one in fs.open(tmp_path / "out", "coco").categories] == ["cat"]
    else:
        with pytest.raises(fs.RefusedError):
            fs.convert(root, to="coco", out=tmp_path / "out", on={"DUPLICATE": "fix"}, workers=1)


@pytest.mark.parametrize(("second", "merges"), [({"id": 2, "name": "cat"}, True), ({"id": 1, "name": "dog"}, False)])
def test_within_a_file_a_name_with_two_ids_is_merged_and_an_id_with_two_names_is_not(
    second: dict[str, Any], merges: bool, tmp_path: Path
) -> None:
    split: Split = (["cat"], {"a": [("cat", (2, 3, 10, 8)), ("cat", (20, 3, 10, 8))]})
    made = tables(split, file_name=lambda image, _: f"{image}.jpg")
    made["categories"].append(second)
    made["annotations"][1]["category_id"] = second["id"]
    put(tmp_path / "data", {"annotations/instances_train.json": made})
    put(tmp_path / "data", {"images/train/a.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    (finding,) = [f for f in fs.validate(tmp_path / "data", "coco", workers=1).findings if f.level == "error"]
    assert finding.code == "DUPLICATE" and "'cat'" in finding.message
    arguments: dict[str, Any] = {"to": "coco", "out": tmp_path / "out", "on": {"DUPLICATE": "fix"}, "workers": 1}
    if merges:
        fs.convert(tmp_path / "data", **arguments)
        document = json.loads((tmp_path / "out/annotations/instances_train.json").read_bytes())
        assert [row["name"] for row in document["categories"]] == ["cat"]
        assert [row["category_id"] for row in document["annotations"]] == [1, 1]
    else:
        assert "'dog'" in finding.message
        with pytest.raises(fs.RefusedError):
            fs.convert(tmp_path / "data", **arguments)


def test_within_a_split_an_image_id_is_that_of_one_image(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for role, image in (("instances", "a"), ("person_keypoints", "b")):
        put(root, {f"images/val/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
        images = [{"id": 1, "file_name": f"{image}.jpg", "width": WIDTH, "height": HEIGHT}]
        if role == "instances":  # one more image, by which the layout is told
            put(root, {"images/val/c.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
            images.append({"id": 2, "file_name": "c.jpg", "width": WIDTH, "height": HEIGHT})
        put(root, {f"annotations/{role}_val.json": {"images": images, "categories": [], "annotations": []}})
    findings = [f for f in fs.validate(root, "coco", workers=1).findings if f.level == "error"]
    assert [finding.code for finding in findings] == ["DUPLICATE"]
    assert "that of another item in annotations/instances_val.json" in findings[0].message


PER_SPLIT = """\
formatspec: 1
name: per_split
files:
  image: "{subset}/images/{name}.{ext:image}"
  classes: {path: "{subset}/classes.txt", lines: {each: categories, lines: "{name}"}}
  boxes:
    path: "{subset}/labels/{name}.txt"
    lines: {each: objects, lines: "{category.index:d} {bbox | xywh}"}
"""


def test_a_list_of_classes_for_each_split(tmp_path: Path) -> None:
    spec = tmp_path / "per_split.yaml"
    spec.write_text(PER_SPLIT)
    root = tmp_path / "data"
    for name, (names, images) in SPLITS.items():
        put(root, {f"{name}/classes.txt": "".join(f"{one}\n" for one in names).encode()})
        for image, objects in images.items():
            lines = [f"{names.index(category)} {' '.join(map(str, box))}\n" for category, box in objects]
            put(root, {f"{name}/labels/{image}.txt": "".join(lines).encode()})
            put(root, {f"{name}/images/{image}.jpg": image_bytes(WIDTH, HEIGHT, "jpg")})
    assert told(fs.open(root, spec)) == EXPECTED
    for target in (spec, "coco"):
        out = tmp_path / f"out-{Path(target).stem}"
        fs.convert(root, to=target, out=out, spec=spec, workers=1)
        assert told(fs.open(out, target)) == EXPECTED
