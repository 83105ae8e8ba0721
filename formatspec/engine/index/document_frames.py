"""Checks what shared documents hold outside the rows of their tables: required keys, constants, lists of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from formatspec.engine.base.faults import Fault
from formatspec.engine.index.row_ownership import SharedFile, Table
from formatspec.engine.read.compile_reader import compile_reader
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.lacking import labels_may_lack
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.questions.may_lack import label_lists, lenient
from formatspec.engine.resolve.questions.tables import NOT_OF_ITEMS, takes_null
from formatspec.engine.spec.compiled import Format, Role
from formatspec.language.leaf import Absent, Constant, Keep
from formatspec.language.rules import KEY, Field, LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.model.slots import TABLES

FRAMED = frozenset({"json", "yaml", "ini", "pickle"})
"""Kinds of documents that are mappings."""


def frame_faults(
    form: Format, shared: Sequence[SharedFile], state_of: Callable[[dict[str, Any]], ItemState]
) -> Iterator[Fault]:
    """Yield the faults in the keys of shared documents outside their tables."""
    for role in form.roles.values():
        rule = _frame_of(role)
        files = [file for file in shared if file.role == role.name] if rule is not None else []
        if rule is None or not files:
            continue
        read = _reader(role, rule)
        for file in files:
            state = state_of(dict(file.captures))
            state.file = file.path
            read(file.document, {}, state)
            yield from (fault._replace(scope="document") for fault in state.faults)


def _reader(role: Role, rule: Rule) -> Reader:
    """Return the reader of the keys of a role's documents outside their tables."""
    context, lists = ReadContext(_nothing, False), label_lists(role.document_rule)
    read = compile_reader(rule, role.scope, context)
    if lists is None or not isinstance(rule, MapRule):
        return read
    keys, known = lists.keys, rule
    return labels_may_lack(
        read, lists, rule.place, (), lambda: compile_reader(lenient(known, keys), role.scope, context)
    )


def _nothing(meaning: Any, scope: Any) -> bool:
    return False


def _frame_of(role: Role) -> Rule | None:
    """Return the part of a role's rule outside its tables; None if there is nothing to check."""
    if role.span != "shared" or role.codec is None or role.kind not in FRAMED:
        return None
    lists = {TABLES[rules[0].each.table] for _, rules in role.lists}
    return _framed(role.document_rule, not lists & NOT_OF_ITEMS)  # those are read whole


def _framed(rule: Rule, tables: bool) -> Rule | None:
    """Return the part of a rule outside its tables; with `tables`, the tables themselves must be there."""
    if isinstance(rule.leaf, Constant | Absent):
        return rule
    fields = [made for field in rule.fields if (made := _field(field, tables)) is not None]
    return MapRule(tuple(fields), (), None, rule.place, part=True) if fields else None


def _field(field: Field, tables: bool) -> Field | None:
    """Return the check of a key: that it is there, holds a constant or must not be there; nothing else is checked."""
    inner = _framed(field.rule, tables) if len(field.keys) == 1 else None
    if inner is not None:
        return replace(field, rule=inner)
    told = isinstance(field.rule, LeafRule) or (tables and isinstance(field.rule, TableRule | OneOf))
    if field.optional or len(field.keys) > 1 or not told or field.keys[0] in ("*", KEY):
        return None
    return replace(field, rule=LeafRule(Keep(), field.place))


def no_rows(file: SharedFile, table: Table, rule: Rule, faults: list[Fault]) -> None:
    """Note a fault where a list of rows is expected and something else is found."""
    place = table.readers[0].place
    value: Any = file.document
    path: list[str | int] = []
    for key in table.path:
        if not isinstance(value, dict):
            faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a mapping", value))
            return
        if key not in value:
            return
        path.append(key)
        value = value[key]
        if value is None and takes_null(rule, path):
            return
    if value != []:
        faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a list", value))
