"""Libraries that are imported when they are needed, and what to do where one is not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

EXTRAS = {
    "s3": "s3fs",
    "ray": "ray",
    "torch": "torch",
    "torchvision": "torchvision",
    "arrow": "pyarrow",
    "huggingface": "datasets",
    "supervision": "supervision",
}
"""The extras of the package, and the module by which it is known whether one is there."""


class MissingLibraryError(ImportError):
    """A library that is not installed; the message says how to install it."""


def needed(module: str, what: str) -> Any:
    """A module of another library, imported.

    Args:
        module: Its name, as `torchvision.tv_tensors`.
        what: What it is needed for, for the message.

    Raises:
        MissingLibraryError: The library is not installed, or something that it needs is not.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        extra = next((name for name, known in EXTRAS.items() if known == library), library)
        why = "" if error.name == library else f" ({error})"
        raise MissingLibraryError(
            f"{what} needs {library}, which cannot be imported{why}: pip install 'formatspec[{extra}]'", name=library
        ) from error
