"""The one error of everything that reads or writes image bytes."""

from __future__ import annotations


class ImageError(ValueError):
    """Image bytes cannot be read, or pixels cannot be written. The message is one sentence."""
