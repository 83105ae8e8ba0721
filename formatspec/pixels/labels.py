"""Splits label maps into one region per value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from formatspec.model.region import Region
from formatspec.model.runs import Pixels, complement, join, nonzero_runs

if TYPE_CHECKING:
    import numpy.typing as npt

PixelValue = int | tuple[int, ...]


def split(pixels: Pixels) -> list[tuple[PixelValue, Region]]:
    """Return the region of every value but zero, sorted by value.

    `pixels` is bool or integer, (h, w) with int values, or (h, w, c) with tuples of c ints. Channels are unsigned and
    have at most 64 bits together; ValueError otherwise.
    """
    _check(pixels)
    starts, stops, values = nonzero_runs(pixels)
    if not starts.size:
        return []
    keys = _keys(values)
    order = np.argsort(keys, kind="stable")
    starts, stops, keys = starts[order], stops[order], keys[order]
    new = np.append(True, keys[1:] != keys[:-1])
    begins = new | np.append(True, starts[1:] != stops[:-1])  # touching runs of one value are one run
    bounds = np.stack([starts[begins], stops[np.append(begins[1:], True)]], 1).reshape(-1)
    first = np.flatnonzero(new)
    cuts = 2 * np.append(np.cumsum(begins)[first] - 1, np.count_nonzero(begins))
    height, width = pixels.shape[:2]
    return [
        (tuple(value) if isinstance(value, list) else int(value), Region(height, width, bounds[a:b]))
        for value, a, b in zip(values[order[first]].tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
    ]


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
