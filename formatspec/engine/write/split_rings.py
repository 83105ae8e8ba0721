"""Objects of several rings, split for lists whose rows hold one ring each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec

from formatspec.engine.resolve.held_slots import BITS
from formatspec.engine.resolve.table_ids import rows_key
from formatspec.model.records import Category, Object, Origin


class RingRow(NamedTuple):
    """An object as one row describes it, and the whole object; `lost` holds slots that the row states differently."""

    thing: Object
    whole: Object
    lost: int = 0


def split_rings(
    things: Sequence[Object], number: int, by: Sequence[str], outlined: Callable[[Object], bool]
) -> list[RingRow]:
    """Return objects as the rows of table `number` describe them: one for each ring of those that are `outlined`.

    The slots `by` say which rings belong to one object. The last of these slots gets a new number if an object of
    several rings has none, or if another object has the same values. Rows that were read keep their positions.
    """
    slot = by[-1]
    taken = {repr(getattr(thing, slot)) for thing in things}
    fresh = (value for value in count(1) if repr(value) not in taken)
    known: set[tuple[str, ...]] = set()
    parts: list[RingRow] = []
    for thing in things:
        if not outlined(thing):
            parts.append(RingRow(thing, thing))
            continue
        own = getattr(thing, slot)
        key = tuple(_spelled(getattr(thing, name)) for name in by)
        again = own is not None and key in known
        if len(thing.polygons) == 1 and not again:
            parts.append(RingRow(thing, thing))
        else:
            told = own if own is not None and not again else next(fresh) if len(thing.polygons) > 1 else None
            parts += [RingRow(one, thing, BITS[slot] * again) for one in _rings(thing, number, {slot: told})]
        known.add(key)
    if any(part.thing is not part.whole for part in parts):
        parts.sort(key=lambda part: _place(part.thing, number))
    return parts


def are_split(things: Iterable[Object], slot: str) -> bool:
    """Return whether some objects may get a row for each of their rings, or a number in this slot."""
    outlined = [thing for thing in things if thing.polygons]
    return any(len(thing.polygons) > 1 or getattr(thing, slot) is not None for thing in outlined)


def _spelled(value: Any) -> str:
    return repr((value.id, value.name) if isinstance(value, Category) else value)


def _rings(thing: Object, number: int, told: dict[str, Any]) -> list[Object]:
    """Return an object once for each of its rings, with the row from which the ring was read."""
    source = thing.origin or Origin()
    then, rows = source.as_read, source.rows.get(rows_key(number), ())
    if then is None or not len(rows) == len(thing.polygons) == len(then.polygons):
        return [msgspec.structs.replace(thing, polygons=(ring,), origin=None, **told) for ring in thing.polygons]
    found = []
    for ring, before, row in zip(thing.polygons, then.polygons, rows, strict=True):
        origin = Origin({number: row}, index=source.index)
        origin.as_read = msgspec.structs.replace(then, polygons=(before,), origin=origin)
        found.append(msgspec.structs.replace(thing, polygons=(ring,), origin=origin, **told))
    return found


def _place(thing: Object, number: int) -> int:
    found = thing.origin.rows.get(number) if thing.origin is not None else None
    return 1 << 60 if found is None else int(found[0])
