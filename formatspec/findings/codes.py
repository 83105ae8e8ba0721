"""The definition of a code: its cases, their levels and scopes, and the actions that a conversion may take.

The table of all codes is in `findings.table`; docs/findings.md is rendered from it. Codes are stable and never reused.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from formatspec.findings.finding import LEVELS, Level, Scope

Action = Literal["keep", "fix", "clip", "drop", "drop-item", "error"]
"""What a conversion does about a finding.

keep: leave the value as it is.  fix: repair it.  clip: cut it at the image's edge.  drop: leave out the smallest unit
that the finding is about.  drop-item: leave the item out.  error: write nothing.
"""
ACTIONS: tuple[Action, ...] = ("keep", "fix", "clip", "drop", "drop-item", "error")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a code.

    Attributes:
        name: Distinguishes it from the code's other cases; "" for the first.
        action: What a conversion does by default.
        also: The other actions that users may ask for.
    """

    defect: str
    level: Level
    scope: Scope
    action: Action
    also: tuple[Action, ...] = ()
    name: str = ""

    @property
    def allowed(self) -> tuple[Action, ...]:
        """All actions that the case allows."""
        return tuple(action for action in ACTIONS if action == self.action or action in self.also)


class Code(msgspec.Struct, frozen=True):
    """A kind of finding: what it means, what to do about it, and its cases, the usual one first."""

    meaning: str
    hint: str
    cases: tuple[Case, ...]

    @property
    def level(self) -> Level:
        """The level of the usual case."""
        return self.cases[0].level

    @property
    def allowed(self) -> tuple[Action, ...]:
        """The actions that any of the cases allows."""
        return tuple(action for action in ACTIONS if any(action in case.allowed for case in self.cases))

    def case(self, name: str) -> Case:
        """Return a case by its name; the usual one if there is no such name."""
        return next((case for case in self.cases if case.name == name), self.cases[0])


def check_case(level: Level, scope: Scope) -> Case:
    """Return the case of a code that a spec's own check defines."""
    action: Action = "error" if level == "error" else "keep"
    also: tuple[Action, ...] = (
        ("keep", "drop", "drop-item", "error") if scope == "object" else ("keep", "drop-item", "error")
    )
    return Case(defect="a check of the spec does not hold", level=level, scope=scope, action=action, also=also)


__all__ = ["ACTIONS", "LEVELS", "Action", "Case", "Code", "check_case"]
