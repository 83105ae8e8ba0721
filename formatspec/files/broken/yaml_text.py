"""Explains why the parser of a YAML data file stopped."""

from __future__ import annotations


def broken(problem: str, text: str, line: int) -> str:
    """Return a message of the parser, and what probably helps. `line` counts from 1."""
    lines = text.split("\n")
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab stands at the beginning of the line: YAML is indented with blanks alone"
    if "cannot start any token" in problem:
        return f"no text begins with {here.strip()[:1]!r}: put quotes around it"
    if "mapping values are not allowed" in problem:
        return f"{problem}; indent the keys of one mapping alike, and put quotes around a text that holds ': '"
    if "could not find expected ':'" in problem:
        return f"{problem}; a key lacks the colon behind it, or a quote is never closed"
    return problem
