"""Every function that another file calls says what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import formatspec

PACKAGE = Path(formatspec.__file__).parent
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def parsed(package: Path) -> dict[str, ast.Module]:
    """The files of a package by their paths in it."""
    return {
        path.relative_to(package).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(package.rglob("*.py"))
    }


def names_used(tree: ast.Module) -> set[str]:
    """The names that a file imports, or takes from something with a dot."""
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return imported | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def definitions(node: ast.AST, around: str = "") -> Iterator[tuple[str, Definition]]:
    """Functions, classes and methods with their dotted names, without those within functions and overloads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{around}{child.name}"
            if not any(isinstance(one, ast.Name) and one.id == "overload" for one in child.decorator_list):
                yield name, child
            if isinstance(child, ast.ClassDef):
                yield from definitions(child, f"{name}.")
        elif isinstance(child, ast.If | ast.Try):
            yield from definitions(child, around)


def silent(package: Path) -> list[str]:
    """What another file may call and has no docstring, as `path: name`; a name with `_` before it is of one file."""
    trees = parsed(package)
    used = {path: names_used(tree) for path, tree in trees.items()}
    return [
        f"{path}: {name}"
        for path, tree in trees.items()
        for name, node in definitions(tree)
        if not ast.get_docstring(node)
        and not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
        and any(name.rpartition(".")[2] in names for other, names in used.items() if other != path)
    ]


def test_every_function_that_another_file_calls_says_what_it_does() -> None:
    assert silent(PACKAGE) == []


def test_a_silent_function_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "def used(): pass\ndef unused(): pass\ndef told():\n    'Told.'\n"
        "class Kind:\n    'A kind.'\n    def act(self): pass\n"
    )
    (tmp_path / "other.py").write_text("from one import used, told, Kind\nKind().act()\ntold()\n")
    assert silent(tmp_path) == ["one.py: used", "one.py: Kind.act"]
