from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hanging import not_for_ever
from hypothesis import given
from hypothesis import strategies as st

from formatspec.files.document import FileError
from formatspec.files.style import Style
from formatspec.files.yaml_file import decode, encode, locate

WORDS = (
    "yes|No|on|~||010|0o17|0x1F|1e5|1_000|1:30|2020-01-01|<<|=|!x|null|True|.nan|-.inf|+1|1.|.5"
    "|- a|a: b|#c|a #c|*a|&a|{|@|%|- |? a|---|...|a\n b\n| a|a |\ta|\u2028|\x85|\ufeff|\x00|\U0001f600"
)
words = st.text() | st.sampled_from(WORDS.split("|"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
documents: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.integers(), inner, max_size=4),
    max_leaves=12,
)
styles = st.builds(
    Style,
    indent=st.sampled_from([None, 2, 4]),
    ascii=st.booleans(),
    final_newline=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    flow=st.booleans(),
)


@given(documents, styles)
def test_decode_inverts_encode(document: Any, style: Style) -> None:
    assert repr(decode(encode(document, style), style)) == repr(document)


@given(documents, styles)
def test_readers_of_yaml_1_1_understand_the_same(document: Any, style: Style) -> None:
    assert repr(yaml.safe_load(encode(document, style))) == repr(document)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("On", "On"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1f", 31),
        ("+12", 12),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        ("2020-01-01", "2020-01-01"),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("'1'", "1"),
        ("0: a\n'0': b", {0: "a", "0": "b"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x k\n*x : 1", {"a": "k", "k": 1}),
        ("&k a: *k", {"a": "a"}),
    ],
)
def test_scalars_are_yaml_1_2(text: str, value: Any) -> None:
    assert repr(decode(text.encode())) == repr(value)


def test_spellings() -> None:
    document = {"names": {0: "yes", 1: "é"}, "box": [1, 2.5], "rows": [[1], {}]}
    assert encode(document).decode() == ("names:\n  0: 'yes'\n  1: é\nbox:\n- 1\n- 2.5\nrows:\n- - 1\n- {}\n")
    assert encode({"box": [1, 2]}, Style(flow=True, final_newline=False)) == b"box: [1, 2]"
    assert encode("é", Style(ascii=True)) == b'"\\xE9"\n'
    assert math.isnan(decode(encode(math.nan)))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key 'a' stands twice"),
        ("a: 1\nb: !!python/object:os.system x", 2, "the tag .* is not allowed"),
        ("- !t [1]", 1, "the tag !t is not allowed"),
        ("a: b: c", 1, "mapping values are not allowed"),
        ("a: [1\n", 2, "not YAML"),
        ("true: 1", 1, "quote True"),
        ("1.5: 1", 1, "quote 1.5"),
        ("? [a]\n: 1", 1, "a key must be"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: *b", 1, "no anchor &b"),
        ("\n&a [*a]", 2, "no anchor &a"),
        ("\nx: \x07", 2, "control characters"),
        ("1" * 5000, 1, "more than 4000 digits"),
    ],
)
def test_errors_say_where(text: str, line: int, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        decode(text.encode())
    assert caught.value.line == line


def test_attacks_are_refused_soon() -> None:
    with not_for_ever():
        bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
        )
        with pytest.raises(FileError, match="aliases grow"):
            decode(bomb.encode())
        with pytest.raises(FileError, match="aliases grow"):
            decode(b"a: &a 1\nb: [" + b"*a, " * 1001 + b"]")
        assert decode(b"a: &a 1\nb: [" + b"*a, " * 1000 + b"]")["b"] == [1] * 1000
        for opening in (b"[", b"{a: ", b"- "):
            with pytest.raises(FileError, match="nested deeper than 200"):
                decode(opening * 100_000)


def test_what_is_not_plain_data_is_refused() -> None:
    for document in ({1}, b"x", object(), {"a": 1j}):
        with pytest.raises(FileError, match="YAML cannot hold this"):
            encode(document)
    for key in (True, None, 1.5, (1,)):
        with pytest.raises(FileError, match="a key must be"):
            encode({key: 1})
    with pytest.raises(FileError):
        encode("\ud800")
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(FileError, match="nested too deeply"):
        encode(deep)


def test_places() -> None:
    data = b"names:\n  0: cat\n  1: [a,\n   b]\nx: &x {y: 1}\nz: *x\n"
    assert locate(data, ()) == (1, 1)
    assert locate(data, ("names",)) == (2, 3)
    assert locate(data, ("names", 0)) == (2, 6)
    assert locate(data, ("names", "1", 1)) == (4, 4)
    assert locate(data, ("x", "y")) == (5, 11)
    assert locate(data, ("z", "y")) == (6, 4)
    assert locate(data, ("names", 2)) is None
    assert locate(data, ("names", 0, 0)) is None
