"""Patterns of paths, as in a spec's `root` and `ignore`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache


def matches(path: str, pattern: str) -> bool:
    """Return whether a whole path matches a pattern.

    `*` is any text within a segment, and `?` is one character of it. `**` as a segment is any number of segments; as
    the last one it is at least one. A final `/` stands for `/**`.
    """
    return _glob(pattern).fullmatch(path) is not None


class Globs:
    """Whether a path fits any of some patterns, compiled once."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile the patterns."""
        self._marks = tuple(dict.fromkeys(map(_mark, patterns)))
        self._fits = re.compile("|".join(f"(?:{_glob(pattern).pattern})" for pattern in patterns)).fullmatch

    def __call__(self, path: str) -> bool:
        """Whether a path fits."""
        rooted = "/" + path
        for mark in self._marks:
            if mark in rooted:
                return self._fits(path) is not None
        return False

    def outside(self, paths: Sequence[str], start: str = "") -> Sequence[str]:
        """Those of some paths that do not fit, or do not lie below `start`, behind which the patterns begin.

        Paths of which none holds what the patterns ask for are told at one look.
        """
        joined = "/" + "\n/".join(paths)
        if not any(mark in joined for mark in self._marks):
            return paths
        below = len(start)
        return [path for path in paths if not (path.startswith(start) and self(path[below:]))]


def globs(patterns: Iterable[str]) -> Globs:
    """Whether a path fits any of the patterns; the same patterns are compiled once."""
    return _globs(tuple(patterns))


@lru_cache(maxsize=256)
def _globs(patterns: tuple[str, ...]) -> Globs:
    return Globs(patterns)


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
