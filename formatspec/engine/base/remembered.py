"""Results of pure functions, kept by the identity of their arguments: rules and scopes are compared too slowly.

Whatever is asked of a compiled format, of a role or of a rule is remembered here; `lru_cache` is for plain values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_ALL: list[dict[tuple[int, ...], tuple[tuple[Any, ...], Any]]] = []
P = ParamSpec("P")
T = TypeVar("T")


def forget() -> None:
    """Forget all results, so that formats are compiled anew, with what a test has put in the place of a part."""
    for kept in _ALL:
        kept.clear()


def remembered(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that keeps the results of the last calls, and their arguments with them.

    Each argument is compared by identity, which holds as long as it is kept. The function must be pure and its
    arguments immutable; arguments that are made anew for each call are never met again.

    Args:
        most: How many results are kept; the one that was given the longest ago goes first.
    """

    def decorator(function: Callable[P, T]) -> Callable[P, T]:
        kept: dict[tuple[int, ...], tuple[tuple[Any, ...], T]] = {}
        _ALL.append(kept)

        @wraps(function)
        def given(*args: P.args, **named: P.kwargs) -> T:
            values = (*args, *named, *named.values())
            key = tuple(map(id, values))
            entry = kept.pop(key, None)
            if entry is None:
                entry = values, function(*args, **named)
            kept[key] = entry
            while len(kept) > most:
                kept.pop(next(iter(kept)), None)
            return entry[1]

        return given

    return decorator
