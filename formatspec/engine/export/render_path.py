"""The path of a role's file, rendered from the names of an item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.spec.compiled import Role


def rendered(role: Role, names: Mapping[str, Any]) -> str:
    """The path of a role's file.  Raises CannotWriteError."""
    try:
        return role.template.render({**role.spec.given, **names} if role.spec.given else names)
    except (KeyError, ValueError) as error:
        raise CannotWriteError(f"the path {role.spec.path} cannot be made of {dict(names)}: {error}") from None
