"""The design page names files that exist, and its diagrams name the packages that are there."""

from __future__ import annotations

import re
from pathlib import Path

import formatspec

PACKAGE = Path(formatspec.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "design.md").read_text("utf-8")
NAMED = re.findall(r"`((?:[a-z_]+/)*[a-z_0-9]+\.py)`", PAGE)


def packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_every_file_that_the_page_names_exists() -> None:
    missing = [name for name in NAMED if not (PACKAGE / name).is_file() and not (PACKAGE.parent / name).is_file()]
    assert not missing


def test_the_table_answers_at_least_25_questions() -> None:
    table = PAGE.partition("## Where is …")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| … .* \| `[^`]+\.py` \|$", table, re.M)) >= 25


def test_the_diagrams_show_every_package() -> None:
    outer, inner = re.findall(r"```mermaid\n(.*?)```", PAGE, re.S)
    assert packages(PACKAGE) <= set(re.findall(r"\b([a-z_]+)\b", outer))
    assert packages(PACKAGE / "engine") <= set(re.findall(r"\b([a-z_]+)\b", inner))
