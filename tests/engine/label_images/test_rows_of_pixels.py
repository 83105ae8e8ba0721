"""What a row of a label image says of its pixels: alternatives within it, and mistakes that are named."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from small_specs import keeps_the_laws, small_spec

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.model.region import Region
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

FILES = """
  image: "images/{{name}}.{{ext:image}}"
  classes: {{path: classes.txt, lines: {{each: categories, lines: "{{name}}"}}}}
  mask:
    path: "masks/{{name}}.png"
    image: {mode}
    pixels: {pixels}
"""


def spec_of(folder: Path, pixels: str, mode: str = "index") -> Path:
    files = FILES.format(mode=mode, pixels=pixels)
    return small_spec(folder, "small", files, {}, "categories: [classes]\n")[1]


@pytest.mark.parametrize(
    ("mode", "pixels"),
    [
        ("index", '{each: areas by category, one of: [{P: "category.index | from(1)"}, {P: 255}]}'),
        (
            "index",
            '{one of: [{each: void, P: 255}, {each: areas by category, one of: [{P: "category.index | from(1)"}]}]}',
        ),
        ("rgb", '{each: areas by category, B: 7, one of: [{R: "category.index | from(1)"}, {G: 9}]}'),
    ],
)
def test_a_row_of_pixels_has_alternatives(mode: str, pixels: str, tmp_path: Path) -> None:
    keeps_the_laws(spec_of(tmp_path, pixels, mode))


@pytest.mark.parametrize(
    ("mode", "pixels", "words"),
    [
        ("index", "{each: areas by category}", "`each: areas` names no channel of a pixel"),
        (
            "index",
            '{each: areas by category, "*": keep}',
            "a pixel has no other keys than its channels|names no channel",
        ),
        (
            "index",
            '{each: areas by category, P: category.index, "*": keep}',
            "a pixel has no other keys than its channels",
        ),
        ("index", "{each: areas by category, P: keep}", "the value of `P` is a number, and this leaf gives none"),
        ("index", "{each: areas by category, P: absent}", "the value of `P` is a number, and this leaf gives none"),
        ("index", '{each: areas by category, P: "{category.index}"}', "the value of `P` is a number"),
        ("index", "{each: areas by category, P: [category.index]}", "the value of `P` is a number"),
        ("index", "{each: areas by category, P: {x: category.index}}", "the value of `P` is a number"),
        ("index", "{each: areas by category, R: category.index}", "`R` is a channel of other images .*`image: index`"),
        ("rgb", "{each: areas by category, L: category.index}", "`L` is a channel of other images .*`image: rgb`"),
        ("index", "{each: areas by category, one of: [{P: 1}, {Q: 2}]}", "'Q' is no channel of a label image"),
    ],
)
def test_a_mistake_in_a_row_of_pixels_is_named(mode: str, pixels: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=words):
        laws.hold(load_source(spec_of(tmp_path, pixels, mode)), random.Random(0))


@pytest.mark.parametrize(
    ("mode", "track", "fits"),
    [
        ("palette", 255, True),
        ("palette", 256, False),
        ("gray", 300, False),
        ("gray16", 65535, True),
        ("index", 65536, False),
    ],
)
def test_a_value_that_the_image_cannot_hold_is_a_loss_and_no_fault(
    mode: str, track: int, fits: bool, tmp_path: Path
) -> None:
    """Tracks of one format may be greater than the values of another's masks."""
    files = f"""
  image: "images/{{name}}.{{ext:image}}"
  mask: {{path: "masks/{{name}}.png", image: {mode}, pixels: {{each: objects by track where region, P: track}}}}
"""
    _, spec = small_spec(tmp_path, "small", files, {})
    mask = np.eye(8, 6, dtype=bool)
    things = [fs.Object(track=number, region=Region.from_mask(own)) for number, own in ((track, mask), (1, ~mask))]
    image = fs.Image(data=image_bytes(6, 8, "png"), path="a.png", width=6, height=8)
    result = fs.write([fs.Item(key="a", image=image, objects=tuple(things))], tmp_path / "out", to=spec)
    told = sorted(thing.track for item in fs.open(tmp_path / "out", spec) for thing in item.objects)
    assert told == ([1, track] if fits else [1])
    assert bool(result.losses) is not fits
