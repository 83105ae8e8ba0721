"""A pickle is no text: the encodings of its role are those of the texts in it, not of its bytes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.testing.memory import image_bytes

OF_ALL = """
formatspec: 1
name: pickled
files:
  image: "{name}.{ext:image}"
  rows:
    path: rows.p
    encoding: ENCODING
    pickle: [{each: objects, file: "{name}.{ext}", class: category.name, box: bbox | xywh}]
"""
OF_EACH = """
formatspec: 1
name: pickled
files:
  image: "{name}.{ext:image}"
  rows:
    path: "{name}.p"
    encoding: ENCODING
    pickle: [{each: objects, class: category.name, box: bbox | xywh}]
"""


@pytest.mark.parametrize("encoding", ["[utf-8, latin-1]", "[utf-8, ascii]"])
@pytest.mark.parametrize(("spec", "file", "row"), [
    (OF_ALL, "rows.p", {"file": "a.png", "class": "car", "box": [1, 1, 2, 2]}),
    (OF_EACH, "a.p", {"class": "car", "box": [1, 1, 2, 2]}),
], ids=["one for all images", "one for each"])  # fmt: skip
def test_the_bytes_of_a_pickle_are_no_text_in_another_encoding(
    tmp_path: Path, spec: str, file: str, row: dict[str, object], encoding: str
) -> None:
    (tmp_path / "pickled.yaml").write_text(spec.replace("ENCODING", encoding))
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.png").write_bytes(image_bytes(8, 8, "png"))
    (data / file).write_bytes(pickle.dumps([row], protocol=2))
    assert not (data / file).read_bytes().isascii()
    assert fs.validate(data, tmp_path / "pickled.yaml").findings == ()
    assert [thing.category.name for item in fs.open(data, tmp_path / "pickled.yaml") for thing in item.objects] == [
        "car"
    ]
