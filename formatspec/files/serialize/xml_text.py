"""Writes plain data as the text of XML elements, without building the elements.

It writes ordinary elements: names without a namespace, and texts of characters that XML allows. Anything else raises
`UnusualError`; then lxml writes the same elements, or says what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from formatspec.files.document import MAX_DEPTH

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnusualError(ValueError):
    """An element cannot be written as plain text: it has a namespace, a wrong character, or a value that is no text."""


def element(tag: Any, value: Any, step: str | None, both_tags: bool, level: int = 1) -> str:
    """Return an element with all its content.

    Args:
        tag: The element's name.
        value: Its text, or a mapping of its attributes under `"@"`, its text under `"#"`, and its children.
        step: The indentation of each level; None writes everything on one line.
        both_tags: Whether an element without content gets a start tag and an end tag.
        level: How deep the element is nested, from 1 for the root.

    Raises:
        UnusualError: The element cannot be written this way.
    """
    try:
        return _checked(_element(tag, value, step, both_tags, level))
    except _NO_PLAIN_DATA:
        raise UnusualError from None


def elements(values: Iterable[tuple[Any, Any]], step: str | None, both_tags: bool, level: int) -> str:
    """Return elements that follow each other, each after a line break and the indentation of its level.

    Args:
        values: The name of each with its value, as `element` takes them.
        step: The indentation of each level; None writes everything on one line.
        both_tags: Whether elements without content get a start tag and an end tag.
        level: How deep they are nested, from 1 for the root.

    Raises:
        UnusualError: One of them cannot be written this way.
    """
    lead = "" if step is None else "\n" + step * (level - 1)
    try:
        return _checked("".join([lead + _element(tag, value, step, both_tags, level) for tag, value in values]))
    except _NO_PLAIN_DATA:
        raise UnusualError from None


def start(tag: Any, attributes: Mapping[Any, Any], text: Any) -> str:
    """Return the start tag of an element and the text after it. Raises UnusualError."""
    try:
        return _checked(f"<{_named(tag)}{_attributes(attributes)}>{_text(text)}")
    except _NO_PLAIN_DATA:
        raise UnusualError from None


def children(value: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """The children that a mapping without attributes and text has, each with its tag."""
    for key, inner in value.items():
        if key == "*":
            for member in inner:
                yield member.get("<>"), {key: part for key, part in member.items() if key != "<>"}
        elif isinstance(inner, list) or (isinstance(inner, Sequence) and not isinstance(inner, str)):
            for child in inner:
                yield key, child
        else:
            yield key, inner


_NO_PLAIN_DATA = (AttributeError, TypeError)
"""What is raised where a value is no mapping, list or text although one is needed."""


def _checked(text: str) -> str:
    if _NO_CHARACTER.search(text):
        raise UnusualError
    return text


def _element(tag: Any, value: Any, step: str | None, both_tags: bool, level: int) -> str:
    tag = tag if tag in _PLAIN_NAMES else _named(tag)
    if value.__class__ is str:
        return f"<{tag}>{_text(value)}</{tag}>" if value or both_tags else f"<{tag}/>"
    if value.__class__ is not dict or level > MAX_DEPTH:
        raise UnusualError
    attributes, text = "", ""
    parts: list[str] = []
    lead = "" if step is None else "\n" + step * level
    for key, inner in value.items():
        kind = inner.__class__
        if kind is str and key in _PLAIN_NAMES:
            if "&" in inner or "<" in inner or ">" in inner or "\r" in inner:
                inner = _text(inner)
            parts += (f"{lead}<{key}>{inner}</{key}>" if inner or both_tags else f"{lead}<{key}/>",)
        elif key == "@":
            attributes = _attributes(inner)
        elif key == "#":
            text = _text(inner)
        elif kind is dict:
            parts += (lead + _element(key, inner, step, both_tags, level + 1),)
        elif kind is list and key in _PLAIN_NAMES:
            parts += [lead + _element(key, part, step, both_tags, level + 1) for part in inner]
        else:
            parts += [lead + _element(name, part, step, both_tags, level + 1) for name, part in children({key: inner})]
    if not parts:
        return f"<{tag}{attributes}>{text}</{tag}>" if text or both_tags else f"<{tag}{attributes}/>"
    if step is None:
        return f"<{tag}{attributes}>{text}{''.join(parts)}</{tag}>"
    if text and (value["#"].strip() or _NO_CHARACTER.search(text)):
        parts[0] = text + parts[0][len(lead) :]
    return f"<{tag}{attributes}>{''.join(parts)}\n{step * (level - 1)}</{tag}>"


_PLAIN_NAMES: set[Any] = set()
"""Names that were found to be names of XML without a namespace; at most MOST_NAMES."""
MOST_NAMES = 4096


def _named(name: Any) -> str:
    """Return a name of XML if it has no namespace. Raises UnusualError."""
    if type(name) is not str or not _NAME.fullmatch(name):
        raise UnusualError
    if len(_PLAIN_NAMES) < MOST_NAMES:
        _PLAIN_NAMES.add(name)
    return name


def _attributes(values: Mapping[Any, Any]) -> str:
    """Return attributes as they are written in a start tag, each after a blank."""
    form, texts = _form(tuple(values)), tuple(values.values())
    if _SPECIAL.search("".join(texts)):
        texts = tuple(_SPECIAL.sub(lambda found: _REFERENCES[found[0]], text) for text in texts)
    return form % texts


_REFERENCES = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;",
}  # fmt: skip
"""What stands for a character in an attribute."""
_SPECIAL = re.compile("[" + "".join(_REFERENCES) + "]")


@lru_cache(4096)
def _form(names: tuple[Any, ...]) -> str:
    """Return the attributes of a start tag with `%s` in the place of each value. Raises UnusualError."""
    return "".join(f' {_named(name)}="%s"' for name in names)


def _text(value: Any) -> str:
    """Return a text with references for the characters that are markup."""
    if type(value) is not str:
        raise UnusualError
    if "&" in value or "<" in value or ">" in value or "\r" in value:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value
