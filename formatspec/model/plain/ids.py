"""Finds free ids."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any


def free_ids(taken: set[Any]) -> Callable[[Any], Any]:
    """Return a function that replaces a taken id by a free one: the next number, or the text followed by a number."""
    numbers = itertools.count(max((value for value in taken if type(value) is int), default=0) + 1)

    def free(value: Any) -> Any:
        if type(value) is int:
            return next(numbers)
        made = next(text for n in itertools.count(2) if (text := f"{value}_{n}") not in taken)
        taken.add(made)
        return made

    return free
