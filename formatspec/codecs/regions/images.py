"""Regions as images of their bounding boxes: PNG, or arrays as NumPy writes them."""

from __future__ import annotations

import base64
import io
import math
import random
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.regions.crops import check_inside, check_mask_size, crop_of, fit_crop, placed, value_of_size
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.codecs.text import read_base64
from formatspec.model.limits import limits
from formatspec.pixels.png_header import read_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from formatspec.model.region import Region

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
"""The kind of colours of a PNG with an alpha channel, in its header."""
_AROUND = 1 << 20
"""Bytes of a PNG that are not pixels: texts, a colour profile, a palette."""


@codec("cropped_png")
def cropped_png(arguments: Sequence[Argument], site: Site) -> Codec:
    """`points, mask: region | cropped_png`: [[x1, y1], [x2, y2]], and a PNG of the box between them, in base64.

    The corners are the first and the last pixel inside, counted from 0; a corner with fractions means the pixel that
    contains it. The PNG is 8-bit gray, with 0 outside and 1 inside. Any value but 0 is read as inside.
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

    The PNG is 8-bit gray, with 0 outside and 1 inside. Any value but 0 is read as inside; of a PNG with an alpha
    channel, that channel is read. A PNG that is not compressed once more is read, too.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = crop_of(value, env)
        return values.listed(site, (base64.b64encode(zlib.compress(_to_png(mask))).decode("ascii"), [left, top]))

    def decode(value: Any, env: Env) -> Region:
        spelled, origin = values.sequence(value, 2)
        left, top = (values.integral(c) for c in values.sequence(origin, 2))
        try:
            data = read_base64(spelled)
            data = data if data.startswith(_SIGNATURE) else _unpacked(data, env)
            header = read_header(data)
        except (zlib.error, ValueError) as error:
            raise UnfitError("a compressed PNG", str(error)) from error
        check_inside(left, top, header.width, header.height, env)
        return placed(_from_png(data, header.width, header.height, header.color == _RGBA), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=fit_crop)


_ADDRESS = "data:image/png;base64,"


@codec("png_address")
def png_address(arguments: Sequence[Argument], site: Site) -> Codec:
    """`image: region | png_address`: a PNG of the whole image, as the address "data:image/png;base64,...".

    The PNG has an alpha channel, which is 255 inside and 0 outside; it is black.  Read as inside is where alpha is not
    0, or where a PNG without alpha is not 0.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> str:
        import numpy as np

        from formatspec.pixels import png

        region = value_of_size(value, env)
        pixels = np.zeros((env.height, env.width, 4), np.uint8)
        pixels[..., 3] = region.to_mask().astype(np.uint8) * 255
        return _ADDRESS + base64.b64encode(png.encode(pixels, "rgba")).decode("ascii")

    def decode(value: Any, env: Env) -> Region:
        spelled = values.text(value)
        if not spelled.startswith(_ADDRESS):
            raise UnfitError(f"an address that begins with {_ADDRESS}", spelled[:40])
        mask = _from_png(read_base64(spelled.removeprefix(_ADDRESS)), env.width, env.height, True)
        return placed(mask, 0, 0, env)

    return Codec(encode=encode, decode=decode, needs=frozenset({"size"}), fit=fit_crop)


@codec("stretched_array")
def stretched_array(arguments: Sequence[Argument], site: Site) -> Codec:
    """`box, mask: bbox, region | stretched_array`: [left, top, width, height] in fractions of the image, and a mask.

    The mask is {"$binary": {"base64": ..., "subType": "00"}}, or only the base64 text. It holds a zlib-compressed NumPy
    file (.npy) with a two-dimensional array of any size, which is stretched over the pixels of the box. Any value but 0
    is read as inside. An array of booleans with one value for each pixel is written.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        box, region = values.sequence(value, 2)
        left, top, width, height = _pixels_of(values.coordinates(box), env)
        mask, x, y = crop_of(region, env)
        if x < left or y < top or x + mask.shape[1] > left + width or y + mask.shape[0] > top + height:
            raise UnfitError("a region inside its box", box)
        whole = region.to_mask().astype(bool)[top : top + height, left : left + width]
        packed = base64.b64encode(zlib.compress(_to_array_file(whole))).decode("ascii")
        scaled = [part / size for part, size in zip(box, (env.width, env.height) * 2, strict=True)]
        return values.listed(site, (scaled, {"$binary": {"base64": packed, "subType": "00"}}))

    def decode(value: Any, env: Env) -> tuple[Any, Any]:
        stated, packed = values.sequence(value, 2)
        found = values.coordinates(stated)
        if len(found) != 4:
            raise UnfitError("left, top, width and height", stated)
        box = tuple(part * size for part, size in zip(found, (env.width, env.height) * 2, strict=True))
        left, top, width, height = _pixels_of(box, env)
        text = packed.get("$binary", {}).get("base64") if isinstance(packed, dict) else packed
        try:
            mask = _from_array_file(_unpacked(read_base64(text), env))
        except (zlib.error, ValueError) as error:
            raise UnfitError("a compressed array of two dimensions", str(error)) from error
        return box, placed(_stretched(mask, width, height), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=_fit_boxed)


_NEAR = 1e-6
"""How far a side may be off because of its spelling as a fraction, in pixels."""


def _pixels_of(box: Sequence[float], env: Env) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the pixels that a box touches. Raises UnfitError if there are none."""
    if len(box) != 4:
        raise UnfitError("left, top, width and height", list(box))
    x, y, width, height = box
    left, top = max(0, math.floor(x + _NEAR)), max(0, math.floor(y + _NEAR))
    right, bottom = min(env.width, math.ceil(x + width - _NEAR)), min(env.height, math.ceil(y + height - _NEAR))
    if right <= left or bottom <= top:
        raise UnfitError("a box that holds pixels of the image", list(box))
    return left, top, right - left, bottom - top


def _fit_boxed(value: Any, rng: random.Random, env: Env) -> Any:
    """Return a box around a region that has a pixel."""
    region = fit_crop(value[1] if isinstance(value, tuple) and len(value) == 2 else None, rng, env)
    return (tuple(region.bbox), region)


def _to_array_file(mask: NDArray[np.bool_]) -> bytes:
    import numpy as np

    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(mask), allow_pickle=False)
    return file.getvalue()


def _from_array_file(data: bytes) -> NDArray[np.bool_]:
    """Return the array of a NumPy file as booleans. Raises ValueError if it is none, or has another size."""
    import numpy as np

    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of NumPy's files is not read")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, kind = header(file)
    rest = data[file.tell() :]
    if kind.kind not in "bui" or len(shape) != 2 or math.prod(shape) * kind.itemsize != len(rest) or not rest:
        raise ValueError(f"an array of {kind} and shape {shape} in {len(rest)} bytes")
    array = np.frombuffer(rest, kind).reshape(shape, order="F" if by_columns else "C")
    return np.asarray(array != 0, bool)


def _stretched(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """Return a mask in another size: each pixel has the value of the one that contains its centre."""
    import numpy as np

    rows, columns = (
        ((2 * np.arange(new) + 1) * old // (2 * new)) for new, old in ((height, mask.shape[0]), (width, mask.shape[1]))
    )
    return np.ascontiguousarray(mask[rows][:, columns])


def _unpacked(packed: bytes, env: Env) -> bytes:
    """Decompress a PNG that was compressed again, up to the size that one of this image can need."""
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


def _from_png(data: bytes, width: int, height: int, coloured: bool = False) -> NDArray[np.bool_]:
    """The mask that a PNG of a size shows.  Where colours are allowed, alpha or any channel counts."""
    from formatspec.model.plain.image_error import ImageError
    from formatspec.pixels import png

    check_mask_size(width, height, 4 if coloured else 1)
    try:
        header = read_header(data)
        if (header.width, header.height) != (width, height):
            raise UnfitError(f"a PNG of {width} x {height} pixels", (header.width, header.height))
        pixels = png.decode(data).pixels
    except ImageError as error:
        raise UnfitError("a PNG", str(error)) from error
    if pixels.ndim == 3 and coloured:
        return (pixels[..., 3] if pixels.shape[2] == 4 else pixels.max(axis=2)).astype(bool)
    if pixels.ndim != 2:
        raise UnfitError("a PNG of one channel", pixels.shape)
    return pixels.astype(bool)
