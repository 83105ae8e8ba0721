"""FiftyOne's parsers of YOLO, VOC and COCO, which run without its database, on what formatspec writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from others import furthest, ordered
from test_tools_that_label import BOXES, EXPECTED, SIZE, write_coco

import formatspec as fs

pytestmark = pytest.mark.interop


@pytest.fixture
def coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIFTYONE_DO_NOT_TRACK", "true")
    monkeypatch.setenv("FIFTYONE_CONFIG_PATH", str(tmp_path / "config.json"))
    return write_coco(tmp_path / "coco", masks=False)


def parser(name: str) -> Any:
    return pytest.importorskip(f"fiftyone.utils.{name}", reason="fiftyone is not installed", exc_type=ImportError)


def in_pixels(detections: Any, name: str) -> list[tuple[str, tuple[float, ...]]]:
    """Boxes of FiftyOne, which are shares of the image, in pixels."""
    height, width = SIZE[name]
    size = (width, height, width, height)
    return ordered(
        (one.label, [share * side for share, side in zip(one.bounding_box, size, strict=True)]) for one in detections
    )


def test_yolo(coco: Path, tmp_path: Path) -> None:
    yolo = parser("yolo")
    fs.convert(coco, to="yolo_ultralytics", out=tmp_path / "out")
    classes = [category.name for category in fs.open(tmp_path / "out", "yolo_ultralytics").categories]
    folder = tmp_path / "out" / "labels" / "train"
    found = {
        name: in_pixels(yolo.load_yolo_annotations(str(folder / f"{name}.txt"), classes).detections, name)
        for name in BOXES
    }
    assert furthest(found, EXPECTED) < 1e-3


def test_voc(coco: Path, tmp_path: Path) -> None:
    voc = parser("voc")
    fs.convert(coco, to="voc", out=tmp_path / "out")
    folder = tmp_path / "out" / "Annotations"
    found = {
        name: in_pixels(
            voc.load_voc_detection_annotations(str(folder / f"{name}.xml")).to_detections().detections, name
        )
        for name in BOXES
    }
    assert furthest(found, EXPECTED) <= 1  # a pixel: it takes the inclusive corners of VOC as they stand


def test_coco(coco: Path, tmp_path: Path) -> None:
    utils = parser("coco")
    fs.convert(coco, to="coco", out=tmp_path / "out", where="true")
    (path,) = (tmp_path / "out" / "annotations").glob("instances_*.json")
    _, classes, _, images, annotations = utils.load_coco_detection_annotations(str(path))
    names = {number: Path(image["file_name"]).stem for number, image in images.items()}
    found = {}
    for number, rows in annotations.items():
        height, width = SIZE[names[number]]
        detections = [row.to_detection((width, height), classes_map=classes) for row in rows]
        found[names[number]] = in_pixels(detections, names[number])
    assert furthest(found, EXPECTED) < 1e-6
