"""Formats and codecs of other packages, which name them by entry points in their own metadata.

[project.entry-points."formatspec.specs"]
mine = "my_package.specs"              # a package whose folder holds YAML files

[project.entry-points."formatspec.codecs"]
mine = "my_package.codecs"             # a module that registers codecs when it is imported
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

SPECS, CODECS = "formatspec.specs", "formatspec.codecs"


class PluginError(ValueError):
    """An entry point of another package cannot be used. The message names it and says why."""


class Plugin(NamedTuple):
    """An entry point: its name, the module that it refers to, and the package that declares it."""

    name: str
    value: str
    package: str

    def load_module(self) -> ModuleType:
        """Import and return the module. Raises PluginError for anything that goes wrong."""
        from importlib import import_module

        try:
            return import_module(self.value)
        except Exception as error:  # the module belongs to another package, and may raise anything
            raise PluginError(f"the entry point {self.name} = {self.value} of {self.package}: {error}") from error

    def load_folder(self) -> Path:
        """Return the folder of a package, without importing it. Raises PluginError if there is none."""
        from importlib.util import find_spec

        try:
            spec = find_spec(self.value)
        except (ImportError, ValueError) as error:
            raise PluginError(f"the entry point {self.name} = {self.value} of {self.package}: {error}") from error
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        folder = next((Path(place) for place in places if Path(place).is_dir()), None)
        if folder is None:
            raise PluginError(f"the entry point {self.name} = {self.value} of {self.package}: it names no package")
        return folder


def entry_points_of(group: str) -> tuple[Plugin, ...]:
    """Return the entry points of a group, in the order of their names."""
    return _found(group, tuple(sys.path))


@cache
def _found(group: str, places: tuple[str, ...]) -> tuple[Plugin, ...]:
    if not any(_mentions(place, group) for place in places):
        return ()  # this avoids an import that takes as long as a small command
    from importlib.metadata import entry_points

    met = {
        (one.name, one.value): Plugin(one.name, one.value, one.dist.name if one.dist is not None else "a package")
        for one in entry_points(group=group)
    }
    return tuple(met[key] for key in sorted(met))


def _mentions(place: str, group: str) -> bool:
    """Return whether a package that is installed in a folder has an entry point of a group."""
    try:
        with os.scandir(place or ".") as entries:
            names = [entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    wanted = group.encode()
    for name in names:
        try:
            with open(f"{place or '.'}/{name}/entry_points.txt", "rb") as held:  # noqa: PTH123  # many, so no Path each
                if wanted in held.read():
                    return True
        except OSError:
            continue
    return False
