"""Elements that are alike but for their texts, found in the text of an XML file without parsing it.

A skeleton is what elements that are alike have in common: their tags and the names of their attributes.  A regular
expression made of it matches such an element only where that is well-formed, and gives its texts.  Where elements that
follow each other are cut out of a document, the document is well-formed if what is left of it is, with a mark in
their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from lxml import etree

from formatspec.files.xml_file import PLAIN, XmlShape

LONGEST = 1 << 20
"""Characters of a text in which elements are sought; a longer one is parsed."""
MOST_TEXTS = 64
"""Texts of an element with a skeleton; one with more is parsed."""
_SPACE = r"[ \t\r\n]*+"
_BLANK = " \t\r\n"
_OUT = r"<>&\x00-\x1f\ufffe\uffff"
"""What no text has, be it that XML forbids it or that a parser changes it."""
_IN_ATTRIBUTE, _IN_ELEMENT = rf'[^"{_OUT}]++', rf"[^{_OUT}]++"
NUMBER = r"-?[0-9]{1,9}+(?:\.[0-9]{1,17}+)?+"
"""A number as `float` and `int` read it, and below 1e9."""
_DECLARATION = re.compile(
    r"""<\?xml[ ]+version=(?:"1\.0"|'1\.0')(?:[ ]+encoding=(?:"(?i:utf-8)"|'(?i:utf-8)'))?[ ]*\?>"""
)


class Skeleton(msgspec.Struct, frozen=True):
    """The tag of an element, its attributes and whether each holds any text, its children, and whether it has text.

    layout: blanks in it are no text, as its shape says.
    """

    tag: str
    attributes: tuple[tuple[str, bool], ...] = ()
    children: tuple[Skeleton, ...] = ()
    text: bool = False
    layout: bool = False


def skeleton_of(element: etree._Element, shape: XmlShape) -> Skeleton | None:
    """The skeleton of a parsed element; None where it has texts beside its children, or names with a prefix."""
    made = _skeleton(element, shape)
    return made if made is not None and sum(1 for _ in texts_of(made)) <= MOST_TEXTS else None


def _skeleton(element: etree._Element, shape: XmlShape) -> Skeleton | None:
    names = [str(name) for name in element.attrib]
    if not all(map(_is_plain, (str(element.tag), *names))):
        return None
    attributes = tuple((name, bool(element.attrib[name])) for name in names)
    text = element.text or ""
    children = []
    for child in element:
        inner = _skeleton(child, shape_of_child(shape, str(child.tag)))
        if inner is None or (child.tail or "").strip(_BLANK):
            return None
        children.append(inner)
    if text.strip(_BLANK) if children or shape.structural else not text.isprintable():
        return None
    has_text = bool(text) and not children and not shape.structural
    return Skeleton(str(element.tag), attributes, tuple(children), has_text, shape.structural)


def shape_of_child(shape: XmlShape, tag: str) -> XmlShape:
    """What is known beforehand of the children with a tag."""
    return shape.member(tag) if shape.runs_over(tag) else shape.children.get(tag, PLAIN)


def _is_plain(name: str) -> bool:
    """Whether a name of XML has no prefix; lxml writes a namespace in braces."""
    return ":" not in name and "{" not in name


def texts_of(skeleton: Skeleton) -> Iterator[tuple[Skeleton, str]]:
    """The texts of an element in the order of the file: the element that has it, the attribute, else nothing."""
    for name, filled in skeleton.attributes:
        if filled:
            yield skeleton, name
    if skeleton.text:
        yield skeleton, ""
    for child in skeleton.children:
        yield from texts_of(child)


def pattern_of(skeleton: Skeleton, wanted: Sequence[str | None]) -> str:
    """The regular expression of elements with a skeleton, and of the blanks behind them.

    wanted: for each of its texts, in the order of `texts_of`, the pattern of a group that gives it; "" where any text
    will do, and None where it is not asked for.
    """
    return _pattern(skeleton, iter(wanted)) + _SPACE


def _pattern(skeleton: Skeleton, wanted: Iterator[str | None]) -> str:
    tag, parts = re.escape(skeleton.tag), []
    for name, filled in skeleton.attributes:
        value = _group(next(wanted), _IN_ATTRIBUTE) if filled else ""
        parts.append(f' {re.escape(name)}="{value}"')
    start = f"<{tag}{''.join(parts)}"
    if skeleton.text:
        return f"{start}>{_group(next(wanted), _IN_ELEMENT)}</{tag}>"
    if not skeleton.children:
        return f"{start}(?:[ ]?/>|>{_SPACE if skeleton.layout else ''}</{tag}>)"
    inner = _SPACE.join(_pattern(child, wanted) for child in skeleton.children)
    return f"{start}>{_SPACE}{inner}{_SPACE}</{tag}>"


def _group(wanted: str | None, text: str) -> str:
    return text if wanted is None else f"({wanted or text})"


def plain_text(data: bytes) -> str | None:
    """The text of an XML file that says that it is UTF-8, or nothing of its encoding; None for any other."""
    if len(data) > LONGEST:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if text[:5] == "<?xml":
        return text if _DECLARATION.match(text) else None
    return text if text[:1] == "<" else None


Cut = Callable[[str], "tuple[str, list[re.Match[str]]] | None"]
"""Takes elements with known skeletons out of a text, which follow each other: gives the rest, and what was matched."""


def cutter(tags: Sequence[str], patterns: Sequence[str], only: str = "") -> Cut:
    """A function that takes the first elements with known skeletons out of the text of the element around them.

    The rest has an empty element in the place of those that are taken out.  The function gives None where there are
    none, or others behind them.

    Args:
        tags: Those of the skeletons.
        patterns: One for each skeleton.
        only: The tag of the elements, where others may stand behind them; else nothing may.
    """
    first = re.compile(f"<(?:{'|'.join(map(re.escape, dict.fromkeys(tags)))})(?=[ />])").search
    whole = patterns[0] if len(patterns) == 1 else "|".join(f"(?:{pattern})()" for pattern in patterns)
    scanner = re.compile(whole).scanner  # type: ignore[attr-defined]
    others = re.compile(f"<{re.escape(only)}(?=[ />])").search if only else None

    def cut(text: str) -> tuple[str, list[re.Match[str]]] | None:
        begin = first(text)
        if begin is None:
            return None
        start = begin.start()
        found = list(iter(scanner(text, start).match, None))
        if not found:
            return None
        end = found[-1].end()
        if others is None:
            if not text.startswith("</", end):
                return None
        elif others(text, end):
            return None
        return f"{text[:start]}{begin[0]}/>{text[end:]}", found

    return cut


def groups_before(patterns: Sequence[str]) -> list[int]:
    """How many groups stand before those of each pattern, where `cutter` joins several."""
    counts = [re.compile(pattern).groups + 1 for pattern in patterns]
    return [sum(counts[:place]) for place in range(len(counts))]


def children_at(root: etree._Element | None, path: Sequence[str], only: str) -> Sequence[Any]:
    """The elements under a path of tags below a root, those with a tag, or all; none where there is no root."""
    for tag in path:
        root = None if root is None or not _is_plain(tag) else root.find(tag)
    return () if root is None else list(root.iterchildren(only) if only else root)


def whole_pattern(skeleton: Skeleton) -> re.Pattern[str]:
    """The regular expression of whole documents whose root has a skeleton, with a group for each of its texts."""
    texts = [""] * sum(1 for _ in texts_of(skeleton))
    return re.compile(rf"(?:<\?xml[^<>]*+\?>)?+{_SPACE}{pattern_of(skeleton, texts)}")
