"""The header of a PNG file.

Source: PNG specification, third edition (W3C), sections 5.2 and 11.2.1.
"""

from __future__ import annotations

import struct

import msgspec

from formatspec.model.plain.image_error import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_SIZE = 33
"""Bytes from the signature to the end of the header chunk."""
CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""The channels of an image by its colour type; palette colours are looked up."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


class Header(msgspec.Struct, frozen=True):
    """The content of the IHDR chunk.

    Attributes:
        width: Pixels.
        height: Pixels.
        depth: Bits per sample.
        color: The colour type: 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha.
    """

    width: int
    height: int
    depth: int
    color: int


def _other_format(data: bytes) -> str:
    """Return a hint for a label image that is no PNG, if its first bytes show what it is."""
    if data[:3] == b"\xff\xd8\xff":
        return ": it is a JPEG, which blurs the values of its pixels; make it anew as a PNG from what it was made of"
    named = next((name for start, name in _BEGINNINGS if data.startswith(start)), None)
    return f": it is a {named}; save it as a PNG" if named else ""


_BEGINNINGS = ((b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"RIFF", "WebP"))


def read_header(data: bytes) -> Header:
    """Return the header, from the first HEADER_SIZE bytes of a file.

    Raises:
        ImageError: There is no header, or it violates the standard.
    """
    if data[:8] != SIGNATURE:
        raise ImageError(f"the file does not begin with the PNG signature{_other_format(data)}")
    if len(data) < HEADER_SIZE or data[12:16] != b"IHDR":
        raise ImageError("the PNG file ends before its header does, or has none")
    width, height, depth, color = struct.unpack_from(">IIBB", data, 16)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise ImageError(f"the PNG header states a size of {width} x {height}")
    if depth not in _DEPTHS.get(color, ()):
        raise ImageError(f"the PNG header states {depth} bits a sample for color type {color}")
    return Header(width, height, depth, color)
