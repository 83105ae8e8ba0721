"""Rows of which another table of the document says more under the same key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.engine.documents.keyed_rows import mapping_from_rows, rows_from_mapping
from formatspec.files.document import FileError
from formatspec.language.entries.rule_entries import parse_rule
from formatspec.language.yaml_source import load
from tests.files_on_disk import put

SPEC = """
formatspec: 1
name: kinds_and_frames
items: record
files:
  image: "frames/{name}.{ext:image}"
  record:
    path: clip.json
    need: kept
    json:
      about:
        kinds: keep
      frames:
        "{frame:d}":
          each: items
          file: "{name}.{ext}"
          objects:
            "{track}": {each: objects by track, "[about.kinds]": {type: category.name, "*": keep}, box: bbox | xywh}
"""
CLIP: dict[str, Any] = {
    "about": {"kinds": {"7": {"type": "car", "maker": "x"}, "8": {"type": "cat"}, "9": {"type": "never seen"}}},
    "frames": {
        "0": {"file": "a.png", "objects": {"7": {"box": [1, 2, 3, 4]}, "8": {"box": [5, 5, 2, 2]}}},
        "1": {"file": "b.png", "objects": {"7": {"box": [2, 2, 3, 4]}}},
    },
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "kinds_and_frames.yaml").write_text(SPEC)
    return tmp_path / "kinds_and_frames.yaml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return put(tmp_path / "in", {"frames/a.png": None, "frames/b.png": None, "clip.json": CLIP})


def test_rows_take_what_another_table_says_of_them(spec: Path, data: Path) -> None:
    found = [[(one.track, one.category.name) for one in item.objects if one.category] for item in fs.open(data, spec)]
    assert found == [[(7, "car"), (8, "cat")], [(7, "car")]]
    assert list(fs.validate(data, spec).findings) == []


def test_a_copy_is_the_same_and_new_names_stand_in_the_other_table(spec: Path, data: Path, tmp_path: Path) -> None:
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "same", where="true")
    assert json.loads((tmp_path / "same/clip.json").read_text()) == CLIP
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "named", labels={"car": "vehicle"})
    kinds = json.loads((tmp_path / "named/clip.json").read_text())["about"]["kinds"]
    assert kinds == {**CLIP["about"]["kinds"], "7": {"type": "vehicle", "maker": "x"}}


def test_a_key_without_an_entry_is_an_error_in_its_row(spec: Path, data: Path) -> None:
    less = {**CLIP, "about": {"kinds": {"8": {"type": "cat"}}}}
    (data / "clip.json").write_text(json.dumps(less))
    found = fs.validate(data, spec).findings
    assert {one.code for one in found if one.level == "error"} == {"FIELD_MISSING"}
    assert sum(len(item.objects) for item in fs.open(data, spec)) == 1


ROWS = '{each: objects by track, "[kinds]": {t: category.name}, b: keep}'
RULE = parse_rule(load('frames: {"{frame:d}": {each: items, o: {"{track}": ' + ROWS + "}}}", "r.yaml"))


def test_an_entry_stands_in_the_other_table_even_if_that_was_not_there() -> None:
    read, write = rows_from_mapping(RULE), mapping_from_rows(RULE)
    assert read is not None
    assert write is not None
    file = {"frames": {"0": {"o": {"7": {"b": 1}}}, "1": {"o": {"7": {"b": 2}}}}, "kinds": {"7": {"t": "car"}}}
    rows = read(file)
    assert write(rows) == file
    del rows["kinds"]
    assert write(rows) == file


def test_rows_that_differ_in_what_the_table_says_are_refused() -> None:
    read, write = rows_from_mapping(RULE), mapping_from_rows(RULE)
    assert read is not None
    assert write is not None
    rows = read({"frames": {"0": {"o": {"7": {"b": 1}}}, "1": {"o": {"7": {"b": 2}}}}, "kinds": {"7": {"t": "car"}}})
    rows["frames"][1]["o"][0]["[kinds]"] = {"t": "cat"}
    with pytest.raises(FileError, match=r"differ in what kinds says"):
        write(rows)
