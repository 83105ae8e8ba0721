"""Two datasets of the same images compared: what differs, how far they agree, as text, JSON and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import formatspec as fs
from formatspec.datasets import looks
from formatspec.datasets.comparison import Comparison, box_overlaps, kappa
from formatspec.testing.memory import image_bytes

CLASSES = ["cat", "dog", "cow"]


def thing(name: str, x: float, y: float, width: float, height: float, outlined: bool = False) -> fs.Object:
    ring = (x, y, x + width, y, x + width, y + height, x, y + height)
    category = fs.Category(name=name)
    return fs.Object(bbox=(x, y, width, height), category=category, polygons=(ring,) if outlined else ())


ITEMS = [
    fs.Item(
        key=f"i{place}",
        image=fs.Image(path=f"i{place}.png", data=image_bytes(60, 40, "png")),
        objects=(
            thing("cat", 0, 0, 10, 10),
            thing("dog", 20, 0, 20, 20, outlined=True),
            thing("cat", 5, 22, 12, 12, outlined=True),
            thing("cow", 42, 20, 10, 15),
        ),
    )
    for place in range(4)
]


def changed(item: fs.Item, place: int, **slots: Any) -> fs.Item:
    things = list(item.objects)
    things[place] = msgspec.structs.replace(things[place], **slots)
    return msgspec.structs.replace(item, objects=tuple(things))


def five_changes() -> list[fs.Item]:
    """A class renamed, an object removed, one added, a mask shrunk, a box moved."""
    renamed = changed(ITEMS[0], 0, category=fs.Category(name="dog"))
    removed = msgspec.structs.replace(ITEMS[1], objects=ITEMS[1].objects[1:])
    added = msgspec.structs.replace(ITEMS[2], objects=(*ITEMS[2].objects, thing("cow", 25, 25, 8, 8)))
    shrunk = changed(ITEMS[3], 1, polygons=((20, 0, 40, 0, 40, 18, 20, 18),), bbox=(20, 0, 20, 18))
    return [renamed, removed, added, changed(shrunk, 3, bbox=(43, 21, 10, 15))]


def written(items: list[fs.Item], out: Path, to: str = "coco", **how: Any) -> Path:
    fs.write(items, out, to=to, categories=CLASSES, **how)
    return out


def test_exactly_the_five_changes_are_found(tmp_path: Path) -> None:
    one, other = written(ITEMS, tmp_path / "one"), written(five_changes(), tmp_path / "other")
    found = looks.compared(fs.open(one), fs.open(other))
    told = sorted(
        (change.kind, change.item.rpartition("/")[2], change.first, change.second) for change in found.changes
    )
    assert told == [
        ("added", "i2", "", "cow"), ("box", "i3", "cow", "cow"), ("class", "i0", "cat", "dog"),
        ("mask", "i3", "dog", "dog"), ("removed", "i1", "cat", ""),
    ]  # fmt: skip
    assert found.confusion == (("cat", "dog", 1),) and found.matched == 15 and not found.same
    by_name = {one.name: one for one in found.classes}
    assert (by_name["cat"].matched, by_name["cat"].only_first, by_name["cat"].only_second) == (6, 2, 0)
    assert by_name["cat"].f1 == pytest.approx(2 * 6 / (8 + 6))
    assert by_name["cow"].f1 == pytest.approx(2 * 4 / (4 + 5))
    shared = 9 * 14 / (2 * 150 - 9 * 14)
    assert by_name["cow"].mean_iou == pytest.approx((3 + shared) / 4)


def test_a_dataset_is_as_itself_and_as_what_it_becomes(tmp_path: Path) -> None:
    one = fs.open(written(ITEMS, tmp_path / "one"))
    assert looks.compared(one, one).same and looks.compared(one, one).kappa == 1.0
    boxes = fs.open(written(ITEMS, tmp_path / "voc", "voc"), "voc")
    assert looks.compared(one, boxes).changes == ()


def test_items_that_one_dataset_lacks_are_named(tmp_path: Path) -> None:
    one = fs.open(written(ITEMS, tmp_path / "one"))
    found = looks.compared(one[:3], one[1:])
    assert (found.items, found.only_first, found.only_second) == (2, (one.keys[0],), (one.keys[3],))


def test_masks_of_classes_are_compared_by_pixel(tmp_path: Path) -> None:
    def area(width: int) -> fs.Item:
        mask = np.zeros((8, 12), bool)
        mask[:, :width] = True
        image = fs.Image(path="a.png", data=image_bytes(12, 8, "png"), width=12, height=8)
        category = fs.Category(name="sky")
        return fs.Item(key="a", image=image, areas=(fs.Area(category=category, region=fs.Region.from_mask(mask)),))

    places = [tmp_path / "one", tmp_path / "other"]
    for width, place in zip((6, 9), places, strict=True):
        fs.write([area(width)], place, to="color_masks", options={})
    found = looks.compared(*(fs.open(place, "color_masks") for place in places))
    assert [(change.kind, change.first) for change in found.changes] == [("mask", "sky")]
    (sky,) = found.classes
    assert sky.pixel_iou == pytest.approx(6 / 9)
    assert found.pixel_kappa == pytest.approx(
        (72 / 96 - (48 * 72 + 48 * 24) / 96**2) / (1 - (48 * 72 + 48 * 24) / 96**2)
    )


def test_kappa_is_as_in_the_books() -> None:
    table = {("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}
    assert kappa(table) == pytest.approx(0.4)
    assert kappa({}) is None and kappa({("a", "a"): 3}) is None


def test_overlaps_of_boxes() -> None:
    ours = np.array([[0, 0, 10, 10], [5, 5, 0, 0], [np.nan] * 4])
    theirs = np.array([[5, 0, 10, 10], [0, 0, 10, 10], [5, 5, 0, 0]])
    assert box_overlaps(ours, theirs).tolist() == [[1 / 3, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_the_command_says_it_as_text_json_and_a_page(tmp_path: Path, run: Any) -> None:
    one, other = written(ITEMS, tmp_path / "one"), written(five_changes(), tmp_path / "other")
    same = run("compare", str(one), f"coco={one}")
    assert same.status == 0 and "no difference" in same.out
    told = run("compare", str(one), str(other))
    assert told.status == 1 and "default/i0: cat is dog at 0, 0, 10, 10" in told.out
    plain = json.loads(run("compare", str(one), str(other), "--json").out)
    assert plain["version"] == 1 and not plain["same"]
    assert msgspec.convert({k: v for k, v in plain.items() if k not in ("version", "same")}, Comparison).matched == 15
    assert run("compare", str(one), str(other), "--html", str(tmp_path / "page.html")).status == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 8 and "only in the second" in page
