"""The mask of a region's bounding box, the region of such a mask, and checks of whether it fits the image."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from formatspec.codecs.registry import Env, UnfitError
from formatspec.model.limits import TooLargeError, check_decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from formatspec.model.region import Region


def checked_region(value: Any) -> Region:
    """Return a value that is a region. Raises UnfitError for any other value."""
    from formatspec.model.region import Region

    if not isinstance(value, Region):
        raise UnfitError("a region", value)
    return value


def fit_region(value: Any, rng: random.Random, env: Env) -> Any:
    """Return a region, or a single pixel if there is none."""
    import numpy as np

    from formatspec.model.region import Region

    if isinstance(value, Region):
        return value
    height, width = max(1, env.height), max(1, env.width)
    pixel = np.ones((1, 1), dtype=bool)
    return Region.from_crop(pixel, rng.randrange(width), rng.randrange(height), height, width)


def fit_crop(value: Any, rng: random.Random, env: Env) -> Any:
    """Return the region if it has the image's size and a pixel, or else one that has; used by `fit`."""
    return value if _has_size(value, env) and value else fit_region(None, rng, env)


def _has_size(value: Any, env: Env) -> bool:
    from formatspec.model.region import Region

    return isinstance(value, Region) and (value.height, value.width) == (env.height, env.width)


def value_of_size(value: Any, env: Env) -> Region:
    """A value that is a region of the image's size.  Raises UnfitError for any other."""
    region = checked_region(value)
    if not _has_size(region, env):
        raise UnfitError(f"a region of {env.height} x {env.width} pixels, as the image has", value)
    return region


def crop_of(value: Any, env: Env) -> tuple[NDArray[np.bool_], int, int]:
    """The mask (height, width) of a region's bounding box, with the box's left and top in pixels."""
    region = value_of_size(value, env)
    if not region:
        raise UnfitError("a region of at least one pixel", value)
    return region.crop()


def placed(mask: NDArray[np.bool_], left: int, top: int, env: Env) -> Region:
    """Return the region of a mask (height, width) whose left and top are given in pixels; it has the image's size."""
    from formatspec.model.region import Region

    return Region.from_crop(mask, left, top, env.height, env.width)


def check_inside(left: int, top: int, width: int, height: int, env: Env) -> None:
    """Raise UnfitError if a box, in pixels, reaches beyond the right or lower edge of the image."""
    if left + width > env.width or top + height > env.height:
        raise UnfitError(f"a mask inside the image's {env.width} x {env.height} pixels", (left, top, width, height))


def check_mask_size(width: int, height: int, channels: int = 1) -> None:
    """Raise UnfitError if a mask of this size is too large to be decoded."""
    try:
        check_decoded(width, height, channels)
    except TooLargeError as error:
        raise UnfitError(str(error), (width, height)) from None
