"""What a row of a label image says of its pixels: alternatives within it, and mistakes that are named."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from small_specs import keeps_the_laws, small_spec

from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.testing import laws

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
