"""Label images in BMP files and in texts of numbers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from formatspec.model.plain.image_error import ImageError
from formatspec.pixels import containers, png

sizes = st.tuples(st.integers(1, 7), st.integers(1, 7))
colors = sizes.flatmap(lambda size: hnp.arrays(np.uint8, (*size, 3)))
numbers = sizes.flatmap(lambda size: hnp.arrays(np.uint16, size))


@given(colors)
def test_a_bmp_comes_back_and_others_read_it(pixels: np.ndarray) -> None:
    data = containers.encode(pixels, "rgb", path="a_GT.bmp")
    raster = containers.decode(data)
    assert (raster.mode, raster.pixels.tolist()) == ("rgb", pixels.tolist())
    assert np.array(Image.open(io.BytesIO(data))).tolist() == pixels.tolist()
    header = containers.read_header(data)
    assert (header.height, header.width, header.color) == (*pixels.shape[:2], 2)
    assert containers.is_whole(data)
    assert not containers.is_whole(data[:-1])


@given(colors, st.sampled_from(["RGB", "P", "L"]))
def test_bmps_of_others_are_read(pixels: np.ndarray, mode: str) -> None:
    image = Image.fromarray(pixels).convert(mode)
    out = io.BytesIO()
    image.save(out, "BMP")
    raster = containers.decode(out.getvalue())
    assert raster.pixels.tolist() == np.array(image).tolist()
    if raster.palette is not None:
        assert raster.palette[raster.pixels].tolist() == np.array(image.convert("RGB")).tolist()


@given(numbers)
def test_a_text_of_numbers_comes_back(pixels: np.ndarray) -> None:
    data = containers.encode(pixels, "gray16", path="a.txt")
    raster = containers.decode(data)
    assert (raster.mode, raster.pixels.tolist()) == ("gray16", pixels.tolist())
    assert containers.read_header(data).height == pixels.shape[0]


def test_numbers_may_be_spelled_as_fractions() -> None:
    assert containers.decode(b"1.0 2e0\n3 0\n").pixels.tolist() == [[1, 2], [3, 0]]


@pytest.mark.parametrize(
    "data", [b"1 2\n3\n", b"1 x\n", b"1.5 2\n", b"70000\n", b"1 1e\n", b"BM", b"BM" + bytes(60), b""]
)
def test_what_is_no_label_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        containers.decode(data)


def test_a_bmp_cut_short_is_refused() -> None:
    with pytest.raises(ImageError, match="ends before its pixels"):
        containers.decode(containers.encode(np.zeros((3, 3, 3), np.uint8), "rgb", path=".bmp")[:-1])


def test_only_colours_are_written_as_bmp() -> None:
    with pytest.raises(ImageError):
        containers.encode(np.zeros((3, 3), np.uint8), "gray", path="a.bmp")


def test_anything_else_is_png() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert containers.decode(containers.encode(pixels, "gray", path="a.png")).pixels.tolist() == pixels.tolist()
    assert containers.encode(pixels, "gray") == png.encode(pixels, "gray")
