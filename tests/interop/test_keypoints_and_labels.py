"""Keypoints, and labels of whole images: ours read by Datumaro and supervision, and theirs by us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put
from others import (
    datumaro_annotations,
    datumaro_dataset,
    furthest,
    items,
    ordered,
    sized,
    supervision_boxes,
    unsuffixed,
)

import formatspec as fs

sv = pytest.importorskip("supervision")
pytest.importorskip("datumaro")

pytestmark = pytest.mark.interop

SIZE = {"one": (40, 60), "two": (48, 32)}
"""Rows and columns of the made-up images."""
POINTS = ["nose", "tail", "paw"]
JOINTS = {(1, 2), (2, 3)}
KEYPOINTS = (5, 6, 2, 20, 9, 1, 0, 0, 0)
LABELS = {"one": "cat", "two": "a bird"}


def rows_of_coco(root: Path, task: str, categories: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Path:
    """A COCO dataset with one file."""
    document = {**coco_document(sized(SIZE)), "categories": categories, "annotations": rows}
    return put(root, coco_files(document, task=task))


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """One object with keypoints; of two categories, one has names for them."""
    row = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 10], "area": 200, "iscrowd": 0,
        "segmentation": [], "keypoints": list(KEYPOINTS), "num_keypoints": 2,
    }  # fmt: skip
    categories = [{"id": 1, "name": "cat", "keypoints": POINTS, "skeleton": sorted(JOINTS)}, {"id": 2, "name": "dog"}]
    return rows_of_coco(tmp_path / "animals", "person_keypoints", categories, [row])


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two images with a label each, in Datumaro's own format."""
    names = ["cat", "dog", "a bird"]
    rows = [
        {"id": number, "image_id": number, "category_id": names.index(label) + 1}
        for number, label in enumerate(LABELS.values(), 1)
    ]
    source = rows_of_coco(
        tmp_path / "coco", "labels", [{"id": n, "name": name} for n, name in enumerate(names, 1)], rows
    )
    fs.convert(source, to="datumaro", out=tmp_path / "labelled", spec="coco")
    return tmp_path / "labelled"


DATUMARO_KEYPOINTS = {"datumaro": "datumaro", "coco": "coco_person_keypoints"}
"""Ours: its name with Datumaro."""


@pytest.mark.parametrize("spec", DATUMARO_KEYPOINTS)
def test_datumaro_reads_our_keypoints(animals: Path, tmp_path: Path, spec: str) -> None:
    """Places, whether each is seen, and the names and joints of the category.  Datumaro wants `keypoints` and
    `skeleton` of every category of COCO's file, also of those that have none."""
    from datumaro.components.annotation import AnnotationType

    fs.convert(animals, to="datumaro", out=tmp_path / "middle", spec="coco")
    fs.convert(tmp_path / "middle", to=spec, out=tmp_path / "out", spec="datumaro")
    dataset = datumaro_dataset(tmp_path / "out", DATUMARO_KEYPOINTS[spec])
    ((label, points),) = [found for rows in datumaro_annotations(dataset, "points").values() for found in rows]
    assert (label, list(points.points)) == ("cat", [5, 6, 20, 9, 0, 0])
    assert [int(seen.value) for seen in points.visibility] == [2, 1, 0]
    skeletons = dataset.categories()[AnnotationType.points].items
    assert list(skeletons[0].labels) == POINTS
    assert {tuple(joint) for joint in skeletons[0].joints} == JOINTS


@pytest.mark.parametrize("spec", DATUMARO_KEYPOINTS)
def test_keypoints_of_datumaro(animals: Path, tmp_path: Path, spec: str) -> None:
    fs.convert(animals, to="datumaro", out=tmp_path / "middle", spec="coco")
    name = DATUMARO_KEYPOINTS[spec]
    datumaro_dataset(tmp_path / "middle", "datumaro").export(str(tmp_path / "out"), name, save_media=True)
    (thing,) = [thing for item in items(tmp_path / "out", spec) for thing in item.objects]
    assert thing.category is not None and thing.category.name == "cat"
    assert [number for point in thing.keypoints for number in point] == list(KEYPOINTS)
    (category,) = [one for one in fs.open(tmp_path / "out", spec).categories if one.name == "cat"]
    assert list(category.keypoint_names) == POINTS
    assert {tuple(joint) for joint in category.skeleton} == JOINTS


def test_datumaro_reads_the_points_of_our_skeletons(animals: Path, tmp_path: Path) -> None:
    """It takes each point of CVAT's skeletons as an annotation of its own, and knows a subset by the file's name."""
    fs.convert(animals, to="cvat_images", out=tmp_path / "out", spec="coco", subsets={"train": "annotations"})
    dataset = datumaro_dataset(tmp_path / "out", "cvat")
    found = {item.id: [tuple(one.points) for one in item.annotations] for item in dataset}
    assert found == {"one": [(5, 6), (20, 9), (0, 0)], "two": []}


def test_supervision_reads_the_boxes_of_our_poses(animals: Path, tmp_path: Path) -> None:
    """It reads a line as one with keypoints where `kpt_shape` says how many there are, and passes over them."""
    out = tmp_path / "out"
    fs.convert(animals, to="yolo_ultralytics", out=out, spec="coco")
    dataset = sv.DetectionDataset.from_yolo(
        str(out / "images/train"), str(out / "labels/train"), str(out / "data.yaml")
    )
    assert (
        furthest(unsuffixed(supervision_boxes(dataset)), {"one": ordered([("cat", (4, 5, 20, 10))]), "two": []}) < 1e-5
    )


def labels_of(folder: Path, spec: str) -> dict[str, list[str]]:
    """By an image's name: the labels that formatspec reads."""
    return {
        Path(item.image.path).stem: [label.category.name for label in item.labels if label.category]
        for item in items(folder, spec)
        if item.image
    }


DATUMARO_LABELS = {
    "datumaro": "datumaro", "imagenet": "imagenet", "imagenet_subsets": "imagenet_with_subset_dirs",
    "imagenet_txt": "imagenet_txt", "cvat_images": "cvat", "coco": "coco_labels", "open_images": "open_images",
}  # fmt: skip
EXPECTED = {name: [label] for name, label in LABELS.items()}


@pytest.mark.parametrize("spec", DATUMARO_LABELS)
def test_datumaro_reads_our_labels(labelled: Path, tmp_path: Path, spec: str) -> None:
    """It puts the class before the name in a folder per class, takes the ids of Open Images' classes as their names,
    and knows a subset of CVAT by the file's name."""
    subsets = {"train": "annotations"} if spec == "cvat_images" else None
    fs.convert(labelled, to=spec, out=tmp_path / "out", spec="datumaro", subsets=subsets)
    found = datumaro_annotations(datumaro_dataset(tmp_path / "out", DATUMARO_LABELS[spec]), "label")
    labels = {key.rpartition(":")[2]: [label for label, _ in rows] for key, rows in found.items()}
    ids = {"1": "cat", "3": "a bird"} if spec == "open_images" else {}
    assert {key: [ids.get(label, label) for label in rows] for key, rows in labels.items()} == EXPECTED


@pytest.mark.parametrize("spec", DATUMARO_LABELS)
def test_labels_of_datumaro(labelled: Path, tmp_path: Path, spec: str) -> None:
    dataset = datumaro_dataset(labelled, "datumaro")
    dataset.export(str(tmp_path / "out"), DATUMARO_LABELS[spec], save_media=True)
    assert labels_of(tmp_path / "out", spec) == EXPECTED


@pytest.mark.parametrize(("spec", "inner"), [("imagenet", "."), ("imagenet_subsets", "train")])
def test_supervision_reads_our_folders_of_classes(labelled: Path, tmp_path: Path, spec: str, inner: str) -> None:
    fs.convert(labelled, to=spec, out=tmp_path / "out", spec="datumaro")
    dataset = sv.ClassificationDataset.from_folder_structure(str(tmp_path / "out" / inner))
    found = {Path(path).stem: [dataset.classes[k] for k in one.class_id] for path, _, one in dataset}
    assert found == EXPECTED


def test_folders_of_classes_of_supervision(labelled: Path, tmp_path: Path) -> None:
    paths = {str(path): LABELS[path.stem] for path in (labelled / "images").rglob("*.png")}
    classes = sorted(LABELS.values())
    told = {path: sv.Classifications(class_id=np.array([classes.index(label)])) for path, label in paths.items()}
    dataset = sv.ClassificationDataset(classes=classes, images=list(paths), annotations=told)
    dataset.as_folder_structure(str(tmp_path / "out"))
    assert labels_of(tmp_path / "out", "imagenet") == EXPECTED
