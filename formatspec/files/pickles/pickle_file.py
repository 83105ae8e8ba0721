"""Pickles of plain data: bytes to mappings, lists, texts, numbers, booleans and None, and back.

A pickle is a program for a machine with a stack.  Python's own unpickler imports and calls what the program names.
`decode` never uses it: `plain_machine` knows only the instructions that make plain data, and refuses all others.
A tuple is read as a list.  Texts of Python 2 are bytes, which are decoded with the role's text encodings.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from formatspec.files.document import MAX_DEPTH, Document, FileError, LineColumn, Pointer
from formatspec.files.pickles.measure import check_depth, check_shared
from formatspec.files.pickles.plain_machine import LONGEST, run
from formatspec.files.style import Style

STYLE = Style()


def decode(data: bytes, style: Style = STYLE) -> Document:
    """The plain data of a pickle of any protocol.

    Values that the pickle shares are shared in the document, too; each counts as often as it stands there.

    Raises:
        FileError: It is no pickle, asks for anything but plain data, nests values too deeply, or a value holds itself.
        TooLargeError: Its values take more memory than the limit `values` allows.
    """
    document, shares = run(data, style.encoding)
    if shares:
        check_shared(document, len(data))
    else:
        check_depth(document)
    return document


def encode(document: Document, style: Style = STYLE) -> bytes:
    """The document as a pickle of protocol 2, which Python 2 reads as well; equal documents give equal bytes.

    Raises:
        FileError: The document holds anything but plain data, or is nested too deeply.
    """
    return b"\x80\x02" + b"".join(_spelled(document, 0)) + b"."


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """None: a pickle has no lines."""
    return None


def _spelled(value: Document, depth: int) -> Iterator[bytes]:
    """The instructions that make a value."""
    scalar = _SCALARS.get(type(value))
    if scalar is not None:
        yield scalar(value)
        return
    if depth >= MAX_DEPTH:
        raise FileError("nested too deeply for a pickle")
    if isinstance(value, dict):
        yield b"}"
        if value:
            yield b"("
            for key, part in value.items():
                if type(key) not in (str, int):
                    raise FileError(f"a key must be a text or a whole number, not {key!r}")
                yield _SCALARS[type(key)](key)
                yield from _spelled(part, depth + 1)
            yield b"u"
    elif isinstance(value, list | tuple):
        yield b"]"
        if value:
            yield b"("
            for part in value:
                yield from _spelled(part, depth + 1)
            yield b"e"
    else:
        raise FileError(f"a pickle of plain data cannot hold this: {value!r}")


def _text(value: str) -> bytes:
    try:
        data = value.encode()
    except UnicodeEncodeError as error:
        raise FileError(f"utf-8 cannot hold the character {value[error.start]!r}") from None
    return b"X" + struct.pack("<I", len(data)) + data


def _whole(value: int) -> bytes:
    if 0 <= value < 1 << 8:
        return b"K" + struct.pack("<B", value)
    if 0 <= value < 1 << 16:
        return b"M" + struct.pack("<H", value)
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    length = value.bit_length() // 8 + 1
    if length > LONGEST:
        raise FileError(f"a whole number of {length} bytes is too long for a pickle")
    data = value.to_bytes(length, "little", signed=True)
    return (b"\x8a" + struct.pack("<B", length) if length < 256 else b"\x8b" + struct.pack("<i", length)) + data


_SCALARS: dict[type, Callable[[Document], bytes]] = {
    type(None): lambda _: b"N",
    bool: lambda value: b"\x88" if value else b"\x89",
    int: _whole,
    float: lambda value: b"G" + struct.pack(">d", value),
    str: _text,
}
