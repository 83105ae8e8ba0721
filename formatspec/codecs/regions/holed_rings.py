"""Regions with holes as rings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.regions.crops import checked_region
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

if TYPE_CHECKING:
    from formatspec.model.region import Region


@codec("holed_rings")
def holed_rings(arguments: Sequence[Argument], site: Site) -> Codec:
    """`holed_rings`: a region with holes as flat rings. A pixel is inside if an odd number of rings contains it.

    A region without holes does not fit, since polygons suffice for it; see `apart`. Rings that overlap are read too.
    """
    take.plain(arguments)

    def checked(region: Region) -> list[list[float]]:
        outlines = region.to_polygons()
        if not any(outline.holes for outline in outlines):
            raise UnfitError("a region with a hole", region)
        return [list(ring) for one in outlines for ring in (one.outer, *one.holes)]

    def decode(value: Any, env: Env) -> Region:
        rings = values.sequence(value)
        region = _filled_evenodd(rings, env)
        if region == _filled(rings, env):
            checked(region)
        return region

    return Codec(
        encode=lambda value, env: values.listed(site, checked(checked_region(value))),
        decode=decode,
        kind="table",
        needs=frozenset({"size"}),
        fit=_fit_holed,
    )


@codec("apart")
def apart(arguments: Sequence[Argument], site: Site) -> Codec:
    """`apart`: polygons, unchanged, that cover the same pixels by the even-odd rule; see `holed_rings`.

    Those that overlap, of which one lies in another, or that have a hole between them, do not fit.
    """
    take.plain(arguments)

    def checked(value: Any, env: Env) -> tuple[values.Ring, ...]:
        found = tuple(map(values.ring_of, values.sequence(value)))
        if len(found) < 2 or env.width <= 0 or env.height <= 0:
            return found
        region = _filled_evenodd(found, env)
        if any(outline.holes for outline in region.to_polygons()) or region != _filled(found, env):
            raise UnfitError("polygons without holes that do not overlap", value)
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
    """Return the pixels of several rings, filled by the even-odd rule.

    Raises:
        UnfitError: There is only one ring, or the size is unknown.
    """
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


def _filled(rings: Sequence[Any], env: Env) -> Region:
    """Return the pixels inside any of several rings that `_filled_evenodd` takes."""
    from formatspec.model.region import Region

    return Region.from_polygons([values.ring_of(ring) for ring in rings], env.height, env.width)


def _fit_holed(value: Any, rng: random.Random, env: Env) -> Any:
    """Return the region if it has a hole, or else a ring of pixels around a hole of one pixel."""
    import numpy as np

    from formatspec.model.region import Region

    if isinstance(value, Region) and any(outline.holes for outline in value.to_polygons()):
        return value
    height, width = max(env.height, 3), max(env.width, 3)
    frame = np.ones((3, 3), dtype=bool)
    frame[1, 1] = False
    return Region.from_crop(frame, rng.randint(0, width - 3), rng.randint(0, height - 3), height, width)
