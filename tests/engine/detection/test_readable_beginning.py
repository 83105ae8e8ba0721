"""What is read of documents that break off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from formatspec.engine.detection.evidence.readable_beginning import of_json, of_xml, parts
from formatspec.files import xml_file

WHOLE = {"a": [1, {"b": "x, } ]", "c": [True, None]}], "d": {"e": '\\" {'}, "f": [{"g": 1}, {"g": 2}]}


def agrees(part: Any, whole: Any) -> bool:
    """Whether a value is a beginning of another: with fewer keys and rows, but no others."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and agrees(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(agrees(a, b) for a, b in zip(part, whole, strict=False))
    return bool(part == whole)


def test_every_beginning_of_a_json_document_agrees_with_the_whole() -> None:
    text = json.dumps(WHOLE).encode()
    sizes = []
    for end in range(len(text)):
        found = of_json(text[:end])
        assert found is None or agrees(found, WHOLE), text[:end]
        sizes.append(len(json.dumps(found)))
    assert sizes[-1] > 0.8 * len(text)
    assert of_json(b"") is None and of_json(b"nothing") is None


def test_open_elements_are_closed() -> None:
    data = b"<?xml version='1.0'?><a><b>1</b><c><d>2</d><e"
    closed = of_xml(data)
    assert closed is not None
    assert xml_file.decode(closed) == {"a": {"b": "1", "c": {"d": "2"}}}
    assert of_xml(b"<a><b/></a>") is None and of_xml(b"words") is None


@pytest.mark.parametrize("kind", ["yaml", "csv"])
def test_lines_at_the_end_are_left_out(kind: str) -> None:
    assert list(parts(kind, b"a\nb\nc")) == [b"a\nb\n", b"a\n"]
