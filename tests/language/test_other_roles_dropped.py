"""`"*": drop` under `files` leaves out the roles that a layout, or a spec that extends another, does not name."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import spec_file

from formatspec.language.errors import SpecError
from formatspec.language.load import load_source

BASE = """
formatspec: 1
name: base
variants:
  - name: all
  - {name: few, files: {image: "{name}.{ext:image}", boxes: {}, "*": drop}}
files:
  image: "images/{name}.{ext:image}"
  boxes: {path: "boxes/{name}.json", json: {boxes: [{each: objects, box: bbox | xywh}]}}
  captions: {path: "captions/{name}.txt", need: optional, lines: {each: captions, lines: "{text}"}}
  notes: {path: "notes/{name}.txt", need: optional, lines: {each: captions, lines: "{text}"}}
"""
OVER = """
formatspec: 1
name: over
extends: base.yaml
variants: drop
files: {FILES}
"""


def roles(file: Path) -> list[list[str]]:
    return [list(layout.spec.files) for layout in load_source(file).layouts]


def test_a_layout_has_the_roles_that_it_names(tmp_path: Path) -> None:
    file = spec_file(tmp_path, BASE, "base")
    assert roles(file) == [["image", "boxes", "captions", "notes"], ["image", "boxes"]]
    few = load_source(file).layouts[1].spec.files
    assert few["image"].path == "{name}.{ext:image}" and few["boxes"].path == "boxes/{name}.json"


def test_so_has_a_spec_that_extends_another(tmp_path: Path) -> None:
    spec_file(tmp_path, BASE, "base")
    text = OVER.replace("FILES", 'image: {}, notes: {need: required}, "*": drop')
    assert roles(spec_file(tmp_path, text, "over")) == [["image", "notes"]]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('image: {}, "*": keep', "`*` under `files` drops the other roles"),
        ('image: {}, boxes: {}, captions: {}, notes: {}, "*": drop', "there is no other role to drop"),
        ('image: {}, boxs: {}, "*": drop', "no role is called 'boxs'; did you mean 'boxes'?"),
    ],
)
def test_nothing_else_stands_there(files: str, said: str, tmp_path: Path) -> None:
    spec_file(tmp_path, BASE, "base")
    with pytest.raises(SpecError, match=r"over\.yaml:5") as caught:
        load_source(spec_file(tmp_path, OVER.replace("FILES", files), "over"))
    assert said in str(caught.value)
