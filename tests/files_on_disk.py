"""Small files written for a test: those of a dataset all at once, and a spec."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from formatspec.testing.memory import image_bytes

Content = str | bytes | list[Any] | dict[str, Any] | None


def put(folder: Path, files: Mapping[str, Any], size: tuple[int, int] = (20, 10)) -> Path:
    """Write files below a folder, and give the folder.

    Args:
        folder: It is made where it is not there, and so are the folders in paths.
        files: Contents by path: text in UTF-8, bytes as they are, lists and mappings as JSON; None for an image of the
            kind that the extension names.
        size: Width and height of these images, in pixels.
    """
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_bytes_of(path, content, size))
    return folder


def spec_file(folder: Path, text: str, name: str = "spec") -> Path:
    """Write a spec as `name`.yaml into a folder that exists, and give the file."""
    file = folder / f"{name}.yaml"
    file.write_text(text.strip() + "\n", "utf-8")
    return file


def _bytes_of(path: str, content: Content, size: tuple[int, int]) -> bytes:
    if content is None:
        return image_bytes(*size, path.rpartition(".")[2])
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
