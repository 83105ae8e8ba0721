"""Objects whose pixels share one list of runs, and keypoints that rows name themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.codecs.regions.shared_runs import rows_of_runs, runs_of_rows
from formatspec.testing.memory import image_bytes

SPEC = """
formatspec: 1
name: shared
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      things: [{each: objects by id, id: id, class: category.name, "box?": bbox | xywh}]
      pixels:
        each: objects in runs by id where kept
        numbers: id
        runs: region | value_runs
        total: = image.width * image.height
"""
RUNS = {"numbers": {"p": 2, "q": 5}, "runs": [0, 1, 2, 2, 5, 1, 2, 1, 0, 7], "total": 12}


def put(folder: Path, pixels: Any, spec: str = SPEC) -> Path:
    document = {"things": [{"id": "p", "class": "cat"}, {"id": "q", "class": "dog"}], "pixels": pixels}
    for path, data in {
        "images/a.png": image_bytes(4, 3, "png"),
        "labels/a.json": json.dumps(document).encode(),
        "shared.yaml": spec.encode(),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_rows_and_their_inverse() -> None:
    rows = rows_of_runs(RUNS)
    assert rows == [
        {"numbers": "p", "runs": [0, 1, 1, 2, 0, 1, 1, 1, 0, 7], "total": 12},
        {"numbers": "q", "runs": [0, 3, 1, 1, 0, 8], "total": 12},
    ]
    assert runs_of_rows(rows, "numbers", RUNS) == RUNS
    assert runs_of_rows(rows, "numbers", None)["numbers"] == {"p": 1, "q": 2}
    assert runs_of_rows(rows[1:], "numbers", RUNS) == {
        "numbers": {"q": 5}, "runs": [0, 3, 5, 1, 0, 8], "total": 12}  # fmt: skip
    assert runs_of_rows([], "numbers", None) == {} and rows_of_runs({}) == []
    assert runs_of_rows([], "numbers", RUNS) == {"numbers": {}, "runs": [0, 12], "total": 12}


@pytest.mark.parametrize(
    "wrong",
    [
        {"numbers": {"p": 1}, "runs": [1, 4, 2, 8]},  # 2 is nobody's
        {"numbers": {"p": 0}, "runs": [0, 12]},
        {"numbers": {"p": 1, "q": 1}, "runs": [1, 12]},
        {"numbers": {"p": 1}, "runs": [1]},
        {"numbers": {"p": 1}, "runs": [1, -3]},
        {"numbers": {"p": 1}},
        [1, 2],
    ],
)
def test_what_is_no_such_mapping(tmp_path: Path, wrong: Any) -> None:
    assert rows_of_runs(wrong) is None
    folder = put(tmp_path, wrong)
    (finding,) = [one for one in fs.validate(folder, folder / "shared.yaml").findings if one.level == "error"]
    assert (finding.code, finding.pointer) == ("FIELD", "/pixels")


def test_objects_get_the_pixels_of_their_number(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", RUNS)
    (item,) = fs.open(folder, folder / "shared.yaml")
    assert [(one.id, one.category.name, one.region.area, one.region.bbox) for one in item.objects] == [
        ("p", "cat", 3, (0, 0, 3, 2)),
        ("q", "dog", 1, (3, 0, 1, 1)),
    ]
    out = tmp_path / "out"
    report = fs.convert(folder, spec=folder / "shared.yaml", to=folder / "shared.yaml", out=out, where="name == 'a'")
    assert list(report.loss_report) == []
    assert json.loads((out / "labels/a.json").read_text())["pixels"] == RUNS


def test_pixels_beyond_the_image_are_told(tmp_path: Path) -> None:
    folder = put(tmp_path, {**RUNS, "runs": [2, 20, 5, 1]})
    codes = {one.code for one in fs.validate(folder, folder / "shared.yaml").findings if one.level == "error"}
    assert "REGION_SIZE" in codes


NAMED = """
formatspec: 1
name: named
categories: [classes]
files:
  image: "images/{name}.{ext:image}"
  classes: {path: classes.json, json: [{each: categories, name: name, graph: "keypoint_names, skeleton | named_graph"}]}
  record:
    path: "labels/{name}.json"
    json:
      - each: objects
        class: category.name
        nodes: keypoints, category.keypoint_names | points_by_name(at, hidden)
"""


def test_keypoints_stand_in_the_order_of_their_category(tmp_path: Path) -> None:
    names = {"nodes": {"nose": {}, "ear": {}, "tail": {}}, "edges": [{"src": "ear", "dst": "nose"}]}
    rows = [
        {"class": "cat", "nodes": {"tail": {"at": [3, 1]}, "nose": {"at": [1, 1], "hidden": True}}},
        {"class": "cat", "nodes": {"nose": {"at": [1, 2]}, "ear": {"at": [2, 2]}, "tail": {"at": [3, 2]}}},
    ]
    (tmp_path / "in/images").mkdir(parents=True)
    (tmp_path / "in/labels").mkdir()
    (tmp_path / "in/images/a.png").write_bytes(image_bytes(4, 3, "png"))
    (tmp_path / "in/classes.json").write_text(json.dumps([{"name": "cat", "graph": names}]))
    (tmp_path / "in/labels/a.json").write_text(json.dumps(rows))
    (tmp_path / "named.yaml").write_text(NAMED)
    (item,) = fs.open(tmp_path / "in", tmp_path / "named.yaml")
    assert [one.keypoints for one in item.objects] == [
        ((1, 1, 1), (0, 0, 0), (3, 1, 2)),
        ((1, 2, 2), (2, 2, 2), (3, 2, 2)),
    ]
    fs.convert(tmp_path / "in", spec=tmp_path / "named.yaml", to="coco", out=tmp_path / "coco")
    (file,) = (tmp_path / "coco/annotations").glob("person_keypoints*.json")
    document = json.loads(file.read_text())
    assert document["categories"][0]["keypoints"] == ["nose", "ear", "tail"]
    assert document["categories"][0]["skeleton"] == [[2, 1]]
    assert document["annotations"][0]["keypoints"] == [1, 1, 1, 0, 0, 0, 3, 1, 2]
    fs.convert(tmp_path / "coco", spec="coco", to=tmp_path / "named.yaml", out=tmp_path / "back")
    (written,) = (tmp_path / "back/labels").glob("*.json")
    assert [list(one["nodes"]) for one in json.loads(written.read_text())] == [
        ["nose", "tail"],
        ["nose", "ear", "tail"],
    ]


def test_files_that_a_format_ignores_are_named_where_its_copy_is_without_them(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", RUNS, SPEC.replace("files:", 'ignore: ["extra/**", "*.yaml"]\nfiles:', 1))
    (folder / "extra").mkdir()
    (folder / "extra/notes.txt").write_text("kept by nobody")
    (folder / ".hidden").write_text("")
    spec = folder / "shared.yaml"
    said = list(fs.convert(folder, spec=spec, to=spec, out=tmp_path / "out").notices)
    assert "left where they are, since shared ignores them: 2 files (extra/notes.txt, shared.yaml)" in said
    assert not any("ignores" in one for one in fs.convert(folder, spec=spec, to="coco", out=tmp_path / "coco").notices)
