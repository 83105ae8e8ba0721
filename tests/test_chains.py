"""Through other formats and back: what each of them can hold comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import formatspec as fs
from formatspec.model.records import Item, Object
from formatspec.pixels import png
from formatspec.testing.memory import image_bytes

SIZES = {"a": (640, 427), "b c": (333, 500), "d.e": (37, 1001)}
"""Names and sizes of the images; the sizes are no powers of two, so that fractions of them are no neat numbers."""


def coco(folder: Path, ids: tuple[int, ...] = (7, 3, 90), polygons: bool = False) -> Path:
    """A COCO dataset of boxes or outlines, whose categories' order is not that of their ids or names."""
    rng = np.random.default_rng(4)
    names = ("zebra", "aardvark", "traffic light")[: len(ids)]
    images, annotations = [], []
    (folder / "images/train").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for number, (name, (width, height)) in enumerate(SIZES.items(), 11):
        (folder / f"images/train/{name}.jpg").write_bytes(image_bytes(width, height, "jpg"))
        images.append({"id": number, "file_name": f"{name}.jpg", "width": width, "height": height})
        for i in range(5):
            x, y = rng.random() * width * 0.6, rng.random() * height * 0.6
            w, h = 1 + rng.random() * (width - x - 1), 1 + rng.random() * (height - y - 1)
            row: dict[str, Any] = {
                "id": 100 * number + i, "image_id": number, "category_id": ids[i % len(ids)], "iscrowd": 0,
                "bbox": [x, y, w, h], "area": w * h,
            }  # fmt: skip
            if polygons:
                row["segmentation"] = [[x, y, x + w, y, x + w, y + h, x + w / 3, y + h / 2]]
            annotations.append(row)
    table = [{"id": i, "name": n, "supercategory": ""} for i, n in zip(ids, names, strict=True)]
    document = {"images": images, "annotations": annotations, "categories": table}
    (folder / "annotations/instances_train.json").write_text(json.dumps(document))
    return folder


def through(data: Path, *specs: str, **options: Any) -> tuple[Path, list[tuple[str, ...]]]:
    """Convert from format to format; gives the last folder and each step's losses."""
    losses = []
    current = data
    for step, (spec, to) in enumerate(pairwise(specs)):
        out = data.parent / f"{step}-{to}"
        losses.append(fs.convert(current, to=to, out=out, spec=spec, **options).losses)
        assert not [f for f in fs.validate(out, to, deep=True).findings if f.level == "error"]
        current = out
    return current, losses


def items(folder: Path, spec: str) -> dict[str, Item]:
    """Items by the name of their image, without its folder."""
    return {(item.image.path if item.image else item.key).rpartition("/")[2]: item for item in fs.open(folder, spec)}


def objects(item: Item) -> list[Object]:
    return sorted(item.objects, key=lambda thing: (thing.category.name if thing.category else "", thing.bbox or ()))


def name_of(thing: Any) -> str:
    return thing.category.name if thing.category else ""


def id_of(thing: Any) -> Any:
    return thing.category.id if thing.category else None


def table(folder: Path) -> list[tuple[Any, str]]:
    document = json.loads((folder / "annotations/instances_train.json").read_text())
    return [(category["id"], category["name"]) for category in document["categories"]]


@pytest.mark.parametrize("ids", [(7, 3, 90), (1, 2, 3), (0, 1, 2), (5,)])
def test_boxes_through_yolo(ids: tuple[int, ...], tmp_path: Path) -> None:
    data = coco(tmp_path / "in", ids)
    back, _ = through(data, "coco", "yolo_ultralytics", "coco")
    assert table(back) == table(data)
    text = (tmp_path / "0-yolo_ultralytics/data.yaml").read_text()
    assert ("category_ids" in text) is (ids != tuple(range(1, len(ids) + 1))), text
    before, after = items(data, "coco"), items(back, "coco")
    assert before.keys() == after.keys()
    for name, item in before.items():
        size = np.array([item.image.width, item.image.height] * 2) if item.image else None
        assert len(item.objects) == len(after[name].objects)
        for one, other in zip(objects(item), objects(after[name]), strict=True):
            assert (id_of(one), name_of(one)) == (id_of(other), name_of(other))
            assert np.abs((np.array(one.bbox) - np.array(other.bbox)) / size).max() < 1e-6


def test_outlines_through_yolo(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", polygons=True)
    back, _ = through(data, "coco", "yolo_ultralytics", "coco")
    for name, item in items(data, "coco").items():
        for one, other in zip(objects(item), objects(items(back, "coco")[name]), strict=True):
            assert (id_of(one), name_of(one)) == (id_of(other), name_of(other))
            assert np.allclose(one.polygons, other.polygons, atol=1e-6 * 1001)


@pytest.mark.parametrize("chain", [
    ("labelme", "cvat_images"), ("cvat_images", "labelme"), ("datumaro",),
    ("via_json",), ("labelme",),
    ("supervisely",), ("createml",), ("voc",),
], ids="-".join)  # fmt: skip
def test_objects_through_tools(chain: tuple[str, ...], tmp_path: Path) -> None:
    """Outlines where the format in between has them, boxes where it has not."""
    outlines = not {"createml", "voc"} & set(chain)
    data = coco(tmp_path / "in", polygons=outlines)
    back, _ = through(data, "coco", *chain, "coco")
    folder = next(back.glob("annotations/instances_*.json")).parent.parent
    before, after = items(data, "coco"), items(folder, "coco")
    assert before.keys() == after.keys()
    for name, item in before.items():
        assert len(item.objects) == len(after[name].objects)
        for one, other in zip(objects(item), objects(after[name]), strict=True):
            assert name_of(one) == name_of(other)
            assert np.allclose(one.bbox, other.bbox, atol=0.01)
            if outlines:
                assert len(one.polygons) == len(other.polygons) == 1
                assert np.allclose(one.polygons[0], other.polygons[0], atol=0.01)


# pixels


def panoptic(folder: Path) -> Path:
    """Three segments in each of two images, two of one class; their ids need more than one byte."""
    (folder / "images/train").mkdir(parents=True)
    (folder / "annotations/panoptic_train").mkdir(parents=True)
    images, annotations = [], []
    for number, name in enumerate(("a", "b"), 1):
        (folder / f"images/train/{name}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        ids = np.zeros((10, 20), np.uint32)
        ids[:4, :5], ids[5:, 3:9], ids[2:7, 12:] = 70000 + number, 300, 7
        ids[3, 14] = 0
        pixels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], -1).astype(np.uint8)
        (folder / f"annotations/panoptic_train/{name}.png").write_bytes(png.encode(pixels, "rgb"))
        images.append({"id": number, "file_name": f"{name}.jpg", "width": 20, "height": 10})
        rows = [(70000 + number, 4), (300, 4), (7, 9)]
        annotations.append({
            "image_id": number, "file_name": f"{name}.png",
            "segments_info": [
                {"id": i, "category_id": c, "iscrowd": 0, "area": int((ids == i).sum()), "bbox": [0, 0, 1, 1]}
                for i, c in rows
            ],
        })  # fmt: skip
    classes = [{"id": 4, "name": "person", "isthing": 1}, {"id": 9, "name": "sky", "isthing": 0}]
    document = {"images": images, "annotations": annotations, "categories": classes}
    (folder / "annotations/panoptic_train.json").write_text(json.dumps(document))
    return folder


Pixels = Callable[[Item], set[tuple[str, Any]]]


def segments(item: Item) -> set[tuple[str, Any]]:
    return {(name_of(t), t.region.to_mask().tobytes()) for t in item.objects if t.region is not None}


def classes(item: Item) -> set[tuple[str, Any]]:
    """The pixels of each class, whosever they are."""
    masks: dict[str, Any] = {}
    for thing in (*item.objects, *item.areas):
        if thing.region is not None:
            masks[name_of(thing)] = masks.get(name_of(thing), False) | thing.region.to_mask()
    return {(name, mask.tobytes()) for name, mask in masks.items()}


@pytest.mark.parametrize(("between", "pixels"), [
    ("voc", segments), ("mots_png", segments), ("coco", segments), ("labelme", segments), ("cvat_images", segments),
    ("datumaro", segments),
    ("supervisely", segments), ("image_masks", classes), ("color_masks", classes),
], ids=lambda value: value if isinstance(value, str) else value.__name__)  # fmt: skip
def test_pixels_come_back(between: str, pixels: Pixels, tmp_path: Path) -> None:
    """Through masks of instances each segment comes back; through masks of classes each class's pixels."""
    data = panoptic(tmp_path / "in")
    back, _ = through(data, "coco_panoptic", between, "coco_panoptic")
    before, after = items(data, "coco_panoptic"), items(back, "coco_panoptic")
    assert before.keys() == after.keys()
    for name, item in before.items():
        assert len(pixels(item)) == (3 if pixels is segments else 2)
        assert pixels(after[name]) == pixels(item)


# scenes


def test_scenes_through_voc(ade20k2020: Path) -> None:
    """Boxes of whole objects, the masks of those that show, and their classes."""
    subsets = {s: s for item in fs.open(ade20k2020) for s in item.subsets}
    wanted = dict(zip(subsets, ("train", "val", "test"), strict=False))
    first = fs.convert(ade20k2020, to="voc", out=ade20k2020.parent / "voc", subsets=wanted)
    assert any(line.startswith(("hidden regions", "polygons")) for line in first.losses)
    fs.convert(ade20k2020.parent / "voc", to="ade20k2020", out=ade20k2020.parent / "back")
    before, after = items(ade20k2020, "ade20k2020"), items(ade20k2020.parent / "back", "ade20k2020")
    assert {n.rpartition(".")[0] for n in before} == {n.rpartition(".")[0] for n in after}
    by_stem = {name.rpartition(".")[0]: item for name, item in after.items()}
    for name, item in before.items():
        whole = sorted(name_of(t) for t in item.objects if t.parent is None and t.region)
        back = sorted(name_of(t) for t in by_stem[name.rpartition(".")[0]].objects if t.parent is None and t.region)
        assert set(back) <= set(whole)


def test_scenes_through_coco(ade20k2020: Path) -> None:
    """Every object's outline and category."""
    fs.convert(ade20k2020, to="coco", out=ade20k2020.parent / "coco")
    fs.convert(ade20k2020.parent / "coco", to="ade20k2020", out=ade20k2020.parent / "back")
    before, after = items(ade20k2020, "ade20k2020"), items(ade20k2020.parent / "back", "ade20k2020")
    assert before.keys() == after.keys()
    for name, item in before.items():
        one = sorted((name_of(t), t.region.to_mask().tobytes()) for t in item.objects if t.region and t.parent is None)
        other = sorted((name_of(t), t.region.to_mask().tobytes()) for t in after[name].objects if t.region)
        assert {pair[0] for pair in one} <= {pair[0] for pair in other}
