"""The values of the expression language and what its operators mean.

Values are null (None), booleans, numbers (int and float), text, lists (list or tuple), mappings, and opaque
objects of the model, which can only be tested for truth and compared with their own kind. Every operation is
total: it returns a value or raises ExpressionError.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

INTEGER_LIMIT = 2**63
TEXT_LIMIT = 1_000_000
LIST_LIMIT = 1_000_000
_PLAIN = (int, str)
"""Types whose values are compared as in Python."""


class ExpressionError(ValueError):
    """An operation of the expression language is not defined for a value."""


def is_number(value: object) -> bool:
    """Return whether a value is an int or a float; a boolean is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind(value: object) -> str:
    """Return what a value is, in the words of error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    return "an object"


def truth(value: object) -> bool:
    """Return False for null, false, 0, empty text, list and mapping; objects decide by bool()."""
    try:
        return bool(value)
    except (TypeError, ValueError) as error:
        raise ExpressionError(f"{kind(value)} is neither true nor false") from error


def stated(value: object) -> bool:
    """Return whether a slot has a value, for slots such as ids whose 0 counts as one."""
    return is_number(value) or truth(value)


def equal(left: object, right: object) -> bool:
    """Compare strictly: numbers by value; booleans, text and null equal only their own kind."""
    if type(left) is type(right) and type(left) in _PLAIN:
        return left == right
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if is_number(left) or is_number(right):
        return is_number(left) and is_number(right) and left == right
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str) and left == right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(k in right and equal(v, right[k]) for k, v in left.items())
    return type(left) is type(right) and truth(left == right)


def differ(left: object, right: object) -> bool:
    """Return the negation of `equal`."""
    return not equal(left, right)


def bounded(value: float) -> float:
    """Return the number. Raises ExpressionError for an integer beyond ±2**63, and for inf and nan."""
    if isinstance(value, int):
        if abs(value) > INTEGER_LIMIT:
            raise ExpressionError("the result is larger than 2**63")
    elif not math.isfinite(value):
        raise ExpressionError("the result is not a finite number")
    return value


def bounded_text(value: str) -> str:
    """Return the text. Raises ExpressionError beyond 1,000,000 characters."""
    if len(value) > TEXT_LIMIT:
        raise ExpressionError(f"the text is longer than {TEXT_LIMIT} characters")
    return value


def weight(value: object) -> int:
    """Return how many values a value holds, including nested ones: the cost of comparing or printing it."""
    todo, found = [value], 0
    while todo and found <= LIST_LIMIT:
        one = todo.pop()
        found += 1
        if isinstance(one, list | tuple):
            todo.extend(one)
        elif isinstance(one, Mapping):
            todo.extend(one.values())
    return found


def bounded_list(value: list[object]) -> list[object]:
    """Return the list. Raises ExpressionError if it holds more than 1,000,000 values, including nested ones."""
    if len(value) > LIST_LIMIT or (any(isinstance(one, list | tuple) for one in value) and weight(value) > LIST_LIMIT):
        raise ExpressionError(f"the list holds more than {LIST_LIMIT} values, those of lists in it counted")
    return value


def calculate(call: Callable[..., float], *numbers: object) -> float:
    """Return a bounded result of arithmetic; overflow and division by zero raise ExpressionError."""
    try:
        return bounded(call(*numbers))
    except ZeroDivisionError as error:
        raise ExpressionError("division by zero") from error
    except OverflowError as error:
        raise ExpressionError("the number is too large") from error


def _arithmetic(symbol: str, call: Callable[..., float]) -> Callable[[object, object], object]:
    def apply(left: object, right: object) -> object:
        if left is None or right is None:
            return None
        if is_number(left) and is_number(right):
            return calculate(call, left, right)
        if symbol == "+" and isinstance(left, str) and isinstance(right, str):
            return bounded_text(left + right)
        raise ExpressionError(f"'{symbol}' is not defined for {kind(left)} and {kind(right)}")

    return apply


def _ordering(symbol: str, call: Callable[..., bool]) -> Callable[[object, object], bool]:
    def apply(left: object, right: object) -> bool:
        if left is None or right is None:
            return False
        if is_number(left) and is_number(right):
            return call(left, right)
        if isinstance(left, str) and isinstance(right, str):
            return call(left, right)
        raise ExpressionError(f"'{symbol}' is not defined for {kind(left)} and {kind(right)}")

    return apply


add = _arithmetic("+", operator.add)
less = _ordering("<", operator.lt)


def negative(value: object) -> object:
    """Return -value; null stays null."""
    if value is None:
        return None
    if not is_number(value):
        raise ExpressionError(f"'-' is not defined for {kind(value)}")
    return calculate(operator.neg, value)


def contains(item: object, container: object) -> bool:
    """Return `item in container`: an element of a list, a key of a mapping, a part of a text; nothing is in null."""
    if container is None:
        return False
    if isinstance(container, list | tuple):
        return any(equal(item, element) for element in container)
    if isinstance(container, Mapping):
        return any(equal(item, key) for key in container)
    if isinstance(container, str) and (item is None or isinstance(item, str)):
        return item is not None and item in container
    raise ExpressionError(f"'in' is not defined for {kind(item)} and {kind(container)}")


def element(target: object, at: object) -> object:
    """The value of `target[at]`: an element of a list, a character of a text, or the value of a mapping's key.

    A negative index counts from the end. A key that a mapping lacks gives null, and null on either side gives null.

    Raises:
        ExpressionError: The types do not go together, or the index lies outside.
    """
    if target is None or at is None:
        return None
    if isinstance(target, list | tuple | str):
        return _at(target, at)
    if isinstance(target, Mapping) and isinstance(at, str):
        return target.get(at)
    raise ExpressionError(f"{kind(target)} cannot be indexed by {kind(at)}")


def _at(target: Sequence[object], at: object) -> object:
    if not isinstance(at, int) or isinstance(at, bool):
        raise ExpressionError(f"{kind(target)} is indexed by a whole number")
    if not -len(target) <= at < len(target):
        raise ExpressionError(f"index {bounded(at)} is outside {kind(target)} of {len(target)}")
    return target[at]


OPERATORS: Mapping[str, Callable[[object, object], object]] = {
    "+": add,
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", operator.truediv),
    "//": _arithmetic("//", operator.floordiv),
    "%": _arithmetic("%", operator.mod),
    "==": equal,
    "!=": differ,
    "<": less,
    "<=": _ordering("<=", operator.le),
    ">": _ordering(">", operator.gt),
    ">=": _ordering(">=", operator.ge),
    "in": contains,
}
