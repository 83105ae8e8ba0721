"""Datasets written by other tools, read by formatspec; and what formatspec writes, read by them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from others import datumaro_annotations, datumaro_boxes, datumaro_dataset, furthest, items, ordered, ours, unsuffixed
from PIL import Image

import formatspec as fs

sv = pytest.importorskip("supervision")
pytest.importorskip("datumaro")

pytestmark = pytest.mark.interop

SIZE = {"one": (40, 60), "two": (48, 32)}
"""Rows and columns of the made-up images."""
NAMES = ["cat", "dog", "a bird"]
BOXES = {
    "one": [("cat", (4.0, 5.0, 20.0, 10.0)), ("dog", (30.0, 8.0, 16.0, 24.0)), ("cat", (2.0, 22.0, 11.0, 13.0))],
    "two": [("a bird", (3.0, 4.0, 12.0, 30.0)), ("dog", (17.0, 10.0, 9.0, 9.0))],
}


def mask(name: str, place: int) -> Any:
    """An object's pixels: its box without the corner at the lower right."""
    x, y, w, h = (int(number) for number in BOXES[name][place][1])
    full = np.zeros(SIZE[name], bool)
    full[y : y + h, x : x + w] = True
    full[y + h - 3 : y + h, x + w - 4 : x + w] = False
    return full


def polygon(name: str, place: int) -> list[float]:
    x, y, w, h = BOXES[name][place][1]
    right, low = x + w, y + h
    return [x, y, right, y, right, low - 3, right - 4, low - 3, right - 4, low, x, low]


def picture(name: str) -> Any:
    shade = np.arange(SIZE[name][0] * SIZE[name][1], dtype=np.uint8).reshape(SIZE[name])
    return np.stack([shade, shade[::-1], shade], -1)


EXPECTED = {name: ordered(boxes) for name, boxes in BOXES.items()}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in SIZE:
        Image.fromarray(picture(name)).save(folder / f"{name}.png")
    return folder


# -- supervision -----------------------------------------------------------------------------------------


def supervision_dataset(images: Path, masks: bool) -> Any:
    things = {}
    for name, boxes in BOXES.items():
        things[str(images / f"{name}.png")] = sv.Detections(
            xyxy=np.array([(x, y, x + w, y + h) for _, (x, y, w, h) in boxes]),
            class_id=np.array([NAMES.index(label) for label, _ in boxes]),
            mask=np.array([mask(name, place) for place in range(len(boxes))]) if masks else None,
        )
    return sv.DetectionDataset(classes=NAMES, images=list(things), annotations=things)


def test_voc_of_supervision(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "voc"
    supervision_dataset(images, False).as_pascal_voc(str(out / "JPEGImages"), str(out / "Annotations"))
    assert furthest(unsuffixed(ours(out, "voc")), EXPECTED) == 0


def test_yolo_of_supervision(images: Path, tmp_path: Path) -> None:
    """It writes five digits, so that a box of these images is off by at most 60 * 1e-5 pixels and a half more."""
    out = tmp_path / "yolo"
    supervision_dataset(images, False).as_yolo(
        str(out / "images/train"), str(out / "labels/train"), str(out / "data.yaml")
    )
    assert furthest(unsuffixed(ours(out, "yolo_ultralytics")), EXPECTED) < 1e-3


def test_yolo_polygons_of_supervision(images: Path, tmp_path: Path) -> None:
    """Its outlines run through the centres of border pixels as if those were at their corners: a pixel is missing on
    the right and below, where Ultralytics' fractions mean continuous coordinates."""
    out = tmp_path / "yolo"
    supervision_dataset(images, True).as_yolo(
        str(out / "images/train"), str(out / "labels/train"), str(out / "data.yaml")
    )
    assert furthest(unsuffixed(ours(out, "yolo_ultralytics", task="segment")), EXPECTED) <= 1 + 1e-3


@pytest.mark.parametrize("masks", [False, True])
def test_coco_of_supervision(images: Path, tmp_path: Path, masks: bool) -> None:
    """With masks it gives outlines through the centres of border pixels; boxes stand apart and are exact."""
    out = tmp_path / "coco"
    supervision_dataset(images, masks).as_coco(str(out / "images/train"), str(out / "annotations/instances_train.json"))
    assert furthest(unsuffixed(ours(out, "coco")), EXPECTED) == 0


@pytest.mark.parametrize("target", ["coco", "yolo_ultralytics", "voc"])
def test_supervision_reads_ours(images: Path, tmp_path: Path, target: str) -> None:
    from others import supervision_boxes

    source = tmp_path / "source"
    made_up(images, {"box"}).export(str(source), "coco_instances", save_media=True)
    out = tmp_path / "out"
    fs.convert(source, to=target, out=out)
    if target == "coco":
        dataset = sv.DetectionDataset.from_coco(
            str(out / "images/train"), str(out / "annotations/instances_train.json")
        )
    elif target == "voc":
        dataset = sv.DetectionDataset.from_pascal_voc(str(out / "JPEGImages"), str(out / "Annotations"))
    else:
        dataset = sv.DetectionDataset.from_yolo(
            str(out / "images/train"), str(out / "labels/train"), str(out / "data.yaml")
        )
    assert furthest(unsuffixed(supervision_boxes(dataset)), EXPECTED) < 1e-5


# -- Datumaro --------------------------------------------------------------------------------------------


def made_up(images: Path, kinds: set[str], subset: str = "train", names: list[str] = NAMES) -> Any:
    from datumaro.components.annotation import (
        AnnotationType,
        Bbox,
        Label,
        LabelCategories,
        Mask,
        MaskCategories,
        Polygon,
    )
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image as Media

    found = []
    for name, boxes in BOXES.items():
        annotations: list[Any] = []
        for place, (word, box) in enumerate(boxes):
            label = names.index(word)
            more: dict[str, Any] = {"id": 10 * len(found) + place + 1, "group": 10 * len(found) + place + 1}
            if "box" in kinds:
                annotations.append(Bbox(*box, label=label, **more))
            if "polygon" in kinds:
                annotations.append(Polygon(polygon(name, place), label=label, **more))
            if "mask" in kinds:
                annotations.append(Mask(mask(name, place), label=label, **more))
        if "label" in kinds:
            annotations.append(Label(names.index(boxes[0][0])))
        media = Media.from_file(path=str(images / f"{name}.png"), size=SIZE[name])
        found.append(
            DatasetItem(
                id=name, subset=subset.split()[len(found) % len(subset.split())], media=media, annotations=annotations
            )
        )
    labels = LabelCategories.from_iterable(names)
    colors = MaskCategories.generate(len(names), include_background=False)
    return Dataset.from_iterable(found, categories={AnnotationType.label: labels, AnnotationType.mask: colors})


def shifted(boxes: dict[str, Any], by: tuple[float, ...]) -> dict[str, Any]:
    return {n: ordered((label, np.add(box, by)) for label, box in found) for n, found in boxes.items()}


BOX_FORMATS = {
    # Datumaro's name: ours, the subset, how its box differs from the format's own, what it is allowed to differ
    "coco_instances": ("coco", "train", (0, 0, 0, 0), 0),
    "datumaro": ("datumaro", "train", (0, 0, 0, 0), 0),
    "cvat": ("cvat_images", "train", (0, 0, 0, 0), 0),
    "yolo": ("yolo", "train", (0, 0, 0, 0), 1e-4),
    "yolo_ultralytics": ("yolo_ultralytics", "train val", (0, 0, 0, 0), 1e-4),
    "open_images": ("open_images", "train", (0, 0, 0, 0), 1e-9),
    # VOC counts pixels from 1 and includes both sides; it writes x, y, x + w, y + h as they are
    "voc": ("voc", "train", (-1, -1, 1, 1), 0),
    "voc_detection": ("voc", "train", (-1, -1, 1, 1), 0),
    "kitti_detection": ("kitti_detection", "train", (0, 0, 0, 0), 0.01),
    "mot_seq_gt": ("mot_seq", "train", (0, 0, 0, 0), 0),
}


@pytest.mark.parametrize("name", BOX_FORMATS)
def test_boxes_of_datumaro(images: Path, tmp_path: Path, name: str) -> None:
    spec, subset, offset, tolerance = BOX_FORMATS[name]
    out = tmp_path / "out"
    made_up(images, {"box"}, subset).export(str(out), name, save_media=True)
    found = unsuffixed(ours(out, spec))
    if name == "mot_seq_gt":  # it names the frames of a sequence by their number
        found = {new: found[old] for old, new in zip(sorted(found), EXPECTED, strict=True)}
    assert furthest(found, shifted(EXPECTED, offset)) <= tolerance


READERS = {
    "coco": "coco", "datumaro": "datumaro", "yolo": "yolo",  "voc": "voc",
    "kitti_detection": "kitti_detection", "mot_seq": "mot_seq", "roboflow_coco": "roboflow_coco",
    "roboflow_yolo": "roboflow_yolo", "roboflow_voc": "roboflow_voc",
    "roboflow_create_ml": "createml", "vott_csv": "vott_csv",
    "vott_json": "vott_json", "open_images": "open_images",
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_datumaro_reads_our_boxes(images: Path, tmp_path: Path, name: str) -> None:
    """Boxes come back as they are but for four of its habits.

    VOC: see BOX_FORMATS.  Create ML: it takes x and y as the upper left corner, and Apple's documentation says that
    they are the centre.  Open Images: it takes the ids of classes as their names.  MOT: it counts the frames from 0
    and knows them by number only.
    """
    source, out = tmp_path / "source", tmp_path / "out"
    made_up(images, {"box"}).export(str(source), "coco_instances", save_media=True)
    labels = {"a bird": "bird"} if name == "kitti_detection" else {}  # it splits a line at every blank
    fs.convert(source, to=READERS[name], out=out, labels=labels or None)
    expected = {n: ordered((labels.get(label, label), box) for label, box in boxes) for n, boxes in EXPECTED.items()}
    if name in ("voc", "roboflow_voc"):
        expected = shifted(expected, (1, 1, -1, -1))
    if name == "roboflow_create_ml":
        expected = {
            n: ordered((label, (x + w / 2, y + h / 2, w, h)) for label, (x, y, w, h) in boxes)
            for n, boxes in expected.items()
        }
    found = datumaro_boxes(datumaro_dataset(out, name))
    if name == "open_images":
        found = {n: ordered((NAMES[int(label) - 1], box) for label, box in boxes) for n, boxes in found.items()}
    if name == "mot_seq":
        found = {new: found[old] for old, new in zip(sorted(found), expected, strict=True)}
    assert furthest(found, expected) <= 1e-3


def regions(folder: Path, spec: str, **options: Any) -> dict[str, list[tuple[str, Any]]]:
    from formatspec.model import derive

    return {
        Path(item.image.path).stem: [
            (thing.category.name, derive.region(thing, item.image.height, item.image.width).to_mask())
            for thing in item.objects
            if thing.category
        ]
        for item in items(folder, spec, **options)
        if item.image
    }


def same_masks(found: list[tuple[str, Any]], name: str) -> bool:
    expected = [(label, mask(name, place)) for place, (label, _) in enumerate(BOXES[name])]
    left = list(found)
    for label, pixels in expected:
        equal = [k for k, (other, mine) in enumerate(left) if other == label and np.array_equal(pixels, mine)]
        if not equal:
            return False
        left.pop(equal[0])
    return not left


MASKS = [
    ("coco_instances", "coco", "mask"), ("coco_instances", "coco", "polygon"), ("datumaro", "datumaro", "mask"),
    ("datumaro", "datumaro", "polygon"), ("cvat", "cvat_images", "polygon"), ("label_me", "labelme_xml", "polygon"),
    ("label_me", "labelme_xml", "mask"),
     ("coco_panoptic", "coco_panoptic", "mask"), ("open_images", "open_images", "mask"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spec", "kind"), MASKS)
def test_masks_of_datumaro(images: Path, tmp_path: Path, name: str, spec: str, kind: str) -> None:
    out = tmp_path / "out"
    made_up(images, {kind}).export(str(out), name, save_media=True)
    found = regions(out, spec)
    assert found.keys() == BOXES.keys()
    assert all(same_masks(found[key], key) for key in found)


@pytest.mark.parametrize(
    ("name", "spec"),
    [("coco_instances", "coco"), ("datumaro", "datumaro"), ("coco_panoptic", "coco_panoptic"),
     ("voc_instance_segmentation", "voc"), ("open_images", "open_images")],
)  # fmt: skip
def test_datumaro_reads_our_masks(images: Path, tmp_path: Path, name: str, spec: str) -> None:
    """Of Open Images it takes the ids of classes as their names."""
    source, out = tmp_path / "source", tmp_path / "out"
    made_up(images, {"mask"}).export(str(source), "coco_instances", save_media=True)
    fs.convert(source, to=spec, out=out)
    found = datumaro_annotations(datumaro_dataset(out, name), "mask")
    if name == "open_images":
        found = {key: [(NAMES[int(label) - 1], thing) for label, thing in things] for key, things in found.items()}
    assert {Path(key).name for key in found} == BOXES.keys()
    for key, things in found.items():
        pixels = [(label, thing.image.astype(bool)) for label, thing in things if label != "background"]
        assert same_masks(pixels, Path(key).name)


def test_voc_masks_of_datumaro_without_records(images: Path, tmp_path: Path) -> None:
    """Without an XML file only SegmentationClass tells the class of SegmentationObject's objects."""
    out = tmp_path / "out"
    made_up(images, {"mask"}).export(str(out), "voc_instance_segmentation", save_media=True)
    found = regions(out, "voc")
    assert all(same_masks(found.get(key, []), key) for key in BOXES)


# -- panlabel --------------------------------------------------------------------------------------------

PANLABEL = {
    # its name: ours, the file or folder that it is given
    "cvat": ("cvat_images", "annotations.xml"), "voc": ("voc", "."), "datumaro": ("datumaro", "annotations/train.json"),
    "create-ml": ("createml", "*/*.json"), "labelme": ("labelme", "."),
    "kitti": ("kitti_detection", "training"), "bdd100k": ("bdd100k", "**/*.json"), "coco": ("coco", "*/*.json"),
    "yolo": ("yolo_ultralytics", "."), "via-csv": ("via_csv", "**/*.csv"), "via": ("via_json", "**/*.json"),
    "ibm-cloud-annotations": ("ibm_cloud", "*.json"), "label-studio": ("label_studio", "**/*.json"),
    "labelbox": ("labelbox", "**/*json*"), "scale-ai": ("scale_ai", "."), "vott-csv": ("vott_csv", "**/*.csv"),
    "hf": ("hf_imagefolder", "."), "sagemaker": ("sagemaker", "**/*.manifest"), "oidv4": ("oidv4", "."),
    "superannotate": ("superannotate", "."), "retinanet": ("retinanet_csv", "**/*.csv"),
    "openimages": ("open_images", "**/*bbox.csv"), "edge-impulse": ("edge_impulse", "**/*.labels"),
    "automl-vision": ("automl_vision", "**/*.csv"),
}  # fmt: skip


def panlabel(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).parent / "panlabel"
    if not command.exists():
        pytest.skip("panlabel is not installed")
    return subprocess.run([str(command), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", PANLABEL)
def test_panlabel_reads_our_boxes(images: Path, tmp_path: Path, name: str) -> None:
    """It asks for more than the formats do: a year that is a number in COCO's info, a folder for every list of
    YOLO's data.yaml, and class names without blanks in KITTI and OIDv4; the data is made so."""
    spec, inner = PANLABEL[name]
    source, out, back = tmp_path / "source", tmp_path / "out", tmp_path / "back.json"
    made_up(images, {"box"}, "train val" if name == "yolo" else "train").export(
        str(source), "datumaro" if name == "coco" else "coco_instances", save_media=True
    )
    labels = {"a bird": "bird"} if name in ("kitti", "oidv4") else {}
    fs.convert(source, to=spec, out=out, labels=labels or None)
    given = out if inner == "." else next(iter(sorted(out.glob(inner))))
    if name == "openimages":  # it looks for images beside the table only, and takes the ids of classes as their names
        shutil.copytree(out / "images/train", given.parent, dirs_exist_ok=True)
    done = panlabel("convert", "--from", name, "--to", "ir-json", "-i", str(given), "-o", str(back), "--allow-lossy")
    assert done.returncode == 0, done.stderr
    document = json.loads(back.read_text("utf-8"))
    names = {category["id"]: category["name"] for category in document["categories"]}
    if name == "openimages":
        names = {number: NAMES[int(told) - 1] for number, told in names.items()}
    files = {image["id"]: Path(image["file_name"]).stem for image in document["images"]}
    found: dict[str, list[Any]] = {stem: [] for stem in files.values()}
    for thing in document["annotations"]:
        x, y, right, low = (thing["bbox"][side] for side in ("xmin", "ymin", "xmax", "ymax"))
        box = (x, y, right - x, low - y)
        found[files[thing["image_id"]]].append((names[thing["category_id"]], box))
    # of VOC it takes the numbers as they stand, where the format counts from 1 and includes both sides
    # and of BDD100K, whose documentation says that x2 and y2 are inside the box, likewise
    offset = {"voc": (1, 1, -1, -1), "bdd100k": (0, 0, -1, -1)}.get(name, (0, 0, 0, 0))
    expected = shifted(EXPECTED, offset)
    expected = {n: ordered((labels.get(label, label), box) for label, box in boxes) for n, boxes in expected.items()}
    assert furthest({stem: ordered(boxes) for stem, boxes in found.items()}, expected) <= 1e-3


PANLABEL_WRITES = {
    # its name: ours, the file or folder that it is to write, the folder of the images
    "cvat": ("cvat_images", "annotations.xml", "images"), "labelme": ("labelme", ".", "."),
    "via": ("via_json", "via_export_json.json", "."), "create-ml": ("createml", "annotations.json", "."),
    "coco": ("coco", "annotations/instances_train.json", "images/train"),
    "vott-csv": ("vott_csv", "train/train-export.csv", "train"), "labelbox": ("labelbox", "train.ndjson", "images"),
}  # fmt: skip


@pytest.mark.parametrize("name", PANLABEL_WRITES)
def test_boxes_of_panlabel(images: Path, tmp_path: Path, name: str) -> None:
    spec, inner, beside = PANLABEL_WRITES[name]
    source, out = tmp_path / "source", tmp_path / "out"
    made_up(images, {"box"}).export(str(source), "datumaro", save_media=True)
    shutil.copytree(source / "images/train", out / beside, dirs_exist_ok=True)
    (out / inner).parent.mkdir(parents=True, exist_ok=True)
    given = source / "annotations/train.json"
    done = panlabel("convert", "--from", "datumaro", "--to", name, "-i", str(given), "-o", str(out / inner),
                    "--allow-lossy")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert furthest(unsuffixed(ours(out, spec)), EXPECTED) <= 1e-3


# -- LabelMe ---------------------------------------------------------------------------------------------


def test_voc_of_labelme(reference: Any, tmp_path: Path) -> None:
    """LabelMe writes a rectangle's corners as they are, with fractions: VOC's own counting from 1 (xmin + 1, sides
    inclusive) is not applied by it, so that its xmin and ymin are 1 below ours; xmax and ymax agree."""
    from lxml import etree

    real = reference("labelme-real")
    fs.convert(real / "annotated", to="voc", out=tmp_path / "voc", spec="labelme")
    for theirs in sorted((real / "voc" / "Annotations").glob("*.xml")):
        (mine,) = (tmp_path / "voc" / "Annotations").rglob(theirs.name)
        boxes = [
            [
                (thing.findtext("name"), *(float(thing.findtext(f"bndbox/{side}")) for side in sides))
                for thing in etree.parse(str(file)).iterfind("object")
            ]
            for file in (theirs, mine)
            for sides in [("xmin", "ymin", "xmax", "ymax")]
        ]
        expected = [(name, x + 1, y + 1, right, low) for name, x, y, right, low in boxes[0]]
        assert [b[0] for b in boxes[1]] == [b[0] for b in expected]
        assert np.abs(np.array([b[1:] for b in boxes[1]]) - np.array([b[1:] for b in expected])).max() <= 0.5
