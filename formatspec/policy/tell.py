"""Sentences about what was done about findings, and about the options that would let a conversion pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from formatspec.findings.codes import Action
from formatspec.findings.finding import Finding
from formatspec.findings.render import amount
from formatspec.policy.rules import allowed

IN_TARGET = "in the target"
"""The beginning of messages about errors in the target; `keep` is not allowed for these."""
QUIET = ("keep", "error", None)
"""Actions that change nothing."""


class Done(msgspec.Struct, frozen=True):
    """How often an action was taken for a code; for drop-item, how many items were left out."""

    code: str
    action: str
    count: int


def counted(findings: Iterable[Finding]) -> tuple[Done, ...]:
    """Return the actions that were taken, by code."""
    counts: dict[tuple[str, str], int] = {}
    items: dict[str, set[str | None]] = {}
    for finding in findings:
        if finding.action is None or finding.action in QUIET:
            continue
        key = (finding.code, finding.action)
        if finding.action == "drop-item":
            known = items.setdefault(finding.code, set())
            if finding.item is not None and finding.item in known:
                continue
            known.add(finding.item)
        counts[key] = counts.get(key, 0) + 1
    return tuple(Done(code, action, count) for (code, action), count in sorted(counts.items()))


def ways_out(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield, for each code that stops a conversion, the possible options and their cost; then all options together."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    asked = []
    hopeless = False
    for code, group in by_code.items():
        in_target = any(finding.message.startswith(IN_TARGET) for finding in group)
        takes = [action for action in _ORDER if all(action in _offered(finding) for finding in group)]
        possible = [action for action in takes if action != "keep" or not in_target]
        if not possible:
            hopeless = True
            yield f"{code}: {amount(len(group), 'finding')}; nothing passes over it"
            continue
        asked.append(_asked(code, possible[0], group))
        words = "; ".join(f"{_asked(code, action, group)} {_cost(action, group)}" for action in possible)
        yield f"{code}: {words}"
    if asked and not hopeless:
        yield f"{' '.join(asked)} writes the rest"


def _offered(finding: Finding) -> tuple[Action, ...]:
    """Return the actions that may be offered; a line that matches nothing cannot be repaired."""
    return tuple(action for action in allowed(finding) if (finding.code, action) != ("LINE", "fix"))


def _asked(code: str, action: Action, group: Sequence[Finding]) -> str:
    """Return the option for an action, with its details."""
    if action == "fix" and code == "FILE_ENCODING":
        return f"--on {code}=fix,encoding=NAME"
    if action == "fix" and any(finding.case == "name" and code == "FIELD" for finding in group):
        return f"--on {code}=fix --default-class NAME"
    return f"--on {code}={action}"


_ORDER: tuple[Action, ...] = ("clip", "fix", "drop", "drop-item", "keep")


def _cost(action: Action, group: Sequence[Finding]) -> str:
    items = {finding.item for finding in group if finding.item is not None}
    where = f" in {amount(len(items), 'item')}" if items else ""
    things = "object" if all(finding.scope == "object" for finding in group) else "finding"
    number = amount(len(group), things)
    match action:
        case "drop" if things != "object" and items:
            return f"leaves out {amount(len(items), 'item')}"
        case "drop":
            return f"leaves out {number}{where}"
        case "drop-item":
            return f"leaves out {amount(max(len(items), 1), 'item')}"
        case "clip":
            return f"cuts {number}{where} at the image's edge"
        case "fix":
            return f"repairs {number}{where}"
    return f"keeps {number}{where}"
