"""Validates a dataset: reads every item, makes every check, and gathers every finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from formatspec.engine.dataset.checks import Checker, tree_findings
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_item import Assembled
from formatspec.engine.dataset.report import Noted, told_one_by_one
from formatspec.engine.dataset.whole_dataset import dataset_faults, shared_keys_twice, unchecked_keys
from formatspec.engine.spec.compiled import Format
from formatspec.findings.finding import Finding
from formatspec.findings.render import summary
from formatspec.model.limits import TooLargeError
from formatspec.model.records import RECORD_TABLES, Item
from formatspec.policy.rules import Policy
from formatspec.run.pools.shards import Pool, Shard, shards_of


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of validation. Each finding says what a conversion would do about it.

    Attributes:
        spec: The name of the format.
        data: What was checked.
        items: How many items there are.
        findings: What is wrong.
        not_checked: What could not be checked, and why.
        fails: Whether the findings fail the data, by the policy.
        counts: How many records of each kind were read.
        files: By role, how many items have an optional file (`labels` for 3 of 4 items).
        rows: By role, how many rows the shared files hold.
    """

    spec: str
    data: str
    items: int
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...] = ()
    fails: bool = False
    counts: dict[str, int] = {}
    files: dict[str, int] = {}
    rows: dict[str, int] = {}

    def held(self) -> str:
        """Return what the items hold, in words: `11 objects, 11 boxes; labels for 3 of 4 items`."""
        counts = ", ".join(_counted(count, name) for name, count in self.counts.items())
        some = (f"{role} for {count:,} of {self.items:,} items" for role, count in self.files.items()
                if 0 < count < self.items)  # fmt: skip
        return "; ".join(part for part in (counts, *some) if part)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one plain object."""
        return {
            "version": 1,
            "spec": self.spec,
            "data": self.data,
            "items": self.items,
            "findings": [msgspec.to_builtins(finding) for finding in self.findings],
            "summary": summary(self.findings),
            "counts": self.counts,
            "files": self.files,
            "rows": self.rows,
            "not_checked": list(self.not_checked),
        }


def _counted(count: int, name: str) -> str:
    """Return a number of records: `1 box`, `2 boxes`."""
    one = (
        "box" if name == "boxes" else name.replace("objects", "object") if "objects" in name else name.removesuffix("s")
    )
    return f"{count:,} {one if count == 1 else name}"


class Checked(msgspec.Struct):
    """The result of checking a shard."""

    items: int = 0
    found: Noted = []
    claimed: set[str] = set()
    counts: dict[str, int] = {}
    files: dict[str, int] = {}

    def count(self, one: Assembled, optional: Iterable[str]) -> None:
        """Count what an item holds, and which of its optional files exist."""
        for name in COUNTED if one.item is not None else ():
            if number := len(getattr(one.item, name)):
                self.counts[name] = self.counts.get(name, 0) + number
        for thing in one.item.objects if one.item is not None else ():
            for slot, name in STATED.items():
                if getattr(thing, slot):
                    self.counts[name] = self.counts.get(name, 0) + 1
        for role in optional:
            self.files[role] = self.files.get(role, 0) + bool(one.files.get(role))


STATED = {"bbox": "boxes", "polygons": "outlines", "region": "masks", "keypoints": "objects with keypoints"}
"""The words for objects with a slot, in counts."""
COUNTED = RECORD_TABLES
"""The records of an item that a report counts."""


def _optional(form: Format) -> tuple[str, ...]:
    """Return the roles of files that an item may lack."""
    return tuple(name for name, role in form.roles.items() if role.span == "item" and role.optional and not role.folder)


def too_large(error: Exception, item: Item | None) -> Finding:
    """Return the finding for an item that exceeds a limit."""
    return Finding(
        code="IMAGE_SIZE", level="error", item=item.key if item else None,
        message=str(error) or "this needs more memory than there is",
        file=item.image.path if item and item.image else None,
    )  # fmt: skip


def _of_others(taken: int, items: int) -> str:
    return f"{items - taken:,} of {items:,} items, which are not chosen, and what concerns the dataset as a whole"


class Validation:
    """Checks the items of a dataset, shard by shard."""

    def __init__(self, dataset: OpenDataset, deep: bool, places: Sequence[int] | None = None) -> None:
        """Compile the checks of a dataset.

        Args:
            dataset: The dataset.
            deep: Whether images and masks are decoded, which takes most of the time.
            places: The positions of the items that are checked; None for all.
        """
        self.dataset = dataset
        self.places: Sequence[int] = range(len(dataset)) if places is None else places
        self.is_whole = places is None
        self.deep = deep
        self.checker = Checker(dataset.form, dataset.prefix)
        self.optional = _optional(dataset.form)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments; a worker compiles the checks again."""
        return Validation, (self.dataset, self.deep, None if self.is_whole else self.places)

    def run(self, shard: Shard) -> Checked:
        """Check the items of a shard."""
        dataset, made = self.dataset, Checked()
        unclaimed = bool(dataset.index.unclaimed)
        for one in dataset.taken(self.places[slice(*shard)]):
            if one.faults:
                made.found += dataset.reporter.noted(told_one_by_one(one.faults), one.key, dataset.shared_files)
            try:
                made.found += [(found.finding, found.at) for found in self.checker.item(one, self.deep)]
            except (TooLargeError, MemoryError) as error:
                made.found.append((too_large(error, one.item), None))
            if unclaimed:
                made.claimed.update(path for paths in one.files.values() for path in paths)
            made.items += 1
            made.count(one, self.optional)
        return made


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def validate_dataset(
    dataset: OpenDataset, data: str, deep: bool, progress: Callable[[int], None], pool: Pool, policy: Policy,
    places: Sequence[int] | None = None,
) -> Report:  # fmt: skip
    """Check a dataset; `progress` gets the number of items that are done.

    If only some items are checked, nothing is reported about files without an item, nor about the dataset as a whole.

    Args:
        dataset: The dataset.
        data: What the user named.
        deep: Whether images and masks are decoded.
        progress: Is called with the number of items that are done.
        pool: Runs the shards.
        policy: What is done about findings.
        places: The positions of the items that are checked; None for all.
    """
    findings = list(dataset.reporter.findings(dataset.index.faults))
    items = 0
    claimed: set[str] = set()
    counts: dict[str, int] = {}
    files: dict[str, int] = {}
    rows: dict[str, int] = {}
    validation = Validation(dataset, deep, places)
    for made in pool.map(validation.run, shards_of(len(validation.places))):
        findings += dataset.reporter.placed(made.found)
        claimed |= made.claimed
        items += made.items
        _add(counts, made.counts)
        _add(files, made.files)
        progress(items)
    for file in dataset.index.shared:
        _add(rows, {file.role: sum(map(len, file.tables.values()))})
    if places is None:
        findings += dataset.reporter.findings(fault for fault in tree_findings(dataset) if fault.file not in claimed)
        findings += dataset.reporter.findings((*dataset_faults(dataset, True), *shared_keys_twice(dataset)))
    told = tuple(msgspec.structs.replace(one, action=policy.action(one)) for one in policy.told(findings))
    return Report(
        spec=dataset.name,
        data=data,
        items=items,
        findings=told,
        fails=policy.fails(told),
        counts=counts,
        files=files,
        rows=rows,
        not_checked=(
            *(() if deep else ("pixels of label images (--deep)",)),
            *(() if places is None else (_of_others(len(places), len(dataset)),)),
            *(f"whether keys stand twice in {path}, which is large" for path in unchecked_keys(dataset)),
        ),
    )
