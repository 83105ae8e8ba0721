"""Splits label maps into one region per value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from formatspec.model.region import Region
from formatspec.model.runs import Pixels, by_key, complement, join, nonzero_runs

if TYPE_CHECKING:
    import numpy.typing as npt

PixelValue = int | tuple[int, ...]


def split(pixels: Pixels) -> list[tuple[PixelValue, Region]]:
    """Return the region of every value but zero, sorted by value.

    `pixels` is bool or integer, (h, w) with int values, or (h, w, c) with tuples of c ints. Channels are unsigned and
    have at most 64 bits together; ValueError otherwise.
    """
    _check(pixels)
    height, width = pixels.shape[:2]
    if pixels.size <= _SMALL:
        keys = pixels if pixels.ndim == 2 else _as_numbers(pixels)
        flat = keys.T.ravel()
        starts = np.concatenate((_ZERO, np.flatnonzero(flat[1:] != flat[:-1]) + 1)) if flat.size else _ZERO[:0]
        stops = np.append(starts[1:], flat.size)
        keys = flat[starts]
        some = keys != 0
        starts, stops, keys = starts[some], stops[some], keys[some]
        values = pixels[starts % height, starts // height] if flat.size else keys
    else:
        starts, stops, values = nonzero_runs(pixels)
        keys = _keys(values)
    found = by_key(starts, stops, keys)
    told = values[[place for place, _ in found]].tolist() if found else []
    return [
        (tuple(value) if isinstance(value, list) else int(value), Region.of_runs(height, width, bounds))
        for value, (_, bounds) in zip(told, found, strict=True)
    ]


_SMALL = 1 << 14
"""Samples of an image whose columns are put one behind the other faster than runs are found in its rows."""
_ZERO = np.zeros(1, np.int64)


def _as_numbers(pixels: Pixels) -> npt.NDArray[np.uint64]:
    """Pixels of several channels, each as one number, in the order of the values."""
    channels, bits = pixels.shape[2], 8 * pixels.dtype.itemsize
    return pixels @ np.array([1 << bits * place for place in reversed(range(channels))], np.uint64)


def zero_region(pixels: Pixels) -> Region:
    """Return the pixels that `split` leaves out: value 0, or 0 in every channel."""
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
    """Return one number for each value, in the order of the values."""
    if values.ndim == 1:
        return values
    keys = np.zeros(len(values), np.uint64)
    for channel in values.T:
        keys = keys << np.uint64(8 * values.dtype.itemsize) | channel
    return keys
