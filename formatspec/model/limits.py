"""Limits on what data may demand, whatever a header, a number or an archive says. Users can raise them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from formatspec.model.plain.image_error import ImageError


class Limits(msgspec.Struct, frozen=True):
    """The limits that hold whatever the data ask for.

    Attributes:
        size: Pixels of an image, as a document or its header states them.
        side: The longer side of an image, in pixels.
        decoded: Bytes of pixels in memory at once, of a label image, a mask or an embedded image.
        runs: Runs of equal pixels, or crossings of outlines and columns, of one image or shape.
        unpacked: Bytes of a member of an archive, above which it may not be packed more than a hundredfold.
        values: Bytes of memory that the values of one document read whole take, by an estimate, above which they may
            not take more than 24 times what the file does.
        cell: Characters of one cell of a table.
        frames: Rows that follow from the rows of one file, for the frames between those that it states.
        findings: Findings of one code in one file, for one item or for all that belongs to no item; so many are told
            one by one.
    """

    size: int = 1_000_000_000
    side: int = 1_000_000
    decoded: int = 150_000_000
    runs: int = 8_000_000
    unpacked: int = 16_777_216
    values: int = 200_000_000
    cell: int = 16_777_216
    frames: int = 4_194_304
    findings: int = 100_000


class TooLargeError(ImageError):
    """Data exceed a limit. The message is one sentence that names the limit."""


_now = Limits()


def limits() -> Limits:
    """Return the limits of this process."""
    return _now


def set_limits(values: Mapping[str, int] | Limits) -> None:
    """Replace limits of this process, and of the workers that it starts; other limits stay.

    Args:
        values: New numbers by the names of `Limits`, each 1 or more.

    Raises:
        ValueError: A name is no limit, or a number is below 1.
    """
    global _now
    if isinstance(values, Limits):
        _now = values
        return
    for name, value in values.items():
        if name not in Limits.__struct_fields__:
            raise ValueError(f"there is no limit {name!r}; one of: {', '.join(Limits.__struct_fields__)}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"the limit {name} is a whole number above 0, not {value!r}")
    _now = msgspec.structs.replace(_now, **values)


def check_limit(name: str, asked: int, what: str) -> None:
    """Raise TooLargeError if `what` exceeds the limit of this name."""
    allowed = getattr(_now, name)
    if asked > allowed:
        raise TooLargeError(f"{what} {asked:,}, over the limit of {allowed:,} (--limit {name}={asked} raises it)")


def check_size(width: int, height: int) -> None:
    """Raise TooLargeError if an image of this size is too large."""
    if width <= _now.side and height <= _now.side and width * height <= _now.size:
        return
    check_limit("side", max(width, height), f"an image of {width:,} x {height:,} pixels has a side of")
    check_limit("size", width * height, f"an image of {width:,} x {height:,} pixels has a size of")


def check_decoded(width: int, height: int, depth: int) -> None:
    """Raise TooLargeError if an image of this size with `depth` bytes per pixel is too large to be decoded."""
    what = f"an image of {width:,} x {height:,} pixels has a size in bytes of"
    check_limit("decoded", width * height * depth, what)
