"""Objects through the frames of a sequence: rows of one object in a group, by frame, by place, and some left out."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.engine.documents.around import Around
from formatspec.engine.documents.keyed_rows import file_path, mapping_from_rows, rows_from_mapping
from formatspec.files.document import FileError
from formatspec.language.entries.rule_entries import parse_rule
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.language.yaml_source import load
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

HEAD = "formatspec: 1\nname: tracks\nfiles:\n  image: 'frames/{sequence}/{frame:03d}.jpg'\n"
ALONG = (
    HEAD
    + """
  tracks:
    path: "{sequence}.json"
    json:
      tracks:
        - each: group by track numbered id
          id: track else 0
          class: category.name
          rows: [{each: objects along frame until gone = true, at: frame, gone: false, box: bbox | xywh, "note?": keep}]
"""
)
THROUGH = ALONG.replace("until gone = true", "through last = 1").replace("gone: false", "'last?': keep")
PLACES = (
    HEAD
    + """
  tracks:
    path: "{sequence}.json"
    json:
      - each: group by track numbered id
        id: track else 0
        class: category.name
        "boxes, scores": [{each: objects, "[]": frame, boxes: bbox | xywh, "scores?": score}]
"""
)
NAMED = """
formatspec: 1
name: named
items: [clips.clips]
files:
  image: 'frames/{sequence}/{name}.jpg'
  clips:
    path: clips.json
    json:
      clips:
        - each: group by sequence numbered id
          "id?": keep
          "count?": = count(rows)
          names: [{each: items along frame, "#": "{sequence}/{name}.jpg"}]
      objects:
        - each: group by sequence, track numbered id
          id: track else 0
          class: category.name
          boxes: [{each: objects, "[clips.names where id = clip]": "{sequence}/{name}.jpg", "#": bbox | xywh}]
"""
PLAIN = """
formatspec: 1
name: plain
files:
  image: 'frames/{sequence}/{frame:03d}.jpg'
  rows:
    path: "{sequence}.csv"
    csv: {each: objects, frame: frame, "track?": track, class: category.name, "x, y, w, h": bbox | xywh}
"""


def made(top: Path, spec: str, files: dict[str, Any], images: int | list[str] = 6) -> tuple[Path, Path]:
    """A dataset and its spec."""
    (top / "spec.yaml").write_text(spec)
    names = images if isinstance(images, list) else [f"a/{number:03d}" for number in range(images)]
    for name in names:
        file = top / "data" / "frames" / f"{name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(image_bytes(400, 300, "jpg"))
    for path, content in files.items():
        (top / "data" / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return top / "data", top / "spec.yaml"


def boxes(data: Path, spec: Path, slot: str = "bbox") -> dict[str, list[tuple[Any, Any]]]:
    """By item, the objects' tracks and boxes."""
    return {item.key: [(one.track, getattr(one, slot)) for one in item.objects] for item in fs.open(data, spec)}


def rows(*told: tuple[Any, ...], **more: Any) -> dict[str, Any]:
    """A track whose rows are told by frame, left side and whether the object is gone."""
    found = [{"at": at, "gone": bool(gone), "box": [x, 10, 20, 30], **more} for at, x, *gone in told]
    return {"id": 7, "class": "car", "rows": found}


def written(data: Path, spec: Path, out: Path) -> Any:
    """What a copy to the same format holds."""
    fs.convert(data, to=spec, out=out, spec=spec)
    return json.loads((out / "a.json").read_text())


def test_what_stands_between_two_rows_goes_in_a_straight_line(tmp_path: Path) -> None:
    tracks = {"tracks": [rows((1, 10), (4, 40), note="x")]}
    data, spec = made(tmp_path, ALONG, {"a.json": tracks})
    assert fs.validate(data, spec, deep=True).findings == ()
    found = boxes(data, spec)
    assert found == {
        "a/0": [], "a/1": [(7, (10, 10, 20, 30))], "a/2": [(7, (20, 10, 20, 30))], "a/3": [(7, (30, 10, 20, 30))],
        "a/4": [(7, (40, 10, 20, 30))], "a/5": [],
    }  # fmt: skip
    assert written(data, spec, tmp_path / "same") == tracks
    laws.hold_on(load_source(spec), data)


def test_an_object_that_is_gone_is_in_no_frame_until_it_is_back(tmp_path: Path) -> None:
    tracks = {"tracks": [rows((0, 99, True), (1, 10), (3, 12, True), (4, 50), (5, 50, True))]}
    data, spec = made(tmp_path, ALONG, {"a.json": tracks})
    assert boxes(data, spec) == {
        "a/0": [], "a/1": [(7, (10, 10, 20, 30))], "a/2": [(7, (10, 10, 20, 30))], "a/3": [],
        "a/4": [(7, (50, 10, 20, 30))], "a/5": [],
    }  # fmt: skip
    assert written(data, spec, tmp_path / "same") == tracks


def test_frames_that_the_dataset_has_not_are_passed_over(tmp_path: Path) -> None:
    tracks = {"tracks": [rows((0, 0), (100, 100))]}
    data, spec = made(tmp_path, ALONG, {"a.json": tracks}, ["a/000", "a/050", "a/100"])
    assert fs.validate(data, spec).findings == ()
    assert boxes(data, spec)["a/50"] == [(7, (50, 10, 20, 30))]
    assert written(data, spec, tmp_path / "same") == tracks


def test_the_last_row_may_say_that_the_object_is_gone_behind_it(tmp_path: Path) -> None:
    track = {"id": 7, "class": "car", "rows": [
        {"at": 1, "box": [10, 10, 20, 30]}, {"at": 3, "box": [30, 10, 20, 30], "last": 1},
        {"at": 5, "box": [0, 10, 20, 30]},
    ]}  # fmt: skip
    data, spec = made(tmp_path, THROUGH, {"a.json": {"tracks": [track]}})
    assert [key for key, found in boxes(data, spec).items() if found] == ["a/1", "a/2", "a/3", "a/5"]
    assert written(data, spec, tmp_path / "same") == {"tracks": [track]}


TABLE = (
    "frame,track,class,x,y,w,h\n0,3,car,1,2,3,4\n1,3,car,2,2,3,4\n3,3,car,9,2,3,4\n4,3,car,9,2,3,4\n1,,dog,5,5,5,5\n"
)


@pytest.mark.parametrize(
    ("spec", "key", "closed"), [(ALONG, "gone", [(2, True), (5, True)]), (THROUGH, "last", [(1, 1), (4, 1)])]
)
def test_a_file_made_anew_says_where_an_object_is_gone(spec: str, key: str, closed: list[Any], tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    data, plain = made(tmp_path / "from", PLAIN, {"a.csv": TABLE})
    (tmp_path / "to.yaml").write_text(spec)
    fs.convert(data, to=tmp_path / "to.yaml", out=tmp_path / "out", spec=plain)
    tracks = json.loads((tmp_path / "out" / "a.json").read_text())["tracks"]
    assert [(one["id"], one["class"]) for one in tracks] == [(3, "car"), (4, "dog")]
    assert [(row["at"], row[key]) for row in tracks[0]["rows"] if row.get(key)] == closed
    back = boxes(tmp_path / "out", tmp_path / "to.yaml")
    assert {item: [box for _, box in found] for item, found in back.items()} == {
        item: [box for _, box in found] for item, found in boxes(data, plain).items()
    }


def test_an_object_left_out_of_one_frame_does_not_come_back(tmp_path: Path) -> None:
    tracks = {"tracks": [rows((0, 10), (1, 20), (2, 500), (3, 40))]}
    data, spec = made(tmp_path, ALONG, {"a.json": tracks}, 4)
    fs.convert(data, to=spec, out=tmp_path / "out", spec=spec, on=["BOX_AWAY=drop"])
    found = boxes(tmp_path / "out", spec)
    assert [key for key, found_ in found.items() if found_] == ["a/0", "a/1", "a/3"]


def test_angles_go_the_shorter_way_round(tmp_path: Path) -> None:
    spec = ALONG.replace("box: bbox | xywh", "box: rotated")
    track = {"id": 7, "class": "car", "rows": [
        {"at": at, "gone": False, "box": [100, 100, 20, 30, angle]} for at, angle in ((0, 170), (2, -170))
    ]}  # fmt: skip
    data, file = made(tmp_path, spec, {"a.json": {"tracks": [track]}}, 3)
    assert boxes(data, file, "rotated")["a/1"] == [(7, (100, 100, 20, 30, 180))]


def test_outlines_stay_as_in_the_row_before(tmp_path: Path) -> None:
    spec = ALONG.replace("box: bbox | xywh", "ring: polygon | flat")
    track = {"id": 7, "class": "car", "rows": [
        {"at": at, "gone": False, "ring": [x, 1, 50, 1, 50, 50]} for at, x in ((0, 1), (2, 9))
    ]}  # fmt: skip
    data, file = made(tmp_path, spec, {"a.json": {"tracks": [track]}}, 3)
    assert boxes(data, file, "polygons")["a/1"] == [(7, ((1, 1, 50, 1, 50, 50),))]


def test_rows_that_would_be_too_many_are_refused(tmp_path: Path, small_limits: Any) -> None:
    small_limits(frames=50)
    data, spec = made(tmp_path, ALONG, {"a.json": {"tracks": [rows((0, 0), (40, 0)), rows((0, 0), (40, 0))]}})
    [finding] = [one for one in fs.validate(data, spec).findings if one.code == "FILE_UNREADABLE"]
    assert "more than 50 rows" in finding.message


TRACKS = [
    {"id": 1, "class": "car", "boxes": [[1, 2, 3, 4], None, [5, 6, 7, 8]], "scores": [0.5, None, None]},
    {"id": 2, "class": "dog", "boxes": [None, None, None], "scores": [None, None, None]},
    {"id": 3, "class": "car", "boxes": [None, [9, 9, 9, 9]], "scores": [None, 1.0]},
]


def test_null_stands_where_there_is_no_row(tmp_path: Path) -> None:
    data, spec = made(tmp_path, PLACES, {"a.json": TRACKS}, 3)
    assert fs.validate(data, spec).findings == ()
    assert boxes(data, spec) == {
        "a/0": [(1, (1, 2, 3, 4))], "a/1": [(3, (9, 9, 9, 9))], "a/2": [(1, (5, 6, 7, 8))],
    }  # fmt: skip
    assert written(data, spec, tmp_path / "same") == TRACKS


def test_a_row_of_several_lists_is_found_at_its_place(tmp_path: Path) -> None:
    tracks = [{"id": 1, "class": "car", "boxes": [None, [1, 2, "x", 4]], "scores": [None, 0.5]}]
    data, spec = made(tmp_path, PLACES, {"a.json": tracks}, 3)
    [finding] = fs.validate(data, spec).findings
    assert (finding.code, finding.pointer) == ("FIELD", "/0/boxes/1")


CLIPS = {
    "clips": [{"id": 5, "count": 2, "names": ["a/000.jpg", "a/001.jpg"]}, {"id": 6, "count": 1, "names": ["b/7.jpg"]}],
    "objects": [
        {"id": 1, "class": "car", "clip": 5, "boxes": [None, [1, 2, 3, 4]]},
        {"id": 2, "class": "dog", "clip": 6, "boxes": [[5, 6, 7, 8]]},
    ],
}


def test_a_place_may_mean_what_stands_there_in_another_list(tmp_path: Path) -> None:
    data, spec = made(tmp_path, NAMED, {"clips.json": CLIPS}, ["a/000", "a/001", "b/7"])
    assert fs.validate(data, spec).findings == ()
    assert boxes(data, spec) == {"a/000": [], "a/001": [(1, (1, 2, 3, 4))], "b/7": [(2, (5, 6, 7, 8))]}
    fs.convert(data, to=spec, out=tmp_path / "same", spec=spec)
    assert json.loads((tmp_path / "same" / "clips.json").read_text()) == CLIPS
    laws.hold_on(load_source(spec), data)


def test_a_group_that_names_no_list_is_said(tmp_path: Path) -> None:
    clips = {**CLIPS, "objects": [{**CLIPS["objects"][0], "clip": 9}]}
    data, spec = made(tmp_path, NAMED, {"clips.json": clips}, ["a/000", "a/001", "b/7"])
    found = [(one.code, one.pointer) for one in fs.validate(data, spec).findings]
    assert ("FIELD_MISSING", "/objects/0/boxes/1") in found


def test_lists_and_numbers_are_made_anew(tmp_path: Path) -> None:
    table = "frame,track,class,x,y,w,h\n2,3,car,1,2,3,4\n10,3,car,2,2,3,4\n10,,car,7,7,7,7\n"
    (tmp_path / "from").mkdir()
    images = ["a/002", "a/010", "b/001", "b/002"]
    data, plain = made(tmp_path / "from", PLAIN, {"a.csv": table, "b.csv": table.split("10,")[0]}, images)
    (tmp_path / "to.yaml").write_text(NAMED)
    report = fs.convert(data, to=tmp_path / "to.yaml", out=tmp_path / "out", spec=plain)
    found = json.loads((tmp_path / "out" / "clips.json").read_text())
    assert found["clips"] == [
        {"id": 1, "count": 2, "names": ["a/002.jpg", "a/010.jpg"]},
        {"id": 2, "count": 2, "names": ["b/001.jpg", "b/002.jpg"]},
    ]
    objects = [(one["id"], one["clip"], one["boxes"]) for one in found["objects"]]
    assert objects[0] == (3, 1, [[1, 2, 3, 4], [2, 2, 3, 4]])
    assert sorted(one[1:] for one in objects[1:]) == [
        (1, [None, [7, 7, 7, 7]]), (2, [None, [1, 2, 3, 4]]),
    ]  # fmt: skip
    assert len({one[0] for one in objects}) == 3
    assert any("numbered anew" in line and "1 object" in line for line in report.losses)


XML = """
a:
  track:
    - each: group
      "@": {id: track | text, class: category.name}
      step: [{each: objects along frame until out = 1, "@": {n: frame | text, out: = '0'}, "x, y, w, h": bbox | texts}]
"""


def test_rows_and_their_groups_keep_their_paths_and_travel() -> None:
    rule = parse_rule(load(XML, "rule.yaml"))
    to_list, to_mapping = rows_from_mapping(rule, elements=True), mapping_from_rows(rule, elements=True)
    assert to_list is not None
    assert to_mapping is not None
    row = {"x": "1", "y": "1", "w": "5", "h": "5"}
    file = {"a": {"track": [{"@": {"id": "1", "class": "car"}, "step": [
        {"@": {"n": "0", "out": "0"}, **row}, {"@": {"n": "2", "out": "0"}, **row, "x": "3"},
        {"@": {"n": "3", "out": "1"}, **row},
    ]}]}}  # fmt: skip
    rows = to_list(file)
    assert [one["@"]["n"] for one in rows["a"]["track"]] == ["0", "1", "2"]
    assert rows["a"]["track"][1]["x"] == "2.0"
    assert to_mapping(pickle.loads(pickle.dumps(rows)), Around(frames=(0, 1, 2, 3))) == file
    assert file_path(rows, ("a", "track", 2, "@", "n")) == ("a", "track", 0, "step", 1, "@", "n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{each: objects along frame, box: bbox}]", "needs a field of the rows that holds 'frame'"),
        ("[{each: labels along frame, name: category.name}]", "rows of objects and of items go along frames"),
        ("[{each: items along frame until x = 1, name: '{name}'}]", "no row says that an item is gone"),
        ("[{each: group around track, rows: [{each: objects, box: bbox}]}]", "is no group"),
    ],
)
def test_mistakes_are_said(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        rows_from_mapping(parse_rule(load(text, "rule.yaml")))


def test_two_rows_at_one_place_are_refused() -> None:
    to_mapping = mapping_from_rows(parse_rule(load('[{each: objects, "[]": frame, "#": bbox}]', "rule.yaml")))
    assert to_mapping is not None
    assert to_mapping([{"[]": 2, "#": 1}]) == [None, None, 1]
    with pytest.raises(FileError, match="two rows would stand at the place 2"):
        to_mapping([{"[]": 2, "#": 1}, {"[]": 2, "#": 3}])
    with pytest.raises(FileError, match="is too long"):
        to_mapping([{"[]": 10**12, "#": 1}])


def test_numbers_beyond_all_bounds_stay_as_they_are(tmp_path: Path) -> None:
    tracks = {"tracks": [rows((0, 10**400), (2, 5))]}
    data, spec = made(tmp_path, ALONG, {"a.json": tracks}, 3)
    assert fs.validate(data, spec).findings
