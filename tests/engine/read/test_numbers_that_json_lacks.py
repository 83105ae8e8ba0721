"""NaN and infinities are findings wherever they stand: Python's reader of JSON takes them, though JSON has neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize("wrong", [NAN, INFINITE, -INFINITE, [1, NAN], {"deep": [INFINITE]}])
def test_an_attribute_is_a_finding_and_is_left_out_alone(wrong: Any, tmp_path: Path) -> None:
    put(tmp_path / "data", coco([{"attributes": {"weight": wrong, "name": "a"}}, {"attributes": {"weight": 1.5}}]))
    [finding] = fs.validate(tmp_path / "data", "coco").findings
    assert (finding.level, finding.code, finding.pointer) == ("warning", "FIELD", "/annotations/2/attributes")
    assert finding.expected == "a value without NaN and infinities"
    assert "'weight', which is left out" in finding.message
    fs.convert(tmp_path / "data", to="datumaro", out=tmp_path / "out")
    [document] = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.json") if path.name[0] != "."]
    written = [one["attributes"] for item in document["items"] for one in item["annotations"]]
    told = [{name: one[name] for name in ("weight", "name") if name in one} for one in written]
    assert [one for one in told if one] == [{"name": "a"}, {"weight": 1.5}]


def test_the_attributes_are_named_in_their_order(tmp_path: Path) -> None:
    """Not in the order of a set of texts, which is another one in each process."""
    names = [f"weight_{number}" for number in range(9)]
    data = put(tmp_path / "data", coco([{"attributes": {**dict.fromkeys(names, NAN), "name": "a"}}]))
    [finding] = fs.validate(data, "coco").findings
    assert f"NaN or infinity in {', '.join(map(repr, names))}, which are left out" in finding.message


@pytest.mark.parametrize("wrong", [[], "", "red", 7, [{"name": "colour"}]])
def test_attributes_that_are_no_mapping_cost_no_object(wrong: Any, tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([{"attributes": wrong}]))
    [finding] = fs.validate(data, "coco").findings
    assert (finding.level, finding.code, finding.case) == ("warning", "FIELD", "attribute")
    before = json.loads((data / "annotations/instances_train.json").read_text())
    fs.convert(data, to="coco", out=tmp_path / "out")
    assert json.loads((tmp_path / "out/annotations/instances_train.json").read_text()) == before


@pytest.mark.parametrize("changed", [{}, {"labels": {"cat": "dog"}}])
def test_a_copy_to_the_same_format_has_null_there_and_a_line(changed: dict[str, Any], tmp_path: Path) -> None:
    more = {"score": NAN, "attributes": {"weight": NAN, "name": "a"}, "found_by": {"certainty": [INFINITE, 1]}}
    data = put(tmp_path / "data", coco([more]))
    [path] = (data / "annotations").glob("*.json")
    path.write_text(json.dumps({"info": {"rate": NAN}, **json.loads(path.read_text())}))
    result = fs.convert(data, to="coco", out=tmp_path / "out", **changed)
    assert result.losses == ("numbers that a file cannot hold (NaN, infinity): null there: 4 values",)
    after = json.loads((tmp_path / "out/annotations" / path.name).read_text(), parse_constant=pytest.fail)
    told = after["annotations"][-1]
    assert (told["score"], told["attributes"]) == (None, {"weight": None, "name": "a"})
    assert (told["found_by"], after["info"]) == ({"certainty": [None, 1]}, {"rate": None})


def test_a_document_of_one_image_has_null_there_and_a_line(tmp_path: Path) -> None:
    shape = {"label": "cat", "points": [[1, 1], [8, 1], [8, 6]], "shape_type": "polygon", "flags": {}, "score": NAN}
    record = {"version": "5", "flags": {}, "shapes": [shape], "imagePath": "a.png", "imageData": None, "certainty": NAN}
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(image_bytes(20, 10, "png"))
    (tmp_path / "in/a.json").write_text(json.dumps(record))
    result = fs.convert(tmp_path / "in", to="labelme", out=tmp_path / "out", labels={"cat": "dog"})
    assert result.losses == ("numbers that a file cannot hold (NaN, infinity): null there: 2 values",)
    after = json.loads((tmp_path / "out/a.json").read_text(), parse_constant=pytest.fail)
    assert (after["certainty"], after["shapes"][0]["score"], after["shapes"][0]["label"]) == (None, None, "dog")


def test_finite_numbers_and_texts_that_name_others_are_values(tmp_path: Path) -> None:
    stated = {"a": "NaN", "b": 1e308, "c": [None, True, {"d": -0.0}], "e": 10**30}
    put(tmp_path / "data", coco([{"attributes": stated}]))
    assert not [one for one in fs.validate(tmp_path / "data", "coco").findings if one.level == "error"]
    [item] = [one for one in fs.open(tmp_path / "data", "coco") if len(one.objects) == 2]
    assert item.objects[1].attributes == stated
