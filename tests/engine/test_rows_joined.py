"""Rows of shards as texts whose numbers of rows are cut out, and put back when the shards are joined."""

from __future__ import annotations

import json
import tempfile
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.engine.export.join_shards import SpooledRows, join
from formatspec.engine.export.shard_output import TableShard
from formatspec.engine.resolve.row_counters import counted
from formatspec.files import json_file
from formatspec.files.document import FileError
from formatspec.files.style import Style

texts = st.text(max_size=3) | st.sampled_from(["\0", "\0" + "1", "\\u0000", "\n"])
"""Texts of rows; some look like the marks that stand in the place of numbers."""
rows = st.lists(st.fixed_dictionaries({"id": st.integers(0, 9) | st.none(), "name": texts, "of": st.integers(0, 9)}))


def codec(separators: Any = "spaced") -> Any:
    style = Style(separators=separators)
    return SimpleNamespace(rows=json_file.rows_writer(style), comma=json_file.comma(style))


def shard() -> TableShard:
    return TableShard()


@given(parts=st.lists(rows, max_size=4), separators=st.sampled_from(["spaced", "compact"]))
def test_numbers_that_count_rows_are_raised_by_the_rows_before(parts: list[list[Any]], separators: str) -> None:
    expected: list[Any] = []
    with tempfile.TemporaryFile() as spool:
        joined = SpooledRows(spool)
        for part in parts:
            gathered, before = shard(), len(expected)
            rows = [{**row, "id": counted(at, "objects") if row["id"] is None else 7} for at, row in enumerate(part)]
            for at in range(0, len(rows), 3):
                gathered.add(rows[at : at + 3], -1, codec(separators), ("id",))
            join(joined, gathered, {"objects": before}, codec(separators).comma)
            expected += [{**row, "id": before + at if row["id"] is None else 7} for at, row in enumerate(part)]
        assert len(joined) == len(expected) and list(joined) == expected
        assert joined.given_out == len(expected)
        comma = codec(separators).comma
        whole = comma.join(text for text in joined.texts() if text)
        assert whole == json_file.encode(expected, Style(separators=separators, final_newline=False))[1:-1]


def test_of_rows_of_which_one_cannot_be_written_none_is_added() -> None:
    gathered = shard()
    with pytest.raises(FileError):
        gathered.add([{"id": counted(0, "objects")}, {"id": object()}], -1, codec(), ("id",))
    assert gathered == shard()


def test_numbers_that_json_lacks_become_null_and_are_counted() -> None:
    gathered = shard()
    gathered.add(
        [{"id": counted(0, "objects"), "a": float("nan")}, {"id": 7, "a": [float("inf"), 1]}], -1, codec(), ("id",)
    )
    assert gathered.nulls == 2
    with tempfile.TemporaryFile() as spool:
        joined = SpooledRows(spool)
        join(joined, gathered, {"objects": 10}, b", ")
        assert list(joined) == [{"id": 10, "a": None}, {"id": 7, "a": [None, 1]}]


def test_a_row_with_a_place_stands_there() -> None:
    gathered = shard()
    gathered.add([{"id": counted(0, "objects")}], -1, codec(), ("id",))
    for place in (2, 1):
        gathered.add([{"at": place, "id": counted(0, "objects")}], place, codec(), ("id",))
    with tempfile.TemporaryFile() as spool:
        joined = SpooledRows(spool)
        join(joined, gathered, {"objects": 10}, b", ")
        assert [json.loads(text) for text in joined.texts()] == [{"id": 10}, {"at": 1, "id": 10}, {"at": 2, "id": 10}]
