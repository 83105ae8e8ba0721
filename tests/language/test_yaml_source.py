"""YAML with places: the core schema of 1.2, what is refused, and the traps that are named."""

from __future__ import annotations

import importlib.util
import math
import pickle
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formatspec.language import yaml_core
from formatspec.language.errors import Place, Problem, SpecError, nearest, suggest
from formatspec.language.yaml_source import Node, load, load_plain_12, to_plain

SPEC = """\
name: x          # a comment
files:
  image: "{name}.jpg"
  list: &box
    - 1
    - [a, 'b']
again: *box
"""


def problems(text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(SpecError) as caught:
        load(text, "spec.yaml")
    found = []
    for problem in caught.value.problems:
        assert problem.place is not None
        assert problem.place.file == "spec.yaml"
        found.append((problem.place.line, problem.place.column, problem.message, problem.hint))
    return found


def test_every_value_and_key_has_its_place() -> None:
    root = load(SPEC, "s.yaml")
    image = root.value["files"].value["image"]
    assert (image.place, image.raw, image.quoted) == (Place("s.yaml", 3, 10), "{name}.jpg", True)
    assert root.value["files"].keys["image"] == Place("s.yaml", 3, 3)
    assert list(root.value) == ["name", "files", "again"]
    letters = root.value["again"].value[1].value
    assert [(node.value, node.place.line, node.quoted) for node in letters] == [
        ("a", 6, False),
        ("b", 6, True),
    ]


def test_an_alias_is_the_same_node() -> None:
    root = load(SPEC, "s.yaml")
    assert root.value["again"] is root.value["files"].value["list"]
    plain = to_plain(root)
    assert plain["again"] is plain["files"]["list"]
    assert plain == {
        "name": "x",
        "files": {"image": "{name}.jpg", "list": [1, ["a", "b"]]},
        "again": [1, ["a", "b"]],
    }


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        *((word, word) for word in ("yes", "no", "on", "off", "Yes", "y", "nUll", "tRue")),
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        ("012", 12),
        ("-7", -7),
        ("+7", 7),
        ("0o14", 12),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2001-12-14", "2001-12-14"),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("-", "-"),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema(raw: str, value: object) -> None:
    assert repr(yaml_core.core_scalar(raw)) == repr(value)
    if raw != "-":
        node = load(f"a: {raw}", "s").value["a"]
        assert (repr(node.value), node.raw) == (repr(value), raw)
        assert load(f"a: '{raw}'", "s").value["a"].value == raw
        assert repr(load_plain_12(f"a: {raw}")) == repr({"a": value})


def test_not_a_number_and_numbers_too_long() -> None:
    value = load_plain_12(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)
    assert problems(f"a: {'9' * 5000}") == [(1, 4, "a number of more than 4000 digits", "")]
    with pytest.raises(ValueError, match="line 1, column 4: a number of more than 4000 digits"):
        load_plain_12(f"a: {'9' * 5000}")


@given(st.integers() | st.floats(allow_nan=False))
def test_numbers_as_python_writes_them(number: float) -> None:
    value = yaml_core.core_scalar(repr(number).replace("inf", ".inf"))
    assert (value, type(value)) == (number, type(number))


def test_keys_are_text_as_written() -> None:
    assert to_plain(load("1: a\ntrue: b\n~: c\n1.50: d", "s")) == {
        "1": "a",
        "true": "b",
        "~": "c",
        "1.50": "d",
    }
    data = load_plain_12("1: a\n~: b\n1.50: c\n'1': d")
    assert data == {1: "a", None: "b", 1.5: "c", "1": "d"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_document_is_null(text: str) -> None:
    assert load(text, "s").value is None
    assert load_plain_12(text) is None
    assert load_plain_12(text.encode()) is None


# ---- traps: the text, where the problem is, and words of its message and hint

TRAPS = [
    ("{a: f(x, y)}", (1, 5), "a comma splits an expression at 'f(x'", 'quote it: "f(x, y)"'),
    ("{L: map(0=null, 1=b, 2=c), d: 1}", (1, 5), "a comma splits", 'quote it: "map(0=null, 1=b, 2=c)"'),
    ("a: [f(x, y), z]", (1, 5), "a comma splits", 'quote it: "f(x, y)"'),
    ("{a: f(x, y: z)}", (1, 5), "a comma splits", "quote it"),
    ("{a: x), b: 1}", (1, 5), "a parenthesis has no other in 'x)'", "quote it"),
    ("{a: 1, b}", (1, 8), "'b' has no value", "a comma ends a value"),
    ("a: {name}", (1, 4), "{name} is read as a mapping", "is quoted: '{name}'"),
    ("- {= count(objects)}", (1, 3), "read as a mapping", "'{= count(objects)}'"),
    ("a: {name}/{x}.png", (1, 10), "not YAML", "begins with '{' is quoted"),
    ("a: {key?: 1}", (1, 5), "'key?' stands unquoted", 'quote the key: "key?"'),
    ("a: {x: y, key?: [1}", (1, 19), "not YAML", "ends with '?' is quoted"),
    ("a: x {id # {level}", (1, 4), "ends where ' #' begins a comment", "quote the text"),
    ("a: {id} # {b}", (1, 4), "read as a mapping", "'{id}'"),
    ("a: x {id} # {level}", (1, 4), "ends where ' #'", "quote the text"),
    ("a: joined(' # ')", (1, 4), "ends where ' #'", "quote the text"),
    ("a: 1\n\tb: 2", (2, 1), "tab", "indent with spaces"),
    ("a:\n\tb: 2", (2, 1), "no text begins with this character", "indent with spaces"),
    ("*: keep", (1, 2), "not YAML", 'the key * is quoted: "*"'),
    ("@: {x: 1}", (1, 1), "no text begins", 'quoted, as in "@"'),
    ("a: %x", (1, 4), "no text begins", "is quoted"),
    ("a: {L: joined(',')}", (1, 20), "the file ends inside a quoted text", "quote the expression"),
    ("a: {b: x[0]}", (1, 9), "not YAML while parsing a flow mapping", "quote the expression"),
    ("a: b: c", (1, 5), "mapping values are not allowed", "quote a text that holds ': '"),
    ("a: *b", (1, 4), "found undefined alias", "quote a text"),
    ("a: &b 1\nc: &b 2", (2, 4), "duplicate anchor", "its name is given once"),
    ("--- 1\n--- 2", (2, 1), "another document begins here", "remove the '---'"),
    ("<<: {a: 1}", (1, 1), "'<<' is not YAML 1.2", "`extends`"),
    ("a: !!python/name:x y", (1, 4), "the tag !!python/name:x is not allowed", "quoted"),
    ("a: !mine [1]", (1, 4), "the tag !mine is not allowed", "quoted"),
    ("a: !!str 1", (1, 4), "the tag !!str is not allowed", "quote the text"),
    ("!!str a: 1", (1, 1), "the tag !!str is not allowed", "quote the text"),
    ("? [a]\n: 1", (1, 3), "a key is a list or mapping", "quote a key"),
    ("a: 1\nb: 2\n'a': 3", (3, 1), "duplicate key 'a'", "it is first on line 1"),
    ("1: a\n'1': b", (2, 1), "duplicate key '1'", "first on line 1"),
    ("a: &x [*x]", (1, 4), "an alias stands inside the node that it names", ""),
    ("é: \x01", (1, 4), "control characters", ""),
    ("é: 1\na: \ud800", (2, 4), "not valid Unicode", ""),
    ("a: {x: 1", (2, 1), "that begins on line 1", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_a_trap_is_named_where_it_is(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    ((line, column, found, helps),) = problems(text)
    assert (line, column) == place
    assert message in found
    assert hint in helps


@pytest.mark.parametrize(
    "text",
    [
        "a: '{id}' # {b}",
        "a: x{id}   # a comment with {braces}",
        "a: the dog's life # a comment (an aside)",
        "a: {x: null, y: ~, z: ''}",
        "a: {x: f(1), y: g('(')}",
        'a: {"key?": 1, "L": "map(0=a, 1=b)"}',
        "a:\n  key?: 1",
        "a: f(x, y)",
        "a: x#y",
        "a: ':('",
        "a:\nb: {}",
        "a: |\n  {x # y",
    ],
)
def test_what_is_meant_as_it_stands_is_no_trap(text: str) -> None:
    load(text, "s")


def test_all_problems_are_gathered_in_order() -> None:
    found = problems("b: {name}\na: 1\na: !x 2\nc: {k?: 1}\n")
    assert [(line, column) for line, column, _, _ in found] == [(1, 4), (3, 1), (3, 4), (4, 5)]


# ---- bounds


@pytest.mark.parametrize("piece", ["[", "- ", "{a: ", "? ", "{a: x (,"])
def test_deep_nesting_is_refused_and_harmless(piece: str) -> None:
    assert "nested more than 100 deep" in problems(piece * 200_000)[0][2]
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        load_plain_12(piece * 200_000)


def test_depth_is_counted_through_aliases() -> None:
    shallow = "[" * 98 + "1" + "]" * 98
    load(f"a: &x {shallow}\nb: *x", "s")
    assert "its aliases followed" in problems(f"a: &x {shallow}\nb: [*x]")[0][2]
    chain = "\n".join(["- &a0 [x]", *(f"- &a{i} [*a{i - 1}]" for i in range(1, 150))])
    assert "its aliases followed" in problems(chain)[0][2]


def test_aliases_that_explode_are_refused() -> None:
    laughs = "\n".join(["- &a0 [x]", *(f"- &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))])
    assert "expand to more than" in problems(laughs)[0][2]
    with pytest.raises(ValueError, match="expand to more than"):
        load_plain_12(laughs)


# ---- data files


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb:\n  c: 1\n  c: 2", "line 4, column 3: duplicate key 'c', first on line 3"),
        (b"1: a\n0x1: b", "line 2, column 1: duplicate key 1"),
        (b"1: a\ntrue: b", "line 2, column 1: duplicate key True"),  # a dict cannot hold both
        (b"a: !!set {b}", "line 1, column 4: the tag !!set is not allowed"),
        (b"a: !!python/object/apply:os.system [x]", "line 1, column 4: the tag"),
        (b"<<: {}", "line 1, column 1: '<<'"),
        (b"[a]: 1", "line 1, column 1: a key is a list or mapping"),
        (b"a: \xff", "line 1, column 4: "),
        (b"a: [1", "line 2, column 1: not YAML.*expected ',' or ']'"),
    ],
)
def test_data_is_refused_with_line_and_column(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_plain_12(data)


def test_data_in_utf_16_and_windows_line_ends() -> None:
    assert load_plain_12("names:\r\n  0: é\r\n".encode("utf-16")) == {"names": {0: "é"}}


# `1e3` and `08` are text in 1.1 and numbers in 1.2, so a writer of 1.1 does not quote them
_TEXT = st.text(max_size=8).filter(lambda text: isinstance(yaml_core.core_scalar(text), str))
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(_DATA, st.sampled_from([None, True, False]))
@settings(deadline=None)
def test_what_another_writer_writes_is_read(data: object, flow: bool | None) -> None:
    assert load_plain_12(yaml.safe_dump(data, default_flow_style=flow)) == data


@given(st.text(alphabet="ab:-?#&*!|>'\"%@`{}[], \n\t\r0.~<\ufeff\x85\x00é", max_size=30) | st.text(max_size=20))
@settings(deadline=None)
@example("\ud800")
@example("%YAML 1.3\n---\n")
@example("%TAG ! tag:x,2000:\n--- !y z")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = load(text, "s")
    except SpecError as error:
        assert all(problem.place and problem.place.line >= 1 for problem in error.problems)
    else:
        assert isinstance(node, Node)
        to_plain(node)
    try:
        load_plain_12(text)
    except ValueError as error:
        assert str(error).startswith("line ")


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        load_plain_12(data)
    except ValueError as error:
        assert str(error).startswith("line ")


def test_without_libyaml_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    module_spec = importlib.util.spec_from_file_location("slow_yaml_core", yaml_core.__file__)
    assert module_spec is not None
    assert module_spec.loader is not None
    slow = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(slow)

    def shape(node: Any) -> Any:
        inner = [shape(child) for child in yaml_core.children(node)]
        return (node.tag, node.start_mark.line, node.start_mark.column, inner or node.value)

    assert shape(slow.compose(SPEC)) == shape(yaml_core.compose(SPEC))
    with pytest.raises(slow.YamlError, match="nested more than 100 deep"):
        slow.compose("[" * 500)
    with pytest.raises(slow.YamlError) as caught:
        slow.compose("é: \x01")
    assert (caught.value.line, caught.value.column) == (1, 4)


# ---- errors


def test_a_problem_is_rendered_on_one_line() -> None:
    problem = Problem("unknown key 'pth'", Place("s.yaml", 3, 5), "a role's word", "did you mean 'path'?")
    assert str(problem) == "s.yaml:3:5: unknown key 'pth'; expected a role's word; did you mean 'path'?"
    assert str(SpecError([problem, Problem("no files", None)])) == f"{problem}\nno files"


def test_a_spec_error_survives_pickling() -> None:
    error = SpecError([Problem("m", Place("f", 1, 2))])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_suggestions() -> None:
    known = ["path", "lines", "pixels", "image"]
    assert nearest("Pahts", known) == "path"
    assert nearest("zzz", known) is None
    assert suggest("pixel", known) == "did you mean 'pixels'?"
    assert suggest("zzz", known) == "one of: path, lines, pixels, image"
    assert suggest("zzz", map(str, range(20))) == "one of: 0, 1, 2, 3, 4, 5, 6, 7, …"
    assert suggest("zzz", []) == ""
