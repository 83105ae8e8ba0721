"""Files whose paths spell the id of an object and nothing else: whose they are, the ids in documents tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import formatspec as fs
from formatspec.pixels.png import encode
from tests.files_on_disk import put
from tests.written_files import written_bytes

SPEC = """
formatspec: 1
name: numbered_masks
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json: {things: [{each: objects by id, id: id, class: category.name, "box?": bbox | xywh}]}
  mask: {path: "masks/{object.id}.png", need: kept, image: gray, pixels: {each: objects by id where region, L: 255}}
"""


def _mask(x: int, y: int, width: int, height: int) -> bytes:
    pixels = np.zeros((10, 20), np.uint8)
    pixels[y : y + height, x : x + width] = 255
    return encode(pixels, "gray")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "numbered_masks.yaml").write_text(SPEC)
    return tmp_path / "numbered_masks.yaml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return put(
        tmp_path / "data",
        {
            "images/a.png": None,
            "images/b.png": None,
            "labels/a.json": {
                "things": [{"id": "k1", "class": "cat"}, {"id": "k2", "class": "dog", "box": [1, 2, 3, 4]}]
            },
            "labels/b.json": {"things": [{"id": "k3", "class": "cat"}]},
            "masks/k1.png": _mask(2, 3, 5, 4),
            "masks/k3.png": _mask(0, 0, 1, 2),
        },
    )


def test_each_file_is_its_objects(spec: Path, data: Path) -> None:
    a, b = fs.open(data, spec)
    assert [None if one.region is None else one.area for one in a.objects] == [20, None]
    assert [one.area for one in b.objects] == [2]
    assert list(fs.validate(data, spec, deep=True).findings) == []


def test_a_file_of_no_object_is_named(spec: Path, data: Path) -> None:
    (data / "masks/k9.png").write_bytes(_mask(0, 0, 2, 2))
    found = fs.validate(data, spec).findings
    assert [(one.code, one.file) for one in found] == [("FILE_ORPHAN", "masks/k9.png")]


def test_the_files_stand_in_a_copy_and_are_pixels_elsewhere(spec: Path, data: Path, tmp_path: Path) -> None:
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "same")
    assert written_bytes(tmp_path / "same") == written_bytes(data)
    fs.convert(data, spec=spec, to="coco", out=tmp_path / "coco")
    areas = sorted(one.area for item in fs.open(tmp_path / "coco", "coco") for one in item.objects)
    assert areas == [2, 12, 20]
