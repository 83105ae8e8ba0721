"""The design page names files that exist, and its diagrams draw the packages and the imports that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import formatspec

PACKAGE = Path(formatspec.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "design.md").read_text("utf-8")
NAMED = re.findall(r"`((?:[a-z_]+/)*[a-z_0-9]+\.py)`", PAGE)


DIAGRAMS = dict(zip((".", "engine"), re.findall(r"```mermaid\n(.*?)```", PAGE, re.S), strict=True))


def imports(folder: Path) -> set[tuple[str, str]]:
    """Which package or file of a folder imports which other, type-only imports and those in functions included."""
    home = ("formatspec", *folder.relative_to(PACKAGE).parts)

    def named(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                yield node.module or ""
            elif isinstance(node, ast.Import):
                yield from (one.name for one in node.names)

    found = set()
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    for package in packages(folder) | files:
        for file in [folder / f"{package}.py"] if package in files else (folder / package).rglob("*.py"):
            for name in named(ast.parse(file.read_text("utf-8"))):
                parts = tuple(name.split("."))
                if parts[: len(home)] == home and len(parts) > len(home) and parts[len(home)] != package:
                    found.add((package, parts[len(home)]))
    return {(start, end) for start, end in found if (folder / f"{end}.py").is_file() or (folder / end).is_dir()}


def arrows(diagram: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^\s*(\w+)(?:\[.*?\])? --> (\w+)", diagram, re.M))


def reachable(drawn: set[tuple[str, str]], start: str) -> set[str]:
    """The packages below one, by the arrows that are drawn."""
    found = {end for begin, end in drawn if begin == start}
    return found.union(*(reachable(drawn, one) for one in found))


def packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_every_file_that_the_page_names_exists() -> None:
    missing = [name for name in NAMED if not (PACKAGE / name).is_file() and not (PACKAGE.parent / name).is_file()]
    assert not missing


def test_the_table_answers_at_least_25_questions() -> None:
    table = PAGE.partition("## Where is …")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| … .* \| `[^`]+\.py` \|$", table, re.M)) >= 25


@pytest.mark.parametrize("folder", DIAGRAMS)
def test_the_diagrams_show_every_package(folder: str) -> None:
    assert packages(PACKAGE / folder) <= {name for arrow in arrows(DIAGRAMS[folder]) for name in arrow}


@pytest.mark.parametrize("folder", DIAGRAMS)
def test_the_arrows_of_the_diagrams_are_the_imports(folder: str) -> None:
    drawn, real = arrows(DIAGRAMS[folder]), imports(PACKAGE / folder)
    assert len(real) > len(packages(PACKAGE / folder))
    assert {(start, end) for start, end in drawn if (start, end) not in real} == set()
    undrawn = {(start, end) for start, end in real if end not in reachable(drawn, start) and end != "_version"}
    assert undrawn == set()
