"""Objects of each kind of geometry, and of none, in every format: each comes back or is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.language.load import available
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.region import Region
from formatspec.testing.memory import image_bytes
from formatspec.testing.read_back import read_output, recorded, unexplained

WIDE, TALL = 40, 30
RING = (10, 10, 18, 10, 18, 16, 12, 17)
KINDS: dict[str, dict[str, Any]] = {
    "none": {},
    "box": {"bbox": (10, 10, 8, 6)},
    "turned": {"rotated": (20.0, 15.0, 8.0, 4.0, 30.0)},
    "outline": {"polygons": (RING,)},
    "line": {"polyline": (10, 10, 18, 10, 18, 16)},
    "point": {"keypoints": ((10, 10, 2),)},
    "circle": {"circle": (20, 15, 5)},
    "ellipse": {"ellipse": (20, 15, 5, 3, 0)},
    "pixels": {"region": Region.from_rings_evenodd((RING,), TALL, WIDE)},
}
BY_LABEL = {"dukemtmc_reid", "icdar_word_recognition", "lfw", "market1501", "mars", "msmt17", "mvtec", "vgg_face2"}
"""Formats that file or list images by their label or text, which these images have none of."""


def items(folder: Path) -> list[Item]:
    """Two images for each kind of geometry: of an object that has this alone, and behind or before it a whole one."""
    cat = Category(id=1, index=0, name="cat")
    whole = Object(id=1, category=cat, bbox=(1, 1, 5, 5), polygons=((1, 1, 6, 1, 6, 6, 1, 6),))
    made = []
    for name, geometry in KINDS.items():
        things = (Object(id=2, category=cat, **geometry), whole)
        for key, objects in ((f"{name}-first", things), (f"{name}-last", things[::-1])):
            (folder / f"{key}.png").write_bytes(image_bytes(WIDE, TALL, "png"))
            image = Image(path=f"{key}.png", width=WIDE, height=TALL)
            made.append(Item(key=key, image=image, subsets=("train",), objects=objects))
    return made


@pytest.mark.parametrize("to", sorted(set(available()) - BY_LABEL))
def test_an_object_of_any_geometry_comes_back_or_is_named(tmp_path: Path, to: str) -> None:
    with recorded() as (handed, options):
        result = fs.write(items(tmp_path), tmp_path / "out", to=to, images=tmp_path)
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    back = read_output(result.out, to, options)
    assert not unexplained(handed, back.items, lines, back.aside)
    wrong = [
        one for one in fs.validate(result.out, to).findings if one.level == "error" and one.code != "NOTHING_FOUND"
    ]
    assert not wrong
