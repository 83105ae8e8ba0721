"""Datasets written from items that a program made or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import formatspec as fs
from formatspec.testing.memory import image_bytes

CAT = fs.Category(name="cat")


def made(key: str, *boxes: tuple[float, ...]) -> fs.Item:
    things = tuple(fs.Object(bbox=box, category=CAT) for box in boxes)
    image = fs.Image(path=f"{key}.png", data=image_bytes(12, 8, "png"))
    return fs.Item(key=key, image=image, objects=things)


@pytest.mark.parametrize("target", ["coco", "voc", "yolo_ultralytics", "labelme"])
def test_items_made_by_hand_become_a_dataset(target: str, tmp_path: Path) -> None:
    result = fs.write([made("b", (0, 0, 4, 4)), made("a", (1, 2, 3, 4), (0, 0, 12, 8))], tmp_path / "out", to=target)
    assert result.items == 2 and not fs.validate(tmp_path / "out", target).fails
    boxes = {item.key.rpartition("/")[2]: [thing.box for thing in item.objects] for item in fs.open(result.out, target)}
    assert boxes == {"a": [(1, 2, 3, 4), (0, 0, 12, 8)], "b": [(0, 0, 4, 4)]}


def test_images_lie_in_a_folder_and_classes_have_an_order(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(image_bytes(12, 8, "png"))
    item = fs.Item(key="a", image=fs.Image(path="a.png"), objects=(fs.Object(bbox=(0, 0, 2, 2), category=CAT),))
    fs.write([item], tmp_path / "out", to="coco", categories=["dog", "cat"], images=tmp_path / "photos")
    dataset = fs.open(tmp_path / "out")
    assert dataset.classes == ("dog", "cat")
    assert dataset[0].image is not None and (dataset[0].image.width, dataset[0].image.height) == (12, 8)
    assert dataset[0].image.read() == image_bytes(12, 8, "png")


def test_items_of_two_datasets_are_written_together(tmp_path: Path) -> None:
    fs.write([made("a", (0, 0, 4, 4))], tmp_path / "one", to="voc")
    fs.write([made("b", (0, 0, 3, 3))], tmp_path / "two", to="labelme")
    both = [*fs.open(tmp_path / "one", "voc"), *fs.open(tmp_path / "two", "labelme")]
    fs.write(both, tmp_path / "out", to="coco")
    assert sorted(thing.box for item in fs.open(tmp_path / "out") for thing in item.objects) == [
        (0, 0, 3, 3),
        (0, 0, 4, 4),
    ]


def test_a_changed_item_is_checked_as_one_that_is_read(tmp_path: Path) -> None:
    wrong = made("a", (0, 0, 40, 4), (0, 0, 2, 2))
    with pytest.raises(fs.RefusedError) as refused:
        fs.write([wrong], tmp_path / "out", to="coco")
    assert [(one.code, one.item) for one in refused.value.findings] == [("BOX_OUTSIDE", "a")]
    assert not (tmp_path / "out").exists()
    result = fs.write([wrong], tmp_path / "out", to="coco", on={"BOX_OUTSIDE": "clip"})
    assert [thing.box for thing in fs.open(result.out)[0].objects] == [(0, 0, 12, 4), (0, 0, 2, 2)]


def test_items_that_cannot_stand_together_are_refused(tmp_path: Path) -> None:
    one = made("a", (0, 0, 2, 2))
    with pytest.raises(fs.UnfitItemsError, match="two items have the key 'a'"):
        fs.write([one, one], tmp_path / "out", to="coco")
    with pytest.raises(fs.UnfitItemsError, match=r"'a' and 'b' have one image, a\.png"):
        fs.write([one, msgspec.structs.replace(one, key="b")], tmp_path / "out", to="coco")
    with pytest.raises(fs.UnfitItemsError, match="'c' has no image"):
        fs.write([fs.Item(key="c")], tmp_path / "out", to="coco")


def test_what_the_target_cannot_hold_is_in_the_report(tmp_path: Path) -> None:
    item = msgspec.structs.replace(made("a", (0, 0, 2, 2)), captions=(fs.Caption(text="a cat"),))
    assert any("captions" in line for line in fs.write([item], tmp_path / "out", to="voc").losses)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objects": ("cat",)}, "object 0 of 'a' is 'cat'; expected a formatspec.Object"),
        ({"objects": (fs.Object(category="cat", bbox=(1, 1, 2, 2)),)}, r"say formatspec\.Category\(name='cat'\)"),
        ({"objects": (fs.Object(bbox="abcd"),)}, "bbox of object 0 of 'a' is 'abcd'; expected 4 numbers"),
        ({"objects": (fs.Object(bbox=(1, 2, 3)),)}, "expected 4 numbers"),
        ({"image": "a.png"}, r"the image of 'a' is 'a\.png'; expected a formatspec\.Image"),
        ({"objects": None}, "objects of 'a' is None"),
        ({"objects": fs.Object()}, r"objects of 'a' is Object.*expected a tuple of formatspec\.Object"),
        ({"key": 3}, "key of 3 is 3"),
        ({"subsets": "train"}, r"subsets of 'a' is 'train'; expected a tuple of names: \('train',\)"),
        ({"labels": ("cat",)}, r"label 0 of 'a' is 'cat'; expected a formatspec\.Label"),
        ({"captions": ("cat",)}, r"caption 0 of 'a' is 'cat'; expected a formatspec\.Caption"),
        ({"areas": (fs.Object(),)}, r"area 0 of 'a' is Object.*expected a formatspec\.Area"),
        ({"attributes": "x"}, "attributes of 'a' is 'x'; expected a dict"),
        ({"image": fs.Image(path=3)}, "path of image of 'a' is 3"),
        (
            {"image": fs.Image(path="a.png", data="x")},
            "data of image of 'a' is 'x'; expected the bytes",
        ),
        ({"image": fs.Image(path="a.png", width="5")}, "width of image of 'a' is '5'"),
        ({"objects": (fs.Object(bbox=5),)}, "bbox of object 0 of 'a' is 5; expected 4 numbers"),
        ({"objects": (fs.Object(bbox=(float("nan"), 1, 2, 2)),)}, "expected finite numbers"),
        (
            {"objects": (fs.Object(polygons=(1, 1, 2, 2, 3, 3)),)},
            "polygons of object 0 of 'a' is .*a tuple of rings",
        ),
        ({"objects": (fs.Object(polygons=((1, 1, 2, 2, 3),)),)}, "an even number of numbers"),
        ({"objects": (fs.Object(polygons=(((1, 1), (2, 2), (3, 3)),)),)}, "expected a tuple of rings"),
        ({"objects": (fs.Object(keypoints=((1, 1),)),)}, "expected a tuple of x, y and visibility"),
        ({"objects": (fs.Object(region=np.ones((3, 4), bool)),)}, r"which Region\.from_mask\(mask\) makes"),
        ({"objects": (fs.Object(score="x"),)}, "score of object 0 of 'a' is 'x'"),
        ({"objects": (fs.Object(category=fs.Category(name=3)),)}, "name of category of object 0 of 'a' is 3"),
    ],
)
def test_what_is_no_item_is_refused_in_a_sentence(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(fs.UnfitItemsError, match=message):
        fs.write([msgspec.structs.replace(made("a"), **change)], tmp_path / "out", to="coco")
    with pytest.raises(fs.UnfitItemsError, match="not 'x'"):
        fs.write(["x"], tmp_path / "out", to="coco")  # type: ignore[list-item]


def test_arguments_of_write_that_cannot_be_are_named(tmp_path: Path) -> None:
    wrong: Any
    item = made("a", (0, 0, 2, 2))
    for wrong, more, message in (
        (item, {}, "write takes a list of items, not Item"),
        (None, {}, "write takes a list of items, not None"),
        ([item], {"to": None}, "a format is named by its name or its file, not by None"),
        ([item], {"media": "cop"}, "media is copy, link or none, not 'cop'"),
        ([item], {"categories": "cat"}, "categories is a list of names, or of formatspec.Category, not 'cat'"),
        ([item], {"categories": [1]}, r"or of formatspec.Category, not \[1\]"),
        ([item], {"categories": ["dog"]}, r"the list of categories lacks 1 \(cat\), which the items have"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            fs.write(wrong, tmp_path / "out", **{"to": "coco", **more})


def test_lists_and_arrays_stand_for_tuples(tmp_path: Path) -> None:
    plain = msgspec.structs.replace(
        made("a"),
        objects=(fs.Object(category=fs.Category(name="cat"), bbox=(1, 2, 3, 4), polygons=((1, 2, 4, 2, 4, 6),)),),
    )
    given: Any = fs.Object(
        category=fs.Category(name="cat"), bbox=np.array([1, 2, 3, 4]), polygons=[np.array([1, 2, 4, 2, 4, 6])]
    )
    fs.write([plain], tmp_path / "one", to="coco")
    fs.write([msgspec.structs.replace(plain, objects=[given])], tmp_path / "two", to="coco")
    one, two = (next((tmp_path / name).rglob("instances*.json")).read_bytes() for name in ("one", "two"))
    assert one == two


def test_sizes_that_differ_are_findings(tmp_path: Path) -> None:
    item = made("a", (0, 0, 2, 2))
    image = fs.Image(path="a.png", data=image_bytes(12, 8, "png"), width=5, height=8)
    region = fs.Region.from_mask(np.ones((5, 5), bool))
    things = (msgspec.structs.replace(item.objects[0], region=region),)
    for wrong, code in (
        (msgspec.structs.replace(item, image=image), "IMAGE_SIZE"),
        (msgspec.structs.replace(item, objects=things), "REGION_SIZE"),
    ):
        with pytest.raises(fs.RefusedError) as refused:
            fs.write([wrong], tmp_path / "out", to="coco")
        assert code in {finding.code for finding in refused.value.findings}


def test_an_image_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    lost = fs.Item(key="lost", image=fs.Image(path="lost.png"))
    with pytest.raises(fs.RefusedError) as refused:
        fs.write([made("a", (0, 0, 4, 4)), lost], tmp_path / "out", to="coco")
    (one,) = [finding for finding in refused.value.findings if finding.level == "error"]
    assert (one.code, one.file) == ("IMAGE_MISSING", "lost.png") and "images=…" in one.message
    sized = msgspec.structs.replace(lost, image=fs.Image(path="lost.png", width=4, height=4))
    assert fs.write([sized], tmp_path / "out", to="coco", media="none").items == 1
