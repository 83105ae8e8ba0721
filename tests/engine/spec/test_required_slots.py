"""`lint` notes what a spec requires of objects and other datasets seldom state, before any data."""

from pathlib import Path

import pytest

from formatspec.engine.dataset.lint import notes
from formatspec.language.load import load_source

JSON = """formatspec: 1
name: mine
files:
  image: "images/{name}.{ext:image}"
  label:
    path: "labels/{name}.json"
    json:
      boxes: [{each: objects, label: category.name, box: bbox | xywh, %s}]
"""
LINES = """formatspec: 1
name: mine
files:
  image: "images/{name}.{ext:image}"
  label: {path: "labels/{name}.txt", lines: {each: objects, lines: "{category.name} {bbox | xywh}%s"}}
"""


def notes_of(text: str, folder: Path) -> list[str]:
    file = folder / "mine.yaml"
    file.write_text(text)
    return [str(note).removeprefix(str(folder)) for note in notes(load_source(file))]


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("track: track", "`track` is required"),
        ("occ: attributes.occ, no: track", "`occ` and `no` are required"),
        ("score: score | times(100)", "`score` is required"),
    ],
)
def test_what_is_required_and_seldom_stated_is_noted(field: str, named: str, tmp_path: Path) -> None:
    (note,) = notes_of(JSON % field, tmp_path)
    assert note.startswith("/mine.yaml:8:") and named in note


@pytest.mark.parametrize(
    "field",
    ['"track?": track', "track: track else 0", "id: id", "one of: [{track: track}, {}]", '"extra?": {track: track}'],
)
def test_what_may_be_absent_or_is_made_is_not(field: str, tmp_path: Path) -> None:
    assert notes_of(JSON % field, tmp_path) == []


def test_a_line_is_noted_by_its_slots(tmp_path: Path) -> None:
    (note,) = notes_of(LINES % " {score}", tmp_path)
    assert "`score` is required" in note
    assert notes_of(LINES % "", tmp_path) == []
