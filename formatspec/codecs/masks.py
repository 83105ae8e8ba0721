"""Regions as run lengths, rings and images: run_lengths, holed_rings, cropped_rle, value_runs and others."""

from __future__ import annotations

import base64
import math
import random
import re
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.codecs.text import read_base64
from formatspec.model.limits import TooLargeError, check_decoded, check_size, limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from formatspec.model.region import Region

_AROUND = 1 << 20
"""Bytes of a PNG that are no pixels: texts, a colour profile, a palette."""
_COUNTS = re.compile(r"[0-9]{1,12}", re.ASCII)


def _region(value: Any) -> Region:
    from formatspec.model.region import Region

    if not isinstance(value, Region):
        raise UnfitError("a region", value)
    return value


@codec("run_lengths")
def run_lengths(arguments: Sequence[Argument], site: Site) -> Codec:
    """`run_lengths`: {"size": [height, width], "counts": text}, column by column, beginning with zeros.

    `run_lengths(list)`: the counts as a list of numbers.  Both are read.  `run_lengths(text)`: one text "height width
    counts", for lines of text.
    """
    spelling = take.names(take.plain(arguments, 0, 1), ["list", "text"])
    as_list = spelling == ("list",)
    if spelling == ("text",):
        return Codec(encode=_to_sized_text, decode=_from_sized_text, kind="text", fit=_fit_region)

    def encode(value: Any, env: Env) -> dict[str, Any]:
        region = _region(value)
        if as_list:
            return {"size": [region.height, region.width], "counts": list(region.counts())}
        return dict(region.to_coco())

    return Codec(
        encode=encode, decode=lambda value, env: _from_run_lengths(value), kind="table", fit=_fit_region, takes=dict
    )


def _to_sized_text(value: Any, env: Env) -> str:
    region = _region(value)
    return f"{region.height} {region.width} {region.to_coco()['counts']}"


def _from_sized_text(value: Any, env: Env) -> Region:
    height, _, rest = values.text(value).partition(" ")
    width, _, counts = rest.partition(" ")
    if not (_COUNTS.fullmatch(height) and _COUNTS.fullmatch(width) and counts):
        raise UnfitError('"height width counts"', value)
    return _from_run_lengths({"size": [int(height), int(width)], "counts": counts})


@codec("holed_rings")
def holed_rings(arguments: Sequence[Argument], site: Site) -> Codec:
    """`holed_rings`: a region with holes as flat rings; a pixel belongs if an odd number of rings holds it.

    A region without holes does not fit, since polygons are enough for it; see `apart`.
    """
    take.plain(arguments)

    def checked(region: Region) -> list[list[float]]:
        outlines = region.to_polygons()
        if not any(outline.holes for outline in outlines):
            raise UnfitError("a region with a hole", region)
        return [list(ring) for one in outlines for ring in (one.outer, *one.holes)]

    def decode(value: Any, env: Env) -> Region:
        region = _filled_evenodd(values.sequence(value), env)
        checked(region)
        return region

    return Codec(
        encode=lambda value, env: values.listed(site, checked(_region(value))),
        decode=decode,
        kind="table",
        needs=frozenset({"size"}),
        fit=_fit_holed,
    )


@codec("apart")
def apart(arguments: Sequence[Argument], site: Site) -> Codec:
    """`apart`: polygons as they are, where filling them even-odd leaves no hole; see `holed_rings`."""
    take.plain(arguments)

    def checked(value: Any, env: Env) -> tuple[values.Ring, ...]:
        found = tuple(map(values.ring_of, values.sequence(value)))
        if len(found) < 2 or env.width <= 0 or env.height <= 0:
            return found
        if any(outline.holes for outline in _filled_evenodd(found, env).to_polygons()):
            raise UnfitError("polygons without holes", value)
        return found

    def fit(value: Any, rng: random.Random, env: Env) -> Any:
        try:
            return checked(value, env)
        except UnfitError:
            return tuple(value)[:1]

    return Codec(
        encode=lambda value, env: values.listed(site, map(list, checked(value, env))),
        decode=checked,
        kind="table",
        fit=fit,
    )


def _filled_evenodd(rings: Sequence[Any], env: Env) -> Region:
    """The pixels of several rings, filled even-odd.  Raises UnfitError for one ring, and where no size is known."""
    from formatspec.model.region import Region

    if env.width <= 0 or env.height <= 0:
        raise UnfitError("an image of known size")
    if len(rings) < 2:
        raise UnfitError("an outline and a hole", rings)
    try:
        return Region.from_rings_evenodd([values.ring_of(ring) for ring in rings], env.height, env.width)
    except UnfitError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnfitError("rings of an image", rings) from error


def _fit_holed(value: Any, rng: random.Random, env: Env) -> Any:
    """The region where it has a hole, else a frame of one pixel's width around one pixel."""
    import numpy as np

    from formatspec.model.region import Region

    if isinstance(value, Region) and any(outline.holes for outline in value.to_polygons()):
        return value
    height, width = max(env.height, 3), max(env.width, 3)
    frame = np.ones((3, 3), dtype=bool)
    frame[1, 1] = False
    return Region.from_crop(frame, rng.randint(0, width - 3), rng.randint(0, height - 3), height, width)


def _from_run_lengths(value: Any) -> Region:
    from formatspec.model.region import Region

    if not isinstance(value, dict) or not {"size", "counts"} <= value.keys():
        raise UnfitError('{"size": [height, width], "counts": ...}', value)
    height, width = (values.whole(v) for v in values.sequence(value["size"], 2))
    counts = value["counts"]
    try:
        check_size(width, height)
        if isinstance(counts, str):
            return Region.from_coco({"size": [height, width], "counts": counts})
        found = [values.whole(count) for count in values.sequence(counts)]
        if sum(found) != height * width:
            raise UnfitError(f"counts that add up to {height} x {width}", value, "REGION_SIZE")
        return Region.from_counts(found, height, width)
    except UnfitError:
        raise
    except TooLargeError as error:
        raise UnfitError(str(error), value["size"]) from None
    except (ValueError, OverflowError) as error:
        raise UnfitError(f"run lengths of a mask of {height} x {width} pixels", value, "REGION_SIZE") from error


def _fit_region(value: Any, rng: random.Random, env: Env) -> Any:
    """The region, or a single pixel where there is none."""
    import numpy as np

    from formatspec.model.region import Region

    if isinstance(value, Region):
        return value
    height, width = max(1, env.height), max(1, env.width)
    pixel = np.ones((1, 1), dtype=bool)
    return Region.from_crop(pixel, rng.randrange(width), rng.randrange(height), height, width)


def _fit_crop(value: Any, rng: random.Random, env: Env) -> Any:
    return value if _has_size(value, env) and value else _fit_region(None, rng, env)


def _has_size(value: Any, env: Env) -> bool:
    from formatspec.model.region import Region

    return isinstance(value, Region) and (value.height, value.width) == (env.height, env.width)


def _crop(value: Any, env: Env) -> tuple[NDArray[np.bool_], int, int]:
    """The mask (height, width) of a region's bounding box, with the box's left and top in pixels."""
    region = _region(value)
    if not _has_size(region, env):
        raise UnfitError(f"a region of {env.height} x {env.width} pixels, as the image has", value)
    if not region:
        raise UnfitError("a region of at least one pixel", value)
    return region.crop()


def _placed(mask: NDArray[np.bool_], left: int, top: int, env: Env) -> Region:
    from formatspec.model.region import Region

    return Region.from_crop(mask, left, top, env.height, env.width)


def _check_inside(left: int, top: int, width: int, height: int, env: Env) -> None:
    if left + width > env.width or top + height > env.height:
        raise UnfitError(f"a mask inside the image's {env.width} x {env.height} pixels", (left, top, width, height))


@codec("cropped_rle")
def cropped_rle(arguments: Sequence[Argument], site: Site) -> Codec:
    """`rle, left, top, width, height: region | cropped_rle(rows)`: the mask inside its bounding box.

    The text "12, 3, ..." counts zeros and ones in turn, beginning with zeros, row by row, or column by column
    with `cropped_rle(columns)`.  The others are whole numbers, in pixels; digits in text are read as well,
    for documents in which all is text.
    """
    order = take.names(take.plain(arguments, 0, 1), ["rows", "columns"]) or ("rows",)
    by_columns = order == ("columns",)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = _crop(value, env)
        height, width = (int(length) for length in mask.shape)
        counts = _runs((mask.T if by_columns else mask).ravel())
        return values.listed(site, (", ".join(map(str, counts)), left, top, width, height))

    def decode(value: Any, env: Env) -> Region:
        spelled, *numbers = values.sequence(value, 5)
        left, top, width, height = (_whole(number) for number in numbers)
        _check_inside(left, top, width, height, env)
        _check_decoded(width, height)
        counts = [int(word) for word in _count_words(spelled)]
        if not counts or sum(counts) != width * height:
            raise UnfitError(f"counts that add up to {width} x {height}", spelled, "REGION_SIZE")
        flat = _repeat(counts)
        mask = flat.reshape(width, height).T if by_columns else flat.reshape(height, width)
        return _placed(mask, left, top, env)

    return Codec(encode=encode, decode=decode, needs=frozenset({"size"}), fit=_fit_crop)


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return values.whole(values.read_number(value))
    return values.whole(value)


def _count_words(value: Any) -> list[str]:
    words = [word.strip() for word in values.text(value).split(",")]
    if not all(_COUNTS.fullmatch(word) for word in words):
        raise UnfitError('run lengths as "12, 3, ..."', value)
    return words


def _runs(flat: NDArray[np.bool_]) -> list[int]:
    """Lengths of the runs of zeros and ones in turn, beginning with zeros."""
    import numpy as np

    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], ends, [flat.size]))
    runs: list[int] = np.diff(edges).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def _repeat(counts: list[int]) -> NDArray[np.bool_]:
    import numpy as np

    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


@codec("cropped_png")
def cropped_png(arguments: Sequence[Argument], site: Site) -> Codec:
    """`points, mask: region | cropped_png`: [[x1, y1], [x2, y2]] and a PNG of the box between, in base64.

    The corners are the first and the last pixel inside, counted from 0.  The PNG is 8-bit gray, 0 outside and
    1 inside; read as inside is what is not 0.  Of corners with fractions the pixels that they lie in are meant.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = _crop(value, env)
        height, width = (int(length) for length in mask.shape)
        corners = [[left, top], [left + width - 1, top + height - 1]]
        return values.listed(site, (corners, base64.b64encode(_to_png(mask)).decode("ascii")))

    def decode(value: Any, env: Env) -> Region:
        corners, spelled = values.sequence(value, 2)
        (left, top), (right, bottom) = (
            tuple(math.floor(values.coordinate(c)) for c in values.sequence(corner, 2))
            for corner in values.sequence(corners, 2)
        )
        width, height = right - left + 1, bottom - top + 1
        if width < 1 or height < 1 or left < 0 or top < 0:
            raise UnfitError("the upper left and the lower right corner", corners)
        _check_inside(left, top, width, height, env)
        return _placed(_from_png(read_base64(spelled), width, height), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=_fit_crop)


@codec("packed_png")
def packed_png(arguments: Sequence[Argument], site: Site) -> Codec:
    """`data, origin: region | packed_png`: a PNG of the bounding box, zlib-compressed, in base64; and [left, top].

    The PNG is 8-bit gray, 0 outside and 1 inside; read as inside is what is not 0.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = _crop(value, env)
        return values.listed(site, (base64.b64encode(zlib.compress(_to_png(mask))).decode("ascii"), [left, top]))

    def decode(value: Any, env: Env) -> Region:
        from formatspec.pixels import png

        spelled, origin = values.sequence(value, 2)
        left, top = (values.integral(c) for c in values.sequence(origin, 2))
        try:
            data = _unpacked(read_base64(spelled), env)
            header = png.read_header(data)
        except (zlib.error, ValueError) as error:
            raise UnfitError("a compressed PNG", str(error)) from error
        _check_inside(left, top, header.width, header.height, env)
        return _placed(_from_png(data, header.width, header.height), left, top, env)

    return Codec(encode=encode, decode=decode, kind="table", needs=frozenset({"size"}), fit=_fit_crop)


def _unpacked(packed: bytes, env: Env) -> bytes:
    """A PNG that was compressed once more, unpacked up to what one of the image's size can need."""
    most = min(8 * env.width * env.height + env.height, limits().decoded) + _AROUND
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(packed, most)
    if not unpacking.eof:
        if unpacking.unconsumed_tail:
            raise ValueError(f"it unpacks to more than the {most:,} bytes that {env.width} x {env.height} pixels need")
        raise ValueError("the compressed data stop before their end")
    return data


def _check_decoded(width: int, height: int) -> None:
    """Raise UnfitError where a mask of this size is too large to be decoded."""
    try:
        check_decoded(width, height, 1)
    except TooLargeError as error:
        raise UnfitError(str(error), (width, height)) from None


def _to_png(mask: NDArray[np.bool_]) -> bytes:
    import numpy as np

    from formatspec.pixels import png

    return png.encode(mask.astype(np.uint8), "gray")


def _from_png(data: bytes, width: int, height: int) -> NDArray[np.bool_]:
    from formatspec.model.image_error import ImageError
    from formatspec.pixels import png

    _check_decoded(width, height)
    try:
        header = png.read_header(data)
        if (header.width, header.height) != (width, height):
            raise UnfitError(f"a PNG of {width} x {height} pixels", (header.width, header.height))
        pixels = png.decode(data).pixels
    except ImageError as error:
        raise UnfitError("a PNG", str(error)) from error
    if pixels.ndim != 2:
        raise UnfitError("a PNG of one channel", pixels.shape)
    return pixels.astype(bool)


@codec("value_runs")
def value_runs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`value_runs`: [value, count, value, count, ...] over the image row by row: 0 outside and 1 inside.

    Read as inside is what is not 0.  The counts add up to the image's pixels.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> list[int]:
        runs = _runs(_whole_mask(value, env).ravel())
        return [number for place, count in enumerate(runs) if count for number in (place % 2, count)]

    def decode(value: Any, env: Env) -> Region:
        import numpy as np

        found = [values.whole(number) for number in values.sequence(value)]
        if len(found) % 2 or sum(found[1::2]) != env.width * env.height:
            raise UnfitError(f"pairs of value and count for {env.width} x {env.height} pixels", value)
        inside = np.repeat(np.array([bool(one) for one in found[::2]], bool), found[1::2])
        return _placed(inside.reshape(env.height, env.width), 0, 0, env)

    return Codec(encode=encode, decode=decode, kind="numbers", needs=frozenset({"size"}), fit=_fit_crop)


def _whole_mask(value: Any, env: Env) -> NDArray[np.bool_]:
    """A region of the image's size as a mask (height, width)."""
    import numpy as np

    mask = np.zeros((env.height, env.width), bool)
    crop, left, top = _crop(value, env)
    mask[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    return mask


@codec("packed_rgba_runs")
def packed_rgba_runs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`packed_rgba_runs`: bytes that pack the runs of an RGBA picture of the mask, as a list of numbers.

    The bits, the highest first: 32 for the number of words, 5 for their size less 1, four times 4 for the sizes of
    counts less 1; then blocks: 1 bit that is set for a run, 2 bits that choose the size of the count, the count less
    1, and the word that is repeated, or as many words.  A pixel is inside where its fourth word is not 0; written are
    four words of 255.  The words are those of the image, row by row.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> list[int]:
        counts = _runs(_whole_mask(value, env).ravel())
        return _pack([(255 * (place % 2), 4 * count) for place, count in enumerate(counts) if count])

    def decode(value: Any, env: Env) -> Region:
        import numpy as np

        found = values.sequence(value)
        if not all(type(byte) is int and 0 <= byte < 256 for byte in found):
            raise UnfitError("a list of bytes", value)
        words, counts = _unpack(bytes(found), 4 * env.width * env.height)
        ends = np.cumsum(counts)
        pixels = np.diff(ends // 4, prepend=0)  # the fourth words among the first n are n // 4
        inside = np.repeat(np.array(words, np.int64) != 0, pixels)
        return _placed(inside.reshape(env.height, env.width), 0, 0, env)

    return Codec(encode=encode, decode=decode, kind="numbers", needs=frozenset({"size"}), fit=_fit_crop)


_COUNT_SIZES = (3, 4, 8, 16)
"""Bits of the counts that are written."""


def _pack(runs: Sequence[tuple[int, int]]) -> list[int]:
    """Runs (word, count) of words of 8 bits as packed bytes."""
    bits = [format(sum(count for _, count in runs), "032b"), format(7, "05b")]
    bits += [format(size - 1, "04b") for size in _COUNT_SIZES]
    for word, count in runs:
        while count:
            part = min(count, 1 << _COUNT_SIZES[-1])
            choice = next(c for c, size in enumerate(_COUNT_SIZES) if part <= 1 << size)
            bits.append(f"1{choice:02b}{part - 1:0{_COUNT_SIZES[choice]}b}{word:08b}")
            count -= part
    spelled = "".join(bits)
    spelled += "0" * (-len(spelled) % 8)
    return list(int(spelled, 2).to_bytes(len(spelled) // 8, "big"))


def _unpack(data: bytes, total: int) -> tuple[list[int], list[int]]:
    """The runs of packed bytes that hold `total` words: the words, and how often each stands."""
    at, end = 0, 8 * len(data)

    def take_bits(count: int) -> int:
        nonlocal at
        if at + count > end:
            raise UnfitError(f"runs of {total} words", f"{len(data)} bytes")
        piece = data[at >> 3 : (at + count + 7) >> 3]
        at += count
        return (int.from_bytes(piece, "big") >> (-at % 8)) & ((1 << count) - 1)

    stated = take_bits(32)
    if stated != total:
        raise UnfitError(f"runs of {total} words, four for each pixel of the image", stated)
    size = take_bits(5) + 1
    sizes = [take_bits(4) + 1 for _ in _COUNT_SIZES]
    words: list[int] = []
    counts: list[int] = []
    left = total
    while left > 0:
        if left == 1 and words and end - at < 8:  # an encoder in use leaves out the last word of some runs
            counts[-1] += 1
            break
        repeated = take_bits(1)
        count = min(take_bits(sizes[take_bits(2)]) + 1, left)
        left -= count
        if repeated:
            words.append(take_bits(size))
            counts.append(count)
        else:
            words += [take_bits(size) for _ in range(count)]
            counts += [1] * count
    return words, counts
