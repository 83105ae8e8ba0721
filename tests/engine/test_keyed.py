"""Rows in a mapping, each under its key."""

from __future__ import annotations

import pytest

from formatspec.engine.documents.keyed_rows import file_path, mapping_from_rows, rows_from_mapping
from formatspec.files.document import FileError
from formatspec.language.rules import BARE, KEY, parse_rule
from formatspec.language.yaml_source import load

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


def test_a_path_names_the_key() -> None:
    assert file_path(FILE, ("images", 1, "name")) == ("images", "b", "name")
    assert file_path(FILE, ("images", 1, KEY)) == ("images", "b")


BARE_RULE = parse_rule(load('names: {"{id}": {each: categories by id, "#": name}}', "rule.yaml"))
BARE_FILE = {"names": {"0": "cat", "2": "dog"}}
BARE_ROWS = {"names": [{KEY: "0", BARE: "cat"}, {KEY: "2", BARE: "dog"}]}


def test_what_stands_under_a_key_may_be_no_mapping() -> None:
    to_list, to_mapping = rows_from_mapping(BARE_RULE), mapping_from_rows(BARE_RULE)
    assert to_list is not None
    assert to_mapping is not None
    assert to_list(BARE_FILE) == BARE_ROWS
    assert to_mapping(BARE_ROWS) == BARE_FILE
    assert file_path(BARE_FILE, ("names", 1, BARE)) == ("names", "2")


def test_lists_under_keys_are_rows_of_their_own() -> None:
    rule = parse_rule(load('boxes: {"{name}": {each: items, "#": [{each: objects, label: category.name}]}}', "r.yaml"))
    file = {"boxes": {"a": [{"label": "cat"}, {"label": "dog"}], "b": []}}
    to_list, to_mapping = rows_from_mapping(rule), mapping_from_rows(rule)
    assert to_list is not None
    assert to_mapping is not None
    assert to_mapping(to_list(file)) == file
    assert file_path(file, ("boxes", 0, BARE, 1, "label")) == ("boxes", "a", 1, "label")
