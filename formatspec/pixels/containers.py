"""The kinds of files for label images: PNG, BMP, and text with a number for each pixel.

Source of BMP: the documentation of BITMAPFILEHEADER and BITMAPINFOHEADER.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from formatspec.model.limits import check_decoded
from formatspec.model.plain.image_error import ImageError
from formatspec.pixels import png, png_header
from formatspec.pixels.painting import KeptRaster, Painting
from formatspec.pixels.png import Mode, PixelArray, Raster
from formatspec.pixels.png_header import HEADER_SIZE, Header

if TYPE_CHECKING:
    import numpy.typing as npt

_FILE = struct.Struct("<2sIHHI")
_INFO = struct.Struct("<IiiHHIIiiII")
_UPRIGHT = 72 * 10000 // 254
_PNG, _PNG_END = b"\x89", b"\0\0\0\0IEND\xaeB`\x82"
"""The first byte of PNG files, which BMP and text files do not have; and their end, unless other bytes follow."""
_DIGITS = frozenset(b"0123456789 \t\r\n.eE+")


def decode(data: bytes) -> Raster:
    """Return the pixels as stored. A text of numbers is `gray16`, one row of the image per line.

    Raises:
        ImageError: The bytes are damaged.
    """
    if data[:2] == b"BM":
        return _decode_bmp(data)
    if _is_text(data):
        return Raster(_decode_text(data), "gray16")
    return png.decode(data)


def read_header(data: bytes) -> Header:
    """Return the size, the bits per sample and the colour type, in PNG's terms."""
    if data[:1] == _PNG:
        return _png_header(data[:HEADER_SIZE])
    if data[:2] == b"BM":
        width, height, bits, _, _ = _bmp_header(data)
        return Header(width, abs(height), 8, 2 if bits == 24 else 3)
    if _is_text(data):
        height, width = _decode_text(data).shape
        return Header(width, height, 16, 0)
    return png_header.read_header(data)


@lru_cache(maxsize=256)
def _png_header(first: bytes) -> Header:
    """Return the header of a PNG file; those of one dataset mostly repeat."""
    return png_header.read_header(first)


def is_whole_png(data: bytes) -> bool:
    """Return whether the file is certainly a complete PNG file.

    A PNG file with further bytes after its end is recognised by `is_whole`.
    """
    return data.endswith(_PNG_END) and data.startswith(_PNG)


def is_whole(data: bytes) -> bool:
    """Return whether the file is complete, as far as its container shows."""
    if data[:1] == _PNG:
        return data.endswith(_PNG_END) or png.has_end(data)
    if data[:2] == b"BM":
        width, height, bits, offset, _ = _bmp_header(data)
        return len(data) >= offset + _stride(width, bits) * abs(height)
    return True if _is_text(data) else png.has_end(data)


def encode(pixels: PixelArray, mode: Mode, palette: npt.ArrayLike | None = None, path: str = "") -> bytes:
    """Return the file for the extension of `path`: .bmp, .txt, or else PNG; equal pixels give equal bytes."""
    if path.lower().endswith(".bmp"):
        return _encode_bmp(pixels, mode)
    if path.lower().endswith(".txt"):
        return b"".join(b" ".join(b"%d" % value for value in row) + b"\n" for row in pixels.tolist())
    return png.encode(pixels, mode, palette)


def encode_painting(painting: Painting, palette: npt.ArrayLike | None = None, path: str = "") -> bytes:
    """Return the same as `encode` for runs; a PNG is made without decoding them to pixels."""
    if path.lower().endswith((".bmp", ".txt")):
        return encode(painting.pixels(), painting.mode, path=path)
    return painting.png(palette)


def encode_again(source: Raster | KeptRaster, path: str = "") -> bytes:
    """As `encode`, of an image that was decoded."""
    if isinstance(source, KeptRaster):
        return encode_painting(source.painting, source.palette, path)
    return encode(source.pixels, source.mode, source.palette, path)


# -- text ------------------------------------------------------------------------------------------------


def _is_text(data: bytes) -> bool:
    return data[:1].isdigit() or data[:1] in (b" ", b"\t") if data else False


def _decode_text(data: bytes) -> PixelArray:
    if not _DIGITS.issuperset(data):
        raise ImageError("the text holds something other than numbers")
    rows = [line.split() for line in data.splitlines() if line.strip()]
    width = len(rows[0]) if rows else 0
    if not width or any(len(row) != width for row in rows):
        raise ImageError("the text is no table of numbers: its lines are not equally long")
    try:
        found = np.array(rows, dtype=np.bytes_).astype(np.float64)
    except ValueError as error:
        raise ImageError(f"the text is no table of numbers: {error}") from None
    if not ((found >= 0) & (found < 65536) & (found == np.floor(found))).all():
        raise ImageError("the text holds numbers that are not whole, or above 65535")
    return found.astype(np.uint16)


# -- BMP -------------------------------------------------------------------------------------------------


def _stride(width: int, bits: int) -> int:
    """Return the bytes of a row, which is padded to a multiple of four."""
    return (width * bits + 31) // 32 * 4


def _bmp_header(data: bytes) -> tuple[int, int, int, int, int]:
    """Return width, height (negative if rows go down), bits per pixel, the offset of the pixels, and the colours."""
    if len(data) < _FILE.size + _INFO.size:
        raise ImageError("the BMP file ends before its header does")
    offset = _FILE.unpack_from(data)[4]
    size, width, height, _, bits, packed, _, _, _, colors, _ = _INFO.unpack_from(data, _FILE.size)
    if size < _INFO.size or width <= 0 or height == 0 or bits not in (8, 24) or packed != 0:
        raise ImageError(f"the BMP image is of a kind that is not read: {bits} bits a pixel, compression {packed}")
    check_decoded(width, abs(height), bits // 8)
    return width, height, bits, offset, colors or 256


def _decode_bmp(data: bytes) -> Raster:
    width, height, bits, offset, colors = _bmp_header(data)
    stride, rows = _stride(width, bits), abs(height)
    if len(data) < offset + stride * rows:
        raise ImageError("the BMP file ends before its pixels do")
    stored = np.frombuffer(data, np.uint8, stride * rows, offset).reshape(rows, stride)
    upper_first = stored if height < 0 else stored[::-1]
    if bits == 24:
        return Raster(np.ascontiguousarray(upper_first[:, : 3 * width].reshape(rows, width, 3)[..., ::-1]), "rgb")
    start = _FILE.size + struct.unpack_from("<I", data, _FILE.size)[0]
    table = np.frombuffer(data, np.uint8, min(4 * colors, offset - start), start).reshape(-1, 4)
    return Raster(np.ascontiguousarray(upper_first[:, :width]), "palette", np.ascontiguousarray(table[:, 2::-1]))


def _encode_bmp(pixels: Any, mode: Mode) -> bytes:
    if mode != "rgb" or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ImageError(f"pixels of shape {pixels.shape} cannot be written as {mode} in a BMP file")
    height, width = pixels.shape[:2]
    stride = _stride(width, 24)
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : 3 * width] = pixels[::-1, :, ::-1].reshape(height, 3 * width)
    offset = _FILE.size + _INFO.size
    head = _FILE.pack(b"BM", offset + rows.size, 0, 0, offset)
    info = _INFO.pack(_INFO.size, width, height, 1, 24, 0, rows.size, _UPRIGHT, _UPRIGHT, 0, 0)
    return head + info + rows.tobytes()
