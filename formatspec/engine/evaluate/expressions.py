"""Compiles expressions to functions of a write context."""

from __future__ import annotations

from collections.abc import Callable

from formatspec.engine.evaluate.value_source import evaluator
from formatspec.engine.evaluate.write_context import Getter, WriteContext, WriteScope
from formatspec.engine.resolve.scope import Scope
from formatspec.language import expression
from formatspec.language.errors import Place
from formatspec.language.expression import Expression, ExpressionError, UnknownNameError
from formatspec.language.rules import problem


def compiled(value: Expression, scope: Scope, place: Place) -> Callable[[WriteContext], object]:
    """Compile an expression to a function of a context; an error while it runs gives no value."""
    return _total(expression.compile_expression, value, scope, place)


def condition(value: Expression, scope: Scope, place: Place) -> Callable[[WriteContext], object]:
    """Compile an expression to a test of a context; an error while it runs gives False."""
    return _total(expression.compile_condition, value, scope, place)


def _total(
    compile_it: Callable[..., Getter], value: Expression, scope: Scope, place: Place
) -> Callable[[WriteContext], object]:
    try:
        run = compile_it(value, WriteScope(scope))
    except UnknownNameError as error:
        scope.resolve(error.name, place)
        raise problem(f"{error.name!r} has no value here", place) from None

    quick = evaluator(value, scope, compile_it is expression.compile_condition)
    if quick is not None:
        return quick

    def evaluate(context: WriteContext) -> object:
        try:
            return run(context)
        except ExpressionError:
            return None

    return evaluate
