"""Rows of a JSON file found without decoding it are the rows that decoding gives."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.rows.json_rows import NotRowsError, RowSpans, beginning, scan

TEXT = st.text(st.sampled_from('ab"\\[]{},: \n\u00e9'), max_size=6)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=5)


def look_through(data: bytes, paths: list[tuple[str, ...]], piece: int) -> tuple[Any, dict[tuple[str, ...], list[Any]]]:
    found: dict[tuple[str, ...], list[Any]] = {path: [] for path in paths}

    def take(rows: RowSpans) -> None:
        assert data[rows.starts[0] : rows.ends[-1]] == rows.data
        found[rows.path] += [
            json.loads(data[a:b]) for a, b in zip(rows.starts.tolist(), rows.ends.tolist(), strict=True)
        ]

    return scan(io.BytesIO(data).read, paths, take, piece), found


@given(rows=ROWS, other=ROWS, value=VALUE, indent=st.sampled_from([None, 2]), piece=st.integers(1, 80))
def test_rows_and_what_is_around_them_are_those_of_the_document(
    rows: list[Any], other: list[Any], value: Any, indent: int | None, piece: int
) -> None:
    document = {"before": value, 'a"\\': rows, "in": {"table": other, "beside": value}, "behind": value}
    data = json.dumps(document, indent=indent).encode()
    around, found = look_through(data, [('a"\\',), ("in", "table"), ("absent",)], piece)
    assert around == {**document, 'a"\\': [], "in": {"table": [], "beside": value}}
    assert found == {('a"\\',): rows, ("in", "table"): other, ("absent",): []}


@given(rows=ROWS, piece=st.integers(1, 80))
def test_a_document_may_be_its_rows(rows: list[Any], piece: int) -> None:
    around, found = look_through(json.dumps(rows).encode(), [()], piece)
    assert (around, found) == ([], {(): rows})


@given(rows=ROWS, place=st.integers(0, 300), put=st.sampled_from([b"", *(bytes([c]) for c in b'",[]{}:\\ 1')]))
def test_a_damaged_document_is_refused_or_read_as_json_reads_it(rows: list[Any], place: int, put: bytes) -> None:
    data = json.dumps({"rows": rows, "z": 1}).encode()
    damaged = data[:place] + put + data[place + 1 :]
    try:
        around, found = look_through(damaged, [("rows",)], 16)
    except (NotRowsError, ValueError):
        return
    whole = json.loads(damaged)
    if "rows" in around:
        assert whole == {**around, "rows": found[("rows",)] or around["rows"]}
    else:
        assert whole == around


@pytest.mark.parametrize(
    "text",
    [
        '{"rows": [{} {}]}',
        '{"rows": [{}, ]}',
        '{"rows": [{}, 1]}',
        '{"rows": ["a"]}',
        '{"rows": [[1]]}',
        '{"rows": [{}], "rows": [{}]}',
        '{"rows": [{}]',
        '{"rows": [{}]}]',
        "",
    ],
)
def test_rows_that_are_no_mappings_in_a_list_are_left_to_the_decoder(text: str) -> None:
    with pytest.raises(NotRowsError):
        look_through(text.encode(), [("rows",)], 8)


@pytest.mark.parametrize("piece", [8, 64, 1 << 20])
def test_the_beginning_of_a_document_has_the_first_of_its_rows(piece: int) -> None:
    rows = [{"id": number, "text": '"[{\\', "inner": [{"a": [1, 2]}]} for number in range(50)]
    document = {"info": {"rows": rows[:3]}, "names": ["a", "b"], "rows": rows, "none": [], "box": [1, 2], "more": rows}

    def begun(whole: Any) -> Any:
        stream = io.BytesIO(json.dumps(whole).encode())
        return beginning(stream.read, 4, piece)

    assert begun(document) == {**document, "rows": rows[:4], "more": rows[:4]}
    assert begun(rows) == rows[:4]
    assert begun([]) == []
    with pytest.raises(NotRowsError):
        begun([{"a": 1}, 2])
