"""Real and generated ADE20K, written as VOC, YOLO and COCO, as other tools read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Reference

import formatspec as fs
from formatspec.model.records import Item
from formatspec.model.region import Region

pytest.importorskip("supervision")
pytest.importorskip("datumaro")

from others import datumaro_annotations, datumaro_boxes, datumaro_dataset, furthest, items, ordered, supervision_boxes

pytestmark = pytest.mark.interop
SPEC = "ade20k2020"


@pytest.fixture(params=["real", 0, 100, 200, 300, 400])
def data(request: pytest.FixtureRequest, reference: Reference, tmp_path: Path) -> Path:
    """The real item, or a generated dataset with objects and parts whose images differ in name."""
    if request.param == "real":
        return reference("ade20k-real")
    for seed in range(request.param, request.param + 100):
        folder = tmp_path / f"made{seed}"
        fs.sample(SPEC, folder, items=4, seed=seed)
        found = items(folder, SPEC)
        names = {Path(item.image.path).stem for item in found if item.image}
        if len(names) == len(found) > 1 and any(thing.parent is not None for item in found for thing in item.objects):
            return folder
    raise AssertionError("no seed gives such a dataset")


def written(data: Path, to: str, out: Path, **options: Any) -> Any:
    there = {"Sub set": "test"} if "Sub set" in {name for item in fs.open(data) for name in item.subsets} else None
    return fs.convert(data, to=to, out=out, subsets=there, options=options)


def depth(item: Item, thing: Any) -> int:
    parents = {other.id: other.parent for other in item.objects}
    at, steps = thing.parent, 0
    while at is not None:
        at, steps = parents[at], steps + 1
    return steps


def region_boxes(found: list[Item], deepest: int) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """Boxes around the visible pixels; an object of which nothing is visible has none."""
    return {
        Path(item.image.path).name: ordered(
            (thing.category.name, thing.region.bbox)
            for thing in item.objects
            if thing.region and thing.category and depth(item, thing) <= deepest
        )
        for item in found
        if item.image
    }


def folders_of_images(root: Path) -> list[Path]:
    """The tool lists one folder at a time, so each folder with images is read alone."""
    return sorted({file.parent for file in root.rglob("*") if file.suffix.lower() in {".jpg", ".png", ".jpeg"}})


def voc_in_supervision(out: Path) -> dict[str, Any]:
    import supervision as sv

    found: dict[str, Any] = {}
    for images in folders_of_images(out / "JPEGImages"):
        records = out / "Annotations" / images.relative_to(out / "JPEGImages")
        found |= supervision_boxes(sv.DetectionDataset.from_pascal_voc(str(images), str(records)))
    return found


def yolo_in_supervision(out: Path, **options: Any) -> list[Any]:
    import supervision as sv

    return [
        sv.DetectionDataset.from_yolo(
            str(images), str(out / "labels" / images.relative_to(out / "images")), str(out / "data.yaml"), **options
        )
        for images in folders_of_images(out / "images")
    ]


def test_voc_boxes_in_supervision(data: Path, tmp_path: Path) -> None:
    """VOC counts pixels from 1 and its sides are inclusive; supervision reads it so, and writes only whole objects."""
    written(data, "voc", tmp_path / "voc")
    expected = region_boxes(items(data, SPEC), deepest=0)
    assert furthest(expected, voc_in_supervision(tmp_path / "voc")) <= 0.5


def test_voc_boxes_in_datumaro_after_its_offset(data: Path, tmp_path: Path) -> None:
    """Datumaro takes xmin and ymin as counted from 0 and xmax - xmin as the width: x + 1, w - 1 against VOC's own.

    VOC holds objects and their parts, and no parts of parts: those are losses.
    """
    result = written(data, "voc", tmp_path / "voc")
    expected = {
        Path(name).stem: ordered((label, (x + 1, y + 1, w - 1, h - 1)) for label, (x, y, w, h) in boxes)
        for name, boxes in region_boxes(items(data, SPEC), deepest=1).items()
    }
    deeper = sum(depth(item, thing) > 1 for item in items(data, SPEC) for thing in item.objects)
    assert sum(line.startswith("objects not written (no table") for line in result.losses) == bool(deeper)
    assert furthest(expected, datumaro_boxes(datumaro_dataset(tmp_path / "voc", "voc"))) <= 0.5


def test_yolo_boxes_in_supervision(data: Path, tmp_path: Path) -> None:
    written(data, "yolo_ultralytics", tmp_path / "yolo", task="detect")
    found: dict[str, Any] = {}
    for dataset in yolo_in_supervision(tmp_path / "yolo"):
        found |= supervision_boxes(dataset)
    assert furthest(region_boxes(items(data, SPEC), deepest=9), found) <= 0.5


def test_voc_labelmap_names_classes_outside_the_twenty(data: Path, tmp_path: Path) -> None:
    written(data, "voc", tmp_path / "voc")
    names = {t.category.name for item in items(data, SPEC) for t in item.objects if t.category}
    file = tmp_path / "voc" / "labelmap.txt"
    listed = {line.split(":")[0] for line in file.read_text("utf-8").splitlines()} if file.exists() else set()
    assert names <= listed | {"car", "person", "dog"}


def test_voc_masks_in_datumaro(data: Path, tmp_path: Path) -> None:
    """Masks are painted from whole objects' visible regions, an object later in the file over an earlier one."""
    result = written(data, "voc", tmp_path / "voc")
    read = datumaro_annotations(datumaro_dataset(tmp_path / "voc", "voc"), "mask")
    parts = 0
    for item in items(data, SPEC):
        assert item.image
        whole = [thing for thing in item.objects if thing.parent is None and thing.region]
        parts += sum(1 for thing in item.objects if thing.parent is not None and thing.region)
        painted = np.zeros((item.image.height, item.image.width), int)
        for number, thing in enumerate(whole, 1):
            painted[thing.region.to_mask()] = number
        expected = [
            (thing.category.name, painted == number)
            for number, thing in enumerate(whole, 1)
            if (painted == number).any()
        ]
        (key,) = [key for key in read if Path(key).name == Path(item.image.path).stem]
        found = [(label, mask.image.astype(bool)) for label, mask in read[key]]
        left = list(found)
        for label, mask in expected:
            same = [k for k, (other, image) in enumerate(left) if other == label and np.array_equal(mask, image)]
            assert same, (item.key, label)
            left.pop(same[0])
        assert all(label == "background" for label, _ in left)
    if parts:
        assert any(line.startswith("visible regions: ") for line in result.losses)


def outline(mask: Any) -> Any:
    """The pixels on either side of the border between inside and outside, and at the image's own border."""
    padded = np.pad(mask, 1, constant_values=False)
    near = np.zeros(mask.shape, bool)
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            near |= padded[dy : dy + mask.shape[0], dx : dx + mask.shape[1]] != mask
    return near


def simple(region: Region) -> bool:
    """Whether a region is in one piece without holes."""
    outlines = region.to_polygons()
    return len(outlines) == 1 and not outlines[0].holes


def test_yolo_polygons_refill(data: Path, tmp_path: Path) -> None:
    """Outlines as clicked are kept where they show the visible pixels; others are traced, and refill to the pixel.

    Pieces and holes are joined by bridges without width.
    """
    written(data, "yolo_ultralytics", tmp_path / "yolo", task="segment")
    refilled = {
        Path(item.image.path).name: [
            Region.from_rings_evenodd(thing.polygons, item.image.height, item.image.width) for thing in item.objects
        ]
        for item in items(tmp_path / "yolo", "yolo_ultralytics", task="segment")
        if item.image
    }
    for item in items(data, SPEC):
        assert item.image
        regions = [thing.region for thing in item.objects if thing.region]
        for region, other in zip(regions, refilled[Path(item.image.path).name], strict=True):
            assert region.iou(other) >= 0.99


def test_yolo_polygons_in_supervision(data: Path, tmp_path: Path) -> None:
    """Supervision rounds the vertices to whole pixels and paints the outline itself, so that masks grow by up to a
    pixel; every pixel that differs lies within one pixel of the outline."""
    written(data, "yolo_ultralytics", tmp_path / "yolo", task="segment")
    masks: dict[str, Any] = {}
    for dataset in yolo_in_supervision(tmp_path / "yolo", force_masks=True):
        masks |= {Path(path).name: things for path, _, things in dataset}
    for item in items(tmp_path / "yolo", "yolo_ultralytics", task="segment"):
        assert item.image
        found = masks[Path(item.image.path).name]
        assert len(found) == len(item.objects)
        for thing, mask in zip(item.objects, found.mask if len(found) else [], strict=True):
            filled = Region.from_rings_evenodd(thing.polygons, item.image.height, item.image.width)
            if simple(filled):  # a bridge without width is painted a pixel wide
                assert not ((filled.to_mask() != mask) & ~outline(filled.to_mask())).any()


def coco_files(out: Path) -> list[Path]:
    return sorted((out / "annotations").glob("instances_*.json"))


def test_coco_masks_in_pycocotools_and_hotcoco(data: Path, tmp_path: Path) -> None:
    from hotcoco import COCO as HotCOCO  # noqa: N811
    from pycocotools.coco import COCO

    written(data, "coco", tmp_path / "coco")
    regions = [t.region for item in items(data, SPEC) for t in item.objects if t.region]
    seen: list[Any] = []
    for file in coco_files(tmp_path / "coco"):
        first, second = COCO(str(file)), HotCOCO(str(file))
        document = json.loads(file.read_text("utf-8"))
        for annotation in document["annotations"]:
            one = first.annToMask(first.anns[annotation["id"]]).astype(bool)
            (other,) = second.loadAnns([annotation["id"]])
            assert np.array_equal(one, np.asarray(second.annToMask(other)).astype(bool))
            assert one.sum() == annotation["area"]
            assert Region.from_mask(one).bbox == tuple(annotation["bbox"])
            seen.append(Region.from_mask(one))
    assert len(seen) == len(regions)
    assert sorted(map(hash, seen)) == sorted(map(hash, regions))
