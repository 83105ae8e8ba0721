"""A finding: one thing that is wrong with a dataset, as data with a place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
Scope = Literal["value", "object", "item", "document"]
"""What a finding is about, and so how much may be left out because of it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, where, what was expected, and what to do.

    Attributes:
        code: What is wrong, as docs/findings.md lists it; codes never change their meaning.
        level: How serious it is.
        message: What is wrong, in a sentence.
        file: Relative to the dataset as given.
        pointer: An RFC 6901 JSON pointer into the file.
        line: From 1.
        column: From 1, in characters.
        item: The item's key.
        object: The object's id, where the finding is about an object that has one.
        expected: What would be right.
        got: What is there.
        hint: What to do.
        rule: The spec's file and line.
        scope: What the finding is about, and so how much may be left out because of it.
        case: Tells the cases of a code apart.
        action: What a conversion does about it.
    """

    code: str
    level: Level
    message: str
    file: str | None = None
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    item: str | None = None
    object: Any = None
    expected: str | None = None
    got: Any = None
    hint: str | None = None
    rule: str | None = None
    scope: Scope = "document"
    case: str = ""
    action: str | None = None


def at_least(findings: Iterable[Finding], threshold: Level) -> bool:
    """Return whether any finding is at or above the threshold."""
    rank = LEVELS.index(threshold)
    return any(LEVELS.index(finding.level) <= rank for finding in findings)
