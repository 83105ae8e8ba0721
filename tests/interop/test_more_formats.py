"""Formats of annotation tools and of releases: what formatspec writes, read by other tools, and the other way round."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put
from others import (
    Boxes,
    boxes_as_rows,
    datumaro_annotations,
    datumaro_boxes,
    datumaro_dataset,
    furthest,
    items,
    ordered,
    ours,
    sized,
    unsuffixed,
)
from PIL import Image

import formatspec as fs

pytestmark = pytest.mark.interop

SIZE = {"one": (40, 60), "two": (48, 32)}
"""Rows and columns of the made-up images."""
NAMES = ["cat", "dog", "a bird"]
BOXES = {
    "one": [("cat", (4.0, 5.0, 20.0, 10.0)), ("dog", (30.5, 8.0, 16.0, 24.0)), ("cat", (2.0, 22.0, 11.0, 13.0))],
    "two": [("a bird", (3.0, 4.0, 12.0, 30.0)), ("dog", (17.0, 10.0, 9.0, 9.0))],
}
EXPECTED = {name: ordered(boxes) for name, boxes in BOXES.items()}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """The boxes as a COCO dataset."""
    document = {"info": {"year": 2020}, **coco_document(sized(SIZE), boxes_as_rows(BOXES, NAMES), NAMES)}
    return put(tmp_path / "coco", coco_files(document))


def panlabel(*arguments: str) -> None:
    command = Path(sys.executable).parent / "panlabel"
    if not command.exists():
        pytest.skip("panlabel is not installed")
    done = subprocess.run([str(command), "convert", *arguments, "--allow-lossy"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def boxes_of(file: Path, names: Sequence[str] = ()) -> Boxes:
    """The boxes of a COCO file; `names` are the categories' in the order of their ids, where the file has none."""
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    labels = {row["id"]: names[place] if names else row["name"] for place, row in enumerate(document["categories"])}
    found: dict[Any, list[Any]] = {row["id"]: [] for row in document["images"]}
    for row in document["annotations"]:
        found[row["image_id"]].append((labels[row["category_id"]], row["bbox"]))
    return {Path(row["file_name"]).stem: ordered(found[row["id"]]) for row in document["images"]}


READ_BY_PANLABEL = {
    # its name: ours, the file or folder that it is given
    "ibm-cloud-annotations": ("ibm_cloud", "."),
    "edge-impulse": ("edge_impulse", "training/bounding_boxes.labels"),
    "labelbox": ("labelbox", "train.ndjson"),
    "unity-perception": ("unity_perception", "."),
    "sagemaker": ("sagemaker", "train.manifest"),
    "yolo-keras": ("yolo_keras", "train.txt"),
    "yolov4-pytorch": ("yolov4_pytorch", "2007_train.txt"),
    "vott-json": ("vott_json", "train-export.json"),
    "udacity": ("tfod_csv", "train/_annotations.csv"),
}


@pytest.mark.parametrize("name", READ_BY_PANLABEL)
def test_panlabel_reads_our_boxes(coco: Path, tmp_path: Path, name: str) -> None:
    """It looks for a YOLO list's class names beside the list only, and keras-yolo3 keeps them in `model_data`: the
    numbers are compared.  Unity's frames are named by their step.  What it calls Udacity is that dataset as it was
    published once more in TensorFlow's table; the dataset's own two tables have other columns."""
    spec, inner = READ_BY_PANLABEL[name]
    fs.convert(coco, to=spec, out=tmp_path / "out")
    panlabel("--from", name, "--to", "coco", "-i", str(tmp_path / "out" / inner), "-o", str(tmp_path / "back.json"))
    found = boxes_of(tmp_path / "back.json", NAMES if name.startswith("yolo") else ())
    if spec == "unity_perception":
        found = {image: found[f"step{place}.camera"] for place, image in enumerate(SIZE)}
    assert furthest(found, EXPECTED) < 1e-9


def test_panlabel_reads_our_openlabel(coco: Path, tmp_path: Path) -> None:
    fs.convert(coco, to="openlabel", out=tmp_path / "out")
    for image in SIZE:
        file = tmp_path / "out" / "annotations" / f"{image}.json"
        panlabel("--from", "openlabel", "--to", "coco", "-i", str(file), "-o", str(tmp_path / "back.json"))
        assert furthest(boxes_of(tmp_path / "back.json"), {image: EXPECTED[image]}) == 0


WRITTEN_BY_PANLABEL = {
    # its name: ours, the file that it is told to write, the folder of the images
    "ibm-cloud-annotations": ("ibm_cloud", ".", "."),
    "sagemaker": ("sagemaker", "train.manifest", "images"),
    "yolo-keras": ("yolo_keras", ".", "."),
    "yolov4-pytorch": ("yolov4_pytorch", ".", "."),
    "vott-json": ("vott_json", "train-export.json", "."),
    "label-studio": ("label_studio", "train.json", "images"),
    "bdd100k": ("bdd100k", "labels/det_20/det_train.json", "images/100k/train"),
    "datumaro": ("datumaro", "annotations/train.json", "images/train"),
    "udacity": ("tfod_csv", "train/_annotations.csv", "train"),
    "hf": ("hf_imagefolder", "train", "train"),
    "kitti": ("kitti_detection", "training", "training/image_2"),
    "voc": ("voc", ".", "JPEGImages"),
}
WHOLE = {"voc", "bdd100k"}
"""Those whose boxes end at the last pixel inside, as their documentation says; panlabel writes the end itself."""


@pytest.mark.parametrize("name", WRITTEN_BY_PANLABEL)
def test_boxes_of_panlabel(coco: Path, tmp_path: Path, name: str) -> None:
    """VOC counts from 1 as well; it writes the numbers as they are.  Its Datumaro files lack labels' `parent` and
    `attributes`, and its BDD100K files `id`, which ours always have, since those formats' own readers ask for them."""
    spec, file, images = WRITTEN_BY_PANLABEL[name]
    out = tmp_path / "out"
    (out / file).parent.mkdir(parents=True, exist_ok=True)
    source = coco / "annotations" / "instances_train.json"
    panlabel("--from", "coco", "--to", name, "-i", str(source), "-o", str(out / file))
    shutil.copytree(coco / "images" / "train", out / images, dirs_exist_ok=True)
    first = 1 if name == "voc" else 0
    more = 1 if name in WHOLE else 0
    expected = {
        image: ordered((label, (x - first, y - first, w + more, h + more)) for label, (x, y, w, h) in boxes)
        for image, boxes in EXPECTED.items()
    }
    assert furthest(unsuffixed(ours(out, spec)), expected) < 1e-9


def test_fractions_in_the_table_of_tensorflow(coco: Path, tmp_path: Path) -> None:
    """panlabel wants fractions of the image's size in the table from which TensorFlow's records are made, where the
    tutorials' own scripts write pixels and divide when they make the records: divided, its boxes are ours."""
    fs.convert(coco, to="tfod_csv", out=tmp_path / "out")
    table = tmp_path / "out" / "train" / "_annotations.csv"
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for sides, size in (("xmin", "xmax"), "width"), (("ymin", "ymax"), "height"):
            row.update({side: repr(float(row[side]) / int(row[size])) for side in sides})
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    panlabel("--from", "tfod", "--to", "coco", "-i", str(table), "-o", str(tmp_path / "back.json"))
    assert furthest(boxes_of(tmp_path / "back.json"), EXPECTED) < 1e-9


def test_points_of_supervisely(coco: Path, tmp_path: Path) -> None:
    """panlabel looks for an object's points below `geometry`, which is how Supervisely writes the figures of videos;
    an image's objects hold them themselves.  Moved there they are ours, but for the last pixel, which is inside."""
    fs.convert(coco, to="supervisely", out=tmp_path / "out")
    for path in tmp_path.glob("out/train/ann/*.json"):
        document = json.loads(path.read_text("utf-8"))
        for thing in document["objects"]:
            thing["geometry"] = {"points": thing.pop("points")}
        path.write_text(json.dumps(document), encoding="utf-8")
    panlabel("--from", "supervisely", "--to", "coco", "-i", str(tmp_path / "out"), "-o", str(tmp_path / "back.json"))
    shorter = {
        image: ordered((label, (x, y, w - 1, h - 1)) for label, (x, y, w, h) in boxes)
        for image, boxes in EXPECTED.items()
    }
    assert furthest(boxes_of(tmp_path / "back.json"), shorter) < 1e-9


def test_faces_of_wider_face(coco: Path, tmp_path: Path) -> None:
    """The images lie in folders of their events, which are their labels; faces have no category of their own.
    panlabel wants the number of images in the first line, which the release's lists have not, and images beside it."""
    document = json.loads((coco / "annotations" / "instances_train.json").read_text("utf-8"))
    document["annotations"] = [{"id": n, "image_id": n, "category_id": n} for n in (1, 2)]
    (coco / "annotations" / "labels_train.json").write_text(json.dumps(document), encoding="utf-8")
    fs.convert(coco, to="wider_face", out=tmp_path / "out", spec="coco")
    list_ = tmp_path / "out" / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    images = tmp_path / "out" / "WIDER_train" / "images"
    shutil.copytree(images, list_.parent, dirs_exist_ok=True)
    list_.write_text("2\n" + list_.read_text("utf-8"), encoding="utf-8")
    panlabel("--from", "wider-face", "--to", "coco", "-i", str(list_), "-o", str(tmp_path / "back.json"))
    faces = {image: ordered(("face", box) for _, box in boxes) for image, boxes in EXPECTED.items()}
    assert furthest(boxes_of(tmp_path / "back.json"), faces) < 1e-9


def test_datumaro_reads_our_faces_of_no_event(coco: Path, tmp_path: Path) -> None:
    pytest.importorskip("datumaro")
    document = json.loads((coco / "annotations" / "instances_train.json").read_text("utf-8"))
    document["annotations"] = [{"id": 1, "image_id": 2, "category_id": 3}]
    (coco / "annotations" / "labels_train.json").write_text(json.dumps(document), encoding="utf-8")
    fs.convert(coco, to="wider_face", out=tmp_path / "out", spec="coco")
    dataset = datumaro_dataset(tmp_path / "out", "wider_face")
    assert {key: [label for label, _ in found] for key, found in datumaro_annotations(dataset, "label").items()} == {
        "one": [], "two": ["a bird"],
    }  # fmt: skip
    faces = {image: ordered(("face", box) for _, box in boxes) for image, boxes in EXPECTED.items()}
    assert furthest(datumaro_boxes(dataset), faces) == 0
    assert furthest(unsuffixed({
        Path(item.key).name: ordered(("face", thing.bbox) for thing in item.objects if thing.bbox)
        for item in items(tmp_path / "out", "wider_face")
    }), faces) == 0  # fmt: skip


WRITTEN_BY_DATUMARO = {"label_me": "labelme_xml"}
"""Its name: ours."""


@pytest.mark.parametrize("name", WRITTEN_BY_DATUMARO)
def test_boxes_of_datumaro(coco: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip("datumaro")
    datumaro_dataset(coco, "coco").export(str(tmp_path / "out"), name, save_media=True)
    assert furthest(unsuffixed(ours(tmp_path / "out", WRITTEN_BY_DATUMARO[name])), EXPECTED) == 0


@pytest.mark.parametrize("name", WRITTEN_BY_DATUMARO)
def test_datumaro_reads_our_boxes(coco: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip("datumaro")
    fs.convert(coco, to=WRITTEN_BY_DATUMARO[name], out=tmp_path / "out")
    assert furthest(unsuffixed(datumaro_boxes(datumaro_dataset(tmp_path / "out", name))), EXPECTED) == 0


def masks_of_datumaro(coco: Path, tmp_path: Path) -> Any:
    """The boxes as masks, and what tells characters apart."""
    from datumaro.components.annotation import AnnotationType, Mask, MaskCategories

    dataset = datumaro_dataset(coco, "coco")
    dataset.categories()[AnnotationType.mask] = MaskCategories.generate(len(NAMES), include_background=False)
    for item in dataset:
        made = []
        for place, box in enumerate(item.annotations):
            x, y, w, h = (int(number) for number in box.get_bbox())
            pixels = np.zeros(SIZE[Path(item.id).name], np.uint8)
            pixels[y : y + h, x : x + w] = 1
            attributes = {"index": place, "text": "abc"[place]}
            made.append(Mask(pixels, label=box.label, id=place + 1, group=1, attributes=attributes))
        item.annotations = made
    return dataset


def areas(folder: Path, spec: str) -> dict[str, list[tuple[str, Any]]]:
    found = items(folder, spec)
    return {
        Path(item.image.path).stem: sorted(
            (a.category.name, a.region.to_mask().tolist()) for a in item.areas if a.category
        )
        for item in found
        if item.image
    }


def test_camvid_of_datumaro_in_colours_and_in_numbers(coco: Path, tmp_path: Path) -> None:
    pytest.importorskip("datumaro")
    dataset = masks_of_datumaro(coco, tmp_path)
    dataset.export(str(tmp_path / "colours"), "camvid", save_media=True)
    dataset.export(str(tmp_path / "numbers"), "camvid", save_media=True, apply_colormap=False)
    found = areas(tmp_path / "colours", "camvid")
    assert found == areas(tmp_path / "numbers", "camvid")
    assert {name: [label for label, _ in rows] for name, rows in found.items()} == {
        name: sorted({label for label, _ in boxes}) for name, boxes in BOXES.items()
    }


def test_characters_of_datumaro(coco: Path, tmp_path: Path) -> None:
    pytest.importorskip("datumaro")
    masks_of_datumaro(coco, tmp_path).export(str(tmp_path / "out"), "icdar_text_segmentation", save_media=True)
    for item in items(tmp_path / "out", "icdar_text_segmentation"):
        assert item.image is not None
        boxes = BOXES[Path(item.image.path).stem]
        assert [thing.text for thing in item.objects] == list("abc"[: len(boxes)])
        assert {thing.group for thing in item.objects} == {1}
        assert sorted(thing.region.bbox for thing in item.objects if thing.region) == sorted(
            tuple(int(number) for number in box) for _, box in boxes
        )


def test_datumaro_reads_our_characters(coco: Path, tmp_path: Path) -> None:
    pytest.importorskip("datumaro")
    masks_of_datumaro(coco, tmp_path).export(str(tmp_path / "theirs"), "icdar_text_segmentation", save_media=True)
    fs.convert(tmp_path / "theirs", to="icdar_text_segmentation", out=tmp_path / "ours")
    first, second = (
        {
            item.id: sorted((a.attributes["text"], a.group, a.image.tolist()) for a in item.annotations)
            for item in datumaro_dataset(folder, "icdar_text_segmentation")
        }
        for folder in (tmp_path / "theirs", tmp_path / "ours")
    )
    assert first == second and first.keys() == BOXES.keys()


MVTEC = {"mvtec_classification": "label", "mvtec_segmentation": "mask", "mvtec_detection": "bbox"}


@pytest.mark.parametrize("task", MVTEC)
def test_datumaro_reads_each_task_of_our_mvtec(tmp_path: Path, task: str) -> None:
    """One layout holds classes, pixels and boxes; its boxes end at the last pixel, ours behind it."""
    pytest.importorskip("datumaro")
    product = tmp_path / "data" / "cup"
    pixels = np.zeros((20, 30), np.uint8)
    pixels[4:9, 3:15] = 255
    for place, mode in (("train/good/1", 0), ("test/good/1", 0), ("test/crack/1", 0), ("ground_truth/crack/1_mask", 1)):
        (product / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels if mode else np.zeros((20, 30, 3), np.uint8)).save(product / f"{place}.png")
    fs.convert(tmp_path / "data", to="mvtec", out=tmp_path / "out", spec="mvtec")
    found = datumaro_annotations(datumaro_dataset(tmp_path / "out" / "cup", task), MVTEC[task])
    ((label, thing),) = found["crack/1"]
    assert label == "crack"
    if task == "mvtec_segmentation":
        assert thing.image.astype(bool).tolist() == (pixels > 0).tolist()
    if task == "mvtec_detection":
        assert thing.get_bbox() == [3, 4, 11, 4]
    (item,) = [item for item in items(tmp_path / "out", "mvtec") if item.areas]
    assert item.areas[0].region.bbox == (3, 4, 12, 5)


@pytest.mark.parametrize("version", ["v1.2", "v2.0"])
def test_panoptic_vistas_as_datumaro_reads_them(reference: Any, tmp_path: Path, version: str) -> None:
    """Where instances and outlines are gone, the panoptic files are read, with the masks that Datumaro finds there."""
    pytest.importorskip("datumaro")
    data = tmp_path / "data"
    shutil.copytree(reference("toy/mapillary_vistas_dataset"), data)
    for folder in data.glob("*/v*"):
        for part in folder.iterdir():
            if folder.name != version or part.name != "panoptic":
                shutil.rmtree(part)
    for config in data.glob("config*"):
        config.unlink()
    found = {
        item.key: sorted(
            (t.id, t.category.name, t.region.to_mask().tolist()) for t in item.objects if t.category and t.region
        )
        for item in items(data, "mapillary_vistas")
    }
    theirs = {}
    for subset in ("train", "val"):
        dataset = datumaro_dataset(data / subset, "mapillary_vistas_panoptic", format_version=version)
        for key, things in datumaro_annotations(dataset, "mask").items():
            theirs[f"{subset}/{key}"] = sorted((a.id, label, a.image.astype(bool).tolist()) for label, a in things)
    assert found == theirs and len(found) == 3
