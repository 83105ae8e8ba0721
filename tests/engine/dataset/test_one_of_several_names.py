"""A required file that may have one of several names is missed where none of them is there, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

import formatspec as fs


@pytest.mark.parametrize(
    ("name", "codes"), [("classes.csv", []), ("class_map.csv", []), ("other.csv", ["FILE_MISSING"])]
)
def test_a_list_of_classes_of_one_of_its_usual_names_is_enough(name: str, codes: list[str], tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample("retinanet_csv", data, items=4, seed=0)
    (data / "classes.csv").rename(data / name)
    findings = fs.validate(data, "retinanet_csv", workers=1).findings
    assert [one.code for one in findings if one.level == "error"] == codes
