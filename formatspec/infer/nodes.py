"""A drafted spec as a tree, and its YAML with a comment at each guess."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

_PLAIN = re.compile(r"[A-Za-z_][\w./|()='<>-]*(?:,? [\w./|()='<>-]+)*\??")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


class Verbatim(str):
    """A scalar or a short list that is written unchanged."""

    __slots__ = ()


class Entry(msgspec.Struct, frozen=True):
    """A key of a drafted mapping, its content, and remarks.

    Attributes:
        comment: Why it was drafted so.
        doubt: A question that the data leave open.
    """

    key: str
    node: Node
    comment: str = ""
    doubt: str = ""


class Mapping(msgspec.Struct, frozen=True):
    """A mapping of a rule."""

    entries: tuple[Entry, ...]


class Rows(msgspec.Struct, frozen=True):
    """Rows: a list of one mapping with `each`, or only that mapping if `bare`."""

    each: str
    entries: tuple[Entry, ...]
    bare: bool = False


class Several(msgspec.Struct, frozen=True):
    """A list: alternatives of `one of`, or parts of a text file."""

    nodes: tuple[Node, ...]


Node: TypeAlias = str | Mapping | Rows | Several
"""A text is a leaf."""


def rendered(entries: tuple[Entry, ...]) -> tuple[str, tuple[tuple[Entry, ...], ...]]:
    """Return the YAML of a mapping, and for each of its lines the entries that contain it, outermost first."""
    lines: list[str] = []
    owners: list[tuple[Entry, ...]] = []
    for line, owner in _mapping(entries, 0, ()):
        lines.append(line)
        owners.append(owner)
    return "\n".join(lines) + "\n", tuple(owners)


def without(entries: tuple[Entry, ...], gone: Entry, instead: Entry | None) -> tuple[Entry, ...]:
    """Return a mapping with one nested entry, found by identity, replaced or removed."""
    found = []
    for entry in entries:
        if entry is gone:
            found += [instead] if instead is not None else []
        else:
            node = _without(entry.node, gone, instead)
            found.append(entry if node is entry.node else msgspec.structs.replace(entry, node=node))
    return tuple(found)


def _without(node: Node, gone: Entry, instead: Entry | None) -> Node:
    if isinstance(node, Mapping | Rows):
        entries = without(node.entries, gone, instead)
        same = len(entries) == len(node.entries) and all(a is b for a, b in zip(entries, node.entries, strict=True))
        return node if same else msgspec.structs.replace(node, entries=entries)
    if isinstance(node, Several):
        nodes = tuple(_without(one, gone, instead) for one in node.nodes)
        return node if all(a is b for a, b in zip(nodes, node.nodes, strict=True)) else Several(nodes)
    return node


def _mapping(
    entries: tuple[Entry, ...], depth: int, above: tuple[Entry, ...]
) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    for entry in entries:
        own = (*above, entry)
        start = "  " * depth
        if entry.doubt:
            yield f"{start}# QUESTION: {entry.doubt}", own
        comment = f"      # {entry.comment}" if entry.comment else ""
        key = f"{start}{scalar(entry.key)}:"
        if isinstance(entry.node, str):
            yield f"{key} {scalar(entry.node)}{comment}", own
        elif isinstance(entry.node, Mapping) and not entry.node.entries:
            yield f"{key} {{}}{comment}", own
        else:
            yield f"{key}{comment}", own
            yield from _node(entry.node, depth + 1, own)


def _node(node: Node, depth: int, above: tuple[Entry, ...]) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    if isinstance(node, Mapping):
        yield from _mapping(node.entries, depth, above)
    elif isinstance(node, Rows):
        whole = _mapping((Entry("each", node.each), *node.entries), depth if node.bare else depth + 1, above)
        yield from whole if node.bare else _listed(whole, depth)
    elif isinstance(node, Several):
        for one in node.nodes:
            if isinstance(one, str):
                yield f"{'  ' * depth}- {scalar(one)}", above
            elif isinstance(one, Rows) and not one.bare:
                yield from _listed(_node(msgspec.structs.replace(one, bare=True), depth + 1, above), depth)
            else:
                yield from _listed(_node(one, depth + 1, above), depth)


def _listed(lines: Iterator[tuple[str, tuple[Entry, ...]]], depth: int) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Yield the lines of a mapping as an entry of a list; a comment before its first key comes before the dash."""
    dashed = False
    for line, owner in lines:
        if not dashed and not line.lstrip().startswith("#"):
            dashed = True
            yield f"{'  ' * depth}- {line[2 * (depth + 1) :]}", owner
        elif not dashed:
            yield line[2:], owner
        else:
            yield line, owner


def scalar(value: Any) -> str:
    """Return a text as YAML spells it: plain if that means the same, otherwise in double quotes."""
    text = str(value)
    if isinstance(value, Verbatim):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and ": " not in text and " #" not in text:
        return text
    return json.dumps(text, ensure_ascii=False)
