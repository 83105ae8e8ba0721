"""Regions that a document states by one outline or one box around them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.arguments import BadArgumentsError
from formatspec.codecs.regions.crops import checked_region, fit_crop
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

if TYPE_CHECKING:
    from formatspec.model.region import Region


@codec("filled")
def filled(arguments: Sequence[Argument], site: Site) -> Codec:
    """`region | filled | pairs`: the pixels inside one ring. `filled(box)`: the pixels inside one box.

    A pixel is inside if its centre is, by the even-odd rule. Several pieces and holes are written as one ring with
    bridges of no width. Only a region that is a full rectangle fits `filled(box)`.
    """
    (what,) = (*take.names(take.plain(arguments, 0, 1), ("box",)), None)[:1]
    if what not in (None, "box"):
        raise BadArgumentsError("`box`, or nothing")

    def encode(value: Any, env: Env) -> Any:
        region = checked_region(value)
        if what is None:
            ring = region.one_ring()
            if ring is None:
                raise UnfitError("a region with pixels", value)
            return values.listed(site, ring)
        return values.listed(site, _box(region))

    def decode(value: Any, env: Env) -> Region:
        if what is None:
            return _inside(values.ring_of(value), env)
        x, y, width, height = values.bbox(value)
        return _inside((x, y, x + width, y, x + width, y + height, x, y + height), env)

    return Codec(
        encode=encode,
        decode=decode,
        kind="table",
        needs=frozenset({"size"}),
        fit=fit_crop if what is None else _fit_box,
    )


def _box(region: Region) -> tuple[int, int, int, int]:
    """Return the box that a region fills. Raises UnfitError for any other region."""
    box = region.bbox
    if box is None or region.area != box[2] * box[3]:
        raise UnfitError("a region that is a full rectangle", region)
    return box


def _inside(ring: Sequence[Any], env: Env) -> Region:
    """Return the pixels whose centres lie inside a ring. Raises UnfitError if there is none or the size is unknown."""
    from formatspec.model.region import Region

    if env.width <= 0 or env.height <= 0:
        raise UnfitError("an image of known size")
    try:
        region = Region.from_rings_evenodd([ring], env.height, env.width)
    except UnfitError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnfitError("an outline in an image", ring) from error
    if not region:
        raise UnfitError("an outline around pixels of the image", ring)
    return region


def _fit_box(value: Any, rng: random.Random, env: Env) -> Any:
    """Return the region if it is a full rectangle, or else its first pixel, or any pixel if it has none."""
    from formatspec.model.region import Region

    try:
        _box(checked_region(value))
    except UnfitError:
        import numpy as np

        height, width = max(env.height, 1), max(env.width, 1)
        return Region.from_crop(
            np.ones((1, 1), dtype=bool), rng.randint(0, width - 1), rng.randint(0, height - 1), height, width
        )
    return value
