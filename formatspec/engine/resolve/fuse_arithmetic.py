"""Compiles a chain of codecs that only calculate to one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs.registry import Codec, Env
from formatspec.engine.base.source_code import function

NEAR = 1e9
"""Numbers up to this are safe: codecs accept them, and the results of their arithmetic."""


def fused(
    codecs: Sequence[Codec], count: int, sizes: Sequence[int], several: bool, otherwise: Callable[[Any, Env], Any]
) -> Callable[[Any, Env], Any] | None:
    """Compile the encoding of a chain of codecs to one function; None if a codec states no formulas.

    Values whose numbers are near, in an image of known size, are computed at once. Any other value is left to
    `otherwise`, which applies the codecs one by one.

    Args:
        codecs: The codecs.
        count: How many numbers the model's value has.
        sizes: The positions of those that are widths and heights.
        several: Whether the file has a key for each number.
        otherwise: Encodes all other values.
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
