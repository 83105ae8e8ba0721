"""A chain of codecs that only calculate, compiled to one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs.registry import Codec, Env
from formatspec.engine.base.source_code import function

NEAR = 1e9
"""Numbers up to this are far from those that a codec refuses, and so is what comes of them."""


def fused(
    codecs: Sequence[Codec], count: int, sizes: Sequence[int], several: bool, otherwise: Callable[[Any, Env], Any]
) -> Callable[[Any, Env], Any] | None:
    """The encoding of a chain of codecs as one function; None where one of them states no formulas.

    count: how many numbers the model's value is; sizes: the places of those that are widths and heights; several:
    whether the file has a key for each number.  A value whose numbers are near, of an image of known size, is computed
    at once; any other is left to `otherwise`, which judges it codec by codec.
    """
    names: Sequence[str] = [f"v{place}" for place in range(count)]
    inputs = ", ".join(names)
    near = " and ".join(f"{0.0 if at in sizes else -NEAR!r} <= {name} <= {NEAR!r}" for at, name in enumerate(names))
    for codec in codecs:
        if codec.formulas is None:
            return None
        names = codec.formulas(names)
    outputs = ", ".join(names)
    sized = " and width > 0 and height > 0" if any("size" in codec.needs for codec in codecs) else ""
    body = [
        *(["width, height = env.width, env.height"] if sized else ()),
        "try:",
        f"    {inputs} = value",
        f"    if {near}{sized}:",
        f"        return {f'({outputs},)' if several else f'[{outputs}]'}",
        "except (TypeError, ValueError):",
        "    pass",
        "return otherwise(value, env)",
    ]
    return function("encode(value, env)", body, {"otherwise": otherwise})
