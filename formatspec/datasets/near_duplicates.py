"""Finds images that look alike, by 64-bit difference hashes that differ in few bits.

Source of the hash: N. Krawetz, "Kind of Like That" (hackerfactor.com, 2013): the image is reduced to 9 by 8 grey
pixels, and each bit says whether a pixel is brighter than its right neighbour.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from formatspec.model.plain.image_error import ImageError
from formatspec.model.records import Item

BANDS, BITS = 4, 16
"""Two hashes that differ in fewer bits than there are bands are equal in at least one band."""
NEAR = 3
"""The most bits in which hashes of similar images differ."""


def difference_hash(item: Item) -> int | None:
    """Return the 64-bit hash of an item's image; None if the image cannot be read or is uniform."""
    from PIL import Image

    if item.image is None:
        return None
    try:
        small = item.image.open().convert("L").resize((9, 8), Image.Resampling.BOX)
    except (OSError, ValueError, ImageError):
        return None
    pixels = small.tobytes()
    bits = 0
    for row, column in itertools.product(range(8), range(8)):
        bits = bits << 1 | (pixels[9 * row + column] > pixels[9 * row + column + 1])
    return bits or None  # a uniform image has no information


def alike(hashes: Iterable[tuple[str, int]]) -> list[tuple[str, ...]]:
    """Return groups of keys whose hashes are connected by steps of at most `NEAR` bits; each group is sorted."""
    known = list(hashes)
    leader = list(range(len(known)))

    def first(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for one, other in _candidates([bits for _, bits in known]):
        if (known[one][1] ^ known[other][1]).bit_count() <= NEAR:
            leader[first(other)] = first(one)
    groups: dict[int, list[str]] = defaultdict(list)
    for place, (key, _) in enumerate(known):
        groups[first(place)].append(key)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def _candidates(hashes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of images whose hashes agree in a band; equal hashes are each paired with the first."""
    first: dict[int, int] = {}
    for place, bits in enumerate(hashes):
        if bits in first:
            yield first[bits], place
        else:
            first[bits] = place
    for band in range(BANDS):
        bucket: dict[int, list[int]] = defaultdict(list)
        for bits, place in first.items():
            bucket[bits >> (BITS * band) & ((1 << BITS) - 1)].append(place)
        for places in bucket.values():
            yield from itertools.combinations(places, 2)
