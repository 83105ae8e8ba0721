"""The JSON Schema that editors use accepts every spec, and names what is wrong with one."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from formatspec.docs.editor_schema import editor_schema
from formatspec.language.load import bundled

ROOT = Path(__file__).resolve().parent.parent
SPECS = sorted(bundled().glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(editor_schema())
MINE = """
formatspec: 1
name: mine
files:
  image: "images/{name}.{ext:image}"
  label: {path: "labels/{name}.json", json: {boxes: [{each: objects, label: category.name, box: bbox | xywh}]}}
"""


def faults(spec: Any) -> list[str]:
    """What the schema says of a spec, each with where it is."""
    found = VALIDATOR.iter_errors(spec)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def blocks() -> list[Any]:
    """The whole specs in README and the pages about the language."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "language").glob("*.md")]
    texts = [text for page in pages for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S)]
    return [
        yaml.safe_load(text) for text in texts if "formatspec: 1" in text and "\nfiles:" in text and "…" not in text
    ]


def test_the_schema_is_a_schema_of_a_version() -> None:
    schema = editor_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith("/v1.json")


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_it_accepts_every_spec(file: Path) -> None:
    assert faults(yaml.safe_load(file.read_text())) == []


def test_it_accepts_the_specs_of_the_pages() -> None:
    found = blocks()
    assert found
    assert [fault for block in found for fault in faults(block)] == []


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("name: mine", "nmae: mine", ": Additional properties"),
        ("each: objects", "each: objetcs", "files.label.json.boxes.0.each: "),
        ("path:", "pth:", "files.label: "),
        ("formatspec: 1", "formatspec: 2", "formatspec: "),
        ("files:", "need: 1\nfiles:", ": Additional properties"),
    ],
)
def test_it_names_what_is_wrong(before: str, after: str, place: str) -> None:
    assert faults(yaml.safe_load(MINE)) == []
    assert any(fault.startswith(place) for fault in faults(yaml.safe_load(MINE.replace(before, after))))


def test_it_completes_slots_and_explains_words() -> None:
    definitions = editor_schema()["$defs"]
    assert {"keep", "category.name", "bbox", "keypoints"} <= set(definitions["Leaf"]["anyOf"][0]["enum"])
    assert definitions["FileSpec"]["properties"]["path"]["description"]
    assert "xywh" in definitions["Leaf"]["description"]
