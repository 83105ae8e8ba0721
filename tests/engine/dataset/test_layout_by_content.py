"""Files with other names than those of any layout: what they hold says where the dataset's documents and images are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Run
from files_on_disk import put

import formatspec as fs

IMAGES = ("images/{s}", "{s}/images", "images", "", "data/{s}", "pictures", "{s}2017", "{s}_images")
DOCUMENTS = (
    "labels/{s}.json", "coco/instances_{s}.json", "{s}/meta/instances_{s}.json", "{s}/{s}.json", "custom_{s}.json",
    "annotations/{s}_coco_v2.json", "annotations/instances_{s}2017.json",
)  # fmt: skip


PARTS = {"train": ["a.png", "b.png"], "val": ["c.png"]}
MANY = [f"{number}.png" for number in range(130)]


def coco(names: Sequence[str], **more: Any) -> str:
    images = [{"id": n, "file_name": name, "width": 20, "height": 10} for n, name in enumerate(names, 1)]
    rows = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0}
        for n in range(1, len(names) + 1)
    ]
    return json.dumps({"images": images, "annotations": rows, "categories": [{"id": 1, "name": "cat"}], **more})


def files(document: str, images: str, subsets: dict[str, list[str]], from_root: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for subset, names in subsets.items():
        folder = images.replace("{s}", subset) + "/" if images else ""
        named = [f"{folder}{name}" if from_root else name for name in names]
        found |= {document.replace("{s}", subset): coco(named), **dict.fromkeys(f"{folder}{name}" for name in names)}
    return found


def read(data: Path) -> list[tuple[str, str, int]]:
    items = fs.open(data)
    return sorted((item.subsets[0], item.image.path, len(item.objects)) for item in items if item.image is not None)


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
@pytest.mark.parametrize("from_root", [False, True])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_and_images_are_found_wherever_they_lie(document: str, from_root: bool, tmp_path: Path) -> None:
    for place, images in enumerate(IMAGES):
        data = put(
            tmp_path / str(place), files(document, images, {"train": ["a.png", "b.png"], "val": ["c.png"]}, from_root)
        )
        folder = {subset: images.replace("{s}", subset) + "/" * bool(images) for subset in ("train", "val")}
        told = [(subset.removesuffix("2017"), path, count) for subset, path, count in read(data)]
        expected = [("train", "a.png"), ("train", "b.png"), ("val", "c.png")]
        assert told == [(subset, folder[subset] + name, 1) for subset, name in expected], images


def test_a_notice_says_where_the_files_are_and_a_copy_keeps_their_paths(run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", files("labels/{s}.json", "data/{s}", {"train": ["a.png"], "val": ["a.png"]}))
    put(data, {"README.md": "x", "classes.txt": "cat\n"})
    ran = run("convert", data, "--to", "coco", "-o", tmp_path / "out", "--workers", "2")
    assert ran.status == 0 and "out: coco, 2 items" in ran.out
    assert "read as coco by what the files hold: instances in labels/{subset}.json, images in data/{subset}/" in ran.err
    for document in ("labels/train.json", "labels/val.json"):
        assert json.loads((tmp_path / "out" / document).read_text()) == json.loads((data / document).read_text())
    assert {path.name for path in (tmp_path / "out/data").glob("*/*.png")} == {"a.png"}
    other = run("convert", data, "--to", "yolo_ultralytics", "-o", tmp_path / "yolo")
    assert other.status == 0 and (tmp_path / "yolo/labels/val/a.txt").read_text().startswith("0 ")


def test_a_notice_is_given_for_a_named_format_too_and_for_subsets_that_are_named_anew(run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", files("labels/{s}.json", "data/{s}", PARTS))
    words = "read as coco by what the files hold: instances in labels/{subset}.json, images in data/{subset}/\n"
    assert run("validate", "coco", data).err.count(words) == 1
    assert run("validate", data).err.count(words) == run("detect", data).err.count(words) == 1
    named = put(tmp_path / "named", files("{s}_annotations.json", "images", PARTS))
    assert "hold: instances in {subset}_annotations.json, images in images/\n" in run("validate", named).err
    assert "by what" not in run("validate", put(tmp_path / "usual", files("{s}.json", "images", PARTS))).err


@pytest.mark.parametrize("broken", [False, True])
def test_no_document_is_left_out_for_better_names_of_subsets(broken: bool, run: Run, tmp_path: Path) -> None:
    content = coco(["b.png"])[: -5 if broken else None]
    data = put(tmp_path, {"my_train_old.json": coco(["a.png"]), "stuff-test-x.json": content})
    ran = run("validate", put(data, {"a.png": None, "b.png": None}))
    assert "FILE_UNCLAIMED" not in ran.out and ("FILE_UNREADABLE" in ran.out) == broken


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
def test_hidden_files_are_no_documents_and_no_images(tmp_path: Path) -> None:
    data = put(tmp_path, files("labels/{s}.json", "data/{s}", PARTS))
    put(data, {"labels/.ipynb_checkpoints/train-checkpoint.json": coco(PARTS["train"]), ".old/train/a.png": None})
    assert [path for _, path, _ in read(data)] == ["data/train/a.png", "data/train/b.png", "data/val/c.png"]


def test_documents_are_read_although_more_images_lie_elsewhere(run: Run, tmp_path: Path) -> None:
    put(
        tmp_path,
        {"data/a|nn/a.xml": voc("cat"), "data/img/a.png": None, "data/more/b.png": None, "data/more/c.png": None},
    )
    ran = run("validate", "voc_folders", tmp_path)
    assert "holds 1 object" in ran.err and "record in data/a|nn/{name}.xml, images in data/img/\n" in ran.err


def test_a_broken_document_of_an_item_is_a_finding(run: Run, tmp_path: Path) -> None:
    put(tmp_path, {f"xml/{name}.xml": voc("cat")[: -9 if name == "b" else None] for name in "abc"})
    ran = run("validate", put(tmp_path, {f"img/{name}.png": None for name in "abc"}))
    assert ran.status == 1 and "FILE_UNREADABLE" in ran.out and "3 items" in ran.out


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
def test_one_document_has_a_subset_where_its_path_spells_one(tmp_path: Path) -> None:
    plain = put(tmp_path / "plain", files("meta/my_data.json", "pics", {"x": ["one/a.png", "two/b.png"]}))
    assert [item.subsets for item in fs.open(plain)] == [(), ()]
    told = put(tmp_path / "told", files("meta/{s}_v2.json", "pics", {"val": ["a.png"]}))
    assert read(told) == [("val", "pics/a.png", 1)]


def test_the_notice_is_given_where_the_format_is_named_too(run: Run, tmp_path: Path) -> None:
    data = put(
        tmp_path, files("annotations/instances_{s}.json", "pictures/{s}", {"train": ["a.png"], "val": ["b.png"]})
    )
    said = "read as coco by what the files hold: instances in annotations/instances_{subset}.json, images in pictures/"
    for words in (("validate", data), ("validate", "coco", data)):
        ran = run(*words)
        assert ran.status == 0 and ran.err.count(said) == 1


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
@pytest.mark.parametrize(
    ("document", "images", "subset"),
    [
        ("annotations/instances_test-dev2017.json", "test2017", "test-dev2017"),
        ("annotations/instances_minival2014.json", "val2014", "minival2014"),
        ("labels/trainval35k.json", "pics", "trainval35k"),
    ],
)
def test_words_for_subsets_may_be_joined_and_have_a_number(
    document: str, images: str, subset: str, tmp_path: Path
) -> None:
    assert read(put(tmp_path, files(document, images, {"x": ["a.png"]}))) == [(subset, f"{images}/a.png", 1)]


def test_documents_of_another_role_are_read_as_before(run: Run, tmp_path: Path) -> None:
    keypoints = put(tmp_path / "own", files("annotations/person_keypoints_{s}2017.json", "{s}2017", {"val": ["a.png"]}))
    assert run("validate", keypoints).err.count("by what the files hold") == 0
    moved = put(tmp_path / "moved", files("annotations/person_keypoints_{s}2017.json", "pics", {"val": ["a.png"]}))
    ran = run("validate", moved)
    assert ran.status == 0 and "FILE_TWO_RULES" not in ran.out and "images in pics/" in ran.err


@pytest.mark.parametrize(
    "content",
    [
        {"meta/v1.json": coco(["a.png"]), "meta/v2.json": coco(["a.png"]), "pics/a.png": None},
        {
            "a/meta/x.json": coco(["a.png"]),
            "a/pics/a.png": None,
            "b/meta/x.json": coco(["b.png"]),
            "b/pics/b.png": None,
        },
        {
            "d/p1/meta/x.json": coco(["a.png"]),
            "d/p1/pics/a.png": None,
            "d/p2/meta/x.json": coco(["b.png"]),
            "d/p2/pics/b.png": None,
        },
        {"meta/my.json": coco(["a.png"]), "one/a.png": None, "two/a.png": None},
        {"meta/x.json": coco(["a.png"]), "meta/y.json": coco(["b.png"]), "here/a.png": None, "there/b.png": None},
        files("meta/{s}.json", "pics/{s}", PARTS) | files("meta/{s}.json", "msk/{s}", PARTS),
        files("meta/{s}.json", "pics", PARTS) | files("meta/{s}.json", "msk", PARTS),
        {"meta/v1.json": coco(MANY), "meta/v2.json": coco(MANY[1:]), **dict.fromkeys(f"pics/{one}" for one in MANY)},
        {"meta/x.json": coco(["a.png"]), "meta/y.json": coco(["b.png"])[:-5], "x/a.png": None, "y/b.png": None},
        {"meta/train.json": coco(["a.png"]), "meta/val.json": coco(["b.png"]), "x}/a.png": None, "x}/b.png": None},
    ],
    ids=[
        "two states of one file",
        "two datasets",
        "two datasets in a folder",
        "two images of one name",
        "folders that no subset names",
        "masks beside images",
        "masks beside images of all subsets",
        "two states of a large file",
        "a broken document",
        "a folder with a brace",
    ],
)
def test_what_may_be_meant_otherwise_is_refused(content: dict[str, Any], run: Run, tmp_path: Path) -> None:
    ran = run("validate", put(tmp_path, content))
    assert ran.status == 2 and "no known format describes" in ran.err


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
def test_subsets_whose_folders_have_their_names_keep_these(tmp_path: Path) -> None:
    data = put(
        tmp_path, files("annotations/instances_{s}.json", "images/{s}", {"new_train": ["a.png"], "new_val": ["b.png"]})
    )
    assert [subset for subset, _, _ in read(data)] == ["new_train", "new_val"]


def test_a_name_that_leads_out_of_the_dataset_stops_nothing(run: Run, tmp_path: Path) -> None:
    document = coco(["../a.png", "/etc/passwd.png", "c.png"])
    ran = run("validate", "coco", put(tmp_path, {"labels/train.json": document, "data/c.png": None}))
    assert ran.status in (0, 1, 2)


def test_a_missing_image_is_one_finding(run: Run, tmp_path: Path) -> None:
    data = put(tmp_path, files("labels/{s}.json", "data/{s}", {"train": ["a.png", "b.png", "c.png"]}))
    (data / "data/train/c.png").unlink()
    ran = run("validate", data)
    assert ran.status == 1 and "IMAGE_MISSING" in ran.out and "expected data/train/c.png" in ran.out


def voc(*classes: str) -> str:
    boxes = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>"
    things = "".join(f"<object><name>{name}</name>{boxes}</object>" for name in classes)
    size = "<size><width>20</width><height>10</height><depth>3</depth></size>"
    return f"<annotation><filename>x.png</filename>{size}{things}</annotation>"


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
@pytest.mark.parametrize(
    ("documents", "images"),
    [
        ("{s}/annotations", "{s}/images"), ("{s}_annotations", "{s}_images"), ("xml", "img"), ("xml/{s}", "img/{s}"),
        ("labels/{s}", "{s}"), ("Annotations", "data"), ("annotations_{s}", "images_{s}"), ("{s}/xmls", "{s}"),
    ],
)  # fmt: skip
def test_a_document_of_each_image_is_found_by_its_name(documents: str, images: str, tmp_path: Path) -> None:
    own = "{s}" in documents
    for subset, names in (("train", "ab"), ("val", "a" if own else "c")):
        for name in names:
            document, image = (f"{one.replace('{s}', subset)}/{name}" for one in (documents, images))
            put(tmp_path, {f"{document}.xml": voc("cat", "dog"), f"{image}.png": None})
    items = [item for item in fs.open(tmp_path) if item.image is not None]
    told = sorted((item.subsets, item.image.path, len(item.objects)) for item in items if item.image)
    subsets = [("train", "a"), ("train", "b"), ("val", "a")] if own else [("", "a"), ("", "b"), ("", "c")]
    expected = [((s,) if s else (), f"{images.replace('{s}', s)}/{name}.png", 2) for s, name in subsets]
    assert told == expected


@pytest.mark.parametrize(
    ("documents", "images"),
    [
        (["xml/a.xml", "xml/b.xml"], ["one/a.png", "two/b.png"]),
        (["xml/a.xml", "xml/b.xml"], ["one/a.png", "two/a.png", "one/b.png", "two/b.png"]),
        (["x/xml/a.xml", "y/xml/b.xml"], ["x/img/a.png", "y/img/b.png"]),
        (["xml/a.xml", "xml/b.xml", "xml/c.xml"], ["img/a.png"]),
        (
            ["data/ann/a.xml", "data/ann/b.xml"],
            [f"data/{one}/{name}.png" for one in ("img", "ann_masks") for name in "ab"],
        ),
    ],
    ids=["images in two folders", "two images of one name", "two datasets", "most without an image", "masks beside"],
)
def test_documents_whose_images_are_open_are_refused(
    documents: list[str], images: list[str], run: Run, tmp_path: Path
) -> None:
    put(tmp_path, {**dict.fromkeys(documents, voc("cat")), **dict.fromkeys(images)})
    ran = run("validate", tmp_path)
    assert ran.status == 2 and "no known format describes" in ran.err


CSV = "filename,width,height,class,xmin,ymin,xmax,ymax\n{0},20,10,cat,1,1,9,8\n"
CVAT = """<annotations><version>1.1</version>
<meta><task><labels><label><name>cat</name><attributes></attributes></label></labels></task></meta>
<image id="0" name="{0}" width="20" height="10">
<box label="cat" occluded="0" xtl="1" ytl="1" xbr="9" ybr="8" z_order="0"></box></image></annotations>"""
CREATEML = """[{{"image": "{0}", "annotations":
[{{"label": "cat", "coordinates": {{"x": 5, "y": 5, "width": 4, "height": 2}}}}]}}]"""


@pytest.mark.filterwarnings("ignore::formatspec.opening.FormatNotice")
@pytest.mark.parametrize(
    ("document", "text"),
    [("tables/{s}.csv", CSV), ("xml/{s}.xml", CVAT), ("json/{s}_boxes.json", CREATEML)],
    ids=["tfod_csv", "cvat_images", "createml"],
)
def test_other_formats_whose_rows_name_images_are_found_too(document: str, text: str, tmp_path: Path) -> None:
    for subset, name in (("train", "a.png"), ("val", "b.png")):
        content = text.format(name).replace("\\n", "\n")
        put(tmp_path, {document.replace("{s}", subset): content, f"pictures/{subset}/{name}": None})
    assert read(tmp_path) == [("train", "pictures/train/a.png", 1), ("val", "pictures/val/b.png", 1)]


SPEC = """
formatspec: 1
name: mine
variants:
  - name: as exported
  - name: a list of any name
    anywhere: boxes
    files: {image: "{name:path}.{ext:image}", boxes: {path: "{subset}.json"}}
files:
  image: "images/{subset}/{name:path}.{ext:image}"
  boxes:
    path: "boxes/{subset}.json"
    json: [{each: items, file: "{name}.{ext}", boxes: [{each: objects, class: category.name, box: bbox | xywh}]}]
"""


def test_any_spec_may_say_so(run: Run, tmp_path: Path) -> None:
    def rows(name: str) -> str:
        return json.dumps([{"file": name, "boxes": [{"class": "cat", "box": [0, 0, 1, 1]}]}])

    spec = tmp_path / "mine.yaml"
    spec.write_text(SPEC)
    lists = {"lists/train_boxes.json": rows("a.png"), "lists/val_boxes.json": rows("b.png")}
    data = put(tmp_path / "data", {**lists, "pictures/train/a.png": None, "pictures/val/b.png": None})
    ran = run("validate", spec, data)
    assert (
        ran.status == 0
        and "mine, 2 items" in ran.out
        and "FILE_UNCLAIMED" not in ran.out
        and "holds 2 objects" in ran.err
    )

    wrong = yaml.safe_load(SPEC) | {"anywhere": "image"}
    spec.write_text(yaml.safe_dump(wrong))
    ran = run("validate", spec, data)
    assert ran.status == 2 and "`anywhere` names no role with documents: 'image'" in ran.err
