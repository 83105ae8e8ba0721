"""Reads the beginning of a damaged document: the part before the damage, closed so that it parses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

_TRIED_LINES = 6
"""How many lines at the end of a YAML file or a table may be dropped, one after another, until the rest parses."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]|"', re.S)
_TAG = re.compile(rb"<!--.*?-->|<\?.*?\?>|<(/?)([\w:.-]+)([^<>]*?)(/?)>", re.S)


def of_json(data: bytes) -> Any:
    """Return the JSON document before the damage; None if there is none."""
    stack: list[bytes] = []
    cuts: list[tuple[int, bytes]] = []
    for token in _TOKEN.finditer(data):
        text = token.group()
        if text == b'"':
            break
        if text in (b"[", b"{"):
            stack.append(b"]" if text == b"[" else b"}")
        elif text in (b"]", b"}"):
            if not stack or stack.pop() != text:
                break
            cuts.append((token.end(), b"".join(reversed(stack))))
        elif text == b",":
            cuts.append((token.start(), b"".join(reversed(stack))))
        del cuts[:-4]
    for end, closing in reversed(cuts):
        try:
            return msgspec.json.decode(data[:end] + closing)
        except (ValueError, RecursionError):
            continue
    return None


def of_xml(data: bytes) -> bytes | None:
    """Return the XML text before the damage, with its open elements closed; None if there is none."""
    stack: list[bytes] = []
    end = 0
    for tag in _TAG.finditer(data):
        if tag.group(2) is not None and not tag.group(4):
            if not tag.group(1):
                stack.append(tag.group(2))
            elif not stack or stack.pop() != tag.group(2):
                break
        end = tag.end()
    return data[:end] + b"".join(b"</" + name + b">" for name in reversed(stack)) if stack else None


def parts(kind: str, data: bytes) -> Iterator[bytes]:
    """Yield beginnings of a damaged file that may parse, the longest first.

    `kind` is the kind of document, as a role states it.
    """
    if kind == "xml":
        whole = of_xml(data)
        if whole is not None:
            yield whole
    elif kind in ("json", "jsonl"):
        lines = data.splitlines(keepends=True)
        if kind == "jsonl" and len(lines) > 1:
            yield b"".join(lines[:-1])
        first = of_json(lines[0] if kind == "jsonl" and lines else data)
        if first:
            yield msgspec.json.encode(first)
    elif kind != "pickle":
        lines = data.splitlines(keepends=True)
        for count in range(1, min(_TRIED_LINES, len(lines) - 1) + 1):
            yield b"".join(lines[:-count])
