"""Rows in a mapping, each under its key."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.engine.documents.keyed_rows import file_path, mapping_from_rows, rows_from_mapping
from formatspec.files.document import FileError
from formatspec.language.entries.rule_entries import parse_rule
from formatspec.language.errors import SpecError
from formatspec.language.rules import BARE, KEY, Rule
from formatspec.language.yaml_source import load
from formatspec.testing.memory import image_bytes

RULE = parse_rule(load('images: {"{id}": {each: items, name: key}}', "rule.yaml"))
FILE = {"images": {"a": {"name": "x"}, "b": {"name": "y"}}, "info": 1}
ROWS = {"images": [{KEY: "a", "name": "x"}, {KEY: "b", "name": "y"}], "info": 1}


def test_keyed_rows_are_a_list_to_the_rules() -> None:
    to_list, to_mapping = rows_from_mapping(RULE), mapping_from_rows(RULE)
    assert to_list is not None
    assert to_mapping is not None
    assert to_list(FILE) == ROWS
    assert to_mapping(ROWS) == FILE


def test_two_rows_under_one_key_are_refused() -> None:
    to_mapping = mapping_from_rows(RULE)
    assert to_mapping is not None
    with pytest.raises(FileError, match="one key"):
        to_mapping({"images": [{KEY: "a"}, {KEY: "a"}]})


def through(rule: Rule, file: Any, *path: str | int) -> tuple[str | int, ...]:
    """The path in the file of a path in the document that the rules see."""
    to_list = rows_from_mapping(rule)
    assert to_list is not None
    return file_path(to_list(file), path)


def test_a_path_names_the_key() -> None:
    assert through(RULE, FILE, "images", 1, "name") == ("images", "b", "name")
    assert through(RULE, FILE, "images", 1, KEY) == ("images", "b")


BARE_RULE = parse_rule(load('names: {"{id}": {each: categories by id, "#": name}}', "rule.yaml"))
BARE_FILE = {"names": {"0": "cat", "2": "dog"}}
BARE_ROWS = {"names": [{KEY: "0", BARE: "cat"}, {KEY: "2", BARE: "dog"}]}


def test_what_stands_under_a_key_may_be_no_mapping() -> None:
    to_list, to_mapping = rows_from_mapping(BARE_RULE), mapping_from_rows(BARE_RULE)
    assert to_list is not None
    assert to_mapping is not None
    assert to_list(BARE_FILE) == BARE_ROWS
    assert to_mapping(BARE_ROWS) == BARE_FILE
    assert through(BARE_RULE, BARE_FILE, "names", 1, BARE) == ("names", "2")


def test_lists_under_keys_are_rows_of_their_own() -> None:
    rule = parse_rule(load('boxes: {"{name}": {each: items, "#": [{each: objects, label: category.name}]}}', "r.yaml"))
    file = {"boxes": {"a": [{"label": "cat"}, {"label": "dog"}], "b": []}}
    to_list, to_mapping = rows_from_mapping(rule), mapping_from_rows(rule)
    assert to_list is not None
    assert to_mapping is not None
    assert to_mapping(to_list(file)) == file
    assert through(rule, file, "boxes", 0, BARE, 1, "label") == ("boxes", "a", 1, "label")


NESTED = {
    "rows of bare values": (
        'a: [{each: objects, "#": bbox | sides}]', {"a": [[1, 2, 3, 4], [5, 6, 7, 8]]}, ("a", 1, BARE), ("a", 1)
    ),
    "rows of bare lists": (
        'a: [{each: objects, "0, 1, 2, 3": bbox | sides, 4: category.name, "5?": score}]',
        {"a": [[1, 2, 3, 4, "car"], [1, 2, 3, 4, "dog", 0.5]]}, ("a", 1, "5"), ("a", 1, 5),
    ),
    "a class as the key of a list": (
        'a: {"{category.name}": [{each: objects, b: bbox}]}',
        {"a": {"car": [{"b": 1}, {"b": 2}], "none": [], "dog": [{"b": 3}]}}, ("a", 2, "b"), ("a", "dog", 0, "b"),
    ),
    "groups in a list": (
        '[{each: group, class: category.name, boxes: [{each: objects, "#": bbox}]}]',
        [{"class": "car", "boxes": [[1], [2]]}, {"class": "car", "boxes": [[3]]}, {"class": "dog", "boxes": []}],
        (2, "^0", "class"), (1, "class"),
    ),
    "groups under keys, in groups": (
        '"{attributes.day}": {each: group, w: score, g: [{each: group, t: track, r: [{each: objects, b: bbox}]}]}',
        {"mo": {"w": 1, "g": [{"t": 1, "r": [{"b": 1}, {"b": 2}]}, {"t": 2, "r": []}]}, "tu": {"w": 2, "g": []}},
        (1, "b"), ("mo", "g", 0, "r", 1, "b"),
    ),
    "keys below keys": (
        '"{attributes.day}": {"{category.name}": [{each: objects, b: bbox}]}',
        {"mo": {"car": [{"b": 1}], "dog": []}, "tu": {}, "we": {"car": [{"b": 2}]}}, (1, "^1"), ("we", "car"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_rows_in_groups_come_back_as_they_stood(name: str) -> None:
    text, file, path, expected = NESTED[name]
    rule = parse_rule(load(text, "r.yaml"))
    to_list, to_mapping = rows_from_mapping(rule), mapping_from_rows(rule)
    assert to_list is not None
    assert to_mapping is not None
    rows = to_list(file)
    assert to_mapping(rows) == file
    assert to_mapping(pickle.loads(pickle.dumps(rows))) == file
    assert through(rule, file, *path) == expected


def test_rows_made_anew_join_the_group_that_says_the_same() -> None:
    rule = parse_rule(load('[{each: group, class: category.name, boxes: [{each: objects, "#": bbox}]}]', "r.yaml"))
    to_mapping = mapping_from_rows(rule)
    assert to_mapping is not None
    rows = [{"^0": {"class": name}, BARE: box} for name, box in (("car", 1), ("dog", 2), ("car", 3))]
    assert to_mapping(rows) == [{"class": "car", "boxes": [1, 3]}, {"class": "dog", "boxes": [2]}]


def test_what_is_no_group_stays_for_the_reader_that_judges() -> None:
    rule = parse_rule(load('{a: {"{category.name}": [{each: objects, b: bbox}]}}', "r.yaml"))
    to_list = rows_from_mapping(rule)
    assert to_list is not None
    assert to_list({"a": [1]}) == {"a": [1]}
    assert list(to_list({"a": {"car": 7}})["a"]) == [7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{each: group, a: id}]", "a group has its rows under one of its keys"),
        ('[{each: objects, "0, 1": bbox, 3: id}]', "must be its places 0, 1, 2"),
        ('[{each: objects, "0?": id, 1: score}]', "the place 0 may be absent"),
        ('{"{name}": {each: categories, "#": [{each: objects, b: bbox}]}}', "they would get no category from it"),
        ('{"{id}": [1, 2]}', "under a template as key stand rows"),
        ('{"{name}": {each: items, "{id}": {each: objects, box: bbox | xywh}}}', "leave that `each` out"),
    ],
)
def test_mistakes_in_groups_are_said(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_rule(load(text, "r.yaml"))


ROWS_OR_NULL = """
formatspec: 1
name: rows_or_null
title: Rows or null
items: labels
files:
  image: "data/{name}.{ext:image}"
  labels:
    path: labels.json
    json:
      labels:
        "{name}": {each: items, "#": {one of: [[{each: objects, label: category.name, box: bbox | xywh}], null]}}
"""


def test_null_stands_where_rows_might_and_comes_back(tmp_path: Path) -> None:
    spec = tmp_path / "rows_or_null.yaml"
    spec.write_text(ROWS_OR_NULL)
    document = {"labels": {"a": [{"label": "cat", "box": [1, 2, 3, 4]}], "b": [], "c": None}}
    for name in "abc":
        (tmp_path / "in/data").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"in/data/{name}.png").write_bytes(image_bytes(8, 8, "png"))
    (tmp_path / "in/labels.json").write_text(json.dumps(document))
    assert fs.validate(tmp_path / "in", str(spec)).findings == ()
    assert [len(one.objects) for one in fs.open(tmp_path / "in", str(spec))] == [1, 0, 0]
    fs.convert(tmp_path / "in", spec=str(spec), to=str(spec), out=tmp_path / "out", where="true")
    assert json.loads((tmp_path / "out/labels.json").read_text()) == document
    fs.convert(
        tmp_path / "in", spec=str(spec), to=str(spec), out=tmp_path / "less", where="object.category.name != 'cat'"
    )
    assert json.loads((tmp_path / "less/labels.json").read_text())["labels"] == {"a": [], "b": [], "c": None}
