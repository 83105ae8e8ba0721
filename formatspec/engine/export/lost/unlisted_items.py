"""Leaves out what rows tell of an item whose own row cannot be written: nothing could join them to it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.export.lost.lost_records import TRACKED
from formatspec.engine.export.shared_tables import Spooled
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.model.records import Item

WITH_ITEMS = "their item is not"


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


def leave_out(table: Spooled, item: Item, lost: list[LostRow]) -> None:
    """Note that the records of an item that a table would hold are not written."""
    for name in dict.fromkeys(rule.each.table for rule in table.rules):
        if name in TRACKED:
            lost.extend(LostRow(name, record, WITH_ITEMS) for record in getattr(item, name))


def _refers(role: Role) -> bool:
    """Return whether rows of a role say by an id which item they are of."""
    found = wanted_slots.meanings(role.document_rule, role.scope, kept=False)
    return any(meaning.where == "item" and meaning.name == "id" for meaning, _, _ in found)
