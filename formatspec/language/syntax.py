"""The syntax of the expression language: its tree, text to tree and tree to text.

    expression  := or-level ["if" or-level "else" expression]
    loosest to tightest: or · and · not · == != < <= > >= in (not chained) · + - · * / // % · unary - · x[i]
    primary     := number | 'text' | "text" | true | false | null | [a, b] | (a) | dotted.name | f(a, b)
    f's argument, for count, sum, min, max, any and all: T | T where condition | T.slot where condition

Source is at most 2000 characters and nests at most 40 deep; a chain of 40 operands nests 40 deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeAlias

import msgspec

from formatspec.language.errors import suggest
from formatspec.language.functions import AGGREGATES, FUNCTIONS
from formatspec.language.values import INTEGER_LIMIT

MAX_LENGTH = 2000
MAX_DEPTH = 40
KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "where", "true", "false", "null"})


class ExpressionSyntaxError(ValueError):
    """A text is no expression: what is wrong, at which column (from 0), and what was expected there."""

    def __init__(self, message: str, column: int, expected: str = "") -> None:
        """Take the message, the column from 0, and what was expected."""
        super().__init__(message, column, expected)
        self.message = message
        self.column = column
        self.expected = expected

    def __str__(self) -> str:
        """Return the message with the column, and what was expected."""
        return f"{self.message} at column {self.column}{f'; expected {self.expected}' if self.expected else ''}"


class Literal(msgspec.Struct, frozen=True, eq=False):
    """A constant; numbers are not negative (that is `Unary`). 1, 1.0 and true are different literals."""

    value: bool | int | float | str | None

    def __eq__(self, other: object) -> bool:
        """Return whether type and value are the same."""
        return isinstance(other, Literal) and (type(self.value), self.value) == (
            type(other.value),
            other.value,
        )

    def __hash__(self) -> int:
        """Return a hash that differs for 1, 1.0 and true."""
        return hash((type(self.value), self.value))


class ListOf(msgspec.Struct, frozen=True):
    """A list of expressions, spelled `[a, b]`."""

    items: tuple[Expression, ...]


class Name(msgspec.Struct, frozen=True):
    """A dotted name, resolved by the scope as a whole."""

    name: str


class Unary(msgspec.Struct, frozen=True):
    """An operator before an expression, spelled `not a` or `-a`."""

    operator: str
    operand: Expression


class Binary(msgspec.Struct, frozen=True):
    """`a + b`; the operator is one of those in `values.OPERATORS`, or `and`, `or`."""

    operator: str
    left: Expression
    right: Expression


class Conditional(msgspec.Struct, frozen=True):
    """One of two expressions, spelled `then if condition else otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


class Subscript(msgspec.Struct, frozen=True):
    """An element of an expression's value, spelled `target[at]`."""

    target: Expression
    at: Expression


class Call(msgspec.Struct, frozen=True):
    """A function called with arguments, spelled `function(arguments)`."""

    function: str
    arguments: tuple[Expression | RowsOf, ...]


class RowsOf(msgspec.Struct, frozen=True):
    """`table where condition`: only as the one argument of an aggregate."""

    table: str
    condition: Expression


Expression: TypeAlias = Literal | ListOf | Name | Unary | Binary | Conditional | Subscript | Call

_PRECEDENCE = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "//", "%"), 6),
}
_NOT, _COMPARISON, _MINUS, _POSTFIX = 3, 4, 7, 8
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?!\w))
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<name>[^\W\d]\w*(?:\.\w+)*)
    | (?P<symbol>==|!=|<=|>=|//|[-+*/%<>()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r"}
_OPERAND = "a value, a name, a function or '('"


class _Token(msgspec.Struct, frozen=True):
    kind: str  # number, text, name, symbol (including keywords), end
    text: str
    column: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        kind = str(match.lastgroup)
        word = match.group()
        if kind == "name" and word.partition(".")[0] in KEYWORDS:
            if word not in KEYWORDS:
                raise ExpressionSyntaxError(f"'{word}' begins with a word of the language", at, "a name")
            kind = "symbol"
        if kind != "space":
            yield _Token(kind, word, at)
        at = match.end()
    yield _Token("end", "the end", len(text))


def _unreadable(text: str, at: int) -> ExpressionSyntaxError:
    character = text[at]
    if character in "'\"":
        return ExpressionSyntaxError("a text is not closed", at, character)
    if character.isdigit():
        return ExpressionSyntaxError("not a number", at, "digits, with a point or an exponent")
    if character == "=":
        return ExpressionSyntaxError("unexpected '='", at, "'==' to compare")
    if character == "&" or character == "|":
        return ExpressionSyntaxError(f"unexpected '{character}'", at, "'and' or 'or'")
    return ExpressionSyntaxError(f"unexpected '{character}'", at)


class _Parser:
    """A recursive descent parser with precedence climbing; its only state is its position and depth."""

    def __init__(self, text: str) -> None:
        self.tokens = tuple(_tokens(text))
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def fail(self, expected: str) -> NoReturn:
        token = self.token
        if token.text == "where":
            raise ExpressionSyntaxError(
                "unexpected 'where'", token.column, f"it after a table's name in {_listed(AGGREGATES)}"
            )
        shown = "the end" if token.kind == "end" else f"'{token.text}'"
        raise ExpressionSyntaxError(f"unexpected {shown}", token.column, expected)

    def advance(self) -> _Token:
        token = self.token
        self.index += 1
        return token

    def take(self, *symbols: str) -> str | None:
        if self.token.kind == "symbol" and self.token.text in symbols:
            return self.advance().text
        return None

    def need(self, symbol: str, expected: str = "") -> None:
        if self.take(symbol) is None:
            self.fail(expected or f"'{symbol}'")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionSyntaxError(f"nested more than {MAX_DEPTH} deep", self.token.column)

    def expression(self) -> Expression:
        self.enter()
        then = self.binary(1)
        if self.take("if"):
            condition = self.binary(1)
            self.need("else")
            then = Conditional(condition, then, self.expression())
        self.depth -= 1
        return then

    def binary(self, least: int) -> Expression:
        left = self.unary(least)
        while self.token.kind == "symbol":
            symbol = self.token.text
            precedence = _PRECEDENCE.get(symbol, 0)
            if precedence < least:
                break
            self.advance()
            left = Binary(symbol, left, self.binary(precedence + 1))
            if precedence == _COMPARISON and _PRECEDENCE.get(self.token.text) == _COMPARISON:
                raise ExpressionSyntaxError("comparisons do not chain", self.token.column, "'and'")
        return left

    def unary(self, least: int) -> Expression:
        if self.token.text == "not" and self.token.kind == "symbol" and least <= _NOT:
            precedence, symbol = _NOT, self.advance().text
        elif self.take("-"):
            precedence, symbol = _MINUS, "-"
        else:
            return self.postfix()
        self.enter()
        operand = self.binary(precedence)
        self.depth -= 1
        return Unary(symbol, operand)

    def postfix(self) -> Expression:
        target = self.primary()
        while self.take("["):
            target = Subscript(target, self.expression())
            self.need("]")
        return target

    def primary(self) -> Expression:
        token = self.token
        if token.kind == "number":
            return Literal(_number(self.advance()))
        if token.kind == "text":
            return Literal(_unescaped(self.advance()))
        if token.kind == "name":
            self.advance()
            return self.call(token) if self.take("(") else Name(token.text)
        if token.kind == "symbol" and token.text in _CONSTANTS:
            return Literal(_CONSTANTS[self.advance().text])
        if self.take("["):
            return ListOf(self.sequence("]"))
        if self.take("("):
            inner = self.expression()
            self.need(")", "an operator or ')'")
            return inner
        return self.fail(_OPERAND)

    def sequence(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while self.take(end) is None:
            if items:
                self.need(",", f"an operator, ',' or '{end}'")
            items.append(self.expression())
        return tuple(items)

    def call(self, name: _Token) -> Call:
        function = FUNCTIONS.get(name.text)
        if function is None:
            raise ExpressionSyntaxError(
                f"unknown function '{name.text}'", name.column, f"a function; {suggest(name.text, FUNCTIONS)}"
            )
        if name.text in AGGREGATES and self.token.kind == "name" and self.tokens[self.index + 1].text == "where":
            table = self.advance().text
            self.need("where")
            condition = self.expression()
            self.need(")", "an operator or ')'")
            return Call(name.text, (RowsOf(table, condition),))
        arguments = self.sequence(")")
        if not function.least <= len(arguments) <= (function.most or len(arguments)):
            raise ExpressionSyntaxError(
                f"{name.text} has {len(arguments)} arguments",
                name.column,
                _arity(function.least, function.most),
            )
        return Call(name.text, arguments)


def _arity(least: int, most: int | None) -> str:
    return f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _number(token: _Token) -> int | float:
    value = int(token.text) if token.text.isdigit() else float(token.text)
    if value > INTEGER_LIMIT if isinstance(value, int) else value == float("inf"):
        raise ExpressionSyntaxError("the number is too large", token.column)
    return value


def _unescaped(token: _Token) -> str:
    def character(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            column = token.column + 1 + match.start()
            raise ExpressionSyntaxError(f"unknown escape '\\{match[1]}'", column, r"\\, \', \", \n, \t or \r")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", character, token.text[1:-1], flags=re.DOTALL)


def children(node: Expression | RowsOf) -> tuple[Expression | RowsOf, ...]:
    """Return the parts of a node, from left to right."""
    match node:
        case ListOf(items):
            return items
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Conditional(condition, then, otherwise):
            return (condition, then, otherwise)
        case Subscript(target, at):
            return (target, at)
        case Call(_, arguments):
            return arguments
        case RowsOf(_, condition):
            return (condition,)
    return ()


def _depth(root: Expression) -> int:
    deepest = 0
    level: tuple[Expression | RowsOf, ...] = (root,)
    while level:
        deepest += 1
        level = tuple(child for node in level for child in children(node))
    return deepest


def parse(text: str) -> Expression:
    """Parse an expression. Raises ExpressionSyntaxError, and nothing else."""
    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH)
    parser = _Parser(text)
    expression = parser.expression()
    if parser.token.kind != "end":
        parser.fail("an operator or the end")
    if _depth(expression) > MAX_DEPTH:
        raise ExpressionSyntaxError(f"nested more than {MAX_DEPTH} deep", 0, "a shorter chain of operators")
    return expression


def format(expression: Expression) -> str:
    """Return the expression as text, with no more parentheses than needed: parse(format(e)) == e."""
    return _printed(expression, 0)


def _printed(node: Expression | RowsOf, least: int) -> str:
    match node:
        case Literal(value):
            return _constant(value)
        case ListOf(items):
            return f"[{', '.join(_printed(item, 0) for item in items)}]"
        case Name(name):
            return name
        case Unary(operator, operand):
            own = _NOT if operator == "not" else _MINUS
            text = f"{'not ' if operator == 'not' else '-'}{_printed(operand, own)}"
        case Binary(operator, left, right):
            own = _PRECEDENCE[operator]
            first = own + 1 if own == _COMPARISON else own
            text = f"{_printed(left, first)} {operator} {_printed(right, own + 1)}"
        case Conditional(condition, then, otherwise):
            own = 0
            text = f"{_printed(then, 1)} if {_printed(condition, 1)} else {_printed(otherwise, 0)}"
        case Subscript(target, at):
            return f"{_printed(target, _POSTFIX)}[{_printed(at, 0)}]"
        case Call(function, arguments):
            return f"{function}({', '.join(_printed(argument, 0) for argument in arguments)})"
        case RowsOf(table, condition):
            return f"{table} where {_printed(condition, 0)}"
    return text if own >= least else f"({text})"


def _constant(value: bool | int | float | str | None) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return "'" + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + "'"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value)
