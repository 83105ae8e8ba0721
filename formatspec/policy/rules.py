"""Policies: rules that give findings an action, findings that are ignored, and limits on counts of findings."""

from __future__ import annotations

import codecs
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from formatspec.findings.codes import ACTIONS, LEVELS, Action, Case, check_case
from formatspec.findings.finding import Finding
from formatspec.findings.table import CODES
from formatspec.language.errors import suggest


class PolicyError(ValueError):
    """A policy has an unknown word, or an action that its code does not allow."""


class Rule(msgspec.Struct, frozen=True):
    """An action for a code, or for all findings of a level that would stop a conversion.

    Attributes:
        within: For `clip`, the part of the image's side by which a value may stick out.
        encoding: For `fix`, the encoding of texts that are in none of the format's encodings.
    """

    about: str
    action: Action
    within: float | None = None
    encoding: str | None = None


class Ignored(msgspec.Struct, frozen=True):
    """Findings that are ignored: those of a code, in files that match a pattern (None: in all files)."""

    code: str | None
    path: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is one of these."""
        if self.code is not None and finding.code != self.code:
            return False
        if self.path is None:
            return True
        return finding.file is not None and fnmatch.fnmatchcase(finding.file, self.path)


class Policy(msgspec.Struct, frozen=True):
    """All rules, of which later ones win; the ignored findings; and the limits on counts for each code."""

    rules: tuple[Rule, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    fail_over: dict[str, int] = {}

    def action(self, finding: Finding) -> Action:
        """Return the action for a finding."""
        return self.decided(finding)[0]

    def decided(self, finding: Finding) -> tuple[Action, float | None]:
        """Return the action for a finding, and for `clip` how far a value may stick out."""
        own = own_action(finding)
        for rule in reversed(self.rules):
            if rule.about == finding.code:
                if rule.action == "fix" and (finding.code, finding.case) in REPAIRED_WHILE_READ:
                    return "error", None
                if rule.action == "drop-item" or rule.action in allowed(finding):
                    return _possible(rule.action, finding), rule.within
                return "error", None
        if own != "error":
            return own, None
        for rule in reversed(self.rules):
            if rule.about == finding.level:
                return _of_level(rule.action, finding), None
        return own, None

    def speaks_of(self, code: str) -> bool:
        """Return whether a rule is about a code."""
        return any(rule.about == code for rule in self.rules)

    def fixes(self, code: str) -> bool:
        """Return whether the last rule about a code repairs it."""
        return next((rule.action == "fix" for rule in reversed(self.rules) if rule.about == code), False)

    @property
    def encoding(self) -> str | None:
        """Return the encoding for texts in none of the format's encodings, if the last rule about them states one."""
        return next((rule.encoding for rule in reversed(self.rules) if rule.about == "FILE_ENCODING"), None)

    def told(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings that are not ignored."""
        if not self.ignored:
            return tuple(findings)
        return tuple(finding for finding in findings if not any(one.covers(finding) for one in self.ignored))

    def fails(self, findings: Sequence[Finding]) -> bool:
        """Return whether a validation fails: because of an error, or of a code that exceeds its own limit."""
        counts: dict[str, int] = {}
        for finding in findings:
            if finding.level == "error" or finding.code in self.fail_over:
                counts[finding.code] = counts.get(finding.code, 0) + 1
        return any(count > self.fail_over.get(code, 0) for code, count in counts.items())


REPAIRED_WHILE_READ = {("FILE_ENCODING", "none"), ("LINE", "")}
"""Codes, with their cases, that are repaired while files are read; those that are still found were not repaired."""


def case_of(finding: Finding) -> Case:
    """Return the case of a finding; all codes of specs' own checks share one."""
    code = CODES.get(finding.code)
    return check_case(finding.level, finding.scope) if code is None else code.case(finding.case)


def own_action(finding: Finding) -> Action:
    """Return the action for a finding without a rule of the user.

    A level that a format gives to a code changes the action too, except for findings about a document, since the target
    gets a document of its own.
    """
    case = case_of(finding)
    if finding.level != case.level:
        if finding.level == "error" and case.action == "keep" and case.scope != "document":
            return "error"
        if finding.level != "error" and case.action == "error":
            return "keep"
    return case.action


def allowed(finding: Finding) -> tuple[Action, ...]:
    """Return the actions that are allowed for a finding."""
    case, own = case_of(finding), own_action(finding)
    found = {own, *case.allowed} - {"error"}
    if finding.scope == "document":
        found -= {"drop", "drop-item"}
    if finding.item is None:
        found -= {"drop-item"} if finding.scope != "item" else set()
    if finding.scope == "item" and "drop" in found:
        found.add("drop-item")
    return tuple(action for action in ACTIONS if action in found)


def _possible(action: Action, finding: Finding) -> Action:
    """Return the action in its effective form: dropping what an item is about leaves the item out."""
    if action == "drop" and finding.scope == "item":
        return "drop-item"
    return action if action in allowed(finding) else "error"


def _of_level(action: Action, finding: Finding) -> Action:
    """Return the action of a rule for a level: drop or drop-item, whichever the finding allows; the given one first."""
    if action not in ("drop", "drop-item"):
        return action if action in allowed(finding) else "error"
    order: tuple[Action, ...] = (action, "drop", "drop-item")
    for tried in order:
        done = _possible(tried, finding)
        if done != "error":
            return done
    return "error"


def parse_on(texts: Iterable[str], own: Mapping[str, Any] = {}) -> tuple[Rule, ...]:
    """Parse rules `CODE[,CODE]=ACTION`, where a level may stand for a code.

    `,within=5%` or `,encoding=cp1252` may follow the action.

    Args:
        texts: The rules as given on the command line.
        own: The codes that specs define in checks of their own.

    Raises:
        PolicyError: A code, a level or an action is unknown, or the code does not allow the action.
    """
    made = []
    for text in texts:
        heads, equals, action = text.partition("=")
        action, *more = action.split(",")
        if not equals or not heads.strip() or not action.strip():
            raise PolicyError(f"--on takes CODE[,CODE]=ACTION, not {text!r}")
        details = dict(_detail(about_action) for about_action in more)
        made += [rule_of(head.strip(), action.strip(), details, own) for head in heads.split(",")]
    return tuple(made)


DETAILS = {"within": "clip", "encoding": "fix"}
"""The details that may follow an action, and the action of each."""


def _detail(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise PolicyError(f"behind an action stands NAME=VALUE, with {' or '.join(DETAILS)}, not {text!r}")
    return name, value


def rule_of(about: str, action: str, details: Mapping[str, Any], own: Mapping[str, Any]) -> Rule:
    """Return one rule; `details` are those of DETAILS. Raises PolicyError as `parse_on` does."""
    if action not in ACTIONS:
        raise PolicyError(f"{action!r} is no action; {suggest(action, ACTIONS)}")
    if about in LEVELS:
        return Rule(about, action)
    takes = actions_of(about, own)
    if action not in takes:
        raise PolicyError(f"{about} does not take {action!r}; it takes {', '.join(takes)}")
    for name in details:
        if name not in DETAILS:
            raise PolicyError(f"on: {about}: {name!r} is not known; {suggest(str(name), ('action', *DETAILS))}")
        if action != DETAILS[name]:
            raise PolicyError(f"`{name}` goes with the action {DETAILS[name]}, not with {action!r}")
    within, encoding = details.get("within"), details.get("encoding")
    if encoding is not None:
        if about != "FILE_ENCODING":
            raise PolicyError(f"`encoding` goes with FILE_ENCODING, not with {about}")
        try:
            codecs.lookup(str(encoding))
        except LookupError:
            raise PolicyError(f"there is no text encoding {encoding!r}") from None
    return Rule(about, action, None if within is None else _part(about, within), encoding)


def _part(about: str, within: Any) -> float:
    """Return a part of the image's side: `5%`, or 0.05."""
    text = str(within).strip()
    try:
        part = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        part = -1.0
    if not 0 <= part < float("inf"):
        raise PolicyError(f"on: {about}: within takes a part such as 5%, not {within!r}")
    return part


def actions_of(code: str, own: Mapping[str, Any]) -> tuple[Action, ...]:
    """Return the actions that any case of a code allows, including `error`. Raises PolicyError for an unknown code."""
    if code in CODES:
        found = {*CODES[code].allowed, "error"}
        if any(case.scope == "item" or "drop-item" in case.allowed for case in CODES[code].cases) and "drop" in found:
            found.add("drop-item")
        return tuple(action for action in ACTIONS if action in found)
    if code in own:
        return "keep", "drop", "drop-item", "error"
    raise PolicyError(f"there is no code and no level {code!r}; {suggest(code, (*CODES, *LEVELS, *own))}")
