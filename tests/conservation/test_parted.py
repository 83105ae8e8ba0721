"""Several rows of one item that hold tables of their own: each record comes back in the row that it was read from; and
attributes that only another alternative of a row names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import converted, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

ROUNDS = """
formatspec: 1
name: rounds
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      rounds:
        - one of:
            - {each: items where kept, skipped: true, "*": keep}
            - each: items where count(objects) > 0
              by?: keep
              boxes: [{each: objects, class: category.name, box: bbox | xywh}]
            - {each: items where count(labels) > 0, tags: [{each: labels, "#": category.name}]}
"""
PLACES = """
formatspec: 1
name: places
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      one of:
        - {file: "{name}.png"}
        - {file: "{name}.png", shop: attributes.shop, till: attributes.till}
        - {file: "{name}.png", shop: attributes.shop}
"""
DOCUMENT = {
    "rounds": [
        {"by": "ann", "boxes": [{"class": "cat", "box": [1, 2, 3, 4]}, {"class": "dog", "box": [9, 9, 5, 5]}]},
        {"tags": ["wet", "night"]},
        {"skipped": True, "why": "dark"},
        {"by": "bob", "boxes": [{"class": "cat", "box": [20, 10, 6, 7]}]},
        {"tags": ["far"]},
    ]
}


def specified(folder: Path, text: str, document: dict[str, Any]) -> tuple[Path, Path]:
    """A spec, and a dataset of one image with this document."""
    spec = folder / "made.yaml"
    spec.write_text(text)
    return spec, put(folder / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps(document)})


@pytest.mark.parametrize("where", [None, "true"])
def test_each_record_comes_back_in_its_own_row(where: str | None, tmp_path: Path) -> None:
    spec, data = specified(tmp_path, ROUNDS, DOCUMENT)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where=where)
    assert json.loads((tmp_path / "out/a.json").read_text()) == DOCUMENT


def test_what_is_left_out_is_gone_from_its_own_row_alone(tmp_path: Path) -> None:
    spec, data = specified(tmp_path, ROUNDS, DOCUMENT)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="category.name == 'cat'")
    rounds = json.loads((tmp_path / "out/a.json").read_text())["rounds"]
    assert [[box["class"] for box in one["boxes"]] for one in rounds if "boxes" in one] == [["cat"], ["cat"]]


def test_records_that_no_row_told_of_stand_in_the_first(tmp_path: Path) -> None:
    spec, data = specified(tmp_path, ROUNDS, DOCUMENT)
    fs.convert(data, spec=spec, to="coco", out=tmp_path / "coco")
    fs.convert(tmp_path / "coco", spec="coco", to=spec, out=tmp_path / "back")
    (rounds,) = (json.loads(path.read_text())["rounds"] for path in (tmp_path / "back").rglob("a.json"))
    assert [[box["class"] for box in one["boxes"]] for one in rounds if "boxes" in one] == [["cat", "dog", "cat"]]


@pytest.mark.parametrize(
    ("attributes", "lost"),
    [({"shop": "x"}, {}), ({"shop": "x", "till": 3}, {}), ({"till": 3}, {"attributes of items": 1}), ({}, {})],
)
def test_the_alternative_is_written_that_names_the_attributes_of_an_item(
    attributes: dict[str, Any], lost: dict[str, int], tmp_path: Path
) -> None:
    spec = tmp_path / "places.yaml"
    spec.write_text(PLACES)
    image = {
        "id": 1,
        "file_name": "a.png",
        "width": 40,
        "height": 30,
        **({"attributes": attributes} if attributes else {}),
    }
    document = {"images": [image], "annotations": [], "categories": []}
    data = put(
        tmp_path / "in",
        {"images/train/a.png": image_bytes(40, 30, "png"), "annotations/instances_train.json": json.dumps(document)},
    )
    out, named = converted(data, str(spec), spec="coco")
    assert {what: count for what, count in named.items() if what != "subsets"} == {**lost, "image ids": 1}
    (written,) = out.rglob("a.json")
    held = attributes if not lost else {}
    assert json.loads(written.read_text()) == {"file": "a.png", **held}


def shape(number: str, x: int, name: str) -> dict[str, Any]:
    """A result of a task: a box of a fifth of the image."""
    value = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [name]}
    sizes = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    return {"id": number, "type": "rectanglelabels", **sizes, "from_name": "label", "to_name": "image", "value": value}


def choice(number: str, *names: str) -> dict[str, Any]:
    """A result of a task: choices for the whole image."""
    return {"id": number, "type": "choices", "from_name": "sky", "to_name": "image", "value": {"choices": [*names]}}


def test_annotations_of_one_task_stay_apart_with_their_choices_and_texts(tmp_path: Path) -> None:
    text = {"id": "t1", "type": "textarea", "from_name": "words", "to_name": "image", "value": {"text": ["rain"]}}
    annotations = [
        {"id": 1, "completed_by": 1, "result": [shape("r1", 10, "car"), choice("c1", "wet", "night"), text]},
        {"id": 2, "completed_by": 1, "result": [choice("c2", "dry"), shape("r2", 50, "dog")]},
    ]
    tasks = [{"id": 1, "file_upload": "a.png", "data": {"image": "/data/upload/a.png"}, "annotations": annotations}]
    data = put(tmp_path / "in", {"images/a.png": image_bytes(40, 30, "png"), "train.json": json.dumps(tasks)})
    fs.convert(data, spec="label_studio", to="label_studio", out=tmp_path / "out", where="true")
    assert json.loads((tmp_path / "out/train.json").read_text()) == tasks
