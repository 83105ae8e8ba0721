"""Errors for what a target format cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formatspec.files.document import FileError


class CannotWriteError(ValueError):
    """The target cannot hold an item; the message says why.

    `code` is the code of the finding that is reported.
    """

    code = "CANNOT_WRITE"


class CollisionError(CannotWriteError):
    """The target gives two items the same name."""

    code = "ITEM_COLLISION"


def encoded(encode: Callable[[Any], bytes], document: Any, path: str) -> bytes:
    """Encode a document as bytes.

    Raises:
        CannotWriteError: The document cannot be encoded; the message names the file.
    """
    try:
        return encode(document)
    except (FileError, ValueError) as error:
        raise CannotWriteError(f"{path}: {error}") from None
