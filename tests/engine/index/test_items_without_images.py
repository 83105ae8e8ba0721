"""Datasets whose annotations were handed on without the images: the rows that name images name the items."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_specs import small_spec

import formatspec as fs
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS

SPECS = Path(__file__).parents[3] / "specs"
NAMED_BY_OBJECTS = (
    "cvat_video", "kitti_tracking", "mot_seq", "mots_txt", "retinanet_csv", "sku110k", "tfod_csv", "ua_detrac",
    "udacity", "via_csv", "visdrone_vid", "vott_csv",
)  # fmt: skip
"""Formats with shared files alone, in which rows of objects name the images."""
ALONG = """
  image: "frames/{frame:03d}.{ext:image}"
  tracks:
    path: tracks.json
    json:
      - each: group by track
        id: track
        class: category.name
        rows: [{each: objects along frame, at: frame, box: bbox | xywh}]
"""


def without_images(example: Path, out: Path) -> Path:
    """Copy an example without its images."""
    shutil.copytree(example, out)
    for path in [path for path in out.rglob("*") if path.suffix[1:].lower() in IMAGE_EXTENSIONS]:
        path.unlink()
    return out


@pytest.mark.parametrize("name", NAMED_BY_OBJECTS)
def test_rows_of_objects_name_the_items_of_a_dataset_without_images(name: str, tmp_path: Path) -> None:
    example = SPECS / "examples" / name
    data = without_images(example, tmp_path / "data")
    held = sum(len(item.objects) for item in fs.open(example, name))
    assert held > 0
    assert sum(len(item.objects) for item in fs.open(data, name)) == held
    codes = {finding.code for finding in fs.validate(data, name).findings}
    assert codes - {finding.code for finding in fs.validate(example, name).findings} == {"IMAGE_ABSENT"}


def test_a_video_without_its_frames_is_converted(tmp_path: Path) -> None:
    data = without_images(SPECS / "examples" / "cvat_video", tmp_path / "data")
    assert fs.open(data).format == "cvat_video"
    fs.convert(data, to="coco", out=tmp_path / "coco", media="none")
    [written] = (tmp_path / "coco").rglob("instances*.json")
    document = json.loads(written.read_text())
    assert len(document["images"]) == 6
    assert {(one["width"], one["height"]) for one in document["images"]} == {(64, 48)}
    assert len(document["annotations"]) == 11


def test_rows_that_follow_from_others_name_no_frame_of_their_own(tmp_path: Path) -> None:
    """Frames 1 and 3 are named by no row, so the dataset may not have them; frame 2 is named by another object."""
    tracks = [
        {"id": 1, "class": "a", "rows": [{"at": 0, "box": [0, 0, 2, 2]}, {"at": 4, "box": [8, 0, 2, 2]}]},
        {"id": 2, "class": "b", "rows": [{"at": 2, "box": [1, 1, 2, 2]}]},
    ]
    data, spec = small_spec(tmp_path, "along", ALONG, {"tracks.json": tracks})
    held = {item.frame: [thing.bbox for thing in item.objects] for item in fs.open(data, spec)}
    assert held == {0: [(0, 0, 2, 2)], 2: [(4, 0, 2, 2), (1, 1, 2, 2)], 4: [(8, 0, 2, 2)]}


def test_an_image_that_is_missing_among_others_is_still_a_finding(tmp_path: Path) -> None:
    example = tmp_path / "data"
    shutil.copytree(SPECS / "examples" / "cvat_video", example)
    (example / "images" / "frame_000004.png").unlink()
    assert "UNKNOWN_REFERENCE" in {finding.code for finding in fs.validate(example).findings}


def test_images_that_lie_in_another_folder_are_not_taken_for_absent(tmp_path: Path) -> None:
    """They are there, but no role claims them: so the folder in a path is wrong, which a finding must say."""
    tracks = [{"id": 1, "class": "a", "rows": [{"at": 0, "box": [0, 0, 2, 2]}]}]
    data, spec = small_spec(tmp_path, "along", ALONG, {"pictures/000.png": (4, 4), "tracks.json": tracks})
    assert "NOTHING_FOUND" in {finding.code for finding in fs.validate(data, spec).findings}


def test_rows_name_the_items_whose_masks_alone_are_there(tmp_path: Path) -> None:
    """Files of single objects name items, and make none: the rows do, as where there is no such file."""
    example = SPECS / "examples" / "open_images"
    data = tmp_path / "data"
    shutil.copytree(example, data)
    shutil.rmtree(data / "images")
    assert any((data / "masks").rglob("*.png"))
    held = {item.key: [label.category.name for label in item.labels if label.category] for item in fs.open(example)}
    assert {
        item.key: [label.category.name for label in item.labels if label.category]
        for item in fs.open(data, "open_images")
    } == held
    codes = {finding.code for finding in fs.validate(data, "open_images").findings}
    assert "UNKNOWN_REFERENCE" not in codes and "IMAGE_ABSENT" in codes
