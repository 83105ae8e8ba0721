"""Patterns of paths, as in a spec's `root` and `ignore`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache


def matches(path: str, pattern: str) -> bool:
    """Return whether a whole path matches a pattern.

    `*` is any text within a segment, and `?` is one character of it. `**` as a segment is any number of segments; as
    the last one it is at least one. A final `/` stands for `/**`.
    """
    return _glob(pattern).fullmatch(path) is not None


def globs(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a test of whether a path matches any of the patterns, which are compiled once."""
    patterns = tuple(patterns)
    marks = tuple(dict.fromkeys(map(_mark, patterns)))
    one = re.compile("|".join(f"(?:{_glob(pattern).pattern})" for pattern in patterns)).fullmatch

    def fits(path: str) -> bool:
        rooted = "/" + path
        for mark in marks:
            if mark in rooted:
                return one(path) is not None
        return False

    return fits


def _mark(pattern: str) -> str:
    """Return the longest text that every matching path contains, with a slash before it."""
    return max(re.split(r"[*?]+", "/" + pattern), key=len)


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a pattern.

    The text after a wildcard is only sought at its first occurrence (an atomic group). That loses no match as long as
    another wildcard of the same kind comes later, and keeps the time for matching linear.
    """
    segments = (pattern + "**" if pattern.endswith("/") else pattern).split("/")
    trailing = segments[-1] == "**"
    runs: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            if runs[-1] or len(runs) == 1:
                runs.append([])
        else:
            runs[-1].append(_segment(segment))
    text = []
    for i, run in enumerate(runs):
        body = "/".join(run)
        last = i + 1 == len(runs)
        if not run:
            text.append(r"[\s\S]+" if last and trailing else "")
        elif i == 0:
            text.append(body if last else body + "/")
        elif last:
            text.append(rf"(?:[^/]+/)*{body}")
        else:
            text.append(rf"(?>(?:[^/]+/)*?{body}/)")
    return re.compile("".join(text))


def _segment(segment: str) -> str:
    pieces = [re.escape(piece).replace(r"\?", "[^/]") for piece in re.split(r"\*+", segment)]
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>[^/]*?{piece})" for piece in pieces[1:-1])
    return f"{pieces[0]}{middle}[^/]*{pieces[-1]}"
