"""Renders the path of a role's file from the names of an item."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.spec.compiled import Role
from formatspec.paths.trees.tree import Tree, as_spelled

Spelled = Callable[[str], str]
"""Takes a rendered path, and gives it in the spelling that the file system has."""


def rendered(role: Role, names: Mapping[str, Any]) -> str:
    """Render the path of a role's file. Raises CannotWriteError."""
    try:
        return role.template.render({**role.spec.given, **names} if role.spec.given else names)
    except (KeyError, ValueError) as error:
        raise CannotWriteError(f"the path {role.spec.path} cannot be made of {dict(names)}: {error}") from None


def is_of(role: Role, names: Mapping[str, Any], made: Container[str]) -> bool:
    """Return whether the item of these names has a file of a role.

    It has no file where the role's `given` names have other values, or where the path contains a name that follows from
    the item and has no value there.

    Args:
        role: The role of the files.
        names: The names of the item.
        made: The names that follow from items.
    """
    for name, value in role.spec.given.items():
        if name not in role.template.names and names.get(name, value) not in (None, value):
            return False
    return all(names.get(name) is not None for name in role.template.names if name in made)


def as_rendered(path: str) -> str:
    """Return the path unchanged."""
    return path


def as_in(tree: Tree) -> Spelled:
    """Return a function that spells extensions in capitals where a tree has them so, so that files keep their names."""
    return partial(as_spelled, tree)
