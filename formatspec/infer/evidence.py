"""The content of a folder: its images with their sizes, its label images, and its decoded documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from formatspec.engine.detection.evidence.evidence_groups import DOCUMENTS, IMAGES, Groups, extension_of, grouped
from formatspec.engine.detection.evidence.ignorable import telling
from formatspec.engine.detection.evidence.label_images import FEW, LOSSLESS
from formatspec.engine.detection.evidence.opened_files import IMAGE_HEAD, OpenedFiles
from formatspec.files import images, ini_file, json_file, xml_file, yaml_file
from formatspec.files.document import FileError, text_of
from formatspec.model.plain.image_error import ImageError
from formatspec.paths.trees.tree import Tree

MOST = 400
"""How many documents of one group are decoded; the draft says if there are more."""
_LABEL = re.compile(
    r"(?i)(?:^|[^a-z])(?:masks?|labels?|label_?ids|seg\w*|gt\w*|ground_?truth|instances?\w*|semantic|annot\w*|colou?rs?|pedmasks)(?:[^a-z]|$)"
)


class Picture:
    """An image: its path, and its size in pixels, which is read at first use.

    Attributes:
        path: The path of the file.
        width: Pixels; 0 if the header cannot be read, or there is no file.
        height: The same for the height.
    """

    def __init__(self, path: str, width: int = 0, height: int = 0, tree: Tree | None = None) -> None:
        """Take a path and the size in pixels, if known; otherwise the size is read from `tree`."""
        self.path = path
        self._tree = tree
        self._size = (width, height)

    @property
    def width(self) -> int:
        """The width in pixels; 0 if it cannot be read."""
        return self._sized()[0]

    @property
    def height(self) -> int:
        """The height in pixels; 0 if it cannot be read."""
        return self._sized()[1]

    def _sized(self) -> tuple[int, int]:
        if self._tree is not None:
            tree, self._tree = self._tree, None
            try:
                ends = tree.ends(self.path, IMAGE_HEAD)
                info = images.probe(tree.read(self.path) if ends is None else ends[0])
                self._size = (info.width, info.height)
            except (ImageError, OSError, ValueError):
                self._size = (0, 0)
        return self._size


class Found(msgspec.Struct, frozen=True):
    """A document: its path, its kind (a word of the language) and its content; `lines` hold a list of texts."""

    path: str
    kind: str
    value: Any


class Evidence:
    """The files of a tree, each opened once."""

    def __init__(self, tree: Tree) -> None:
        """List the files of a tree; each is opened at first use."""
        self.tree = tree
        self.files = OpenedFiles(tree)
        self.paths = telling(tree.paths())
        self._pictures: dict[str, Picture] = {}

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The files of unknown extensions, which a spec may read as text."""
        told = telling(sorted(self.tree.paths()))
        return tuple(path for path in told if extension_of(path) not in DOCUMENTS | IMAGES)

    @cached_property
    def groups(self) -> Groups:
        """The paths of images, of label images, and of documents grouped by kind."""
        return grouped(self.paths, self.files.below(""))

    @cached_property
    def _likely(self) -> frozenset[str]:
        """Images whose paths contain a word for label images and that have one channel or few colours."""
        found = set()
        for path in self.groups.images:
            if extension_of(path) in LOSSLESS and _LABEL.search(path):
                header = self.files.label_header(path)
                flat = header is not None and header.color in (0, 3)
                if flat or 0 < self.files.colors(path) <= FEW:
                    found.add(path)
        return frozenset(found) if len(found) < len(self.groups.images) else frozenset()

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The paths of the images that are not label images."""
        return tuple(path for path in self.groups.images if path not in self._likely)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The paths of the label images, in order."""
        return tuple(sorted(self.groups.labels | self._likely))

    @cached_property
    def annotated(self) -> tuple[str, ...]:
        """The files that may contain annotations: documents and label images."""
        documents = [path for group in self.groups.evidence for path in group if path not in self.groups.labels]
        return (*documents, *self.labels)

    @cached_property
    def documents(self) -> tuple[Found, ...]:
        """The documents that can be read; of each group at most the first MOST."""
        found = []
        for group in self.groups.evidence:
            for path in [one for one in group if extension_of(one) in DOCUMENTS][:MOST]:
                try:
                    kind, value = decoded(path, self.tree.read(path))
                except (OSError, ValueError):
                    continue
                found.append(Found(path, kind, value))
        return tuple(found)

    def picture(self, path: str) -> Picture:
        """Return an image with its size."""
        if path not in self._pictures:
            self._pictures[path] = Picture(path, tree=self.tree)
        return self._pictures[path]


def decoded(path: str, data: bytes) -> tuple[str, Any]:
    """Return the kind of a document, by its content, and the decoded document.

    Raises:
        FileError: It is text in an unknown encoding.
    """
    extension = extension_of(path)
    text = text_of(data, ("utf-8", "latin-1"))[0]
    start = text.lstrip()[:1]
    if start in ("{", "["):
        try:
            return "json", json_file.decode(data)
        except FileError:
            rows = _json_lines(text)
            if rows is not None:
                return "jsonl", rows
    if start == "<":
        try:
            return "xml", xml_file.decode(data)
        except FileError:
            pass
    if extension in ("yaml", "yml"):
        return "yaml", yaml_file.decode(data)
    if extension == "ini":
        try:
            return "ini", ini_file.decode(data)
        except FileError:
            pass
    return "lines", text.splitlines()


def _json_lines(text: str) -> list[Any] | None:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return None


def number(value: Any) -> float | None:
    """Return a value as a number, even if it is spelled as text; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value) if value.strip() else None
        except ValueError:
            return None
    return None


def keys_of(values: list[Any]) -> Mapping[str, int]:
    """Return the keys of some mappings in the order of their first use, each with how many mappings have it."""
    counts: dict[str, int] = {}
    for value in values:
        if isinstance(value, dict):
            for key in value:
                counts[key] = counts.get(key, 0) + 1
    return counts
