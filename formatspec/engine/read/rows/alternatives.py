"""What the choice among alternatives within a mapping asks: which faults cost nothing, and which keys are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.engine.base.faults import Fault, Record
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.resolve.discriminators import may_be_absent
from formatspec.engine.resolve.scope import Scope
from formatspec.language.rules import MapRule, OneOf


def lacking_keys(rule: OneOf, scope: Scope) -> Callable[[Any], str]:
    """Return a function that names the keys that a mapping lacks for its alternatives; an empty text if none lacks."""
    wanted = [
        [key for one in choice.fields if not may_be_absent(one, scope) for key in one.keys]
        for choice in rule.alternatives
        if isinstance(choice, MapRule)
    ]

    def lacking(value: Any) -> str:
        if not isinstance(value, dict) or len(wanted) < len(rule.alternatives):
            return ""
        first = [next((key for key in keys if key not in value), "") for keys in wanted]
        return " or ".join(dict.fromkeys(map(repr, first))) if all(first) else ""

    return lacking


_REMARKS = frozenset({"RING_SHORT", "POLYGON_FLAT", "NUMBER_FORM", "SEGMENT_EMPTY"})
"""Codes of faults whose value is read all the same."""
_OTHER_TYPE = "text"
"""The case of values of another type than is expected, which another alternative may expect."""
_REMARK_CASES = frozenset({"capitals"})
"""Cases of codes whose value is read all the same."""


def is_remark(fault: Fault) -> bool:
    """Return whether the value of a fault is read all the same, and is of the type that is expected."""
    return (fault.code in _REMARKS and fault.case != _OTHER_TYPE) or fault.case in _REMARK_CASES


def is_aside(fault: Fault) -> bool:
    """Return whether an alternative is read in spite of a fault, if no other one fits better."""
    return fault.is_of_attribute or fault.is_mild or is_remark(fault) or fault.case == _OTHER_TYPE


def has_no_outline(faults: Sequence[Fault]) -> bool:
    """Return whether one of some faults says that an outline is empty."""
    return any(fault.code == "SEGMENT_EMPTY" for fault in faults)


def readdress(state: ItemState, fresh: Record, record: Record, faults: int, judged: int, restated: int) -> None:
    """Move what was noted about a copy of a record to the record itself."""
    for at, fault in enumerate(state.faults[faults:], faults):
        if fault.about is fresh:
            state.faults[at] = fault._replace(about=record)
    for at, one in enumerate(state.judged[judged:], judged):
        if one.record is fresh:
            state.judged[at] = one._replace(record=record)
    for at, value in enumerate(state.restated[restated:], restated):
        if value.record is fresh:
            state.restated[at] = value._replace(record=record)
