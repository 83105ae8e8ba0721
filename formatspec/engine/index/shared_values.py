"""Reads what shared documents state for all their items, once, and gives it to each item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.index.entries import Entry
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.read.compile_reader import compile_reader
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.resolve.codec_chain import spell
from formatspec.engine.spec.compiled import Format, Role, everything
from formatspec.engine.spec.shared_values import value_names, value_rule
from formatspec.language import expression
from formatspec.language.leaf import Computed

Key = tuple[Any, ...]
StateOf = Callable[[dict[str, Any]], ItemState]
"""Makes the state in which a shared document with these captures is read."""


class SharedValues:
    """The slots that shared documents state for all their items."""

    def __init__(self) -> None:
        """Begin without values."""
        self._roles: list[tuple[tuple[str, ...], dict[Key, SharedFile]]] = []

    def __bool__(self) -> bool:
        """Whether any shared document states a value."""
        return bool(self._roles)

    def add(self, names: tuple[str, ...], files: Mapping[Key, SharedFile]) -> None:
        """Add a role's files by the names in their paths."""
        if any(file.values for file in files.values()):
            self._roles.append((names, dict(files)))

    def of(self, entry: Entry) -> Iterator[SharedFile]:
        """Yield the files that state something about an item."""
        for names, files in self._roles:
            file = files.get(tuple(entry.names.get(name) for name in names))
            if file is not None and file.values:
                yield file


def read_values(
    form: Format, shared: Sequence[SharedFile], entries: Sequence[Entry], state_of: StateOf, faults: list[Fault]
) -> SharedValues:
    """Read what shared documents state for all their items, and check the values that can be computed."""
    found = SharedValues()
    for role in form.roles.values():
        rule = value_rule(role)
        files = [file for file in shared if file.role == role.name]
        if rule is None or not files:
            continue
        read = compile_reader(rule, role.scope, ReadContext(everything, True))
        names = value_names(form, role)
        by = {tuple(file.captures.get(name) for name in names): file for file in files}
        counts: Counter[Key] | None = None
        for key, file in by.items():
            state = state_of(dict(file.captures))
            state.file = file.path
            read(file.document, {}, state)
            faults += state.faults
            file.values = {slot: value for slot, value in state.item.items() if value is not None}
            if state.deferred:
                counts = _counts(names, entries) if counts is None else counts
                file.items = counts[key]
                faults += _differing(role, file, state)
        found.add(names, by)
    return found


def _counts(names: tuple[str, ...], entries: Sequence[Entry]) -> Counter[Key]:
    return Counter(tuple(entry.names.get(name) for name in names) for entry in entries)


def _differing(role: Role, file: SharedFile, state: ItemState) -> Iterator[Fault]:
    """Yield a fault for each computed leaf that differs from what the number of items gives."""
    setting = WriteSetting(dict(file.captures), None, dict(role.scope.options))
    setting.counts = {"items": range(file.items or 0)}
    context = WriteContext(setting, None, None)
    for leaf, place, _, value, path, at in state.deferred:
        assert isinstance(leaf, Computed)
        if not set(expression.names(leaf.expression)) <= {"items", *role.captures}:
            continue
        expected = compiled(leaf.expression, role.scope, place)(context)
        if expected is None or expected == value or (isinstance(value, str) and spell(expected) == value.strip()):
            continue
        yield Fault(
            "DIFFERS", path, at, place, "the value differs from what follows from the data", spell(expected), value
        )
