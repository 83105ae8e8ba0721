"""Rows of a file are the same however many are decoded at once."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formatspec.engine.index.row_source import FileRows, RangeFile, sought
from formatspec.model.amounts import with_amounts

COUNT = 40


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> RangeFile:
    """Forty rows, of which two hold a text where the others hold a number."""
    place = tmp_path_factory.mktemp("rows") / "rows.json"
    place.write_text(json.dumps({"rows": [{"id": str(n) if n in (17, 30) else n} for n in range(COUNT)]}))
    return RangeFile(place)


def fresh(file: RangeFile) -> FileRows:
    return sought(file, {("rows",): ()})[1]["rows",]


runs = st.tuples(st.integers(0, COUNT - 1), st.integers(1, 5)).map(lambda run: (run[0], min(sum(run), COUNT)))


@settings(max_examples=50)
@given(asked=st.lists(runs | st.none(), max_size=30), ahead=st.integers(1, 12))
def test_whatever_is_asked_for(asked: list[tuple[int, int] | None], ahead: int, file: RangeFile) -> None:
    """None is the run that follows the last."""
    whole: list[Any] = json.loads(file.path.read_text())["rows"]
    decode = msgspec.json.Decoder(list[dict[str, int]]).decode
    with with_amounts(rows_ahead=ahead):
        found, behind = fresh(file), 0
        for run in asked:
            first, behind = run or (behind % COUNT, min(behind % COUNT + 3, COUNT))
            expected = whole[first:behind]
            typed = all(type(row["id"]) is int for row in expected)
            assert found.some(first, behind, None) == expected
            assert found.typed(first, behind, decode) == (expected if typed else None)


def test_rows_that_follow_are_decoded_ahead(file: RangeFile) -> None:
    found, decoded = fresh(file), []

    def decode(data: bytes) -> Any:
        decoded.append(data)
        return json.loads(data)

    for first in range(0, COUNT, 2):
        found.some(first, first + 2, decode)
    assert len(decoded) == 2
