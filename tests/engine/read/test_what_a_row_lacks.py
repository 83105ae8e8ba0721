"""A row that fits none of several alternatives is told by the key that it lacks of the nearest one."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run
from files_on_disk import put, spec_file

SPEC = """
formatspec: 1
name: mine
files:
  image: "{name}.{ext:image}"
  labels:
    path: "{name}.json"
    json:
      - one of:
          - {each: objects, class: category.name, box: bbox | xywh}
          - {each: objects, class: category.name, ring: polygon | flat}
"""
BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"box": [1, 1, 2, 2]}', "'class' is missing"),
        ('{"ring": [1, 1, 5, 1, 5, 5]}', "'class' is missing"),
    ],
)
def test_the_nearest_alternative_says_what_is_missing(row: str, said: str, run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", {"a.png": None, "a.json": f'[{{"class": "dog", "box": [0, 0, 2, 2]}}, {row}]'})
    ran = run("validate", spec_file(tmp_path, SPEC), data)
    assert ran.status == 1 and ran.out.count("FIELD_MISSING") == 1 and "ALTERNATIVE" not in ran.out and said in ran.out


@pytest.mark.parametrize("row", ['{"other": 1}', '{"class": "cat"}'], ids=["no key", "a box or a ring"])
def test_what_may_be_missing_in_several_ways_fits_no_table(row: str, run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", {"a.png": None, "a.json": f"[{row}]"})
    ran = run("validate", spec_file(tmp_path, SPEC), data)
    assert ran.status == 1 and "ALTERNATIVE" in ran.out and "FIELD_MISSING" not in ran.out


@pytest.mark.parametrize(("row", "said"), [(BOX, "'name' is missing"), ("<name>cat</name>", "'bndbox' is missing")])
def test_an_object_of_voc_says_what_it_lacks(row: str, said: str, run: Run, tmp_path: Path) -> None:
    text = f"<annotation><filename>a.png</filename><object>{row}</object></annotation>"
    ran = run("validate", "voc", put(tmp_path, {"JPEGImages/a.png": None, "Annotations/a.xml": text}))
    assert ran.status == 1 and "FIELD_MISSING" in ran.out and said in ran.out and "robndbox" not in ran.out
