"""Finds which images values refer to, by path or by id, and counts what drafted rules describe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from formatspec.infer import words
from formatspec.infer.evidence import Picture, keys_of
from formatspec.infer.geometry import Seen
from formatspec.infer.names import Layout

MOST = 0.9
"""The share of values for which something must hold to be drafted."""
KEEP = "keep"


class Tally(msgspec.Struct):
    """What the drafted rules describe, for comparing drafts."""

    boxes: int = 0
    shapes: int = 0
    classes: int = 0
    items: int = 0
    lists: int = 0
    labels: int = 0
    names: set[str] = msgspec.field(default_factory=set)
    numbers: set[int] = msgspec.field(default_factory=set)
    embedded: bool = False
    slot: str = ""
    """How rows refer to their class: `name`, `id` or `index`."""


class References:
    """What rows refer to: images, by texts or ids, and classes that are listed elsewhere.

    Args:
        layout: How images are named.
        listed: The names of classes that are listed elsewhere, and their ids if they have some.
        textual: Whether all values are text, as in XML and in tables.
        numbered: Whether the list of classes itself numbers them from 0.
    """

    def __init__(
        self, layout: Layout, listed: Sequence[tuple[Any, str]], textual: bool, numbered: bool = False
    ) -> None:
        """Take what rows may refer to; see the class."""
        self.numbered = numbered
        self.layout = layout
        self.listed = list(listed)
        self.textual = textual
        self.tally = Tally()
        self.by_id: dict[Any, Picture] = {}
        self.known: Mapping[str, str] = {}

    def note_ids(self, value: Any) -> None:
        """Note which image each id stands for, from rows that name an image and have an id."""
        if isinstance(value, dict):
            inner = list(value.values())
            if len(inner) > 0 and all(isinstance(one, dict) for one in inner):
                self.note_ids(inner)
            for one in inner:
                self.note_ids(one)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value[:3]):
            key = self.reference(value)
            own = id_of(value) if key else None
            for row in value:
                if key and own and isinstance(row, dict) and (hit := self.named(at(row, key))) is not None:
                    self.by_id.setdefault(row.get(own), hit[1])
            for row in value:
                self.note_ids(row)

    def named(self, value: Any) -> tuple[str, Picture] | None:
        """Return the template of a text that names an image, and that image; None for any other value."""
        if not isinstance(value, str) or not value:
            return None
        return self.layout.named_by(value, self.known)

    def reference(self, rows: Sequence[Any]) -> tuple[str, ...] | None:
        """Return the key of some mappings whose values name images, or the nested keys that lead to it."""
        for key in keys_of(list(rows)):
            texts = [row[key] for row in rows if isinstance(row, dict) and isinstance(row.get(key), str)]
            hits = sum(self.named(text) is not None for text in texts)
            if texts and hits >= 0.6 * len(texts) and len(texts) >= 0.9 * len(rows):
                return (key,)
        for key in keys_of(list(rows)):
            inner = [row[key] for row in rows if isinstance(row, dict) and isinstance(row.get(key), dict)]
            deeper = self.reference(inner) if inner and len(inner) >= 0.9 * len(rows) else None
            if deeper is not None:
                return (key, *deeper)
        return None

    def template(self, values: Sequence[Seen]) -> str:
        """Return the template that most of some texts have."""
        found = Counter(hit[0] for one in values if (hit := self.named(one.value)) is not None)
        return found.most_common(1)[0][0]

    def picture_of(self, value: Any) -> Picture | None:
        """Return the image that a value names; None if it names none."""
        hit = self.named(value)
        return hit[1] if hit is not None else None

    def id_key(self, values: Sequence[Any]) -> str | None:
        """Return the key by which rows refer to the id of an item."""
        if not self.by_id:
            return None
        best: tuple[int, str] | None = None
        for key in keys_of(list(values)):
            hits = sum(hashable(row.get(key)) and row.get(key) in self.by_id for row in values)
            named = any(word in str(key).lower() for word in ("im", "frame", "file", "pic", "photo"))
            told = {row.get(key) for row in values if hashable(row.get(key))}
            named = named or (len(told) >= 0.6 * len(self.by_id) and words.rank_of_class(key) is None)
            if hits >= MOST * len(values) and named and len(told) > 1 and (best is None or hits > best[0]):
                best = (hits, key)
        return best[1] if best else None


def at(row: Any, path: Sequence[str]) -> Any:
    """Return the value below some nested keys; None if one of them is missing."""
    for key in path:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def id_of(rows: Sequence[Any]) -> str | None:
    """Return the key of the rows' own ids: `id`, or one that ends so and has different values."""
    keys = list(keys_of(list(rows)))
    for key in [key for key in keys if words.folded(key) in words.IDS] + [
        k for k in keys if str(k).lower().endswith("id")
    ]:
        values = [row.get(key) for row in rows if isinstance(row, dict)]
        if all(hashable(value) for value in values) and len(set(map(str, values))) == len(rows):
            return key
    return None


def hashable(value: Any) -> bool:
    """Return whether a value may be an id."""
    return isinstance(value, str | int)


def id_leaf(slot: str, values: Sequence[Any], new: str) -> str:
    """Return the leaf of an id, which texts may spell as a number."""
    spelled = any(isinstance(value, str) and value.isdigit() for value in values)
    return f"{slot}{' | spelled' if spelled else ''} else {new}"
