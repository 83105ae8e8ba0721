"""The package stays easy to find one's way in: no file is long, no folder is full, every folder says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import formatspec

PACKAGE = Path(formatspec.__file__).parent
LINES = 500
FILES = 12


def folders() -> list[Path]:
    """The packages, from the outermost on."""
    return sorted({path.parent for path in PACKAGE.rglob("*.py")})


def too_long(package: Path) -> dict[str, int]:
    """The files that hold more than 500 lines, with how many."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in package.rglob("*.py")}
    return {path.relative_to(package).as_posix(): length for path, length in lengths.items() if length > LINES}


def too_full(package: Path) -> dict[str, int]:
    """The folders that hold more than twelve files beside `__init__.py`, with how many."""
    counts = {
        folder: sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]
    }
    return {folder.relative_to(package).as_posix(): count for folder, count in counts.items() if count > FILES}


def test_no_file_is_longer_than_500_lines() -> None:
    assert too_long(PACKAGE) == {}


def test_no_folder_holds_more_than_12_files() -> None:
    assert too_full(PACKAGE) == {}


def test_every_folder_and_every_file_says_what_it_is_for() -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"]
    silent = [
        str(path.relative_to(PACKAGE)) for path in paths if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
    assert [str(folder) for folder in folders() if not (folder / "__init__.py").is_file()] == []


def test_a_long_file_and_a_full_folder_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "long.py").write_text("pass\n" * (LINES + 1))
    (tmp_path / "whole.py").write_text("pass\n" * LINES)
    for number in range(FILES + 1):
        (tmp_path / "full" / f"file_{number}.py").touch()
    (tmp_path / "full" / "__init__.py").touch()
    assert too_long(tmp_path) == {"long.py": LINES + 1}
    assert too_full(tmp_path) == {"full": FILES + 1}
