"""zlib streams of bytes that are mostly zeros.

Source of the format: RFC 1950 and RFC 1951.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def between_zeros(head: int, middle: npt.NDArray[np.uint8], tail: int) -> bytes:
    """Return the zlib stream of bytes with many zeros before and after them.

    The zeros are put together from blocks that are compressed once. The bytes between are compressed by run lengths:
    level 1 with Z_RLE is as fast as any other setting, and smaller than all but the slow ones.
    """
    packer = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    checksum = _zeros_after(zlib.adler32(middle.data, _zeros_after(1, head)), tail)
    parts = [
        b"\x78\x01",
        *_zeros(head),
        packer.compress(middle.data),
        packer.flush(zlib.Z_FULL_FLUSH),
        *_zeros(tail),
    ]
    return b"".join([*parts, b"\x03\x00", struct.pack(">I", checksum)])  # an empty last block ends the stream


def _zeros_after(checksum: int, count: int) -> int:
    """Return Adler-32 after `count` more zero bytes: the low sum stays, and each zero adds it to the high one."""
    low, high = checksum & 0xFFFF, checksum >> 16
    return (high + low * count) % 65521 << 16 | low


def _zeros(count: int) -> list[bytes]:
    """Return deflate blocks of `count` zero bytes."""
    return [_zero_block(place) for place in range(count.bit_length()) if count >> place & 1]


@lru_cache(maxsize=64)
def _zero_block(place: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    return packer.compress(bytes(1 << place)) + packer.flush(zlib.Z_FULL_FLUSH)
