"""Explains how a spec reads a dataset: which role claims a file, why none does, and where values come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import commonprefix
from typing import Any

import msgspec

from formatspec.engine.base.faults import DocumentPath, Record
from formatspec.engine.dataset.checks import files_beside
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.index.entries import Entry
from formatspec.engine.spec.compiled import Role
from formatspec.engine.spec.leaf_places import leaf_places
from formatspec.files.document import pointer_text
from formatspec.findings.render import amount
from formatspec.language.errors import nearest
from formatspec.language.load import place_text

EXAMPLES = 3
"""How many files of each kind are named."""
_DIGITS = re.compile(r"\d+")


class ClaimedFile(msgspec.Struct, frozen=True):
    """A file that a role claims: the role, its template, the captured names, and the items."""

    file: str
    role: str
    template: str
    names: dict[str, Any]
    items: tuple[str, ...]


class UnclaimedFile(msgspec.Struct, frozen=True):
    """A file that no role claims, and for each role why its template does not match; the nearest role comes first."""

    file: str
    reasons: tuple[tuple[str, str, str], ...]
    """Role, template and reason of each role."""


class Told(msgspec.Struct, frozen=True):
    """The row or file that a record comes from, and the leaves of the spec that fill its slots."""

    record: str
    file: str
    pointer: str
    slots: dict[str, str]
    """The place in the spec of each slot's leaf; empty if no single leaf fills the slot."""


class ExplainedItem(msgspec.Struct, frozen=True):
    """An item: its files by role, and the source of the item and of each of its records."""

    key: str
    files: dict[str, list[str]]
    told: tuple[Told, ...]
    faults: tuple[str, ...]


class ExplainedRole(msgspec.Struct, frozen=True):
    """A role of the spec in a dataset: its template, how many files it claims, and the first of them."""

    role: str
    template: str
    need: str
    count: int
    first: tuple[str, ...]


class ExplainedDataset(msgspec.Struct, frozen=True):
    """A dataset: the chosen layout, its root, its roles, and the files that no role claims."""

    spec: str
    layout: str
    root: str
    items: int
    roles: tuple[ExplainedRole, ...]
    unclaimed: int
    first_unclaimed: tuple[UnclaimedFile, ...]


Explained = ClaimedFile | UnclaimedFile | ExplainedItem | ExplainedDataset


class NothingOfThatNameError(LookupError):
    """A dataset has no file and no item of this name."""


def explain(dataset: OpenDataset, name: str | None = None) -> Explained:
    """Explain how a dataset, one of its files, or one of its items is read.

    Args:
        dataset: The dataset, opened so that it keeps where values come from (`Purpose(origin=True)`).
        name: The path of a file below the dataset's root, or an item's key.

    Raises:
        NothingOfThatNameError: The dataset has no such file or item; the message suggests one.
    """
    if name is None:
        return _dataset(dataset)
    paths = dataset.tree.paths()
    inner = name.removeprefix(f"{dataset.prefix}/") if dataset.prefix else name
    if inner in paths:
        return _file(dataset, inner)
    for entry in dataset.index.entries:
        if entry.key == name:
            return _item(dataset, entry)
    near = nearest(name, [*(entry.key for entry in dataset.index.entries), *paths])
    hint = f"; did you mean {near!r}?" if near else ""
    raise NothingOfThatNameError(f"the dataset has no file and no item {name!r}{hint}")


def _dataset(dataset: OpenDataset) -> ExplainedDataset:
    form, index = dataset.form, dataset.index
    roles = []
    for name, role in form.roles.items():
        files = [path for path, _ in index.claimed.of(name)]
        roles.append(ExplainedRole(name, role.spec.path, role.spec.need, len(files), tuple(files[:EXAMPLES])))
    apart = [*index.unclaimed, *files_beside(dataset)]
    strays = tuple(UnclaimedFile(path, _reasons(dataset, path)[:1]) for path in apart[:EXAMPLES])
    root = dataset.prefix or "."
    layout = form.layout.variant
    return ExplainedDataset(form.name, layout, root, len(dataset), tuple(roles), len(apart), strays)


def lines_of_unclaimed(dataset: OpenDataset, most: int) -> Iterator[str]:
    """Yield lines about the files that no role claims, grouped by the form of their paths."""
    groups: dict[str, list[str]] = {}
    for path in dataset.index.unclaimed:
        groups.setdefault(_DIGITS.sub("#", path.rpartition("/")[0]) + "/*." + path.rpartition(".")[2], []).append(path)
    for paths in sorted(groups.values(), key=lambda one: -len(one))[:most]:
        reasons = _reasons(dataset, paths[0])[:1]
        nearest_role = f": {_reason(*reasons[0])}" if reasons else ""
        more = f" and {len(paths) - 1:,} like it" if len(paths) > 1 else ""
        yield f"no role claims {paths[0]}{more}{nearest_role}"
    if len(groups) > most:
        yield f"and files of {len(groups) - most} more forms"


def _file(dataset: OpenDataset, path: str) -> ClaimedFile | UnclaimedFile:
    name = dataset.index.claimed.role(path)
    if name is None:
        ignored = dataset.form.ignored(path)
        reasons = (("", "", "the spec, or formatspec itself, ignores it"),) if ignored else _reasons(dataset, path)
        return UnclaimedFile(path, reasons)
    role = dataset.form.roles[name]
    names = {key: value for key, value in (role.match(path) or {}).items() if value is not None}
    return ClaimedFile(path, name, role.spec.path, names, tuple(_items_of(dataset, path)))


def _items_of(dataset: OpenDataset, path: str) -> Iterator[str]:
    for entry in dataset.index.entries:
        if any(path == one for files in entry.files.values() for one, _ in files):
            yield entry.key


def _reasons(dataset: OpenDataset, path: str) -> tuple[tuple[str, str, str], ...]:
    """Return why no role claims a path; the role with the nearest template comes first."""
    roles = [role for role in dataset.form.roles.values() if not role.folder]
    ordered = sorted(roles, key=lambda role: -_alike(role, path))
    return tuple((role.name, role.spec.path, role.template.explain(path)) for role in ordered)


def _alike(role: Role, path: str) -> int:
    """Count the characters of a path that agree with a template from its beginning and from its end."""
    begin = commonprefix((role.template.prefix, path))
    end = commonprefix((role.template.suffix[::-1], path[::-1]))
    return len(begin) + len(end)


def _item(dataset: OpenDataset, entry: Entry) -> ExplainedItem:
    one = dataset.read(entry)
    state = one.state
    state.materialize_records()
    leaves = {slot: place_text(place) for slot, place in leaf_places(dataset.form).items()}
    told = []
    for slot, (file, path) in state.place_of.items():
        told.append(Told("item", file, pointer_text(path), {slot: leaves.get(("item", slot), "")}))
    for kind, records in state.tables.items():
        if kind.startswith("$"):
            continue
        for number, record in enumerate(records):
            file, path = _place(record)
            told.append(Told(f"{kind} {number}", file, pointer_text(path), _slots(kind, record, leaves)))
    findings = tuple(finding.message for finding in dataset.reporter.findings(one.faults, one.key))
    return ExplainedItem(one.key, one.files, tuple(told), findings)


def _place(record: Record) -> tuple[str, DocumentPath]:
    return record.get("$file", ""), record.get("$at", ())


def _slots(kind: str, record: Record, leaves: Mapping[tuple[str, str], str]) -> dict[str, str]:
    names = [name for name, value in record.items() if name[:1] not in ("$", "?") and value not in (None, (), {})]
    return {name: leaves.get((kind, name), "") for name in names}


def lines(explained: Explained) -> Iterator[str]:
    """Yield the explanation as lines of text."""
    if isinstance(explained, ExplainedDataset):
        yield from _lines_of_dataset(explained)
    elif isinstance(explained, ClaimedFile):
        yield f"{explained.file}: {explained.role} ({explained.template})"
        if explained.names:
            yield "  " + ", ".join(f"{name} = {value!r}" for name, value in explained.names.items())
        shown = ", ".join(explained.items[:EXAMPLES])
        more = len(explained.items) - EXAMPLES
        yield f"  items: {shown or 'many, by its rows'}{f' and {more:,} more' if more > 0 else ''}"
    elif isinstance(explained, UnclaimedFile):
        yield f"{explained.file}: no role claims it"
        yield from (f"  {_reason(*one)}" for one in explained.reasons)
    else:
        yield from _lines_of_item(explained)


def _lines_of_dataset(explained: ExplainedDataset) -> Iterator[str]:
    layout = f", layout {explained.layout!r}" if explained.layout else ""
    yield f"{explained.spec}{layout}, root {explained.root}: {amount(explained.items, 'item')}"
    for role in explained.roles:
        first = f", first {role.first[0]}" if role.first else ""
        yield f"  {role.role} ({role.need}): {role.template}: {amount(role.count, 'file')}{first}"
    if explained.unclaimed:
        yield f"  no role claims {amount(explained.unclaimed, 'file')}"
    for stray in explained.first_unclaimed:
        yield f"    {stray.file}: {_reason(*stray.reasons[0])}" if stray.reasons else f"    {stray.file}"


def _reason(role: str, template: str, reason: str) -> str:
    return f"not {role} ({template}): {reason}" if role else reason


def _lines_of_item(explained: ExplainedItem) -> Iterator[str]:
    yield explained.key
    for role, paths in explained.files.items():
        yield f"  {role}: {', '.join(paths)}"
    for told in explained.told:
        where = f"{told.file}{told.pointer}" if told.file else "not stated by a row of its own"
        yield f"  {told.record}: {where}"
        for slot, place in told.slots.items():
            yield f"    {slot}{f' by {place}' if place else ''}"
    yield from (f"  finding: {message}" for message in explained.faults)
