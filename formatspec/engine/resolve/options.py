"""Evaluates conditions on `option.NAME` before any data is read."""

from __future__ import annotations

from typing import Any

from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.language.expression import Binary, Expression, Literal, Name, conjuncts


def option_is(option: Meaning, expected: Any, scope: Scope) -> bool:
    """Return whether an option can have a value; an option without a choice can have any."""
    return scope.options.get(option.name) in (None, expected)


def options_allow(where: Expression, scope: Scope) -> bool:
    """Return whether all terms of a condition that compare options with constants hold."""
    return all(_allows(part, scope) for part in conjuncts(where))


def _allows(part: Expression, scope: Scope) -> bool:
    """Return whether one term does not rule its rule out; terms without options never do."""
    if not isinstance(part, Binary) or not isinstance(part.left, Name) or not isinstance(part.right, Literal):
        return True
    meaning = scope.meaning(part.left.name)
    if meaning is None or meaning.where != "option" or part.operator not in ("==", "!="):
        return True
    if part.operator == "!=" and isinstance(part.right.value, bool):
        return option_is(meaning, not part.right.value, scope)
    return option_is(meaning, part.right.value, scope) == (part.operator == "==")
