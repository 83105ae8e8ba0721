"""The functions of the expression language: pure and total (they return a value or raise ExpressionError).

Null follows one rule. An aggregate (count, sum, min, max, any, all) takes null as the empty list. Any other function of
null is null, except join, which skips it, and if_null. A null among the values of sum, min and max makes the result
null, as in arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cmp_to_key, partial

import msgspec

from formatspec.language.values import (
    LIST_LIMIT,
    ExpressionError,
    add,
    bounded,
    bounded_list,
    bounded_text,
    calculate,
    is_number,
    kind,
    less,
    truth,
    weight,
)
from formatspec.model.plain.decimals import read_decimal, spell_decimal
from formatspec.pixels.palettes import palette_color


class Function(msgspec.Struct, frozen=True):
    """A function: how many arguments it takes (`most` None: any number), what it computes, and one line of help."""

    name: str
    least: int
    most: int | None
    call: Callable[..., object]
    doc: str


def _items(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return value
    raise ExpressionError(f"expected a list, got {kind(value)}")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ExpressionError(f"expected text, got {kind(value)}")


def _strict(call: Callable[..., object]) -> Callable[..., object]:
    """Return a function that returns null if one of its arguments is null."""

    def apply(*arguments: object) -> object:
        return None if any(argument is None for argument in arguments) else call(*arguments)

    return apply


def _count(value: object) -> int:
    return len(value) if isinstance(value, Mapping) else len(_items(value))


def _sum(value: object) -> object:
    total: object = 0
    for item in _items(value):
        total = add(total, item)
    return total


def _extreme(better: Callable[[object, object], bool], *arguments: object) -> object:
    values = _items(arguments[0]) if len(arguments) == 1 else arguments
    if not values or any(value is None for value in values):
        return None
    best = values[0]
    better(best, best)  # refuses a value without an order, even a single one
    for value in values[1:]:
        if better(value, best):
            best = value
    return best


def _greater(left: object, right: object) -> bool:
    return less(right, left)


def _any(value: object) -> bool:
    return any(map(truth, _items(value)))


def _all(value: object) -> bool:
    return all(map(truth, _items(value)))


def _numeric(call: Callable[..., float], value: object, *more: object) -> object:
    if not is_number(value):
        raise ExpressionError(f"expected a number, got {kind(value)}")
    try:
        return calculate(call, value, *more)
    except ExpressionError:
        raise
    except ValueError as error:  # the floor of nan
        raise ExpressionError("the result is not a finite number") from error


def _round(value: object, digits: object = 0) -> object:
    if not isinstance(digits, int) or isinstance(digits, bool) or not -20 <= digits <= 20:
        raise ExpressionError("round takes between -20 and 20 digits")
    return _numeric(round, value, digits) if digits else _numeric(round, value)


def _len(value: object) -> int:
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise ExpressionError(f"{kind(value)} has no length")


def _join(*parts: object) -> str:
    return bounded_text("/".join(text for part in parts if part is not None and (text := _text(part))))


def _concat(*parts: object) -> object:
    if all(isinstance(part, str) for part in parts):
        return bounded_text("".join(map(_text, parts)))
    return bounded_list([item for part in parts for item in _items(part)])


def _longest(value: object) -> object:
    return max(_items(value), key=_len, default=None)


def _repeat(value: object, times: object) -> list[object]:
    if not isinstance(times, int) or isinstance(times, bool) or not 0 <= times <= LIST_LIMIT:
        raise ExpressionError(f"repeat takes a whole number from 0 to {LIST_LIMIT}")
    if times * weight(value) > LIST_LIMIT:
        raise ExpressionError(f"the list holds more than {LIST_LIMIT} values, those of lists in it counted")
    return [value] * times


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(bounded(value))
    if isinstance(value, float):
        return spell_decimal(value)
    raise ExpressionError(f"{kind(value)} cannot be written as text")


def _as_number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _text(value)
    found = read_decimal(text)
    if found is not None:
        return bounded(found)
    raise ExpressionError(f"'{text[:40]}' is not a number")


def _one_or_many(value: object) -> object:
    if not isinstance(value, list | tuple):
        return value
    return value[0] if len(value) == 1 else list(value)


def _first(value: object) -> object:
    items = _items(value)
    return items[0] if items else None


def _last(value: object) -> object:
    items = _items(value)
    return items[-1] if items else None


def _compare(left: object, right: object) -> int:
    return less(right, left) - less(left, right)


def _sorted(value: object) -> list[object]:
    items = _items(value)
    if any(item is None for item in items):
        raise ExpressionError("null has no order")
    if len(items) == 1:
        less(items[0], items[0])
    return sorted(items, key=cmp_to_key(_compare))


def _identity(value: object) -> Hashable:
    """Return a key that is equal for equal values (`values.equal`), so that many values are compared in one pass."""
    if isinstance(value, list | tuple):
        return ("a list", tuple(map(_identity, value)))
    if isinstance(value, Mapping):
        return ("a mapping", frozenset((key, _identity(item)) for key, item in value.items()))
    if isinstance(value, Hashable):
        name = kind(value)
        return (type(value) if name == "an object" else name, value)
    raise ExpressionError("objects of this kind cannot be told apart")


def _unique(value: object) -> list[object]:
    found: dict[Hashable, object] = {}
    for item in _items(value):
        found.setdefault(_identity(item), item)
    return list(found.values())


def _basename(path: object) -> str:
    return _text(path).rpartition("/")[2]


def _stem(path: object) -> str:
    name = _basename(path)
    return name.rpartition(".")[0] or name


def _dirname(path: object) -> str:
    return _text(path).rpartition("/")[0]


def _if_null(value: object, otherwise: object) -> object:
    return otherwise if value is None else value


def palette(index: object) -> list[int]:
    """The colour [red, green, blue] of an index, in the colour map that indexed label images use.

    The bits of the index are dealt to the three channels in turn, from the highest bit of each channel down. Channels
    are 0 to 255. The first 256 colours are the palette of many indexed label images.

    Raises:
        ExpressionError: The index is no whole number from 0 to 2**24 - 1.
    """
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 2**24:
        raise ExpressionError("palette takes a whole number from 0 to 16777215")
    return list(palette_color(index))


def _lower(value: object) -> str:
    return bounded_text(_text(value).lower())


def _upper(value: object) -> str:
    return bounded_text(_text(value).upper())


FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("count", 1, 1, _count, "how many rows a table or values a list or mapping has; 0 for null"),
        Function("sum", 1, 1, _sum, "the sum of a list of numbers; 0 for none"),
        Function("min", 1, None, partial(_extreme, less), "the least of a list or of the arguments"),
        Function("max", 1, None, partial(_extreme, _greater), "the greatest of a list or of the arguments"),
        Function("any", 1, 1, _any, "whether one value of a list, or one row of a table, holds"),
        Function("all", 1, 1, _all, "whether all values of a list, or all rows of a table, hold"),
        Function("abs", 1, 1, _strict(partial(_numeric, abs)), "the number without its sign"),
        Function("round", 1, 2, _strict(_round), "the nearest whole number, halves to even; or to so many digits"),
        Function("floor", 1, 1, _strict(partial(_numeric, math.floor)), "the whole number at or below"),
        Function("ceil", 1, 1, _strict(partial(_numeric, math.ceil)), "the whole number at or above"),
        Function("len", 1, 1, _strict(_len), "the length of a text, list or mapping"),
        Function("join", 1, None, _join, "the parts that are neither null nor empty, with '/' between"),
        Function("concat", 1, None, _strict(_concat), "texts or lists, one after the other"),
        Function("longest", 1, 1, _strict(_longest), "the longest of a list of lists or texts; null if it has none"),
        Function("repeat", 2, 2, _strict(_repeat), "a list that holds the first argument as often as the second says"),
        Function("lower", 1, 1, _strict(_lower), "the text in lower case"),
        Function("upper", 1, 1, _strict(_upper), "the text in upper case"),
        Function("text", 1, 1, _strict(_as_text), "a number or boolean as text"),
        Function("number", 1, 1, _strict(_as_number), "the number that a text spells"),
        Function("one_or_many", 1, 1, _one_or_many, "the value of a list of one; any other list as it is"),
        Function("first", 1, 1, _first, "the first value of a list; null if it has none"),
        Function("last", 1, 1, _last, "the last value of a list; null if it has none"),
        Function("sorted", 1, 1, _strict(_sorted), "a list of numbers or of texts in ascending order"),
        Function("unique", 1, 1, _strict(_unique), "each value of a list once, in order of first appearance"),
        Function("basename", 1, 1, _strict(_basename), "what follows the last '/' of a path"),
        Function("stem", 1, 1, _strict(_stem), "the basename without its last extension"),
        Function("dirname", 1, 1, _strict(_dirname), "what precedes the last '/' of a path; '' without one"),
        Function("if_null", 2, 2, _if_null, "the first argument, or the second where the first is null"),
        Function("palette", 1, 1, _strict(palette), "the bit-spread colour [r, g, b] of an index"),
    )
}

AGGREGATES = frozenset({"count", "sum", "min", "max", "any", "all"})
"""The functions whose only argument may be a table, or a table with a condition."""
