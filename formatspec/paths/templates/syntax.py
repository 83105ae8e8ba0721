"""Parses the text of a template into literals and placeholders, and defines what a placeholder must be able to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

_CLOSING = {"{": "}", "[": "]"}


class TemplateSyntaxError(ValueError):
    """A template cannot be parsed.

    Attributes:
        message: What is wrong.
        offset: Where, in characters from the start of the given text.
        expected: What would have been right.
    """

    def __init__(self, message: str, offset: int, expected: tuple[str, ...] = ()) -> None:
        """Take the message and the place; see the class."""
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.expected = expected

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all three values, since the message alone would lose two."""
        return type(self), (self.message, self.offset, self.expected)


class MissingValueError(KeyError):
    """A placeholder without which the template cannot be rendered has no value. `name` is the placeholder's."""

    def __init__(self, name: str) -> None:
        """Take the placeholder's name."""
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        """Return a sentence that names the placeholder."""
        return f"no value for `{self.name}`"


class LiteralText(msgspec.Struct, frozen=True):
    """Literal text, with `{{` and `}}` already replaced by single braces; `offset` is where it begins."""

    text: str
    offset: int


class Placeholder(msgspec.Struct, frozen=True):
    """The text between two braces, as written; `offset` is that of the first character inside."""

    text: str
    offset: int


class TemplateField(msgspec.Struct, frozen=True):
    """How one placeholder is read and written.

    `pattern` is a regular expression without capturing groups, anchors or backreferences. `parse` takes a
    text that the pattern matched, `render` gives one; both raise ValueError on a misfit. `parse is str` says
    that the text is the value. An `optional` field may be absent; its value then is `parse("")`, or None if
    that raises. `wants` tells a person what would have fitted ("at least three digits"), and
    `label` what the field is called where its name says nothing.
    """

    name: str
    pattern: str
    parse: Callable[[str], Any]
    render: Callable[[Any], str]
    optional: bool = False
    wants: str = ""
    label: str = ""


def split(text: str) -> tuple[LiteralText | Placeholder, ...]:
    """Split `text {…} text` into texts and placeholders.

    `{{` and `}}` are braces as text. Inside a placeholder, quotes ('…' or "…", with no escapes) protect everything, and
    {} and [] nest.

    Raises:
        TemplateSyntaxError: A brace or a quote has no partner.
    """
    parts: list[LiteralText | Placeholder] = []
    chars: list[str] = []
    start = i = 0
    while i < len(text):
        char = text[i]
        if char in "{}" and text[i : i + 2] == char * 2:
            chars.append(char)
            i += 2
        elif char == "{":
            if chars:
                parts.append(LiteralText("".join(chars), start))
            end = _placeholder_end(text, i)
            if not text[i + 1 : end].strip():
                raise TemplateSyntaxError("nothing stands between the braces", i + 1, ("a name",))
            parts.append(Placeholder(text[i + 1 : end], i + 1))
            chars, start = [], end + 1
            i = end + 1
        elif char == "}":
            raise TemplateSyntaxError("a `}` without its `{`", i, ("{", "}}"))
        else:
            chars.append(char)
            i += 1
    if chars:
        parts.append(LiteralText("".join(chars), start))
    return tuple(parts)


def _placeholder_end(text: str, opening: int) -> int:
    """The offset of the brace that closes the one at `opening`."""
    open_at = [opening]
    i = opening + 1
    while i < len(text):
        char = text[i]
        if char in "'\"":
            end = text.find(char, i + 1)
            if end < 0:
                raise TemplateSyntaxError("a quote that is never closed", i, (char,))
            i = end
        elif char in _CLOSING:
            open_at.append(i)
        elif char in "}]":
            wanted = _CLOSING[text[open_at[-1]]]
            if char != wanted:
                raise TemplateSyntaxError(f"`{char}` where `{wanted}` is due", i, (wanted,))
            open_at.pop()
            if not open_at:
                return i
        i += 1
    wanted = _CLOSING[text[open_at[-1]]]
    raise TemplateSyntaxError(f"`{text[open_at[-1]]}` is never closed", open_at[-1], (wanted,))
