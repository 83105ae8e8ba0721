"""Rows name images by absolute paths and addresses, of which only the end lies in the dataset."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from files_on_disk import spec_file
from listed_images import listed_images

import formatspec as fs
from formatspec.testing.memory import image_bytes

LISTED = """
formatspec: 1
name: listed
items: list
files:
  image: "{name:path}.{ext:image}"
  list:
    path: list.txt
    lines:
      each: items
      lines: {line: "{name}.{ext}", words: {each: objects, lines: "{bbox | sides | joined(',', numbers)}"}}
"""

SEGMENTS = """
formatspec: 1
name: segments
files:
  image: "{subset}/{name}.{ext:image}"
  boxes:
    path: "{subset}.csv"
    csv: {each: objects, file: "{name}.{ext}", "x, y, w, h": bbox | xywh}
"""

OWN_RECORD = """
formatspec: 1
name: own_record
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json: {image: path.image, boxes: [{each: objects, "#": bbox | xywh}]}
"""


def _put(folder: Path, *images: str) -> Path:
    for number, one in enumerate(images):
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
        (folder / one).write_bytes(image_bytes(40 + number, 30, one.rpartition(".")[2]))
    return folder


@pytest.mark.parametrize(
    "named",
    [
        "/data/images/sub/a.png",
        "/home/me/sub/a.png",
        "/somewhere/else/a.png",
        "D:/data/sub/a.png",
        "D:\\data\\sub\\a.png",
        "s3://bucket/sub/a.png",
        "https://example.org/files/a.png",
    ],
)
def test_the_end_of_a_path_names_the_image_and_the_path_stays_in_a_copy(named: str, tmp_path: Path) -> None:
    rows = [{"file": named, "boxes": [{"box": [1, 2, 3, 4]}]}]
    spec, data = listed_images(tmp_path, ["sub/a.png", "sub/b.png", "other/c.png"], {"rows.json": rows})
    found = {item.key: item for item in fs.open(data, spec)}
    assert [thing.bbox for thing in found["sub/a"].objects] == [(1, 2, 3, 4)]
    assert not [one for one in fs.validate(data, spec).findings if one.level == "error"]
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="key == 'sub/a'")
    assert json.loads((tmp_path / "out" / "rows.json").read_text("utf-8"))[0]["file"] == named


def test_the_longest_end_counts(tmp_path: Path) -> None:
    rows = [{"file": "/data/val/a.png", "boxes": [{"box": [1, 2, 3, 4]}]}]
    spec, data = listed_images(tmp_path, ["train/a.png", "val/a.png"], {"rows.json": rows})
    found = {item.key: len(item.objects) for item in fs.open(data, spec)}
    assert found == {"val/a": 1}


def test_a_whole_name_goes_before_a_part_of_one(tmp_path: Path) -> None:
    rows = [{"file": "/data/a.png", "boxes": [{"box": [1, 2, 3, 4]}]}]
    spec, data = listed_images(tmp_path, ["a.png", "sub/a.png"], {"rows.json": rows})
    assert {item.key: len(item.objects) for item in fs.open(data, spec)} == {"a": 1}


def test_a_path_that_may_mean_two_images_means_none(tmp_path: Path) -> None:
    rows = [{"file": "/data/a.png", "boxes": [{"box": [1, 2, 3, 4]}]}]
    spec, data = listed_images(tmp_path, ["one/a.png", "two/a.png"], {"rows.json": rows})
    (finding,) = [one for one in fs.validate(data, spec).findings if one.code == "FILE_AMBIGUOUS"]
    assert finding.file == "rows.json" and "one/a or another that ends in a" in finding.message
    assert list(fs.open(data, spec)) == []


def test_a_path_whose_end_no_image_has_leads_out(tmp_path: Path) -> None:
    rows = [{"file": "/etc/passwd.png", "boxes": [{"box": [1, 2, 3, 4]}]}]
    spec, data = listed_images(tmp_path, ["a.png"], {"rows.json": rows})
    (finding,) = [one for one in fs.validate(data, spec).findings if one.code == "PATH_ESCAPES"]
    assert finding.file == "rows.json" and "one whose end is the path of a file below it" in (finding.expected or "")


def test_a_line_of_a_list_may_begin_with_one(tmp_path: Path) -> None:
    data = _put(tmp_path / "data", "imgs/a.jpg", "imgs/b.jpg")
    (data / "list.txt").write_text("/data/imgs/a.jpg 1,2,10,12\nC:/data/imgs/b.jpg 3,4,9,9 1,1,5,5\n", "utf-8")
    spec = spec_file(tmp_path, LISTED)
    assert fs.validate(data, spec).findings == ()
    assert {item.key: len(item.objects) for item in fs.open(data, spec)} == {"imgs/a": 1, "imgs/b": 2}
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="true")
    assert (tmp_path / "out" / "list.txt").read_text("utf-8") == (data / "list.txt").read_text("utf-8")


def test_a_name_of_one_segment_is_the_last_segment(tmp_path: Path) -> None:
    data = _put(tmp_path / "data", "train/a.jpg", "val/a.jpg")
    (data / "train.csv").write_text("file,x,y,w,h\n/data/train/a.jpg,1,2,3,4\n", "utf-8")
    (data / "val.csv").write_text("file,x,y,w,h\nC:\\data\\val\\a.jpg,5,6,7,8\n", "utf-8")
    spec = spec_file(tmp_path, SEGMENTS)
    assert fs.validate(data, spec).findings == ()
    found = {item.key: [thing.bbox for thing in item.objects] for item in fs.open(data, spec)}
    assert found == {"train/a": [(1, 2, 3, 4)], "val/a": [(5, 6, 7, 8)]}


def test_a_document_of_one_image_may_name_it_by_one(tmp_path: Path) -> None:
    data = _put(tmp_path / "data", "a.jpg", "b.jpg")
    (data / "a.json").write_text('{"image": "/home/me/pictures/a.jpg", "boxes": [[1, 2, 3, 4]]}', "utf-8")
    (data / "b.json").write_text('{"image": "/home/me/pictures/z.jpg", "boxes": [[1, 2, 3, 4]]}', "utf-8")
    spec = spec_file(tmp_path, OWN_RECORD)
    assert [(one.code, one.file) for one in fs.validate(data, spec).findings] == [("PATH_ESCAPES", "b.json")]


@pytest.mark.parametrize("stated", ["..\\\\images\\\\a.jpg", "../a.jpg", "images/a.jpg", "A.jpg"])
def test_a_document_beside_its_image_may_state_the_folder_that_it_came_from(stated: str, tmp_path: Path) -> None:
    """The image is there; what the path says otherwise is a warning, and is put right where it is written."""
    data = _put(tmp_path / "data", "a.jpg")
    (data / "a.json").write_text(f'{{"image": "{stated}", "boxes": [[1, 2, 3, 4]]}}', "utf-8")
    spec = spec_file(tmp_path, OWN_RECORD)
    (finding,) = fs.validate(data, spec).findings
    assert (finding.code, finding.level, finding.expected) == ("DIFFERS", "warning", "a.jpg")
    assert [thing.bbox for item in fs.open(data, spec) for thing in item.objects] == [(1, 2, 3, 4)]
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out")
    assert json.loads((tmp_path / "out/a.json").read_text("utf-8"))["image"] == "a.jpg"


@pytest.mark.parametrize("stated", ["../b.jpg", "../../etc/passwd"])
def test_a_path_that_climbs_to_another_file_is_refused(stated: str, tmp_path: Path) -> None:
    data = _put(tmp_path / "data", "a.jpg")
    (data / "a.json").write_text(f'{{"image": "{stated}", "boxes": [[1, 2, 3, 4]]}}', "utf-8")
    assert [one.code for one in fs.validate(data, spec_file(tmp_path, OWN_RECORD)).findings] == ["PATH_ESCAPES"]


@pytest.mark.parametrize("stated", ["..\\\\images\\\\a.png", "../images/a.png", "/home/me/a.png", "C:\\\\me\\\\a.png"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_document_without_its_image_may_state_the_folder_that_it_came_from(
    stated: str, inside: bool, tmp_path: Path
) -> None:
    """LabelMe keeps images within documents, and the paths that they had; the documents may come alone."""
    image = base64.b64encode(image_bytes(20, 10, "png")).decode() if inside else None
    shape = {"label": "cat", "points": [[1, 2], [9, 2], [9, 8]], "shape_type": "polygon", "group_id": None, "flags": {}}
    record = {"version": "5.5.0", "flags": {}, "shapes": [shape], "imagePath": json.loads(f'"{stated}"')}
    (tmp_path / "data").mkdir()
    document = {**record, "imageData": image, "imageHeight": 10, "imageWidth": 20}
    (tmp_path / "data/a.json").write_text(json.dumps(document), "utf-8")
    levels = {one.code: one.level for one in fs.validate(tmp_path / "data").findings}
    assert levels == {"DIFFERS": "warning"} | ({} if inside else {"IMAGE_ABSENT": "info"})
    fs.convert(tmp_path / "data", to="coco", out=tmp_path / "out", media="copy" if inside else "none")
    assert (tmp_path / "out/images/default/a.png").is_file() == inside
    (item,) = fs.open(tmp_path / "out")
    assert len(item.objects) == 1
    fs.convert(tmp_path / "data", to="labelme", out=tmp_path / "copy", media="copy" if inside else "none")
    assert json.loads((tmp_path / "copy/a.json").read_text("utf-8"))["imagePath"] == "a.png"
