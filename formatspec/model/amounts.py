"""How much is held in memory and done at once, how long is waited, and whether fast functions are generated.

The results are the same for any amounts; tests try small ones. What is limited for safety is `formatspec.model.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts that change time and memory, but no result.

    Attributes:
        record_bytes: Bytes of records of one kind that stay in memory; more go to a temporary file.
        piece: Records that are looked at together where all are gone through.
        ordered_rows: Rows of items that are put in order together.
        items: Items of the index that stay in memory as they are; more are kept packed, on disk.
        items_ahead: Bytes of packed items that are read at once, since items are asked for in their order.
        rows_ahead: Rows of a shared file that are decoded ahead while rows are asked for one after another.
        large_document: Bytes of a JSON file above which the first rows of its lists tell its format.
        first_rows: Those rows of each list, and the lines of a text that are looked at one by one.
        fetched_ahead: Bytes of files of a store that are fetched, or on their way, before they are asked for.
        files_kept: Bytes of files of a store that were read lately and are kept.
        output_patience: Seconds for which a run waits until the workers of a killed run let go of its output.
        generate_from: Items of a dataset from which on readers of its documents are generated as source.
        generates: Whether fast readers and writers of rows are generated, and what cannot fit is passed over at one
            look; without them the validating readers and the writers of leaves do all.
    """

    record_bytes: int = 1 << 20
    piece: int = 1 << 16
    ordered_rows: int = 1 << 18
    items: int = 1 << 12
    items_ahead: int = 1 << 14
    rows_ahead: int = 1 << 8
    large_document: int = 1 << 22
    first_rows: int = 16
    fetched_ahead: int = 1 << 26
    files_kept: int = 1 << 26
    output_patience: float = 10.0
    generate_from: int = 256
    generates: bool = True


_now = Amounts()


def amounts() -> Amounts:
    """Return the amounts of this process; forked workers have those of their parent."""
    return _now


@contextmanager
def with_amounts(**changes: float) -> Iterator[None]:
    """Change amounts within a block.

    Args:
        changes: New values by the names of `Amounts`.
    """
    global _now
    before = _now
    _now = msgspec.structs.replace(before, **changes)
    try:
        yield
    finally:
        _now = before
