"""Validation: every item read, every check made, every finding gathered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from formatspec.engine.checks import Checker, tree_findings
from formatspec.engine.dataset import Dataset
from formatspec.findings.finding import Finding
from formatspec.findings.render import summary


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What validation found."""

    spec: str
    data: str
    items: int
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report as one plain object."""
        return {
            "version": 1,
            "spec": self.spec,
            "data": self.data,
            "items": self.items,
            "findings": [msgspec.to_builtins(finding) for finding in self.findings],
            "summary": summary(self.findings),
            "not_checked": list(self.not_checked),
        }


def validate_dataset(dataset: Dataset, data: str, deep: bool, progress: Callable[[int], None]) -> Report:
    """Check a dataset; `progress` is told of each item."""
    findings = list(dataset.reporter.findings(dataset.index.faults))
    checker = Checker(dataset.form)
    items = 0
    claimed: set[str] = set()
    for one in dataset.assembled():
        findings += dataset.reporter.findings(one.faults, one.key)
        findings += checker.item(one, deep)
        for paths in one.files.values():
            claimed.update(paths)
        items += 1
        progress(items)
    findings += dataset.reporter.findings(fault for fault in tree_findings(dataset) if fault.file not in claimed)
    return Report(
        spec=dataset.name,
        data=data,
        items=items,
        findings=tuple(findings),
        not_checked=() if deep else ("pixels of label images (--deep)",),
    )
