from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from formatspec.files.document import FileError, text_of
from formatspec.files.json_file import decode, duplicate_keys, encode, locate
from formatspec.files.style import Style

REAL = os.environ.get("FORMATSPEC_DATA")

styles = st.builds(
    Style,
    indent=st.sampled_from([None, 0, 2, "\t"]),
    separators=st.sampled_from(["compact", "spaced"]),
    ascii=st.booleans(),
    final_newline=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from([("utf-8",), ("utf-8-sig",), ("utf-16",)]),
)
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def exact(value: Any) -> str:
    """Tells 0 from 0.0, -0.0 and False, and one order of keys from another."""
    return repr(value)


@given(documents, styles)
def test_decode_inverts_encode(document: Any, style: Style) -> None:
    assert exact(decode(encode(document, style), style)) == exact(document)


@given(documents, styles, st.sampled_from([1, 3, 4]))
def test_a_layout_is_that_of_the_standard_library(document: Any, style: Style, indent: int) -> None:
    style = replace(style, indent=indent, newline="\n", final_newline=False)
    colon = ":" if style.separators == "compact" else ": "
    text = json.dumps(document, ensure_ascii=style.ascii, indent=indent, separators=(",", colon))
    assert encode(document, style) == text.encode(style.encoding[0])


@given(documents, styles)
def test_every_value_is_located_where_it_begins(document: Any, style: Style) -> None:
    data = encode(document, style)
    text = data.decode(style.encoding[0])

    def check(value: Any, pointer: tuple[str | int, ...]) -> None:
        place = locate(data, pointer, style)
        assert place is not None
        line, column = place
        rest = "\n".join([text.split("\n")[line - 1][column - 1 :], *text.split("\n")[line:]])
        assert exact(json.JSONDecoder().raw_decode(rest)[0]) == exact(value)
        for key, inner in value.items() if isinstance(value, dict) else ():
            check(inner, (*pointer, key))
        for index, inner in enumerate(value) if isinstance(value, list) else ():
            check(inner, (*pointer, index))

    check(document, ())


@pytest.mark.skipif(REAL is None, reason="FORMATSPEC_DATA is not set")
def test_real_files_come_back_byte_by_byte() -> None:
    paths = sorted(Path(REAL or "").glob("ade20k-real/**/*.json"))
    assert paths
    for path in paths:
        data = path.read_bytes()
        assert encode(decode(data), Style(separators="compact", ascii=True, final_newline=False)) == data


def test_spellings() -> None:
    document = {"a": [1, 2.0, 1e22], "é": None}
    assert encode(document) == '{"a": [1, 2.0, 1e+22], "é": null}\n'.encode()
    compact = Style(separators="compact", ascii=True, final_newline=False)
    assert encode(document, compact) == b'{"a":[1,2.0,1e+22],"\\u00e9":null}'
    assert encode({"a": [1]}, Style(indent=2, newline="\r\n")) == (b'{\r\n  "a": [\r\n    1\r\n  ]\r\n}\r\n')


def test_big_integers_are_kept() -> None:
    assert decode(b"[12345678901234567890123456789, -9223372036854775809]") == [
        12345678901234567890123456789,
        -9223372036854775809,
    ]


def test_what_is_no_number_is_read_for_the_caller_to_report_and_never_written() -> None:
    value = decode(b'\xef\xbb\xbf{"a": [NaN, Infinity, -Infinity, 1e400]}')["a"]
    assert math.isnan(value[0])
    assert value[1:] == [math.inf, -math.inf, math.inf]
    for number in (math.nan, math.inf):
        with pytest.raises(FileError, match="JSON cannot hold this"):
            encode([number])


@pytest.mark.parametrize("digits", [3999, 4000, 4299, 4301, 9000])
@pytest.mark.parametrize("blanks", [0, 37, 99])
def test_duplicate_keys_are_found_beside_long_numbers(digits: int, blanks: int) -> None:
    """Python refuses to read whole numbers of more than 4300 digits."""
    data = f'{" " * blanks}{{"a": [1, -{"7" * digits}], "b": 1, "b": 2}}'
    assert duplicate_keys(data.encode()) == [("b",)]


def test_duplicate_keys_are_found() -> None:
    data = b'{"a": [{"b": 1, "c": 0, "b": 2, "b": 3}], "d": {"a": 1}, "d": {}}'
    assert duplicate_keys(data) == [("d",), ("a", 0, "b")]
    assert duplicate_keys(b'{"a": {"a": [{"a": 1}, {"a": 1}]}}') == []
    assert locate(data, ("a", 0, "b")) == (1, data.index(b"3") + 1)
    assert decode(data)["a"][0]["b"] == 3


def test_the_strict_way_refuses_duplicate_keys() -> None:
    with pytest.raises(FileError, match="the key 'b' stands twice") as caught:
        decode(b'{"a": NaN,\n "b": 1, "b": 2}')
    assert (caught.value.line, caught.value.column) == (2, 15)


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b'{"a": 1,\n "b" 2}', 2, 6, "Expecting ':' delimiter"),
        (b"", 1, 1, "the file is empty"),
        (b"[1] x", 1, 5, "Extra data"),
        (b"[1,]", 1, None, "not JSON"),
        (b'{"a": "\xff"}', 1, None, "byte 7"),
        (b"[-NaN]", 1, 2, "Expecting value"),
    ],
)
def test_errors_say_where(data: bytes, line: int | None, column: int | None, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        decode(data)
    assert caught.value.line == line
    assert column is None or caught.value.column == column


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_an_error_of_the_file(opening: bytes) -> None:
    data = opening * 100_000
    with pytest.raises(FileError, match="nested too deeply"):
        decode(data)
    with pytest.raises(FileError, match="nested too deeply"):
        duplicate_keys(data)
    assert locate(data, (1,)) is None
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(FileError, match="nested too deeply"):
        encode(deep)


def test_what_is_not_plain_data_is_refused() -> None:
    for document in ({1, 2}, b"x", object()):
        with pytest.raises(FileError, match="JSON cannot hold this"):
            encode([document])
    with pytest.raises(FileError, match="cannot hold the character"):
        encode("\ud800")


def test_places_that_are_not_there() -> None:
    data = b'{"a": [1, {"b": "]}"}, 2]}'
    assert locate(data, ("a", 2)) == (1, 24)
    assert locate(data, ("a", "2")) == (1, 24)
    for pointer in [("b",), ("a", 3), ("a", -1), ("a", 0, 0), ("a", 1, "b", 0)]:
        assert locate(data, pointer) is None
    assert locate(b"", ()) is None
    assert locate(b"[1", (1,)) is None


@pytest.mark.parametrize(
    "data", [b'{"a": "b"}', '{"a": "é"}'.encode(), '{"a": "é"}'.encode("latin-1"), b'\xef\xbb\xbf"a"']
)
def test_the_first_encoding_that_fits_is_taken(data: bytes) -> None:
    style = Style(encoding=("utf-8", "latin-1"))
    assert decode(data, style) == json.loads(text_of(data, style.encoding)[0])


def test_a_number_of_thousands_of_digits_is_infinite_so_that_its_place_is_reported() -> None:
    assert decode(b"[1, " + b"1" * 5000 + b"]") == [1, float("inf")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{'a': 1}", "stands in single quotes: JSON takes double quotes alone"),
        ("{\"a\": 'b'}", "stands in single quotes"),
        ('{"a": [1, 2,]}', "a comma stands before ']': remove it"),
        ('{"a": [1, 2', "the file ends in the middle"),
        ('{"a": "b', "the quote that opens here is never closed"),
        ('{"a": [1, {"b": 2', """'{' of 1:11, '[' of 1:7 ("a"), '{' of 1:1 are open, and '}]}' would close them"""),
        ('{"a": [1, {"b": 3]}', "the ']' of 1:18 stands where '{' of 1:11 is open: '}' is missing"),
        ('{"a": [1, 2}', """the '}' of 1:12 stands where '[' of 1:7 ("a") is open: ']' is missing"""),
        ('{\n "a": [\n  1\n "b": 3\n}\n', """'[' of 2:7 ("a") is still open here"""),
        ('{\n "a": {\n  "b": 1,\n "c": {"d": 2\n }\n}', "'}' is missing between them"),
        (
            '{\n "a": {\n  "n": 1,\n\n   "w": 2\n  }\n },\n "b": 3\n}\n',
            "the '}' of line 6 closes the '{' of line 2, which is indented less: a bracket that opens is missing "
            "before line 5",
        ),
        ('{"a": 1}\n{"a": 2}\n', "where each line is a document of its own, the file is JSON lines"),
        ('{"a": True}', "'True' is no value: write `true`"),
        ('{"a": 1}]', "a bracket that opens is missing above, or one closes too early or too often"),
        ('{"a": 1}\n}', "the document ends before '}', with the bracket that closes on line 1"),
        ('{"a": yes}', "'yes' is no value: a text stands in double quotes"),
        ('{"a": }', "a key has no value before '}'"),
        ('{"a": 1 "b": 2}', "a comma, a colon or a bracket is missing before it"),
    ],
)
def test_broken_json_is_told_with_what_helps(text: str, said: str) -> None:
    with pytest.raises(FileError) as caught:
        decode(text.encode())
    assert said in str(caught.value)
