"""The specs of the catalogue, loaded once for all tests of detection."""

from __future__ import annotations

from functools import lru_cache

from formatspec.language.load import Source, available, load_source


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Every spec of the catalogue by its name."""
    return {name: load_source(name) for name in available()}
