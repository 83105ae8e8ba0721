"""Palettes that many index masks share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def palette_color(index: int) -> tuple[int, int, int]:
    """The RGB color of an index, its bits dealt to R, G and B in turn, the lowest ones to the highest bits.

    >>> [palette_color(index) for index in (0, 1, 2, 15, 255)]
    [(0, 0, 0), (128, 0, 0), (0, 128, 0), (192, 128, 128), (224, 224, 192)]

    ValueError for an index outside 0..16777215, which has no color of its own.
    """
    if not 0 <= index < 1 << 24:
        raise ValueError(f"no color for index {index}: the palette has 16777216")
    red = green = blue = 0
    for place in range(8):
        red |= (index >> 3 * place & 1) << 7 - place
        green |= (index >> 3 * place + 1 & 1) << 7 - place
        blue |= (index >> 3 * place + 2 & 1) << 7 - place
    return red, green, blue


@cache
def bits(n: int = 256) -> npt.NDArray[np.uint8]:
    """Return the first `n` colors of `palette_color`: uint8 (n, 3), read-only."""
    import numpy as np

    colors = np.array([palette_color(index) for index in range(n)], np.uint8).reshape(n, 3)
    colors.flags.writeable = False
    return colors
