"""Errors for what a target format cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from formatspec.files.document import FileError, finite

T = TypeVar("T")


class CannotWriteError(ValueError):
    """The target cannot hold an item; the message says why.

    `code` is the code of the finding that is reported.
    """

    code = "CANNOT_WRITE"


class CollisionError(CannotWriteError):
    """The target gives two items the same name."""

    code = "ITEM_COLLISION"


NULLS = "numbers that a file cannot hold (NaN, infinity): null there"


def encoded(encode: Callable[[Any], T], document: Any, path: str, note: Callable[[str, str, int], None]) -> T:
    """Encode a document.

    NaN and infinities, which files of JSON lack, become null; `note` takes the loss, its unit and its count.

    Raises:
        CannotWriteError: The document cannot be encoded; the message names the file.
    """
    try:
        try:
            return encode(document)
        except FileError:
            document, nulls = finite(document)
            if not nulls:
                raise
            made = encode(document)
            note(NULLS, "values", nulls)
            return made
    except (FileError, ValueError) as error:
        raise CannotWriteError(f"{path}: {error}") from None
