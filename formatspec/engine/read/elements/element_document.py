"""The documents of elements whose texts are not known yet: which keys they have, and the source that builds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import msgspec

from formatspec.files.rows.xml_skeletons import Skeleton, shape_of_child
from formatspec.files.xml_file import XmlShape


class Text(msgspec.Struct, frozen=True):
    """One of the texts of an element, by its place among them; it is never empty."""

    place: int


def document_source(skeleton: Skeleton, shape: XmlShape, path: Sequence[str]) -> tuple[int, str] | None:
    """How many texts an element has, and the source of its document, with no rows in the list under a path.

    None is given where there is another than one empty row.
    """
    numbers = count()
    document = around = document_of(skeleton, shape, numbers)
    for key in path[:-1]:
        around = around.get(key) if isinstance(around, dict) else None
    rows = around.get(path[-1]) if isinstance(around, dict) and "#" not in around else None
    if not isinstance(rows, list) or len(rows) != 1 or (rows[0] and rows[0].keys() != {"<>"}):
        return None
    rows.clear()
    return next(numbers), source_of(document)


def document_of(skeleton: Skeleton, shape: XmlShape, numbers: Iterator[int]) -> Any:
    """The document of an element as `xml_file` makes it, with a `Text` for each of its texts."""
    value: dict[str, Any] = {}
    if skeleton.attributes:
        value["@"] = {name: Text(next(numbers)) if filled else "" for name, filled in skeleton.attributes}
    if not skeleton.children:
        text = Text(next(numbers)) if skeleton.text else ""
        if shape.structural:
            return value
        return {**value, "#": text} if value else text
    for child in skeleton.children:
        inner = document_of(child, shape_of_child(shape, child.tag), numbers)
        if shape.runs_over(child.tag):
            content = inner if isinstance(inner, dict) else {"#": inner}
            value.setdefault("*", []).append({"<>": child.tag, **content})
        elif child.tag not in value:
            value[child.tag] = [inner] if child.tag in shape.lists else inner
        elif isinstance(value[child.tag], list):
            value[child.tag].append(inner)
        else:
            value[child.tag] = [value[child.tag], inner]
    return value


def variable(place: int) -> str:
    """The variable that holds the text at a place, in generated source."""
    return f"t{place}"


def source_of(part: Any) -> str:
    """The source of a part of a document."""
    if isinstance(part, Text):
        return variable(part.place)
    if isinstance(part, dict):
        return f"{{{', '.join(f'{key!r}: {source_of(inner)}' for key, inner in part.items())}}}"
    return f"[{', '.join(map(source_of, part))}]" if isinstance(part, list) else repr(part)


def places_of(part: Any) -> Iterator[int]:
    """The places of the texts in a part of a document."""
    if isinstance(part, Text):
        yield part.place
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from places_of(inner)
