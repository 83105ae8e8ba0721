"""Folders as people have them: each is told as what it is, or refused, and never taken for something else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from all_specs import sources
from coco_like import coco_document

from formatspec.engine.detection.detect import detect
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.memory import image_bytes

XML = (
    "<annotation><filename>a.jpg</filename><size><width>20</width><height>10</height><depth>3</depth></size>"
    "<object><name>cat</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>8</xmax><ymax>7</ymax></bndbox></object>"
    "</annotation>"
)
BOX = "0 0.5 0.5 0.2 0.2\n"
COCO = json.dumps(coco_document([("a.jpg", 20, 10)], [{"bbox": [1, 1, 5, 5], "area": 25, "segmentation": []}]))
YOLO = {
    "images/train/a.jpg": "", "images/val/b.jpg": "", "labels/train/a.txt": BOX, "labels/val/b.txt": BOX,
    "data.yaml": "train: images/train\nval: images/val\nnames: [cat]\n",
}  # fmt: skip
VOC = {"JPEGImages/a.jpg": "", "JPEGImages/b.jpg": "", "Annotations/a.xml": XML, "Annotations/b.xml": XML}
CLASSES = [f"{folder}/{name}.jpg" for folder in ("cat", "dog") for name in ("x", "y")]

FOLDERS: dict[str, tuple[dict[str, str], str]] = {
    "a wrapped VOC without lists": ({f"export/{path}": text for path, text in VOC.items()}, "voc"),
    "a VOC with an XML file beside": ({**VOC, "build.xml": "<project/>"}, "voc"),
    "records in another folder than images": ({"images/a.jpg": "", "annotations/a.xml": XML}, "voc_folders"),
    "records that no image is named after": ({"a.jpg": "", "b.xml": XML}, ""),
    "records beside images": ({"a.jpg": "", "b.jpg": "", "a.xml": XML}, "labelimg_voc"),
    "a COCO file of any name": ({"images/a.jpg": "", "my export (2).json": COCO}, "coco"),
    "a COCO file alone": ({"instances.json": COCO}, "coco"),
    "a COCO file per folder of images": ({"train/a.jpg": "", "val/a.jpg": "", "train.json": COCO, "val.json": COCO},
                                         "coco"),
    "predictions beside COCO": ({"images/a.jpg": "", "annotations/instances_train.json": COCO, "found.json": "[]"},
                                "coco"),
    "a file of a common name, broken": ({"a.jpg": "", "annotations.json": '{"images": ['}, ""),
    "a JSON file of nothing": ({"a.jpg": "", "a.json": "{}"}, ""),
    "YOLO, nested twice": ({f"my project/export 3/{path}": text for path, text in YOLO.items()}, "yolo_ultralytics"),
    "one year of VOC, and an empty one": ({
        **{f"VOCdevkit/VOC2007/{path}": text for path, text in VOC.items()}, "VOCdevkit/VOC2012/notes.md": "",
    }, "voc"),
    "labels whose images lie where the YAML does not say": (
        {"pictures/a.jpg": "", "labels/a.txt": BOX, "data.yaml": YOLO["data.yaml"]}, ""),
    "YOLO with lists of absolute paths": ({
        "images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": BOX, "labels/b.txt": BOX,
        "train.txt": "/home/me/x/images/a.jpg\n", "val.txt": "/home/me/x/images/b.jpg\n",
        "mine.yaml": "path: /home/me/x\ntrain: train.txt\nval: val.txt\nnames: {0: cat}\n",
    }, "yolo_ultralytics"),
    "YOLO with lists of folders": ({
        **{f"images/{name}/{name}.jpg": "" for name in "abc"}, **{f"labels/{name}/{name}.txt": BOX for name in "abc"},
        "mine.yaml": "train: [images/a, images/b]\nval:\n- images/c\nnames: {0: cat}\n",
    }, "yolo_ultralytics"),
    "YOLO without its YAML": ({path: text for path, text in YOLO.items() if path != "data.yaml"}, "yolo_ultralytics"),
    "YOLO with what training leaves": ({**YOLO, "args.yaml": "lr: 0.1\n", "results.csv": "epoch\n1\n",
                                        "labels/train.cache": "x"}, "yolo_ultralytics"),
    "images of mixed endings": ({"cat/a.JPG": "", "cat/b.JpEg": "", "dog/c.PNG": ""}, "imagenet"),
    "class folders and a table": ({**dict.fromkeys(CLASSES, ""), "sizes.csv": "name,size\ncat,2\n"}, ""),
    "class folders per subset, in a folder": (
        {f"ds/{subset}/{path}": "" for subset in ("train", "test") for path in CLASSES}, "imagenet_subsets"),
    "class folders per subset, in images": (
        {f"images/{subset}/{path}": "" for subset in ("train", "test") for path in CLASSES}, "imagenet_subsets"),
    "pictures by date": ({"2023-01-02/a.jpg": "", "2023-05-06/b.jpg": ""}, ""),
    "a camera's card": ({"DCIM/100CANON/a.jpg": "", "DCIM/101CANON/b.jpg": ""}, ""),
    "frames of clips": ({"clip1/000000.jpg": "", "clip2/000000.jpg": ""}, ""),
    "images and thumbnails": ({"full/a.jpg": "", "thumbs/a.jpg": ""}, ""),
    "captions beside images": ({"a.jpg": "", "a.txt": "a cat, outdoors\n", "b.jpg": "", "b.txt": "a dog\n"}, ""),
    "two datasets side by side": ({**{f"one/{path}": text for path, text in YOLO.items()}, "two/a.jpg": "",
                                   "two/a.xml": XML}, ""),
    "one image": ({"a.jpg": ""}, ""),
    "nothing": ({".DS_Store": "x"}, ""),
}  # fmt: skip


def content(path: str, text: str) -> bytes:
    ending = path.rpartition(".")[2].lower()
    return image_bytes(20, 10, ending) if ending in ("jpg", "jpeg", "png") else text.encode()


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder(kind: str, tmp_path: Path) -> None:
    files, name = FOLDERS[kind]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content(path, text))
    found = detect(sources(), open_tree(tmp_path))
    assert found.names == ((name,) if name else ())
    assert name or len(found.outcome.nearest) == 5


@pytest.mark.parametrize("around", ["VOCdevkit/", "", "my data/VOCdevkit/"])
def test_datasets_side_by_side_are_no_single_one(around: str, tmp_path: Path) -> None:
    """Two years of VOC, of which one is small: neither is left out in silence."""
    years = {"VOC2007": list(VOC), "VOC2012": [path for path in VOC if "/a." in path]}
    for path, text in ((f"{year}/{path}", VOC[path]) for year, paths in years.items() for path in paths):
        place = tmp_path / around / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content(path, text))
    found = detect(sources(), open_tree(tmp_path))
    assert found.names == ("voc",) and found.name is None
    assert set(found.roots) == {f"{around}VOC2007", f"{around}VOC2012"}


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind.startswith(("a wrapped", "a COCO", "YOLO"))])
def test_a_zip_with_what_a_desktop_adds(kind: str, tmp_path: Path) -> None:
    files, name = FOLDERS[kind]
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, content(path, text))
            archive.writestr(f"__MACOSX/{Path(path).parent.as_posix()}/._{Path(path).name}", b"\0")
    assert detect(sources(), open_tree(tmp_path / "data.zip")).names == (name,)
