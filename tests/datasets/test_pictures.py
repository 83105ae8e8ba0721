"""Items drawn as pictures, looked at pixel by pixel."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document
from files_on_disk import put
from PIL import Image

import formatspec as fs
from formatspec.model.pictures import colours
from formatspec.model.pictures.draw_item import FILL, WRONG
from formatspec.testing.memory import image_bytes

SIZE = 520, 560
"""Width and height; so large that nothing is enlarged."""


def plain_image(colour: tuple[int, int, int] = (100, 100, 100)) -> fs.Image:
    held = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(held, "PNG")
    return fs.Image(path="a.png", data=held.getvalue(), width=SIZE[0], height=SIZE[1])


def drawn(*things: fs.Object, **how: Any) -> Any:
    item = fs.Item(key="a", image=plain_image(), objects=things)
    return np.asarray(item.plot(**how))


def region(top: int, left: int, bottom: int, right: int) -> fs.Region:
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[top:bottom, left:right] = True
    return fs.Region.from_mask(mask)


CAT = fs.Category(name="cat")
COLOUR = colours.of_class("cat")


def test_a_region_is_laid_over_the_image_in_the_colour_of_its_class() -> None:
    pixels = drawn(fs.Object(category=CAT, region=region(100, 100, 200, 300)))
    laid = np.round(100 * (1 - FILL) + np.array(COLOUR) * FILL)
    assert np.abs(pixels[150, 200] - laid).max() <= 1 and (pixels[400, 400] == 100).all()
    assert (pixels.shape[1], pixels.shape[0]) == SIZE


def test_hidden_parts_are_hatched() -> None:
    pixels = drawn(fs.Object(category=CAT, region=region(100, 100, 110, 110), hidden=region(200, 200, 300, 300)))
    part = (pixels[210:290, 210:290] == COLOUR).all(axis=2)
    assert 0.1 < part.mean() < 0.3


def test_boxes_outlines_turned_boxes_lines_circles_and_keypoints_are_drawn() -> None:
    def on(thing: fs.Object, x: int, y: int) -> bool:
        near = drawn(thing)[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3)
        return bool((near == COLOUR).all(axis=1).any())

    skeleton = fs.Category(name="cat", keypoint_names=("a", "b"), skeleton=((0, 1),))
    assert on(fs.Object(category=CAT, bbox=(100, 100, 80, 60)), 180, 130)
    assert on(fs.Object(category=CAT, polygons=((100, 100, 200, 100, 150, 200),)), 175, 150)
    assert on(fs.Object(category=CAT, rotated=(200, 200, 100, 40, 90)), 180, 240)
    assert on(fs.Object(category=CAT, polyline=(100, 100, 300, 300)), 200, 200)
    assert on(fs.Object(category=CAT, circle=(200, 200, 50)), 250, 200)
    assert on(fs.Object(category=CAT, ellipse=(200, 200, 60, 20, 90)), 200, 260)
    limb = fs.Object(category=skeleton, keypoints=((100, 300, 2), (300, 300, 2)))
    assert on(limb, 300, 300) and on(limb, 200, 300)


def test_colours_are_of_classes_or_of_objects() -> None:
    things = [fs.Object(category=CAT, bbox=(x, 200, 50, 50)) for x in (50, 250)]
    for by, same in (("class", True), ("object", False)):
        pixels = drawn(*things, by=by)
        assert ((pixels[250, 75] == pixels[250, 275]).all()) == same
    assert len({colours.of_class(f"class {n}") for n in range(100)}) > 90


def test_what_is_wrong_is_framed_in_red() -> None:
    thing = fs.Object(id=7, category=CAT, bbox=(100, 100, 80, 60))
    pixels = drawn(thing, wrong={7: ["BOX_OUTSIDE"]})
    assert (pixels[120, 96:100] == WRONG).all(axis=1).any()
    assert not (drawn(thing)[120, 96:100] == WRONG).all(axis=1).any()


def test_a_small_image_is_enlarged_and_one_that_is_missing_is_grey() -> None:
    small = fs.Item(key="a", image=fs.Image(path="a.png", data=image_bytes(20, 10, "png")))
    assert small.plot().size == (320, 160)
    missing = fs.Item(key="a", image=fs.Image(path="a.png", width=600, height=400))
    assert missing.plot().size == (600, 400) and missing._repr_png_()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="its size is not known"):
        fs.Item(key="a").plot()


def test_the_command_writes_pictures_and_contact_sheets(tmp_path: Path, run: Any) -> None:
    cats = (fs.Object(category=CAT, bbox=(0, 0, 4, 4)),)
    items = [fs.Item(key=key, image=fs.Image(path=f"{key}.png", data=image_bytes(12, 8, "png")), objects=cats)
             for key in "abcd"]  # fmt: skip
    fs.write(items, tmp_path / "data", to="coco")
    data, out = str(tmp_path / "data"), tmp_path / "p.png"
    assert run("plot", data, "default/b", "-o", str(out)).status == 0
    assert Image.open(out).size == (192, 128)
    assert run("plot", data, "-o", str(out), "--grid", "3x2").status == 0
    assert Image.open(out).size == (3 * 384, 2 * 402)
    several = run("plot", "coco", data, "default/a", "default/c", "-o", str(out))
    assert several.out.split() == [str(tmp_path / "p-1.png"), str(tmp_path / "p-2.png")]
    for arguments, words in (
        (["default/x"], "there is no item 'default/x'"),
        (["--grid", "3by2"], "columns and rows, 4x3"),
        (["--by", "colour"], "class or object"),
    ):
        refused = run("plot", data, *arguments, "-o", str(out))
        assert refused.status == 2 and words in refused.err


def test_a_finding_is_drawn_where_it_is(tmp_path: Path, run: Any) -> None:
    document = coco_document([("a.png", 600, 400)], [{"bbox": [500, 100, 300, 50], "area": 15000}])
    held = io.BytesIO()
    Image.new("RGB", (600, 400)).save(held, "PNG")
    put(tmp_path, {"annotations/instances_train.json": document, "train/a.png": held.getvalue()})
    assert run("plot", str(tmp_path), "-o", str(tmp_path / "p.png")).status == 0
    pixels = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    assert (pixels[:, 490:] == WRONG).all(axis=2).sum() > 200


def test_a_large_image_is_drawn_without_a_warning(recwarn: pytest.WarningsRecorder, monkeypatch: Any) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    large = fs.Image(path="a.png", data=image_bytes(12, 8, "png"), width=12, height=8)
    assert fs.Item(key="a", image=large).plot().size[0] >= 12
    assert not recwarn.list
    with pytest.raises(ValueError, match="by is 'class' or 'object', not 'colour'"):
        fs.Item(key="a", image=large).plot("colour")  # type: ignore[arg-type]


SHAPES: dict[str, dict[str, Any]] = {
    "nothing": {}, "box": {"bbox": (1, 1, 4, 4)}, "empty box": {"bbox": (1, 1, 0, 0)},
    "turned round": {"bbox": (9, 9, -3, -3)},
    "far outside": {"bbox": (-1e12, 0, 2e12, 5)}, "no number": {"bbox": (float("nan"), 1, 2, 2)},
    "rotated": {"rotated": (9, 9, 3, 3, 30)}, "outline": {"polygons": ((1, 1, 9, 1, 9, 9),)},
    "one point": {"polygons": ((1, 1),)},
    "no point": {"polygons": ((),)}, "line": {"polyline": (1, 1, 9, 9)}, "circle": {"circle": (5, 5, 3)},
    "circle of less than nothing": {"circle": (5, 5, -3)}, "ellipse": {"ellipse": (5, 5, 3, 2, 30)},
    "keypoints": {"keypoints": ((1, 1, 2), (5, 5, 1), (7, 7, 0))}, "unseen keypoints": {"keypoints": ((0, 0, 0),)},
    "region": {"region": fs.Region.from_mask(np.ones((10, 20), bool))},
    "empty region": {"region": fs.Region.from_mask(np.zeros((10, 20), bool))},
    "region of another size": {"region": fs.Region.from_mask(np.ones((5, 5), bool))},
    "text": {"bbox": (1, 1, 4, 4), "text": "h\n" * 900}, "no class": {"category": None, "bbox": (1, 1, 4, 4)},
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("by", ["class", "object"])
def test_any_shape_is_drawn(name: str, by: Any) -> None:
    """Whatever an object holds, right or wrong, its image is drawn."""
    cat = fs.Category(name="cat", keypoint_names=("a", "b"), skeleton=((0, 1), (1, 5)))
    image = fs.Image(path="a.png", data=image_bytes(20, 10, "png"), width=20, height=10)
    thing = fs.Object(**{"category": cat, **SHAPES[name]})
    assert fs.Item(key="a", image=image, objects=(thing,)).plot(by).size == (320, 160)


def test_a_ring_with_an_x_and_no_y_is_told() -> None:
    thing = fs.Object(polygons=((1, 1, 2, 2, 3),))
    with pytest.raises(ValueError, match="x and y in turn, but this one has 5 entries"):
        thing.box  # noqa: B018
