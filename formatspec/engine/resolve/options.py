"""What the options of a spec leave open: conditions over `option.NAME` hold or fail before any data is read."""

from __future__ import annotations

from typing import Any

from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import Binary, Expression, Literal, Name, conjuncts


def option_is(option: Meaning, expected: Any, scope: Scope) -> bool:
    """Whether an option may have a value; an option that nobody chose may have any."""
    return scope.options.get(option.name) in (None, expected)


def options_allow(where: Expression, scope: Scope) -> bool:
    """Whether the terms of a condition that compare options with constants all hold."""
    return all(_allows(part, scope) for part in conjuncts(where))


def _allows(part: Expression, scope: Scope) -> bool:
    """Whether one term leaves its rule open; a term about anything but an option does."""
    if not isinstance(part, Binary) or not isinstance(part.left, Name) or not isinstance(part.right, Literal):
        return True
    meaning = scope.meaning(part.left.name)
    if meaning is None or meaning.where != "option" or part.operator not in ("==", "!="):
        return True
    if part.operator == "!=" and isinstance(part.right.value, bool):
        return option_is(meaning, not part.right.value, scope)
    return option_is(meaning, part.right.value, scope) == (part.operator == "==")
