"""Explains why the XML parser stopped."""

from __future__ import annotations

import re

_SAID = (
    ("EntityRef", "a `&` alone begins no text in XML: write `&amp;`"),
    ("Entity '", "XML knows this entity only from a document type: write the character itself"),
    ("StartTag: invalid element name", "a `<` alone begins no text in XML: write `&lt;`"),
    ("AttValue: \" or ' expected", "the value of an attribute stands in quotes"),
    ("Unescaped '<' not allowed in attributes", "write `&lt;`, or close the quote before it"),
    ("Attribute", 'look at the attributes of this element: each is `name="value"`, and stands once'),
    ("Premature end", "the file is cut short, or an element is never closed"),
    (
        "Extra content at the end",
        "one element is around all others: it closes too early, or a second one begins",
    ),
    ("Start tag expected", "the file holds no XML, or text stands before its first element"),
    ("Document is empty", "the file is empty, or begins with no element"),
    (
        "XML declaration allowed only at the start",
        "`<?xml …?>` begins the file: remove what stands before it",
    ),
    ("Input is not proper UTF-8", "save the file as UTF-8, or name its encoding in `<?xml … encoding=…?>`"),
)
_TAGS = re.compile(r"Opening and ending tag mismatch: (\S+) line (\d+) and (\S+)")


def broken(message: str) -> str:
    """Return a message of the parser, and what probably helps."""
    tags = _TAGS.match(message)
    if tags is not None:
        opened, line, closed = tags.groups()
        return f"`</{closed}>` stands where `<{opened}>` of line {line} is open: close it as `</{opened}>`"
    hint = next((hint for part, hint in _SAID if part in message), "")
    return f"{message}; {hint}" if hint else message
