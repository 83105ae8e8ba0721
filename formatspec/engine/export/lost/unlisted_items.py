"""Leaves out what rows tell of an item whose own row cannot be written: nothing could join them to it again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy

import msgspec

from formatspec.engine.evaluate.write_context import WriteSetting
from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.export.shared_tables import Spooled, listed_by_records, subsets_by_records
from formatspec.engine.resolve.held_slots import WRITTEN
from formatspec.engine.resolve.questions.meanings import meanings
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.model.records import RECORD_TABLES, Item

WITH_ITEMS = "their item is not"
NO_ROW = "no row tells of them"


class UnlistedItems:
    """Which rows of a target need the row of their item.

    Attributes:
        tables: The tables of shared documents by role, those of items before the others.
        sources: The roles that list the items, if such rows alone make an item known.
        refers: The roles whose rows refer to items by their ids, and that do not list the items.
    """

    def __init__(self, target: Format, tables: Mapping[str, Sequence[Spooled]]) -> None:
        """Work out which tables list items, and which refer to those."""
        self.tables = {name: tuple(sorted(some, key=lambda one: one.kind != "item")) for name, some in tables.items()}
        listing = {name for name, some in self.tables.items() if some and some[0].kind == "item"}
        self.sources = frozenset(name.partition(".")[0] for name in target.spec.items) & listing
        self.listed_by, self.subsets_by = listed_by_records(target), subsets_by_records(target)
        known = IMAGE in target.roles and "id" in target.roles[IMAGE].captures
        self.refers = frozenset(
            name for name in self.tables.keys() - listing if self.sources and not known and _refers(target.roles[name])
        )

    def lacks(self, role: str, lost: list[LostRow], before: int, told: Collection[str]) -> bool:
        """Return whether an item has no row that the other rows of a role need.

        Args:
            role: The role.
            lost: The records of the item that were not written.
            before: How many of them there were before the rows of the role.
            told: The roles that have rows of the item.
        """
        if role in self.refers:
            return self.sources.isdisjoint(told)
        return len(lost) > before and any(table == "items" for table, _, _ in lost[before:])

    def untold(self, item: Item, told: Collection[str], lacks_image: bool) -> Iterator[tuple[str, str]]:
        """Yield the losses of an item of which no row of a shared file tells, where only such rows would.

        Args:
            item: The item.
            told: The roles that have rows of the item.
            lacks_image: Whether the item has no image and no file in the output, and no other loss says why.
        """
        if lacks_image and not told:
            yield "items not written (no image)", "items"
        if self.listed_by and self.listed_by.isdisjoint(told):
            yield f"items not written ({NO_ROW})", "items"
        if self.subsets_by and item.subsets and self.subsets_by.isdisjoint(told):
            yield f"subsets not written ({NO_ROW})", "items"


def without_unwritten(own: Item, setting: WriteSetting, write: Callable[[Item, WriteSetting], None]) -> Item:
    """Return an item without the objects that get no row, for rows that say how many objects there are.

    Args:
        own: The item as the target names it.
        setting: What is the same for all its records; takes the reasons why objects are not written.
        write: Writes an item without leaving anything but notes in a setting.
    """
    trial = copy(setting)
    trial.held, trial.rows, trial.refused, trial.odd, trial.lost = {}, {}, [], [], []
    try:
        write(own, trial)
    except CannotWriteError:
        return own  # the same is said when the item is written
    written = tuple(thing for thing in own.objects if trial.held.get(id(thing), 0) & WRITTEN)
    if len(written) == len(own.objects):
        return own
    gone = {id(thing) for thing in own.objects} - set(map(id, written))
    setting.lost = [one for one in trial.lost if id(one.record) in gone]
    return msgspec.structs.replace(own, objects=written)


def leave_out(table: Spooled, item: Item, lost: list[LostRow]) -> None:
    """Note that the records of an item that a table would hold are not written."""
    for name in dict.fromkeys(rule.each.table for rule in table.rules):
        if name in RECORD_TABLES:
            lost.extend(LostRow(name, record, WITH_ITEMS) for record in getattr(item, name))


def _refers(role: Role) -> bool:
    """Return whether rows of a role say by an id which item they are of."""
    found = meanings(role.document_rule, role.scope, kept=False)
    return any(meaning.where == "item" and meaning.name == "id" for meaning, _, _ in found)
