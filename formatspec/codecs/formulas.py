"""Formulas as functions: computes the arithmetic that a codec states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formatspec.codecs.registry import Formulas


def computed(formulas: Formulas, count: int) -> Callable[..., tuple[Any, ...]]:
    """Return a function of `count` numbers that computes the formulas; they use no size."""
    names = [f"v{place}" for place in range(count)]
    made: Callable[..., tuple[Any, ...]] = eval(f"lambda {', '.join(names)}: ({', '.join(formulas(names))},)", {})
    return made
