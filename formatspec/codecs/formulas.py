"""Formulas as functions: the arithmetic that a codec states, done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formatspec.codecs.registry import Formulas


def computed(formulas: Formulas, count: int) -> Callable[..., tuple[Any, ...]]:
    """The function of so many numbers that gives what the formulas say; they use no size."""
    names = [f"v{place}" for place in range(count)]
    made: Callable[..., tuple[Any, ...]] = eval(f"lambda {', '.join(names)}: ({', '.join(formulas(names))},)", {})
    return made
