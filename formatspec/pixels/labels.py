"""Label maps: pixels to one region per value, and regions painted to pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from formatspec.model.region import Region
from formatspec.model.runs import Ints, Pixels, complement, join, nonzero_runs, rows_first
from formatspec.pixels.png import CHANNELS, Mode

if TYPE_CHECKING:
    import numpy.typing as npt

Value = int | tuple[int, ...]

_LARGEST: dict[Mode, int] = {"gray": 255, "gray16": 65535, "palette": 255, "rgb": 255, "rgba": 255}


def split(pixels: Pixels) -> list[tuple[Value, Region]]:
    """The region of every value but zero, sorted by value.

    `pixels` is bool or integer, (h, w) with int values, or (h, w, c) with tuples of c ints; channels are
    unsigned and have at most 64 bits together.  ValueError otherwise.
    """
    _check(pixels)
    starts, stops, values = nonzero_runs(pixels)
    if not starts.size:
        return []
    keys = _keys(values)
    order = np.argsort(keys, kind="stable")
    starts, stops, keys = starts[order], stops[order], keys[order]
    new = np.append(True, keys[1:] != keys[:-1])
    begins = new | np.append(True, starts[1:] != stops[:-1])  # runs of one value that touch are one run
    bounds = np.stack([starts[begins], stops[np.append(begins[1:], True)]], 1).reshape(-1)
    first = np.flatnonzero(new)
    cuts = 2 * np.append(np.cumsum(begins)[first] - 1, np.count_nonzero(begins))
    height, width = pixels.shape[:2]
    return [
        (tuple(value) if isinstance(value, list) else int(value), Region(height, width, bounds[a:b]))
        for value, a, b in zip(values[order[first]].tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
    ]


def zero_region(pixels: Pixels) -> Region:
    """The pixels that `split` leaves out: value 0, or 0 in every channel."""
    _check(pixels)
    starts, stops, _ = nonzero_runs(pixels)
    height, width = pixels.shape[:2]
    return Region(height, width, complement(join(starts, stops), height * width))


def _check(pixels: Pixels) -> None:
    kind, size = pixels.dtype.kind, pixels.dtype.itemsize
    if pixels.ndim not in (2, 3) or kind not in "bui":
        raise ValueError(f"a label map is a whole-number array (h, w) or (h, w, c), not {pixels.ndim}-D {kind!r}")
    if pixels.ndim == 3 and (kind == "i" or size * pixels.shape[2] > 8):
        raise ValueError("the channels of a label map are unsigned and have at most 64 bits together")


def _keys(values: Pixels) -> npt.NDArray[Any]:
    """One number per value, in the order of the values."""
    if values.ndim == 1:
        return values
    keys = np.zeros(len(values), np.uint64)
    for channel in values.T:
        keys = keys << np.uint64(8 * values.dtype.itemsize) | channel
    return keys


def paint(rows: Iterable[tuple[Region, Value]], height: int, width: int, mode: Mode) -> Pixels:
    """Regions painted one over the other, later ones on top; the rest is 0.

    Returns uint8 (uint16 for gray16), (h, w), or (h, w, 3 or 4) for rgb and rgba.  ValueError for a region of
    another size and for a value that the mode cannot hold.
    """
    painted = [(region, _packed(value, mode)) for region, value in rows]
    for region, _ in painted:
        if (region.height, region.width) != (height, width):
            raise ValueError(
                f"a region of {region.height} rows and {region.width} columns cannot be painted on an image "
                f"of {height} rows and {width} columns"
            )
    channels = CHANNELS[mode]
    kind = "<u4" if channels > 1 else "<u2" if mode == "gray16" else "u1"
    left, top, right, bottom = _extent(painted)
    tall = bottom - top
    strip = np.zeros((right - left) * tall, kind)
    for region, key in painted:
        bounds = _inside(region.bounds, height, left, top, tall)
        for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
            strip[start:stop] = key
    crop = rows_first(strip, right - left, tall)
    if channels == 1:
        pixels = np.zeros((height, width), strip.dtype.newbyteorder("="))
        pixels[top:bottom, left:right] = crop
        return pixels
    colors = np.zeros((height, width, channels), np.uint8)
    parts = crop.view(np.uint8).reshape(tall, right - left, 4)
    for channel in range(channels):  # one at a time: far faster than a copy whose innermost axis is 3 long
        colors[top:bottom, left:right, channel] = parts[..., channel]
    return colors


def _packed(value: Value, mode: Mode) -> int:
    """A value as one number, its first channel lowest."""
    parts = value if isinstance(value, tuple) else (value,)
    if len(parts) != CHANNELS[mode] or not all(0 <= part <= _LARGEST[mode] for part in parts):
        raise ValueError(f"a pixel of mode {mode} cannot hold the value {value}")
    return sum(int(part) << 8 * place for place, part in enumerate(parts))


def _extent(painted: list[tuple[Region, int]]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) around all regions."""
    boxes = [box for region, _ in painted if (box := region.bbox)]
    if not boxes:
        return 0, 0, 0, 0
    left, top = min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes)
    return left, top, max(x + w for x, _, w, _ in boxes), max(y + h for _, y, _, h in boxes)


def _inside(bounds: Ints, height: int, left: int, top: int, tall: int) -> list[int]:
    """Bounds as offsets in a column-major box, which holds them all."""
    last = np.arange(bounds.size) % 2  # a stop moves with the pixel before it
    column, row = np.divmod(bounds - last, max(height, 1))
    offsets: list[int] = ((column - left) * tall + row - top + last).tolist()
    return offsets
