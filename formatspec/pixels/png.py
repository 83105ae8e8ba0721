"""PNG: decodes pixels as stored, and encodes mostly empty images fast.

Source of the format: PNG specification, third edition (W3C), sections 5, 9, 10 and 11.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import kornia_rs.io
import msgspec
import numpy as np

from formatspec.model.limits import check_decoded
from formatspec.model.plain.image_error import ImageError as ImageError
from formatspec.pixels.deflate import between_zeros
from formatspec.pixels.png_header import SIGNATURE, Header, read_header

if TYPE_CHECKING:
    import numpy.typing as npt

PixelArray: TypeAlias = "npt.NDArray[Any]"

Mode = Literal["gray", "gray16", "palette", "rgb", "rgba"]

UP = 2
"""The filter of a row that is stored as differences to the row above."""

CHANNELS: dict[Mode, int] = {"gray": 1, "gray16": 1, "palette": 1, "rgb": 3, "rgba": 4}

_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_COLOR: dict[Mode, int] = {"gray": 0, "gray16": 0, "palette": 3, "rgb": 2, "rgba": 6}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_MODES: dict[tuple[int, int], tuple[Mode, str]] = {  # (depth, color): our mode, and the decoder's word
    (8, 0): ("gray", "mono"),
    (16, 0): ("gray16", "mono"),
    (8, 2): ("rgb", "rgb"),
    (16, 2): ("rgb", "rgb"),
    (8, 6): ("rgba", "rgba"),
    (16, 6): ("rgba", "rgba"),
}


class Raster(msgspec.Struct, frozen=True):
    """Decoded pixels: uint8 or uint16, (h, w) for gray, gray16 and palette (indices), otherwise (h, w, 3 or 4)."""

    pixels: PixelArray
    mode: Mode
    palette: npt.NDArray[np.uint8] | None = None


# -- reading -------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Raster:
    """Return the pixels as stored: palette images keep their indices; gray of 1, 2 or 4 bits is scaled to 0..255.

    RGB and RGBA of 16 bits are uint16. Gray with alpha becomes rgba. Everything but the end mark is checked; `has_end`
    checks that.

    Raises:
        ImageError: The bytes are damaged; TooLargeError, which is one, if the header's size exceeds the limit.
    """
    header = read_header(data)
    check_decoded(header.width, header.height, _SAMPLES[header.color] * (2 if header.depth == 16 else 1))
    known = _MODES.get((header.depth, header.color))
    if known:
        return Raster(_samples(data, header, known[1]), known[0])
    if header.color == 3:
        return _palette_image(data, header)
    return _rare_image(data, header)


def _samples(data: bytes, header: Header, word: str) -> PixelArray:
    read = kornia_rs.io.decode_image_png_u8 if header.depth == 8 else kornia_rs.io.decode_image_png_u16
    try:
        pixels: PixelArray = read(data, (header.height, header.width), word)
    except Exception as error:  # the decoder raises bare Exception
        raise ImageError(f"the PNG image cannot be decoded: {_reason(error)}") from error
    return pixels[..., 0] if word == "mono" else pixels


def _reason(error: BaseException) -> str:
    return str(error).removeprefix("Failed to decode the png image. ").rstrip(".") or type(error).__name__


def _palette_image(data: bytes, header: Header) -> Raster:
    palette = next((body for name, body in _chunks(data) if name == b"PLTE"), None)
    if palette is None or not palette or len(palette) % 3:
        raise ImageError("the PNG image has a palette color type, but no palette of whole RGB entries")
    colors = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    if header.depth == 8:
        return Raster(_samples(_as_gray(data), header, "mono"), "palette", colors)
    return Raster(_through_pillow(data, "P"), "palette", colors)


def _as_gray(data: bytes) -> bytes:
    """Return the same samples under a gray header, so that the fast decoder returns 8-bit indices unchanged."""
    parts = [SIGNATURE]
    for name, body in _chunks(data):
        if name == b"IHDR":
            parts.append(_chunk(name, body[:9] + b"\0" + body[10:]))
        elif name == b"IDAT":
            parts.append(_chunk(name, body))
    return b"".join([*parts, _END]) if has_end(data) else b"".join(parts)


def _rare_image(data: bytes, header: Header) -> Raster:
    if header.color == 0:
        return Raster(_through_pillow(data, "L"), "gray")
    if header.depth == 16:
        raise ImageError("the PNG image is gray with alpha at 16 bits, which is not supported")
    gray, alpha = np.moveaxis(_through_pillow(data, "LA"), 2, 0)
    return Raster(np.stack([gray, gray, gray, alpha], 2), "rgba")


def _through_pillow(data: bytes, mode: str) -> PixelArray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            return np.array(image if image.mode == mode else image.convert(mode))
    except Exception as error:  # Pillow raises many kinds for damaged bytes
        raise ImageError(f"the PNG image cannot be decoded: {_reason(error)}") from error


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, body) of every complete chunk. Raises ImageError if a checksum is wrong."""
    place = 8
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        stated = data[place + 8 + length : place + 12 + length]
        if len(stated) < 4:
            return
        if stated != struct.pack(">I", zlib.crc32(body, zlib.crc32(name))):
            raise ImageError(f"the PNG image is damaged: the checksum of its {name!r} chunk is wrong")
        yield name, body
        place += 12 + length


def has_end(data: bytes) -> bool:
    """Return whether PNG or JPEG bytes reach their end mark, perhaps followed by zeros; true for other formats."""
    mark = _END if data[:8] == SIGNATURE else b"\xff\xd9" if data[:2] == b"\xff\xd8" else b""
    tail = data[-4096:].rstrip(b"\0")
    return (tail if len(tail) >= len(mark) else data.rstrip(b"\0")).endswith(mark)


# -- writing -------------------------------------------------------------------------------------------------


def encode(pixels: PixelArray, mode: Mode, palette: npt.ArrayLike | None = None) -> bytes:
    """Return PNG bytes, the same for the same pixels.

    `pixels` is uint8 (uint16 for gray16), (h, w) or (h, w, 3 or 4) for rgb and rgba; `palette` is (n, 3), 1 to 256
    colors of 0..255. Raises ImageError if they do not fit the mode.
    """
    kind = np.uint16 if mode == "gray16" else np.uint8
    shape = pixels.shape[2:] if pixels.ndim > 2 else (1,)
    wanted = 2 if CHANNELS[mode] == 1 else 3
    if pixels.dtype != kind or pixels.ndim != wanted or shape != (CHANNELS[mode],) or not pixels.size:
        raise ImageError(f"pixels of shape {pixels.shape} and type {pixels.dtype} cannot be written as {mode}")
    height, width = pixels.shape[:2]
    colors = palette_bytes(palette, mode, int(pixels.max()) if mode == "palette" else 0)
    stored = pixels.astype(">u2") if mode == "gray16" else pixels
    rows = np.ascontiguousarray(stored).view(np.uint8).reshape(height, -1)
    return assembled(height, width, mode, colors, _deflated(rows))


def palette_bytes(palette: npt.ArrayLike | None, mode: Mode, largest: int) -> bytes:
    """Check a palette and return it as it is stored; `largest` is the largest index of the image."""
    if (palette is not None) != (mode == "palette"):
        raise ImageError("a palette is written with palette images, and only with them")
    if palette is None:
        return b""
    colors = np.asarray(palette)
    if colors.ndim != 2 or colors.shape[1] != 3 or not 1 <= len(colors) <= 256 or colors.dtype.kind not in "iu":
        raise ImageError(f"a palette has 1 to 256 colors of three whole numbers, not the shape {colors.shape}")
    if colors.min() < 0 or colors.max() > 255:
        raise ImageError("a color of the palette is outside 0..255")
    if largest >= len(colors):
        raise ImageError(f"the index {largest} has no color in a palette of {len(colors)}")
    return colors.astype(np.uint8).tobytes()


def assembled(height: int, width: int, mode: Mode, colors: bytes, stream: bytes) -> bytes:
    """Return the file with a palette, if there is one, and the zlib stream of its filtered rows."""
    depth = 16 if mode == "gray16" else 8
    parts = [
        SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOR[mode], 0, 0, 0)),
        _chunk(b"PLTE", colors) if colors else b"",
        _chunk(b"IDAT", stream),
        _END,
    ]
    return b"".join(parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return b"".join([struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))])


def _deflated(rows: npt.NDArray[np.uint8]) -> bytes:
    """Return the zlib stream of rows. Rows between empty ones are stored as differences to the row above (filter 2)."""
    height, size = rows.shape
    some = np.flatnonzero(rows.view(np.bool_).any(1))
    top, bottom = (int(some[0]), int(some[-1]) + 1) if some.size else (height, height)
    middle = np.empty((bottom - top, size + 1), np.uint8)
    middle[:, 0] = UP
    middle[:1, 1:] = rows[top : top + 1]
    np.subtract(rows[top + 1 : bottom], rows[top : bottom - 1], out=middle[1:, 1:])
    return between_zeros(top * (size + 1), middle, (height - bottom) * (size + 1))
