"""INI files: sections of keys with values, all of them text: {section: {key: text}}.

With the style `header: false` there are no sections, and the document is {key: text}. Blank lines, and lines that begin
with `;` or `#`, are none; blanks around a key and a value are no part of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from formatspec.files.document import Document, FileError, LineColumn, Pointer, bytes_of, check_values, text_of
from formatspec.files.style import Style

STYLE = Style(separators="compact")


class _Entry(NamedTuple):
    """A line with content: its number, key and value; without a key it begins a section."""

    number: int
    section: str
    key: str | None
    value: str


def decode(data: bytes, style: Style = STYLE) -> Document:
    """The sections of `data`, in order; without sections its keys.

    Raises FileError on a line that is neither `[section]` nor `key=value`, on a key before the first section, on a
    section where there are none, and on a section or a key that stands twice.
    """
    check_values(data, {b"\n": 150})
    document: dict[str, dict[str, str]] = {} if style.header else {"": {}}
    for number, section, key, value in _entries(data, style):
        if key is None:
            if section in document:
                raise FileError(f"the section [{section}] stands twice", number, 1)
            document[section] = {}
        elif key in document[section]:
            where = f" in [{section}]" if section else ""
            raise FileError(f"the key {key!r} stands twice{where}", number, 1)
        else:
            document[section][key] = value
    return document if style.header else document[""]


def encode(document: Document, style: Style = STYLE) -> bytes:
    """Write sections as `[section]` and entries as `key=value`, one a line, with a blank line between sections.

    With the style `separators: spaced` blanks stand around the `=`.

    Raises:
        FileError: The document holds what would not be read back as it is.
    """
    sign = " = " if style.separators == "spaced" else "="

    def block(section: str, entries: Document) -> str:
        lines = (f"{key}{sign}{value}" for key, value in _pairs(section, entries))
        return style.newline.join((f"[{section}]", *lines) if style.header else lines)

    if style.header:
        blocks = [block(section, entries) for section, entries in _pairs("", document)]
    else:
        blocks = [block("", document)] if document else []
    text = (style.newline * 2).join(blocks) + (style.newline if blocks and style.final_newline else "")
    data = bytes_of(text, style.encoding)
    if decode(data, style) != document:
        raise FileError("a section, a key or a value holds what parts them: a bracket, '=', a blank at an end")
    return data


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Line and column 1 of a section or a key; None if there is none."""
    if not pointer:
        return 1, 1
    places = pointer if style.header else ("", *pointer)
    wanted = (str(places[0]), str(places[1]) if len(places) > 1 else None)
    return next(((e.number, 1) for e in _entries(data, style) if (e.section, e.key) == wanted), None)


def _pairs(section: str, entries: Document) -> list[tuple[str, Document]]:
    if not isinstance(entries, dict):
        raise FileError(f"[{section}] is no mapping: {entries!r}" if section else f"no mapping: {entries!r}")
    return list(entries.items())


def _entries(data: bytes, style: Style) -> Iterator[_Entry]:
    section: str | None = None if style.header else ""
    for number, line in enumerate(text_of(data, style.encoding)[0].splitlines(), 1):
        text = line.strip()
        if not text or text[0] in ";#":
            continue
        key, sign, value = text.partition("=")
        if text.startswith("[") and text.endswith("]"):
            if not style.header:
                raise FileError(f"a section in a file of keys alone: {text!r}", number, 1)
            section = text[1:-1]
            yield _Entry(number, section, None, "")
        elif not sign:
            raise FileError(f"neither [section] nor key=value: {text!r}", number, 1)
        elif section is None:
            raise FileError(f"a key before the first [section]: {text!r}", number, 1)
        else:
            yield _Entry(number, section, key.rstrip(), value.lstrip())
