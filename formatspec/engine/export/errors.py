"""What a target cannot hold at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formatspec.files.document import FileError


class CannotWriteError(ValueError):
    """An item that the target cannot hold at all, and why; `code` is that of the finding."""

    code = "CANNOT_WRITE"


class CollisionError(CannotWriteError):
    """An item that the target would name as it named another."""

    code = "ITEM_COLLISION"


def encoded(encode: Callable[[Any], bytes], document: Any, path: str) -> bytes:
    """A document as bytes.  Raises CannotWriteError, which names the file, where it cannot be spelled."""
    try:
        return encode(document)
    except (FileError, ValueError) as error:
        raise CannotWriteError(f"{path}: {error}") from None
