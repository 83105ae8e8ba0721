"""The files that detection opens, each only once for all specs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from formatspec.engine.dataset.document_shape import beginning_of_xml
from formatspec.engine.detection.evidence import readable_beginning
from formatspec.engine.documents.role_codec import Decoded, style_of
from formatspec.engine.index.row_source import range_file
from formatspec.engine.spec.compiled import Role
from formatspec.files import images, json_file
from formatspec.files.document import FileError
from formatspec.files.images import ImageError, ImageInfo
from formatspec.files.rows import json_rows
from formatspec.model.amounts import amounts
from formatspec.paths.trees.tree import Tree
from formatspec.pixels import containers
from formatspec.pixels.png_header import Header

HEAD = 1 << 18
"""How many bytes of larger texts and tables, and of damaged JSON files, are decoded."""
MUCH = 1 << 20
"""The size in bytes above which only the beginning of a text or table is decoded."""
PIXELS = 1 << 22
"""Colours are not counted in images with more pixels than this."""
IMAGE_HEAD = 1 << 16
"""How many bytes of an image are read for its header."""


class Document(msgspec.Struct, frozen=True):
    """A decoded document, as far as it can be read.

    Attributes:
        cut: Whether the file is damaged, so that only its beginning can be read.
        error: Why nothing of it can be read; "" otherwise.
        lines: How many lines of text are not empty.
        strays: Those of them that match nothing.
        text: The first lines.
    """

    value: Any
    cut: bool = False
    error: str = ""
    lines: int = 0
    strays: tuple[Any, ...] = ()
    text: tuple[str, ...] = ()


T = TypeVar("T")


class ImageFiles(NamedTuple):
    """Facts about images: their headers, read as images and as label images, and their number of colours."""

    image: Callable[[str], ImageInfo | None]
    label_header: Callable[[str], Header | None]
    colors: Callable[[str], int]


class OpenedFiles:
    """The opened files of a tree, their documents, and the headers of images."""

    def __init__(self, tree: Tree) -> None:
        """Start without any opened file."""
        self.tree = tree
        self._documents: dict[Any, Document] = {}
        self._bytes: dict[str, bytes] = {}
        self._elements: dict[str, bytes] = {}
        self._sizes: dict[str, ImageInfo | None] = {}
        self._headers: dict[str, Header | None] = {}
        self._colors: dict[str, int | None] = {}

    def document(self, role: Role, path: str) -> Document:
        """Return a file of a role, decoded by the role's codec. `path` is relative to the root of this tree."""
        assert role.codec is not None and role.kind is not None
        seen = role.codec.seen
        if role.kind == "json" and seen is not None:
            plain = self._kept(("json", path), lambda: self._json(path))
            if plain.error:
                return plain
            try:
                return Document(seen(plain.value), plain.cut)
            except (FileError, ValueError, TypeError, AttributeError) as error:
                return Document(None, error=str(error))
        by_rule = role.kind in ("lines", "xml", "csv") or role.codec.named is not None
        own = id(role.layout.rules[role.name]) if by_rule else 0
        key = (role.kind, path, style_of(role.kind, role.spec), own)
        return self._kept(key, lambda: self._decoded(role, path))

    def image(self, path: str) -> ImageInfo | None:
        """Return what the header of an image says; None if it cannot be read."""
        return self._seen(self._sizes, path, lambda: images.probe(self._image_head(path)))

    def label_header(self, path: str) -> Header | None:
        """Return the header of a label image; None if it cannot be read."""
        return self._seen(self._headers, path, lambda: containers.read_header(self._image_head(path)))

    def colors(self, path: str) -> int:
        """Return how many colours an image has; 0 if it is large or cannot be read."""
        info = self.image(path)
        if info is None or info.width * info.height > PIXELS:
            return 0
        return self._seen(self._colors, path, lambda: self._counted(path)) or 0

    def _counted(self, path: str) -> int:
        pixels = images.read_pixels(self._whole_image(path))
        return len(np.unique(pixels.reshape(-1, pixels.shape[2] if pixels.ndim == 3 else 1), axis=0))

    def _seen(self, known: dict[str, T | None], path: str, look: Callable[[], T]) -> T | None:
        """Return what an image shows, looked at once; None if it cannot be read."""
        if path not in known:
            try:
                known[path] = look()
            except (ImageError, OSError, ValueError):
                known[path] = None
        return known[path]

    def is_open(self, path: str) -> bool:
        """Return whether a part of a file was already read."""
        return path in self._bytes or path in self._elements

    def below(self, folder: str) -> ImageFiles:
        """Return the images below a folder, by their paths from there."""
        start = folder + "/" if folder else ""
        return ImageFiles(
            lambda path: self.image(start + path),
            lambda path: self.label_header(start + path),
            lambda path: self.colors(start + path),
        )

    def _kept(self, key: Any, make: Callable[[], Document]) -> Document:
        found = self._documents.get(key)
        if found is None:
            found = self._documents[key] = make()
        return found

    def _image_head(self, path: str) -> bytes:
        """Return the first bytes of an image; all bytes of an image that is text."""
        if path not in self._bytes:
            ends = None if path.endswith(".txt") else self.tree.ends(path, IMAGE_HEAD)
            self._bytes[path] = self.tree.read(path) if ends is None else ends[0]
        return self._bytes[path]

    def _whole_image(self, path: str) -> bytes:
        """Return all bytes of an image; they are not read again if the header's bytes are all."""
        head = self._image_head(path)
        return head if len(head) < IMAGE_HEAD else self.tree.read(path)

    def _read(self, path: str, lines: bool) -> bytes:
        """Return a file's bytes; of a large text its first whole lines. Raises as `Tree.read` does."""
        if path not in self._bytes:
            ends = self.tree.ends(path, HEAD) if lines and self.tree.size(path) > MUCH else None
            self._bytes[path] = self.tree.read(path) if ends is None else ends[0][: ends[0].rfind(b"\n") + 1]
        return self._bytes[path]

    def _xml(self, path: str) -> bytes:
        """Return an XML file's bytes; of a large file those of a document of its first rows. Raises as `_read` does."""
        if path not in self._elements:
            self._elements[path] = beginning_of_xml(path, self.tree)
        return self._elements[path]

    def _json(self, path: str) -> Document:
        """Return a JSON file's document; of a large file with the first rows of its lists."""
        try:
            if self.tree.size(path) > amounts().large_document:
                try:
                    return Document(json_rows.beginning(range_file(self.tree, path).stream(), amounts().first_rows))
                except json_rows.NotRowsError:
                    ends = self.tree.ends(path, HEAD)
                    return _partly(readable_beginning.of_json(self._read(path, False) if ends is None else ends[0]))
            data = self._read(path, False)
        except (OSError, ValueError) as error:
            return Document(None, error=_words(error))
        try:
            return Document(json_file.decode(data))
        except (FileError, ValueError) as error:
            return _partly(readable_beginning.of_json(data[:HEAD]), _words(error))

    def _decoded(self, role: Role, path: str) -> Document:
        """Return a file as its role decodes it; if that fails, the part before the damage."""
        assert role.codec is not None
        try:
            data = self._xml(path) if role.kind == "xml" else self._read(path, role.kind in ("lines", "csv", "jsonl"))
        except (OSError, ValueError) as error:
            return Document(None, error=_words(error))
        try:
            return _judged(role.codec.decode(data), data)
        except (FileError, ValueError) as error:
            why = _words(error)
        for part in readable_beginning.parts(role.kind or "", data):
            try:
                decoded = role.codec.decode(part)
            except (FileError, ValueError):
                continue
            if decoded.document:
                return Document(decoded.document, True)
        return Document(None, error=why)


def _judged(decoded: Decoded, data: bytes) -> Document:
    told = [line for line in data.splitlines() if line.strip()]
    beginning = told[: amounts().first_rows]
    text = tuple(line.decode(errors="replace").lstrip("\ufeff").strip() for line in beginning)
    return Document(decoded.document, lines=len(told), strays=decoded.strays, text=text)


def _partly(value: Any, error: str = "nothing of it can be read") -> Document:
    return Document(None, error=error) if not value else Document(value, True)


def _words(error: Exception) -> str:
    return str(getattr(error, "message", None) or getattr(error, "strerror", None) or error)
