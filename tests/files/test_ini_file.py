from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.document import FileError
from formatspec.files.ini_file import decode, encode, locate
from formatspec.files.style import Style

DATA = b"; made by hand\n[Sequence]\nname = a b\nframeRate=30\n\n# behind\n[other]\r\nx==1\n"
words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=5)


@given(
    st.dictionaries(words, st.dictionaries(words, words, max_size=3), max_size=3),
    st.builds(Style, final_newline=st.booleans(), newline=st.sampled_from(["\n", "\r\n"])),
)
def test_what_is_written_reads_back_or_is_refused(document: dict[str, dict[str, str]], style: Style) -> None:
    try:
        data = encode(document, style)
    except FileError:
        return
    assert decode(data, style) == document


def test_sections_and_keys() -> None:
    document = {"Sequence": {"name": "a b", "frameRate": "30"}, "other": {"x": "=1"}}
    assert decode(DATA) == document
    assert encode(document) == b"[Sequence]\nname=a b\nframeRate=30\n\n[other]\nx==1\n"
    assert encode({}) == b""


@given(
    st.dictionaries(words, words, max_size=3),
    st.builds(Style, header=st.just(False), separators=st.sampled_from(["compact", "spaced"])),
)
def test_keys_without_sections_read_back_or_are_refused(document: dict[str, str], style: Style) -> None:
    try:
        data = encode(document, style)
    except FileError:
        return
    assert decode(data, style) == document


def test_keys_alone() -> None:
    style = Style(header=False)
    assert decode(b"b=1\n\n# note\n a =  x y \n", style) == {"b": "1", "a": "x y"}
    assert encode({"b": "1", "a": "x y"}, style) == b"b = 1\na = x y\n"
    assert encode({"b": "1"}, Style(header=False, separators="compact")) == b"b=1\n"
    assert encode({}, style) == b"" and decode(b"", style) == {}
    assert locate(b"b=1\n\na=2\n", ("a",), style) == (3, 1)
    for wrong in (b"[s]\na=1", b"a=1\na=2", b"word"):
        with pytest.raises(FileError):
            decode(wrong, style)


def test_places() -> None:
    assert locate(DATA, ("Sequence", "frameRate")) == (4, 1)
    assert locate(DATA, ("other",)) == (7, 1)
    assert locate(DATA, ()) == (1, 1)
    assert locate(DATA, ("other", "y")) is None


@pytest.mark.parametrize(
    ("data", "line"), [(b"a=1", 1), (b"[s]\nword", 2), (b"[s]\na=1\na=2", 3), (b"[s]\n\n[s]", 3), (b"[s]\n\xff=1", 2)]
)
def test_what_is_no_ini_file_says_where(data: bytes, line: int) -> None:
    with pytest.raises(FileError) as caught:
        decode(data)
    assert caught.value.line == line


@pytest.mark.parametrize("document", [[], {"s": 1}, {"s": {"a=b": "1"}}, {"s": {"a": " 1"}}, {"s": {"a": "1\n[t]"}}])
def test_what_an_ini_file_cannot_hold_is_refused(document: object) -> None:
    with pytest.raises(FileError):
        encode(document)
