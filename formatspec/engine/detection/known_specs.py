"""The specs among which detection chooses: those of the package, and the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.errors import SpecError
from formatspec.language.load import Source, available, bundled, load_outline, load_source

_SAYS_SO = re.compile(r"^formatspec\s*:", re.M)


class KnownSpecs(NamedTuple):
    """Specs by name.

    Attributes:
        own: Those that do not come with the package.
        mistaken: Those of them that cannot be used, with their problems.
    """

    sources: Mapping[str, Source]
    own: frozenset[str]
    mistaken: Mapping[str, SpecError]


def known_specs() -> KnownSpecs:
    """Load all specs that are found by name.

    Specs of the package are loaded without compiling their rules, which tests check. A user's own spec is compiled as a
    whole, so that its mistakes are reported. Files in ./specs without the line `formatspec:` are not specs.
    """
    sources: dict[str, Source] = {}
    own: set[str] = set()
    mistaken: dict[str, SpecError] = {}
    for name, file in available().items():
        if file.resolve().parent == bundled():
            sources[name] = load_outline(file)
        elif _is_spec(file):
            try:
                sources[name] = load_source(file)
                compile_whole(sources[name])
            except SpecError as error:
                sources.pop(name, None)
                mistaken[name] = error
            else:
                own.add(name)
    return KnownSpecs(sources, frozenset(own), mistaken)


def _is_spec(file: Path) -> bool:
    try:
        return _SAYS_SO.search(file.read_text("utf-8", "replace")) is not None
    except OSError:
        return False
