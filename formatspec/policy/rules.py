"""A policy: rules that give findings an action, findings that are not told of, and counts that are too many."""

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
    """A policy has an unknown word, or an action that its code does not take."""


class Rule(msgspec.Struct, frozen=True):
    """An action for a code, or for all findings of a level that would stop a conversion.

    within: of `clip`, the part of the image's side by which a value may reach out.  encoding: of `fix`, that of texts
    which are in none that the format lists.
    """

    about: str
    action: Action
    within: float | None = None
    encoding: str | None = None


class Ignored(msgspec.Struct, frozen=True):
    """Findings that are not told: those of a code, in files that a pattern matches; None for any."""

    code: str | None
    path: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one of these."""
        if self.code is not None and finding.code != self.code:
            return False
        if self.path is None:
            return True
        return finding.file is not None and fnmatch.fnmatchcase(finding.file, self.path)


class Policy(msgspec.Struct, frozen=True):
    """All rules, the later of which win; what is ignored; how many findings of a code are too many."""

    rules: tuple[Rule, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    fail_over: dict[str, int] = {}

    def action(self, finding: Finding) -> Action:
        """What is done about a finding."""
        return self.decided(finding)[0]

    def decided(self, finding: Finding) -> tuple[Action, float | None]:
        """What is done about a finding, and for `clip` how far a value may reach out."""
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
        """Whether a rule is about a code."""
        return any(rule.about == code for rule in self.rules)

    def fixes(self, code: str) -> bool:
        """Whether the last rule about a code has it repaired."""
        return next((rule.action == "fix" for rule in reversed(self.rules) if rule.about == code), False)

    @property
    def encoding(self) -> str | None:
        """The encoding of texts that are in none that the format lists, if the last rule about them says it."""
        return next((rule.encoding for rule in reversed(self.rules) if rule.about == "FILE_ENCODING"), None)

    def told(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that are not ignored."""
        if not self.ignored:
            return tuple(findings)
        return tuple(finding for finding in findings if not any(one.covers(finding) for one in self.ignored))

    def fails(self, findings: Sequence[Finding]) -> bool:
        """Whether a validation fails: by an error, or a code with a count of its own, that occurs too often."""
        counts: dict[str, int] = {}
        for finding in findings:
            if finding.level == "error" or finding.code in self.fail_over:
                counts[finding.code] = counts.get(finding.code, 0) + 1
        return any(count > self.fail_over.get(code, 0) for code, count in counts.items())


REPAIRED_WHILE_READ = {("FILE_ENCODING", "none"), ("LINE", "")}
"""Codes with their cases that a repair does away with while files are read: what is still found was not repaired."""


def case_of(finding: Finding) -> Case:
    """The case that a finding is of; one for all codes of specs' own checks."""
    code = CODES.get(finding.code)
    return check_case(finding.level, finding.scope) if code is None else code.case(finding.case)


def own_action(finding: Finding) -> Action:
    """What is done about a finding where the user says nothing.

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
    """The actions that may be taken about a finding."""
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
    """An action as it is taken: to drop what an item is about is to leave the item out."""
    if action == "drop" and finding.scope == "item":
        return "drop-item"
    return action if action in allowed(finding) else "error"


def _of_level(action: Action, finding: Finding) -> Action:
    """What a rule for a level does: of drop and drop-item the one that the finding allows, the one asked for first."""
    if action not in ("drop", "drop-item"):
        return action if action in allowed(finding) else "error"
    order: tuple[Action, ...] = (action, "drop", "drop-item")
    for tried in order:
        done = _possible(tried, finding)
        if done != "error":
            return done
    return "error"


def parse_on(texts: Iterable[str], own: Mapping[str, Any] = {}) -> tuple[Rule, ...]:
    """The rules of `CODE[,CODE]=ACTION`, where a level may stand for a code.

    Behind the action may stand `,within=5%` or `,encoding=cp1252`.

    Args:
        texts: As they are given on the command line.
        own: The codes that specs define in checks of their own.

    Raises:
        PolicyError: A code, a level or an action is not known, or the code does not take the action.
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
"""What may be said of an action more closely, and of which."""


def _detail(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise PolicyError(f"behind an action stands NAME=VALUE, with {' or '.join(DETAILS)}, not {text!r}")
    return name, value


def rule_of(about: str, action: str, details: Mapping[str, Any], own: Mapping[str, Any]) -> Rule:
    """One rule; `details` are those of DETAILS.  Raises PolicyError as `parse_on` does."""
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
    """A part of the image's side: `5%`, or 0.05."""
    text = str(within).strip()
    try:
        part = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        part = -1.0
    if not 0 <= part < float("inf"):
        raise PolicyError(f"on: {about}: within takes a part such as 5%, not {within!r}")
    return part


def actions_of(code: str, own: Mapping[str, Any]) -> tuple[Action, ...]:
    """The actions that any case of a code takes, `error` among them.  Raises PolicyError for an unknown code."""
    if code in CODES:
        found = {*CODES[code].allowed, "error"}
        if any(case.scope == "item" or "drop-item" in case.allowed for case in CODES[code].cases) and "drop" in found:
            found.add("drop-item")
        return tuple(action for action in ACTIONS if action in found)
    if code in own:
        return "keep", "drop", "drop-item", "error"
    raise PolicyError(f"there is no code and no level {code!r}; {suggest(code, (*CODES, *LEVELS, *own))}")
