"""Paints regions over each other, and keeps the visible runs; pixels and PNG files are made of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from formatspec.model.limits import check_limit
from formatspec.model.region import Region
from formatspec.model.runs import Ints, Pixels, common, join, nonzero_runs, rows_first, topmost, within_columns
from formatspec.pixels.deflate import between_zeros
from formatspec.pixels.labels import PixelValue
from formatspec.pixels.png import CHANNELS, UP, Mode, Raster, assembled, palette_bytes

if TYPE_CHECKING:
    import numpy.typing as npt

_LARGEST: dict[Mode, int] = {"gray": 255, "gray16": 65535, "palette": 255, "rgb": 255, "rgba": 255}


class Painting(msgspec.Struct, frozen=True):
    """An image of `mode` that is 0 except in ordered, disjoint runs of one value, in column-major order.

    Attributes:
        keys: The values, each as one number whose lowest byte is the first channel.
        layers: Which of the painted regions each run shows.
    """

    height: int
    width: int
    mode: Mode
    starts: Ints
    stops: Ints
    keys: Ints
    layers: Ints

    def seen(self, count: int) -> list[int]:
        """Return how many pixels of each of the first `count` regions are visible."""
        found = np.bincount(self.layers, self.stops - self.starts, count)  # whole numbers below 2^53 add up exactly
        return [int(pixels) for pixels in found.tolist()]

    def seen_of(self, regions: Sequence[Region], layers: Sequence[int]) -> list[int]:
        """Return how many pixels of each of some regions show a layer, which is given for each of them."""
        total = self.height * self.width
        order = np.argsort(self.layers, kind="stable")  # the layers stand one behind the other, as if in one long image
        runs = np.stack([self.starts, self.stops], 1)[order] + (self.layers[order] * total)[:, None]
        behind = [region.bounds + layer * total for region, layer in zip(regions, layers, strict=True)]
        return common(runs.reshape(-1), behind)

    def values(self) -> set[PixelValue]:
        """Return the values that pixels have, without the 0 of unpainted ones."""
        channels = CHANNELS[self.mode]
        few = channels == 1 and self.keys.size
        found = (np.flatnonzero(np.bincount(self.keys)) if few else np.unique(self.keys)).tolist()
        if channels == 1:
            return set(found)
        return {tuple(key >> 8 * place & 255 for place in range(channels)) for key in found}

    def seen_region(self, layer: int) -> Region:
        """Return the visible pixels of one of the regions."""
        own = self.layers == layer
        return Region(self.height, self.width, join(self.starts[own], self.stops[own]))

    def pixels(self) -> Pixels:
        """Return the pixels: uint8 (uint16 for gray16), (h, w), or (h, w, 3 or 4) for rgb and rgba."""
        channels = CHANNELS[self.mode]
        kind = "<u4" if channels > 1 else "<u2" if self.mode == "gray16" else "u1"
        check_limit("decoded", self.height * self.width * channels, "an image that is written has a size in bytes of")
        edges = np.stack([self.starts, self.stops], 1).reshape(-1)
        keys = np.zeros(edges.size + 1, kind)
        keys[1::2] = self.keys
        flat = np.repeat(keys, np.diff(edges, prepend=0, append=self.height * self.width))
        rows = rows_first(flat, self.width, self.height)
        if channels == 1:
            return rows.astype(rows.dtype.newbyteorder("="), copy=False)
        return np.ascontiguousarray(rows.view(np.uint8).reshape(self.height, self.width, 4)[..., :channels])

    def png(self, palette: npt.ArrayLike | None = None) -> bytes:
        """Return PNG bytes, the same for the same runs; `palette` as for png.encode."""
        colors = palette_bytes(palette, self.mode, int(self.keys.max(initial=0)) if self.mode == "palette" else 0)
        return assembled(self.height, self.width, self.mode, colors, self._stream())

    def _stream(self) -> bytes:
        """Return the zlib stream of rows stored as differences to the row above: a run appears only at its ends."""
        values = _stored(self.keys, self.mode)
        depth = values.shape[1]
        size = self.width * depth + 1
        run, column, starts, stops = within_columns(self.starts, self.stops, self.height)
        first, last = starts - column * self.height, stops - column * self.height
        top, bottom = int(first.min(initial=self.height)), int(last.max(initial=0))
        bottom = max(top, bottom)
        check_limit("decoded", (bottom - top) * size, "an image that is written has a size in bytes of")
        middle = np.zeros((bottom - top, size), np.uint8)
        middle[:, 0] = UP
        flat, left = middle.reshape(-1), column * depth + 1
        ends = np.flatnonzero(last < bottom)  # rows below are stored without differences
        for place in range(depth):
            flat[(first - top) * size + left + place] = values[run, place]
            flat[((last - top) * size + left + place)[ends]] -= values[run[ends], place]
        return between_zeros(top * size, middle, (self.height - bottom) * size)


class KeptRaster(msgspec.Struct, frozen=True):
    """A decoded image kept as the runs of its pixels, from which the same file is encoded as from the pixels."""

    painting: Painting
    palette: npt.NDArray[np.uint8] | None = None


def kept(raster: Raster) -> Raster | KeptRaster:
    """An image in the form that takes less memory: as its runs, or as it is where it has very many of them."""
    pixels, mode = raster.pixels, raster.mode
    if not pixels.size or pixels.dtype != (np.uint16 if mode == "gray16" else np.uint8):
        return raster
    starts, stops, values = nonzero_runs(pixels)
    if starts.size * _RUN_SIZE >= pixels.nbytes:
        return raster
    keys = values if values.ndim == 1 else values @ np.array([1 << 8 * at for at in range(values.shape[1])], np.int64)
    height, width = pixels.shape[:2]
    layers = np.zeros(0, np.int64)
    return KeptRaster(Painting(height, width, mode, starts, stops, keys, layers), raster.palette)


_RUN_SIZE = 24
"""Bytes that a run takes."""


def _stored(keys: Ints, mode: Mode) -> npt.NDArray[np.uint8]:
    """Return values as PNG stores them, a row of bytes each."""
    if mode == "gray16":
        return keys.astype(">u2").view(np.uint8).reshape(-1, 2)
    return keys.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : CHANNELS[mode]]


def compose(rows: Iterable[tuple[Region, PixelValue]], height: int, width: int, mode: Mode) -> Painting:
    """Paint regions over each other, later ones on top.

    Raises:
        ValueError: A region has another size, or the mode cannot hold a value.
    """
    layers, keys = [], []
    for region, value in rows:
        keys.append(_packed(value, mode))
        if (region.height, region.width) != (height, width):
            raise ValueError(
                f"a region of {region.height} rows and {region.width} columns cannot be painted on an image "
                f"of {height} rows and {width} columns"
            )
        layers.append(region.bounds)
    starts, stops, shown = topmost(layers)
    return Painting(height, width, mode, starts, stops, np.array(keys, np.int64)[shown], shown)


def _packed(value: PixelValue, mode: Mode) -> int:
    """Return a value as one number, its first channel lowest."""
    parts = value if isinstance(value, tuple) else (value,)
    if len(parts) != CHANNELS[mode] or not all(0 <= part <= _LARGEST[mode] for part in parts):
        raise ValueError(f"a pixel of mode {mode} cannot hold the value {value}")
    return sum(int(part) << 8 * place for place, part in enumerate(parts))
