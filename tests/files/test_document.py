from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.document import FileError, bytes_of, place_of, pointer_text, text_of


@given(st.lists(st.text()).map(tuple))
def test_a_pointer_says_its_parts(parts: tuple[str, ...]) -> None:
    told = pointer_text(parts).split("/")[1:]
    assert tuple(part.replace("~1", "/").replace("~0", "~") for part in told) == parts


def test_pointer_text_is_rfc_6901() -> None:
    assert pointer_text(()) == ""
    assert pointer_text(("objects", 0, "a/b~c", "")) == "/objects/0/a~1b~0c/"
    assert pointer_text(("~1",)) == "/~01"


def test_text_takes_the_first_encoding_that_fits_and_names_a_byte_order_mark() -> None:
    assert text_of("é".encode(), ("utf-8", "latin-1")) == ("é", "utf-8")
    assert text_of(b"\xe9", ("utf-8", "latin-1")) == ("é", "latin-1")
    assert text_of(b"\xef\xbb\xbfx", ("utf-8",)) == ("x", "utf-8-sig")
    assert text_of(b"x", ("utf-8-sig",)) == ("x", "utf-8")
    assert text_of("x".encode("utf-16"), ("utf-16",)) == ("x", "utf-16")


def test_undecodable_text_says_where() -> None:
    with pytest.raises(FileError, match=r"byte 3 \(0xff\) is not utf-8 or ascii") as caught:
        text_of(b"a\nb\xff", ("utf-8", "ascii"))
    assert caught.value.line == 2
    with pytest.raises(FileError, match="no text encoding 'nonsense'"):
        text_of(b"x", ("nonsense",))
    with pytest.raises(FileError, match="no text encoding is given"):
        text_of(b"", ())


def test_unencodable_text_says_what() -> None:
    assert bytes_of("x", ("utf-8-sig",)) == b"\xef\xbb\xbfx"
    with pytest.raises(FileError, match="ascii cannot hold the character 'é'"):
        bytes_of("aé", ("ascii",))


def test_place_counts_from_one() -> None:
    assert [place_of("a\nbc", at) for at in range(5)] == [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]


def test_error_reads_well_and_survives_pickling() -> None:
    error = FileError("bad", 3, 4)
    assert str(error) == "line 3, column 4: bad"
    assert str(FileError("bad")) == "bad"
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.line, again.column) == ("bad", 3, 4)
