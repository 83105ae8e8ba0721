"""The options of a spec, with those that the engine adds, and what is chosen of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formatspec.engine.label_images.layers import BY_AREA, BY_ORDER
from formatspec.engine.label_images.writer import PAINT
from formatspec.language.errors import suggest
from formatspec.language.load import Layout
from formatspec.language.rules import problem
from formatspec.language.schema import OptionSpec, Spec


def offered_options(spec: Spec) -> dict[str, OptionSpec]:
    """Return the options of a spec, with those that the engine adds.

    Formats with label images get an option for the order of overlapping regions, and formats without crowds get one for
    what happens to crowds.
    """
    paints = any(role.pixels is not None for role in spec.files.values())
    engine = {**({PAINT: _PAINT} if paints else {}), **({} if spec.crowds else {CROWDS: _CROWDS})}
    return {**engine, **spec.options}


CROWDS, KEEP = "crowds", "keep"
_CROWDS = OptionSpec(
    default="leave_out", choices=("leave_out", KEEP), about="what becomes of crowds: left out, or written as one object"
)


_PAINT = OptionSpec(
    default=BY_ORDER,
    choices=(BY_ORDER, BY_AREA),
    about="what lies on top in label images: the later object of greater drawing order, or the smaller one",
)


def options_of(layout: Layout, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a layout's spec, with given ones in place of defaults, which may be text."""
    spec, offered = layout.spec, offered_options(layout.spec)
    chosen = dict(given)
    for name, value in given.items():
        if name not in offered:
            raise problem(f"{spec.name} has no option {name!r}", layout.node.place, hint=suggest(name, offered))
        choices = offered[name].choices
        chosen[name] = next((one for one in choices if isinstance(value, str) and str(one) == value), value)
        if choices and chosen[name] not in choices and value is not None:
            raise problem(
                f"{value!r} is no choice of the option {name}",
                layout.node.place,
                hint=suggest(str(value), map(str, choices)),
            )
    return {name: chosen.get(name, option.initial) for name, option in offered.items()}
