from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.document import FileError
from formatspec.files.style import Style
from formatspec.files.text_file import decode, encode, locate, stream, streams

lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))
styles = st.builds(
    Style,
    final_newline=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from([("utf-8",), ("utf-8-sig",), ("utf-16",)]),
)


@given(st.lists(lines.filter(lambda line: not line.startswith("\ufeff"))), styles)
def test_decode_inverts_encode(document: list[str], style: Style) -> None:
    assert decode(encode(document, style), style) == document


@given(st.lists(lines | st.sampled_from(["", "\r", "a\nb", "# c"])), styles | st.just(Style(comment="#")))
def test_lines_joined_at_once_are_lines_one_by_one(document: list[str], style: Style) -> None:
    def written(pieces: Callable[[], Iterable[bytes]]) -> bytes | str:
        try:
            return b"".join(pieces())
        except FileError as error:
            return error.message

    if streams(style):
        assert written(lambda: [encode(document, style)]) == written(lambda: stream(document, style))


def test_ends_of_lines() -> None:
    assert decode(b"") == []
    assert decode(b"\n") == [""]
    assert decode(b"a\r\nb\rc\n\n") == ["a", "b", "c", ""]
    assert decode("a\u2028b\x0cc".encode()) == ["a\u2028b\x0cc"]


def test_spellings() -> None:
    assert encode([]) == b""
    assert encode(["a", "b"]) == b"a\nb\n"
    assert encode(["a", "b"], Style(final_newline=False, newline="\r\n")) == b"a\r\nb"
    assert encode(["a", ""], Style(final_newline=False)) == b"a\n\n"


def test_comments_are_no_data_but_count_as_lines() -> None:
    style = Style(comment="#")
    data = b"# one\na\n # not a comment\n\n#\nb"
    assert decode(data, style) == ["a", " # not a comment", "", "b"]
    assert [locate(data, (index,), style) for index in (0, 2, 3, 4)] == [(2, 1), (4, 1), (6, 1), None]
    assert locate(data, ("3", "bbox"), style) == (6, 1)
    assert locate(data, (3,)) == (4, 1)
    assert locate(data, ()) == (1, 1)


@pytest.mark.parametrize("line", ["a\nb", "a\r", "#a", 3, None])
def test_lines_that_would_not_be_read_back_are_refused(line: object) -> None:
    with pytest.raises(FileError, match="line 2"):
        encode(["a", line], Style(comment="#"))


def test_wrong_encoding() -> None:
    with pytest.raises(FileError, match="byte 2"):
        decode(b"a\n\xff")
    assert locate(b"\xff", (0,)) is None
