"""Applies the policy to the findings of one item."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.export.adaptation.judge_target import Refusal, TargetJudge
from formatspec.findings.finding import Finding
from formatspec.model.records import Item
from formatspec.policy.repair import Decision, RepairedItem, repaired, size_of
from formatspec.policy.rules import Policy, case_of

ROUNDS = 3
"""How often an item is checked again after repairs for the target; an error after that stops the run."""


def treat(policy: Policy, found: Iterable[tuple[Finding, Fault]]) -> list[Decision]:
    """Return what is done about each finding of an item."""
    made = []
    for finding, fault in found:
        action, within = policy.decided(finding)
        made.append(Decision(finding, action, fault.about, fault.slot, within))
    return made


def named(one: Decision) -> Finding:
    """Return the finding with the action that is taken."""
    return msgspec.structs.replace(one.finding, action=one.action)


def in_target(policy: Policy, judge: TargetJudge, item: Item, stated: bool = True) -> RepairedItem:
    """Return an item as the target can hold it without errors; an error that remains stops the run.

    `stated` says whether values that the source states are checked too, not only those that follow from them.
    """
    done: list[Decision] = []
    for last in (*[False] * ROUNDS, True):
        refused = list(judge.refusals(item, size_of(item), stated))
        if not refused:
            break
        outcome = repaired(item, [_decided(policy, one, last) for one in refused])
        done += outcome.done
        if outcome.item is None or any(one.action == "error" for one in outcome.done):
            return RepairedItem(outcome.item, tuple(done))
        item = outcome.item
    return RepairedItem(item, tuple(done))


def _decided(policy: Policy, refused: Refusal, last: bool) -> Decision:
    finding = refused.finding
    action, within = policy.decided(finding)
    if finding.case == "near" and action == "error":
        action = "clip"  # an excess of up to a pixel is never intended
    if action == "keep" or last:
        action = "error"
    if action != "error":
        finding = msgspec.structs.replace(finding, level=case_of(finding).level)
    return Decision(finding, action, refused.about, refused.slot, within)
