"""Kept fields that an expression makes where a source has none: only what the expression does not make is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_datasets import put

import formatspec as fs
from formatspec.engine.read.leaf_reader import holds_restating
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import available
from formatspec.opening import load_spec
from formatspec.testing.memory import image_bytes

EXAMPLES = Path(__file__).parents[2] / "specs/examples"


def _restating() -> list[str]:
    """The specs in which an expression may make the value of a kept field."""
    sources = {name: load_spec(name) for name in sorted(available())}
    return [
        name
        for name, source in sources.items()
        for form in [compile_format(source, source.layouts[0])]
        if any(holds_restating(role.document_rule) for role in form.documents)
    ]


def test_many_specs_make_values_of_kept_fields() -> None:
    assert len(_restating()) > 20


@pytest.mark.parametrize("name", _restating())
def test_what_a_format_makes_of_its_own_is_not_reported_as_lost(name: str, tmp_path: Path) -> None:
    for seed in range(3):
        fs.sample(name, tmp_path / f"in{seed}", items=1, seed=seed)
        result = fs.convert(tmp_path / f"in{seed}", spec=name, to="datumaro", out=tmp_path / f"out{seed}")
        assert [line for line in result.losses if line.startswith("kept ") and name != "youtube_vis"] == []


RESTATED = """
formatspec: 1
name: restated
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      file: keep else concat(name, '.', ext)
      one of:
        - {size: keep else image.width, sort: = 'sized'}
        - {sort: = 'plain'}
      boxes:
        - each: objects
          number: keep else index + 1
          title?: keep else category.name
          name: category.name
          box: bbox | xywh
      tags:
        - each: labels
          name: category.name
          text?: keep else upper(category.name)
"""


def test_only_what_differs_from_the_value_that_is_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "restated.yaml").write_text(RESTATED)
    box = {"number": 1, "title": "cat", "name": "cat", "box": [1, 2, 3, 4]}
    document = {
        "file": "a.png", "size": 40, "sort": "sized", "boxes": [box, {**box, "number": 2}],
        "tags": [{"name": "cat", "text": "CAT"}],
    }  # fmt: skip
    again = {
        "file": "b.png", "size": 41, "sort": "sized",
        "boxes": [{**box, "number": 7, "title": "a cat"}, {**box, "title": None, "number": 2}, {**box, "number": "1"}],
        "tags": [{"name": "cat", "text": "a cat"}, {"name": "dog", "text": "DOG"}],
    }  # fmt: skip
    image = image_bytes(40, 30, "png")
    files = {"a.png": image, "a.json": json.dumps(document), "c.png": image, "c.json": json.dumps(again)}
    data, spec = put(tmp_path / "in", files), tmp_path / "restated.yaml"
    result = fs.convert(data, spec=spec, to="coco", out=tmp_path / "out")
    assert [line for line in result.losses if line.startswith("kept ")] == [
        "kept fields: file (1 item)", "kept fields: number (2 objects)", "kept fields: size (1 item)",
        "kept fields: text (1 label)", "kept fields: title (1 object)",
    ]  # fmt: skip
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "same", where="true", lossless=True)
    assert json.loads((tmp_path / "same/c.json").read_text()) == again


@pytest.mark.parametrize(
    ("example", "spec", "words"),
    [
        ("label_studio", "label_studio", "kept fields: image (2 items)"),
        ("labelbox", "labelbox", "kept fields: row_data (2 items)"),
        ("vott_json", "vott_json", "kept fields: path (2 items)"),
        ("openlabel", "openlabel", "kept fields: name (2 objects)"),
        ("refcoco", "refcoco", "kept fields: file_name (3 objects)"),
        ("roboflow_yolo", "roboflow_yolo", "kept fields: val (1 file)"),
    ],
)
def test_addresses_and_names_of_tools_are_named_where_another_format_does_not_get_them(
    example: str, spec: str, words: str, tmp_path: Path
) -> None:
    result = fs.convert(EXAMPLES / example, spec=spec, to="datumaro", out=tmp_path / "out")
    assert words in result.losses


def test_folders_of_a_dataset_are_written_as_the_tool_writes_them(tmp_path: Path) -> None:
    result = fs.convert(EXAMPLES / "v7_darwin", spec="v7_darwin", to="datumaro", out=tmp_path / "out")
    assert not any("path" in line for line in result.losses)
