"""Rows of a CSV file found without decoding it are the rows that decoding gives."""

from __future__ import annotations

import io
import random

import pytest

from formatspec.files import csv_file
from formatspec.files.csv_file import BLANKS
from formatspec.files.document import FileError
from formatspec.files.places import Places
from formatspec.files.rows.csv_rows import Cells
from formatspec.files.rows.json_rows import NotRowsError
from formatspec.files.style import Style
from formatspec.model.limits import limits, set_limits

CELLS = ["", "1", "0.5", "é", " x", "#y", 'a"b', '"a,b"', '"a\nb"', '"a""b"', '"\r\n"', '"', '"a"b', "\0"]
ENDS = ["\n", "\n", "\r\n", "\n\n", "\n#c\n", "\r"]


def table(rng: random.Random) -> tuple[bytes, Style]:
    """A table of a style; half of them with cells between quotes, some of which are broken."""
    delimiter = rng.choice([",", ";", "\t", ", "])
    style = Style(delimiter=delimiter, comment=rng.choice([None, "#"]), header=rng.random() < 0.7, columns=tuple("abc"))
    cells, ends = rng.choice([(CELLS, ENDS), (CELLS[:6], ENDS[:5])])
    rows = [(rng.choices(cells, k=rng.randint(1, 4)), rng.choice(ends)) for _ in range(rng.randint(0, 6))]
    text = delimiter.join("xyz") + "\n" if style.header else ""
    text += "".join(delimiter.join(row) + end for row, end in rows)
    return (text.rstrip("\r\n") if rng.random() < 0.3 else text).encode(), style


def found(data: bytes, style: Style, piece: int) -> tuple[Cells, tuple[str, ...], list[tuple[int, int]]]:
    """What a scan gives: how rows are decoded, the names of the columns, where each row begins and ends."""
    spans: list[tuple[int, int]] = []
    by = Cells(style, list)
    columns = by.scan(io.BytesIO(data).read, lambda some: spans.extend(map(tuple, some.tolist())), piece)
    return by, columns, spans


@pytest.mark.parametrize("seed", range(200))
def test_rows_are_those_of_the_decoder(seed: int) -> None:
    rng = random.Random(seed)
    data, style = table(rng)
    try:
        by, columns, spans = found(data, style, rng.choice([1, 5, 40, 1 << 18]))
    except NotRowsError:
        return
    expected = csv_file.decode(data, style)
    assert [row for start, stop in spans for row in by.rows(data[start:stop], columns)] == expected
    if spans:
        assert by.rows(data[spans[0][0] : spans[-1][1]], columns) == expected
    places = Places(lambda size, offset: data[offset : offset + size])
    for position, (start, stop) in enumerate(spans):
        for rest in ((), *((column,) for column in columns)):
            place = by.locate(data[start:stop], columns, rest)
            line = None if place is None else (places.at(start)[0] + place[0] - 1, place[1])
            assert line == csv_file.locate(data, (position, *rest), style)


@pytest.mark.parametrize("piece", [1, 4, 1 << 18])
def test_a_table_without_quotes_and_one_with_a_line_break_in_a_cell_are_sought(piece: int) -> None:
    for text, count in (("a,b\n1,2\r\n\n3,4", 2), ('a,b\n"1\n",2\n3,4\n', 2), ("a,b\n", 0)):
        _, columns, spans = found(text.encode(), Style(), piece)
        assert (columns, len(spans)) == (("a", "b"), count)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"a,a\n1,2\n", b"a,b\n\xff,1\n", b"\xef\xbb\xbfa,b\n1,2\n", b'a,b\n"1,2\n', b'a,b\n"1"2,2\n',
        b"a,b\r1,2\r",
    ],
)  # fmt: skip
def test_a_file_that_the_decoder_must_judge_is_not_sought(data: bytes) -> None:
    with pytest.raises(NotRowsError):
        found(data, Style(), 4)


def test_a_cell_over_the_limit_is_left_to_the_decoder() -> None:
    before = limits()
    set_limits({"cell": 8})
    try:
        data = b"a,b\n1,123456789\n"
        with pytest.raises(FileError):
            csv_file.decode(data, Style())
        with pytest.raises(NotRowsError):
            found(data, Style(), 1 << 18)
    finally:
        set_limits(before)


@pytest.mark.parametrize(
    ("style", "can"),
    [
        (Style(), True),
        (Style(encoding=("utf-8", "cp1252")), True),
        (Style(encoding=("cp1252",)), False),
        (Style(delimiter=BLANKS), False),
        (Style(quote="'"), True),
    ],
)
def test_which_styles_can_be_sought(style: Style, can: bool) -> None:
    assert Cells(style, list).can_seek() is can
