"""Plain values have one equality, one reading and one spelling of numbers, whoever asks."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.codecs import values
from formatspec.codecs.registry import UnfitError
from formatspec.engine.resolve.codec_chain import number_from_text, spell
from formatspec.engine.resolve.row_counters import counted
from formatspec.files import yaml_file
from formatspec.language.expression import compile_expression, parse
from formatspec.language.functions import palette
from formatspec.language.yaml_core import core_scalar
from formatspec.model.plain.decimals import read_decimal, spell_decimal
from formatspec.model.plain.same_value import same_value
from formatspec.pixels.palettes import bits, palette_color

FINITE = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (0, False, False),
        (1, "1", False),
        (None, None, True),
        (None, False, False),
        ([1], [1], True),
        ([1], [1.0], False),
        ([1], (1,), True),
        ([[0]], [[False]], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"b": 1}, False),
        ([], {}, False),
        ("ab", ["a", "b"], False),
        (counted(3, "objects"), 3, True),
        (counted(3, "objects"), 3.0, False),
    ],
)
def test_values_are_the_same_by_value_and_type(one: Any, other: Any, same: bool) -> None:
    assert same_value(one, other) is same
    assert same_value(other, one) is same


def test_a_number_that_is_none_is_the_same_as_itself_alone() -> None:
    assert same_value(math.nan, math.nan)
    assert not same_value(math.nan, float("nan"))


@pytest.mark.parametrize(
    ("text", "number"),
    [("10.", 10.0), (".5", 0.5), ("+007", 7), ("-3", -3), ("1e2", 100.0), ("1E-05", 0.00001)],
)
def test_a_number_is_read_alike_by_codecs_by_text_files_and_by_expressions(text: str, number: float) -> None:
    found = [read_decimal(text), values.read_number(text), number_from_text(text), in_expression(f"number('{text}')")]
    assert found == [number] * 4
    assert [type(one) for one in found] == [type(number)] * 4


@pytest.mark.parametrize("text", ["", ".", "1,5", "1_0", "0x10", "\u0663", "ten", "1e", "--1", "1 2"])
def test_what_is_no_number_is_refused_by_all(text: str) -> None:
    assert read_decimal(text) is None
    with pytest.raises(UnfitError):
        values.read_number(text)
    with pytest.raises(UnfitError):
        number_from_text(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.00001, "0.00001"), (1.0, "1.0"), (-7, "-7"), (1e16, "1e+16"), (0.1, "0.1"), (123456789.0, "123456789.0")],
)
def test_a_number_is_spelled_alike_by_codecs_by_text_files_and_by_expressions(number: float, text: str) -> None:
    spelled = [spell_decimal(number), values.spell_number(number), spell(number), spell([number])]
    assert spelled == [text] * 4
    assert in_expression(f"text({number!r})") == text


@given(FINITE)
def test_what_is_spelled_is_read_as_the_same_number(number: float) -> None:
    if len(str(number)) < 300:
        assert same_value(read_decimal(spell_decimal(number)), number)


@pytest.mark.parametrize(
    "text", ["yes", "1:30", "012", "0o14", "0x1F", "~", "Null", "TRUE", "-.inf", ".NaN", "1.", ".5", "1e3", "off", "-x"]
)
def test_an_unquoted_scalar_means_the_same_in_specs_and_in_data(text: str) -> None:
    assert repr(yaml_file.decode(f"a: {text}\n".encode())["a"]) == repr(core_scalar(text))


@pytest.mark.parametrize("index", [0, 1, 15, 200, 255, 256, 2**24 - 1])
def test_a_colour_of_an_index_is_the_same_in_expressions_codecs_and_palettes(index: int) -> None:
    assert tuple(palette(index)) == palette_color(index)
    assert index > 255 or tuple(bits()[index]) == palette_color(index)


def in_expression(text: str) -> Any:
    """The value of an expression without names."""
    return compile_expression(parse(text), None)(None)  # type: ignore[arg-type]
