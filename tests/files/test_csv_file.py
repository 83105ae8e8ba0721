from __future__ import annotations

import csv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from formatspec.files.csv_file import decode, encode, locate
from formatspec.files.document import FileError
from formatspec.files.style import Style
from formatspec.model.limits import Limits, limits, set_limits

cells = st.text(st.characters(codec="utf-8")) | st.text('",;\r\n# a')
names = cells.filter(lambda name: bool(name) and not name.startswith("\ufeff"))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[dict[str, str]], Style]:
    columns = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cells)), max_size=4))
    header = draw(st.booleans())
    if not header:
        rows = [{k: v.lstrip("\ufeff") for k, v in row.items()} for row in rows]
    style = Style(
        header=header,
        columns=tuple(columns) if draw(st.booleans()) or not header else (),
        delimiter=draw(st.sampled_from([",", ";", "\t", ", "])),
        quote=draw(st.sampled_from([None, "'"])),
        newline=draw(st.sampled_from(["\n", "\r\n"])),
        final_newline=draw(st.booleans()),
    )
    return rows, style


@given(tables())
def test_decode_inverts_encode(table: tuple[list[dict[str, str]], Style]) -> None:
    rows, style = table
    data = encode(rows, style)
    if data:
        again = decode(data, style)
        assert again == rows
        assert all(tuple(row) == (style.columns or tuple(rows[0])) for row in again)
    else:
        assert rows == []


@given(tables())
def test_what_blanks_part_comes_back(table: tuple[list[dict[str, str]], Style]) -> None:
    rows, style = table
    parted = replace(style, delimiter="blanks")
    try:
        data = encode(rows, parted)
    except FileError as error:
        assert "line break" in str(error)
        assert any(
            "\n" in text or "\r" in text for row in [*rows, {}] for text in (*style.columns, *row, *row.values())
        )
        return
    assert (decode(data, parted) if data else []) == rows


def test_blanks_part_cells() -> None:
    style = Style(delimiter="blanks", comment="#")
    rows = decode(b' x  label\ty \n# none\n1 "a ""big"" dog"  2\n\n3 "" 4\n', style)
    assert rows == [{"x": "1", "label": 'a "big" dog', "y": "2"}, {"x": "3", "label": "", "y": "4"}]
    assert encode(rows, style) == b'x label y\n1 "a ""big"" dog" 2\n3 "" 4\n'
    assert locate(b'x  label\n1  "a b"\n', (0, "label"), style) == (2, 4)
    with pytest.raises(FileError, match="a quote does not end"):
        decode(b'a b\n1 "2\n', style)


def test_spellings() -> None:
    rows = [{"a": "1", "b": "x,y"}, {"b": "", "a": 'q"'}]
    assert encode(rows) == b'a,b\n1,"x,y"\n"q""",\n'
    assert encode(rows, Style(columns=("b", "a"), delimiter=";", newline="\r\n")) == (b'b;a\r\nx,y;1\r\n;"q"""\r\n')
    assert encode(rows, Style(header=False, columns=("a", "b"), final_newline=False)) == b'1,"x,y"\n"q""",'
    assert encode([]) == b""
    assert encode([], Style(columns=("a", "b"))) == b"a,b\n"
    assert encode([{"a": "1"}, {"b": "2"}]) == b"a,b\n1,\n,2\n"


def test_a_blank_may_stand_behind_each_delimiter() -> None:
    style = Style(delimiter=", ")
    data = b'Pixel Value, Class\n0, background\n1, "cat, big"\n2,dog\n'
    rows = [{"Pixel Value": "0", "Class": "background"}, {"Pixel Value": "1", "Class": "cat, big"}]
    assert decode(data, style) == [*rows, {"Pixel Value": "2", "Class": "dog"}]
    assert encode(rows, style) == data.removesuffix(b"2,dog\n")
    assert decode(encode([{"a": " x", "b": ""}], style), style) == [{"a": " x", "b": ""}]
    assert locate(data, (1, "Class"), style) == (3, 4)
    assert locate(data, (1, "Pixel Value"), style) == (3, 1)


def test_blank_lines_and_comments_are_no_rows() -> None:
    style = Style(comment="#")
    data = b"# of someone\na,b\n\n1,2\n# x\n3,4\n"
    assert decode(data, style) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert locate(data, (1, "b"), style) == (6, 3)
    with pytest.raises(FileError, match="comment"):
        encode([{"a": "#1"}], style)


def test_ragged_rows_are_kept_for_the_caller_to_report() -> None:
    data = b"a,b\n1\n1,2,3,4\n"
    rows: list[dict[Any, Any]] = decode(data)
    assert rows == [{"a": "1"}, {"a": "1", "b": "2", None: ["3", "4"]}]
    assert locate(data, (0, "b")) is None
    with pytest.raises(FileError, match="a cell without a column"):
        encode(rows)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"\na,b,a\n", 2, "two columns are called 'a'"),
        (b"a,,b\n", 1, "column 2 has no name"),
        (b'a,b\n1,2\n"x\n', 3, "not CSV"),
        (b'a\n"x"y\n', 2, "not CSV"),
        (b"a\n\xff", 2, "byte 2"),
    ],
)
def test_errors_say_where(data: bytes, line: int, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        decode(data)
    assert caught.value.line == line


def test_columns_must_be_known() -> None:
    with pytest.raises(FileError, match="neither a header nor"):
        decode(b"1,2", Style(header=False))
    with pytest.raises(FileError, match="no column is 'b'"):
        encode([{"b": "1"}], Style(columns=("a",)))
    with pytest.raises(FileError, match="row 1 has no column"):
        encode([{}])
    with pytest.raises(FileError, match="a cell is 1, not text"):
        encode([{"a": 1}])


def test_places_mind_quoted_newlines() -> None:
    data = b'a,b,c\r\n"x\ny","p,q",z\r\n1,2,3\r\n'
    assert locate(data, (0,)) == (2, 1)
    assert locate(data, (0, "a")) == (2, 1)
    assert locate(data, (0, "b")) == (3, 4)
    assert locate(data, (0, "c")) == (3, 10)
    assert locate(data, ("1", "c")) == (4, 5)
    assert locate(data, ()) == (1, 1)
    assert locate(data, (2, "a")) is None
    assert locate(data, (1, "d")) is None
    assert locate(b"", (0,)) is None


def test_long_cells_are_read() -> None:
    long = "1 " * 200_000
    assert decode(encode([{"rle": long}])) == [{"rle": long}]


def test_reading_leaves_the_limit_of_the_process_as_it_was() -> None:
    before = csv.field_size_limit()
    try:
        set_limits(replace(limits(), cell=9))
        with pytest.raises(FileError, match="more than 9 characters"):
            decode(b"a,b\n1,2345678901\n")
        assert csv.field_size_limit() == before
    finally:
        set_limits(Limits())
