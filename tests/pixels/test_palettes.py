"""The bit-interleaved palette."""

from __future__ import annotations

import pytest

from formatspec.pixels.palettes import bits, palette_color


def test_the_classic_colors() -> None:
    assert bits().shape == (256, 3)
    assert bits(22)[[0, 1, 2, 3, 4, 15, 20, 21]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [192, 128, 128],
        [0, 64, 128],
        [128, 64, 128],
    ]
    assert palette_color(255) == (224, 224, 192)


def test_no_two_indices_share_a_color() -> None:
    assert len({palette_color(index) for index in range(5000)}) == 5000
    with pytest.raises(ValueError, match="no color"):
        palette_color(-1)
