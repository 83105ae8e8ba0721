"""formatspec: one YAML file describes how a vision dataset lies on disk.

    import formatspec as fs
    fs.open("data/").export("out/", "FORMAT")

Errors: SpecError (a ValueError: a spec, an option or an expression is wrong), RefusedError (a ValueError: a
conversion was not made; it holds the findings), OutputError (a ValueError: the output folder cannot be used),
RemoteError (a store behind a URL cannot be reached or refuses), SourceChangedError (data were deleted or
changed while they were read), CannotRunError (a RuntimeError: there is no such
engine, or its workers are lost).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formatspec._version import __version__

if TYPE_CHECKING:
    from formatspec.api import convert, explain, load_spec, merge, open, sample, validate, write
    from formatspec.datasets.dataset import Dataset, InvalidItemError
    from formatspec.datasets.made.typed_items import UnfitItemsError
    from formatspec.datasets.splits.split_dataset import Split, split
    from formatspec.findings.finding import Finding
    from formatspec.language.errors import SpecError
    from formatspec.model.limits import set_limits
    from formatspec.model.records import Area, Caption, Category, Image, Item, Label, Object
    from formatspec.model.region import Region
    from formatspec.paths.trees.store import RemoteError
    from formatspec.paths.trees.tree import SourceChangedError
    from formatspec.run.conversion.plan import RefusedError, Result
    from formatspec.run.errors import CannotRunError
    from formatspec.run.output.staging import OutputError
    from formatspec.run.validate import Report

_PLACES = {
    "formatspec.api": ("convert", "explain", "load_spec", "merge", "open", "sample", "validate", "write"),
    "formatspec.datasets.dataset": ("Dataset", "InvalidItemError"),
    "formatspec.datasets.made.typed_items": ("UnfitItemsError",),
    "formatspec.datasets.splits.split_dataset": ("Split", "split"),
    "formatspec.findings.finding": ("Finding",),
    "formatspec.language.errors": ("SpecError",),
    "formatspec.model.limits": ("set_limits",),
    "formatspec.model.records": ("Area", "Caption", "Category", "Image", "Item", "Label", "Object"),
    "formatspec.model.region": ("Region",),
    "formatspec.paths.trees.store": ("RemoteError",),
    "formatspec.paths.trees.tree": ("SourceChangedError",),
    "formatspec.run.conversion.plan": ("RefusedError", "Result"),
    "formatspec.run.output.staging": ("OutputError",),
    "formatspec.run.errors": ("CannotRunError",),
    "formatspec.run.validate": ("Report",),
}
_PLACE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Area",
    "CannotRunError",
    "Caption",
    "Category",
    "Dataset",
    "Finding",
    "Image",
    "InvalidItemError",
    "Item",
    "Label",
    "Object",
    "OutputError",
    "RefusedError",
    "Region",
    "RemoteError",
    "Report",
    "Result",
    "SourceChangedError",
    "SpecError",
    "Split",
    "UnfitItemsError",
    "__version__",
    "convert",
    "explain",
    "load_spec",
    "merge",
    "open",
    "sample",
    "set_limits",
    "split",
    "validate",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that importing the package is fast."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACE_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names, including those that are not imported yet."""
    return list(__all__)
