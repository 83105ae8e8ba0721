"""Where a spec names several sources of categories, one that is there is enough."""

from __future__ import annotations

import shutil
from pathlib import Path

import formatspec as fs

EXAMPLE = Path(__file__).parents[3] / "specs/examples/open_images"
TABLES = ("oidv6-class-descriptions.csv", "oidv7-class-descriptions-boxable.csv")


def missing(data: Path) -> list[str]:
    return [finding.file for finding in fs.validate(data, "open_images").findings if finding.code == "FILE_MISSING"]


def test_one_table_of_several_is_enough(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "data")
    table = tmp_path / "data/annotations" / TABLES[0]
    table.rename(table.with_name(TABLES[1]))
    assert missing(tmp_path / "data") == []


def test_without_any_the_required_one_is_missing(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "data")
    (tmp_path / "data/annotations" / TABLES[0]).unlink()
    assert missing(tmp_path / "data") == [f"annotations/{TABLES[0]}"]


def test_made_category_ids_are_whole_numbers(tmp_path: Path) -> None:
    fs.convert(EXAMPLE, spec="open_images", to="coco", out=tmp_path / "out")
    assert {category.id for category in fs.open(tmp_path / "out", "coco").categories} == {1, 2, 3, 4}
