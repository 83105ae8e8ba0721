"""Regions as PNG images of their bounding boxes."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.regions.crops import check_inside, check_mask_size, crop_of, fit_crop, placed
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.codecs.text import read_base64
from formatspec.model.limits import limits
from formatspec.pixels.png_header import read_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from formatspec.model.region import Region

_AROUND = 1 << 20
"""Bytes of a PNG that are no pixels: texts, a colour profile, a palette."""


@codec("cropped_png")
def cropped_png(arguments: Sequence[Argument], site: Site) -> Codec:
    """`points, mask: region | cropped_png`: [[x1, y1], [x2, y2]] and a PNG of the box between, in base64.

    The corners are the first and the last pixel inside, counted from 0.  The PNG is 8-bit gray, 0 outside and
    1 inside; read as inside is what is not 0.  Of corners with fractions the pixels that they lie in are meant.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = crop_of(value, env)
        height, width = (int(length) for length in mask.shape)
        corners = [[left, top], [left + width - 1, top + height - 1]]
        return values.listed(site, (corners, base64.b64encode(_to_png(mask)).decode("ascii")))

    def decode(value: Any, env: Env) -> Region:
        corners, spelled = values.sequence(value, 2)
        (left, top), (right, bottom) = (
            tuple(math.floor(values.coordinate(c)) for c in values.sequence(corner, 2))
            for corner in values.sequence(corners, 2)
        )
        width, height = right - left + 1, bottom - top + 1
        if width < 1 or height < 1 or left < 0 or top < 0:
            raise UnfitError("the upper left and the lower right corner", corners)
        check_inside(left, top, width, height, env)
        return placed(_from_png(read_base64(spelled), width, height), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=fit_crop)


@codec("packed_png")
def packed_png(arguments: Sequence[Argument], site: Site) -> Codec:
    """`data, origin: region | packed_png`: a PNG of the bounding box, zlib-compressed, in base64; and [left, top].

    The PNG is 8-bit gray, 0 outside and 1 inside; read as inside is what is not 0.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = crop_of(value, env)
        return values.listed(site, (base64.b64encode(zlib.compress(_to_png(mask))).decode("ascii"), [left, top]))

    def decode(value: Any, env: Env) -> Region:
        spelled, origin = values.sequence(value, 2)
        left, top = (values.integral(c) for c in values.sequence(origin, 2))
        try:
            data = _unpacked(read_base64(spelled), env)
            header = read_header(data)
        except (zlib.error, ValueError) as error:
            raise UnfitError("a compressed PNG", str(error)) from error
        check_inside(left, top, header.width, header.height, env)
        return placed(_from_png(data, header.width, header.height), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=fit_crop)


def _unpacked(packed: bytes, env: Env) -> bytes:
    """A PNG that was compressed once more, unpacked up to what one of the image's size can need."""
    most = min(8 * env.width * env.height + env.height, limits().decoded) + _AROUND
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(packed, most)
    if not unpacking.eof:
        if unpacking.unconsumed_tail:
            raise ValueError(f"it unpacks to more than the {most:,} bytes that {env.width} x {env.height} pixels need")
        raise ValueError("the compressed data stop before their end")
    return data


def _to_png(mask: NDArray[np.bool_]) -> bytes:
    import numpy as np

    from formatspec.pixels import png

    return png.encode(mask.astype(np.uint8), "gray")


def _from_png(data: bytes, width: int, height: int) -> NDArray[np.bool_]:
    from formatspec.model.image_error import ImageError
    from formatspec.pixels import png

    check_mask_size(width, height)
    try:
        header = read_header(data)
        if (header.width, header.height) != (width, height):
            raise UnfitError(f"a PNG of {width} x {height} pixels", (header.width, header.height))
        pixels = png.decode(data).pixels
    except ImageError as error:
        raise UnfitError("a PNG", str(error)) from error
    if pixels.ndim != 2:
        raise UnfitError("a PNG of one channel", pixels.shape)
    return pixels.astype(bool)
