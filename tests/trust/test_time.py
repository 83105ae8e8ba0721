"""What a stranger's file or spec asks for takes time in proportion to its length."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hanging import not_for_ever
from hypothesis import given, settings
from hypothesis import strategies as st

import formatspec
from formatspec.engine.resolve.codec_chain import NUMBER
from formatspec.files import csv_file, xml_file
from formatspec.paths.templates.finite import Automaton, goes_on
from formatspec.paths.templates.formats import field
from formatspec.paths.templates.pattern import degree
from formatspec.paths.templates.template import TemplateField, compile_template

LINES = [
    "{bbox | sides | numbers(4)} {category.name:word} {score?:f}",
    "{category.name} {polygon | flat(8)} {attributes.difficult | flag else false}",
    "{category.name} {polygon | flat} {attributes.x}",
    "{category.id} {bbox | cxcywh | normalized}",
    "{attributes.a}:{bbox | sides}:{attributes.b}:{attributes.c}",
    "{category.name:words} {attributes.a:d},{attributes.b:f} {attributes.c:f} {attributes.d:f}",
]


def spec_of_lines(folder: Path, line: str) -> Path:
    file = folder / "s.yaml"
    file.write_text(
        'formatspec: 1\nname: my_lines\nfiles:\n  image: "{name}.{ext:image}"\n'
        f'  labels:\n    path: "{{name}}.txt"\n    lines:\n      each: objects\n      lines: "{line}"\n',
        encoding="utf-8",
    )
    return file


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("unit", ["9", "9 ", "9.", "a ", "a:", "9:", ",", "9,9 ", " # "])
def test_a_long_line_is_refused_or_read_at_once(tmp_path: Path, line: str, unit: str) -> None:
    data = tmp_path / "d"
    data.mkdir()
    (data / "a.txt").write_text(unit * (100_000 // len(unit)) + "\n", encoding="utf-8")
    with not_for_ever():
        report = formatspec.validate(data, spec_of_lines(tmp_path, line), workers=1)
    assert {finding.code for finding in report.findings} & {"LINE", "FIELD", "POLYGON", "IMAGE_MISSING", "IMAGE_ABSENT"}


def test_a_number_is_read_in_one_way() -> None:
    """With two ways to read a number, a line of many would have as many as there are subsets of them."""
    digits = "9" * 20_000
    with not_for_ever():
        assert re.fullmatch(f"(?:{NUMBER})(?: (?:{NUMBER})){{7}} x", " ".join([digits] * 8) + " y") is None


def test_many_attributes_of_an_element() -> None:
    attributes = " ".join(f"a{n}='{n}'" for n in range(60_000))
    document = f"<a>{'<b/>' * 3}<c {attributes}/><d x='1'/></a>"
    with not_for_ever():
        read = xml_file.decode(document.encode())
    assert len(read["a"]["c"]["@"]) == 60_000
    assert read["a"]["c"]["@"]["a59999"] == "59999"
    assert read["a"]["d"] == {"@": {"x": "1"}, "#": ""}


def test_many_columns() -> None:
    with not_for_ever():
        assert csv_file.decode(",".join(f"c{n}" for n in range(100_000)).encode()) == []


# the automaton

_PATTERNS = [
    NUMBER,
    f"(?:{NUMBER})(?:[ ]+(?:{NUMBER})){{2}}",
    f"(?:{NUMBER})(?:[ ]*,[ ]*(?:{NUMBER}))*",
    r"(?i:png|jpe?g)",
    r"[^/]+(?:/[^/]+)*",
    r"a{2,4}b{0,2}",
    r"(?:ab|a|b)+?",
    r"(?:a?)*b",
    field("x", "words").pattern,
    field("x", "03d").pattern,
]


@settings(max_examples=300)
@given(st.sampled_from(_PATTERNS), st.text("ab19.-+eE,/ gnpPjG", max_size=12), st.integers(0, 12), st.data())
def test_the_automaton_agrees_with_the_regular_expression(
    pattern: str, text: str, start: int, data: st.DataObject
) -> None:
    start = min(start, len(text))
    allowed = bytearray(data.draw(st.lists(st.booleans(), min_size=len(text) + 1, max_size=len(text) + 1)))
    compiled = re.compile(pattern)
    ends = [end for end in range(start, len(text) + 1) if allowed[end] and compiled.fullmatch(text, start, end)]
    machine = Automaton(pattern)
    assert machine.ends(text, start, allowed) == max(ends, default=-1)
    assert machine.ends(text, start, allowed, shortest=True) == min(ends, default=-1)
    marked = machine.starts(text, allowed)
    assert marked[start] == bool(ends)


def test_a_field_ends_at_one_place_where_nothing_longer_could() -> None:
    assert not goes_on(NUMBER, " ")
    assert not goes_on(f"(?:{NUMBER})(?: (?:{NUMBER})){{3}}", " ")
    assert goes_on(f"(?:{NUMBER})(?: (?:{NUMBER}))*", " ")
    assert goes_on(r".+", " ")
    numbers = [TemplateField(f"n{i}", f"(?:{NUMBER})(?: (?:{NUMBER})){{3}}", str, str) for i in range(3)]
    assert degree(compile_template([numbers[0], " ", numbers[1], " ", numbers[2]])._pieces) == 1


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?>a+)a", "^a", r"a\b", "(?:a{1000}){1000}"])
def test_patterns_that_no_automaton_has(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"cannot stand in|repeats more"):
        Automaton(pattern)


# the measure of `make hostile`


@pytest.fixture(scope="module")
def hostile() -> ModuleType:
    file = Path(__file__).resolve().parents[2] / "benchmarks" / "hostile.py"
    found = importlib.util.spec_from_file_location("hostile_benchmark", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _quadratic(data: bytes) -> list[str]:
    """A reader of names that looks for each among all before it."""
    known: list[str] = []
    for name in data.decode().split(","):
        if name not in known:
            known.append(name)
    return known


def test_a_quadratic_reader_is_caught_beside_a_plain_table(hostile: ModuleType) -> None:
    def run(read: Callable[[bytes], object], length: int) -> Callable[[], object]:
        data = ",".join(f"c{n}" for n in range(length)).encode()
        return lambda: read(data)

    lengths = [400 * times for times in hostile.TIMES]
    runs = [run(_quadratic, length) for length in lengths]
    plain = [run(hostile._plain_names, length) for length in lengths]
    seconds = hostile.measured([*runs, *plain])
    assert hostile.judged(seconds[: len(runs)], seconds[len(runs) :]) > hostile.MOST


@pytest.mark.parametrize(
    ("seconds", "plain", "is_caught"),
    [
        ([1, 2, 4, 8], None, False),
        ([1, 2.6, 6, 13], None, True),
        ([1, 2.6, 6, 13], [1, 2.5, 6, 13], False),
        ([1, 2.6, 6, 13], [1, 2, 4, 8], True),
        ([1, 4, 16, 64], [1, 3.2, 10, 32], True),
        ([1, 4, 16, 64], [1, 4, 16, 64], True),
        ([1, 2.83, 8, 22.6], [1, 2.2, 4.8, 10.6], True),
    ],
)
def test_only_what_the_caches_make_of_a_plain_table_is_allowed_for(
    hostile: ModuleType, seconds: list[float], plain: list[float] | None, is_caught: bool
) -> None:
    assert (hostile.judged(seconds, plain) > hostile.MOST) == is_caught
