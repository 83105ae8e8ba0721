"""Which of a spec's layouts a tree is opened as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.api import load_spec
from formatspec.engine.dataset.choose_layout import candidates
from formatspec.paths.trees.open_tree import open_tree
from formatspec.paths.trees.store import MANIFEST
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

SPEC = """
formatspec: 1
name: two_layouts
items: [record]
variants:
  - name: in folders
    files:
      image: {path: "images/{name}.{ext:image}"}
      record: {path: "records/{name}.json", json: {size: [image.width, image.height]}}
  - name: flat
    files:
      image: {path: "{name}.{ext:image}", need: optional}
      record: {path: "{name}.json", need: optional, json: {size: [image.width, image.height]}}
"""


def test_a_layout_that_claims_no_file_comes_after_one_that_lacks_some(tmp_path: Path) -> None:
    spec = tmp_path / "two_layouts.yaml"
    spec.write_text(SPEC)
    record = tmp_path / "data" / "records" / "a.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"size": [4, 3]}')
    found = candidates(load_spec(spec), open_tree(tmp_path / "data"), {})
    assert [one.form.layout.variant for one in found] == ["in folders", "flat"]


ONE_PATH = """
formatspec: 1
name: one_path
items: [record]
variants:
  - name: lists
    files: {record: {json: [{each: items, file: "{name}.{ext}", marks: [{each: objects, text: text}]}]}}
  - name: keys
    files: {record: {json: [{each: items, file: "{name}.{ext}", marks: {"{keep}": {each: objects, text: text}}}]}}
  - name: below
    files: {record: {json: {files: [{each: items, file: "{name}.{ext}", marks: [{each: objects, text: text}]}]}}}
files:
  image: {path: "{name}.{ext:image}", need: optional}
  record: {path: record.json}
"""


@pytest.mark.parametrize(
    ("document", "layout"),
    [
        ('[{"file": "a.png", "marks": [{"text": "x"}]}]', "lists"),
        ('[{"file": "a.png", "marks": {"0": {"text": "x"}}}]', "keys"),
        ('{"files": [{"file": "a.png", "marks": []}]}', "below"),
        ('{"files": "broken"', "lists"),
    ],
)
def test_of_layouts_at_one_path_the_document_tells_which_is_meant(tmp_path: Path, document: str, layout: str) -> None:
    spec = tmp_path / "one_path.yaml"
    spec.write_text(ONE_PATH)
    data = tmp_path / "data"
    data.mkdir()
    (data / "record.json").write_text(document)
    found = candidates(load_spec(spec), open_tree(data), {})
    assert found[0][0].layout.variant == layout


@pytest.mark.parametrize("broken", [b"", b"[{", b'[{"name": "\xc3("}]'])
def test_a_document_that_cannot_be_read_does_not_change_the_layout(tmp_path: Path, broken: bytes) -> None:
    """Items of the document are not known; a layout that needs other documents has the images and nothing of them."""
    spec = tmp_path / "lists.yaml"
    spec.write_text("""
formatspec: 1
name: lists
items: rows
variants:
  - {name: a list per subset, files: {rows: {path: "{subset}.json"}}}
  - name: a file per image
    items: image
    files: {rows: {path: "rows/{subset}/{name}.json", json: {name: "{name}", boxes: [{each: objects, "*": keep}]}}}
files:
  image: "{subset:train|val}/{name}.png"
  rows: {json: [{each: items, name: "{name}.png", boxes: [{each: objects, box: bbox | xywh}]}]}
""")
    data = tmp_path / "data"
    row = '[{"name": "a.png", "boxes": [{"box": [1, 1, 3, 3]}]}]'
    for subset, text in (("train", row.encode()), ("val", broken)):
        (data / subset).mkdir(parents=True)
        (data / subset / "a.png").write_bytes(image_bytes(8, 8, "png"))
        (data / subset / "b.png").write_bytes(image_bytes(8, 8, "png"))
        (data / f"{subset}.json").write_bytes(text)
    found = fs.validate(data, str(spec)).findings
    assert {one.code for one in found if one.level == "error"} <= {"FILE_UNREADABLE", "FILE_ENCODING"}
    assert {one.file for one in found if one.level == "error"} == {"val.json"}
    assert [item.key for item in fs.open(data, str(spec))] == ["train/a"]


SHAPES = """
formatspec: 1
name: shapes_of_a_value
items: labels
variants:
  - name: names
  - name: mappings
    files:
      labels:
        json:
          "{name}":
            "#":
              one of:
                - [{each: labels, label: category.name, "score?": score}]
                - {label: label.category.name, "score?": label.score}
                - null
files:
  image: "{name}.{ext:image}"
  labels:
    path: labels.json
    json: {"{name}": {each: items, "#": {one of: [[{each: labels, "#": category.name}], label.category.name, null]}}}
"""
OF_NAMES = '{"a": null, "b": ["car", "dog"], "c": "dog"}'
OF_MAPPINGS = '{"a": null, "b": [{"label": "car", "score": 0.5}, {"label": "dog"}], "c": {"label": "dog", "score": 1}}'


@pytest.mark.parametrize(("written", "scores"), [(OF_NAMES, [None] * 3), (OF_MAPPINGS, [0.5, None, 1])])
def test_a_value_may_be_a_list_a_mapping_a_name_or_null(
    tmp_path: Path, written: str, scores: list[float | None]
) -> None:
    """Each shape chooses its layout, even where the first value is null, and comes back as it stood."""
    spec, data = tmp_path / "shapes_of_a_value.yaml", tmp_path / "data"
    spec.write_text(SHAPES)
    data.mkdir()
    for name in "abc":
        (data / f"{name}.png").write_bytes(image_bytes(4, 3, "png"))
    (data / "labels.json").write_text(written)
    assert [finding for finding in fs.validate(data, spec).findings if finding.level == "error"] == []
    labels = [label for item in fs.open(data, spec) for label in item.labels]
    assert [(label.category.name, label.score) for label in labels if label.category] == list(
        zip(["car", "dog", "dog"], scores, strict=True)
    )
    laws.hold_on(load_spec(spec), data)


@pytest.mark.parametrize("images", ["{}", "images/{}"])
@pytest.mark.parametrize("documents", ["", "annotations/"])
def test_a_name_before_the_subset_of_a_json_is_no_part_of_the_subset(
    images: str, documents: str, tmp_path: Path
) -> None:
    """`birds_train.json` beside a folder `train` is of the subset `train`, and keeps its name in a copy."""
    data = tmp_path / "data"
    for subset in ("train", "val"):
        folder = data / images.format(subset)
        folder.mkdir(parents=True)
        (folder / f"{subset}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
        document = {
            "images": [{"id": 1, "file_name": f"{subset}.jpg", "width": 20, "height": 10}],
            "annotations": [{**row, "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]}],
            "categories": [{"id": 1, "name": "bird"}],
        }
        file = data / f"{documents}birds_{subset}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document))
    assert not fs.validate(data).findings
    assert [(item.subsets[0], item.image.path) for item in fs.open(data)] == [
        (subset, f"{images.format(subset)}/{subset}.jpg") for subset in ("train", "val")
    ]
    fs.convert(data, to="coco", out=tmp_path / "copy")
    names = sorted(file.name for file in (tmp_path / "copy").rglob("*.json") if file.name != MANIFEST)
    assert names == ["birds_train.json", "birds_val.json"]
