"""The grammar of one leaf: a string that says what one value of a document means.

leaf := slots | codec | codec … [else expression]
      | keep [else expression]
      | absent
      | = expression
      | "text with {placeholders}"
      | constant
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from formatspec.codecs.registry import Argument
from formatspec.language import expression
from formatspec.language.errors import nearest
from formatspec.language.expression import Expression, ExpressionSyntaxError
from formatspec.paths.templates.template import LiteralText, TemplateSyntaxError, split


class LeafSyntaxError(ValueError):
    """A leaf cannot be parsed; `offset` counts characters from its start."""

    def __init__(self, message: str, offset: int = 0, expected: str = "") -> None:
        """Take the message, the offset of the mistake, and what was expected."""
        super().__init__(message)
        self.offset = offset
        self.expected = expected


class CodecCall(msgspec.Struct, frozen=True):
    """One codec of a chain, with its arguments."""

    name: str
    arguments: tuple[Argument, ...] = ()


class Bind(msgspec.Struct, frozen=True):
    """Slots of the model through a chain of codecs; `default` is printed where the slots have no value."""

    names: tuple[str, ...]
    calls: tuple[CodecCall, ...] = ()
    default: Expression | None = None
    format: str | None = None
    optional: bool = False


class Keep(msgspec.Struct, frozen=True):
    """A value without a meaning, carried along for the same format."""

    default: Expression | None = None


class Computed(msgspec.Struct, frozen=True):
    """A value that follows from others: printed when writing, compared when reading.

    `near` allows a difference of a tenth, since values that follow from a shape depend on how it is measured.
    """

    expression: Expression
    near: bool = False


class Constant(msgspec.Struct, frozen=True):
    """A value that must be exactly this."""

    value: Any


class Text(msgspec.Struct, frozen=True):
    """Text with placeholders; each part is literal text or a leaf."""

    parts: tuple[str | Bind | Keep | Computed, ...]
    source: str


class Absent(msgspec.Struct, frozen=True):
    """A key that must not be there; it tells a document from those of other formats, and an alternative from others."""


Leaf = Bind | Keep | Computed | Constant | Text | Absent


def bindings(leaf: Leaf | None) -> tuple[Bind, ...]:
    """Return what a leaf binds: itself, or the leaves in its text."""
    return tuple(part for part in (leaf.parts if isinstance(leaf, Text) else (leaf,)) if isinstance(part, Bind))


def names_of(leaf: Leaf | None) -> tuple[str, ...]:
    """Return the names that a leaf binds, or the leaves in its text."""
    return tuple(name for bind in bindings(leaf) for name in bind.names)


_NAME = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*")
_PLACEHOLDER = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?P<optional>\?)?(?::(?P<format>\S+))?(?P<rest>(\s.*)?)", re.S)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}


def parse_leaf(value: Any) -> Leaf:
    """Parse the leaf that a scalar of a spec states.

    Raises:
        LeafSyntaxError: The scalar is no leaf; the error has an offset into its text.
    """
    return _parsed(value) if isinstance(value, str) else Constant(value)


@lru_cache(maxsize=4096)
def _parsed(value: str) -> Leaf:
    """Parse a text; many specs state the same leaves."""
    text = value.strip()
    if not text:
        return Constant(value)
    if text.startswith("="):
        return _computed(text[1:], value.index("=") + 1)
    if _is_keep(text):
        return _keep(text, 0)
    if text == "absent":
        return Absent()
    if "{" in text:
        return parse_text(value)
    return _bind(text, value)


def parse_text(text: str, keeps: bool = False) -> Text:
    """Parse a template: literal text with placeholders. With `keeps`, `{keep}` is text that is carried along."""
    try:
        pieces = split(text)
    except TemplateSyntaxError as error:
        raise LeafSyntaxError(str(error), getattr(error, "offset", 0)) from None
    return Text(
        tuple(p.text if isinstance(p, LiteralText) else _placeholder(p.text, p.offset + 1, keeps) for p in pieces),
        text,
    )


def _is_keep(text: str) -> bool:
    return text == "keep" or text.startswith("keep else ")


def _keep(text: str, offset: int) -> Keep:
    start = len("keep else ")
    return Keep(_default(text[start:], offset + start) if text != "keep" else None)


def _placeholder(text: str, offset: int, keeps: bool) -> Bind | Keep | Computed:
    stripped = text.strip()
    if keeps and _is_keep(stripped):
        return _keep(stripped, offset)
    if stripped.startswith("="):
        return Computed(_expression(stripped[1:], offset))
    matched = _PLACEHOLDER.fullmatch(stripped)
    if matched is None or "," in matched["name"]:
        return _bind(stripped, text, offset)
    if not matched["format"] and "," in text.split("|")[0]:
        return _bind(stripped, text, offset)
    bound = _bind(matched["name"] + matched["rest"], text, offset)
    return Bind(bound.names, bound.calls, bound.default, matched["format"], bool(matched["optional"]))


def _computed(text: str, offset: int) -> Computed | Constant:
    parsed = _expression(text, offset)
    return Constant(parsed.value) if isinstance(parsed, expression.Literal) else Computed(parsed)


def _expression(text: str, offset: int) -> Expression:
    try:
        return expression.parse(text)
    except ExpressionSyntaxError as error:
        message = f"{error.message} at column {error.column}"
        raise LeafSyntaxError(message, offset + error.column, error.expected) from None


def _default(text: str, offset: int) -> Expression:
    if not text.strip():
        raise LeafSyntaxError("nothing stands behind `else`", offset, "an expression")
    return _expression(text, offset)


def _bind(text: str, whole: str, offset: int = 0) -> Bind:
    chain, default = _split_default(text)
    pieces = list(_pieces(chain, "|"))
    names = tuple(name.strip() for _, name in _pieces(pieces[0][1], ","))
    for name in names:
        if not _NAME.fullmatch(name):
            raise LeafSyntaxError(f"{name!r} is no name of a slot", offset, 'slots, `keep`, `= expression` or "text"')
    calls = tuple(_call(piece.strip(), offset + at) for at, piece in pieces[1:])
    parsed = _default(default, offset + text.rindex(default)) if default is not None else None
    return Bind(names, calls, parsed)


def _split_default(text: str) -> tuple[str, str | None]:
    if " else" not in text:
        return text, None
    for at, inside in _outside_quotes(text):
        if not inside and text.startswith(" else ", at):
            return text[:at], text[at + 6 :]
    if text.endswith(" else"):
        return text[: -len(" else")], ""
    return text, None


def _outside_quotes(text: str) -> Iterator[tuple[int, bool]]:
    """Yield each position, and whether it lies inside quotes or brackets."""
    quote, depth = "", 0
    for at, character in enumerate(text):
        yield at, bool(quote or depth)
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1


def _pieces(text: str, separator: str) -> Iterator[tuple[int, str]]:
    start = 0
    if separator not in text:
        yield start, text
        return
    for at, inside in _outside_quotes(text):
        if not inside and text[at] == separator:
            yield start, text[start:at]
            start = at + 1
    yield start, text[start:]


def _call(text: str, offset: int) -> CodecCall:
    name, bracket, rest = text.partition("(")
    if not _NAME.fullmatch(name.strip()) or (bracket and not rest.endswith(")")):
        expected = "a codec's name, with arguments in parentheses"
        misspelled = next((word for word in text.split()[1:] if nearest(word, ("else",)) is not None), None)
        if misspelled is not None:
            expected += f", or `else` in place of `{misspelled}`"
        raise LeafSyntaxError(f"{text!r} is no codec", offset, expected)
    if not bracket or not rest[:-1].strip():
        return CodecCall(name.strip())
    return CodecCall(name.strip(), tuple(_argument(piece.strip(), offset) for _, piece in _pieces(rest[:-1], ",")))


def _argument(text: str, offset: int) -> Argument:
    sides = [piece for _, piece in _pieces(text, "=")]
    if len(sides) == 2:
        return Argument(_literal(sides[1].strip(), offset), _literal(sides[0].strip(), offset), paired=True)
    if ":" in text and text[:1] not in "'\"":
        file, _, model = text.partition(":")
        expected = f"a pair with `=`, the file's side first: '{file.strip()}'={model.strip()}"
        raise LeafSyntaxError(f"{text!r} is no pair", offset, expected)
    return Argument(_literal(text, offset))


def _literal(text: str, offset: int) -> Any:
    if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0]:
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1].strip()
        return [_literal(piece.strip(), offset) for _, piece in _pieces(inner, ",")] if inner else []
    if _NAME.fullmatch(text):
        return text
    raise LeafSyntaxError(f"{text!r} is no literal", offset, "a quoted text, a number, true, false, null or a word")
