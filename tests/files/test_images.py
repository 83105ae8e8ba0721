"""Image headers and re-encoding, against Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from formatspec.files.images import (
    ImageError,
    ImageInfo,
    probe,
    probe_ends,
    probe_file,
    probe_whole,
    read_pixels,
    transcode,
    usual_extension,
)
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.pixels import png

PICTURE = (np.arange(20 * 30 * 3) % 251).astype(np.uint8).reshape(20, 30, 3)


def saved(pixels: np.ndarray, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x112] = orientation
    return exif


@pytest.mark.parametrize("form", ["png", "jpeg", "bmp", "gif", "tiff", "webp", "ppm"])
def test_the_header_says_what_the_image_is(form: str, tmp_path: Path) -> None:
    data = saved(PICTURE, form)
    assert probe(data) == ImageInfo(30, 20, 3, 1, form)
    (tmp_path / "image").write_bytes(data)
    assert probe_file(tmp_path / "image") == probe(data)


@pytest.mark.parametrize("form", ["png", "jpeg", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_told_and_not_applied(form: str, orientation: int) -> None:
    options = {} if form == "jpeg" else {"lossless": True}
    data = saved(PICTURE, form, exif=turned(orientation), **options)
    assert probe(data) == ImageInfo(30, 20, 3, orientation, form)
    pixels = read_pixels(data)
    assert pixels.shape == PICTURE.shape
    assert form == "jpeg" or np.array_equal(pixels, PICTURE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_transcoded_image_is_shown_alike(orientation: int) -> None:
    data = saved(PICTURE, "png", exif=turned(orientation))
    shown = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    with Image.open(io.BytesIO(transcode(data, ".tif"))) as image:
        assert np.array_equal(np.array(ImageOps.exif_transpose(image)), shown)
    assert probe(transcode(data, ".jpg")).orientation == orientation


@pytest.mark.parametrize(("order", "word"), [("<", b"II*\0"), (">", b"MM\0*")])
def test_both_byte_orders_of_exif(order: str, word: bytes) -> None:
    exif = turned(8)
    exif.endian = order
    data = saved(PICTURE, "jpeg", exif=exif)
    assert word in data
    assert probe(data).orientation == 8


@pytest.mark.parametrize(
    ("pixels", "form", "channels"),
    [
        (PICTURE[..., 0], "png", 1),
        (PICTURE[..., 0], "jpeg", 1),
        (np.dstack([PICTURE, PICTURE[..., :1]]), "png", 4),
        (PICTURE[..., 0].astype(np.uint16), "png", 1),
        (PICTURE[..., :2], "png", 2),
    ],
)
def test_channels(pixels: np.ndarray, form: str, channels: int) -> None:
    assert probe(saved(pixels, form)).channels == channels


def test_a_frame_header_beyond_the_first_block(tmp_path: Path) -> None:
    data = saved(PICTURE, "jpeg", progressive=True, comment=b"x" * 60000, icc_profile=bytes(300_000))
    assert data.index(b"\xff\xc2") > 1 << 16
    (tmp_path / "image.jpg").write_bytes(data)
    assert probe_file(tmp_path / "image.jpg") == ImageInfo(30, 20, 3, 1, "jpeg")


def test_exif_beyond_the_first_block_of_a_png(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(200_000)
    (tmp_path / "image.png").write_bytes(saved(PICTURE, "png", icc_profile=noise, exif=turned(3)))
    assert probe_file(tmp_path / "image.png").orientation == 3


@pytest.mark.parametrize("extension", [".jpg", "png", ".BMP", ".tiff", ".webp"])
def test_transcode_writes_the_format_asked_for(extension: str) -> None:
    data = saved(PICTURE, "gif")
    written = transcode(data, extension)
    assert probe(written).format == {"jpg": "jpeg"}.get(extension.strip(".").lower(), extension.strip(".").lower())
    assert read_pixels(written).shape == PICTURE.shape
    assert transcode(written, extension) == written


def test_alpha_is_dropped_only_where_it_hides_nothing() -> None:
    opaque = np.dstack([PICTURE, np.full((20, 30), 255, np.uint8)])
    assert probe(transcode(saved(opaque, "png"), ".jpg")).channels == 3
    opaque[0, 0, 3] = 254
    with pytest.raises(ImageError, match="transparent"):
        transcode(saved(opaque, "png"), ".jpg")


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\xff\xd8", b"\xff\xd8\xff\xe0\0\x10", b"\x89PNG\r\n\x1a\n" + bytes(60)]
)
def test_what_is_no_image_is_an_image_error(data: bytes, tmp_path: Path) -> None:
    for read in (probe, read_pixels):
        with pytest.raises(ImageError):
            read(data)
    with pytest.raises(ImageError):
        transcode(data, ".png")
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(ImageError):
        probe_file(tmp_path / "image")


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_any_cut_of_a_header_is_an_image_error_or_told_right(form: str) -> None:
    data = saved(PICTURE, form, exif=turned(6))
    for cut in range(len(data)):
        try:
            info = probe(data[:cut])
        except ImageError:
            continue
        assert (info.width, info.height) == (30, 20)


@pytest.mark.parametrize("form", ["png", "jpeg", "gif"])
@pytest.mark.parametrize("behind", [b"", b"of a tool's own"])
def test_the_ends_of_an_image_tell_what_all_of_it_does_or_nothing(form: str, behind: bytes) -> None:
    data = saved(PICTURE, form, exif=turned(6)) + behind
    told = 0
    for cut in range(len(data) + 1):
        whole = data[:cut]
        for size in (20, 60, 400, 1 << 14):
            info = probe_ends(whole[:size], whole[-size:])
            assert info is None or (info, False) == probe_whole(whole)
            told += info is not None
    assert bool(told) == (form != "gif")


def test_a_missing_file_and_a_strange_extension(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        probe_file(tmp_path / "none.png")
    with pytest.raises(ImageError, match="no image format"):
        transcode(saved(PICTURE, "png"), ".doc")


@pytest.mark.parametrize(
    ("extension", "usual"),
    [(".JPEG", ".jpg"), (".jpe", ".jpg"), (".jfif", ".jpg"), (".TIFF", ".tif"), (".png", ".png"), (".exr", ".exr")],
)
def test_extensions_of_one_kind_have_one_that_is_usual(extension: str, usual: str) -> None:
    assert usual_extension(extension) == usual


@pytest.mark.parametrize("extension", sorted(IMAGE_EXTENSIONS))
def test_every_extension_of_an_image_is_written_or_refused_with_its_name(extension: str) -> None:
    """A path template takes these extensions, so that a conversion may ask for any of them."""
    try:
        assert probe(transcode(saved(PICTURE, "png"), extension)).width == PICTURE.shape[1]
    except ImageError as error:
        assert f"cannot be written as {usual_extension(f'.{extension}')}" in str(error)


def test_a_header_that_the_standard_does_not_know_is_refused_by_the_look_and_by_the_decoder() -> None:
    data = bytearray(saved(PICTURE, "png"))
    data[24] = 3
    for look in (probe, png.read_header, png.decode):
        with pytest.raises(ImageError, match="3 bits a sample"):
            look(bytes(data))
