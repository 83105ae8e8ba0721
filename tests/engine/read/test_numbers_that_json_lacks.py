"""NaN and infinities are findings wherever they stand: Python's reader of JSON takes them, though JSON has neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco, put

import formatspec as fs

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize("wrong", [NAN, INFINITE, -INFINITE, [1, NAN], {"deep": [INFINITE]}])
def test_an_attribute_is_a_finding_and_costs_its_object_alone(wrong: Any, tmp_path: Path) -> None:
    put(tmp_path / "data", coco([{"attributes": {"weight": wrong, "name": "a"}}, {"attributes": {"weight": 1.5}}]))
    [finding] = [one for one in fs.validate(tmp_path / "data", "coco").findings if one.level == "error"]
    assert (finding.code, finding.pointer) == ("FIELD", "/annotations/2/attributes")
    assert finding.expected == "a value without NaN and infinities"
    with pytest.raises(ValueError):
        fs.convert(tmp_path / "data", to="datumaro", out=tmp_path / "refused")
    fs.convert(tmp_path / "data", to="datumaro", out=tmp_path / "out", on={"FIELD": "drop"})
    [document] = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.json") if path.name[0] != "."]
    written = [one.get("attributes", {}).get("weight") for item in document["items"] for one in item["annotations"]]
    assert sorted(written, key=str) == [1.5, None, None]


def test_finite_numbers_and_texts_that_name_others_are_values(tmp_path: Path) -> None:
    stated = {"a": "NaN", "b": 1e308, "c": [None, True, {"d": -0.0}], "e": 10**30}
    put(tmp_path / "data", coco([{"attributes": stated}]))
    assert not [one for one in fs.validate(tmp_path / "data", "coco").findings if one.level == "error"]
    [item] = [one for one in fs.open(tmp_path / "data", "coco") if len(one.objects) == 2]
    assert item.objects[1].attributes == stated
