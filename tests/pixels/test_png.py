"""PNG both ways, against Pillow."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from formatspec.model.limits import Limits, set_limits
from formatspec.pixels import containers, png
from formatspec.pixels.painting import KeptRaster, kept

PALETTE = np.arange(768).reshape(256, 3) % 251
SHAPES = {"gray": (), "gray16": (), "palette": (), "rgb": (3,), "rgba": (4,)}


@st.composite
def rasters(draw: st.DrawFn) -> tuple[png.Mode, np.ndarray]:
    mode: png.Mode = draw(st.sampled_from(sorted(SHAPES)))  # type: ignore[assignment]
    size = (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    kind = np.uint16 if mode == "gray16" else np.uint8
    inside = draw(hnp.arrays(kind, size + SHAPES[mode]))
    above, below = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    return mode, np.pad(inside, [(above, below), *[(0, 0)] * (inside.ndim - 1)])


def written(mode: png.Mode, pixels: np.ndarray) -> bytes:
    return png.encode(pixels, mode, PALETTE if mode == "palette" else None)


@given(rasters())
def test_pixels_come_back(raster: tuple[png.Mode, np.ndarray]) -> None:
    mode, pixels = raster
    data = written(mode, pixels)
    read = png.decode(data)
    assert (read.mode, read.pixels.dtype) == (mode, pixels.dtype)
    assert np.array_equal(read.pixels, pixels)
    assert (read.palette is None) == (mode != "palette")
    assert read.palette is None or np.array_equal(read.palette, PALETTE)
    assert png.has_end(data)
    assert written(mode, pixels.copy()) == data


@given(rasters())
def test_other_readers_agree(raster: tuple[png.Mode, np.ndarray]) -> None:
    mode, pixels = raster
    with Image.open(io.BytesIO(written(mode, pixels))) as image:
        assert np.array_equal(np.array(image), pixels)


def test_an_empty_image_is_small_and_right() -> None:
    data = png.encode(np.zeros((1467, 2200), np.uint8), "gray")
    assert len(data) < 6000
    assert not png.decode(data).pixels.any()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_indices_are_kept(bits: int) -> None:
    indices = (np.arange(15).reshape(3, 5) % (1 << bits)).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(PALETTE[: 1 << bits].astype(np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "png", bits=bits, transparency=0)
    read = png.decode(file.getvalue())
    assert png.read_header(file.getvalue()) == png.Header(5, 3, bits, 3)
    assert read.mode == "palette"
    assert np.array_equal(read.pixels, indices)
    assert read.palette is not None
    assert np.array_equal(read.palette[: 1 << bits], PALETTE[: 1 << bits])


@pytest.mark.parametrize(("depth", "values"), [(1, [0, 255]), (2, [0, 85, 170, 255]), (4, list(range(0, 256, 17)))])
def test_gray_of_few_bits_is_scaled(depth: int, values: list[int]) -> None:
    samples = np.arange(1 << depth, dtype=np.uint8)
    packed = np.packbits(np.unpackbits(samples[:, None], axis=1)[:, 8 - depth :].reshape(-1))
    assert png.decode(_file(len(values), 1, depth, 0, b"\0" + packed.tobytes())).pixels.tolist() == [values]


def test_sixteen_bit_color_and_gray_alpha() -> None:
    samples = np.array([[[1, 2, 300], [4, 5, 65535]]], np.uint16)
    read = png.decode(_file(2, 1, 16, 2, b"\0" + samples.astype(">u2").tobytes()))
    assert read.mode == "rgb"
    assert np.array_equal(read.pixels, samples)
    read = png.decode(_file(2, 1, 8, 4, bytes([0, 7, 9, 8, 255])))
    assert (read.mode, read.pixels.tolist()) == ("rgba", [[[7, 7, 7, 9], [8, 8, 8, 255]]])
    with pytest.raises(png.ImageError, match="not supported"):
        png.decode(_file(1, 1, 16, 4, bytes(5)))


def test_interlaced_images_are_read() -> None:
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6)
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    parts = [pixels[y::dy, x::dx] for y, x, dy, dx in passes]
    raw = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    assert np.array_equal(png.decode(_file(6, 5, 8, 0, raw, interlace=1)).pixels, pixels)


def _file(width: int, height: int, depth: int, color: int, raw: bytes, interlace: int = 0) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("mode", sorted(SHAPES))
def test_damage_is_an_image_error(mode: png.Mode) -> None:
    pixels = (np.arange(600) % 7).astype(np.uint16 if mode == "gray16" else np.uint8)
    data = written(mode, np.resize(pixels, (20, 30, *SHAPES[mode])))
    for cut in range(len(data) - 12):
        with pytest.raises(png.ImageError):
            png.decode(data[:cut])
        assert cut < 8 or not png.has_end(data[:cut])
    for place in range(len(data) - 12):
        with pytest.raises(png.ImageError):
            png.decode(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])


def test_too_many_pixels_are_refused_by_the_header() -> None:
    header = png.encode(np.zeros((3, 5), np.uint8), "gray")[:33]
    set_limits({"decoded": 14})
    try:
        with pytest.raises(png.ImageError, match="5 x 3 pixels has a size in bytes of 15, over the limit of 14"):
            png.decode(header)
    finally:
        set_limits(Limits())


def test_a_palette_image_without_palette_is_refused() -> None:
    with pytest.raises(png.ImageError, match="palette"):
        png.decode(_file(1, 1, 8, 3, b"\0\0"))


@pytest.mark.parametrize(
    ("pixels", "mode", "palette"),
    [
        (np.zeros((2, 2), np.int64), "gray", None),
        (np.zeros((2, 2, 4), np.uint8), "rgb", None),
        (np.zeros((0, 2), np.uint8), "gray", None),
        (np.zeros((2, 2), np.uint8), "palette", None),
        (np.zeros((2, 2), np.uint8), "gray", PALETTE),
        (np.full((2, 2), 3, np.uint8), "palette", PALETTE[:3]),
        (np.zeros((2, 2), np.uint8), "palette", PALETTE + 100),
        (np.zeros((2, 2), np.uint8), "palette", [0, 0, 0]),
    ],
)
def test_pixels_that_do_not_fit_their_mode_are_refused(pixels: np.ndarray, mode: png.Mode, palette: object) -> None:
    with pytest.raises(png.ImageError):
        png.encode(pixels, mode, palette)  # type: ignore[arg-type]


def test_the_end_of_a_jpeg_may_be_padded_with_zeros() -> None:
    assert png.has_end(b"\xff\xd8 \xff\xd9")
    assert png.has_end(b"\xff\xd8 \xff\xd9" + bytes(9000))
    assert not png.has_end(b"\xff\xd8 \xff" + bytes(9000))
    assert png.has_end(b"GIF89a")


@pytest.mark.parametrize("mode", ["gray", "gray16", "palette", "rgb", "rgba"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (60, 90)])
def test_an_image_that_is_kept_as_runs_is_encoded_as_its_pixels_are(mode: png.Mode, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    channels = png.CHANNELS[mode]
    kind = np.uint16 if mode == "gray16" else np.uint8
    for share in (0.0, 0.01, 1.0):
        pixels = np.zeros((*shape, channels), kind)
        pixels[rng.random(shape) < share] = rng.integers(1, 200, channels)
        pixels[shape[0] // 2 :, : shape[1] // 2] = 3
        pixels = pixels[..., 0] if channels == 1 else pixels
        colours = rng.integers(0, 256, (200, 3)).astype(np.uint8) if mode == "palette" else None
        held = kept(png.Raster(pixels, mode, colours))
        assert isinstance(held, KeptRaster) or pixels.size < 500
        assert containers.encode_again(held) == png.encode(pixels, mode, colours)


def test_noise_is_kept_as_pixels() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (60, 90)).astype(np.uint8)
    held = kept(png.Raster(noise, "gray"))
    assert isinstance(held, png.Raster)
    assert held.pixels is noise
