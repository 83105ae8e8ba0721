"""The closed, total expression language of specs: names resolved by a scope, compiled to closures.

There is no attribute access to Python and no evaluation of text. A dotted name is one name, and the scope
alone says what it means. The grammar is in `syntax.py`, what the operators mean in `values.py`, the functions
in `functions.py`. `and`, `or` and `not` give booleans; `and`, `or` and `if` evaluate only what decides.

Over a table, `count` counts rows, `any` asks whether one row fulfils the condition and `all` whether every
row does; `sum`, `min` and `max` need the values of a slot: `sum(objects.area where single)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from formatspec.language.functions import AGGREGATES, FUNCTIONS
from formatspec.language.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    ExpressionSyntaxError,
    ListOf,
    Literal,
    Name,
    RowsOf,
    Subscript,
    Unary,
    children,
    format,
    parse,
)
from formatspec.language.values import OPERATORS, ExpressionError, bounded_list, element, negative, stated, truth

__all__ = [
    "Binary",
    "Call",
    "Conditional",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "Getter",
    "ListOf",
    "Literal",
    "Name",
    "NameScope",
    "RowsOf",
    "Subscript",
    "Unary",
    "UnknownNameError",
    "asks_options",
    "compile_condition",
    "compile_expression",
    "format",
    "names",
    "parse",
    "parts_of",
]

ROWS_LIMIT = 50_000_000
"""How many rows one evaluation may visit when tables are nested within conditions on other tables."""

Getter: TypeAlias = Callable[[Any], object]


class UnknownNameError(LookupError):
    """The scope does not know a name."""

    def __init__(self, name: str) -> None:
        """Take the name that has no meaning."""
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        """Return a sentence about the unknown name."""
        return f"unknown name '{self.name}'"


class NameScope(Protocol):
    """The meaning of names at the place of an expression."""

    def value(self, name: str) -> Getter:
        """Return a function that gets the value of a dotted name from a context. Raises UnknownNameError."""
        ...

    def counts_zero(self, name: str) -> bool:
        """Return whether 0 is an ordinary value of a slot, so that the slot alone is true for 0 too."""
        ...

    def table(self, name: str) -> tuple[Callable[[Any], Iterable[Any]], NameScope] | None:
        """Return how to get the contexts of a table's rows, and the scope inside it; None if it is no table."""
        ...


def names(expression: Expression) -> frozenset[str]:
    """Return the names and tables that an expression takes from its own scope, without those inside `where`."""
    found: set[str] = set()
    todo: list[Expression | RowsOf] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, Name):
            found.add(node.name)
        elif isinstance(node, RowsOf):
            found.add(node.table)
        else:
            todo.extend(children(node))
    return frozenset(found)


def parts_of(expression: Expression | RowsOf) -> Iterator[Expression | RowsOf]:
    """Yield an expression and all expressions in it, at any depth, also those inside `where`."""
    yield expression
    for part in children(expression):
        yield from parts_of(part)


def asks_options(expression: Expression | None) -> bool:
    """Return whether an option stands anywhere in an expression."""
    parts = () if expression is None else parts_of(expression)
    return any(isinstance(one, Name) and one.name.startswith("option.") for one in parts)


def compile_expression(expression: Expression, scope: NameScope) -> Getter:
    """Compile an expression to a closure over contexts of `scope`; names are resolved once, now.

    Raises:
        UnknownNameError: The scope does not know a name.
        ExpressionError: sum, min or max of a table has no slot. The closure raises it too, besides what the scope's own
            getters raise.
    """
    match expression:
        case Literal(value):
            return lambda context: value
        case Name(name):
            return scope.value(name)
        case ListOf(items):
            getters = tuple(compile_expression(item, scope) for item in items)
            return lambda context: bounded_list([get(context) for get in getters])
        case Unary(operator, operand):
            if operator == "not":
                fails = compile_condition(operand, scope)
                return lambda context: not fails(context)
            inner = compile_expression(operand, scope)
            return lambda context: negative(inner(context))
        case Binary(operator, left, right):
            return _binary(operator, left, right, scope)
        case Conditional(condition, then, otherwise):
            test = compile_condition(condition, scope)
            yes, no = (compile_expression(part, scope) for part in (then, otherwise))
            return lambda context: yes(context) if test(context) else no(context)
        case Subscript(target, at):
            whole, position = compile_expression(target, scope), compile_expression(at, scope)
            return lambda context: element(whole(context), position(context))
        case Call(function, arguments):
            return _call(function, arguments, scope)


def compile_condition(expression: Expression, scope: NameScope) -> Callable[[Any], bool]:
    """Compile an expression to a closure that gives its truth; raises as `compile_expression` does.

    A slot alone is true if it has a value; 0 counts as a value if the scope says so.
    """
    get = compile_expression(expression, scope)
    holds = stated if isinstance(expression, Name) and scope.counts_zero(expression.name) else truth
    return lambda context: holds(get(context))


def _binary(operator: str, left: Expression, right: Expression, scope: NameScope) -> Getter:
    if operator in ("and", "or"):
        first, second = compile_condition(left, scope), compile_condition(right, scope)
        if operator == "and":
            return lambda context: first(context) and second(context)
        return lambda context: first(context) or second(context)
    apply, one, other = OPERATORS[operator], compile_expression(left, scope), compile_expression(right, scope)
    return lambda context: apply(one(context), other(context))


def _call(function: str, arguments: tuple[Expression | RowsOf, ...], scope: NameScope) -> Getter:
    apply = FUNCTIONS[function].call
    only = arguments[0] if len(arguments) == 1 else None
    if isinstance(only, RowsOf):
        return _over_rows(function, only, scope)
    if function in AGGREGATES and isinstance(only, Name) and scope.table(only.name) is not None:
        return _over_rows(function, RowsOf(only.name, Literal(True)), scope)
    getters = tuple(compile_expression(item, scope) for item in arguments if not isinstance(item, RowsOf))
    if len(getters) == 1:
        (get,) = getters
        return lambda context: apply(get(context))
    return lambda context: apply(*[get(context) for get in getters])


def _has_rows(expression: Expression) -> bool:
    """Return whether an expression visits the rows of a table."""
    todo: list[Expression | RowsOf] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, RowsOf) or (isinstance(node, Call) and node.function in AGGREGATES):
            return True
        todo.extend(children(node))
    return False


class _Visits:
    """How many rows one evaluation has visited, for conditions that visit rows themselves."""

    depth = 0
    spent = 0


def _counted(rows: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Iterable[Any]]:
    """Return the rows of a table whose condition visits other rows; refuses to go on after too many visits."""

    def visit(context: Any) -> Iterable[Any]:
        if not _Visits.depth:
            _Visits.spent = 0
        _Visits.depth += 1
        try:
            found = list(rows(context))
            for row in found:
                _Visits.spent += len(found)  # the rows inside are about as many
                if _Visits.spent > ROWS_LIMIT:
                    raise ExpressionError(f"more than {ROWS_LIMIT:,} rows are gone over, one table within another")
                yield row
        finally:
            _Visits.depth -= 1

    return visit


def _over_rows(function: str, term: RowsOf, scope: NameScope) -> Getter:
    table, slot = term.table, ""
    while (found := scope.table(table)) is None:
        table, dot, tail = table.rpartition(".")
        if not dot:
            raise UnknownNameError(term.table)
        slot = f"{tail}.{slot}" if slot else tail
    rows, inner = found
    if _has_rows(term.condition):
        rows = _counted(rows)
    holds = compile_condition(term.condition, inner)
    apply = FUNCTIONS[function].call
    if slot:
        get = inner.value(slot)
        return lambda context: apply([get(row) for row in rows(context) if holds(row)])
    if function == "count":
        return lambda context: sum(1 for row in rows(context) if holds(row))
    if function in ("any", "all"):
        quantify = any if function == "any" else all
        return lambda context: quantify(holds(row) for row in rows(context))
    raise ExpressionError(f"{function} needs the values of a slot, as in {function}({table}.SLOT where …)")


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """Yield the terms that `and` joins."""
    if isinstance(expression, Binary) and expression.operator == "and":
        yield from conjuncts(expression.left)
        yield from conjuncts(expression.right)
    else:
        yield expression
