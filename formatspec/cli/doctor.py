"""`formatspec doctor`: checks this installation, what it can use, and whether anything is wrong with it."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import typer

from formatspec._version import __version__
from formatspec.cli.console import FINDINGS, print_json, say_out
from formatspec.cli.option_types import AsJson, OutputFormat

NEEDED = ("numpy", "pillow", "imageio", "kornia-rs", "msgspec", "lxml", "PyYAML", "jsonschema", "jsonschema-rs",
          "pydantic", "typer", "rich")  # fmt: skip
"""The packages that formatspec needs, by the names under which they are installed."""


class Line(NamedTuple):
    """One check: what was looked at, whether it is well (None: it is optional), and what was found."""

    what: str
    well: bool | None
    seen: str


def doctor(as_json: AsJson = False, output_format: OutputFormat = None) -> None:
    """Look at this installation: versions, extras, limits, the place for temporary files, formats, plug-ins.

    Exit 0 if all is well, 1 if something is in the way.
    """
    from formatspec.cli.arguments import wants_json

    lines = list(looked_at())
    if wants_json(as_json, output_format):
        print_json({"version": 1, "well": all(line.well is not False for line in lines),
                    "lines": [line._asdict() for line in lines]})  # fmt: skip
    else:
        for line in lines:
            mark = {True: "ok  ", False: "BAD ", None: "--  "}[line.well]
            say_out(f"{mark}{line.what}: {line.seen}")
    if any(line.well is False for line in lines):
        raise typer.Exit(FINDINGS)


def looked_at() -> Iterator[Line]:
    """Yield all checks of the installation, in their order."""
    yield Line("formatspec", True, f"{__version__} in {Path(__file__).parents[1]}")
    yield Line("Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _extras()
    yield from _limits()
    yield _temporary()
    yield from _formats()
    yield from _plugins()


def _packages() -> Iterator[Line]:
    from importlib.metadata import PackageNotFoundError, version

    for name in NEEDED:
        try:
            yield Line(name, True, version(name))
        except PackageNotFoundError:
            yield Line(name, False, f"not installed; pip install {name}")


def _extras() -> Iterator[Line]:
    from importlib.metadata import PackageNotFoundError, version

    from formatspec.datasets.handoffs.needed import EXTRAS

    for extra, module in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield Line(f"extra {extra}", None, f"{module} is not installed; pip install 'formatspec[{extra}]'")
            continue
        try:
            seen = f"{module} {version(module)}"
        except PackageNotFoundError:
            seen = module
        yield Line(f"extra {extra}", True, seen)


def _limits() -> Iterator[Line]:
    import msgspec

    from formatspec.model.limits import limits

    numbers = ", ".join(f"{name} {number:,}" for name, number in msgspec.structs.asdict(limits()).items())
    yield Line("limits", True, numbers)
    yield Line("cores", True, str(os.cpu_count()))


def _temporary() -> Line:
    import shutil

    folder = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile() as held:
            held.write(b"x")
    except OSError as error:
        return Line("temporary files", False, f"{folder} cannot be written: {error.strerror or error}; set TMPDIR")
    return Line("temporary files", True, f"{folder}, {shutil.disk_usage(folder).free / 2**30:,.1f} GiB free")


def _formats() -> Iterator[Line]:
    from formatspec.engine.detection.known_specs import known_specs
    from formatspec.language.errors import SpecError
    from formatspec.language.load import folders

    try:
        known = known_specs()
    except (SpecError, OSError) as error:
        yield Line("formats", False, str(error))
        return
    where = ", ".join(map(str, folders()))
    yield Line("formats", bool(known.sources), f"{len(known.sources):,} in {where}")
    for name, wrong in known.mistaken.items():
        yield Line(f"format {name}", False, str(wrong))


def _plugins() -> Iterator[Line]:
    from formatspec.plugins import CODECS, SPECS, entry_points_of

    for group in (SPECS, CODECS):
        plugins = entry_points_of(group)
        if not plugins:
            yield Line(f"entry points {group}", None, "none")
        for one in plugins:
            try:
                seen = str(one.load_folder() if group == SPECS else one.load_module().__name__)
                yield Line(f"entry point {group} {one.name}", True, seen)
            except Exception as error:  # any error of another package is reported and stops nothing
                yield Line(f"entry point {group} {one.name}", False, f"{one.value} cannot be used: {error}")
