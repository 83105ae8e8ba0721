"""Label images told by colours: a category that has none gets the one of the target's list, and what is painted in the
colour of nothing is named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from small_datasets import coco, converted, outlined, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

ROWS = [outlined(3, 15, 7, 6), outlined(20, 5, 7, 6, category_id=2)]
LISTED = """
formatspec: 1
name: listed
categories: [classes]
files:
  image: "{name}.jpg"
  classes:
    path: classes.json
    json: {"{name}": {each: categories by name, "#": "color | hexadecimal else palette(index + 1)"}}
  mask:
    path: "{name}.png"
    image: rgb
    pixels: {each: areas by category, RGB: category.color}
"""
SOME = """
formatspec: 1
name: some
files:
  image: "{name}.png"
  record:
    path: "record.json"
    json:
      classes: [{each: categories by name, name: name, "color?": color | numbers(3)}]
      images:
        - each: items by name
          name: "{name}"
          boxes: [{each: objects, class: category.name, ring: polygon | pairs}]
"""


def colours(path: Path) -> set[tuple[int, ...]]:
    """The colours of an image as it is looked at."""
    pixels = np.array(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")).reshape(-1, 3)
    return {tuple(one) for one in np.unique(pixels, axis=0).tolist()}


def test_a_mask_has_the_colours_that_the_list_of_classes_states(tmp_path: Path) -> None:
    spec = tmp_path / "listed.yaml"
    spec.write_text(LISTED)
    result = fs.convert(coco(tmp_path / "data", ROWS), to=spec, out=tmp_path / "out")
    assert not [line for line in result.losses if "color" in line]
    assert colours(tmp_path / "out/a.png") == {(0, 0, 0), (128, 0, 0), (0, 128, 0)}
    (item,) = fs.open(tmp_path / "out", spec)
    assert {area.category.name: area.region.area for area in item.areas if area.category} == {"cat": 42, "dog": 42}


def test_a_palette_of_categories_without_colours_is_not_black(tmp_path: Path) -> None:
    out, _ = converted(coco(tmp_path / "data", ROWS), "mapillary_vistas")
    assert colours(out / "train/v2.0/labels/a.png") == {(0, 0, 0), (128, 0, 0), (0, 128, 0)}


def stated(folder: Path, cat: str) -> tuple[Path, Path]:
    """A dataset whose first class has this colour, and its spec."""
    spec = folder / "some.yaml"
    spec.write_text(SOME)
    box = '{"class": "%s", "ring": [[%d, 5], [%d, 5], [%d, 11]]}'
    boxes = ", ".join(box % (name, x, x + 6, x + 6) for name, x in (("cat", 3), ("dog", 20)))
    record = (
        f'{{"classes": [{{"name": "cat", "color": {cat}}}, {{"name": "dog"}}], '
        f'"images": [{{"name": "a", "boxes": [{boxes}]}}]}}'
    )
    return spec, put(folder / "in", {"a.png": image_bytes(40, 30, "png"), "record.json": record})


def test_a_colour_that_another_class_states_is_not_given_again(tmp_path: Path) -> None:
    spec, data = stated(tmp_path, "[0, 128, 0]")  # the second colour of the palette
    fs.convert(data, spec=spec, to="color_masks", out=tmp_path / "out")
    (item,) = fs.open(tmp_path / "out", "color_masks")
    assert sorted(area.category.name for area in item.areas if area.category) == ["cat", "dog"]


def test_what_is_painted_in_the_colour_of_nothing_is_named(tmp_path: Path) -> None:
    spec, data = stated(tmp_path, "[0, 0, 0]")
    result = fs.convert(data, spec=spec, to="color_masks", out=tmp_path / "out")
    (item,) = fs.open(tmp_path / "out", "color_masks")
    assert [area.category.name for area in item.areas if area.category] == ["dog"]
    assert [line for line in result.losses if "0, 0, 0 stands for nothing" in line and line.endswith(": 1 object")]


def test_a_computed_mask_that_shows_nothing_of_a_class_loses_nothing(tmp_path: Path) -> None:
    """Cityscapes: an object of a class that is not trained on is in the instance image, and 255 in the training one."""
    pixels = {"instanceIds": [1024, 24001], "labelIds": [1, 24], "labelTrainIds": [255, 11]}
    files = {"leftImg8bit/train/a/a_000000_000000_leftImg8bit.png": image_bytes(2, 1, "png")}
    for name, values in pixels.items():
        stream = io.BytesIO()
        Image.fromarray(np.array([values], np.uint16 if name == "instanceIds" else np.uint8)).save(stream, "PNG")
        files[f"gtFine/train/a/a_000000_000000_gtFine_{name}.png"] = stream.getvalue()
    data = put(tmp_path / "data", files)
    result = fs.convert(data, spec="cityscapes", to="cityscapes", out=tmp_path / "out", where="true")
    assert result.losses == ()
    written = tmp_path / "out/gtFine/train/a/a_000000_000000_gtFine_labelTrainIds.png"
    assert np.array(Image.open(written)).tolist() == [pixels["labelTrainIds"]]
