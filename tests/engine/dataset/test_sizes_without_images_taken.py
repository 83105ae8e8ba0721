"""Sizes where no image is taken along: read from the images of those items alone whose sizes nothing else states."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.language.load import bundled
from formatspec.testing.memory import image_bytes


def sizes(folder: Path) -> list[tuple[int, int]]:
    """The sizes of all images that the COCO files of a folder list."""
    documents = [json.loads(file.read_text()) for file in sorted(folder.rglob("instances*.json"))]
    return [(one["width"], one["height"]) for document in documents for one in document["images"]]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two images beside one XML file, which states the size of one of them."""
    shutil.copytree(bundled() / "examples/labelimg_voc", tmp_path / "data")
    (tmp_path / "data/unlabelled.jpg").write_bytes(image_bytes(31, 17, "jpg"))
    return tmp_path / "data"


def test_an_image_without_a_document_is_written_with_the_size_that_its_header_has(
    labelled: Path, tmp_path: Path
) -> None:
    count = len(fs.open(labelled))
    result = fs.convert(labelled, to="coco", out=tmp_path / "out", media="none")
    assert result.items == count and (31, 17) in sizes(tmp_path / "out")
    assert len(sizes(tmp_path / "out")) == count
    assert not any("not written" in line for line in result.losses)


def test_a_document_that_may_state_a_size_and_does_not_leaves_it_to_the_image(tmp_path: Path) -> None:
    (tmp_path / "data/images").mkdir(parents=True)
    (tmp_path / "data/images/a.png").write_bytes(image_bytes(20, 10, "png"))
    row = {"name": "a.png", "labels": [{"id": "1", "category": "car", "box2d": {"x1": 1, "y1": 1, "x2": 4, "y2": 4}}]}
    (tmp_path / "data/labels.json").write_text(json.dumps([row]))
    fs.convert(tmp_path / "data", spec="scalabel", to="coco", out=tmp_path / "out", media="none")
    assert sizes(tmp_path / "out") == [(20, 10)]


def test_an_image_that_cannot_be_read_stops_nothing_where_it_is_not_taken(labelled: Path, tmp_path: Path) -> None:
    (labelled / "unlabelled.jpg").write_bytes(b"no image")
    result = fs.convert(labelled, to="coco", out=tmp_path / "out", media="none")
    assert "items not written (no image.width): 1 item" in result.losses
