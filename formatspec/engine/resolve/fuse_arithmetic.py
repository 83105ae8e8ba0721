"""Compiles a chain of codecs that only calculate: to one function, or to source lines of a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs.registry import Codec, Env
from formatspec.codecs.values import FARTHEST
from formatspec.engine.base.source_code import function
from formatspec.model.flaws import ROUNDING, SMALLEST

NEAR = 1e9
"""Numbers up to this are safe: codecs accept them, and the results of their arithmetic."""
BOUNDS = (
    f"near, right, bottom = (-{FARTHEST!r}, {FARTHEST!r}, {FARTHEST!r}) if size is None else (",
    f"    -{ROUNDING!r}, size[0] + {ROUNDING!r}, size[1] + {ROUNDING!r})",
)
"""Source lines that set the bounds of a box in an image of the size `size`, which may be None."""
IN_IMAGE = (
    f"if not (wide >= {SMALLEST!r} and high >= {SMALLEST!r} and x >= near and y >= near): return None",
    "if not (x + wide <= right and y + high <= bottom): return None",
)
"""Source lines that give up a box `x, y, wide, high` about which there is something to say.

`near`, `right` and `bottom` are the bounds of its image, as `BOUNDS` sets them.
"""


def fused(
    codecs: Sequence[Codec],
    count: int,
    sizes: Sequence[int],
    several: bool,
    otherwise: Callable[[Any, Env], Any],
    spelled: bool = False,
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
        spelled: Whether the file has a text for each number.
    """
    names: Sequence[str] = [f"v{place}" for place in range(count)]
    inputs = ", ".join(names)
    near = " and ".join(f"{0.0 if at in sizes else -NEAR!r} <= {name} <= {NEAR!r}" for at, name in enumerate(names))
    for codec in codecs:
        if codec.formulas is None:
            return None
        names = codec.formulas(names)
    outputs = ", ".join(names)
    given = [f"return {f'({outputs},)' if several else f'[{outputs}]'}"]
    if spelled:
        given = _spelled(names)
    sized = " and width > 0 and height > 0" if any("size" in codec.needs for codec in codecs) else ""
    body = [
        *(["width, height = env.width, env.height"] if sized else ()),
        "try:",
        f"    {inputs} = value",
        f"    if {near}{sized}:",
        *(f"        {line}" for line in given),
        "except (TypeError, ValueError):",
        "    pass",
        "return otherwise(value, env)",
    ]
    return function("encode(value, env)", body, {"otherwise": otherwise, "numbers": _NUMBERS})


_NUMBERS = frozenset({int, float})


def _spelled(formulas: Sequence[str]) -> list[str]:
    """Return the source lines that return the results of formulas as texts, if Python spells them as files do."""
    numbers = [f"n{place}" for place in range(len(formulas))]
    texts = [f"t{place}" for place in range(len(formulas))]
    mark = "e"  # of an exponent
    shown = ", ".join(f"f'{{{number}!r}}'" for number in numbers)
    return [
        f"{', '.join(numbers)}, = {', '.join(formulas)},",
        f"if {{{', '.join(f'{number}.__class__' for number in numbers)}}} <= numbers:",
        f"    {', '.join(texts)}, = {shown},",
        f"    if {' and '.join(f'{mark!r} not in {text}' for text in texts)}: return {', '.join(texts)},",
    ]


def decoded(codecs: Sequence[Codec], numbers: Sequence[str]) -> Sequence[str]:
    """Return the formulas of what a chain of codecs decodes from numbers of the file; each codec states an inverse."""
    for codec in reversed(codecs):
        assert codec.inverse is not None
        numbers = codec.inverse(numbers)
    return numbers


def box_lines(codecs: Sequence[Codec]) -> tuple[str, ...]:
    """Return the source lines that decode the four numbers of `value` to a box, again under this name.

    They give up numbers that are not near, and boxes about which there is something to say. `env` is the environment
    of the codecs, each of which states an inverse.
    """
    numbers = ("v0", "v1", "v2", "v3")
    near = " and ".join(f"{-NEAR!r} <= {number} <= {NEAR!r}" for number in numbers)
    sized = any("size" in codec.needs for codec in codecs)
    return (
        "v0, v1, v2, v3 = value",
        *(("width, height = env.width, env.height",) if sized else ()),
        f"if not ({near}{' and width > 0 and height > 0' if sized else ''}): return None",
        f"value = x, y, wide, high = {', '.join(decoded(codecs, numbers))}",
        *IN_IMAGE,
    )
