"""Regions as run lengths: of the whole image, or of the bounding box."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.regions.crops import (
    check_inside,
    check_mask_size,
    checked_region,
    crop_of,
    fit_crop,
    fit_region,
    placed,
)
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec
from formatspec.model.limits import TooLargeError, check_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from formatspec.model.region import Region

_COUNTS = re.compile(r"[0-9]{1,12}", re.ASCII)


@codec("run_lengths")
def run_lengths(arguments: Sequence[Argument], site: Site) -> Codec:
    """`run_lengths`: {"size": [height, width], "counts": text}: run lengths column by column, beginning with zeros.

    With `run_lengths(list)`, the counts are a list of numbers; both forms are read. With `run_lengths(base64)`, the
    text of the counts is encoded again in base64. With `run_lengths(text)`, all is one text "height width counts", for
    lines of text.
    """
    spelling = take.names(take.plain(arguments, 0, 1), ["list", "base64", "text"])
    as_list, in_base64 = spelling == ("list",), spelling == ("base64",)
    if spelling == ("text",):
        return Codec(encode=_to_sized_text, decode=_from_sized_text, kind="text", fit=fit_region)

    def encode(value: Any, env: Env) -> dict[str, Any]:
        region = checked_region(value)
        if as_list:
            return {"size": [region.height, region.width], "counts": list(region.counts())}
        counts = region.to_coco()
        return {**counts, "counts": b64encode(str(counts["counts"]).encode()).decode()} if in_base64 else dict(counts)

    def decode(value: Any, env: Env) -> Region:
        return _from_run_lengths(_out_of_base64(value) if in_base64 else value)

    return Codec(encode=encode, decode=decode, kind="table", fit=fit_region, takes=dict)


def _out_of_base64(value: Any) -> Any:
    """Return run lengths with their counts, given in base64, decoded to text."""
    counts = value.get("counts") if isinstance(value, dict) else None
    if not isinstance(counts, str):
        return value
    try:
        return {**value, "counts": b64decode(counts, validate=True).decode("ascii")}
    except ValueError:
        raise UnfitError("counts in base64", counts) from None


def _to_sized_text(value: Any, env: Env) -> str:
    region = checked_region(value)
    return f"{region.height} {region.width} {region.to_coco()['counts']}"


def _from_sized_text(value: Any, env: Env) -> Region:
    height, _, rest = values.text(value).partition(" ")
    width, _, counts = rest.partition(" ")
    if not (_COUNTS.fullmatch(height) and _COUNTS.fullmatch(width) and counts):
        raise UnfitError('"height width counts"', value)
    return _from_run_lengths({"size": [int(height), int(width)], "counts": counts})


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


@codec("cropped_rle")
def cropped_rle(arguments: Sequence[Argument], site: Site) -> Codec:
    """`cropped_rle(rows)`: a mask as run lengths inside its bounding box.

    In `rle, left, top, width, height: region | cropped_rle(rows)`, the text "12, 3, ..." counts zeros and ones in turn,
    beginning with zeros, row by row. With `cropped_rle(columns)`, it counts column by column. The other values are
    whole numbers, in pixels; they are also read from text, for documents in which all values are text.
    """
    order = take.names(take.plain(arguments, 0, 1), ["rows", "columns"]) or ("rows",)
    by_columns = order == ("columns",)

    def encode(value: Any, env: Env) -> Any:
        mask, left, top = crop_of(value, env)
        height, width = (int(length) for length in mask.shape)
        counts = _runs((mask.T if by_columns else mask).ravel())
        return values.listed(site, (", ".join(map(str, counts)), left, top, width, height))

    def decode(value: Any, env: Env) -> Region:
        spelled, *numbers = values.sequence(value, 5)
        left, top, width, height = (_whole(number) for number in numbers)
        check_inside(left, top, width, height, env)
        check_mask_size(width, height)
        counts = [int(word) for word in _count_words(spelled)]
        if not counts or sum(counts) != width * height:
            raise UnfitError(f"counts that add up to {width} x {height}", spelled, "REGION_SIZE")
        flat = _repeat(counts)
        mask = flat.reshape(width, height).T if by_columns else flat.reshape(height, width)
        return placed(mask, left, top, env)

    return Codec(encode=encode, decode=decode, needs=frozenset({"size"}), fit=fit_crop)


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
    """Return the lengths of the runs of zeros and ones in turn, beginning with zeros."""
    import numpy as np

    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], ends, [flat.size]))
    runs: list[int] = np.diff(edges).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def _repeat(counts: list[int]) -> NDArray[np.bool_]:
    import numpy as np

    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


@codec("value_runs")
def value_runs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`value_runs`: [value, count, value, count, ...] over the image row by row, with 0 outside and 1 inside.

    Any value but 0 is read as inside. The sum of the counts is the number of pixels in the image.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> list[int]:
        runs = _runs(_whole_mask(value, env).ravel())
        return [number for place, count in enumerate(runs) if count for number in (place % 2, count)]

    def decode(value: Any, env: Env) -> Region:
        import numpy as np

        found = [values.whole(number) for number in values.sequence(value)]
        if len(found) % 2 or sum(found[1::2]) != env.width * env.height:
            raise UnfitError(f"pairs of value and count for {env.width} x {env.height} pixels", value, "REGION_SIZE")
        inside = np.repeat(np.array([bool(one) for one in found[::2]], bool), found[1::2])
        return placed(inside.reshape(env.height, env.width), 0, 0, env)

    return Codec(encode=encode, decode=decode, kind="numbers", needs=frozenset({"size"}), fit=fit_crop)


@codec("start_runs")
def start_runs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`start_runs(1, columns)`: [start, length, start, length, ...] for the runs of pixels inside, in order.

    The first pixel of the image has number 1, or 0 as in `start_runs(0, rows)`. Pixels are counted column by column
    with `columns`, and row by row with `rows`. In text the numbers are joined: `start_runs(1, columns) | joined(' ',
    numbers)` for "1 3 10 5", and `joined('+', ';', pairs)` for "1+3;10+5".
    """
    found = take.plain(arguments, 2, 2)
    first = take.whole(found[0], 0)
    by_columns = take.names(found[1:], ["rows", "columns"]) == ("columns",)

    def encode(value: Any, env: Env) -> list[int]:
        from formatspec.model.region import Region

        if isinstance(value, Region) and not value:
            return []
        mask = _whole_mask(value, env)
        made, start = [], first
        for place, count in enumerate(_runs((mask.T if by_columns else mask).ravel())):
            if place % 2:
                made += [start, count]
            start += count
        return made

    def decode(value: Any, env: Env) -> Region:
        import numpy as np

        numbers = [values.whole(number) for number in values.sequence(value)]
        total = env.width * env.height
        if len(numbers) % 2 or any(not 0 <= number <= total + first for number in numbers):
            raise UnfitError(f"pairs of start and length for {env.width} x {env.height} pixels", value, "REGION_SIZE")
        starts, lengths = np.array(numbers[::2], np.int64) - first, np.array(numbers[1::2], np.int64)
        ends = starts + lengths
        if numbers and (starts[0] < 0 or lengths.min() < 1 or ends[-1] > total or (starts[1:] < ends[:-1]).any()):
            raise UnfitError(f"runs that follow each other, from {first} to {total + first - 1}", value, "REGION_SIZE")
        flat = np.zeros(total, bool)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            flat[start:end] = True
        shape = (env.width, env.height) if by_columns else (env.height, env.width)
        return placed(flat.reshape(shape).T if by_columns else flat.reshape(shape), 0, 0, env)

    return Codec(encode=encode, decode=decode, kind="numbers", needs=frozenset({"size"}), fit=fit_crop)


def _whole_mask(value: Any, env: Env) -> NDArray[np.bool_]:
    """Return a region of the image's size as a mask (height, width)."""
    import numpy as np

    mask = np.zeros((env.height, env.width), bool)
    crop, left, top = crop_of(value, env)
    mask[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    return mask


@codec("packed_rgba_runs")
def packed_rgba_runs(arguments: Sequence[Argument], site: Site) -> Codec:
    """`packed_rgba_runs`: bytes that hold the runs of an RGBA picture of the mask, as a list of numbers.

    The bits, highest first, are: 32 bits for the number of words, 5 bits for their size less 1, and four times 4 bits
    for the four sizes of counts less 1. Blocks follow: 1 bit that is set for a run, 2 bits that choose the size of the
    count, the count less 1, and then the repeated word, or as many different words. The words are the channels of the
    image's pixels, row by row. A pixel is inside if its fourth word is not 0; four words of 255 are written for it.
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
        pixels = np.diff(ends // 4, prepend=0)  # among the first n words are n // 4 fourth ones
        inside = np.repeat(np.array(words, np.int64) != 0, pixels)
        return placed(inside.reshape(env.height, env.width), 0, 0, env)

    return Codec(encode=encode, decode=decode, kind="numbers", needs=frozenset({"size"}), fit=fit_crop)


_COUNT_SIZES = (3, 4, 8, 16)
"""The sizes in bits of the counts that are written."""


def _pack(runs: Sequence[tuple[int, int]]) -> list[int]:
    """Pack runs (word, count) of words of 8 bits into bytes."""
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
    """Return the runs of packed bytes that hold `total` words: the words, and how often each occurs."""
    at, end = 0, 8 * len(data)

    def take_bits(count: int) -> int:
        nonlocal at
        if at + count > end:
            raise UnfitError(f"runs of {total} words", f"{len(data)} bytes", "REGION_SIZE")
        piece = data[at >> 3 : (at + count + 7) >> 3]
        at += count
        return (int.from_bytes(piece, "big") >> (-at % 8)) & ((1 << count) - 1)

    stated = take_bits(32)
    if stated != total:
        message = f"runs of {total} words, four for each pixel of the image"
        raise UnfitError(message, f"{stated} words in {len(data)} bytes", "REGION_SIZE")
    size = take_bits(5) + 1
    sizes = [take_bits(4) + 1 for _ in _COUNT_SIZES]
    words: list[int] = []
    counts: list[int] = []
    left = total
    while left > 0:
        if left == 1 and words and end - at < 8:  # a known encoder leaves out the last word of some runs
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
