"""Readers of mappings that lack a required key, where what it would say is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formatspec.engine.base.faults import DocumentPath, Record
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.questions.may_lack import FollowingBox, LabelLists
from formatspec.language.errors import Place


def box_may_follow(
    read: Reader, box: FollowingBox, place: Place, at: DocumentPath, compiled: Callable[[], Reader]
) -> Reader:
    """Return a reader of mappings of which some lack their box.

    Args:
        read: The reader of a mapping with its box.
        box: The key of the box, and the keys from which it follows.
        place: Where the spec states the mapping.
        at: The path of the mapping in its row.
        compiled: Compiles the reader of a mapping without its box, which must read the other geometry. It is called
            when the first such mapping is met.
    """
    lenient: list[Reader] = []

    def read_mapping(value: Any, record: Record, state: ItemState) -> None:
        if type(value) is not dict or not box.lacks(value):
            read(value, record, state)
            return
        if not lenient:
            lenient.append(compiled())
        lacks = "empty" if value.get(box.key) is not None else "null" if box.key in value else "missing"
        words = f"{box.key!r} is {lacks}, and follows from the object's outline or points"
        state.fault("FIELD_FILLED", (*state.at, *at, box.key), place, words)
        lenient[0]({key: part for key, part in value.items() if key != box.key}, record, state)

    return read_mapping


def labels_may_lack(
    read: Reader, lists: LabelLists, place: Place, at: DocumentPath, compiled: Callable[[], Reader]
) -> Reader:
    """Return a reader of documents of which some list items and no labels, as those of a test set do.

    The arguments are those of `box_may_follow`; `lists` are the lists of labels and of categories.
    """
    lenient: list[Reader] = []

    def read_document(value: Any, record: Record, state: ItemState) -> None:
        if type(value) is not dict or not lists.lacks(value):
            read(value, record, state)
            return
        if not lenient:
            lenient.append(compiled())
        keys = sorted(key for key in lists.keys if key not in value)
        told = f"{' and '.join(map(repr, keys))} {'is' if len(keys) == 1 else 'are'} missing"
        words = f"{told}: the images have no labels"
        state.fault("FIELD_FILLED", (*state.at, *at), place, words)
        lenient[0](value, record, state)

    return read_document
