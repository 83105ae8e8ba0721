"""Decodes the pixels of an image file for users' programs."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from formatspec.model.limits import check_decoded
from formatspec.model.plain.image_error import ImageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image as Picture

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4, "LA": 4, "PA": 4, "CMYK": 3, "YCbCr": 3, "HSV": 3, "LAB": 3, "P": 3, "1": 1}


BEGINNING = 24
"""How many bytes of a file that is no image are looked at."""


def no_image(data: bytes) -> str:
    """Return the message for bytes that are no image; it quotes their beginning if that is text."""
    if not data:
        return "the file is empty"
    words = "the file is not an image in a known format, or its header is damaged"
    start = data[:BEGINNING]
    plain = all(32 <= one < 127 or one in b"\t\r\n" for one in start)
    return f"{words}; it begins with the text {start.decode()!r}" if plain else words


def opened(data: bytes) -> Picture:
    """Return an image as Pillow opens it, not yet decoded. Raises ImageError if the bytes are no image."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large images are expected here
            return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise ImageError(f"{error}; PIL.Image.MAX_IMAGE_PIXELS says how many Pillow opens") from error
    except Exception as error:
        raise ImageError(no_image(data)) from error


def as_bytes_per_sample(data: bytes, channels: int | None = None) -> npt.NDArray[np.uint8]:
    """Return the first frame as (height, width, channels) of uint8: as stored, not rotated by EXIF.

    Of samples with 16 bits, the upper 8 are returned.

    Args:
        data: The bytes of the file.
        channels: 1 for grey, 3 for red, green and blue, 4 with alpha; None for as many as the file has. A palette is
            looked up.

    Raises:
        ImageError: The bytes are no image.
        ValueError: `channels` is another number.
    """
    import numpy as np
    from PIL import Image

    if channels is not None and channels not in _MODES:
        raise ValueError(f"an image has 1, 3 or 4 channels, not {channels}")
    picture = opened(data)
    check_decoded(picture.width, picture.height, 4)
    try:
        if picture.mode.startswith("I"):  # 16 bits for each sample
            grey = (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
            picture = Image.fromarray(grey)
        wanted = channels or _CHANNELS.get(picture.mode, 3)
        pixels = np.array(picture.convert(_MODES[wanted]), dtype=np.uint8)
    except Exception as error:
        raise ImageError(f"the image cannot be decoded: {error}") from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
