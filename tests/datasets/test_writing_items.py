"""Datasets written from items that a program made or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
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
        ({"image": "a.png"}, r"expected formatspec\.Image"),
    ],
)
def test_what_is_no_item_is_refused_in_a_sentence(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(fs.UnfitItemsError, match=message):
        fs.write([msgspec.structs.replace(made("a"), **change)], tmp_path / "out", to="coco")
    with pytest.raises(fs.UnfitItemsError, match="not 'x'"):
        fs.write(["x"], tmp_path / "out", to="coco")  # type: ignore[list-item]


def test_an_image_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    lost = fs.Item(key="lost", image=fs.Image(path="lost.png"))
    with pytest.raises(fs.RefusedError) as refused:
        fs.write([made("a", (0, 0, 4, 4)), lost], tmp_path / "out", to="coco")
    (one,) = [finding for finding in refused.value.findings if finding.level == "error"]
    assert (one.code, one.file) == ("IMAGE_MISSING", "lost.png") and "images=…" in one.message
    sized = msgspec.structs.replace(lost, image=fs.Image(path="lost.png", width=4, height=4))
    assert fs.write([sized], tmp_path / "out", to="coco", media="none").items == 1
