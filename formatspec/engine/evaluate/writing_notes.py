"""What the writers of an item note of its records: those without a row, and what of them label images show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from formatspec.model.region import Region


class ShownPixels(NamedTuple):
    """How many of a record's pixels a finished label image shows, out of how many; `find` gives them if not all."""

    pixels: int
    whole: int
    find: Callable[[], Region] | None = None


class LostRow(NamedTuple):
    """A record without a row, its table, and why it has none."""

    table: str
    record: Any
    why: str


class InArea(NamedTuple):
    """An object that is drawn as part of its category's area.

    Attributes:
        region: Its pixels.
        seen: How many of the pixels are its category's in the finished image that shows most; None before one is made.
    """

    region: Region
    seen: int | None = None
