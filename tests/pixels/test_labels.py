"""Label maps split into regions and painted again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from formatspec.model.region import Region
from formatspec.pixels import png
from formatspec.pixels.labels import PixelValue, split, zero_region
from formatspec.pixels.painting import compose

REAL = Path(__file__).parents[3] / "shared" / "data" / "ade20k-real"
sizes = st.tuples(st.integers(1, 8), st.integers(1, 8))
maps: dict[png.Mode, st.SearchStrategy[np.ndarray]] = {
    "gray": sizes.flatmap(lambda size: hnp.arrays(np.uint8, size, elements=st.sampled_from([0, 128, 255]))),
    "gray16": sizes.flatmap(lambda size: hnp.arrays(np.uint16, size, elements=st.sampled_from([0, 1, 300, 65535]))),
    "rgb": sizes.flatmap(lambda size: hnp.arrays(np.uint8, (*size, 3), elements=st.sampled_from([0, 1, 255]))),
    "rgba": sizes.flatmap(lambda size: hnp.arrays(np.uint8, (*size, 4), elements=st.sampled_from([0, 255]))),
}
any_map = st.sampled_from(sorted(maps)).flatmap(lambda mode: st.tuples(st.just(mode), maps[mode]))


def paint(rows: Iterable[tuple[Region, PixelValue]], height: int, width: int, mode: png.Mode) -> np.ndarray:
    """Pixels of what is composed; its PNG file says the same."""
    composed = compose(rows, height, width, mode)
    colors = np.arange(768).reshape(256, 3) % 256 if mode == "palette" else None
    read = png.decode(composed.png(colors))
    pixels = composed.pixels()
    assert (read.mode, read.pixels.dtype) == (mode, pixels.dtype)
    assert np.array_equal(read.pixels, pixels)
    return pixels


@given(any_map)
def test_split_finds_every_value_and_paint_puts_it_back(case: tuple[png.Mode, np.ndarray]) -> None:
    mode, pixels = case
    height, width = pixels.shape[:2]
    rows = split(pixels)
    flat = pixels.reshape(height * width, -1).tolist()
    present = {tuple(value) if len(value) > 1 else value[0] for value in flat if any(value)}
    assert [value for value, _ in rows] == sorted(present)
    for value, region in rows:
        same = pixels == np.array(value)
        assert region == Region.from_mask(same.all(2) if same.ndim == 3 else same)
    empty = pixels == 0
    assert zero_region(pixels) == Region.from_mask(empty.all(2) if empty.ndim == 3 else empty)
    painted = paint(((region, value) for value, region in rows), height, width, mode)
    assert painted.dtype == pixels.dtype
    assert np.array_equal(painted, pixels)


@given(any_map, st.lists(st.integers(0, 255), max_size=4), st.data())
def test_regions_are_painted_one_over_the_other(
    case: tuple[png.Mode, np.ndarray], keys: list[int], data: st.DataObject
) -> None:
    mode, pixels = case
    expected, rows = np.zeros_like(pixels), []
    for key in keys:
        mask = data.draw(hnp.arrays(np.bool_, pixels.shape[:2]))
        value = key if pixels.ndim == 2 else (key,) * pixels.shape[2]
        rows.append((Region.from_mask(mask), value))
        expected[mask] = value
    assert np.array_equal(paint(rows, *pixels.shape[:2], mode), expected)


def test_signed_and_bool_maps() -> None:
    assert [value for value, _ in split(np.array([[-1, 0, 7]]))] == [-1, 7]
    assert [value for value, _ in split(np.array([[True, False]]))] == [1]


def test_channels_of_sixteen_bits_are_whole_values() -> None:
    pixels = np.array([[[1, 300, 2], [0, 0, 1]]], np.uint16)
    assert [value for value, _ in split(pixels)] == [(0, 0, 1), (1, 300, 2)]


def test_a_large_map_is_split_as_a_small_one() -> None:
    """More rows than are compared at a time."""
    pixels = np.kron(np.arange(12, dtype=np.uint8).reshape(4, 3), np.ones((300, 400), np.uint8))
    for value, region in split(pixels):
        assert region == Region.from_mask(pixels == value)


def test_later_rows_lie_on_top() -> None:
    rows = [(Region.full(2, 3), 1), (Region.from_crop(np.ones((1, 2), np.bool_), 1, 0, 2, 3), 2)]
    assert paint(rows, 2, 3, "palette").tolist() == [[1, 2, 2], [1, 1, 1]]
    assert not paint([], 2, 3, "rgb").any()


@pytest.mark.parametrize(
    ("value", "mode"),
    [(256, "gray"), (-1, "gray"), (65536, "gray16"), ((1, 2), "rgb"), (1, "rgb"), ((1,) * 3, "rgba")],
)
def test_a_value_that_the_mode_cannot_hold_is_refused(value: int | tuple[int, ...], mode: png.Mode) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        paint([(Region.full(1, 1), value)], 1, 1, mode)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be painted"):
        paint([(Region.full(1, 2), 1)], 2, 1, "gray")
    with pytest.raises(ValueError, match="whole-number"):
        split(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="64 bits"):
        split(np.zeros((2, 2, 3), np.int64))


@pytest.mark.skipif(not REAL.exists(), reason="the real files are not here")
def test_real_files_come_back() -> None:
    for file in sorted(REAL.rglob("*.png")):
        raster = png.decode(file.read_bytes())
        rows = [(region, value) for value, region in split(raster.pixels)]
        painted = paint(rows, *raster.pixels.shape[:2], raster.mode)
        assert np.array_equal(png.decode(png.encode(painted, raster.mode)).pixels, raster.pixels), file
        for region, _ in rows:
            assert Region.from_rings_evenodd(region.to_rings(), region.height, region.width) == region
