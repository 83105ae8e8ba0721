"""Tries drafts on the data; leaves that fail are given up, with a question in their place."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.lint import compile_whole
from formatspec.engine.spec.compiled import IMAGE
from formatspec.findings.finding import Finding
from formatspec.findings.render import sentence
from formatspec.infer.draft import Draft
from formatspec.infer.evidence import Evidence
from formatspec.infer.nodes import Entry, Mapping, rendered, without
from formatspec.language.errors import SpecError
from formatspec.language.load import Source, load_source
from formatspec.model.plain.image_error import ImageError
from formatspec.model.records import Area, Label, Object

ROUNDS = 30
"""How many leaves of one draft may be given up before the draft is."""
ITEMS = 200
"""How many items are read in a trial."""
FAILS = 0.1
"""The share of a rule's records that may be wrong before the rule is given up, since data have mistakes too."""


class Tried(msgspec.Struct, frozen=True):
    """A draft that loads, and what it reads of the data.

    Attributes:
        draft: What remained of the draft.
        left: The files with annotations that no role claims, except the images' role.
        evidence: How many files may contain annotations.
        items: The number of items in the dataset.
        records: The number of objects, areas and labels that were read.
        errors: The remaining findings of level error.
        named: The number of records whose class has a name.
        pictures: The number of images.
    """

    draft: Draft
    left: tuple[str, ...]
    evidence: int
    items: int
    records: int
    errors: int
    named: int
    pictures: int

    @property
    def claimed(self) -> int:
        """How many files with annotations roles claim."""
        return self.evidence - len(self.left)

    @property
    def score(self) -> tuple[float, float, float, bool, int]:
        """The score for comparing drafts: files claimed, records, few errors, classes, few placeholders.

        Labels from a folder's name only count if nothing else describes the images.
        """
        share = self.claimed / max(self.evidence, 1)
        wrong = self.errors / max(self.records + self.errors, 1)
        known = self.named > 0.5 * self.records
        strays = max(self.items - self.pictures, 0)
        records = round(self.records * (1 - wrong) - strays, 0)
        return round(share, 2), records, -wrong, known, -self.draft.layout.count("{")


def tried(evidence: Evidence, draft: Draft) -> Tried | None:
    """Try a draft on the data; return None if it cannot be loaded whatever is given up."""
    for _ in range(ROUNDS):
        text, owners = rendered(draft.entries)
        loaded = _loaded(text)
        if isinstance(loaded, SpecError):
            changed = _given_up(draft, owners, _line_of(loaded), str(loaded.problems[0].message))
            if changed is None:
                return None
            draft = changed
            continue
        dataset, counts, findings, read = _read(evidence, loaded, "{label." in draft.layout)
        worst = _worst(findings, counts["records"], read)
        if worst is not None:
            changed = _given_up(draft, owners, worst[0], worst[1])
            if changed is not None:
                draft = changed
                continue
        annotated = evidence.annotated
        left = tuple(path for path in annotated if dataset.index.claimed.role(path) in (None, IMAGE))
        errors = sum(one.level == "error" for one in findings)
        return Tried(
            draft=draft, left=left, evidence=len(annotated), items=len(dataset), records=counts["records"],
            errors=errors, named=counts["named"], pictures=len(evidence.images),
        )  # fmt: skip
    return None


def _loaded(text: str) -> Source | SpecError:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "draft.yaml"
        file.write_text(text, "utf-8")
        try:
            source = load_source(file)
            compile_whole(source)
        except SpecError as error:
            return error
    return source


def _read(evidence: Evidence, source: Source, by_folder: bool) -> tuple[OpenDataset, Counter[str], list[Finding], int]:
    dataset = open_source(source, evidence.tree, {}, Purpose(pixels=True))
    counts: Counter[str] = Counter()
    read = 0
    step = max(1, len(dataset.entries) // ITEMS)
    findings: list[Finding] = list(dataset.reporter.findings(dataset.index.faults))
    for entry in list(dataset.entries)[::step]:
        try:
            one = dataset.read(entry)
        except (ImageError, OSError):
            continue
        read += 1
        findings += dataset.reporter.findings(one.faults, one.key)
        item = one.item
        if item is not None:
            told: tuple[Object | Area | Label, ...]
            told = (*item.objects, *item.areas, *(() if by_folder else item.labels))
            counts["records"] += len(told) + len(item.captions)
            counts["named"] += sum(one.category is not None and bool(one.category.name) for one in told)
            counts["folders"] += len(item.labels) if by_folder else 0
    if not counts["records"]:
        counts["records"] = counts["named"] = counts["folders"]
    return dataset, counts, findings, read


def _line_of(error: SpecError) -> int | None:
    place = error.problems[0].place
    return place.line if place is not None else None


def _worst(findings: Sequence[Finding], records: int, read: int) -> tuple[int, str] | None:
    """Return the line of the draft with most errors, if they are many, and what is wrong."""
    by_line: Counter[int] = Counter()
    said: dict[int, str] = {}
    for one in findings:
        match = re.search(r":(\d+)(?::\d+)?$", one.rule or "")
        if one.level == "error" and match is not None:
            by_line[int(match[1])] += 1
            said.setdefault(int(match[1]), sentence(one))
    if not by_line:
        return None
    line, count = by_line.most_common(1)[0]
    return (line, said[line]) if count > FAILS * max(records, read, 1) else None


def _given_up(draft: Draft, owners: Sequence[Sequence[Entry]], line: int | None, why: str) -> Draft | None:
    """Return a draft whose leaf at a line is replaced by `keep`; a leaf that is `keep` already goes with its parent."""
    if line is None or not 0 < line <= len(owners):
        return None
    chain = owners[line - 1]
    inner = chain[-1]
    doubt = f"{why.rstrip('.')}: what is this?"[:300].replace("\n", " ")
    if isinstance(inner.node, str) and inner.node != "keep" and len(chain) > 3 and inner.key not in ("path", "each"):
        instead: Entry | None = None
        if ", " not in inner.key and inner.key not in ("lines", "P", "L", "RGB"):
            instead = msgspec.structs.replace(inner, node="keep", comment="", doubt=doubt)
        return _replaced(draft, inner, instead)
    role = chain[1] if len(chain) > 1 else None
    if role is not None and isinstance(role.node, Mapping) and role.key != "image":
        return _replaced(draft, role, None)
    return None


def _replaced(draft: Draft, gone: Entry, instead: Entry | None) -> Draft:
    return msgspec.structs.replace(draft, entries=without(draft.entries, gone, instead))
