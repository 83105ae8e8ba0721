"""Image files: reads their size from the header alone, decodes their pixels, and encodes them in other formats."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from formatspec.model.image_pixels import BEGINNING, no_image
from formatspec.model.limits import TooLargeError, check_decoded
from formatspec.model.plain.image_error import ImageError as ImageError
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.pixels.png_header import CHANNELS, HEADER_SIZE, SIGNATURE, read_header

if TYPE_CHECKING:
    import numpy.typing as npt

T = TypeVar("T")
_JPEG = b"\xff\xd8"
_PNG_END, _JPEG_END = b"IEND", b"\xff\xd9"
_TAIL = 12
"""How many bytes at the end of a complete image contain its last mark."""
_PALETTE_MODES = {"P": 3, "PA": 4}
_ORIENTATION = 0x112
_HEAD = 1 << 16
_SAME = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif"}
_OPAQUE_FORMATS = {".jpg", ".bmp", ".ppm", ".pgm", ".pnm"}


TURNED = 5
"""The first of the EXIF orientations that swap width and height."""


class ImageInfo(NamedTuple):
    """A header's facts: size as stored in pixels, channels (3 for a palette), EXIF orientation, format."""

    width: int
    height: int
    channels: int
    orientation: int
    format: str

    @property
    def as_displayed(self) -> tuple[int, int] | None:
        """Width and height after the EXIF rotation; None if they equal the stored ones."""
        return (self.height, self.width) if self.orientation >= TURNED and self.width != self.height else None


# -- headers -------------------------------------------------------------------------------------------------


def probe(data: bytes) -> ImageInfo:
    """Return what an image's header says; no pixel is decoded. Raises ImageError if it cannot be read."""
    if data[:8] == SIGNATURE:
        return _png_info(data)[0]
    if data[:2] == _JPEG:
        info = _jpeg_info(data)
        if info is None:
            raise ImageError("the JPEG image ends before its frame header")
        return info
    return _other_info(io.BytesIO(data))


def probe_file(path: PathLike[str] | str) -> ImageInfo:
    """Do the same as `probe`, reading no more of the file than needed. ImageError also if the file cannot be read."""
    return _opened(path, _probed)


def probe_whole(image: PathLike[str] | str | bytes) -> tuple[ImageInfo, bool]:
    """Do the same as `probe`, and return whether a JPEG or PNG image ends too early.

    An image is only decoded if its last bytes are unusual; some tools append bytes of their own.
    """

    def probed(file: IO[bytes]) -> tuple[ImageInfo, bool]:
        return _probed(file), _is_cut_short(file)

    return probed(io.BytesIO(image)) if isinstance(image, bytes) else _opened(image, probed)


def probe_ends(first: bytes, last: bytes) -> ImageInfo | None:
    """Return what `probe_whole` says of a complete PNG or JPEG image, from its first and last bytes alone.

    The result is None if these bytes are not enough.
    """
    try:
        if first[:2] == _JPEG:
            return _jpeg_info(first) if _JPEG_END in last[-_TAIL:] else None
        if first[:8] != SIGNATURE or _PNG_END not in last[-_TAIL:]:
            return None
        info, seen = _png_info(first)
    except ImageError:
        return None
    return info if seen else None


def _opened(path: PathLike[str] | str, look: Callable[[IO[bytes]], T]) -> T:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # a Path would take longer than to look
            return look(file)
    except OSError as error:
        raise ImageError(f"the file cannot be read: {error.strerror or error}") from error


def _probed(file: IO[bytes]) -> ImageInfo:
    data = file.read(_HEAD)
    if data[:8] != SIGNATURE and data[:2] != _JPEG:
        file.seek(0)
        return _other_info(file)
    while not _is_enough(data) and (more := file.read(max(_HEAD, len(data)))):
        data += more
    return probe(data)


def _is_cut_short(file: IO[bytes]) -> bool:
    file.seek(0)
    head = file.read(8)
    file.seek(-min(_TAIL, file.seek(0, io.SEEK_END)), io.SEEK_END)
    tail = file.read()
    ends = {SIGNATURE: _PNG_END, _JPEG: _JPEG_END}
    end = next((mark for start, mark in ends.items() if head.startswith(start)), None)
    if end is None or end in tail:
        return False
    file.seek(0)
    try:
        read_pixels(file.read())
    except TooLargeError:
        return False  # this cannot be known
    except ImageError:
        return True
    return False


def _is_enough(data: bytes) -> bool:
    return _png_info(data)[1] if data[:8] == SIGNATURE else _jpeg_info(data) is not None


def _png_info(data: bytes) -> tuple[ImageInfo, bool]:
    """Return what a PNG's header says, and whether all chunks before the pixels are among the bytes."""
    header = read_header(data)
    orientation, place, done = 1, HEADER_SIZE, False
    while not done and len(name := data[place + 4 : place + 8]) == 4:
        done = name in (b"IDAT", b"IEND")
        length = 0 if done else int.from_bytes(data[place : place + 4], "big")
        if name == b"eXIf":
            orientation = _exif_orientation(data[place + 8 : place + 8 + length])
        place += 12 + length
    return ImageInfo(header.width, header.height, CHANNELS[header.color], orientation, "png"), done


def _jpeg_info(data: bytes) -> ImageInfo | None:
    """Return None if the bytes end before the frame header. Source: ITU-T T.81, annex B."""
    place, orientation = 2, 1
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise ImageError(f"the JPEG image has no marker where one must be, at byte {place}")
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a body
            place += 2
            continue
        if marker in (0xD9, 0xDA):
            raise ImageError("the JPEG image has no frame header before its data")
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2:
            raise ImageError(f"the JPEG image has a segment of {length} bytes, at byte {place}")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if place + 10 > len(data):
                return None
            height, width, channels = struct.unpack_from(">HHB", data, place + 5)
            if not height or not width:
                raise ImageError(f"the JPEG header states a size of {width} x {height}")
            return ImageInfo(width, height, channels, orientation, "jpeg")
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            orientation = _exif_orientation(data[place + 10 : place + 2 + length])
        place += 2 + length
    return None


def _exif_orientation(tiff: bytes) -> int:
    """Return tag 0x112 of the first directory; 1 if it is missing or the block is damaged."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, place)
        if tag == _ORIENTATION:
            (value,) = struct.unpack_from(order + ("I" if kind == 4 else "H"), tiff, place + 8)
            return value if 1 <= value <= 8 else 1
    return 1


def _other_info(file: IO[bytes]) -> ImageInfo:
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
            channels = _PALETTE_MODES.get(image.mode, len(image.getbands()))
            tag = image.getexif().get(_ORIENTATION, 1)
            orientation = tag if tag in range(1, 9) else 1
            width, height = image.size
            if image.format == "TIFF" and orientation > 4:  # the library gives the size after the rotation
                width, height = height, width
            return ImageInfo(width, height, channels, orientation, (image.format or "").lower())
    except Exception as error:  # Pillow raises many kinds for damaged bytes
        file.seek(0)
        raise ImageError(no_image(file.read(BEGINNING))) from error


# -- pixels --------------------------------------------------------------------------------------------------


def read_pixels(data: bytes) -> npt.NDArray[Any]:
    """Return the pixels as stored, not rotated by EXIF: (h, w) or (h, w, c), the first frame of several.

    Palette images are returned as RGB. Raises ImageError if the bytes cannot be decoded.
    """
    import imageio.v3

    info = probe(data)
    check_decoded(info.width, info.height, info.channels)
    try:
        pixels = np.asarray(imageio.v3.imread(data, plugin="pillow", index=0))
    except Exception as error:
        raise ImageError(f"the image cannot be decoded: {_first_line(error.__cause__ or error)}") from error
    return _turned_back(pixels, info.orientation) if info.format == "tiff" else pixels


def _turned_back(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return the stored pixels of a TIFF image, which the library rotates by itself."""
    if orientation in (6, 8):
        return np.ascontiguousarray(np.rot90(pixels, 1 if orientation == 6 else -1))
    across = orientation in (5, 7)
    stored = pixels.swapaxes(0, 1) if across else pixels
    down = -1 if orientation in (3, 4, 7) else 1
    right = -1 if orientation in (2, 3, 7) else 1
    return np.ascontiguousarray(stored[::down, ::right])


def usual_extension(extension: str) -> str:
    """Return the most common extension for images of the same kind, in lower case: .jpg for .JPEG and .jfif."""
    small = extension.lower()
    return _SAME.get(small, small)


def transcode(data: bytes, extension: str) -> bytes:
    """The image in the format of `extension` (".jpg" of quality 95, ".png", ...); unchanged if it has it.

    The EXIF orientation is carried over.  An alpha channel that hides nothing is dropped where the format has
    none.  ImageError if the bytes cannot be decoded, or not be written in that format.
    """
    import imageio.v3
    from PIL import Image

    target = usual_extension(extension if extension.startswith(".") else f".{extension}")
    if target[1:] not in IMAGE_EXTENSIONS:
        raise ImageError(f"no image format is known by the extension {extension}")
    info = probe(data)
    if info.format == Image.registered_extensions().get(target, "").lower():
        return data
    pixels = read_pixels(data)
    options: dict[str, Any] = {"quality": 95} if target == ".jpg" else {}
    if info.orientation != 1:
        exif = Image.Exif()
        exif[_ORIENTATION] = info.orientation
        options["exif"] = exif.tobytes()
    try:
        shown = _without_alpha(pixels) if target in _OPAQUE_FORMATS else pixels
        written: bytes = imageio.v3.imwrite("<bytes>", shown, extension=target, plugin="pillow", **options)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"the image cannot be written as {target}: {_first_line(error)}") from error
    return written


def _without_alpha(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if pixels.ndim != 3 or pixels.shape[2] not in (2, 4):
        return pixels
    if (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
        raise ImageError("the image has transparent pixels, which the format cannot hold")
    return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
