"""Opens a folder, a zip archive or a place behind a URL as a tree."""

from __future__ import annotations

import zipfile
from pathlib import Path

from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.remote import open_url
from formatspec.paths.trees.store import is_url, plain_path
from formatspec.paths.trees.tree import Tree
from formatspec.paths.trees.zip_tree import ZipTree


def open_tree(path: str | Path) -> Tree:
    """Return the tree of a folder or of a zip archive, on disk or behind a URL.

    Raises:
        FileNotFoundError: There is nothing.
        ValueError: It is a file but no zip archive.
        RemoteError: A store cannot be reached.
    """
    if is_url(path):
        return open_url(str(path))
    place = Path(plain_path(path) if isinstance(path, str) else path)
    if place.is_dir():
        return FolderTree(place)
    if not place.exists():
        raise FileNotFoundError(f"there is no {place}")
    if not zipfile.is_zipfile(place):
        raise ValueError(f"{place} is neither a folder nor a zip archive")
    return ZipTree(place)
