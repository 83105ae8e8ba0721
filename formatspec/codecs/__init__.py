"""Codecs: pairs of functions between the model's values and the file's.

    make("map", [Argument(True, "yes", paired=True), Argument(False, "no", paired=True)])

`UnknownCodecError` (a LookupError) and `BadArgumentsError` (a ValueError) are faults of a spec;
`UnfitError` is a value's.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache

from formatspec.codecs import assignments, boxes, choices, lists, numbers, points, text  # noqa: F401 - they register
from formatspec.codecs.arguments import BadArgumentsError
from formatspec.codecs.keypoints import named_points  # noqa: F401 - they register
from formatspec.codecs.regions import filled, holed_rings, images, run_lengths, vertex_lists  # noqa: F401 - they register
from formatspec.codecs.registry import CODECS, Argument, Codec, Env, Kind, Site, UnfitError
from formatspec.plugins import CODECS as ENTRY_POINTS
from formatspec.plugins import entry_points_of

__all__ = [
    "CODECS",
    "Argument",
    "BadArgumentsError",
    "Codec",
    "Env",
    "Kind",
    "Site",
    "UnfitError",
    "UnknownCodecError",
    "make",
]


class UnknownCodecError(LookupError):
    """No codec has this name. `suggestions` are the most similar names."""

    def __init__(self, name: str) -> None:
        """Look up similar names for the message.

        Args:
            name: The name that no codec has.
        """
        self.name = name
        self.suggestions = tuple(difflib.get_close_matches(name, CODECS, n=3))
        near = f"; did you mean {' or '.join(self.suggestions)}?" if self.suggestions else ""
        super().__init__(f"no codec is called {name!r}{near}")


@cache
def load_plugins() -> None:
    """Import the modules in which other packages register codecs, once, when an unknown codec is used.

    Raises:
        PluginError: A module cannot be imported.
    """
    for plugin in entry_points_of(ENTRY_POINTS):
        plugin.load_module()


def make(name: str, arguments: Sequence[Argument] = (), site: Site = Site()) -> Codec:  # noqa: B008
    """Return the codec `name(arguments)` for its place in a spec.

    Raises:
        UnknownCodecError: No codec has this name.
        BadArgumentsError: The codec does not take these arguments.
    """
    factory = CODECS.get(name)
    if factory is None:
        load_plugins()
        factory = CODECS.get(name)
    if factory is None:
        raise UnknownCodecError(name)
    try:
        return factory(arguments, site)
    except BadArgumentsError as error:
        raise BadArgumentsError(f"{name}: {error}") from None
