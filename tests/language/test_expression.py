"""Expressions: what they mean (expressions.yaml), that printing undoes parsing, and what can be raised."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formatspec.language import expression as ex
from formatspec.language.functions import AGGREGATES, FUNCTIONS, palette
from formatspec.language.values import OPERATORS, add, differ, equal, truth
from formatspec.language.yaml_source import load_plain_12

CASES: Any = load_plain_12((Path(__file__).parent / "expressions.yaml").read_bytes())


class Rows:
    """A scope over mappings: a list of mappings is a table; a name that no row has is unknown."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def _found(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows if name in row]

    def value(self, name: str) -> ex.Getter:
        if not self._found(name):
            raise ex.UnknownNameError(name)
        return lambda row: row.get(name)

    def counts_zero(self, name: str) -> bool:
        return name.endswith("id")

    def table(self, name: str) -> tuple[Callable[[Any], Iterable[Any]], ex.NameScope] | None:
        found = self._found(name)
        if not found or not all(isinstance(rows, list) and all(isinstance(r, dict) for r in rows) for rows in found):
            return None
        return (lambda row: row[name]), Rows([row for rows in found for row in rows])


def evaluate(text: str, names: dict[str, Any]) -> object:
    return ex.compile_expression(ex.parse(text), Rows([names]))(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_case(case: dict[str, Any]) -> None:
    text, names = case["expression"], case.get("with", {})
    if "gives" in case:
        value = evaluate(text, names)
        assert (type(value), repr(value)) == (type(case["gives"]), repr(case["gives"]))
    elif "fails" in case:
        with pytest.raises(ex.ExpressionError, match=case["fails"]):
            evaluate(text, names)
    elif "unknown" in case:
        with pytest.raises(ex.UnknownNameError) as unknown:
            evaluate(text, names)
        assert unknown.value.name == case["unknown"]
    else:
        with pytest.raises(ex.ExpressionSyntaxError) as unreadable:
            ex.parse(text)
        assert unreadable.value.column == case["unreadable"]


def test_every_function_and_operator_has_a_case() -> None:
    texts = " ".join(case["expression"] for case in CASES)
    assert not [name for name in FUNCTIONS if f"{name}(" not in texts]
    assert not [symbol for symbol in OPERATORS if f" {symbol} " not in texts]
    assert len(CASES) >= 80


# ---- trees

_NAMES = st.sampled_from(["n", "t", "list", "nothing", "category.id", "m", "deep.er.name", "region"])
_TABLES = st.sampled_from(["rows", "rows.x"])
_LITERALS = st.builds(
    ex.Literal,
    st.none()
    | st.booleans()
    | st.integers(0, 2**63)
    | st.integers(0, 3)
    | st.floats(0, allow_infinity=False).map(abs)
    | st.text(max_size=5),
)
_BINARY = sorted({*OPERATORS, "and", "or"})


def _calls(inner: st.SearchStrategy[ex.Expression]) -> st.SearchStrategy[ex.Expression]:
    def call(name: str) -> st.SearchStrategy[ex.Expression]:
        function = FUNCTIONS[name]
        most = function.most or function.least + 2
        arguments = st.lists(inner, min_size=function.least, max_size=most).map(tuple)
        return st.builds(ex.Call, st.just(name), arguments)

    terms = st.builds(ex.RowsOf, _TABLES, inner)
    over_rows = st.builds(ex.Call, st.sampled_from(sorted(AGGREGATES)), st.tuples(terms))
    return st.sampled_from(sorted(FUNCTIONS)).flatmap(call) | over_rows


def _composed(inner: st.SearchStrategy[ex.Expression]) -> st.SearchStrategy[ex.Expression]:
    return (
        st.builds(ex.Binary, st.sampled_from(_BINARY), inner, inner)
        | st.builds(ex.Unary, st.sampled_from(["not", "-"]), inner)
        | st.builds(ex.Conditional, inner, inner, inner)
        | st.builds(ex.Subscript, inner, inner)
        | st.lists(inner, max_size=3).map(lambda items: ex.ListOf(tuple(items)))
        | _calls(inner)
    )


TREES: st.SearchStrategy[ex.Expression] = st.recursive(_LITERALS | st.builds(ex.Name, _NAMES), _composed, max_leaves=12)


@given(TREES)
@settings(deadline=None)
def test_printing_undoes_parsing(tree: ex.Expression) -> None:
    assert ex.parse(ex.format(tree)) == tree


@given(TREES)
@settings(deadline=None)
def test_a_printed_expression_prints_the_same(tree: ex.Expression) -> None:
    text = ex.format(tree)
    assert ex.format(ex.parse(text)) == text


_WORLD: dict[str, Any] = {
    "n": 2**63,
    "t": "text",
    "list": [1, None, "a", 2.5, [True]],
    "nothing": None,
    "category.id": 3,
    "m": {"k": [1], "a": None},
    "deep.er.name": float("nan"),
    "region": object(),
}
_WORLD["rows"] = [{**_WORLD, "x": 1, "rows": []}, {**_WORLD, "x": None, "n": float("inf"), "rows": []}]
_WORLD["rows"][0]["rows"] = [{**_WORLD, "rows": [], "x": "y"}]


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_evaluation_raises_expression_errors_only(tree: ex.Expression) -> None:
    try:
        get = ex.compile_expression(tree, Rows([_WORLD]))
    except (ex.UnknownNameError, ex.ExpressionError):
        return  # rows nested deeper than the world is
    try:
        value = get(_WORLD)
    except ex.ExpressionError:
        return
    if isinstance(value, int):
        assert abs(value) <= 2**63


_PIECES = st.sampled_from(
    (
        *"a[](),1'\"\\.-#é\n²",
        "count(",
        "sum(",
        " where ",
        " if ",
        " else ",
        "not ",
        " in ",
        "1e9",
        "==",
        " < ",
        "null",
    )
)


@given(st.text(max_size=40) | st.lists(_PIECES, max_size=30).map("".join))
@settings(deadline=None)
@example("(" * 2000)
@example("not " * 500)
@example("-" * 2000)
@example("[" * 2000)
@example("a" + "[0" * 900)
@example("1" + "+1" * 900)
@example("9" * 2000)
@example("x" * 2001)
@example("\ud800")
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        tree = ex.parse(text)
    except ex.ExpressionSyntaxError as error:
        assert 0 <= error.column <= len(text)
        assert str(error).startswith(error.message)
    else:
        assert ex.parse(ex.format(tree)) == tree


@given(TREES)
@settings(deadline=None)
def test_names_are_those_that_the_scope_is_asked_for(tree: ex.Expression) -> None:
    asked: set[str] = set()

    class Anything:
        def value(self, name: str) -> ex.Getter:
            asked.add(name)
            return lambda _: None

        def counts_zero(self, name: str) -> bool:
            return False

        def table(self, name: str) -> tuple[Callable[[Any], Iterable[Any]], ex.NameScope] | None:
            if not name.startswith("rows"):
                return None
            asked.add(name)
            return (lambda _: ()), Rows([_WORLD])

    try:
        ex.compile_expression(tree, Anything())
    except (ex.ExpressionError, ex.UnknownNameError):
        assert asked <= ex.names(tree)
    else:
        assert asked == ex.names(tree)


# ---- examples


def test_names_leave_out_what_stands_inside_where() -> None:
    tree = ex.parse("a.b + count(objects where level > 1) + sum(children.area) if c else f[0]")
    assert ex.names(tree) == {"a.b", "objects", "children.area", "c", "f"}


def test_parentheses_only_where_needed() -> None:
    assert ex.format(ex.parse("((a + (b * c))) - (d - e) if (not (x == y)) else ((z))[0]")) == (
        "a + b * c - (d - e) if not x == y else z[0]"
    )


@pytest.mark.parametrize(
    ("text", "depth"), [("(" * 39 + "1" + ")" * 39, 40), ("1" + " + 1" * 39, 40), ("a" + "[0]" * 39, 40)]
)
def test_nesting_is_bounded(text: str, depth: int) -> None:
    ex.parse(text)
    deeper = {"(": f"({text})", "1": f"{text} + 1", "a": f"{text}[0]"}[text[0]]
    with pytest.raises(ex.ExpressionSyntaxError, match=f"more than {depth} deep"):
        ex.parse(deeper)


def test_a_syntax_error_suggests() -> None:
    with pytest.raises(ex.ExpressionSyntaxError) as caught:
        ex.parse("1 + cout(objects)")
    assert caught.value.column == 4
    assert caught.value.expected == "a function; did you mean 'count'?"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_texts_are_bounded() -> None:
    with pytest.raises(ex.ExpressionError, match="longer than"):
        add("a" * 600_000, "a" * 600_000)


def test_objects_are_true_through_bool_and_equal_only_their_kind() -> None:
    class Region:
        def __bool__(self) -> bool:
            return False

    assert not truth(Region())
    assert truth(object())
    region = Region()
    assert equal([region], (region,))
    assert not equal(region, Region())


def test_literals_of_different_types_differ() -> None:
    assert len({ex.Literal(1), ex.Literal(1.0), ex.Literal(True), ex.Literal("1"), ex.Literal(None)}) == 5


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=1), inner, max_size=2),
    max_leaves=6,
)


@given(_VALUES, _VALUES)
def test_equality_is_symmetric_and_agrees_with_unique(left: object, right: object) -> None:
    assert equal(left, right) == equal(right, left) != differ(left, right)
    if equal(left, left) and equal(right, right):  # nan is not itself
        assert len(FUNCTIONS["unique"].call([left, right])) == (1 if equal(left, right) else 2)


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1))
def test_palette_gives_every_index_its_own_colour(one: int, other: int) -> None:
    assert (palette(one) == palette(other)) == (one == other)
    assert all(0 <= channel <= 255 for channel in palette(one))
