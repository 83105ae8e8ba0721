"""The one error of everything that reads or writes image bytes."""

from __future__ import annotations


class ImageError(ValueError):
    """Image bytes that cannot be read, or pixels that cannot be written.  Its text is one sentence."""
