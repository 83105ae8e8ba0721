"""Colours that are the same in every picture: of a class by its name, of an object by its index."""

from __future__ import annotations

import colorsys
import zlib

Colour = tuple[int, int, int]
_GOLDEN = 0.6180339887498949
"""The golden ratio. The fractional parts of its multiples are spread evenly, for any number of them."""


def of_class(name: str) -> Colour:
    """Return the colour of a class, which depends only on its name, so that it is the same in every dataset."""
    number = zlib.crc32(name.encode("utf-8", "surrogateescape"))
    return _bright(number * _GOLDEN % 1, (number >> 8) % 3)


def of_object(place: int) -> Colour:
    """Return the colour of the object at an index of its item, from 0; neighbours differ."""
    return _bright(place * _GOLDEN % 1, place % 3)


def text_on(colour: Colour) -> Colour:
    """Return black or white, whichever is readable on a colour."""
    red, green, blue = colour
    return (0, 0, 0) if 299 * red + 587 * green + 114 * blue > 140_000 else (255, 255, 255)


def _bright(hue: float, step: int) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, (0.95, 0.7, 0.85)[step], (1.0, 0.95, 0.8)[step])
    return round(255 * red), round(255 * green), round(255 * blue)
