"""Reports kept and unknown fields of records that another format cannot hold, with their names."""

from __future__ import annotations

from collections.abc import Iterable

from formatspec.engine.conservation.tally import KEPT_FIELDS, Tally
from formatspec.engine.export.lost.losses import Losses
from formatspec.model.records import RECORD_TABLES, Item

FIELDS, OTHERS = "kept fields: ", ("kept rows: ", "kept files: ")


def note_kept_fields(item: Item, of_item: Iterable[tuple[str, str]], losses: Losses, tally: Tally) -> None:
    """Report the kept and unknown fields of an item and of its records; none of them is written.

    Args:
        item: The item.
        of_item: The fields that the item's own rows keep, each with the unit in which it is counted.
        losses: Takes the losses.
        tally: Takes the numbers.
    """
    present = 0
    for what, unit in of_item:
        losses.note(what, unit)
        present += 1
    for unit in RECORD_TABLES:
        for origin in [one.origin for one in getattr(item, unit) if one.origin is not None]:
            for key in dict.fromkeys(origin.kept) if origin.kept else ():
                losses.note(f"{FIELDS}{key}", unit)
                present += 1
    if present:
        tally.count(KEPT_FIELDS, item.key, present, 0, present)


def tells_of_kept(what: str) -> bool:
    """Return whether a line of the report names kept fields, rows or files."""
    return what.startswith((FIELDS, *OTHERS))
