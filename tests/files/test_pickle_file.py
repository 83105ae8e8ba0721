from __future__ import annotations

import pickle
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.document import FileError
from formatspec.files.pickles.pickle_file import decode, encode, locate
from formatspec.files.style import Style

texts = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.integers(-99, 99), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_what_is_written_reads_back_here_and_in_python(document: Any) -> None:
    data = encode(document)
    assert decode(data) == document and repr(decode(data)) == repr(document)
    assert pickle.loads(data) == document


@given(documents, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_what_python_writes_is_read(document: Any, protocol: int) -> None:
    assert repr(decode(pickle.dumps(document, protocol))) == repr(document)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_tuples_and_values_that_are_shared(protocol: int) -> None:
    row = {"split": "train", "ids": (1, (), (2, 3), (4, 5, 6), (7, 8, 9, 10))}
    again = [row, row, row["ids"], "train"]
    ids = [1, [], [2, 3], [4, 5, 6], [7, 8, 9, 10]]
    expected = {"split": "train", "ids": ids}
    assert decode(pickle.dumps(again, protocol)) == [expected, expected, ids, "train"]


def test_equal_documents_give_equal_bytes() -> None:
    word = "".join(("t", "he"))
    assert encode([word, word, {"a": [word]}]) == encode(["the", "t" + "he", {"a": ["the"]}])


def test_pickles_of_python_2() -> None:
    data = b"".join(
        (
            b"(lp1\n(dp2\nS'raw'\np3\nVcaf\xe9 \\u20ac \\ud83d\\ude00\np4\nsS'n'\nI7\ns",
            b"S'big'\nL123456789012L\nsS'yes'\nI01\nsS'no'\nI00\nsS\"it's\\n\"\nF0.5\nsa.",
        )
    )
    expected = {"raw": "café € 😀", "n": 7, "big": 123456789012, "yes": True, "no": False, "it's\n": 0.5}
    assert decode(data) == [expected]
    assert decode(b"\x80\x02}q\x01(U\x03rawq\x02T\x02\x00\x00\x00\xc3\xa9u.") == {"raw": "é"}


def test_texts_of_python_2_have_the_encodings_of_the_role() -> None:
    data = b"U\x04caf\xe9."
    with pytest.raises(FileError, match=r"byte 0: byte 3 \(0xe9\) is not utf-8"):
        decode(data)
    assert decode(data, Style(encoding=("utf-8", "latin-1"))) == "café"
    assert decode(b"S'caf\\xe9'\n.", Style(encoding=("utf-8", "latin-1"))) == "café"


def test_a_pickle_has_no_lines() -> None:
    assert locate(encode({"a": 1}), ("a",)) is None


WRONG = [
    (b"", "cut off"),
    (b"]", "cut off"),
    (b"(lp1\n", "cut off"),
    (b"X\xff\xff\xff\xffabc.", "cut off"),
    (b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.", "cut off"),
    (b"T\xff\xff\xff\xffabc.", "below 0"),
    (b"\x80\x06N.", "protocol 6"),
    (b".", "other than one value"),
    (b"NN.", "other than one value"),
    (b"(N.", "open marks"),
    (b"N.N.", "2 more bytes follow"),
    (b"a.", "not there"),
    (b"e.", "mark"),
    (b"Na.", "no list"),
    (b"}Na.", "no list"),
    (b"]NNs.", "no mapping"),
    (b"](NNu.", "no mapping"),
    (b"}(Nu.", "no value"),
    (b"}NNs.", "a key must be"),
    (b"}\x88Ns.", "a key must be"),
    (b"}G" + struct.pack(">d", 0.5) + b"Ns.", "a key must be"),
    (b"}]Ns.", "a key must be"),
    (b"}\x8a\x08" + (2**60).to_bytes(8, "little") + b"Ns.", "a key must be"),
    (b"}(K\x01NK\x01Nu.", "stands twice"),
    (b"g7\n.", "the memo holds nothing at 7"),
    (b"gx\n.", "no whole number"),
    (b"Np-1\n.", "no place"),
    (b"Np99999999999\n.", "no place"),
    (b"p0\n.", "not there"),
    (b"Ix\n.", "no whole number"),
    (b"Fx\n.", "no number"),
    (b"Sx\n.", "in quotes"),
    (b"S'\n.", "in quotes"),
    (b"S'\\x4'\n.", "in quotes"),
    (b"V\\ud83d\n.", "no text"),
    (b"V\\u12\n.", "no text"),
    (b"X\x01\x00\x00\x00\xff.", "no UTF-8"),
    (b"Z.", "0x5a is no instruction"),
    (b"{}", "0x7b is no instruction"),
]


@pytest.mark.parametrize(("data", "words"), WRONG)
def test_what_is_no_pickle_of_plain_data_says_so(data: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words) as caught:
        decode(data)
    assert caught.value.message.startswith("byte ")


@pytest.mark.parametrize(
    "document", [object(), {1.5: 2}, {None: 1}, {True: 1}, [b"x"], {"a": {3}}, "\ud800", 1 << 9000]
)
def test_what_a_pickle_of_plain_data_cannot_hold_is_refused(document: object) -> None:
    with pytest.raises(FileError):
        encode(document)
