"""Shared files of which a spec gives only the path: a copy to the same format has them, or the report names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_datasets import coco, outlined, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

SPEC = """\
formatspec: 1
name: beside_calibration
files:
  image: "images/{name}.{ext:image}"
  labels:
    path: "labels/{name}.json"
    json: {boxes: [{each: objects, class: category.name, box: bbox | xywh}]}
  calibration: {path: "calibration/{camera}.txt", need: kept}
"""
LINE = "kept files: calibration (1 file)"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    files = {
        "images/a.png": image_bytes(40, 30, "png"),
        "labels/a.json": '{"boxes": [{"class": "cat", "box": [1, 2, 3, 4]}]}',
        "calibration/left.txt": "1 0 0\n",
    }
    (tmp_path / "spec.yaml").write_text(SPEC)
    return put(tmp_path / "in", files)


def test_a_copy_to_the_same_format_has_the_kept_file(data: Path, tmp_path: Path) -> None:
    spec = str(tmp_path / "spec.yaml")
    result = fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", lossless=True)
    assert (tmp_path / "out/calibration/left.txt").read_text() == "1 0 0\n"
    assert (result.files, result.losses) == (3, ())


def test_a_selection_names_the_kept_file_that_it_leaves_out(data: Path, tmp_path: Path) -> None:
    spec = str(tmp_path / "spec.yaml")
    result = fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="category.name == 'cat'")
    assert not (tmp_path / "out/calibration").exists()
    assert result.losses == (LINE,)


def test_an_item_that_is_left_out_makes_the_kept_file_a_loss(data: Path, tmp_path: Path) -> None:
    """Nobody knows whether the file still belongs to the other items."""
    put(data, {"images/b.png": b"no image", "labels/b.json": (data / "labels/a.json").read_bytes()})
    spec = str(tmp_path / "spec.yaml")
    result = fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", on={"error": "drop-item"})
    assert (result.items, result.skipped) == (1, 1)
    assert not (tmp_path / "out/calibration").exists()
    assert result.losses == (LINE,)


def test_a_conversion_to_another_format_names_the_kept_file(data: Path, tmp_path: Path) -> None:
    result = fs.convert(data, spec=str(tmp_path / "spec.yaml"), to="coco", out=tmp_path / "out")
    assert LINE in result.losses


FILES_OF_AN_ITEM = """\
formatspec: 1
name: with_kept_files
files:
  image: "images/{name}.{ext:image}"
  labels:
    path: "labels/{name}.json"
    json: {boxes: [{each: objects, class: category.name, box: bbox | xywh, "outline?": polygons | pairs}]}
  again: {like: labels, path: "again/{name}.json", need: kept}
  mask:
    path: "masks/{name}.png"
    need: kept
    image: gray
    pixels: {each: objects by index where region, L: index | from(1)}
"""


def test_kept_files_of_an_item_are_not_made_from_another_format(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(FILES_OF_AN_ITEM)
    spec = str(tmp_path / "spec.yaml")
    fs.convert(coco(tmp_path / "in", [outlined(1, 1, 5, 5)]), to=spec, out=tmp_path / "out")
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("a.*")) == ["images", "labels"]
    put(tmp_path / "out", {"again/a.json": (tmp_path / "out/labels/a.json").read_bytes()})
    fs.convert(tmp_path / "out", spec=spec, to=spec, out=tmp_path / "copy")
    assert sorted(path.parent.name for path in (tmp_path / "copy").rglob("a.*")) == ["again", "images", "labels"]


def test_masks_of_voc_are_written_once(tmp_path: Path) -> None:
    fs.convert(coco(tmp_path / "in", [outlined(1, 1, 5, 5)]), to="voc", out=tmp_path / "out")
    assert {path.parent.name for path in (tmp_path / "out").rglob("*.png")} <= {
        "JPEGImages", "SegmentationClass", "SegmentationObject",
    }  # fmt: skip
