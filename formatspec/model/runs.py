"""Run bounds: how pixels in column-major order are stored, found, merged and counted.

*Bounds* are a 1-D int64 array of alternating start and stop offsets, strictly increasing; the offset of pixel (x, y) in
an image of height h is ``x * h + y``. The functions here need not know the image's width, only its number of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from formatspec.model.limits import check_limit

if TYPE_CHECKING:
    import numpy.typing as npt

Ints: TypeAlias = "npt.NDArray[np.int64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"
Pixels: TypeAlias = "npt.NDArray[Any]"


_BLOCK = 1 << 18  # elements compared at once, so that a block stays in the cache
_STRIP = 128  # columns moved at once, for the same reason
_FEW = 96  # up to this many numbers, handling them one by one is faster
_GROUPS = 10  # groups of five bits in one count: 50 bits are enough for any image


# -- pixels to runs ------------------------------------------------------------------------------------------


def nonzero_runs(pixels: Pixels) -> tuple[Ints, Ints, Pixels]:
    """Return the maximal vertical runs of equal, non-zero pixels as (starts, stops, values), in column-major order.

    `pixels` is (h, w) or (h, w, c), bool or integer; `values` is (n,) or (n, c). A run stays in its column.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    flat = np.ascontiguousarray(pixels).reshape(height, width * channels)
    top, bottom = _extent(_any(flat, 1))
    left, right = _extent(_any(_any(flat[top:bottom], 0).reshape(width, channels), 1))
    inside = flat[top:bottom, left * channels : right * channels]
    tall = bottom - top
    local = _run_starts(inside, channels)
    column, row = np.divmod(local, max(tall, 1))
    lengths = np.diff(local, append=(right - left) * tall)
    values = pixels[top + row, left + column]
    some = (values != 0).reshape(values.shape[0], channels).any(1)
    starts = ((left + column) * height + top + row)[some]
    return starts, starts + lengths[some], values[some]


def _any(flat: Pixels, axis: int) -> Mask:
    truth = flat.view(np.bool_) if flat.dtype.itemsize == 1 else flat  # any() is fastest on bool
    return np.asarray(truth.any(axis), np.bool_)


def _extent(present: Mask) -> tuple[int, int]:
    where = np.flatnonzero(present)
    return (int(where[0]), int(where[-1]) + 1) if where.size else (0, 0)


def _run_starts(flat: Pixels, channels: int) -> Ints:
    """Return column-major offsets where a run begins: every column's top, and every change from the row above."""
    height, samples = flat.shape
    width = samples // channels
    if not height or not width:
        return np.empty(0, np.int64)
    step = max(1, _BLOCK // samples)
    buffer = np.empty((min(step, height), samples), np.bool_)
    parts = [np.arange(width, dtype=np.int64) * height]
    found = width
    for top in range(1, height, step):
        below = flat[top : top + step]
        changed = np.not_equal(below, flat[top - 1 : top - 1 + len(below)], out=buffer[: len(below)])
        row, sample = np.divmod(np.flatnonzero(changed), samples)
        found += row.size
        check_limit("runs", found, "an image has runs of equal pixels:")
        parts.append((sample // channels) * height + top + row)
    starts = np.sort(np.concatenate(parts))
    return starts if channels == 1 else _distinct(starts)  # several channels may change at one pixel


def _distinct(ordered: Ints) -> Ints:
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if ordered.size else ordered


# -- runs to bounds ------------------------------------------------------------------------------------------


def join(starts: Ints, stops: Ints) -> Ints:
    """Return bounds of ordered, disjoint runs; runs that touch become one."""
    edges = np.empty(2 * starts.size, np.int64)
    edges[::2], edges[1::2] = starts, stops
    meets = np.flatnonzero(starts[1:] == stops[:-1])
    keep = np.ones(edges.size, np.bool_)
    keep[2 * meets + 1] = keep[2 * meets + 2] = False
    return edges[keep]


def toggles(offsets: Ints) -> Ints:
    """Return bounds that switch between outside and inside at each of some offsets, in any order (even-odd)."""
    ordered = np.sort(offsets)
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if ordered.size else ordered
    odd = np.diff(first, append=ordered.size) % 2 == 1
    edges: Ints = ordered[first[odd]]
    return edges


def complement(bounds: Ints, total: int) -> Ints:
    """Return bounds of all pixels outside `bounds`, out of `total`."""
    return toggles(np.concatenate([bounds, np.array([0, total], np.int64)]))


def combine(a: Ints, b: Ints, members: tuple[int, ...]) -> Ints:
    """Return bounds of the pixels whose membership is in `members`: 1 is a only, 2 is b only, 3 is both."""
    offsets = np.concatenate([a, b])
    weights = np.ones(offsets.size, np.int64)
    weights[1 : a.size : 2] = -1
    weights[a.size :: 2] = 2
    weights[a.size + 1 :: 2] = -2
    return _changes(offsets, weights, np.array([membership in members for membership in range(4)]))


def common(bounds: Ints, others: Sequence[Ints]) -> list[int]:
    """Return how many pixels of each of some other bounds lie in `bounds`."""
    if not bounds.size:
        return [0] * len(others)
    signed = bounds.copy()
    signed[::2] *= -1
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(signed)])
    edges = np.concatenate([np.empty(0, np.int64), *others])
    passed = np.searchsorted(bounds, edges)
    inside = before[passed] + np.where(passed % 2, edges, 0)  # the pixels of `bounds` before each edge
    counted = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside[1::2] - inside[::2])])
    ends = np.cumsum([other.size // 2 for other in others], dtype=np.int64)
    found = counted[ends]
    found[1:] -= counted[ends[:-1]]
    return [int(pixels) for pixels in found.tolist()]


def cover(starts: Ints, stops: Ints) -> Ints:
    """Return bounds of the pixels in any of the runs, which may overlap and come in any order."""
    weights = np.repeat(np.array([1, -1], np.int64), starts.size)
    return _changes(np.concatenate([starts, stops]), weights, None)


def _changes(offsets: Ints, weights: Ints, is_member: Mask | None) -> Ints:
    """Return where the running sum of weights enters or leaves the members (None: values above zero)."""
    if not offsets.size:
        return offsets
    order = np.argsort(offsets, kind="stable")
    ordered, depth = offsets[order], np.cumsum(weights[order])
    last = np.ones(ordered.size, bool)
    np.not_equal(ordered[1:], ordered[:-1], out=last[:-1])
    ordered, depth = ordered[last], depth[last]
    inside = depth > 0 if is_member is None else is_member[depth]
    changed = inside.copy()
    np.not_equal(inside[1:], inside[:-1], out=changed[1:])
    edges: Ints = ordered[changed]
    return edges


def topmost(layers: Sequence[Ints]) -> tuple[Ints, Ints, Ints]:
    """Return the visible parts of layers of bounds, the last on top, as (starts, stops, layers).

    The runs are ordered and disjoint; touching runs of one layer are one.
    """
    edges, places = _distinct_places(np.concatenate([np.empty(0, np.int64), *layers]))
    seen = np.full(edges.size, -1, np.int64)  # from each edge to the next
    if edges.size:
        _paint(seen, places[::2], places[1::2], np.repeat(np.arange(len(layers)), [b.size // 2 for b in layers]))
    new = np.ones(seen.size, np.bool_)
    np.not_equal(seen[1:], seen[:-1], out=new[1:])
    edges, seen = edges[new], seen[new]
    shown = np.flatnonzero(seen >= 0)  # never the last: no pixel comes after all edges
    return edges[shown], edges[shown + 1], seen[shown]


def _paint(canvas: Ints, starts: Ints, stops: Ints, values: Ints) -> None:
    """Fill each run of a canvas with its value, later runs over earlier ones; runs are not empty.

    It fills a number of runs at a time, so that it needs little memory.
    """
    until = np.cumsum(stops - starts)
    first = done = 0
    while first < starts.size:
        last = max(int(np.searchsorted(until, done + _BLOCK, "right")), first + 1)
        sizes = stops[first:last] - starts[first:last]
        ahead = starts[first:last] - (until[first:last] - sizes - done)
        canvas[np.repeat(ahead, sizes) + np.arange(sizes.sum())] = np.repeat(values[first:last], sizes)
        first, done = last, int(until[last - 1])


def _distinct_places(offsets: Ints) -> tuple[Ints, Ints]:
    """Return the distinct offsets in order, and for each offset its index among them."""
    bits = offsets.size.bit_length()
    if offsets.size and int(offsets.max()) >> (62 - bits) == 0:  # sorting numbers is faster than finding their order
        packed = np.sort(offsets << bits | np.arange(offsets.size))
        order, ordered = packed & ((1 << bits) - 1), packed >> bits
    else:
        order = np.argsort(offsets, kind="stable")
        ordered = offsets[order]
    new = np.ones(offsets.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    places = np.empty(offsets.size, np.int64)
    places[order] = np.cumsum(new) - 1
    return ordered[new], places


def by_key(starts: Ints, stops: Ints, keys: Pixels) -> list[tuple[int, Ints]]:
    """Split ordered, disjoint runs by their keys, sorted by key; return each key's first run, by index, and bounds.

    Runs with one key that touch become one run.
    """
    if not starts.size:
        return []
    order = np.argsort(keys, kind="stable")
    starts, stops, keys = starts[order], stops[order], keys[order]
    new = np.ones(keys.size + 1, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:-1])
    begins = new.copy()
    begins[1:-1] |= starts[1:] != stops[:-1]
    bounds = np.empty((np.count_nonzero(begins) - 1, 2), np.int64)
    bounds[:, 0], bounds[:, 1] = starts[begins[:-1]], stops[begins[1:]]
    bounds = bounds.reshape(-1)
    firsts = np.flatnonzero(new)
    cuts = (2 * (np.cumsum(begins)[firsts] - 1)).tolist()
    places = order[firsts[:-1]].tolist()
    return [(place, bounds[a:b]) for place, a, b in zip(places, cuts[:-1], cuts[1:], strict=True)]


def by_column(bounds: Ints, height: int) -> tuple[Ints, Ints, Ints]:
    """Return (column, start, stop) of every run, split where it goes from one column into the next."""
    return within_columns(bounds[::2], bounds[1::2], height)[1:]


def within_columns(starts: Ints, stops: Ints, height: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return (run, column, start, stop) of runs, split where they go from one column into the next."""
    first = starts // max(height, 1)
    spans = (stops - 1) // max(height, 1) - first + 1
    if not spans.size or spans.max() == 1:
        return np.arange(starts.size), first, starts, stops
    check_limit("runs", int(spans.sum()), "a region reaches over columns this often:")
    run = np.repeat(np.arange(starts.size), spans)
    column = np.arange(run.size) - (np.cumsum(spans) - spans - first)[run]
    cut = column * height
    return run, column, np.maximum(starts[run], cut), np.minimum(stops[run], cut + height)


def rows_first(flat: Pixels, wide: int, tall: int) -> Pixels:
    """Return column-major pixels as a C-ordered array (tall, wide), moved in strips that stay in the cache."""
    columns = flat.reshape(wide, tall)
    rows = np.empty((tall, wide), flat.dtype)
    for left in range(0, wide, _STRIP):
        rows[:, left : left + _STRIP] = columns[left : left + _STRIP].T
    return rows


# -- bounds and counts ---------------------------------------------------------------------------------------


def to_counts(bounds: Ints, total: int) -> Ints:
    """Return run lengths, zeros first; a last run of no zeros is left out."""
    edges = np.empty(bounds.size + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, bounds, total
    lengths = edges[1:] - edges[:-1]
    return lengths[:-1] if bounds.size and bounds[-1] == total else lengths


def from_counts(counts: Ints, total: int) -> Ints:
    """Return bounds of run lengths, zeros first. Raises ValueError if one is negative or the sum is not `total`."""
    if counts.size and (counts.min() < 0 or counts.max() > total):
        negative = counts.min() < 0
        raise ValueError(
            f"a run length is negative: {counts.min()}"
            if negative
            else f"a run of {counts.max()} pixels does not fit an image of {total} pixels"
        )
    if int(counts.sum()) != total:
        raise ValueError(f"the run lengths add up to {counts.sum()} pixels, but the image has {total}")
    edges = np.cumsum(counts)
    edges = edges[:-1] if counts.size % 2 else edges
    return toggles(edges) if (counts == 0).any() else edges


def pack(counts: Ints) -> str:
    """Return the compressed text of run lengths; from the fourth on, each is a difference to the one two before it.

    Groups of five bits, lowest first, are characters from "0" (48) on; a sixth bit says that more follow.
    """
    if counts.size <= _FEW:
        return _pack_few(counts.tolist())
    rest = counts.copy()
    rest[3:] -= counts[1:-2]
    columns, shown = [], []
    more = np.ones(rest.size, np.bool_)
    while more.any():
        group = rest & 31
        rest = rest >> 5
        shown.append(more)
        more = more & np.where(group & 16, rest != -1, rest != 0)
        columns.append(group + 48 + 32 * more)
    if not columns:
        return ""
    return np.stack(columns, 1)[np.stack(shown, 1)].astype(np.uint8).tobytes().decode("ascii")


def _pack_few(counts: list[int]) -> str:
    """Do the same as `pack`, number by number, which is faster for few numbers."""
    groups = []
    for place, count in enumerate(counts):
        rest = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            group = rest & 31
            rest >>= 5
            more = rest != (-1 if group & 16 else 0)
            groups.append(group + 80 if more else group + 48)
    return bytes(groups).decode("ascii")


def unpack(text: bytes) -> Ints:
    """Return the run lengths of a compressed text. Raises ValueError if it is malformed."""
    groups = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if not groups.size:
        return np.empty(0, np.int64)
    if groups.min() < 0 or groups.max() > 63:
        place = int(np.flatnonzero((groups < 0) | (groups > 63))[0])
        raise ValueError(f"the run-length text has a bad character, {chr(text[place])!r}, at position {place}")
    ends = np.flatnonzero(groups < 32)
    if not ends.size or ends[-1] != groups.size - 1:
        raise ValueError("the run-length text breaks off inside a number")
    begins = np.append(0, ends[:-1] + 1)
    sizes = ends - begins + 1
    if sizes.max() > _GROUPS:
        raise ValueError("the run-length text holds a number that is too large")
    shift = 5 * (np.arange(groups.size) - np.repeat(begins, sizes))
    counts = np.add.reduceat((groups & 31) << shift, begins)
    counts -= np.where(groups[ends] & 16, np.int64(1) << (5 * sizes), 0)
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return counts
