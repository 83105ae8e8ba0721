"""Rows may depend on whether their item has a slot: an id is a track in the frames of a video, and else an id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_specs import comes_back, keeps_the_laws, small_spec

import formatspec as fs

FILES = """
  image: "images/{{name}}.{{ext:image}}"
  list:
    path: list.json
    json:
      - each: items
        file: "{{name}}.{{ext}}"
        video?: sequence
        things:
          - one of:
              - {{each: objects where {has}, id: track else index, class: category.name, box: bbox | xywh}}
              - {{each: objects by id where {lacks}, id: id else index, class: category.name, box: bbox | xywh}}
"""
ROWS = [
    {"file": "a.png", "things": [{"id": 7, "class": "cat", "box": [1, 2, 3, 4]}]},
    {"video": "v", "file": "b.png", "things": [{"id": 8, "class": "cat", "box": [1, 2, 3, 4]}]},
    {"things": [{"id": 9, "class": "cat", "box": [1, 2, 3, 4]}], "file": "c.png", "video": "v"},
]


def made(folder: Path, has: str, lacks: str) -> tuple[Path, Path]:
    content = {"list.json": json.dumps(ROWS), **{f"images/{name}.png": None for name in "abc"}}
    return small_spec(folder, "small", FILES.format(has=has, lacks=lacks), content, "items: list\n")


@pytest.mark.parametrize(
    ("has", "lacks"), [("item.sequence", "not item.sequence"), ("item.sequence != null", "item.sequence == null")]
)
def test_a_condition_asks_whether_the_item_has_a_slot(has: str, lacks: str, tmp_path: Path) -> None:
    data, spec = made(tmp_path, has, lacks)
    told = {item.key: (thing.id, thing.track) for item in fs.open(data, spec) for thing in item.objects}
    assert told == {"a": (7, None), "b": (None, 8), "c": (None, 9)}
    comes_back(data, spec, tmp_path / "out")
    keeps_the_laws(spec)


def test_tracks_of_videos_reach_formats_with_tracks(tmp_path: Path) -> None:
    data, spec = made(tmp_path, "item.sequence", "not item.sequence")
    fs.convert(data, to="scalabel", out=tmp_path / "out", spec=spec)
    items = fs.open(tmp_path / "out", "scalabel")
    told = [(thing.id, thing.track) for item in items for thing in item.objects if item.sequence]
    assert sorted(told) == [(None, 8), (None, 9)]
