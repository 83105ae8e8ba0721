"""The path of a role's file, rendered from the names of an item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.spec.compiled import Role
from formatspec.paths.trees.tree import Tree, as_spelled

Spelled = Callable[[str], str]
"""Gives a path that was rendered as it is to be spelled."""


def rendered(role: Role, names: Mapping[str, Any]) -> str:
    """The path of a role's file.  Raises CannotWriteError."""
    try:
        return role.template.render({**role.spec.given, **names} if role.spec.given else names)
    except (KeyError, ValueError) as error:
        raise CannotWriteError(f"the path {role.spec.path} cannot be made of {dict(names)}: {error}") from None


def as_rendered(path: str) -> str:
    """The path itself."""
    return path


def as_in(tree: Tree) -> Spelled:
    """What spells a path's extension in capitals where a tree does, so that files go back under their own names."""
    return partial(as_spelled, tree)
