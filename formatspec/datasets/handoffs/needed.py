"""Imports optional libraries when they are needed, and says what to do if one is missing."""

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
"""The extras of the package, each with a module that shows whether it is installed."""


class MissingLibraryError(ImportError):
    """A library is not installed; the message says how to install it."""


def needed(module: str, what: str) -> Any:
    """Import and return a module of another library.

    Args:
        module: Its name, such as `torchvision.tv_tensors`.
        what: What it is needed for, for the message.

    Raises:
        MissingLibraryError: The library, or something that it needs, is not installed.
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
